"""aiosmtplib."""

import asyncio
import os
import ssl

import aiosmtplib

env = os.environ


async def main():
    with open(env["MAILER_MESSAGE"], "rb") as file:
        message = file.read()
    tls = env["MAILER_TLS"] == "tls"
    errors, reply = await aiosmtplib.send(
        message,
        sender=env["MAILER_FROM"],
        recipients=env["MAILER_TO"].split(),
        hostname=env["MAILER_HOST"],
        port=int(env["MAILER_PORT"]),
        username=env["MAILER_USERNAME"],
        password=env["MAILER_PASSWORD"],
        use_tls=tls,
        start_tls=not tls,
        tls_context=ssl.create_default_context(cafile=env["MAILER_CA"]),
    )
    assert not errors, errors
    print(reply)


asyncio.run(main())
