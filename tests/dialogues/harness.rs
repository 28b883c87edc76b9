//! Reads dialogue files and plays them against a server, whatever carries the octets.
//!
//! A file is one subject. Its first line names the section of an RFC, or the place of the product, that it
//! proves. Then, line by line:
//!
//! ```text
//! # limit: recipients_max 3     a setting of the scene, see `Scene::set`; also `# covers:`, `# client:`
//! C: NOOP                       the client sends this line and CRLF; lines in a row go in one write
//! C*3: RCPT TO:<r{n}@d.example> so many lines, {n} from 1
//! C< a\r\n.\x00                 these octets and nothing else; \r \n \t \\ \xHH
//! S: 250 2.0.0 Ok*              the server said this line; * is any text
//! S*3: 250 2.1.5 Ok             so many times
//! S= 250                        one whole reply with this code, in however many lines
//! S.                            the server closed the connection
//! ! login                       something happens: see `Player::event`; `login`, `tls` and `hang up` are built in
//! = kept 1                      afterwards: messages kept, then of the last one: body, header, no header,
//!                               reverse-path, recipients, suppressed, needs; = noted a reference of a refusal
//! ```
//!
//! `{b64 text}` is text in base64 and `{repeat 9 text}` repeats it, in C lines and bodies.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use relay::clock::Timestamp;
use relay::limits::Limits;
use relay::quota::Quota;
use relay::sending_domain::DomainState;
use relay::smtp_user::UserRules;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, MapDeserializer};
use std::collections::VecDeque;
use std::path::PathBuf;

/// The name that the server under test greets with.
pub const HOSTNAME: &str = "relay.example";
/// The sending domain of the scene.
pub const DOMAIN: &str = "sender.example";
/// The username of its SMTP user.
pub const USERNAME: &str = "app7shop2mail4us";
/// Its password, 20 letters and digits as generated ones have.
pub const PASSWORD: &str = "Correct1Horse2Staple";
/// The moment at which every dialogue happens.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// One dialogue.
#[derive(Debug)]
pub struct Script {
    pub name: String,
    pub covers: Vec<String>,
    pub clients: Vec<String>,
    pub scene: Scene,
    pub acts: Vec<Act>,
    pub outcomes: Vec<String>,
}

/// One thing that happens, and the line of the file that says so.
#[derive(Debug)]
pub struct Act {
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client writes these octets.
    Send(Vec<u8>),
    /// The server says a line like this.
    Line(String),
    /// The server says a whole reply with this code.
    Whole(String),
    /// The server closes.
    Closed,
    /// The handshake.
    Tls,
    /// The client closes.
    HangUp,
    /// Something else.
    Event(String),
}

/// What is there before the first octet.
#[derive(Debug)]
pub struct Scene {
    /// The port begins in the clear.
    pub starttls: bool,
    pub enabled: bool,
    pub rules: UserRules,
    pub suspended: bool,
    /// The plan of the account was cancelled.
    pub without_plan: bool,
    /// Recipients a month, if the account has a quota.
    pub quota: Option<u64>,
    pub domain: DomainState,
    pub suppressed: Vec<String>,
    /// The client's address is blocked after failed logins.
    pub blocked: bool,
    pub limits: Limits,
    /// `full` or `failing`: what happens to the next message; `unavailable`: logins cannot be looked at.
    pub store: Option<String>,
    /// Played in memory alone, or over a socket alone.
    pub only: Option<String>,
}

impl Default for Scene {
    fn default() -> Self {
        Scene {
            starttls: false,
            enabled: true,
            rules: UserRules::default(),
            suspended: false,
            without_plan: false,
            quota: None,
            domain: DomainState::Vouched,
            suppressed: Vec::new(),
            blocked: false,
            limits: Limits::default(),
            store: None,
            only: None,
        }
    }
}

