//! The tables of the configuration file, in the order of the example.

/// One table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Section {
    /// Its dotted name; empty for the top.
    pub(in crate::config) name: &'static str,
    /// Whether it may stand several times: `[[name]]`.
    pub(in crate::config) repeated: bool,
    /// What it is about.
    pub(in crate::config) help: &'static str,
}

/// Every table, in the order of the example.
pub(in crate::config) const SECTIONS: &[Section] = &[
    Section { name: "", repeated: false, help: "The relay itself." },
    Section {
        name: "submission",
        repeated: false,
        help: "Where applications log in and hand over their mail. Nothing is taken without TLS.",
    },
    Section {
        name: "submission.certificates",
        repeated: true,
        help: "A further certificate for clients that ask for one of its names (SNI). May be repeated.",
    },
    Section {
        name: "acme",
        repeated: false,
        help: "A certificate that comes and renews by itself, from an authority that speaks ACME: it is then the first one.",
    },
    Section {
        name: "limits",
        repeated: false,
        help: "What every account is held to alike. Each can be moved inside its floor and ceiling alone.",
    },
    Section { name: "delivery", repeated: false, help: "How mail goes out." },
    Section {
        name: "delivery.route",
        repeated: true,
        help: "Where mail for some domains goes instead of to their MX. May be repeated; the first match wins.",
    },
    Section {
        name: "source",
        repeated: true,
        help: "Where mail is sent from (docs/operate/sources.md). May be repeated; without one the system chooses the address, and the \
               relay says its hostname.",
    },
    Section {
        name: "pool",
        repeated: true,
        help: "Sources that share mail. May be repeated; without one all sources do, alike.",
    },
    Section {
        name: "warm_up",
        repeated: false,
        help: "How fast sources with `warm_up` get more mail (docs/operate/sources.md).",
    },
    Section {
        name: "bounces",
        repeated: false,
        help: "What other servers say when they do not deliver: of which class it is, and where they report what comes later.",
    },
    Section {
        name: "tls_reports",
        repeated: false,
        help: "Reports on TLS to the domains that mail goes to (docs/operate/transport.md).",
    },
    Section {
        name: "blocklists",
        repeated: false,
        help: "Lists in DNS that say whom not to take mail from: what they have of this relay is shown with the health of a domain (docs/operate/delivery.md).",
    },
    Section {
        name: "zone",
        repeated: false,
        help: "What the relay has in DNS. With a zone of yours, the domains that are sent from publish aliases (CNAME) to names \
               below it; without one, the records themselves.",
    },
    Section { name: "http", repeated: false, help: "Metrics and health, for the operator's own monitoring." },
    Section { name: "api", repeated: false, help: "The API, for programs." },
    Section { name: "console", repeated: false, help: "The console, for people." },
    Section {
        name: "unsubscribe",
        repeated: false,
        help: "The page on which recipients unsubscribe with one click (RFC 8058), for SMTP users that offer it.",
    },
    Section { name: "webhooks", repeated: false, help: "Where accounts have events sent." },
    Section {
        name: "mail",
        repeated: false,
        help: "What the relay itself writes: invitations, lost passwords, alerts.",
    },
    Section { name: "log", repeated: false, help: "The log, on standard error." },
    Section { name: "store", repeated: false, help: "What is kept on disk." },
];
