"""smtplib.sendmail with octets that nobody prepared: 8-bit, and nothing said of it."""

import os
import smtplib
import ssl

env = os.environ
context = ssl.create_default_context(cafile=env["MAILER_CA"])
host, port = env["MAILER_HOST"], int(env["MAILER_PORT"])
if env["MAILER_TLS"] == "tls":
    server = smtplib.SMTP_SSL(host, port, context=context)
else:
    server = smtplib.SMTP(host, port)
    server.starttls(context=context)
with server:
    server.login(env["MAILER_USERNAME"], env["MAILER_PASSWORD"])
    server.set_debuglevel(1)
    with open(env["MAILER_MESSAGE"], "rb") as file:
        server.sendmail(env["MAILER_FROM"], env["MAILER_TO"].split(), file.read())
