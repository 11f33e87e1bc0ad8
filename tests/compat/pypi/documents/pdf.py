# reportlab, pypdf, pdfplumber, fpdf2, pymupdf, pikepdf: PDF files written, joined, read, drawn
import io
import fpdf
import pdfplumber
import pikepdf
import pymupdf
import pypdf
from reportlab.lib.pagesizes import A6
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate
from reportlab.lib.styles import getSampleStyleSheet


def handler(event, context):
    first, second = io.BytesIO(), io.BytesIO()
    page = canvas.Canvas(first, pagesize=A6)
    page.drawString(50, 50, "Hello")
    page.save()
    SimpleDocTemplate(second, pagesize=A6).build([Paragraph("<b>Second</b>", getSampleStyleSheet()["Normal"])])
    writer, joined = pypdf.PdfWriter(), io.BytesIO()
    for file in (first, second):
        writer.append(pypdf.PdfReader(file))
    writer.encrypt("p")
    writer.write(joined)
    reader = pypdf.PdfReader(joined)
    reader.decrypt("p")
    document = fpdf.FPDF()
    document.add_page()
    document.set_font("helvetica", size=12)
    document.cell(text="Third")
    with pymupdf.open(stream=bytes(document.output()), filetype="pdf") as opened:
        third = [opened[0].get_text().strip(), opened[0].get_pixmap().width]
    with pdfplumber.open(first) as plumber, pikepdf.open(second) as pike:
        return [[page.extract_text() for page in reader.pages], third, plumber.pages[0].extract_text(), len(pike.pages)]
