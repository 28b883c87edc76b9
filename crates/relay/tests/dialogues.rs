//! Every dialogue in memory, at 1, 2, 3 and all octets per read: the machine, admission and the decisions together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "../../../tests/dialogues/coverage.rs"]
mod coverage;
#[path = "../../../tests/dialogues/harness.rs"]
mod harness;

use bytes::BytesMut;
use harness::{DOMAIN, HOSTNAME, Kept, NOW, PASSWORD, Player, Scene, Script, USERNAME};
use message::admission::{Admission, AdmissionError};
use relay::account::{Account, AccountState, Contacts};
use relay::credential::PasswordKey;
use relay::dice::Dice;
use relay::directory::Directory;
use relay::id::{Id, SessionId};
use relay::language::Language;
use relay::plan::{Plan, Subscription};
use relay::sending_domain::SendingDomain;
use relay::smtp_user::SmtpUser;
use relay::store::{Block, StoreError};
use relay::submission::{Submission, Visit};
use relay::suppression::Suppression;
use smtp::replies;
use smtp::server::{Answer, Question, Security, Session, Step, When};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const KEY: [u8; 32] = [9; 32];

/// Octets that look random and are the same in each run.
struct Loaded(u64);

impl Dice for Loaded {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *octet = (self.0 >> 56) as u8;
        }
    }
}

/// The account, domain and SMTP user of a scene.
fn directory(scene: &Scene) -> Directory {
    let (account, domain, user) = (Id::new(1), Id::new(2), Id::new(3));
    let state = if scene.suspended { AccountState::Suspended } else { AccountState::Active };
    let account = Account {
        id: account,
        name: "Shop".to_owned(),
        state,
        activity_days: None,
        own_quota: scene.quota(),
        subscription: if scene.without_plan { Subscription::none() } else { Subscription::to(Plan::BUILT_IN) },
        contacts: Contacts::default(),
        time_zone: relay::time_zone::TimeZone::utc(),
        language: Language::English,
        created_at: NOW,
    };
    let domain =
        SendingDomain { state: scene.domain, ..SendingDomain::new(domain, account.id, DOMAIN, Vec::new(), NOW) };
    let user = SmtpUser {
        id: user,
        account: account.id,
        domain: domain.id,
        name: "The shop".to_owned(),
        username: USERNAME.to_owned(),
        passwords: vec![PasswordKey::new(KEY).hash(PASSWORD.as_bytes())],
        enabled: scene.enabled,
        rules: scene.rules.clone(),
        created_at: NOW,
    };
    let suppressed = scene.suppressed.iter().map(|address| (address.clone(), Suppression::manual("", NOW))).collect();
    Directory {
        generation: 1,
        suppressions: [(account.id, Arc::new(suppressed))].into_iter().collect(),
        usernames: [(user.username.clone(), user.id)].into_iter().collect(),
        accounts: [(account.id, Arc::new(account))].into_iter().collect(),
        plans: [(Plan::BUILT_IN, Arc::new(Plan::built_in()))].into_iter().collect(),
        domains: [(domain.id, Arc::new(domain))].into_iter().collect(),
        users: [(user.id, Arc::new(user))].into_iter().collect(),
        ..Directory::default()
    }
}

/// The driver of one session, without a socket.
struct Driver {
    session: Session,
    visit: Visit,
    submission: Submission,
    directory: Directory,
    store: Option<String>,
    dice: Loaded,
    /// Octets per read.
    step: usize,
    input: BytesMut,
    output: BytesMut,
    admission: Option<Admission>,
    refused: Option<AdmissionError>,
    draft: Vec<u8>,
    handshake: bool,
    closed: bool,
    kept: Vec<Kept>,
    noted: Vec<(String, String)>,
}