impl Scene {
    /// Takes one setting; false where there is none of this name.
    fn set(&mut self, name: &str, value: &str) -> bool {
        let (word, rest) = value.split_once(' ').unwrap_or((value, ""));
        match (name, word) {
            ("port", "starttls") => self.starttls = true,
            ("user", "disabled") => self.enabled = false,
            ("user", "expired") => self.rules.expires_at = Some(Timestamp(NOW.0 - 1_000)),
            ("user", "network") => self.rules.networks.push(rest.parse().unwrap()),
            ("user", "all-or-nothing") => self.rules.all_or_nothing = true,
            ("user", "refuse-suppressed") => self.rules.refuse_suppressed = true,
            ("user", "one-click-unsubscribe") => self.rules.one_click_unsubscribe = true,
            ("user", "sandbox") => self.rules.sandbox = true,
            ("user", "sender") => self.rules.senders.push(rest.to_owned()),
            ("user", "recipient-domain") => self.rules.recipient_domains.push(rest.to_owned()),
            ("account", "suspended") => self.suspended = true,
            ("account", "without-plan") => self.without_plan = true,
            ("account", "quota") => self.quota = Some(rest.parse().unwrap()),
            ("domain", "pending") => self.domain = DomainState::Pending,
            ("domain", "failed") => self.domain = DomainState::Failed,
            ("domain", "warning") => self.domain = DomainState::Warning,
            ("suppressed", address) => self.suppressed.push(address.to_owned()),
            ("address", "blocked") => self.blocked = true,
            ("store", "full" | "failing" | "unavailable") => self.store = Some(word.to_owned()),
            ("only", "memory" | "socket") => self.only = Some(word.to_owned()),
            ("limit", limit) => self.limit(limit, rest.parse().unwrap()),
            _ => return false,
        }
        true
    }

    /// The quota of the account.
    pub fn quota(&self) -> Quota {
        Quota { recipients: self.quota, ..Quota::default() }
    }

    fn limit(&mut self, name: &str, value: u64) {
        let mut values: Vec<(&str, u64)> = self.limits.values().iter().map(|(limit, now)| (limit.name, *now)).collect();
        values.iter_mut().find(|(known, _)| *known == name).expect("a limit of this name").1 = value;
        let pairs = values.into_iter().map(|(name, value)| (name.into_deserializer(), value));
        self.limits = Limits::deserialize(MapDeserializer::<_, ValueError>::new(pairs)).unwrap();
    }
}

/// Where the dialogues are.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialogues"))
}

