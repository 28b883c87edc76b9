//! A relay with one account, one domain and two users, and the questions of a session in one line each.

use message::admission::{AdmissionError, From, Inspection};
use smtp::address::{Address, ReversePath};
use smtp::envelope::{MailParameters, RcptParameters};
use smtp::sasl::Mechanism;
use smtp::server::{About, Secret};
use std::sync::Arc;

use super::super::*;
use crate::account::{Account, AccountState, Contacts};
use crate::dice::Seeded;
use crate::language::Language;
use crate::plan::{Plan, Subscription};
use crate::queue::Envelope;
use crate::quota::Quota;
use crate::sending_domain::{DomainState, SendingDomain};
use crate::smtp_user::UserRules;

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);
pub(super) const KEY: [u8; 32] = [7; 32];

/// One account, one vouched domain, two users: `alice` with password `right`, `bob` with `other`.
pub(super) struct Scene {
    pub(super) shared: Submission,
    pub(super) directory: Directory,
    pub(super) dice: Seeded,
    pub(super) now: Timestamp,
}

impl Scene {
    pub(super) fn new() -> Scene {
        Scene::with(Limits::default(), |_| {})
    }

    pub(super) fn with(limits: Limits, rules: impl FnOnce(&mut UserRules)) -> Scene {
        let mut dice = Seeded::new(1);
        let shared = Submission::new("relay.example.net", &limits, vec![], KEY, &mut dice);
        let account = Account {
            id: Id::new(1),
            name: "Acme".into(),
            state: AccountState::Active,
            activity_days: None,
            own_quota: Quota::default(),
            subscription: Subscription::to(Plan::BUILT_IN),
            contacts: Contacts::default(),
            time_zone: crate::time_zone::TimeZone::utc(),
            language: Language::English,
            created_at: Timestamp(0),
        };
        let domain = SendingDomain {
            state: DomainState::Vouched,
            ..SendingDomain::new(Id::new(1), account.id, "xn--caf-dma.example", vec![], Timestamp(0))
        };
        let key = PasswordKey::new(KEY);
        let mut alice = SmtpUser {
            id: Id::new(1),
            account: account.id,
            domain: domain.id,
            name: "Shop".into(),
            username: "alice".into(),
            passwords: vec![key.hash(b"right"), key.hash(b"second")],
            enabled: true,
            rules: UserRules::default(),
            created_at: Timestamp(0),
        };
        let bob =
            SmtpUser { id: Id::new(2), username: "bob".into(), passwords: vec![key.hash(b"other")], ..alice.clone() };
        rules(&mut alice.rules);
        let mut directory = Directory::default();
        directory.accounts.insert(account.id, Arc::new(account));
        directory.plans.insert(Plan::BUILT_IN, Arc::new(Plan::built_in()));
        directory.domains.insert(domain.id, Arc::new(domain));
        for user in [alice, bob] {
            directory.usernames.insert(user.username.clone(), user.id);
            directory.users.insert(user.id, Arc::new(user));
        }
        Scene { shared, directory, dice, now: NOW }
    }

    pub(super) fn visit(&mut self, from: &str) -> Visit {
        let place = self.shared.slots().enter().unwrap();
        let mut visit = Visit::new(SessionId::new(self.now, &mut self.dice), from.parse().unwrap(), place);
        self.shared.greet(&mut visit, self.now).unwrap();
        visit.on_tls("TLS 1.3");
        visit
    }

    pub(super) fn ask(&mut self, visit: &mut Visit, question: &Question) -> Decision {
        visit.decide(&self.shared, &self.directory, question, self.now, &mut self.dice)
    }

    pub(super) fn login(&mut self, visit: &mut Visit, username: &str, password: &str) -> Decision {
        self.login_by(Mechanism::Plain, visit, username, password)
    }

