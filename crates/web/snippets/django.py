{{own}}import os
{{own}}os.environ["SSL_CERT_FILE"] = "{{authority}}"
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = "{{host}}"
EMAIL_PORT = {{port}}
{{starttls}}EMAIL_USE_TLS = True
{{tls}}EMAIL_USE_SSL = True
EMAIL_HOST_USER = "{{user}}"
EMAIL_HOST_PASSWORD = "{{password}}"
EMAIL_TIMEOUT = 60
DEFAULT_FROM_EMAIL = "{{from}}"
SERVER_EMAIL = "{{from}}"
