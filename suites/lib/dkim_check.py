"""Verifies DKIM signatures with dkimpy, DNS replaced by a table of records."""

import dkim


def results(message, records):
    """For each DKIM-Signature of `message` (octets), top first: None where it holds, else why not.

    `records` maps `selector._domainkey.domain` to a TXT record.
    """

    def lookup(name, timeout=5):
        name = name.decode() if isinstance(name, bytes) else name
        record = records.get(name.rstrip("."))
        return record.encode() if record else None

    count = sum(1 for name, _ in dkim.rfc822_parse(message)[0] if name.lower() == b"dkim-signature")
    found = []
    for index in range(count):
        try:
            holds = dkim.DKIM(message).verify(idx=index, dnsfunc=lookup)
            found.append(None if holds else "the signature does not hold")
        except dkim.DKIMException as error:
            found.append(f"{type(error).__name__}: {error}")
    return found
