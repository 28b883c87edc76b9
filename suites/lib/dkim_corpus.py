"""Judges the corpus that the `sign_corpus` example wrote: dkim_corpus.py FOLDER."""

import pathlib
import sys

import dkim_check

ALGORITHMS = ["rsa", "ed25519"]


def flip(body):
    """The body with one visible octet changed; one that has none gets some."""
    for position, octet in enumerate(body):
        if octet not in b" \t\r\n":
            return body[:position] + bytes([octet ^ 1 if octet ^ 1 not in b" \t\r\n" else octet ^ 2]) + body[position + 1 :]
    return body + b"x\r\n"


def main():
    folder = pathlib.Path(sys.argv[1])
    records = {}
    for line in (folder / "keys.txt").read_text().splitlines():
        selector, record = line.split(" ", 1)
        records[f"{selector}._domainkey.example.com"] = record
    passed = failed = 0

    def check(what, good, why=""):
        nonlocal passed, failed
        if good:
            passed += 1
        else:
            failed += 1
            print(f"FAILED: {what}: {why}")

    files = sorted(folder.glob("*.eml"))
    check("the corpus is whole", len(files) >= 40, f"{len(files)} messages")
    for file in files:
        message = file.read_bytes()
        found = dkim_check.results(message, records)
        for algorithm, why in zip(ALGORITHMS, found + ["no signature"] * 2):
            check(f"{file.stem}: {algorithm} holds", why is None, why)
        separator = message.find(b"\r\n\r\n")
        header, body = (message, b"") if separator < 0 else (message[:separator], message[separator + 4 :])
        tampered = {
            "one octet of the body": header.rstrip(b"\r\n") + b"\r\n\r\n" + flip(body),
            "a From on top": b"From: eve@example.org\r\n" + message,
        }
        for what, message in tampered.items():
            found = dkim_check.results(message, records)
            for algorithm, why in zip(ALGORITHMS, found):
                check(f"{file.stem}: {algorithm} breaks with {what}", why is not None, "it still holds")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
