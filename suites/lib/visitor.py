"""A well-behaved client in a process of its own: a whole visit with one message a few times a second, timed.

Each line on standard output is a visit: when it began (monotonic clock, seconds), how long it took in all, and how long
from MAIL to 250; or, where it failed, when it began and why.
"""

import smtplib
import socket
import ssl
import sys
import time

# visits a second
PACE = 8
TEXT = b"From: ann@example.org\r\nTo: bob@example.net\r\nSubject: A visit\r\n\r\n" + b"A line of a small message.\r\n" * 40


def visit(port, source, authority, username, password):
    """Connects, logs in, sends one message, leaves; seconds from MAIL to 250."""
    context = ssl.create_default_context(cafile=authority)
    with smtplib.SMTP_SSL("localhost", port, timeout=20, source_address=(source, 0), context=context) as client:
        client.login(username, password)
        began = time.monotonic()
        client.sendmail("ann@example.org", ["bob@example.net"], TEXT)
        return time.monotonic() - began


def main():
    port, source, authority, username, password = sys.argv[1:]
    # IPv4 alone: the relay listens there
    found = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *rest, **options: found("127.0.0.1" if host == "localhost" else host, *rest, **options)
    due = time.monotonic()
    while True:
        due = max(due + 1 / PACE, time.monotonic())
        time.sleep(max(0, due - time.monotonic()))
        began = time.monotonic()
        try:
            mail = visit(int(port), source, authority, username, password)
            print(began, time.monotonic() - began, mail, flush=True)
        except (OSError, smtplib.SMTPException) as error:
            print(began, "failed:", repr(error).replace("\n", " "), flush=True)


main()
