//! Applications: they log in and send, several at once, pipelined or not, and try again what they heard no reply to.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use net::submission::simulation::Reception;

use crate::fault::Fault;
use crate::mail::{Letter, USERS};
use crate::rng::Rng;
use crate::store::SimStore;
use crate::world::World;
use crate::world::pipe::{Cut, Loss, connection};
use crate::world::talk::{Gone, Talk, doubled};

/// How long a client waits for a reply.
const PATIENCE: Duration = Duration::from_secs(700);

/// How the reply begins that says that a quota is reached.
const QUOTA: &str = "4.7.1 ";

/// One application.
pub struct Client {
    /// The world it is in.
    pub world: Arc<World>,
    /// Whom it connects to.
    pub reception: Arc<Reception<SimStore>>,
    /// Its number.
    pub number: usize,
    /// Its dice in this life.
    pub rng: Rng,
}

impl Client {
    /// Sends what there is to send, until the process ends.
    pub async fn run(mut self) {
        loop {
            let wait = self.rng.weighted(&[(5, 50), (3, 3_000), (2, 40_000)]);
            tokio::time::sleep(Duration::from_millis(self.rng.between(1, wait))).await;
            let has_mail = self.world.mail().next_letter(self.number).is_some();
            if !has_mail {
                tokio::time::sleep(Duration::from_secs(20)).await;
                continue;
            }
            // whatever went wrong, it comes again
            if self.session().await.is_err() {
                tokio::time::sleep(Duration::from_secs(self.rng.between(1, 60))).await;
            }
        }
    }

    fn cuts(&mut self) -> [Option<Cut>; 2] {
        if self.world.is_calm() {
            return [None; 2];
        }
        let mut cut = |fault, chance, most| {
            let is_silent = self.rng.chance(250);
            let (loss, fault) =
                if is_silent { (Loss::Silent, Fault::ClientFallsSilent) } else { (Loss::Broken, fault) };
            self.rng.chance(chance).then(|| Cut { after: self.rng.below(most), loss, fault })
        };
        [cut(Fault::ClientLostHearing, 40, 1_500), cut(Fault::ClientLostSending, 60, 12_000)]
    }

    async fn session(&mut self) -> Result<(), Gone> {
        let cuts = self.cuts();
        let stream = self.rng.roll();
        let (ours, theirs) = connection(&self.world, Rng::new(stream, 5), cuts);
        let remote = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1 + self.number as u8));
        if !self.reception.receive(ours, remote) {
            return Err(Gone);
        }
        let mut talk = Talk::new(theirs, PATIENCE);
        expect(&mut talk, 220).await?;
        talk.say(format!("EHLO client{}.example\r\n", self.number).as_bytes()).await?;
        expect(&mut talk, 250).await?;
        let user = USERS[self.number % USERS.len()];
        let token = base64::engine::general_purpose::STANDARD.encode(format!("\0{}\0{}", user.name, user.password));
        talk.say(format!("AUTH PLAIN {token}\r\n").as_bytes()).await?;
        expect(&mut talk, 235).await?;
        for _ in 0..self.rng.between(1, 8) {
            let Some(key) = self.world.mail().next_letter(self.number) else { break };
            self.send(&mut talk, key).await?;
        }
        if self.rng.chance(900) {
            talk.say(b"QUIT\r\n").await?;
            expect(&mut talk, 221).await?;
        }
        talk.close().await;
        Ok(())
    }

    /// Sends one letter. Fails where the session is of no use any more.
    async fn send(&mut self, talk: &mut Talk, key: usize) -> Result<(), Gone> {
        let (token, letter) = {
            let mut mail = self.world.mail();
            let token = mail.begin(key);
            (token, mail.letters[key].clone())
        };
        self.world.tell(format_args!("client {} sends {token}", self.number));
        let content = letter.content(&token);
        let is_calm = self.world.is_calm();
        let by_chunks = self.rng.chance(250);
        let pipelined = self.rng.chance(500);
        let abandons = !is_calm && self.rng.chance(20);
        let taken = if pipelined { at_once(talk, &letter).await? } else { in_turn(talk, &letter).await? };
        if taken.is_over_quota {
            let refused = self.world.mail().quota_refused(key, taken.recipients.is_empty());
            if let Err(fault) = refused {
                self.world.violation(fault);
            }
        }
        if taken.recipients.is_empty() {
            return Err(Gone);
        }
        if by_chunks {
            self.chunks(talk, &token, &content, abandons).await?;
        } else {
            self.data(talk, &token, &content, abandons).await?;
        }
        if !is_calm && self.rng.chance(25) {
            // the reply is on its way, or will be, and nobody hears it
            self.world.fault(Fault::ReplyLost);
            let wait = self.rng.between(0, 30);
            tokio::time::sleep(Duration::from_millis(wait)).await;
            talk.end().lose(Loss::Broken);
            return Err(Gone);
        }
        self.hear(talk, &token, &taken.recipients).await
    }

    /// Hears what became of the content.
    async fn hear(&mut self, talk: &mut Talk, token: &str, accepted: &[String]) -> Result<(), Gone> {
        let (code, text) = talk.reply().await?;
        self.world.tell(format_args!("client {} hears {code} for {token}", self.number));
        let heard = self.world.mail().replied(token, accepted, code, &text);
        if let Err(fault) = heard {
            self.world.violation(fault);
        }
        match code {
            250 => Ok(()),
            _ => {
                tokio::time::sleep(Duration::from_secs(self.rng.between(1, 20))).await;
                if code == 421 { Err(Gone) } else { Ok(()) }
            }
        }
    }

    fn end_of(&self, token: &str, talk: &Talk, more: usize) {
        let mark = talk.end().mark(more);
        self.world.mail().end_sent(token, mark);
    }

    async fn data(&mut self, talk: &mut Talk, token: &str, content: &[u8], abandons: bool) -> Result<(), Gone> {
        talk.say(b"DATA\r\n").await?;
        expect(talk, 354).await?;
        let wire = doubled(content);
        if abandons {
            self.abandon(talk, &wire).await?;
        }
        // in pieces, as a network brings them
        let mut from = 0;
        while from < wire.len() {
            let to = (from + self.rng.between(1, 6_000) as usize).min(wire.len());
            if to == wire.len() {
                self.end_of(token, talk, wire.len() - from);
            }
            talk.say(&wire[from..to]).await?;
            from = to;
        }
        Ok(())
    }

    async fn chunks(&mut self, talk: &mut Talk, token: &str, content: &[u8], abandons: bool) -> Result<(), Gone> {
        let cut = self.rng.below(content.len() as u64) as usize;
        if cut > 0 {
            talk.say(format!("BDAT {cut}\r\n").as_bytes()).await?;
            if abandons {
                self.abandon(talk, &content[..cut]).await?;
            }
            talk.say(&content[..cut]).await?;
            expect(talk, 250).await?;
        }
        let last = format!("BDAT {} LAST\r\n", content.len() - cut);
        self.end_of(token, talk, last.len() + content.len() - cut);
        talk.say(last.as_bytes()).await?;
        talk.say(&content[cut..]).await.map(|_| ())
    }

    /// Says some of it, and hangs up.
    async fn abandon(&mut self, talk: &mut Talk, wire: &[u8]) -> Result<(), Gone> {
        self.world.fault(Fault::ClientAbandons);
        let some = self.rng.below((wire.len() as u64).saturating_sub(2)) as usize;
        talk.say(&wire[..some]).await?;
        Err(Gone)
    }
}

