//! Letters: what a client wants to send, and each time that it tried.

use relay::id::MessageId;

use crate::plan::{LETTERS, Plan};
use crate::rng::Rng;
use crate::world::hops::SITES;
use crate::world::pipe::Mark;

/// An SMTP user of the world.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// Its username.
    pub name: &'static str,
    /// Its password.
    pub password: &'static str,
    /// The number of its account and domain.
    pub shop: usize,
}

/// All of them.
pub const USERS: [User; 4] = [
    User { name: "app0", password: "p0", shop: 0 },
    User { name: "app1", password: "p1", shop: 1 },
    User { name: "app2", password: "p2", shop: 2 },
    User { name: "app3", password: "p3", shop: 0 },
];

/// What a client wants to send.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its number.
    pub key: usize,
    /// Whose it is.
    pub client: usize,
    /// From which life on it is to be sent.
    pub from_life: usize,
    /// To whom.
    pub recipients: Vec<String>,
    /// Octets of its body, about.
    pub octets: usize,
    /// How often it was begun.
    pub attempts: usize,
    /// It still has to be sent.
    pub is_open: bool,
    /// It has octets above 127.
    pub is_eight_bit: bool,
}

/// One time that a client sent it.
#[derive(Clone)]
pub struct Attempt {
    /// Which letter.
    pub key: usize,
    /// In which life of the relay.
    pub life: usize,
    /// The place behind the end of the content, once the client says that.
    pub end: Option<Mark>,
    /// The code of the reply to the content, once the client has it.
    pub code: Option<u16>,
    /// The id in that reply.
    pub message: Option<MessageId>,
}

impl Attempt {
    pub(super) fn new(key: usize, life: usize) -> Self {
        Attempt { key, life, end: None, code: None, message: None }
    }
}

impl Letter {
    /// The sender's domain.
    pub fn shop(&self) -> usize {
        USERS[self.client % USERS.len()].shop
    }

    /// What RCPT says about notifications of the recipient at this place: mostly nothing.
    pub fn asked(&self, place: usize) -> &'static str {
        match (self.key + place) % 9 {
            1 => " NOTIFY=NEVER",
            3 => " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;someone@else.example",
            5 => " NOTIFY=DELAY",
            _ => "",
        }
    }

    /// What MAIL says about them.
    pub fn asked_of_all(&self) -> &'static str {
        match self.key % 7 {
            2 => " RET=FULL ENVID=Q+2B1",
            4 => " RET=HDRS",
            _ => "",
        }
    }

    /// Its content, as the client sends it under a token.
    pub fn content(&self, token: &str) -> Vec<u8> {
        let shop = self.shop();
        let mut content = format!("From: app@shop{shop}.example\r\nSubject: sim {token}\r\n").into_bytes();
        if self.key.is_multiple_of(3) {
            content.extend_from_slice(b"Date: Mon, 23 Nov 2026 21:00:00 +0000\r\n");
        }
        content.extend_from_slice(b"\r\n");
        let line = match (self.is_eight_bit, self.key % 4) {
            (true, _) => format!("gr\u{fc}\u{df}e {token}\r\n"),
            (false, 0) => format!(".{token} begins with a dot\r\n"),
            (false, _) => format!("{token} and so on, line by line\r\n"),
        };
        let end = content.len() + self.octets;
        while content.len() < end {
            content.extend_from_slice(line.as_bytes());
        }
        content
    }
}

/// What all clients of a run want to send.
pub(super) fn all(rng: &mut Rng, plan: &Plan) -> Vec<Letter> {
    (0..LETTERS).map(|key| letter(rng, plan, key)).collect()
}

fn letter(rng: &mut Rng, plan: &Plan, key: usize) -> Letter {
    let recipients = rng.weighted(&[(60, 1), (20, 2), (12, 3), (8, 5)]);
    let recipients = (0..recipients).map(|number| {
        let domain = match rng.below(60) {
            0 => "nowhere.example".to_owned(),
            _ => format!("site{}.example", rng.below(SITES as u64)),
        };
        format!("r{number}.{key}@{domain}")
    });
    Letter {
        key,
        recipients: recipients.collect(),
        client: key % plan.clients,
        from_life: key * plan.lives.len() / LETTERS,
        octets: match rng.below(100) {
            0..80 => rng.between(20, 1_500),
            80..94 => rng.between(1_500, 6_000),
            _ => rng.between(8_000, 40_000),
        } as usize,
        attempts: 0,
        is_open: true,
        is_eight_bit: rng.chance(100),
    }
}

/// Under which token a content goes.
pub(super) fn token_of(is_notification: bool, content: &[u8]) -> Option<String> {
    let end = content.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(content.len());
    let header = String::from_utf8_lossy(&content[..end]);
    let of_line = |name: &str| header.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
    match is_notification {
        true => of_line("Message-ID: <").and_then(|id| id.split('@').next().map(|id| format!("dsn:{id}"))),
        false => of_line("Subject: sim "),
    }
}
