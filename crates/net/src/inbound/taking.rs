//! A report that has come: what it is, of whom, and what follows from it, on the disk before it is answered.

use bytes::Bytes;
use message::report::{self as mail, Reading};
use relay::authentication::{Authentication, Bringer};
use relay::brake;
use relay::report::{self, Context, Recipient, Report, ReportKind};
use relay::return_path::Token;
use relay::slots::Place;
use relay::store::{Store, StoreError};
use relay::suppression::Suppression;
use smtp::address::{Address, ReversePath};
use smtp::replies;
use smtp::reply::Reply;
use std::sync::{Arc, PoisonError};

use super::Desk;
use super::session::{Addressee, Receiving, Session};
use crate::dispatch::suppress_by_rule;
use crate::offload::Offload;

impl<S: Store> Session<S> {
    /// Takes the content that has come to its end.
    ///
    /// # Errors
    /// What the other server hears: it is to send it again.
    pub(super) async fn take(&mut self) -> Result<(), Reply> {
        let (Some(addressee), Some(receiving)) = (self.addressee.take(), self.receiving.take()) else {
            return Ok(());
        };
        let Receiving { octets, room, .. } = receiving;
        let came = Came { content: octets.freeze(), room, bringer: self.bringer() };
        if let Addressee::Domain(domain) = addressee {
            return self.desk.take_aggregate(domain, came).await.map_err(|error| not_kept(&error));
        }
        let (content, is_null) = (came.content.clone(), self.path == ReversePath::Null);
        let reading = Offload::Threads.run(move || mail::read(&content, is_null)).await.map_err(|error| {
            tracing::error!(%error, "a report could not be read");
            replies::store_failed()
        })?;
        self.desk.act_on(addressee, &reading, came).await
    }
}

/// Content that has come to its end.
pub(super) struct Came {
    pub(super) content: Bytes,
    /// Its place among those that are held in memory.
    room: Place,
    bringer: Bringer,
}

impl Came {
    /// Who vouches for it: after that it is in memory no longer.
    pub(super) async fn authenticated<S: Store>(self, desk: &Desk<S>) -> Authentication {
        let Came { content, room, bringer } = self;
        let known = desk.authenticate(bringer, content).await;
        drop(room);
        known
    }
}

/// What the other server hears, which is to bring it again.
fn not_kept(error: &StoreError) -> Reply {
    tracing::error!(%error, "a report could not be kept");
    match error {
        StoreError::NoRoom(_) => replies::store_full(),
        _ => replies::store_failed(),
    }
}

impl<S: Store> Desk<S> {
    async fn act_on(&self, addressee: Addressee, reading: &Reading, came: Came) -> Result<(), Reply> {
        match reading {
            Reading::Automatic => self.metrics.count("automatic"),
            Reading::Unknown => self.metrics.count("unknown"),
            Reading::Status(_) | Reading::Complaint(_) => {
                let Some(token) = self.token_of(addressee, reading) else {
                    self.metrics.count("nobody");
                    return Ok(());
                };
                let known = came.authenticated(self).await;
                let is_whole = self.keep(&token, reading, &known).await.map_err(|error| not_kept(&error))?;
                return if is_whole { Ok(()) } else { Err(replies::report_early()) };
            }
        }
        Ok(())
    }

    /// The mail that a report is about: that whose address it came to, or which went out with one that a complaint names.
    fn token_of(&self, addressee: Addressee, reading: &Reading) -> Option<Token> {
        let token = match (addressee, reading) {
            (Addressee::Mail(token), _) => token,
            (Addressee::Feedback, Reading::Complaint(complaint)) => {
                let paths = complaint.return_paths.iter().filter_map(|path| Address::parse(path, true).ok());
                paths.filter_map(|path| self.token(&path).ok()).next()?
            }
            (Addressee::Feedback | Addressee::Domain(_), _) => return None,
        };
        // of an account that is gone nobody wants to know
        self.store.directory().accounts.contains_key(&token.account).then_some(token)
    }

    /// Keeps what is reported; whether that is all of it. What is said of mail that is in the queue is not: a next hop may report that
    /// it cannot deliver what it took before its 250 is settled here, and what it says then would be lost. It is to come again.
    async fn keep(&self, token: &Token, reading: &Reading, known: &Authentication) -> Result<bool, StoreError> {
        // reports of one message in turn: of two alike that come together one brings nothing about
        let _turn = self.turns.of(token.message).await;
        let recipients = self.recipients(token).await?;
        let (rules, now, authentication) = (&*self.rules, self.clock.now(), Some(known));
        let context = Context { token, recipients: &recipients, rules, now, authentication };
        let mut is_whole = true;
        for report in report::judge(reading, &context) {
            let meant = recipients.iter().find(|known| Some(known.number) == report.recipient);
            if meant.is_some_and(|known| known.is_waiting) {
                tracing::info!(message_id = %report.message, recipient = report.recipient, "reported too early: it is to come again");
                is_whole = false;
                continue;
            }
            let news = meant.filter(|known| known.is_news(&report));
            // in this order: what is on the record as reported does not suppress any more when it comes again
            self.suppress(&report, news).await?;
            self.store.report(report.clone()).await?;
            self.count_bounced(&report, news);
            self.metrics.taken(&report);
            tracing::info!(
                message_id = %report.message,
                recipient = report.recipient,
                kind = ?report.kind,
                class = report.class.map(relay::outcome::Class::name),
                reply = %report.reply,
                authentication = %known,
                "reported"
            );
        }
        Ok(is_whole)
    }

    /// The recipients of the message, once all of it that is settled is in Activity.
    async fn recipients(&self, token: &Token) -> Result<Vec<Recipient>, StoreError> {
        self.store.caught_up().await;
        let (store, message) = (Arc::clone(&self.store), token.message);
        let found = Offload::Threads.run(move || store.recipients_of(message)).await;
        found.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Counts a first bounce for good towards the automatic brake of its SMTP user and account, unless it is disowned: what another
    /// server took and bounced later says as much of a list as what it refused.
    fn count_bounced(&self, report: &Report, news: Option<&Recipient>) {
        let is_new = news.is_some_and(|known| known.is_delivered);
        if let (ReportKind::HardBounce, true, Some(user)) = (report.kind, is_new, report.user) {
            let (account, accepted) = (report.account, report.message.made_at());
            let released = brake::released_at(&self.store.directory().brakes, account, user);
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.reported((account, user), accepted, released, report.at);
        }
    }

    /// Suppresses the address of a recipient that is bad, or whose owner complained. A report that comes again does not: whoever
    /// lifted the suppression meanwhile knows it.
    ///
    /// # Errors
    /// It is not: the report is to come again, which changes nothing else.
    async fn suppress(&self, report: &Report, news: Option<&Recipient>) -> Result<(), StoreError> {
        let (Some(cause), Some(found)) = (report.suppresses(), news) else { return Ok(()) };
        let suppression = Suppression::by_rule(cause, &report.reply, report.at, cause.lasts(&self.limits));
        let entry = (found.address.to_lowercase(), suppression);
        let (store, account, at) = (Arc::clone(&self.store), report.account, report.at);
        let most = self.limits.account_suppressions_max;
        let kept = Offload::Threads.run(move || suppress_by_rule(&*store, account, &[entry], most, at)).await;
        kept.map_err(|error| StoreError::Unavailable(error.to_string()))?.map(drop)
    }
}
