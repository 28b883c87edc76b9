"""Many connections to the relay from many addresses of loopback, opened at a bounded pace."""

import asyncio
import base64
import socket
import ssl

# what the relay lets one address have at once
ADDRESS_SESSIONS = 100
# bind() without a port yet: the port is chosen with the destination in sight, so that 28,000 of them are no bound
IP_BIND_ADDRESS_NO_PORT = 24


def address(block, number):
    """The source address of a swarm's connection: a hundred share one."""
    return f"127.{block}.{number // ADDRESS_SESSIONS // 250}.{number // ADDRESS_SESSIONS % 250 + 1}"


def from_address(source):
    """A socket that will connect from this address."""
    one = socket.socket()
    one.setblocking(False)
    one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    one.bind((source, 0))
    return one


class Pace:
    """So many a second, evenly."""

    def __init__(self, per_second):
        self.interval, self.due = 1 / per_second, None

    async def turn(self, count=1):
        now = asyncio.get_running_loop().time()
        self.due = max(self.due or now, now - 0.05)
        # only where it is worth a sleep
        if self.due > now + 0.002:
            await asyncio.sleep(self.due - now)
        self.due += self.interval * count


class Client:
    """One connection with what an attacker needs of SMTP."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port, source, context=None, receive_octets=None):
        one = from_address(source)
        try:
            if receive_octets:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_octets)
            await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
            # the stream's own buffers stay small: what is not taken is seen at once
            reader, writer = await asyncio.open_connection(
                sock=one, ssl=context, server_hostname="localhost" if context else None, limit=1 << 16
            )
        except BaseException:
            one.close()
            raise
        return cls(reader, writer)

    def send(self, octets):
        self.writer.write(octets)

    async def reply(self, seconds=60):
        """One whole reply, lines joined; empty where the relay closed."""
        async with asyncio.timeout(seconds):
            lines = []
            while True:
                line = await self.reader.readline()
                lines.append(line.decode(errors="replace").rstrip("\r\n"))
                if len(line) < 4 or line[3:4] != b"-":
                    return "\n".join(lines)

    async def say(self, line, code, seconds=60):
        """Sends a line and expects a reply with this code."""
        self.send(line if isinstance(line, bytes) else line.encode() + b"\r\n")
        reply = await self.reply(seconds)
        assert reply.startswith(str(code)), f"{line[:60]!r}: {reply[:200]!r}, not {code}"
        return reply

    async def log_in(self, user):
        assert (await self.reply()).startswith("220")
        await self.say("EHLO hostile.example", 250)
        credentials = base64.b64encode(f"\0{user['username']}\0{user['password']}".encode()).decode()
        await self.say(f"AUTH PLAIN {credentials}", 235)

    async def begin(self, recipients=1):
        await self.say("MAIL FROM:<ann@example.org>", 250)
        for number in range(recipients):
            await self.say(f"RCPT TO:<r{number}@example.net>", 250)

    async def gone(self, seconds):
        """Whether the relay closes within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while await self.reader.read(1 << 16):
                    pass
                return True
        except TimeoutError:
            return False
        except (OSError, ssl.SSLError):
            return True

    def drop(self):
        """Leaves without a word."""
        self.writer.transport.abort()


async def swarm(count, pace, open_one):
    """Opens so many at this pace; `open_one` gets the number."""
    turns, opening = Pace(pace), []
    for number in range(count):
        await turns.turn()
        opening.append(asyncio.create_task(open_one(number)))
    return await asyncio.gather(*opening)


async def drip(clients, text, seconds, period):
    """Each client sends one octet of the text every `period` seconds; returns the octets sent by each."""
    loop = asyncio.get_running_loop()
    end, place = loop.time() + seconds, 0
    pace = Pace(len(clients) / period)
    while loop.time() < end:
        for client in clients:
            client.send(text[place % len(text) : place % len(text) + 1])
            await pace.turn()
        place += 1
    return place
