"""The next hop: takes every message, and keeps it as it came."""

import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from ports import free_ports


class Message:
    """One message as the next hop got it."""

    def __init__(self, sender, recipients, content):
        self.sender, self.recipients, self.content = sender, recipients, content


class Capture:
    """Listens on a free port of loopback until `stop`."""

    def __init__(self):
        self.messages = []
        self.arrived = threading.Condition()
        # lines of any length, and content of any size: whether that is wise is not the question here
        SMTP.line_length_limit = 1 << 20
        (self.port,) = free_ports(1)
        self.controller = Controller(
            self, hostname="127.0.0.1", port=self.port, server_kwargs={"data_size_limit": None, "enable_SMTPUTF8": True}
        )
        self.controller.start()

    async def handle_DATA(self, server, session, envelope):
        with self.arrived:
            sender = "" if envelope.mail_from in (None, "<>") else envelope.mail_from
            self.messages.append(Message(sender, envelope.rcpt_tos, envelope.original_content))
            self.arrived.notify_all()
        return "250 2.0.0 captured"

    def wait_for(self, recipients, seconds):
        """The messages that reached these recipients, once each of them has one."""
        wanted, deadline = set(recipients), time.monotonic() + seconds
        with self.arrived:
            while True:
                found = [message for message in self.messages if wanted & set(message.recipients)]
                missing = wanted - {recipient for message in found for recipient in message.recipients}
                if not missing:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"after {seconds} s nothing came for {', '.join(sorted(missing)[:3])}")
                self.arrived.wait(left)

    def stop(self):
        self.controller.stop()