    pub(super) fn login_by(
        &mut self,
        mechanism: Mechanism,
        visit: &mut Visit,
        username: &str,
        password: &str,
    ) -> Decision {
        let secret = Secret::new(password.into());
        self.ask(visit, &Question::Authenticate { username: username.into(), secret, mechanism })
    }

    pub(super) fn alice(&mut self) -> Visit {
        let mut visit = self.visit("192.0.2.1");
        assert!(yes(&self.login(&mut visit, "alice", "right")));
        visit
    }

    pub(super) fn mail(&mut self, visit: &mut Visit, path: &str, smtputf8: bool) -> Decision {
        let path = ReversePath::parse(path, true).unwrap();
        let parameters = MailParameters { smtputf8, ..MailParameters::default() };
        self.ask(visit, &Question::ReversePath { path, parameters })
    }

    pub(super) fn recipient(&mut self, visit: &mut Visit, path: &str) -> Decision {
        self.recipient_with(visit, path, RcptParameters::default())
    }

    pub(super) fn recipient_with(&mut self, visit: &mut Visit, path: &str, parameters: RcptParameters) -> Decision {
        self.ask(visit, &Question::ForwardPath { path: Address::parse(path, true).unwrap(), parameters })
    }

    /// MAIL, RCPT and the start of content; each has to be taken.
    pub(super) fn begin(&mut self, visit: &mut Visit, recipients: &[&str]) {
        assert!(yes(&self.mail(visit, "shop@café.example", true)));
        for recipient in recipients {
            assert!(yes(&self.recipient(visit, recipient)));
        }
        assert!(yes(&self.ask(visit, &Question::Begin)));
    }

    pub(super) fn admit(
        &mut self,
        visit: &mut Visit,
        inspection: Result<Inspection, AdmissionError>,
    ) -> Result<Envelope, Answer> {
        visit.admit(&self.directory, inspection, "client.example", self.now)
    }

    pub(super) fn notices(&mut self, visit: &mut Visit, decision: &Decision, about: &About) -> Vec<Notice> {
        visit.on_reply(&self.shared, &self.directory, reply(&decision.answer), about, self.now)
    }

    pub(super) fn user(&mut self, number: u64, change: impl FnOnce(&mut SmtpUser)) {
        change(Arc::make_mut(self.directory.users.get_mut(&Id::new(number)).unwrap()));
    }

    pub(super) fn domain(&mut self, change: impl FnOnce(&mut SendingDomain)) {
        change(Arc::make_mut(self.directory.domains.get_mut(&Id::new(1)).unwrap()));
    }

    pub(super) fn subscription(&mut self, subscription: Subscription) {
        Arc::make_mut(self.directory.accounts.get_mut(&Id::new(1)).unwrap()).subscription = subscription;
    }

    pub(super) fn account(&mut self, state: AccountState) {
        Arc::make_mut(self.directory.accounts.get_mut(&Id::new(1)).unwrap()).state = state;
    }
}

pub(super) fn inspection(from: From) -> Inspection {
    Inspection {
        octets: 100,
        header_octets: 60,
        sha256: [1; 32],
        from,
        subject: "Your order".into(),
        message_id: "<1@example>".into(),
        header_eight_bit: false,
        body_eight_bit: false,
        waives_tls: false,
        repeats: None,
    }
}

pub(super) fn own() -> Inspection {
    inspection(From::One("shop@café.example".into()))
}

pub(super) fn yes(decision: &Decision) -> bool {
    matches!(decision.answer, Answer::Yes)
}

pub(super) fn reply(answer: &Answer) -> &Reply {
    match answer {
        Answer::No { reply, .. } | Answer::Close(reply) => reply,
        other => panic!("not a refusal: {other:?}"),
    }
}

pub(super) fn reference(decision: &Decision) -> &'static str {
    reply(&decision.answer).reference.unwrap()
}

pub(super) fn counts_as_error(decision: &Decision) -> bool {
    matches!(decision.answer, Answer::No { error: true, .. })
}

pub(super) fn username(name: &str) -> About {
    About::Username(name.into())
}
