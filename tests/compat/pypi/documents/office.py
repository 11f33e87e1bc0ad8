# openpyxl, xlsxwriter, xlrd, python-docx, python-pptx: workbooks, documents, slides written and read
import io
import docx
import openpyxl
import openpyxl.chart
import pptx
import xlrd
import xlsxwriter


def handler(event, context):
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet("s")
        sheet.write_row(0, 0, ["a", 1.5, "é"])
        sheet.write_formula(1, 1, "=B1*2", value=3)
    read = openpyxl.load_workbook(sink, data_only=True)
    read["s"]["C3"] = "new"
    again = io.BytesIO()
    read.save(again)
    document, packed = docx.Document(), io.BytesIO()
    document.add_heading("Title", 1)
    document.add_table(1, 2).cell(0, 1).text = "é"
    document.save(packed)
    slides, shown = pptx.Presentation(), io.BytesIO()
    slides.slides.add_slide(slides.slide_layouts[0]).shapes.title.text = "Slide"
    slides.save(shown)
    try:
        xlrd.open_workbook(file_contents=sink.getvalue())
    except xlrd.XLRDError as error:
        refused = str(error)[:20]
    return [
        [list(row) for row in openpyxl.load_workbook(again)["s"].values],
        docx.Document(packed).tables[0].cell(0, 1).text,
        pptx.Presentation(shown).slides[0].shapes.title.text,
        refused,
    ]
