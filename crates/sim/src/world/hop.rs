//! One connection at a next hop: a mail server that misbehaves in every way.

use std::sync::Arc;
use std::time::Duration;

use super::World;
use super::hops::Mood;
use super::pipe::{End, Loss};
use super::talk::{Gone, Talk, undoubled};
use crate::fault::Fault;
use crate::mail::Taken;
use crate::rng::Rng;

/// How long it waits for the relay.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What it does in place of an ordinary reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Fine,
    Transient,
    Permanent,
    Closes,
    Garbage,
    Overlong,
    Silent,
    Hangs,
    Slow,
    Lines,
}

/// Where the dialogue stands, for how likely what is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Hello,
    Mail,
    Recipient,
    Data,
    End,
}

struct Hop {
    world: Arc<World>,
    site: usize,
    /// It lists DSN.
    knows_dsn: bool,
    mood: Mood,
    talk: Talk,
    rng: Rng,
}

/// What was agreed on in the transaction under way.
#[derive(Default)]
struct Transaction {
    is_notification: bool,
    recipients: Vec<String>,
}

/// Serves one connection to its end.
pub(super) async fn serve(world: Arc<World>, site: usize, mood: Mood, end: End, rng: Rng) {
    let mut hop = Hop { world, site, knows_dsn: site.is_multiple_of(2), mood, talk: Talk::new(end, PATIENCE), rng };
    // however it ended, the connection is closed by it
    let _ = hop.run().await;
    hop.talk.close().await;
}

impl Hop {
    fn manner(&mut self, stage: Stage) -> Manner {
        if self.world.is_calm() {
            return Manner::Fine;
        }
        let wrong = match (self.mood, stage) {
            (Mood::Good, _) => 12,
            (Mood::Flaky, _) => 110,
            (Mood::Greylisting, Stage::Recipient) => 900,
            (Mood::Greylisting | Mood::Down, _) => 30,
        };
        if !self.rng.chance(wrong) {
            return self.rng.weighted(&[(960, Manner::Fine), (20, Manner::Slow), (20, Manner::Lines)]);
        }
        if self.mood == Mood::Greylisting && stage == Stage::Recipient {
            return Manner::Transient;
        }
        self.rng.weighted(&[
            (350, Manner::Transient),
            (150, Manner::Permanent),
            (120, Manner::Closes),
            (70, Manner::Garbage),
            (40, Manner::Overlong),
            (60, Manner::Silent),
            (130, Manner::Hangs),
            (80, Manner::Slow),
        ])
    }

    /// Says a reply, or what its manners make of it; whether it was positive.
    async fn reply(&mut self, stage: Stage, code: u16, text: &str) -> Result<bool, Gone> {
        let manner = self.manner(stage);
        self.reply_so(manner, code, text).await
    }

