//! The keys of `[[source]]`, `[[pool]]` and `[warm_up]`: where mail is sent from, and how much of it from what is new.

use super::{Absent, Key, Kind, key, means};

/// In the order of the example.
pub(super) const KEYS: &[Key] = &[
    key(
        "source",
        "name",
        Kind::Word,
        Absent::Refused,
        r#""out1""#,
        "What it is called: small letters, digits, `_`, `-`.",
    ),
    key(
        "source",
        "addresses",
        Kind::Addresses,
        Absent::Refused,
        r#"["192.0.2.25", "2001:db8::25"]"#,
        "The addresses of this machine to send from, at most one of each family. Servers at addresses of a family without one are \
         not reached from it.",
    ),
    key(
        "source",
        "hello",
        Kind::Hostname,
        Absent::Nothing("the relay's hostname"),
        r#""out1.relay.example.com""#,
        "The name that it says in EHLO: the one that its addresses have in DNS, both ways.",
    ),
    key(
        "source",
        "warm_up",
        Kind::Flag,
        means("false"),
        "false",
        "Whether its addresses are new: each provider then gets more from it day by day, as `[warm_up]` says.",
    ),
    key(
        "pool",
        "name",
        Kind::Word,
        Absent::Refused,
        r#""default""#,
        "What it is called: small letters, digits, `_`, `-`. The first pool is that of all mail for which none is chosen.",
    ),
    key(
        "pool",
        "sources",
        Kind::Weights,
        Absent::Refused,
        r#"["out1=3"]"#,
        "Its sources, each with the part of the mail that it carries, beside the others: 1 where nothing is said, up to 1000.",
    ),
    key(
        "pool",
        "domains",
        Kind::Domains,
        Absent::Nothing("no domain has it for itself"),
        r#"["news.example.com"]"#,
        "Sending domains whose mail goes from it, whatever their account and plan.",
    ),
    key(
        "pool",
        "accounts",
        Kind::Numbers,
        Absent::Nothing("no account has it for itself"),
        "[7]",
        "Accounts, by number, whose mail goes from it, whatever their plan.",
    ),
    key(
        "pool",
        "plans",
        Kind::Numbers,
        Absent::Nothing("no plan has it"),
        "[2]",
        "Plans, by number: mail of the accounts that are on them goes from it.",
    ),
    key(
        "warm_up",
        "messages",
        Kind::Numbers,
        means("[50, 100, 200, 400, 800, 1500, 3000, 6000, 12000, 25000, 50000, 100000]"),
        "[50, 100, 200, 400, 800, 1500, 3000, 6000, 12000, 25000, 50000, 100000]",
        "Messages a day (UTC) that one provider gets from a source that warms up, rung by rung; behind the last rung as many as \
         come. A tenth of each is kept for urgent mail.",
    ),
];
