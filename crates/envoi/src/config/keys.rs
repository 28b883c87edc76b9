//! The one table of configuration keys: what each is called, takes, defaults to and means.
//!
//! The reader, `config example` and the reference page are all made from it, so that none can lag behind.

mod blocklists;
mod bounces;
mod sections;
mod sources;
mod tls_reports;
mod unsubscribe;

use std::borrow::Cow;

pub(super) use sections::{SECTIONS, Section};

/// What a key takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// The relay's own name: a domain name, or `localhost` for trying things out.
    Hostname,
    /// A file or folder; relative to the folder of the configuration file.
    Path,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of addresses with ports, `"0.0.0.0:587"`.
    Sockets,
    /// A list of networks, `"192.0.2.0/24"`.
    Networks,
    /// A list of IP addresses.
    Addresses,
    /// A list of domain names of this machine.
    Names,
    /// A list of sending domains.
    Domains,
    /// The name of a zone in DNS, short enough for the names below it.
    Zone,
    /// An address that mail can go to.
    Mailbox,
    /// A list of addresses of name servers, the port 53 where none is given.
    NameServers,
    /// A whole number.
    Count {
        /// The least that is taken.
        floor: u64,
        /// The most that is taken.
        ceiling: u64,
    },
    /// A period of time, `"15m"`.
    Span {
        /// The least that is taken, seconds.
        floor: u64,
        /// The most that is taken, seconds.
        ceiling: u64,
    },
    /// A size, `"20MB"`, of 1,024 times 1,024 octets each.
    Octets {
        /// The least that is taken, octets.
        floor: u64,
        /// The most that is taken, octets.
        ceiling: u64,
    },
    /// A pattern of recipient domains, `*`, `example.com` or `*.example.com`.
    Pattern,
    /// A host name or an IP address.
    Host,
    /// Where something is found, `https://console.example.com`.
    Url,
    /// Where a certificate authority is found, by its whole address.
    Directory,
    /// Who mail is from, `"Envoi <envoi@example.com>"`.
    Sender,
    /// A port number.
    Port,
    /// A name on one line.
    Name,
    /// A list of whole numbers.
    Numbers,
    /// A name of small letters, digits, `_` and `-`.
    Word,
    /// A list of such names, each with a weight behind `=` or the weight 1.
    Weights,
}

/// What happens where a key is absent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Absent {
    /// The file is refused.
    Refused,
    /// The file is refused, unless certificates come by themselves (`[acme]`).
    RefusedWithoutAcme,
    /// This value, as it would be written.
    Means(Cow<'static, str>),
    /// Nothing is set; the words say what that leads to.
    Nothing(&'static str),
}

/// One key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    /// The table it stands in; empty for the top.
    pub(super) section: &'static str,
    /// Its name there.
    pub(super) name: Cow<'static, str>,
    /// What it takes.
    pub(super) kind: Kind,
    /// What its absence means.
    pub(super) absent: Absent,
    /// A value for the example, as it would be written.
    pub(super) example: Cow<'static, str>,
    /// What it does, one sentence or two.
    pub(super) help: Cow<'static, str>,
}

const DAY: u64 = 24 * 3600;
const MB: u64 = 1024 * 1024;
const GB: u64 = 1024 * MB;

const fn key(
    section: &'static str,
    name: &'static str,
    kind: Kind,
    absent: Absent,
    example: &'static str,
    help: &'static str,
) -> Key {
    let (name, example, help) = (Cow::Borrowed(name), Cow::Borrowed(example), Cow::Borrowed(help));
    Key { section, name, kind, absent, example, help }
}

const fn means(value: &'static str) -> Absent {
    Absent::Means(Cow::Borrowed(value))
}