/// Every dialogue, by name.
pub fn all() -> Vec<Script> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "smtp"))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        Script::parse(name, &std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

impl Script {
    /// Reads a file; a fault in it is a panic that says where.
    pub fn parse(name: &str, text: &str) -> Script {
        let first = text.lines().next().unwrap_or_default();
        let named = first.strip_prefix("# RFC ").is_some_and(|rest| rest.contains(" §") && rest.contains(": "));
        assert!(named || first.starts_with("# product, "), "{name}:1: name the section: `# RFC 5321 §4.1.1.2: …`");
        let mut script = Script {
            name: name.to_owned(),
            covers: Vec::new(),
            clients: Vec::new(),
            scene: Scene::default(),
            acts: Vec::new(),
            outcomes: Vec::new(),
        };
        for (number, line) in text.lines().enumerate().skip(1) {
            script.line(number + 1, line);
        }
        script
    }

    fn line(&mut self, number: usize, line: &str) {
        let place = format!("{}:{number}: {line}", self.name);
        if let Some(comment) = line.strip_prefix('#') {
            return self.setting(comment.trim(), &place);
        }
        if let Some(outcome) = line.strip_prefix("= ") {
            return self.outcomes.push(outcome.to_owned());
        }
        let act = |kind| Act { line: number, kind };
        let (head, rest) = line.split_once([':', '<', '=']).unwrap_or((line, ""));
        let text = rest.strip_prefix(' ').unwrap_or(rest);
        if let Some(event) = line.strip_prefix("! ") {
            return self.event(number, event);
        }
        let (who, times) = head.split_once('*').unwrap_or((head, "1"));
        let times: usize = times.parse().expect(&place);
        for turn in 1..=times {
            let text = text.replace("{n}", &turn.to_string());
            let kind = match (who, line.as_bytes().get(head.len())) {
                ("C", Some(b':')) => Kind::Send([expand(&text), b"\r\n".to_vec()].concat()),
                ("C", Some(b'<')) => Kind::Send(unescape(&text)),
                ("S", Some(b':')) => Kind::Line(text),
                ("S", Some(b'=')) => Kind::Whole(text),
                ("S.", None) => Kind::Closed,
                ("", None) => return,
                _ => panic!("{place}: not understood"),
            };
            self.acts.push(act(kind));
        }
    }

    fn setting(&mut self, comment: &str, place: &str) {
        let Some((name, value)) = comment.split_once(": ") else { panic!("{place}: no setting") };
        match name {
            "covers" => self.covers.extend(value.split(", ").map(str::to_owned)),
            "client" => self.clients.extend(value.split(", ").map(str::to_owned)),
            _ => assert!(self.scene.set(name, value), "{place}: no such setting"),
        }
    }

    fn event(&mut self, line: usize, event: &str) {
        let lines: Vec<Kind> = match event {
            "tls" => vec![Kind::Tls],
            "hang up" => vec![Kind::HangUp],
            "login" => {
                let credentials = STANDARD.encode(format!("\0{USERNAME}\0{PASSWORD}"));
                let mut acts = vec![Kind::Whole("220".to_owned())];
                if self.scene.starttls {
                    acts.push(Kind::Send(b"EHLO client.example\r\nSTARTTLS\r\n".to_vec()));
                    acts.extend([Kind::Whole("250".to_owned()), Kind::Whole("220".to_owned()), Kind::Tls]);
                }
                acts.push(Kind::Send(format!("EHLO client.example\r\nAUTH PLAIN {credentials}\r\n").into_bytes()));
                acts.extend([Kind::Whole("250".to_owned()), Kind::Whole("235".to_owned())]);
                acts
            }
            other => vec![Kind::Event(other.to_owned())],
        };
        self.acts.extend(lines.into_iter().map(|kind| Act { line, kind }));
    }

    /// Whether a replay of this kind plays it.
    pub fn is_for(&self, replay: &str) -> bool {
        self.scene.only.as_deref().is_none_or(|only| only == replay)
    }
}

/// Replaces `{b64 …}`, `{b64nopad …}` and `{repeat N …}`, innermost first.
fn expand(text: &str) -> Vec<u8> {
    let Some(start) = text.rfind('{') else { return text.as_bytes().to_vec() };
    let Some(end) = text[start..].find('}').map(|end| start + end) else { return text.as_bytes().to_vec() };
    let (word, argument) = text[start + 1..end].split_once(' ').unwrap_or((&text[start + 1..end], ""));
    let named = argument.replace("USER", USERNAME).replace("PASS", PASSWORD);
    let value = match word {
        "b64" => STANDARD.encode(unescape_octets(&named)),
        "b64nopad" => STANDARD_NO_PAD.encode(unescape_octets(&named)),
        "repeat" => {
            let (times, what) = argument.split_once(' ').unwrap();
            what.repeat(times.parse().unwrap())
        }
        _ => panic!("{{{word}}} is no macro"),
    };
    expand(&format!("{}{value}{}", &text[..start], &text[end + 1..]))
}

fn unescape(text: &str) -> Vec<u8> {
    unescape_octets(&String::from_utf8(expand(text)).unwrap())
}

fn unescape_octets(text: &str) -> Vec<u8> {
    let (mut octets, mut rest) = (Vec::new(), text.bytes());
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        octets.push(match rest.next().expect("something after the backslash") {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => panic!("\\{} is no escape", char::from(other)),
        });
    }
    octets
}

