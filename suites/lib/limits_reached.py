"""Messages at every limit, and one step past it: each is taken or refused as the product says."""

from swarm import Client, Pace

ADDRESS = "127.10.0.1"
# octets a second: what large messages are sent at
UPLOAD = 8_000_000
# messages a second of the long connection
MESSAGES = 150
HEADER_OCTETS_MAX = 256 * 1024
LINE_OCTETS_MAX = 2_048
MESSAGE_OCTETS_MAX = 20_971_520


class Sender:
    """A session that sends whole contents."""

    def __init__(self, client, domain):
        self.client, self.domain, self.pace = client, domain, Pace(UPLOAD)

    @classmethod
    async def open(cls, house, user):
        client = await Client.open(house.tls, ADDRESS, house.context)
        await client.log_in(user)
        return cls(client, user["domain"])

    @property
    def author(self):
        return f"From: ann@{self.domain}\r\n".encode()

    async def envelope(self, recipients=("bob@example.net",)):
        await self.client.say(f"MAIL FROM:<ann@{self.domain}>", 250)
        for recipient in recipients:
            await self.client.say(f"RCPT TO:<{recipient}>", 250)

    async def content(self, octets, code):
        """Sends a content by DATA at a bounded pace."""
        await self.client.say("DATA", 354)
        for start in range(0, len(octets), 1 << 17):
            piece = octets[start : start + (1 << 17)]
            self.client.send(piece)
            await self.client.writer.drain()
            await self.pace.turn(len(piece))
        return await self.client.say(b".\r\n", code)

    async def message(self, octets, code=250):
        await self.envelope()
        return await self.content(octets, code)

    async def header(self, section, code=250):
        """A message of this header section and a short body."""
        return await self.message(section + b"\r\nA body.\r\n", code)


async def envelopes(sender):
    client, domain = sender.client, sender.domain
    await sender.envelope([f"r{number}@example.net" for number in range(50)])
    await client.say("RCPT TO:<r50@example.net>", "452 4.5.3")
    await sender.content(sender.author + b"\r\nTo fifty.\r\n", 250)
    name = ".".join(["d" * 62, "d" * 61, "d" * 61, "ab"])
    longest = "l" * 64 + "@" + name
    assert len(longest) == 254, len(longest)
    await sender.envelope([longest])
    await client.say("RCPT TO:<" + "l" * 65 + "@example.net>", "501 5.1.3")
    await client.say("RSET", 250)
    await client.say("NOOP " + "n" * (LINE_OCTETS_MAX - 7), 250)
    await client.say("NOOP " + "n" * (LINE_OCTETS_MAX - 6), 500)
    await client.say("NOOP " + "n" * 1_000_000, 500)
    await client.say(f"MAIL FROM:<ann@{domain}> SIZE={MESSAGE_OCTETS_MAX + 1}", "552 5.3.4")


async def headers(sender):
    author = sender.author
    rest = HEADER_OCTETS_MAX - len(author) - 2
    one = b"X: " + b"x" * (rest - 5) + b"\r\n"
    await sender.header(author + one)
    await sender.header(author + b"Y:\r\n" + one, 5)
    await sender.header(author + b"A:\r\n" * (rest // 4))
    await sender.header(author + b"F: folded\r\n" + b" \r\n" * ((rest - 11) // 3))
    depth = (rest - 10) // 2
    await sender.header(b"From: " + b"(" * depth + b")" * depth + author[6:])
    await sender.header(author + b"Subject: " + b"=?utf-8?Q?=C3=A9?= " * ((rest - 20) // 19) + b"\r\n")
    await sender.header(author + b"Subject: " + b"=?x?q?a" * ((rest - 20) // 7) + b"\r\n")
    await sender.header(author + b"Received: by x\r\n" * 100)
    await sender.header(author + b"Received: by x\r\n" * 101, "554 5.4.6")
    await sender.header(b"From: " + b"\"a\" <a@x.example>, " * 10_000 + author[6:], 550)


async def bodies(sender):
    author = sender.author + b"\r\n"
    nested = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(5_000))
    await sender.message(sender.author + b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested)
    # one line as long as a message may be, and one octet more
    line = b"z" * (MESSAGE_OCTETS_MAX - len(author) - 2) + b"\r\n"
    await sender.message(author + line)
    await sender.message(author + b"z" + line, "552 5.3.4")
    await sender.client.say("NOOP", 250)


async def a_thousand(sender):
    """1,000 messages on one connection, pipelined, and no more."""
    client, pace = sender.client, Pace(MESSAGES)
    text = sender.author + b"\r\nOne of a thousand.\r\n"
    one = f"MAIL FROM:<ann@{sender.domain}>\r\nRCPT TO:<bob@example.net>\r\nBDAT {len(text)} LAST\r\n".encode() + text
    for _ in range(50):
        client.send(one * 20)
        await pace.turn(20)
        for _ in range(60):
            reply = await client.reply()
            assert reply.startswith("250"), reply
    await client.say(f"MAIL FROM:<ann@{sender.domain}>", "421 4.7.0")


async def limits_reached(house):
    """Recipients, messages, lines, header sections, fields, folds, addresses and content at every limit."""
    user = house.attackers[0]
    for part in (envelopes, headers, bodies, a_thousand):
        sender = await Sender.open(house, user)
        await part(sender)
        sender.client.drop()
    # content beyond 1 MB goes to a file; the rest is kept for its first attempt (store: recent_octets_max)
    return 2, 64 << 20