impl Driver {
    fn new(scene: &Scene, step: usize) -> Driver {
        let mut dice = Loaded(7);
        let submission = Submission::new(HOSTNAME, &scene.limits, Vec::new(), KEY, &mut dice);
        if scene.blocked {
            let block = Block {
                address: REMOTE,
                cause: "5 wrong passwords".to_owned(),
                since: NOW,
                until: NOW.after(std::time::Duration::from_secs(900)),
                seconds: 900,
                accounts: Vec::new(),
            };
            submission.restore(vec![block], &[]);
        }
        let mut visit = Visit::new(SessionId::new(NOW, &mut dice), REMOTE, submission.slots().enter().unwrap());
        let security = if scene.starttls { Security::Clear } else { Security::Tls };
        if security == Security::Tls {
            visit.on_tls("TLS 1.3");
        }
        let mut session = Session::new(scene.limits.session(HOSTNAME), security);
        if let Err(reply) = submission.greet(&mut visit, NOW) {
            session.end(reply, When::Now);
        }
        let mut driver = Driver {
            session,
            visit,
            submission,
            directory: directory(scene),
            store: scene.store.clone(),
            dice,
            step,
            input: BytesMut::new(),
            output: BytesMut::new(),
            admission: None,
            refused: None,
            draft: Vec::new(),
            handshake: false,
            closed: false,
            kept: Vec::new(),
            noted: Vec::new(),
        };
        driver.pump();
        driver
    }

    /// Carries out steps until octets are needed.
    fn pump(&mut self) {
        while !self.closed && !self.handshake {
            match self.session.step(&mut self.input) {
                Step::Read => return,
                Step::Send { reply, about } => {
                    reply.render(&mut self.output);
                    let notices = self.visit.on_reply(&self.submission, &self.directory, &reply, &about, NOW);
                    if self.visit.refuses_rest() {
                        self.session.refuse_rest();
                    }
                    self.noted.extend(notices.into_iter().map(|notice| (notice.reference, notice.recipient)));
                }
                Step::Ask(question) => self.decide(&question),
                Step::Content(octets) => {
                    let admitted = self.admission.as_mut().unwrap().on_content(octets);
                    match admitted {
                        Ok(pieces) => pieces.iter().for_each(|piece| self.draft.extend_from_slice(piece)),
                        Err(error) => self.refused = self.refused.or(Some(error)),
                    }
                }
                Step::Abandon => {
                    self.admission = None;
                    self.visit.on_abandon();
                }
                Step::StartTls => self.handshake = true,
                Step::Close => self.closed = true,
            }
        }
    }

    fn decide(&mut self, question: &Question) {
        if let Question::Accept { .. } = question {
            let answer = self.accept();
            return self.session.answer(answer);
        }
        if matches!(question, Question::Authenticate { .. }) && self.store.as_deref() == Some("unavailable") {
            let answer = self.visit.refuse(replies::auth_unavailable(), "The store cannot be asked.");
            return self.session.answer(answer);
        }
        let decision = self.visit.decide(&self.submission, &self.directory, question, NOW, &mut self.dice);
        if matches!((question, &decision.answer), (Question::Begin, Answer::Yes)) {
            let stamp = self.visit.stamp(&self.submission, &self.directory, self.session.protocol(), NOW);
            self.admission = Some(Admission::new(stamp));
            self.refused = None;
            self.draft.clear();
        }
        self.session.answer(decision.answer);
        if let Some(reply) = decision.end {
            self.session.end(reply, When::NextCommand);
        }
    }

