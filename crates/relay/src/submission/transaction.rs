//! MAIL to end of data: what is taken, and the envelope that is kept.

use message::admission::{AdmissionError, Inspection, Stamp};
use smtp::address::{Address, ReversePath};
use smtp::envelope::{MailParameters, RcptParameters};
use smtp::replies;
use smtp::server::Answer;
use std::time::Duration;

use super::{Submission, Visit, lock};
use crate::clock::{Day, Timestamp};
use crate::dice::Dice;
use crate::directory::Directory;
use crate::id::MessageId;
use crate::notification::{self, Requests};
use crate::policy::{self, Refusal, Taking};
use crate::priority::Priority;
use crate::queue::{ContentFacts, Envelope, Origin, SessionFacts, TlsWish};
use crate::quota::{Exhausted, Quota, Reservation};
use crate::sending_domain::SendingDomain;
use crate::smtp_user::SmtpUser;
use crate::unsubscribe::Wish;

/// What one transaction has come to.
#[derive(Debug)]
pub(super) struct Transaction {
    /// When MAIL came.
    pub(super) begun: Timestamp,
    pub(super) reverse_path: ReversePath,
    pub(super) parameters: MailParameters,
    pub(super) recipients: Vec<Address>,
    pub(super) suppressed: Vec<Address>,
    /// What was asked about notifications.
    pub(super) requests: Requests,
    pub(super) priority: Priority,
    /// What it holds of the account's quota.
    pub(super) reservation: Reservation,
    /// A recipient was refused and the SMTP user sends all or nothing.
    pub(super) refused: bool,
    /// Set when content may begin.
    pub(super) message: Option<MessageId>,
    /// Known once the content was read.
    pub(super) subject: String,
}

