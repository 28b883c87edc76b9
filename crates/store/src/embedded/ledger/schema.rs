//! The tables of `ledger.db`, as steps from version to version: never edit one that was released, add another.

/// Each step, in order. Times are milliseconds since 1970, states the words that the CLI shows.
pub(crate) const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- the highest number given, so that none is given twice
CREATE TABLE numbers (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE domains (
    id           INTEGER PRIMARY KEY,
    account      INTEGER NOT NULL REFERENCES accounts,
    name         TEXT NOT NULL,
    state        TEXT NOT NULL,
    bounce_mails INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    deleted_at   INTEGER,
    -- its queue is empty and its keys are destroyed: it decides nothing any more
    forgotten    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX domains_by_name ON domains (account, name) WHERE deleted_at IS NULL;

-- rows stay for ever: a selector is never given twice
CREATE TABLE dkim_keys (
    selector  TEXT PRIMARY KEY,
    domain    INTEGER NOT NULL REFERENCES domains,
    place     INTEGER NOT NULL,
    algorithm TEXT NOT NULL,
    record    TEXT NOT NULL,
    active    INTEGER NOT NULL,
    seen_at   INTEGER,
    -- PKCS#8 under AES-256-GCM, tag, nonce; none once destroyed
    private   BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX dkim_keys_by_domain ON dkim_keys (domain, place);

CREATE TABLE smtp_users (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts,
    domain     INTEGER NOT NULL REFERENCES domains,
    name       TEXT NOT NULL,
    username   TEXT NOT NULL UNIQUE,
    -- keyed hashes of 32 octets, one or two
    passwords  BLOB NOT NULL,
    enabled    INTEGER NOT NULL,
    rules      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE suppressions (
    account INTEGER NOT NULL REFERENCES accounts,
    address TEXT NOT NULL,
    reason  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

-- per user and address the latest
CREATE TABLE logins (
    user    INTEGER NOT NULL REFERENCES smtp_users ON DELETE CASCADE,
    address TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (user, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    address  TEXT PRIMARY KEY,
    cause    TEXT NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    seconds  INTEGER NOT NULL,
    accounts TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    origin  TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    account INTEGER
) STRICT;
CREATE INDEX audit_by_account ON audit (account);
",
    "
-- recipients in a period, none: without limit; the day of the month on which one begins; and the first day of the
-- period that was under way when that was last moved, with that of the next
ALTER TABLE accounts ADD COLUMN quota INTEGER;
ALTER TABLE accounts ADD COLUMN renews_on INTEGER NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN period_begins INTEGER;
ALTER TABLE accounts ADD COLUMN period_renews INTEGER;

-- recipients that count towards the quota, by the UTC day on which they were accepted
CREATE TABLE charges (
    account    INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;

-- how far the log was read for them: written with them; no row: never yet
CREATE TABLE charged (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL) STRICT;
",
    "
CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY,
    -- none: the operator's
    account      INTEGER REFERENCES accounts,
    name         TEXT NOT NULL,
    powers       TEXT NOT NULL,
    read_only    INTEGER NOT NULL,
    -- the keyed hash of the secret, 32 octets
    hash         BLOB NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;
",
    "
-- the last look at the records, as JSON, and since when one is missing that was there before
ALTER TABLE domains ADD COLUMN looked TEXT;
ALTER TABLE domains ADD COLUMN lost_at INTEGER;
",
    "
CREATE TABLE members (
    id         INTEGER PRIMARY KEY,
    -- none: the operator's
    account    INTEGER REFERENCES accounts,
    email      TEXT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    language   TEXT NOT NULL,
    -- argon2id in the PHC format; none until chosen
    password   TEXT,
    -- the seed under AES-256-GCM, tag, nonce; none: no one-time codes
    totp       BLOB,
    -- keyed hashes of 32 octets
    recovery   BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sign_ins (
    -- the keyed hash of the token, 32 octets
    token      BLOB PRIMARY KEY,
    member     INTEGER NOT NULL REFERENCES members ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    origin     TEXT NOT NULL,
    agent      TEXT NOT NULL,
    confirmed  INTEGER NOT NULL,
    acting_for INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_by_member ON sign_ins (member);

-- the places that a member has signed in from lately
CREATE TABLE member_sites (
    member INTEGER NOT NULL REFERENCES members ON DELETE CASCADE,
    site   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (member, site)
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
    -- the keyed hash of the token, 32 octets
    token      BLOB PRIMARY KEY,
    member     INTEGER NOT NULL REFERENCES members ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE accounts ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE accounts ADD COLUMN language TEXT NOT NULL DEFAULT 'en';

-- the last alert about each account's quota: the first day of its period, and the step in per cent
CREATE TABLE quotas_told (
    account INTEGER PRIMARY KEY REFERENCES accounts,
    period  INTEGER NOT NULL,
    step    INTEGER NOT NULL
) STRICT;

-- the system account, to which the relay's own domains belong; it is in no list
INSERT INTO accounts (id, name, state, created_at) VALUES (0, 'system', 'active', 0);
",
    "
-- the last alarm about the certificate in each file
CREATE TABLE certificates_told (
    file  TEXT PRIMARY KEY,
    ends  INTEGER NOT NULL,
    alarm TEXT NOT NULL
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE plans (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    -- empty: the same as in English
    name_fr    TEXT NOT NULL,
    -- in a period; none: without limit
    recipients INTEGER,
    price      TEXT NOT NULL,
    price_fr   TEXT NOT NULL,
    offered    INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    is_default INTEGER NOT NULL,
    retired    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- the plan that is there from the beginning, and that all accounts of before are on: a quota that they have is one of
-- their own
INSERT INTO plans VALUES (1, 'Unlimited', 'Illimité', NULL, '', '', 0, 0, 1, 0, 0);
INSERT INTO numbers (kind, last) VALUES ('plan', 1);

-- which plan, what follows, and the last request; and whom to write to: as JSON
ALTER TABLE accounts ADD COLUMN subscription TEXT NOT NULL
    DEFAULT '{\"standing\":{\"plan\":1},\"next\":null,\"request\":null}';
ALTER TABLE accounts ADD COLUMN contacts TEXT NOT NULL DEFAULT '{\"primary\":null,\"billing\":null}';
",
    "
-- requests with an idempotency key, each for a day
CREATE TABLE requests (
    -- -1: the operator's
    account     INTEGER NOT NULL,
    -- hashes of 32 octets: of the key, and of what was asked for
    key         BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    at          INTEGER NOT NULL,
    -- the id of the message that it makes, 16 octets
    message     BLOB,
    -- JSON; empty: it was done, and its answer is not kept; none: it was begun
    answer      TEXT,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_age ON requests (at);

-- how many each has: what bounds them must not count them
CREATE TABLE request_counts (account INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
CREATE TRIGGER requests_more AFTER INSERT ON requests BEGIN
    INSERT INTO request_counts (account, count) VALUES (new.account, 1)
        ON CONFLICT (account) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER requests_fewer AFTER DELETE ON requests BEGIN
    UPDATE request_counts SET count = count - 1 WHERE account = old.account;
END;
",
    "
CREATE TABLE webhooks (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts,
    name       TEXT NOT NULL,
    url        TEXT NOT NULL,
    -- JSON: a list of words
    events     TEXT NOT NULL,
    domain     INTEGER,
    user       INTEGER,
    state      TEXT NOT NULL,
    -- under AES-256-GCM, tag, nonce: the one in force, and the one before the last rotation
    secret     BLOB,
    previous   BLOB,
    rotated_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
",
    "
-- for how many days rows of activity are kept; none: as long as the relay keeps any
ALTER TABLE accounts ADD COLUMN activity_days INTEGER;
-- when it was deleted, and whether all its mail is given up; when nothing was left of it but this row, which stays: domains
-- name it, and its number is not given again
ALTER TABLE accounts ADD COLUMN left_at INTEGER;
ALTER TABLE accounts ADD COLUMN cancels_mail INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
",
    "
-- why, as a word; until when, none: until it is lifted
ALTER TABLE suppressions ADD COLUMN cause TEXT NOT NULL DEFAULT 'manual';
ALTER TABLE suppressions ADD COLUMN until INTEGER;
",
    "
-- addresses that one SMTP user of an account sends nothing to, which may be deleted: the wish of their owners stays
CREATE TABLE stream_suppressions (
    account INTEGER NOT NULL REFERENCES accounts,
    address TEXT NOT NULL,
    user    INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    cause   TEXT NOT NULL,
    until   INTEGER,
    PRIMARY KEY (account, address, user)
) STRICT, WITHOUT ROWID;
",
    "
-- sign-ins to the console that failed: by what, from where (empty: from places that are kept apart no more), how often
CREATE TABLE failed_sign_ins (
    member   INTEGER NOT NULL REFERENCES members ON DELETE CASCADE,
    failure  TEXT NOT NULL,
    place    TEXT NOT NULL,
    count    INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (member, failure, place)
) STRICT, WITHOUT ROWID;
",
    "
-- how long the answers of each are together
ALTER TABLE request_counts ADD COLUMN octets INTEGER NOT NULL DEFAULT 0;
UPDATE request_counts SET octets = (
    SELECT coalesce(sum(length(CAST(answer AS BLOB))), 0) FROM requests WHERE requests.account = request_counts.account
);
DROP TRIGGER requests_more;
DROP TRIGGER requests_fewer;
CREATE TRIGGER requests_more AFTER INSERT ON requests BEGIN
    INSERT INTO request_counts (account, count, octets)
        VALUES (new.account, 1, coalesce(length(CAST(new.answer AS BLOB)), 0))
        ON CONFLICT (account) DO UPDATE SET count = count + 1, octets = octets + excluded.octets;
END;
CREATE TRIGGER requests_other AFTER UPDATE OF answer ON requests BEGIN
    UPDATE request_counts SET octets = octets + coalesce(length(CAST(new.answer AS BLOB)), 0)
        - coalesce(length(CAST(old.answer AS BLOB)), 0) WHERE account = new.account;
END;
CREATE TRIGGER requests_fewer AFTER DELETE ON requests BEGIN
    UPDATE request_counts SET count = count - 1, octets = octets - coalesce(length(CAST(old.answer AS BLOB)), 0)
        WHERE account = old.account;
END;
",
    "
-- automatic brakes that are on, and those that were released lately: whose, as a text, and the rest as JSON
CREATE TABLE brakes (subject TEXT PRIMARY KEY, brake TEXT NOT NULL) STRICT;
",
    "
-- orders to send waiting mail another way, the newest last: JSON
CREATE TABLE reroutes (place INTEGER PRIMARY KEY, reroute TEXT NOT NULL) STRICT;
",
    "
-- per user and keyed hash of a password, when it was last used
CREATE TABLE password_uses (
    user INTEGER NOT NULL REFERENCES smtp_users ON DELETE CASCADE,
    hash BLOB NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (user, hash)
) STRICT, WITHOUT ROWID;
",
    "
-- what a line is about and what changed, in parts: JSON; none in lines of before, which say it in English alone
ALTER TABLE audit ADD COLUMN details TEXT;
",
    "
-- whether all mail of a deleted domain is given up
ALTER TABLE domains ADD COLUMN cancels_mail INTEGER NOT NULL DEFAULT 0;
",
    "
-- when a key took the place of an earlier one of its selector, and when it last began or ended to sign
ALTER TABLE dkim_keys ADD COLUMN made_at INTEGER;
ALTER TABLE dkim_keys ADD COLUMN moved_at INTEGER;
",
    "
-- how far new sources have come with each provider: the rung, and the counts of a day (since 1970)
CREATE TABLE warm_ups (
    source     TEXT NOT NULL,
    provider   TEXT NOT NULL,
    rung       INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    sent       INTEGER NOT NULL,
    objections INTEGER NOT NULL,
    blocked    INTEGER NOT NULL,
    PRIMARY KEY (source, provider)
) STRICT, WITHOUT ROWID;
CREATE TABLE warm_ups_stopped (source TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
",
];
