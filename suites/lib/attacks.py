"""The attacks: each returns how many connections it had at once, and how much content it made the relay hold, octets."""

import asyncio
import contextlib
import ssl

from limits_reached import limits_reached
from swarm import ADDRESS_SESSIONS, Client, Pace, address, drip, from_address, swarm

MB = 1 << 20
# what the relay is told to give a client for its handshake
HANDSHAKE_SECONDS = 8
# connections from one address, and how many of them a second
CONNECTS, CONNECTS_A_SECOND = 100_000, 1_500
# connections of a further round, where the first was disturbed
CONNECTS_AGAIN = 15_000


async def slow_ehlo(house):
    """1,500 clients in the clear, one octet of EHLO every three seconds."""
    clients = await swarm(1_500, 400, lambda number: Client.open(house.clear, address(1, number)))
    await drip(clients, b"EHLO a-name-that-never-ends." + b"x" * 100, 5, 3)
    [client.drop() for client in clients]
    return 1_500, 0


async def slow_auth(house):
    """400 clients under TLS, one octet of AUTH every two seconds."""

    async def open_one(number):
        client = await Client.open(house.tls, address(2, number), house.context)
        client.send(b"EHLO slow.example\r\n")
        return client

    clients = await swarm(400, 80, open_one)
    await drip(clients, b"AUTH PLAIN " + b"A" * 100, 5, 2)
    [client.drop() for client in clients]
    return 400, 0


async def slow_data(house):
    """160 sessions that are logged in, each in the middle of a message of 600 KB, one octet every two seconds."""
    held = 600_000

    async def open_one(number):
        user = house.attackers[number // 10]
        client = await Client.open(house.tls, address(3, number), house.context)
        await client.log_in(user)
        await client.say(f"MAIL FROM:<ann@{user['domain']}>", 250)
        await client.say("RCPT TO:<bob@example.net>", 250)
        await client.say("DATA", 354)
        client.send(f"From: ann@{user['domain']}\r\n\r\n".encode())
        client.send((b"y" * 998 + b"\r\n") * (held // 1_000))
        await client.writer.drain()
        return client

    clients = await swarm(160, 40, open_one)
    await drip(clients, b"a line of content\r\n", 5, 2)
    [client.drop() for client in clients]
    return 160, 160 * held


async def deaf(house):
    """100 clients that ask and ask and never read a reply."""
    clients = await swarm(100, 100, lambda number: Client.open(house.clear, address(4, number), receive_octets=4_096))
    for client in clients:
        client.reader._transport.pause_reading()
    pace = Pace(400)
    for _ in range(32):
        for client in clients:
            # nothing more for those whose octets nobody takes
            if client.writer.transport.get_write_buffer_size() == 0:
                client.send(b"EHLO deaf.example\r\n" * 100)
            await pace.turn()
    [client.drop() for client in clients]
    return 100, 0


def client_hello():
    """The first flight of a TLS client."""
    context, incoming, outgoing = ssl.create_default_context(), ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


async def half_open_tls(house):
    """1,200 clients that begin a handshake, or half of its first message, and fall silent; the relay ends them."""
    hello = client_hello()

    async def open_one(number):
        client = await Client.open(house.tls, address(5, number))
        client.send(hello if number % 2 else hello[: len(hello) // 2])
        return client

    clients = await swarm(1_200, 200, open_one)
    gone = await asyncio.gather(*(client.gone(HANDSHAKE_SECONDS + 10) for client in clients))
    assert all(gone), f"{gone.count(False)} half-open connections were not ended"
    [client.drop() for client in clients]
    return 1_200, 0


async def many_connects(house):
    """100,000 connections from one address, which may have 100."""
    source, loop = "127.0.0.9", asyncio.get_running_loop()
    places = await swarm(ADDRESS_SESSIONS, 200, lambda _: Client.open(house.clear, source))
    for place in places:
        assert (await place.reply()).startswith("220"), "a hundred sessions are allowed"
    count = CONNECTS if house.round == 1 else CONNECTS_AGAIN
    pace, counted, left = Pace(CONNECTS_A_SECOND), {"421": 0, "closed": 0}, [count]

    async def connect():
        one = from_address(source)
        try:
            await loop.sock_connect(one, ("127.0.0.1", house.clear))
            said = await asyncio.wait_for(loop.sock_recv(one, 512), 30)
        except ConnectionError:
            said = b""
        finally:
            one.close()
        assert not said or said.startswith(b"421 4.7.0 "), f"the address is full, and yet: {said!r}"
        counted["421" if said else "closed"] += 1

    async def worker():
        while left[0] > 0:
            left[0] -= 1
            await pace.turn()
            await connect()

    await asyncio.gather(*(worker() for _ in range(60)))
    assert sum(counted.values()) == count and counted["421"] > 0
    print(f"    {counted['421']:,} were told 421 4.7.0, {counted['closed']:,} were dropped without a word")
    for place in places:
        await place.say("NOOP", 250)
        place.drop()
    return ADDRESS_SESSIONS + 60, 0


async def flood(sessions, prepare, octets, pace_octets, seconds):
    """Each session pipelines these octets over and over, at so many a second in all; replies are read."""
    clients = await swarm(sessions, 50, prepare)
    pace, end = Pace(pace_octets), asyncio.get_running_loop().time() + seconds

    async def read(client):
        while await client.reader.read(1 << 16):
            pass

    async def write(client):
        while asyncio.get_running_loop().time() < end:
            await pace.turn(len(octets))
            client.send(octets)
            await client.writer.drain()

    readers = [asyncio.create_task(read(client)) for client in clients]
    await asyncio.gather(*(write(client) for client in clients))
    assert not any(reader.done() for reader in readers), "a flooding session was ended"
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    [client.drop() for client in clients]
    return sessions, 0


async def noop_flood(house):
    """20 sessions pipeline megabytes of NOOP and RSET: 2 MB a second, 350,000 commands."""

    async def prepare(number):
        client = await Client.open(house.clear, address(6, number))
        await client.reply()
        return client

    return await flood(20, prepare, b"NOOP\r\nRSET\r\n" * 1_000, 2_000_000, 8)


async def refused_flood(house):
    """10 sessions pipeline recipients past the limit, each of them refused: 300 KB a second, 10,000 refusals."""

    async def prepare(number):
        user = house.attackers[number]
        client = await Client.open(house.tls, address(7, number), house.context)
        await client.log_in(user)
        await client.say(f"MAIL FROM:<ann@{user['domain']}>", 250)
        for place in range(50):
            await client.say(f"RCPT TO:<r{place}@example.net>", 250)
        return client

    return await flood(10, prepare, b"RCPT TO:<bob@example.net>\r\n" * 300, 300_000, 8)


async def bdat_flood(house):
    """10 sessions send content in chunks of one octet, and empty ones: 500 KB a second."""

    async def prepare(number):
        user = house.attackers[number]
        client = await Client.open(house.tls, address(8, number), house.context)
        await client.log_in(user)
        await client.say(f"MAIL FROM:<ann@{user['domain']}>", 250)
        await client.say("RCPT TO:<bob@example.net>", 250)
        return client

    connections, _ = await flood(10, prepare, b"BDAT 1\r\nxBDAT 0\r\n" * 500, 500_000, 8)
    return connections, 5 * MB


ATTACKS = [
    slow_ehlo, slow_auth, slow_data, deaf, half_open_tls, noop_flood, refused_flood, bdat_flood,
    limits_reached, many_connects,
]