impl Visit {
    /// The user that is logged in, as it stands, and its domain.
    ///
    /// # Errors
    /// The login no longer holds: the answer that ends the session.
    fn standing<'a>(
        &self,
        directory: &'a Directory,
        now: Timestamp,
    ) -> Result<(&'a SmtpUser, &'a SendingDomain), Answer> {
        // the machine asks nothing of a transaction before a login
        let identity = self.identity.ok_or_else(|| Answer::Close(replies::session_revoked()))?;
        let user = self.user(directory, identity, now);
        let domain = user.and_then(|user| directory.domains.get(&user.domain));
        user.zip(domain.map(|domain| &**domain)).ok_or_else(|| Answer::Close(replies::session_revoked()))
    }

    pub(super) fn on_mail(
        &mut self,
        shared: &Submission,
        directory: &Directory,
        path: &ReversePath,
        parameters: &MailParameters,
        now: Timestamp,
    ) -> Result<Answer, Answer> {
        let (user, domain) = self.standing(directory, now)?;
        policy::reverse_path(user, domain, path).map_err(|refusal| self.no(refusal))?;
        if let Some(refusal) = policy::braked(user, directory) {
            self.wait = Some(policy::BRAKE_RETRY_SECONDS);
            return Err(self.no(refusal));
        }
        let in_time = lock(&shared.rate).on_message(user.id, now);
        in_time.map_err(|seconds| {
            self.wait = Some(seconds);
            self.no(Refusal::plain(replies::rate_limited(seconds)))
        })?;
        let reservation = shared.usage.reservation(user.account);
        let asked = parameters.priority.and_then(Priority::new);
        let priority = policy::priority(user, asked, shared.client_priority_max);
        self.ended = None;
        self.transaction = Some(Transaction {
            begun: now,
            reverse_path: path.clone(),
            parameters: parameters.clone(),
            recipients: Vec::new(),
            suppressed: Vec::new(),
            requests: Requests { ret: parameters.ret, envid: parameters.envid.clone(), ..Requests::default() },
            priority,
            reservation,
            refused: false,
            message: None,
            subject: String::new(),
        });
        Ok(match asked {
            Some(asked) if asked != priority => Answer::YesAt(priority.value()),
            _ => Answer::Yes,
        })
    }

    pub(super) fn on_recipient(
        &mut self,
        directory: &Directory,
        path: &Address,
        parameters: &RcptParameters,
        now: Timestamp,
    ) -> Result<(), Answer> {
        let (user, _) = self.standing(directory, now)?;
        if self.transaction.as_ref().is_some_and(|transaction| transaction.refused) {
            return Err(self.no(Refusal::plain(replies::all_or_nothing())));
        }
        let names_another = self.transaction.as_ref().is_some_and(|transaction| transaction.names_another(path));
        if user.rules.one_click_unsubscribe && names_another {
            return Err(self.no(Refusal::plain(replies::recipients_one())));
        }
        let is_suppressed = match policy::forward_path(user, directory, path, now) {
            Taking::Refuse(refusal) => return Err(self.no(refusal)),
            Taking::Deliver => false,
            Taking::Suppress => true,
        };
        let (quota, day) = quota_of(user, directory, now);
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        let taken = transaction.take((path, parameters), is_suppressed, &quota, day);
        taken.map_err(|exhausted| self.no(quota_reached(exhausted, user, directory)))
    }

    pub(super) fn on_begin(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        dice: &mut dyn Dice,
    ) -> Result<(), Answer> {
        self.standing(directory, now)?;
        match &mut self.transaction {
            Some(transaction) if !transaction.refused => {
                transaction.message = Some(self.reserved.take().unwrap_or_else(|| MessageId::new(now, dice)));
                Ok(())
            }
            _ => Err(self.no(Refusal::plain(replies::all_or_nothing()))),
        }
    }

    /// What goes in front of the content that begins now.
    pub fn stamp(&self, shared: &Submission, directory: &Directory, protocol: &'static str, now: Timestamp) -> Stamp {
        let message = self.message().map(|message| message.to_string()).unwrap_or_default();
        // one recipient may be named; one of several, or the one that is left of several, never: Bcc
        let only = self.transaction.as_ref().and_then(Transaction::only);
        let domain = self.standing(directory, now).map_or(&*shared.hostname, |(_, domain)| &*domain.name);
        let link = shared.links.as_ref().and_then(|links| links.link(&self.wish(directory, now)?));
        Stamp {
            hostname: shared.hostname.clone(),
            session: self.session.to_string(),
            protocol,
            message,
            recipient: only.map(ToString::to_string),
            priority: self.transaction.as_ref().and_then(|transaction| transaction.parameters.priority),
            seconds: now.0 / 1_000,
            domain: domain.to_owned(),
            unsubscribe: link,
        }
    }

    /// What its recipient would ask for by the link in the message that begins now; none where it has none.
    pub(super) fn wish(&self, directory: &Directory, now: Timestamp) -> Option<Wish> {
        let (user, _) = self.standing(directory, now).ok()?;
        let only = self.transaction.as_ref().and_then(Transaction::only)?;
        user.rules.one_click_unsubscribe.then(|| Wish::of(user, only, now))
    }

    /// The content ended and was read: the envelope to commit, if it may be accepted. Everything that
    /// may have changed since MAIL is looked at again.
    ///
    /// # Errors
    /// The answer that refuses it; or the one with the id of an earlier message that it is once more.
    pub fn admit(
        &mut self,
        directory: &Directory,
        inspection: Result<Inspection, AdmissionError>,
        client_name: &str,
        now: Timestamp,
    ) -> Result<Envelope, Answer> {
        let (user, domain) = self.standing(directory, now)?;
        let inspection = inspection.map_err(|error| self.no(Refusal::plain(inadmissible(error))))?;
        if let Some(transaction) = &mut self.transaction {
            transaction.subject.clone_from(&inspection.subject);
        }
        let from = policy::from(user, domain, &inspection.from).map_err(|refusal| self.no(refusal))?;
        if let Some(first) = inspection.repeats {
            return Err(Answer::Queued(first));
        }
        self.knows_for = user.rules.repeat_seconds.map(Duration::from_secs);
        let session = SessionFacts {
            session: self.session,
            remote: self.remote,
            client_name: client_name.to_owned(),
            tls: self.tls.clone(),
            milliseconds: self.transaction.as_ref().map(|transaction| now.0.saturating_sub(transaction.begun.0)),
        };
        let (quota, day) = quota_of(user, directory, now);
        let Some(transaction) = &mut self.transaction else {
            return Err(Answer::Close(replies::session_revoked()));
        };
        let recipients = transaction.recipients.len() as u64;
        let reserved = transaction.reservation.reserve(&quota, recipients, day);
        if let Err(exhausted) = reserved {
            return Err(self.no(quota_reached(exhausted, user, directory)));
        }
        transaction.reservation.on_commit();
        Ok(transaction.envelope(user, session, from, &inspection, (now, day)))
    }

    /// The message was committed: its transaction is over.
    pub fn on_accepted(&mut self) {
        if let Some(mut transaction) = self.transaction.take() {
            transaction.reservation.charge();
        }
        self.ended = None;
    }
}

