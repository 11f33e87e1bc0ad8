// nodemailer, mailparser: mail with an attachment, through SMTP with a login, read back and parsed
import nodemailer from "nodemailer";
import { simpleParser } from "mailparser";

export const handler = async (event) => {
  const to = `npm-${process.versions.v8}-${event.call}@b.test`;
  const transport = nodemailer.createTransport({
    host: process.env.SMTP_HOST,
    port: Number(process.env.SMTP_PORT),
    ignoreTLS: true,
    auth: { user: "u", pass: "p" },
  });
  const sent = await transport.sendMail({
    from: "Ann <a@b.test>",
    to,
    subject: "Grüße",
    text: "héllo",
    html: "<b>héllo</b>",
    attachments: [{ filename: "a.txt", content: "content" }],
  });
  transport.close();
  const [taken] = await (await fetch(`${process.env.API_URL}/taken/mail/${to}`)).json();
  const mail = await simpleParser(Buffer.from(JSON.parse(taken).text, "latin1"));
  return [
    sent.accepted.length,
    mail.subject,
    mail.text.trim(),
    mail.html,
    mail.attachments.map(({ filename, content }) => [filename, content.toString()]),
    mail.from.text,
  ];
};