/// Every key but the limits, in the order of the example.
const KEYS: &[Key] = &[
    key(
        "",
        "hostname",
        Kind::Hostname,
        Absent::Refused,
        r#""relay.example.com""#,
        "The relay's name: in its greeting, in Received, in EHLO to other servers. Its address should name it in reverse DNS.",
    ),
    key(
        "",
        "data_dir",
        Kind::Path,
        Absent::Refused,
        r#""/var/lib/envoi""#,
        "The folder that holds everything: mail, accounts, keys, the control socket. One process at a time owns it.",
    ),
    key(
        "submission",
        "starttls",
        Kind::Sockets,
        means(r#"["0.0.0.0:587", "[::]:587"]"#),
        r#"["0.0.0.0:587", "[::]:587"]"#,
        "Where to listen for clients that begin in clear and must say STARTTLS before anything else.",
    ),
    key(
        "submission",
        "tls",
        Kind::Sockets,
        means(r#"["0.0.0.0:465", "[::]:465"]"#),
        r#"["0.0.0.0:465", "[::]:465"]"#,
        "Where to listen for clients that speak TLS from the first octet.",
    ),
    key(
        "submission",
        "certificate",
        Kind::Path,
        Absent::RefusedWithoutAcme,
        r#""/etc/envoi/cert.pem""#,
        "The certificate with its chain, PEM. Taken up again when the file changes, without dropping a session.",
    ),
    key(
        "submission",
        "key",
        Kind::Path,
        Absent::RefusedWithoutAcme,
        r#""/etc/envoi/key.pem""#,
        "The private key of the certificate, PEM (P-256 or RSA). P-256 costs a fifth of the processor time.",
    ),
    key(
        "submission",
        "proxy_networks",
        Kind::Networks,
        means("[]"),
        r#"["10.0.0.0/24"]"#,
        "Networks of load balancers that put a PROXY header (version 1 or 2) in front of every connection.",
    ),
    key(
        "submission",
        "shared_networks",
        Kind::Networks,
        means("[]"),
        r#"["172.17.0.1/32"]"#,
        "Networks behind which many clients share an address (a load balancer without PROXY, a container gateway): \
         there a block names pairs of user and password alone.",
    ),
    key(
        "submission.certificates",
        "certificate",
        Kind::Path,
        Absent::Refused,
        r#""/etc/envoi/other.pem""#,
        "The certificate with its chain, PEM.",
    ),
    key(
        "submission.certificates",
        "key",
        Kind::Path,
        Absent::Refused,
        r#""/etc/envoi/other-key.pem""#,
        "Its private key, PEM.",
    ),
    key(
        "acme",
        "terms_agreed",
        Kind::Flag,
        means("false"),
        "true",
        "Whether you agree with the terms of the authority. Only then is anything ordered from it.",
    ),
    key(
        "acme",
        "directory",
        Kind::Directory,
        means(r#""https://acme-v02.api.letsencrypt.org/directory""#),
        r#""https://acme-v02.api.letsencrypt.org/directory""#,
        "The authority: the address of its directory. For trials Let's Encrypt has \
         `https://acme-staging-v02.api.letsencrypt.org/directory`.",
    ),
    key(
        "acme",
        "contact",
        Kind::Mailbox,
        Absent::Nothing("the authority cannot write to anybody"),
        r#""postmaster@example.com""#,
        "Whom the authority may write to about the certificate.",
    ),
    key(
        "acme",
        "names",
        Kind::Names,
        Absent::Nothing("the relay's hostname alone"),
        r#"["relay.example.com", "console.example.com"]"#,
        "The names of the certificate. Each has to lead to this machine.",
    ),
    key(
        "acme",
        "challenge",
        Kind::Choice(&["http-01", "tls-alpn-01"]),
        means(r#""http-01""#),
        r#""http-01""#,
        "How the authority sees that a name is yours. http-01: it asks on port 80 of each name. tls-alpn-01: it asks on port 443, \
         where the console or the API has to listen.",
    ),
    key(
        "acme",
        "listen",
        Kind::Sockets,
        means(r#"["0.0.0.0:80", "[::]:80"]"#),
        r#"["0.0.0.0:80", "[::]:80"]"#,
        "Where the authority is answered with http-01. Whoever else comes there is sent to the console.",
    ),
    key(
        "acme",
        "ca_file",
        Kind::Path,
        Absent::Nothing("those of the system"),
        r#""/etc/envoi/acme-ca.pem""#,
        "Who vouches for the authority's own server, PEM: for one of your own.",
    ),
    key(
        "delivery",
        "allow_private",
        Kind::Flag,
        means("false"),
        "false",
        "Whether loopback, private and link-local addresses that DNS names may be dialled. \
         Leave it off: a route may name such a host in any case.",
    ),
    key(
        "delivery",
        "name_servers",
        Kind::NameServers,
        Absent::Nothing("those of the system"),
        r#"["127.0.0.1:53"]"#,
        "The resolvers to ask. A resolver of the relay's own, near it, is best.",
    ),
    key(
        "delivery",
        "source_addresses",
        Kind::Addresses,
        Absent::Nothing("the system chooses"),
        r#"["192.0.2.25"]"#,
        "The addresses to send from, at most one of each family.",
    ),
    key(
        "delivery",
        "retry_for",
        Kind::Span { floor: 60, ceiling: 14 * DAY },
        means(r#""5d""#),
        r#""5d""#,
        "How long to try a recipient before it becomes a soft bounce, where neither its SMTP user nor its route says less.",
    ),
    key(
        "delivery",
        "ca_file",
        Kind::Path,
        Absent::Nothing("those of the system alone"),
        r#""/etc/envoi/ca.pem""#,
        "Further certificate authorities to trust where a route requires TLS, and of the receivers of webhooks, PEM.",
    ),
    key(
        "delivery",
        "shaping",
        Kind::Path,
        Absent::Nothing("the relay's rules alone"),
        r#""/etc/envoi/shaping.toml""#,
        "A file of rules for what providers take (docs/operate/delivery.md), read at the start.",
    ),
    key(
        "delivery",
        "dane",
        Kind::Choice(&["auto", "on", "off"]),
        means(r#""auto""#),
        r#""auto""#,
        "DANE: mail servers whose certificates are named in DNS, signed by DNSSEC, get mail under TLS with these alone. auto: where \
         the name servers hand on DNSSEC signatures, which is looked at once after the start. on: always; without such name servers \
         nothing is delivered by MX. off: never. Routes are exempt.",
    ),
    key(
        "delivery",
        "mta_sts",
        Kind::Flag,
        means("true"),
        "true",
        "MTA-STS: domains that publish a policy get mail only at the servers that it names, under TLS with a certificate that is \
         valid for them. Routes are exempt.",
    ),
    key(
        "delivery",
        "trust_anchors",
        Kind::Path,
        Absent::Nothing("those of the internet's root"),
        r#""/etc/envoi/root.key""#,
        "The keys of the root to begin at for DNSSEC, DNSKEY records as in a zone's file: for a network with a root of its own.",
    ),
    key(
        "delivery.route",
        "domain",
        Kind::Pattern,
        Absent::Refused,
        r#""*""#,
        "Recipient domains that it is for: `*`, `example.com`, or `*.example.com` for every name below it.",
    ),
    key("delivery.route", "host", Kind::Host, Absent::Refused, r#""127.0.0.1""#, "The next hop: a name or an address."),
    key("delivery.route", "port", Kind::Port, means("25"), "2525", "Its port."),
    key(
        "delivery.route",
        "tls",
        Kind::Choice(&["none", "opportunistic", "encrypted", "required"]),
        means(r#""opportunistic""#),
        r#""required""#,
        "none: never. opportunistic: where offered, its certificate unchecked. encrypted: always, its certificate unchecked. \
         required: always, its certificate valid for the host.",
    ),
    key(
        "delivery.route",
        "implicit_tls",
        Kind::Flag,
        means("false"),
        "false",
        "Whether TLS begins with the first octet, as on port 465, and not by STARTTLS. With opportunistic it is as encrypted.",
    ),
    key(
        "delivery.route",
        "username",
        Kind::Name,
        Absent::Nothing("nobody logs in there"),
        r#""relay-customer""#,
        "Whom the next hop is to take the relay for (AUTH PLAIN, or LOGIN). While it refuses the login the mail waits, the log says \
         so, and so does `envoi site list`.",
    ),
    key(
        "delivery.route",
        "password_file",
        Kind::Path,
        Absent::Nothing("nobody logs in there"),
        r#""/etc/envoi/next-hop-password""#,
        "The file whose first line is the password, read at the start. It is never sent without TLS.",
    ),
    key(
        "delivery.route",
        "password_in_clear",
        Kind::Flag,
        means("false"),
        "false",
        "Whether the password may go without TLS to a next hop on this machine, at an address of loopback.",
    ),
    key(
        "delivery.route",
        "retry_for",
        Kind::Span { floor: 60, ceiling: 14 * DAY },
        Absent::Nothing("as in [delivery]"),
        r#""1d""#,
        "How long to try on this route.",
    ),
    key(
        "delivery.route",
        "sign_unpublished",
        Kind::Flag,
        means("false"),
        "false",
        "Whether mail on this route is signed with keys that have not been seen in DNS yet. For tests.",
    ),
    key(
        "zone",
        "name",
        Kind::Zone,
        Absent::Nothing("domains publish TXT and MX themselves"),
        r#""relay.example.net""#,
        "A zone for the relay's records alone. `envoi zone show` prints what is to be in it.",
    ),
    key(
        "zone",
        "name_servers",
        Kind::Names,
        Absent::Nothing("the relay's hostname alone"),
        r#"["ns1.example.net"]"#,
        "The name servers that the zone is delegated to.",
    ),
    key(
        "zone",
        "addresses",
        Kind::Addresses,
        Absent::Nothing(
            "those of `source_addresses` or `[[source]]` that are public; else whatever addresses the hostname has",
        ),
        r#"["192.0.2.25", "2001:db8::25"]"#,
        "The addresses that mail comes from, as others see them: SPF records let these send, and names of this relay that lie in \
         the zone get them.",
    ),
    key(
        "zone",
        "listen",
        Kind::Sockets,
        means("[]"),
        r#"["0.0.0.0:53", "[::]:53"]"#,
        "Where the relay answers for the zone itself, over UDP and TCP: then one NS record above the zone is all that is \
         published by hand. Empty: nowhere.",
    ),
    key(
        "http",
        "listen",
        Kind::Sockets,
        means(r#"["127.0.0.1:9587"]"#),
        r#"["127.0.0.1:9587"]"#,
        "Where `/metrics`, `/health/live` and `/health/ready` are served, without a login: keep it local. Empty: nowhere.",
    ),
    key(
        "api",
        "listen",
        Kind::Sockets,
        means("[]"),
        r#"["127.0.0.1:9588"]"#,
        "Where the API is served, for programs with a key (`envoi api-key add`): in the clear on loopback, under TLS with the \
         relay's certificate everywhere else. Empty: nowhere.",
    ),
    key(
        "api",
        "trusted_proxies",
        Kind::Networks,
        means("[]"),
        r#"["127.0.0.1/32"]"#,
        "Networks of reverse proxies before the API: from them alone the client's address is taken from X-Forwarded-For.",
    ),
    key(
        "console",
        "listen",
        Kind::Sockets,
        means("[]"),
        r#"["127.0.0.1:9589"]"#,
        "Where the console is served, for people with a browser: in the clear on loopback, under TLS with the relay's \
         certificate everywhere else. Empty: nowhere.",
    ),
    key(
        "console",
        "url",
        Kind::Url,
        Absent::Nothing("the first address that it listens at which others reach, else the first"),
        r#""https://console.example.com""#,
        "Where people find the console, for links in mails and on the command line.",
    ),
    key(
        "console",
        "trusted_proxies",
        Kind::Networks,
        means("[]"),
        r#"["127.0.0.1/32"]"#,
        "Networks of reverse proxies before the console: from them alone X-Forwarded-For says who asks, for limits, sign-ins and \
         the audit log, and X-Forwarded-Proto whether under TLS.",
    ),
    key(
        "webhooks",
        "allow_private",
        Kind::Flag,
        means("false"),
        "false",
        "Whether the URLs of webhooks may lead to loopback, private and link-local addresses, and begin with http://. For an \
         intranet whose accounts are all trusted: what a customer names is called from this machine.",
    ),
    key(
        "mail",
        "from",
        Kind::Sender,
        Absent::Nothing("it writes nothing, and links for members are shown to whoever made them alone"),
        r#""Envoi <envoi@mail.example.com>""#,
        "Who the relay writes as. The domain is one of the system account: `envoi domain add --account 0 mail.example.com`.",
    ),
    key(
        "log",
        "format",
        Kind::Choice(&["text", "json"]),
        means(r#""text""#),
        r#""text""#,
        "text: for people. json: one object on each line, for programs.",
    ),
    key(
        "log",
        "level",
        Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        means(r#""info""#),
        r#""info""#,
        "The least serious lines that are written.",
    ),
    key(
        "store",
        "master_key",
        Kind::Path,
        Absent::Nothing("`master.key` in the data folder, made at the first start"),
        r#""/etc/envoi/master.key""#,
        "The file of the master key, which protects password hashes and DKIM keys. A backup without it cannot sign or let anybody log in.",
    ),
    key(
        "store",
        "spool_max",
        Kind::Octets { floor: 64 * MB, ceiling: 16 * 1024 * GB },
        means(r#""32GB""#),
        r#""32GB""#,
        "The most that live mail may take on disk; beyond it new mail is answered 452 until there is room.",
    ),
    key(
        "store",
        "reserve",
        Kind::Octets { floor: MB, ceiling: 64 * GB },
        means(r#""64MB""#),
        r#""64MB""#,
        "Room of the spool that only the outcomes of mail accepted already may use.",
    ),
    key(
        "store",
        "disk_free_min",
        Kind::Octets { floor: MB, ceiling: 1024 * GB },
        means(r#""256MB""#),
        r#""256MB""#,
        "Room on the disk that is never taken for mail.",
    ),
    key(
        "store",
        "segment",
        Kind::Octets { floor: 4 * MB, ceiling: GB },
        means(r#""64MB""#),
        r#""64MB""#,
        "The size of a new file of the spool. Small ones are for trials.",
    ),
];

/// Every key, the limits in their place.
pub(super) fn keys() -> Vec<Key> {
    let limits = super::limits::keys();
    let mut all = Vec::with_capacity(KEYS.len() + limits.len());
    for section in SECTIONS {
        if section.name == "limits" {
            all.extend(limits.iter().cloned());
        } else {
            let further = [bounces::KEYS, tls_reports::KEYS, blocklists::KEYS, sources::KEYS, unsubscribe::KEYS];
            let known = KEYS.iter().chain(further.into_iter().flatten());
            all.extend(known.filter(|key| key.section == section.name).cloned());
        }
    }
    all
}