impl Transaction {
    /// Its recipient, where it goes to one and no other was named.
    fn only(&self) -> Option<&Address> {
        match (&*self.recipients, &*self.suppressed) {
            ([only], []) => Some(only),
            _ => None,
        }
    }

    /// Whether it goes to somebody else than this one already.
    fn names_another(&self, path: &Address) -> bool {
        self.recipients.iter().chain(&self.suppressed).any(|known| known != path)
    }

    /// Takes a recipient, once however often it is named, with what was asked about it first. One that is not delivered
    /// to counts towards no quota.
    fn take(
        &mut self,
        (path, parameters): (&Address, &RcptParameters),
        is_suppressed: bool,
        quota: &Quota,
        day: Day,
    ) -> Result<(), Exhausted> {
        let (list, requests) = match is_suppressed {
            true => (&mut self.suppressed, &mut self.requests.suppressed),
            false => (&mut self.recipients, &mut self.requests.recipients),
        };
        if list.contains(path) {
            return Ok(());
        }
        if !is_suppressed && quota.recipients.is_some() {
            self.reservation.reserve(quota, list.len() as u64 + 1, day)?;
        }
        notification::ask(requests, list.len(), parameters);
        list.push(path.clone());
        Ok(())
    }

    /// What the client wants of TLS: what MAIL says goes before what the header says (RFC 8689 §4.1).
    fn tls_wish(&self, inspection: &Inspection) -> TlsWish {
        match (self.parameters.require_tls, inspection.waives_tls) {
            (true, _) => TlsWish::Required,
            (false, true) => TlsWish::Waived,
            (false, false) => TlsWish::AsAsked,
        }
    }

    fn envelope(
        &self,
        user: &SmtpUser,
        session: SessionFacts,
        from: &str,
        inspection: &Inspection,
        (now, day): (Timestamp, Day),
    ) -> Envelope {
        Envelope {
            message: self.message.unwrap_or(MessageId(0)),
            account: user.account,
            user: Some(user.id),
            domain: Some(user.domain),
            origin: Origin::Submission,
            reverse_path: self.reverse_path.clone(),
            recipients: self.recipients.clone(),
            suppressed: self.suppressed.clone(),
            // raw octets in a header field of a client that never said SMTPUTF8 go as they are, as
            // they always did; said by habit, it is needed where something really is beyond ASCII
            header_needs_smtputf8: self.parameters.smtputf8 && inspection.header_eight_bit,
            needs_eight_bit: inspection.header_eight_bit || inspection.body_eight_bit,
            accepted_at: now,
            days_ahead: day.ahead_of(now.day()).unwrap_or_default(),
            retry_for: user.rules.retry_seconds.map(Duration::from_secs),
            sandbox: user.rules.sandbox,
            facts: ContentFacts {
                octets: inspection.octets,
                header_octets: inspection.header_octets,
                sha256: inspection.sha256,
                subject: inspection.subject.clone(),
                from: from.to_owned(),
                message_id: inspection.message_id.clone(),
            },
            session: Some(session),
            requests: self.requests.kept(),
            tls_wish: self.tls_wish(inspection),
            priority: self.priority,
        }
    }
}

/// The quota of an SMTP user's account, and the day that what is taken now counts on.
fn quota_of(user: &SmtpUser, directory: &Directory, now: Timestamp) -> (Quota, Day) {
    // no user stands without its account
    let Some(account) = directory.accounts.get(&user.account) else { return (Quota::default(), now.day()) };
    let day = account.day(now);
    (account.quota(&directory.plans, day), day)
}

fn quota_reached(Exhausted { recipients, renews }: Exhausted, user: &SmtpUser, directory: &Directory) -> Refusal {
    let account = directory.accounts.get(&user.account);
    // the moment with its offset: whoever reads it, wherever, reads the same
    let renews = account.map_or_else(|| renews.to_string(), |account| account.time_zone.beginning(renews));
    let reason = format!(
        "The account's quota of {recipients} recipients a month is reached; it renews on {renews}. Nothing was sent to \
         this recipient."
    );
    Refusal { reply: replies::quota_reached(recipients, &renews), reason }
}

fn inadmissible(error: AdmissionError) -> smtp::reply::Reply {
    match error {
        AdmissionError::Nul => replies::content_nul(),
        AdmissionError::Loop => replies::content_loop(),
        AdmissionError::HeaderTooLong => replies::header_too_long(),
    }
}
