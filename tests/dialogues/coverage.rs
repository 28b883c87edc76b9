//! What the dialogues must cover: each row of the replies, the limits and the connection, and each client that we know.

use crate::harness;
use std::collections::BTreeMap;

/// Fewer dialogues than this, and some were lost.
const DIALOGUES_MIN: usize = 125;

/// The conditions under which the product promises a certain reply or behaviour.
const ROWS: &[&str] = &[
    // replies
    "unknown-user",
    "wrong-password",
    "user-disabled",
    "user-expired",
    "account-suspended",
    "account-without-plan",
    "wrong-network",
    "base64-broken",
    "auth-cancelled",
    "auth-line-too-long",
    "auth-mechanism-unknown",
    "second-auth",
    "auth-in-transaction",
    "store-unavailable",
    "queue-write-fails",
    "mail-without-auth",
    "sender-domain-foreign",
    "sender-domain-not-validated",
    "from-domain-foreign",
    "from-missing",
    "from-several",
    "sender-syntax",
    "recipient-syntax",
    "recipient-without-dot",
    "recipient-literal",
    "non-ascii-without-smtputf8",
    "rate",
    "suppressed",
    "suppressed-refused",
    "disk-low",
    "received-loop",
    "nul",
    "unknown-verb",
    "wrong-order",
    "bad-argument",
    "parameter-not-implemented",
    "dsn",
    "requiretls",
    "priority",
    "errors",
    "idle",
    "shutting-down",
    "vrfy",
    "expn",
    "help",
    "accepted",
    // the connection
    "ehlo",
    "ehlo-in-clear",
    "nothing-in-clear",
    "auth-in-clear",
    "starttls-forgets",
    "pipelining",
    "size",
    "eight-bit",
    "smtputf8",
    "chunking",
    "auth-parameter",
    // limits and abuse
    "recipients-max",
    "recipients-one",
    "size-at-mail",
    "size-at-end",
    "size-twice",
    "messages-max",
    "sessions-user",
    "sessions-account",
    "sessions-address",
    "blocked-in-session",
    "blocked-connection",
    "session-failures",
    "line-too-long",
    "revoked",
    "all-or-nothing",
    "quota-reached",
    // content
    "smuggling",
    "bare-line-ends",
    "bcc-removed",
    "dot-stuffing",
];

/// The clients whose ways are recorded.
const CLIENTS: &[&str] = &[
    "smtplib",
    "Django",
    "aiosmtplib",
    "PHPMailer",
    "Symfony",
    "Laravel",
    "Net::SMTP",
    "JavaMail",
    ".NET",
    "Nodemailer",
    "msmtp",
    "curl",
    "Go",
    "Thunderbird",
    "Exim",
    "Postfix",
    "device",
    "Ruby",
    "lettre",
    "swaks",
];

/// Which of `known` have no dialogue, and which names in the dialogues are not known.
fn gaps<'a>(known: &[&'a str], named: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut count: BTreeMap<&str, usize> = known.iter().map(|name| (*name, 0)).collect();
    let mut strangers = Vec::new();
    for name in named {
        match count.get_mut(name) {
            Some(count) => *count += 1,
            None => strangers.push(name),
        }
    }
    (count.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect(), strangers)
}

#[test]
fn every_row_and_every_client_has_a_dialogue() {
    let scripts = harness::all();
    assert!(scripts.len() >= DIALOGUES_MIN, "{} dialogues", scripts.len());
    let rows = gaps(ROWS, scripts.iter().flat_map(|script| &script.covers).map(String::as_str));
    assert_eq!(rows, (Vec::new(), Vec::new()), "rows without a dialogue, and names of no row");
    let clients = gaps(CLIENTS, scripts.iter().flat_map(|script| &script.clients).map(String::as_str));
    assert_eq!(clients, (Vec::new(), Vec::new()), "clients without a dialogue, and names of no client");
}