    fn accept(&mut self) -> Answer {
        let admission = self.admission.take().unwrap();
        let inspection = match self.refused {
            Some(error) => Err(error),
            None => admission.finish().map(|(pieces, inspection)| {
                pieces.iter().for_each(|piece| self.draft.extend_from_slice(piece));
                inspection
            }),
        };
        let name = self.session.client_name().unwrap_or_default().to_owned();
        let envelope = match self.visit.admit(&self.directory, inspection, &name, NOW) {
            Ok(envelope) => envelope,
            Err(answer) => return answer,
        };
        match self.store.take().as_deref() {
            Some("full") => return self.visit.on_not_kept(&StoreError::NoRoom("the disk is full".to_owned())),
            Some("failing") => return self.visit.on_not_kept(&StoreError::Latched("input/output error".to_owned())),
            _ => {}
        }
        self.visit.on_accepted();
        let utf8 = envelope.needs_smtputf8(&envelope.recipients).then_some("smtputf8");
        let eight = envelope.needs_eight_bit.then_some("8bitmime");
        self.kept.push(Kept {
            reverse_path: envelope.reverse_path.to_string(),
            recipients: envelope.recipients.iter().map(ToString::to_string).collect(),
            suppressed: envelope.suppressed.iter().map(ToString::to_string).collect(),
            needs: utf8.into_iter().chain(eight).collect(),
            content: std::mem::take(&mut self.draft),
        });
        Answer::Queued(envelope.message.to_string())
    }

    fn user(&mut self) -> &mut SmtpUser {
        let user = self.directory.users.get_mut(&Id::new(3)).unwrap();
        Arc::make_mut(user)
    }
}

impl Player for Driver {
    fn send(&mut self, octets: &[u8]) {
        for piece in octets.chunks(self.step) {
            if self.closed || self.handshake {
                // what came behind STARTTLS in the same write is lost
                return;
            }
            self.input.extend_from_slice(piece);
            self.pump();
        }
    }

    fn line(&mut self) -> Option<String> {
        let Some(end) = self.output.windows(2).position(|pair| pair == b"\r\n") else {
            assert!(self.closed, "the server is silent");
            return None;
        };
        let line = self.output.split_to(end + 2);
        Some(String::from_utf8(line[..end].to_vec()).unwrap())
    }

    fn unasked(&mut self) -> Vec<String> {
        let text = String::from_utf8(self.output.to_vec()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn tls(&mut self) {
        assert!(self.handshake, "no handshake is awaited");
        self.handshake = false;
        self.visit.on_tls("TLS 1.3");
        self.session.on_tls();
        self.pump();
    }

    fn hang_up(&mut self) {
        // a driver drops session and draft
        self.visit.on_abandon();
        self.admission = None;
        self.closed = true;
    }

    fn event(&mut self, event: &str) {
        match event {
            "disable user" => self.user().enabled = false,
            "reset password" => self.user().passwords = vec![PasswordKey::new(KEY).hash(b"another")],
            "delete user" => drop(self.directory.users.remove(&Id::new(3))),
            "suspend account" => {
                let account = self.directory.accounts.get_mut(&Id::new(1)).unwrap();
                Arc::make_mut(account).state = AccountState::Suspended;
            }
            "fall silent" => self.session.end(replies::idle(), When::Now),
            "shut down" => self.session.end(replies::shutting_down(), When::BetweenTransactions),
            other => panic!("no such event: {other}"),
        }
        if let Some(reply) = self.visit.revoked(&self.directory, NOW) {
            self.session.end(reply, When::NextCommand);
        }
        self.pump();
    }

    fn kept(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.kept)
    }

    fn noted(&mut self) -> Option<Vec<(String, String)>> {
        Some(std::mem::take(&mut self.noted))
    }
}

fn replay(step: usize) {
    let scripts: Vec<Script> = harness::all().into_iter().filter(|script| script.is_for("memory")).collect();
    let mut failed = Vec::new();
    for script in &scripts {
        let run = || harness::play(script, &mut Driver::new(&script.scene, step));
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
            failed.push(script.name.as_str());
        }
    }
    assert!(failed.is_empty(), "{} of {} dialogues failed: {failed:?}", failed.len(), scripts.len());
}

#[test]
fn one_octet_per_read() {
    replay(1);
}

#[test]
fn two_octets_per_read() {
    replay(2);
}

#[test]
fn three_octets_per_read() {
    replay(3);
}

#[test]
fn all_octets_at_once() {
    replay(usize::MAX);
}