/// Whether a line is like a pattern in which `*` stands for any text.
fn is_like(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// One way to carry a dialogue.
pub trait Player {
    /// The client writes.
    fn send(&mut self, octets: &[u8]);
    /// The next line that the server said, without CRLF; none where it closed.
    fn line(&mut self) -> Option<String>;
    /// Lines that the server said and nobody asked for, looked at before the client goes on.
    fn unasked(&mut self) -> Vec<String>;
    /// The client does the handshake.
    fn tls(&mut self);
    /// The client closes.
    fn hang_up(&mut self);
    /// `disable user`, `reset password`, `delete user`, `suspend account`, `fall silent`, `shut down`.
    fn event(&mut self, event: &str);
    /// What was kept, once all is over, in order.
    fn kept(&mut self) -> Vec<Kept>;
    /// References of the refusals that were noted, with the recipient where there was one; none where
    /// this player cannot know.
    fn noted(&mut self) -> Option<Vec<(String, String)>>;
}

/// A message that was kept.
#[derive(Debug)]
pub struct Kept {
    pub reverse_path: String,
    pub recipients: Vec<String>,
    pub suppressed: Vec<String>,
    pub needs: Vec<&'static str>,
    pub content: Vec<u8>,
}

/// Plays a script; a fault is a panic that says where.
pub fn play(script: &Script, player: &mut dyn Player) {
    let mut acts: VecDeque<&Act> = script.acts.iter().collect();
    let mut closed = false;
    while let Some(act) = acts.pop_front() {
        let place = format!("{}:{}", script.name, act.line);
        if matches!(act.kind, Kind::Send(_) | Kind::Event(_) | Kind::HangUp | Kind::Tls) {
            let unasked = player.unasked();
            assert!(unasked.is_empty(), "{place}: the server said {unasked:?} before this");
        }
        match &act.kind {
            Kind::Send(octets) => {
                let mut octets = octets.clone();
                while let Some(Act { kind: Kind::Send(more), .. }) = acts.front() {
                    octets.extend_from_slice(more);
                    acts.pop_front();
                }
                player.send(&octets);
            }
            Kind::Line(pattern) => {
                let line = player.line().unwrap_or_else(|| panic!("{place}: closed, not {pattern:?}"));
                assert!(is_like(pattern, &line), "{place}: {line:?} is not like {pattern:?}");
            }
            Kind::Whole(code) => whole(player, code, &place),
            Kind::Closed => {
                let line = player.line();
                assert_eq!(line, None, "{place}: the server did not close");
                closed = true;
            }
            Kind::Tls => player.tls(),
            Kind::HangUp => player.hang_up(),
            Kind::Event(event) => player.event(event),
        }
    }
    if !closed {
        let unasked = player.unasked();
        assert!(unasked.is_empty(), "{}: at the end the server said {unasked:?}", script.name);
    }
    check(script, player);
}

fn whole(player: &mut dyn Player, code: &str, place: &str) {
    loop {
        let line = player.line().unwrap_or_else(|| panic!("{place}: closed, not {code}"));
        assert!(line.starts_with(code), "{place}: {line:?} has not the code {code}");
        if line.as_bytes().get(3) != Some(&b'-') {
            return;
        }
    }
}

/// Holds what was kept and noted against the outcomes of the script.
fn check(script: &Script, player: &mut dyn Player) {
    let kept = player.kept();
    let noted = player.noted();
    let expected = script.outcomes.iter().find_map(|outcome| outcome.strip_prefix("kept "));
    let expected: usize = expected.map_or(0, |count| count.parse().unwrap());
    assert_eq!(kept.len(), expected, "{}: messages kept", script.name);
    let empty =
        Kept { reverse_path: String::new(), recipients: vec![], suppressed: vec![], needs: vec![], content: vec![] };
    let last = kept.last().unwrap_or(&empty);
    let text = String::from_utf8_lossy(&last.content);
    let (header, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    for outcome in &script.outcomes {
        let place = format!("{}: = {outcome}", script.name);
        let (word, value) = outcome.split_once(' ').unwrap_or((outcome, ""));
        match word {
            "kept" => {}
            "body" => assert_eq!(body, String::from_utf8_lossy(&unescape(value)), "{place}"),
            "header" => assert!(header.split("\r\n").any(|line| is_like(value, line)), "{place}: {header}"),
            "no" => {
                let name = value.strip_prefix("header ").unwrap_or(value).to_lowercase() + ":";
                assert!(!header.to_lowercase().split("\r\n").any(|line| line.starts_with(&name)), "{place}: {header}");
            }
            "reverse-path" => assert_eq!(format!("<{}>", last.reverse_path), value, "{place}"),
            "recipients" => assert_eq!(last.recipients.join(" "), value, "{place}"),
            "suppressed" => assert_eq!(last.suppressed.join(" "), value, "{place}"),
            "needs" => assert_eq!(last.needs.join(" "), value, "{place}"),
            "noted" => {
                let Some(noted) = &noted else { continue };
                let (reference, recipient) = value.split_once(' ').unwrap_or((value, ""));
                let found =
                    noted.iter().any(|(one, whom)| one == reference && (recipient.is_empty() || whom == recipient));
                assert!(found, "{place}: {noted:?}");
            }
            _ => panic!("{place}: not understood"),
        }
    }
}
