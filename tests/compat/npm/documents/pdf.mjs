// pdf-lib, pdfkit, pdf-parse: PDF files made, changed and read
import { PDFDocument, StandardFonts, rgb } from "pdf-lib";
import PDFKit from "pdfkit";
import { PDFParse } from "pdf-parse";

export const handler = async () => {
  const document = await PDFDocument.create();
  const page = document.addPage([200, 100]);
  page.drawText("Hello", {
    font: await document.embedFont(StandardFonts.Helvetica),
    color: rgb(1, 0, 0),
    x: 10,
    y: 50,
  });
  const loaded = await PDFDocument.load(await document.save());
  const kit = new PDFKit();
  const chunks = [];
  kit.on("data", (chunk) => chunks.push(chunk));
  const ended = new Promise((resolve) => kit.on("end", resolve));
  kit
    .fontSize(20)
    .text("Read me")
    .image(
      Buffer.from(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
        "base64",
      ),
      50,
      150,
    )
    .end();
  await ended;
  const parser = new PDFParse({ data: new Uint8Array(Buffer.concat(chunks)) });
  const { text } = await parser.getText();
  await parser.destroy();
  return [
    loaded.getPageCount(),
    loaded.getPage(0).getSize(),
    Buffer.concat(chunks).subarray(0, 5).toString(),
    text.includes("Read me"),
  ];
};
