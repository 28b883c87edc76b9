//! The tables of `activity.db`, as steps from version to version: never edit one that was released, add another.

/// Each step, in order. Times are milliseconds since 1970; ids of messages and sessions are 16 octets, so that
/// they sort by age; statuses are the numbers of [`super::columns::status_number`].
pub(super) const MIGRATIONS: &[&str] = &[
    "
-- how far the log was read, and the highest numbers given: written with the rows they belong to
CREATE TABLE progress (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    position   INTEGER NOT NULL,
    change     INTEGER NOT NULL,
    row        INTEGER NOT NULL,
    connection INTEGER NOT NULL
) STRICT;
INSERT INTO progress VALUES (1, 0, 0, 0, 0);

-- what all recipients of a message share and only its details show
CREATE TABLE messages (
    message       BLOB PRIMARY KEY,
    octets        INTEGER NOT NULL,
    header_octets INTEGER NOT NULL,
    sha256        BLOB NOT NULL,
    from_header   TEXT NOT NULL,
    message_id    TEXT NOT NULL,
    remote        TEXT,
    client_name   TEXT,
    tls           TEXT
) STRICT, WITHOUT ROWID;

-- one row for each recipient, accepted or refused
CREATE TABLE activity (
    row              INTEGER PRIMARY KEY,
    -- the log position of the last event that was applied: told again, it changes nothing
    applied          INTEGER NOT NULL,
    change           INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    status           INTEGER NOT NULL,
    recipient        TEXT NOT NULL,
    recipient_domain TEXT NOT NULL,
    sender           TEXT NOT NULL,
    subject          TEXT NOT NULL,
    -- none on a refusal; the recipient's place in it, suppressed ones last
    message          BLOB,
    number           INTEGER,
    account          INTEGER NOT NULL,
    user             INTEGER,
    domain           INTEGER,
    session          BLOB,
    -- of a refusal: the session's client; that of a message is with the message
    remote           TEXT,
    tls              TEXT,
    -- of the row's beginning; later ones are with the events
    reason           TEXT NOT NULL,
    reply            TEXT NOT NULL,
    reference        TEXT NOT NULL,
    attempts         INTEGER NOT NULL,
    count            INTEGER NOT NULL,
    sandbox          INTEGER NOT NULL,
    held             TEXT,
    -- the numbers of its last event and of the last that was an attempt; 0: none yet
    events           INTEGER NOT NULL,
    tried            INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX activity_by_message ON activity (message, number) WHERE message IS NOT NULL;
CREATE INDEX activity_by_change ON activity (change);
CREATE INDEX activity_by_account ON activity (account);
CREATE INDEX activity_by_recipient ON activity (lower(recipient));
CREATE INDEX activity_by_recipient_domain ON activity (recipient_domain);
CREATE INDEX activity_by_sender ON activity (lower(sender));
-- nearly all rows end as delivered, and those are found soon without an index
CREATE INDEX activity_by_status ON activity (status) WHERE status <> 3;
CREATE INDEX activity_by_refusal ON activity (account, reference, lower(recipient), at) WHERE message IS NULL;

-- which rows began in which hour, so that a period is a range of rows
CREATE TABLE hours (hour INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;

-- every change of a row after its beginning
CREATE TABLE events (
    row          INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    reply        TEXT NOT NULL,
    until        INTEGER,
    attempted_at INTEGER,
    milliseconds INTEGER,
    host         TEXT,
    remote       TEXT,
    tls          TEXT,
    PRIMARY KEY (row, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE connections (
    row        INTEGER PRIMARY KEY,
    applied    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    account    INTEGER,
    user       INTEGER,
    domain     INTEGER,
    username   TEXT NOT NULL,
    session    BLOB NOT NULL,
    remote     TEXT NOT NULL,
    tls        TEXT NOT NULL,
    sender     TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    subject    TEXT NOT NULL,
    reference  TEXT NOT NULL,
    reply      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    count      INTEGER NOT NULL
) STRICT;
CREATE INDEX connections_alike ON connections (remote, reference, username, at);
CREATE INDEX connections_by_account ON connections (account) WHERE account IS NOT NULL;
",
    "
-- recipients of each account, domain and SMTP user (0: none), by the UTC day on which they were accepted; they
-- outlive their rows
CREATE TABLE counters (
    account      INTEGER NOT NULL,
    day          INTEGER NOT NULL,
    domain       INTEGER NOT NULL,
    user         INTEGER NOT NULL,
    accepted     INTEGER NOT NULL,
    delivered    INTEGER NOT NULL,
    soft_bounced INTEGER NOT NULL,
    hard_bounced INTEGER NOT NULL,
    PRIMARY KEY (account, day, domain, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_by_day ON counters (day);
INSERT INTO counters
SELECT account, at / 86400000, coalesce(domain, 0), coalesce(user, 0),
    count(*), sum(status = 3), sum(status = 5), sum(status = 6)
FROM activity WHERE status <> 0 GROUP BY 1, 2, 3, 4;
",
    "
-- the rows of one message, or of one refusal, packed together (see `group.rs`); their numbers follow each other from
-- this one
CREATE TABLE row_groups (
    row      INTEGER PRIMARY KEY,
    count    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    account  INTEGER NOT NULL,
    -- a bit for each status that one of its rows has
    statuses INTEGER NOT NULL,
    message  BLOB,
    body     BLOB NOT NULL,
    -- what only details show; it never changes
    facts    BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX row_groups_by_message ON row_groups (message) WHERE message IS NOT NULL;
-- events of a group's rows that later ones took the place of, by the change that did it
CREATE TABLE timeline (
    row    INTEGER NOT NULL,
    change INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (row, change)
) STRICT, WITHOUT ROWID;
-- groups with rows in a status other than Delivered
CREATE TABLE statuses (
    status INTEGER NOT NULL,
    row    INTEGER NOT NULL,
    PRIMARY KEY (status, row)
) STRICT, WITHOUT ROWID;
-- the changes up to this one and behind the one before are of rows of the groups from first to last
CREATE TABLE changes (change INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
-- refusals, to find those alike
CREATE TABLE refusals (
    account   INTEGER NOT NULL,
    reference TEXT NOT NULL,
    recipient TEXT NOT NULL,
    user      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    row       INTEGER NOT NULL,
    PRIMARY KEY (account, reference, recipient, user, at, row)
) STRICT, WITHOUT ROWID;
-- stretches of rows whose addresses and accounts are indexed (see `parts.rs`), by their last row
CREATE TABLE parts (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, groups INTEGER NOT NULL) STRICT;
-- in which groups of a part a key is: pages of keys in order, by the first of each
CREATE TABLE postings (
    part INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key  BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (part, kind, key)
) STRICT, WITHOUT ROWID;
ALTER TABLE progress ADD COLUMN restarted INTEGER NOT NULL DEFAULT 0;
-- the changes up to this one are of rows begun by then
ALTER TABLE hours ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
",
    "
-- calls to webhooks (see `calls.rs`): state 0 waits, 1 was delivered, 2 was given up
CREATE TABLE webhook_calls (
    number       INTEGER PRIMARY KEY,
    webhook      INTEGER NOT NULL,
    account      INTEGER NOT NULL,
    call         BLOB NOT NULL,
    event        TEXT NOT NULL,
    at           INTEGER NOT NULL,
    body         TEXT NOT NULL,
    state        INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    -- the last attempt; none yet
    tried_at     INTEGER,
    milliseconds INTEGER,
    status       INTEGER,
    fault        TEXT NOT NULL,
    answer       TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX webhook_calls_by_id ON webhook_calls (webhook, call);
CREATE INDEX webhook_calls_by_number ON webhook_calls (webhook, number);
CREATE INDEX webhook_calls_due ON webhook_calls (webhook, due, until) WHERE state = 0;
CREATE INDEX webhook_calls_ended ON webhook_calls (at) WHERE state <> 0;
-- how many calls of a webhook wait and how many are in its log, and events that had no room
CREATE TABLE webhook_standings (
    webhook    INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    waiting    INTEGER NOT NULL,
    ended      INTEGER NOT NULL,
    dropped    INTEGER NOT NULL,
    dropped_at INTEGER
) STRICT;
",
    "
-- rows of it went, or recipients were erased, since its addresses were indexed: they are to be indexed anew
ALTER TABLE parts ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
CREATE INDEX parts_stale ON parts (last) WHERE stale <> 0;
-- recipients that are being erased, for a start that finds it not done: rows up to the last are looked through from row on;
-- then (stage 1) Connections, then (stage 2) calls to webhooks
CREATE TABLE erasures (
    account     INTEGER NOT NULL,
    recipient   TEXT NOT NULL,
    last        INTEGER NOT NULL,
    stage       INTEGER NOT NULL,
    row         INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    connections INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    waiting     INTEGER NOT NULL,
    PRIMARY KEY (account, recipient)
) STRICT, WITHOUT ROWID;
",
    "
-- the words of subjects are indexed; where they are not yet, all subjects are looked through
ALTER TABLE parts ADD COLUMN words INTEGER NOT NULL DEFAULT 0;
UPDATE parts SET stale = 1;
-- the counters of all accounts together: what the operator looks at must not add up those of each
CREATE TABLE day_counters (
    day          INTEGER PRIMARY KEY,
    accepted     INTEGER NOT NULL,
    delivered    INTEGER NOT NULL,
    soft_bounced INTEGER NOT NULL,
    hard_bounced INTEGER NOT NULL
) STRICT;
INSERT INTO day_counters
SELECT day, sum(accepted), sum(delivered), sum(soft_bounced), sum(hard_bounced) FROM counters GROUP BY day;
",
    "
-- of several parts one is made (see `merge.rs`): its postings have a number of their own, and it is of the level above; a
-- part that is stale is marked 2 while it is made anew
ALTER TABLE parts ADD COLUMN postings INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parts ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
UPDATE parts SET postings = last;
-- pages of keys are found by an index of their own: a table without one is searched by comparing whole rows, and each of so
-- large a row takes a read of its own
CREATE TABLE pages (
    page INTEGER PRIMARY KEY,
    part INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key  BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
INSERT INTO pages (part, kind, key, body) SELECT part, kind, key, body FROM postings ORDER BY part, kind, key;
DROP TABLE postings;
ALTER TABLE pages RENAME TO postings;
CREATE UNIQUE INDEX postings_by_key ON postings (part, kind, key);
-- the highest number given to postings
ALTER TABLE progress ADD COLUMN postings INTEGER NOT NULL DEFAULT 0;
UPDATE progress SET postings = (SELECT coalesce(max(last), 0) FROM parts);
-- numbers of postings that belong to no part: not yet, or no more; those that are doomed will belong to none
CREATE TABLE loose_postings (part INTEGER PRIMARY KEY, doomed INTEGER NOT NULL DEFAULT 0) STRICT;
",
];
