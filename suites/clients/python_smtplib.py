"""smtplib, the way its documentation shows: EmailMessage and send_message."""

import os
import smtplib
import ssl
from email.message import EmailMessage

env = os.environ
message = EmailMessage()
message["From"] = f"Ann Sender <{env['MAILER_FROM']}>"
message["To"] = ", ".join(env["MAILER_TO"].split())
message["Bcc"] = "hidden@example.net"
message["Subject"] = env["MAILER_SUBJECT"]
message.set_content(open(env["MAILER_TEXT"], encoding="utf-8", newline="").read())
with open(env["MAILER_ATTACHMENT"], "rb") as file:
    message.add_attachment(file.read(), maintype="application", subtype="octet-stream", filename="data.bin")

context = ssl.create_default_context(cafile=env["MAILER_CA"])
host, port = env["MAILER_HOST"], int(env["MAILER_PORT"])
if env["MAILER_TLS"] == "tls":
    server = smtplib.SMTP_SSL(host, port, context=context)
else:
    server = smtplib.SMTP(host, port)
    server.starttls(context=context)
with server:
    server.login(env["MAILER_USERNAME"], env["MAILER_PASSWORD"])
    # the recipients named: send_message would take them from Bcc too
    server.set_debuglevel(1)
    server.send_message(message, to_addrs=env["MAILER_TO"].split())
