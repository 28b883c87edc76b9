"""The next hop of the suites that end the relay by force: takes every message, and notes how each transaction ended.

Run as a process: prints its port, and writes a journal, one JSON object on a line. What the relay can have known of a
delivery when it died is what matters here, so each copy of a message has one of these endings:

  unsent  the connection was gone before our final reply was sent
  unread  the reply was sent, and the relay died (or closed) with it unread: the system then resets the connection
  read    the relay took the reply: it went on with the connection, or closed it with nothing left unread
"""

import asyncio
import hashlib
import json
import logging
import random
import re
import socket
import sys
import time

EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 157286400\r\n"
CONTENT_OCTETS_MAX = 32 << 20
# Of the final replies, so many in a hundred are late, by up to so many seconds: relays die while they wait for them.
LATE_HUNDREDTHS, LATE_SECONDS_MAX = 30, 0.02


class Journal:
    """What happened, a line each, written at once."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1)
        self.number = 0

    def copy(self, life, recipients, content):
        """A message came whole; the number of this copy."""
        self.number += 1
        head, _, body = content.partition(b"\r\n\r\n")
        fields = {}
        for name in ("X-Mark", "X-Digest"):
            found = re.search(rb"^" + name.encode() + rb": (\S+)\r?$", head, re.MULTILINE)
            fields[name] = found.group(1).decode() if found else None
        queued = re.search(rb"^\twith \S+ id (\w+)", head, re.MULTILINE)
        self._write(
            copy=self.number, at=time.time(), life=life, recipients=recipients, mark=fields["X-Mark"],
            message=queued.group(1).decode() if queued else None,
            whole=fields["X-Digest"] == hashlib.sha256(body).hexdigest(),
        )
        return self.number

    def ending(self, copy, ending):
        self._write(ending=ending, of=copy, at=time.time())

    def _write(self, **line):
        self.file.write(json.dumps(line) + "\n")


class Conversation:
    """One connection of the relay."""

    def __init__(self, journal, reader, writer):
        self.journal, self.reader, self.writer = journal, reader, writer
        self.life, self.recipients = None, []
        # the copy whose reply may not have been read yet
        self.open_copy = None

    async def run(self):
        try:
            self.writer.write(b"220 sink ESMTP\r\n")
            while line := await self.reader.readline():
                self.close_copy("read")
                if not await self.on(line.strip()):
                    break
            # closed: a reply that found nobody left an error behind
            error = self.writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.close_copy("unread" if error else "read")
        except (OSError, asyncio.IncompleteReadError):
            self.close_copy("unread")
        finally:
            self.writer.close()

    def close_copy(self, ending):
        if self.open_copy is not None:
            self.journal.ending(self.open_copy, ending)
            self.open_copy = None

    async def on(self, line):
        verb = line[:4].upper()
        if verb == b"EHLO":
            self.life = line[5:].decode().split(".")[0].removeprefix("life-")
            self.writer.write(EXTENSIONS)
        elif verb == b"MAIL":
            self.recipients = []
            self.writer.write(b"250 2.1.0 Ok\r\n")
        elif verb == b"RCPT":
            self.recipients.append(re.search(rb"<([^>]*)>", line).group(1).decode())
            self.writer.write(b"250 2.1.5 Ok\r\n")
        elif verb == b"DATA":
            self.writer.write(b"354 Go on\r\n")
            await self.take()
        elif verb == b"QUIT":
            self.writer.write(b"221 2.0.0 Bye\r\n")
            return False
        else:
            self.writer.write(b"250 2.0.0 Ok\r\n" if verb in (b"RSET", b"NOOP") else b"500 5.5.1 Unknown\r\n")
        return True

    async def take(self):
        content = await self.reader.readuntil(b"\r\n.\r\n")
        content = content[:-3].replace(b"\r\n..", b"\r\n.")
        copy = self.journal.copy(self.life, self.recipients, content)
        if random.randrange(100) < LATE_HUNDREDTHS:
            await asyncio.sleep(random.uniform(0, LATE_SECONDS_MAX))
        if self.reader.at_eof() or self.writer.is_closing():
            self.journal.ending(copy, "unsent")
            return
        self.open_copy = copy
        self.writer.write(b"250 2.0.0 Taken\r\n")


async def main(path):
    journal = Journal(path)

    async def serve(reader, writer):
        await Conversation(journal, reader, writer).run()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=CONTENT_OCTETS_MAX)
    print(server.sockets[0].getsockname()[1], flush=True)
    # until whoever started this lets go of it
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    # it warns of writes to connections that are gone; here that is the rule, and journalled
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(main(sys.argv[1]))
