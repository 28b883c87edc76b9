"""What was acknowledged against what was delivered, what was delivered twice, and what Activity says of it.

A recipient delivered again is explained, by invariant 3 of ARCHITECTURE.md, where the reply to the copy before did not
reach the relay, or was not yet settled when its process ended. What we have to tell that by: the sink's journal says in
which life of the relay each copy came and whether its reply was read; the relay's log has a line for each settlement,
written once that is on disk. So a copy is a fault where an earlier life logged a settlement of the recipient, or where
the reply to the copy before was read in the same life.
"""

import collections
import json

# A reply that was read so many seconds before the end of the process ought to have been settled.
SETTLED_WITHIN = 30


def lines_of(path):
    """The objects of a journal or a log; a last line that was cut off was never said."""
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n") and line.startswith(b"{"):
                yield json.loads(line)


class Copy:
    """One copy of a message at the sink."""

    def __init__(self, line):
        self.at, self.life, self.recipients = line["at"], int(line["life"]), line["recipients"]
        self.mark, self.message, self.whole = line["mark"], line["message"], line["whole"]
        # none: the connection is still open, and the reply not known to be read
        self.ending, self.ended_at = None, None


class Sent:
    """One message as its client saw it."""

    def __init__(self, line):
        self.mark, self.recipients, self.user, self.at = line["mark"], line["recipients"], line["user"], line["at"]
        self.heard, self.message, self.reply, self.heard_at = None, None, None, None


def read_sent(path):
    """Messages by their mark."""
    sent = {}
    for line in lines_of(path):
        if "mark" not in line:
            continue
        if "heard" not in line:
            sent[line["mark"]] = Sent(line)
            continue
        one = sent[line["mark"]]
        one.heard, one.message, one.reply = line["heard"], line.get("message"), line.get("reply")
        one.heard_at = line["at"]
    return sent


def read_refusals(path):
    """What clients were refused with, a message or the login, and when."""
    lines = ((line["at"], line.get("turned_away") or line.get("reply")) for line in lines_of(path))
    return [(at, reply) for at, reply in lines if reply]


def read_copies(path):
    copies = {}
    for line in lines_of(path):
        if "copy" in line:
            copies[line["copy"]] = Copy(line)
        else:
            copies[line["of"]].ending, copies[line["of"]].ended_at = line["ending"], line["at"]
    return list(copies.values())


def read_settled(path):
    """What the log of one life says was settled as delivered: messages with the recipient's number."""
    lines = (line for line in lines_of(path) if line.get("message") == "settled" and line.get("outcome") == "delivered")
    return {(line["message_id"], line["recipient"]) for line in lines}


class Reckoning:
    """Everything that was sent since the queue was last empty, and what became of it."""

    def __init__(self, sent, copies, lives):
        """`lives`: by number, when the life ended (none: it goes on), and what it settled."""
        self.sent, self.lives, self.faults = sent, lives, []
        self.causes = collections.Counter()
        self.oldest_unsettled = 0.0
        self.repeated = set()
        self.copies = collections.defaultdict(list)
        for copy in sorted(copies, key=lambda copy: copy.at):
            one = sent.get(copy.mark)
            if one is None:
                self.faults.append(f"the sink got a message that was not sent: {copy.mark} {copy.message}")
                continue
            if not copy.whole:
                self.faults.append(f"{copy.mark} was delivered damaged")
            for recipient in copy.recipients:
                if recipient not in one.recipients:
                    self.faults.append(f"{copy.mark} was delivered to {recipient}, whom it is not for")
                self.copies[(copy.mark, recipient)].append(copy)

    def kept(self):
        return [one for one in self.sent.values() if one.heard == "kept"]

    def lost(self):
        """Recipients of acknowledged messages that nothing was delivered to."""
        pairs = [(one.mark, recipient) for one in self.kept() for recipient in one.recipients]
        return [pair for pair in pairs if pair not in self.copies]

    def explain(self):
        """Counts what was delivered again by its cause; what has none is a fault."""
        for (mark, recipient), copies in self.copies.items():
            for before, again in zip(copies, copies[1:]):
                self.repeated.add((again.message, recipient))
                cause = self.cause(mark, recipient, before, again)
                if cause is None:
                    self.faults.append(
                        f"{again.message} ({mark}) to {recipient} came in life {before.life} (reply {before.ending}) and "
                        f"again in life {again.life}, without a cause"
                    )
                self.causes[cause] += 1

    def cause(self, mark, recipient, before, again):
        place = self.sent[mark].recipients.index(recipient)
        if any((again.message, place) in settled for life, (_, settled) in self.lives.items() if life < again.life):
            return None
        if before.ending in ("unsent", "unread"):
            return f"the reply was {before.ending}"
        if before.life == again.life:
            return None
        ended_at = self.lives[before.life][0]
        unsettled = ended_at - before.at
        self.oldest_unsettled = max(self.oldest_unsettled, unsettled)
        return "the reply was read, and not settled" if unsettled < SETTLED_WITHIN else None

    def compare_activity(self, rows, details):
        """Each recipient of each kept message is Delivered, once; no other row is there that was not delivered.

        `details`: asks for everything about a row, whose events have one Delivered too; for those that were repeated.
        """
        by_recipient = collections.defaultdict(list)
        for row in rows:
            by_recipient[(row["subject"], row["recipient"])].append(row)
        for one in self.kept():
            for recipient in one.recipients:
                found = by_recipient.get((one.mark, recipient), [])
                if [(row["status"], row["message"]) for row in found] != [("delivered", one.message)]:
                    said = [(row["status"], row["message"], row["reason"]) for row in found]
                    self.faults.append(f"of {one.message} ({one.mark}) to {recipient} Activity says {said}")
        for pair, found in by_recipient.items():
            if pair not in self.copies:
                self.faults.append(f"Activity has {pair} as {found[0]['status']}, and it was not delivered")
            elif [row["status"] for row in found] != ["delivered"]:
                self.faults.append(f"Activity has {pair} {len(found)} times, as {[row['status'] for row in found]}")
            elif (found[0]["message"], found[0]["recipient"]) in self.repeated:
                events = [event["status"] for event in details(found[0]["row"])["events"]]
                if events.count("delivered") != 1 or events[-1] != "delivered":
                    self.faults.append(f"the events of {pair} are {events}")
        for pair in self.copies.keys() - by_recipient.keys():
            self.faults.append(f"{pair} was delivered, and is not in Activity")
