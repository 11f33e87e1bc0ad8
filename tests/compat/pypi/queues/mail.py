# aiosmtplib, dnspython: mail through SMTP with a login; names and messages of DNS
import asyncio
import json
import os
import smtplib
import urllib.parse
import urllib.request
from email.message import EmailMessage
import aiosmtplib
import dns.message
import dns.name

HOST, PORT = os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])


def handler(event, context):
    to = f"py-{os.getpid()}-{event['call']}@b.test"
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.test", to, "Grüße"
    message.set_content("héllo")
    message.add_attachment(b"content", maintype="text", subtype="plain", filename="a.txt")
    asyncio.run(aiosmtplib.send(message, hostname=HOST, port=PORT, username="u", password="p", start_tls=False))
    with smtplib.SMTP(HOST, PORT) as smtp:
        smtp.send_message(message)
    taken = json.load(urllib.request.urlopen(f"{os.environ['API_URL']}/taken/mail/{urllib.parse.quote(to)}"))
    query = dns.message.make_query("a.test", "MX", id=1)
    return [
        len(taken),
        'filename="a.txt"' in json.loads(taken[0])["text"],
        dns.message.from_wire(query.to_wire()).question[0].to_text(),
        dns.name.from_text("é.test").to_text(),
    ]
