// exceljs, xlsx, docx: workbooks made and read, documents
import ExcelJS from "exceljs";
import XLSX from "xlsx";
import { Document, Packer, Paragraph } from "docx";
import JSZip from "jszip";

export const handler = async () => {
  const book = new ExcelJS.Workbook();
  const sheet = book.addWorksheet("s");
  sheet.addRows([
    ["a", 1],
    ["é", 2.5],
  ]);
  sheet.getCell("C1").value = { formula: "B1+B2", result: 3.5 };
  const bytes = await book.xlsx.writeBuffer();
  const read = XLSX.read(bytes);
  const again = new ExcelJS.Workbook();
  await again.xlsx.load(XLSX.write(read, { type: "buffer", bookType: "xlsx" }));
  const packed = await Packer.toBuffer(new Document({ sections: [{ children: [new Paragraph("Hello")] }] }));
  const zip = await JSZip.loadAsync(packed);
  return [
    XLSX.utils.sheet_to_json(read.Sheets.s, { header: 1 }),
    again.getWorksheet("s").getCell("A2").value,
    XLSX.utils.sheet_to_csv(read.Sheets.s),
    (await zip.file("word/document.xml").async("text")).includes("Hello"),
  ];
};
