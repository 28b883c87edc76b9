"""What is sent, and whether what arrived is that."""

import email
import email.policy

import dkim_check

SENDER = "ann@example.org"

TEXT = "\r\n".join(
    [
        "Bonjour, café ☕ — ça va ?",
        "",
        ".",
        "..two dots",
        ". a dot and a space",
        "From here on the line begins with From",
        "\ta tab in front, and one = sign",
        "a long line: " + "word " * 150 + "end",
        "",
        "",
        "The last line.",
        "",
    ]
)


def attachment():
    """Octets of every value, more than one network packet has room for."""
    return bytes((position * 7 + position // 251) % 256 for position in range(100_000))


def subject(token):
    return f"Café ☕ {token}"


def raw(token, sender=SENDER, recipient="bob@example.net"):
    """A whole message, 8-bit, with a blind copy that nobody may see."""
    header = [
        f"From: Ann Sender <{sender}>",
        f"To: Bob <{recipient}>",
        "Bcc: hidden@example.net,",
        " also-hidden@example.net",
        f"Subject: =?utf-8?Q?Caf=C3=A9?= {token}",
        "Date: Mon, 23 Nov 2026 21:30:41 +0000",
        f"Message-ID: <{token}@example.org>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "X-Folded: one",
        "\t two   three",
        "X-Letter: kept",
    ]
    body = TEXT + "spaces at the end  \r\n\r\n\r\n"
    return ("\r\n".join(header) + "\r\n\r\n" + body).encode()


def difference(found, expected):
    """Where two strings of octets part."""
    place = next((place for place, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]), None)
    place = min(len(found), len(expected)) if place is None else place
    begin = max(0, place - 30)
    return f"octet {place}: {found[begin : place + 60]!r} instead of {expected[begin : place + 60]!r}"


def check_raw(content, sent):
    """The content ends with what was sent, less the blind copy, and begins with fields put in front."""
    blind = b"Bcc: hidden@example.net,\r\n also-hidden@example.net\r\n"
    assert blind in sent
    expected = sent.replace(blind, b"")
    begin = content.find(expected[: expected.index(b"\r\n")])
    if begin < 0 or content[begin:] != expected:
        raise AssertionError("it did not arrive as sent: " + difference(content[begin:], expected))
    front = content[:begin]
    names = [line.split(b":")[0].lower() for line in front.split(b"\r\n") if line[:1] not in (b"", b" ", b"\t")]
    assert front.endswith(b"\r\n") and set(names) <= {b"dkim-signature", b"received"}, f"in front stands {front!r}"


def mangled(text):
    """What a mailer makes of it that keeps lines from looking like the begin of a message in a mailbox file."""
    return text.replace("\r\nFrom ", "\r\n>From ")


def check_composed(content, token, recipients, text):
    """Subject, people, text and attachment are those that the mailer was given."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message["Subject"] == subject(token), message["Subject"]
    assert [address.addr_spec for address in message["From"].addresses] == [SENDER], message["From"]
    shown = {address.addr_spec for field in message.get_all("To") for address in field.addresses}
    assert shown == set(recipients), shown
    assert message["Bcc"] is None and b"hidden@" not in content, "a blind copy can be seen"
    assert message["Date"] and message["Message-ID"], "Date or Message-ID is missing"
    found = message.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip("\n").encode()
    expected = text.replace("\r\n", "\n").rstrip("\n").encode()
    assert found == expected, "the text is another: " + difference(found, expected)
    attachments = [part.get_content() for part in message.iter_attachments()]
    assert attachments == [attachment()], f"{len(attachments)} attachments, and not the one that was sent"


def check_signatures(content, records):
    """RSA and Ed25519, both ours, both valid."""
    found = dkim_check.results(content, records)
    assert len(found) == 2, f"{len(found)} DKIM signatures"
    assert found == [None, None], f"DKIM: {found}"
    for algorithm in (b"a=rsa-sha256", b"a=ed25519-sha256"):
        assert algorithm in content, f"no signature with {algorithm.decode()}"
