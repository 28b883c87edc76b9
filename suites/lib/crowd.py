"""Clients that send without a pause, and note what they heard of each message.

Run as a process: reads one line of JSON (see `Crowd`) from standard input, sends until that ends, lets the transactions
under way finish, and ends. Different SMTP users, both ports, one and many messages on a connection, DATA and BDAT, one
and many recipients, content that a record holds and content that becomes a file of its own. Each message has a mark of
its own and is sent once: a message whose 250 was not read is left alone. The journal has a line for each message
before its content goes, and one for what was heard of it:

  kept     250 to the end of data was read
  refused  another reply was read, there or earlier
  gone     the connection ended first

A connection that was refused before it was logged in has a line too: `turned_away`, with the reply.
"""

import asyncio
import base64
import hashlib
import json
import logging
import random
import ssl
import sys
import threading
import time

DOMAINS = ["example.net", "example.com", "mail.example.net"]
# Seconds for any one reply: past it the relay hangs, and the suite fails.
PATIENCE = 60
# Seconds before the next try, where the relay is not there or refuses.
PAUSE = 0.02
# How many of so many messages, and the octets of their content: mostly small; the last is a file of its own.
SIZES = [(86, (200, 8_000)), (10, (20_000, 200_000)), (4, (1_100_000, 1_500_000))]
RECIPIENTS = [1, 1, 1, 2, 3, 8, 20]
MESSAGES_ON_A_CONNECTION = [1, 1, 2, 10, 50]


class Refused(Exception):
    """The relay answered something else than what was hoped for."""


class Session:
    """One connection, logged in."""

    def __init__(self, ports, tls, port, user):
        self.ports, self.tls, self.port, self.user = ports, tls, port, user
        self.reader = self.writer = None

    async def open(self):
        wrapped = {"ssl": self.tls, "server_hostname": "localhost"} if self.port == "tls" else {}
        opening = asyncio.open_connection("127.0.0.1", self.ports[self.port], **wrapped)
        self.reader, self.writer = await asyncio.wait_for(opening, PATIENCE)
        await self.hear(220)
        if not wrapped:
            await self.say("EHLO crowd.example.org", 250)
            await self.say("STARTTLS", 220)
            await self.writer.start_tls(self.tls, server_hostname="localhost")
        await self.say("EHLO crowd.example.org", 250)
        secret = "\0".join(["", *self.user]).encode()
        await self.say("AUTH PLAIN " + base64.b64encode(secret).decode(), 235)

    async def hear(self, code):
        """The text of the next reply, which has to have this code."""
        line = b"   -"
        while line[3:4] == b"-":
            line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
            if not line.endswith(b"\n"):
                raise ConnectionError("the connection ended")
        text = line.decode().strip()
        if not text.startswith(str(code)):
            raise Refused(text)
        return text

    def write(self, octets):
        if self.writer.transport.is_closing():
            raise ConnectionError("the connection ended")
        self.writer.write(octets)

    async def say(self, line, code):
        self.write(line.encode() + b"\r\n")
        return await self.hear(code)

    async def envelope(self, sender, recipients):
        await self.say(f"MAIL FROM:<{sender}>", 250)
        for recipient in recipients:
            self.write(f"RCPT TO:<{recipient}>\r\n".encode())
        for _ in recipients:
            await self.hear(250)

    async def content(self, content, chunked):
        """Sends it; the id that the relay gave it."""
        if chunked:
            self.write(f"BDAT {len(content)} LAST\r\n".encode() + content)
        else:
            await self.say("DATA", 354)
            self.write(content + b".\r\n")
        await self.writer.drain()
        return (await self.hear(250)).rsplit(" ", 1)[1]

    def close(self):
        if self.writer is not None:
            self.writer.close()


class Crowd:
    """All clients, and the journal of what they heard."""

    def __init__(self, ports, authority, users, clients, seed, journal):
        """`ports`: by name, `starttls` and `tls`. `users`: name and password of each. `seed`: begins every mark."""
        self.ports, self.users, self.clients, self.seed = ports, users, clients, seed
        self.tls = ssl.create_default_context(cafile=authority)
        self.file = open(journal, "a", buffering=1)
        self.stopping = asyncio.Event()

    def note(self, **line):
        self.file.write(json.dumps({"at": time.time(), **line}) + "\n")

    async def run(self):
        async with asyncio.TaskGroup() as group:
            for number in range(self.clients):
                group.create_task(self.client(number))

    async def client(self, number):
        dice = random.Random(f"{self.seed} {number}")
        count = 0
        while not self.stopping.is_set():
            session = Session(self.ports, self.tls, dice.choice(["starttls", "tls"]), self.users[number % len(self.users)])
            try:
                await self.log_in(session)
                for _ in range(dice.choice(MESSAGES_ON_A_CONNECTION)):
                    count += 1
                    await self.send(session, dice, f"{self.seed}-{number}-{count}")
                    if self.stopping.is_set():
                        break
                await session.say("QUIT", 221)
            except (OSError, Refused, asyncio.IncompleteReadError):
                await asyncio.sleep(PAUSE)
            finally:
                session.close()

    async def log_in(self, session):
        try:
            await session.open()
        except Refused as refused:
            self.note(turned_away=str(refused))
            raise

    async def send(self, session, dice, mark):
        """One message, and what was heard of it."""
        recipients = [f"r{place}.{mark}@{dice.choice(DOMAINS)}" for place in range(dice.choice(RECIPIENTS))]
        content = compose(dice, mark, recipients[0])
        self.note(mark=mark, recipients=recipients, user=session.user[0], octets=len(content))
        try:
            await session.envelope("shop@example.org", recipients)
            message = await session.content(content, chunked=dice.random() < 0.3)
            self.note(mark=mark, heard="kept", message=message)
        except Refused as refused:
            self.note(mark=mark, heard="refused", reply=str(refused))
            await asyncio.sleep(PAUSE)
            await session.say("RSET", 250)
        except (OSError, asyncio.IncompleteReadError):
            self.note(mark=mark, heard="gone")
            raise


def compose(dice, mark, recipient):
    """Content that says whether it arrived whole."""
    (octets,) = dice.choices([octets for _, octets in SIZES], [share for share, _ in SIZES])
    line = f"{mark} {dice.getrandbits(200):060x}\r\n".encode()
    body = line * (dice.randrange(*octets) // len(line) + 1)
    digest = hashlib.sha256(body).hexdigest()
    head = f"From: <shop@example.org>\r\nTo: <{recipient}>\r\nSubject: {mark}\r\nX-Mark: {mark}\r\nX-Digest: {digest}\r\n"
    return head.encode() + b"\r\n" + body


async def main():
    crowd = Crowd(**json.loads(sys.stdin.readline()))
    loop = asyncio.get_running_loop()

    def wait_for_the_end():
        sys.stdin.read()
        loop.call_soon_threadsafe(crowd.stopping.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    await crowd.run()


if __name__ == "__main__":
    # it warns of writes to connections that are gone; here that is the rule, and journalled
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(main())