    async fn reply_so(&mut self, manner: Manner, code: u16, text: &str) -> Result<bool, Gone> {
        match manner {
            Manner::Fine => self.say(code, text).await.map(|()| true),
            Manner::Lines => {
                self.world.tally.on(Fault::HopSlow);
                let first = format!("{code}-first of all, good day\r\n{code}-and then\r\n");
                self.talk.say(first.as_bytes()).await?;
                self.say(code, text).await.map(|()| true)
            }
            Manner::Slow => {
                self.world.fault(Fault::HopSlow);
                let wait = self.rng.between(1, 90);
                tokio::time::sleep(Duration::from_secs(wait)).await;
                self.say(code, text).await.map(|()| true)
            }
            Manner::Transient => {
                self.world.fault(Fault::HopTransient);
                let code = self.rng.weighted(&[(3, 450), (3, 451), (2, 452), (1, 421)]);
                self.say(code, "4.3.0 not now").await?;
                if code == 421 { Err(Gone) } else { Ok(false) }
            }
            Manner::Permanent => {
                self.world.fault(Fault::HopPermanent);
                let code = self.rng.weighted(&[(3, 550), (1, 552), (2, 554)]);
                self.say(code, "5.7.1 never").await.map(|()| false)
            }
            Manner::Closes => {
                self.world.fault(Fault::HopCloses);
                self.say(421, "4.3.2 closing").await?;
                Err(Gone)
            }
            Manner::Garbage => {
                self.world.fault(Fault::HopGarbage);
                let garbage: &[u8] = self.rng.weighted(&[
                    (1, &b"\x16\x03\x01\x02\x00\x01\x00\r\n"[..]),
                    (1, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
                    (1, b"2x0 ok\r\n"),
                    (1, b"250-ok\r\n451 no\r\n"),
                    (1, b"\r\n\r\n"),
                ]);
                self.talk.say(garbage).await?;
                Err(Gone)
            }
            Manner::Overlong => {
                self.world.fault(Fault::HopOverlong);
                let line = if self.rng.chance(500) {
                    vec![b'x'; 20_000]
                } else {
                    format!("{code}-more\r\n").repeat(2_000).into_bytes()
                };
                self.talk.say(&line).await?;
                Err(Gone)
            }
            Manner::Silent => {
                self.world.fault(Fault::HopSilent);
                tokio::time::sleep(PATIENCE).await;
                Err(Gone)
            }
            Manner::Hangs => {
                self.world.fault(Fault::HopLostSpeaking);
                self.talk.end().lose(Loss::Broken);
                Err(Gone)
            }
        }
    }

    /// A reply with a number that no other has.
    async fn say(&mut self, code: u16, text: &str) -> Result<(), Gone> {
        let serial = self.world.hops.next_reply(code < 400);
        self.talk.say(format!("{code} {text} #{serial}\r\n").as_bytes()).await.map(|_| ())
    }

    async fn run(&mut self) -> Result<(), Gone> {
        if !self.reply(Stage::Greeting, 220, "mx.example ESMTP").await? {
            // whatever is asked now is refused
            while self.talk.line().await? != "QUIT" {
                self.say(503, "5.5.1 I said no").await?;
            }
            return Ok(());
        }
        let mut transaction = None;
        loop {
            let line = self.talk.line().await?;
            let upper = line.to_ascii_uppercase();
            if upper.starts_with("EHLO ") {
                self.hello().await?;
            } else if upper.starts_with("HELO ") {
                self.reply(Stage::Hello, 250, "mx.example").await?;
            } else if !self.knows_dsn && [" RET=", " ENVID=", " NOTIFY=", " ORCPT="].iter().any(|it| upper.contains(it))
            {
                self.world.violation(format!("asked about notifications, which it does not list: {line}"));
                self.say(555, "5.5.4 not implemented").await?;
            } else if upper.starts_with("MAIL FROM:") {
                let is_notification = upper.starts_with("MAIL FROM:<>");
                let taken = self.reply(Stage::Mail, 250, "2.1.0 ok").await?;
                transaction = taken.then(|| Transaction { is_notification, recipients: Vec::new() });
            } else if upper.starts_with("RCPT TO:<") {
                let address = line[9..].split('>').next().unwrap_or_default().to_owned();
                match &mut transaction {
                    None => self.say(503, "5.5.1 MAIL first").await?,
                    Some(transaction) => {
                        if self.reply(Stage::Recipient, 250, "2.1.5 ok").await? {
                            transaction.recipients.push(address);
                        }
                    }
                }
            } else if upper == "DATA" {
                self.data(transaction.take()).await?;
            } else if upper == "RSET" {
                transaction = None;
                self.say(250, "2.0.0 ok").await?;
            } else if upper == "QUIT" {
                return self.say(221, "2.0.0 bye").await;
            } else {
                self.say(500, "5.5.2 what?").await?;
            }
        }
    }

    async fn hello(&mut self) -> Result<(), Gone> {
        let manner = self.manner(Stage::Hello);
        if manner != Manner::Fine {
            self.reply_so(manner, 250, "mx.example").await?;
            return Ok(());
        }
        let mut text = String::from("250-mx.example\r\n");
        if self.rng.chance(800) {
            text.push_str("250-PIPELINING\r\n");
        }
        if self.rng.chance(900) || self.world.is_calm() {
            text.push_str("250-8BITMIME\r\n");
        }
        if self.rng.chance(500) {
            text.push_str("250-SIZE 10000000\r\n");
        }
        if self.rng.chance(500) {
            text.push_str("250-SMTPUTF8\r\n");
        }
        if self.knows_dsn {
            text.push_str("250-DSN\r\n");
        }
        self.talk.say(text.as_bytes()).await?;
        self.say(250, "ENHANCEDSTATUSCODES").await
    }

    async fn data(&mut self, transaction: Option<Transaction>) -> Result<(), Gone> {
        let Some(transaction) = transaction.filter(|transaction| !transaction.recipients.is_empty()) else {
            return self.say(554, "5.5.1 no valid recipients").await;
        };
        if !self.reply(Stage::Data, 354, "go on").await? {
            return Ok(());
        }
        let is_flaky = self.mood == Mood::Flaky && !self.world.is_calm();
        if is_flaky && self.rng.chance(30) {
            self.world.fault(Fault::HopSpeaksOutOfTurn);
            let code = self.rng.weighted(&[(1, 451), (1, 552), (1, 421)]);
            self.say(code, "4.0.0 enough of that").await?;
            if code == 421 {
                return Err(Gone);
            }
        }
        let content = undoubled(&self.talk.content().await?);
        self.take(&transaction, &content).await
    }

    /// The content is here: takes it, or does not, and says so, or does not.
    async fn take(&mut self, transaction: &Transaction, content: &[u8]) -> Result<(), Gone> {
        let is_calm = self.world.is_calm();
        if !is_calm && self.rng.chance(if self.mood == Mood::Flaky { 80 } else { 20 }) {
            // taken, and nobody hears of it
            self.world.fault(Fault::HopReplyLost);
            self.taken(transaction, content, None);
            if self.rng.chance(300) {
                tokio::time::sleep(PATIENCE).await;
            } else {
                self.talk.end().lose(Loss::Broken);
            }
            return Err(Gone);
        }
        match self.manner(Stage::End) {
            manner @ (Manner::Fine | Manner::Slow) => {
                if manner == Manner::Slow {
                    self.world.fault(Fault::HopSlow);
                    let wait = self.rng.between(1, 90);
                    tokio::time::sleep(Duration::from_secs(wait)).await;
                }
                let serial = self.world.hops.next_reply(true);
                let line = format!("250 2.0.0 taken #{serial}\r\n");
                let mark = self.talk.end().mark(line.len());
                self.taken(transaction, content, Some(mark));
                self.talk.say(line.as_bytes()).await.map(|_| ())
            }
            Manner::Lines => {
                let serial = self.world.hops.next_reply(true);
                let line = format!("250-2.0.0 taken,\r\n250 2.0.0 really #{serial}\r\n");
                let mark = self.talk.end().mark(line.len());
                self.taken(transaction, content, Some(mark));
                self.talk.say(line.as_bytes()).await.map(|_| ())
            }
            // whatever is said instead, it was not taken
            manner => self.reply_so(manner, 451, "4.3.0 not this").await.map(|_| ()),
        }
    }

    fn taken(&self, transaction: &Transaction, content: &[u8], reply: Option<super::pipe::Mark>) {
        for recipient in &transaction.recipients {
            let taken = Taken { recipient: recipient.clone(), site: self.site, reply: reply.clone(), life: 0 };
            let found = self.world.mail().taken(transaction.is_notification, content, taken);
            match found {
                Ok(token) => self.world.tell(format_args!("{token} taken for {recipient}")),
                Err(fault) => self.world.violation(fault),
            }
        }
    }
}
