"""Django's mail, as its settings have it."""

import os

from django.conf import settings
from django.core.mail import EmailMessage

env = os.environ
# Django takes the authorities that OpenSSL takes
env["SSL_CERT_FILE"] = env["MAILER_CA"]
settings.configure(
    EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
    EMAIL_HOST=env["MAILER_HOST"],
    EMAIL_PORT=int(env["MAILER_PORT"]),
    EMAIL_HOST_USER=env["MAILER_USERNAME"],
    EMAIL_HOST_PASSWORD=env["MAILER_PASSWORD"],
    EMAIL_USE_TLS=env["MAILER_TLS"] == "starttls",
    EMAIL_USE_SSL=env["MAILER_TLS"] == "tls",
)
message = EmailMessage(
    subject=env["MAILER_SUBJECT"],
    body=open(env["MAILER_TEXT"], encoding="utf-8", newline="").read(),
    from_email=f"Ann Sender <{env['MAILER_FROM']}>",
    to=env["MAILER_TO"].split(),
)
with open(env["MAILER_ATTACHMENT"], "rb") as file:
    message.attach("data.bin", file.read(), "application/octet-stream")
assert message.send() == 1