/// What the relay took of an envelope.
#[derive(Default)]
struct Taken {
    recipients: Vec<String>,
    /// A recipient was refused because a quota is reached.
    is_over_quota: bool,
}

impl Taken {
    fn hear(&mut self, recipient: &str, code: u16, text: &str) {
        self.is_over_quota |= code == 452 && text.starts_with(QUOTA);
        if code == 250 {
            self.recipients.push(recipient.to_owned());
        }
    }
}

fn mail_from(letter: &Letter) -> String {
    let body = if letter.is_eight_bit { " BODY=8BITMIME" } else { "" };
    format!("MAIL FROM:<app@shop{}.example>{body}{}\r\n", letter.shop(), letter.asked_of_all())
}

/// Says the envelope in one piece, then hears the replies.
async fn at_once(talk: &mut Talk, letter: &Letter) -> Result<Taken, Gone> {
    let mut commands = mail_from(letter);
    for (place, recipient) in letter.recipients.iter().enumerate() {
        commands.push_str(&format!("RCPT TO:<{recipient}>{}\r\n", letter.asked(place)));
    }
    talk.say(commands.as_bytes()).await?;
    let (mut code, _) = talk.reply().await?;
    let mut taken = Taken::default();
    for recipient in &letter.recipients {
        let (reply, text) = talk.reply().await?;
        taken.hear(recipient, if code == 250 { reply } else { code }, &text);
        code = if reply == 421 { 421 } else { code };
    }
    if code == 250 { Ok(taken) } else { Err(Gone) }
}

/// Says one command after the other, and hears the reply to each.
async fn in_turn(talk: &mut Talk, letter: &Letter) -> Result<Taken, Gone> {
    talk.say(mail_from(letter).as_bytes()).await?;
    expect(talk, 250).await?;
    let mut taken = Taken::default();
    for (place, recipient) in letter.recipients.iter().enumerate() {
        talk.say(format!("RCPT TO:<{recipient}>{}\r\n", letter.asked(place)).as_bytes()).await?;
        let (reply, text) = talk.reply().await?;
        taken.hear(recipient, reply, &text);
    }
    Ok(taken)
}

async fn expect(talk: &mut Talk, code: u16) -> Result<(), Gone> {
    let (found, _) = talk.reply().await?;
    if found == code { Ok(()) } else { Err(Gone) }
}
