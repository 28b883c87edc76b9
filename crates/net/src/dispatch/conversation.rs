//! One conversation with a site: its mail servers found, then parcel after parcel, each claimed, sealed, carried, settled.

use std::sync::Arc;
use std::time::Duration;

use relay::account::AccountState;
use relay::brake;
use relay::clock::Timestamp;
use relay::outcome::{self, Ending, Failure, Finding, SiteAction, Stage, unknown};
use relay::queue::{Attempt, Envelope, HoldReason, RecipientState};
use relay::retry;
use relay::return_path::Verp;
use relay::route::Destination;
use relay::schedule::{Action, Complaint, ConversationId, Event, Fault, Parcel};
use relay::source::Source;
use relay::store::{Claimed, Store, StoreError};
use tokio::sync::mpsc;

use super::carrier::Carrier;
use super::claims::Claim;
use super::driver::Driver;
use super::settle::Carried;
use crate::outbound::{self, Delivery};

/// How long a deleted domain's mail is still delivered.
pub(super) const DELETED_DELIVERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// When a message that the store could not read is looked at again.
pub(super) const UNREADABLE_WAIT: Duration = Duration::from_secs(5 * 60);

/// Where a conversation leads, and where it comes from.
pub(super) struct Way {
    pub(super) conversation: ConversationId,
    pub(super) destination: Destination,
    /// None: from the nameless source.
    pub(super) source: Option<Arc<Source>>,
}

/// How far a conversation has come.
struct Progress<L> {
    /// Its mail servers have to be found.
    find: bool,
    line: Option<L>,
    /// The mail server that it came to last; empty at first.
    host: String,
}

/// How a parcel left its conversation.
enum Left {
    /// It came back, by this event where it was not told yet.
    Settled(Option<Event>),
    /// The site could not be reached, or has no room for it now: the conversation is over, the parcel taken back.
    Over,
}

/// Whether a conversation may go on once its mail servers are known.
enum Found {
    /// It may, or they are not known.
    GoOn,
    /// They have no room for it now.
    NoRoom,
    /// The relay stops.
    Stopping,
}

/// What has to become of a parcel before it is carried.
pub(super) enum Before {
    Carry,
    Hold(HoldReason),
    End(Ending),
}

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Carries parcels until it is told to close, or its site cannot be reached.
    pub(super) async fn converse(
        self: Arc<Self>,
        way: Way,
        first: Parcel,
        find: bool,
        mut inbox: mpsc::UnboundedReceiver<Parcel>,
    ) {
        let conversation = way.conversation;
        // whatever happens here, its place is given back
        let _over = Over { driver: self.clone(), conversation };
        let mut progress = Progress { find, line: None, host: String::new() };
        let mut next = Some(first);
        while let Some(parcel) = next {
            let left = self.attempt(&way, &mut progress, parcel).await;
            let Left::Settled(event) = left else {
                return;
            };
            // first the conversation, so that what is due again at once goes over it
            self.tell(Event::Free { conversation, open: progress.line.is_some() });
            if let Some(event) = event {
                self.tell(event);
            }
            next = tokio::select! {
                biased;
                () = self.aborting.cancelled() => None,
                next = inbox.recv() => next,
            };
        }
        if let Some(line) = progress.line {
            tokio::select! {
                biased;
                () = self.aborting.cancelled() => {}
                () = self.carrier.close(line) => {}
            }
        }
    }

    async fn attempt(self: &Arc<Self>, way: &Way, progress: &mut Progress<C::Line>, parcel: Parcel) -> Left {
        let Way { conversation, destination, source } = way;
        let conversation = *conversation;
        // before the claim, so that it is given back after it
        let _in_hand = self.in_hand(&parcel);
        let Some((claim, mut parcel)) = self.claim(parcel).await else { return Left::Settled(None) };
        let Some(mail) = claim.mail() else { return Left::Settled(None) };
        match self.before(mail) {
            Before::Carry => {}
            Before::Hold(reason) => {
                self.hold_parcel(mail, &parcel, reason).await;
                return Left::Settled(None);
            }
            Before::End(ending) => {
                self.end_claimed(mail, &parcel, &ending).await;
                return Left::Settled(None);
            }
        }
        if mail.envelope.sandbox {
            self.take_in(&claim, mail, destination, &parcel).await;
            return Left::Settled(None);
        }
        if progress.find {
            match self.find_hosts(conversation, destination, &mut progress.find, &mut parcel).await {
                // told anew: it belongs to what was found now, or does not
                Found::GoOn => progress.host.clear(),
                Found::NoRoom => return Left::Over,
                Found::Stopping => return Left::Settled(None),
            }
        }
        let Some(seal) = self.seal(&claim, mail, destination, &parcel).await else { return Left::Settled(None) };
        let carried = outbound::Parcel {
            envelope: mail.envelope.clone(),
            recipients: parcel.recipients.clone(),
            transaction_recipients: parcel.transaction_recipients as usize,
            seal: seal.filter(|seal| !seal.is_empty()),
            content: mail.content.clone(),
            return_paths: self.return_paths_of(&mail.envelope),
            source: source.clone(),
        };
        let at = self.clock.now();
        let delivery = tokio::select! {
            biased;
            // the parcel stays in flight: it is repeated after the next start
            () = self.aborting.cancelled() => return Left::Settled(None),
            delivery = self.carrier.deliver(&mut progress.line, destination, &carried, at) => delivery,
        };
        self.metrics.attempted(delivery.attempt.milliseconds);
        self.tell_of_hosts(conversation, &delivery.attempt, &mut progress.host);
        self.tell_of_complaint(conversation, mail, &delivery);
        self.metrics.protected(delivery.protection);
        if let Some((_, finding)) = delivery.findings.first()
            && delivery.findings.iter().all(|(_, finding)| outcome::is_site_down(finding))
        {
            self.metrics.attempts_unreached.inc();
            let fault = Arc::new(Fault { finding: finding.clone(), attempt: delivery.attempt });
            self.tell(Event::Unreached { conversation, parcel: parcel.id, fault });
            return Left::Over;
        }
        self.tell_of_site(conversation, &delivery.findings);
        let elsewhere = self.elsewhere(conversation, &parcel, &delivery.findings);
        let judgements = self.judge(mail, destination, &parcel, &delivery.findings, (Timestamp(0), &elsewhere));
        let carried = Carried { parcel: &parcel, destination, passed_on: &delivery.passed_on };
        let settled = self.keep_outcome(mail, carried, Some(delivery.attempt), judgements).await;
        Left::Settled(settled.map(|settled| settled.event))
    }

    /// What makes the reverse-paths that a message goes out with; none: it goes out with the submitted one.
    fn return_paths_of(&self, envelope: &Envelope) -> Option<Arc<Verp>> {
        let paths = self.settings.return_paths.as_ref()?;
        let directory = self.store.directory();
        let domain = directory.domains.get(&envelope.domain?)?;
        paths.of(envelope, domain, self.clock.now()).map(Arc::new)
    }

    /// Finds which mail servers the conversation leads to, before any is dialled: it may be that others are full of us.
    async fn find_hosts(
        self: &Arc<Self>,
        conversation: ConversationId,
        destination: &Destination,
        find: &mut bool,
        parcel: &mut Parcel,
    ) -> Found {
        let hosts = tokio::select! {
            biased;
            // the parcel stays in flight: it is repeated after the next start
            () = self.aborting.cancelled() => return Found::Stopping,
            hosts = self.carrier.hosts(destination) => hosts,
        };
        // the attempt will say what is wrong with DNS
        let Some(hosts) = hosts else { return Found::GoOn };
        *find = false;
        let is_withdrawn = |action: &Action| matches!(action, Action::Withdraw(which) if *which == conversation);
        let event = Event::Found { conversation, parcel: parcel.id, hosts };
        if !self.tell_and_keep(event, is_withdrawn).is_empty() {
            return Found::NoRoom;
        }
        parcel.transaction_recipients = self.transaction_recipients(conversation);
        Found::GoOn
    }

    /// Tells which mail servers an attempt came to, where these are others than the last that was told of: what is told of the
    /// attempt after that is said of the site that they belong to.
    fn tell_of_hosts(self: &Arc<Self>, conversation: ConversationId, attempt: &Attempt, last: &mut String) {
        for host in attempt.others.iter().map(|other| &other.host).chain([&attempt.host]) {
            if !host.is_empty() && host != last {
                last.clone_from(host);
                self.tell(Event::CameTo { conversation, host: host.clone() });
            }
        }
    }

    /// Tells of a reply that is about us rather than about a message or a mailbox.
    fn tell_of_complaint(self: &Arc<Self>, conversation: ConversationId, mail: &Claimed, delivery: &Delivery) {
        let complaint = delivery.findings.iter().find_map(|(recipient, finding)| {
            let Finding::Replied(stage, reply) = finding else { return None };
            if reply.is_positive() {
                return None;
            }
            let found = self.settings.rules.classify(*stage, reply);
            if matches!(found.site, SiteAction::Nothing | SiteAction::WaitShorter) {
                return None;
            }
            let recipient = mail.envelope.recipients.get(usize::from(*recipient))?;
            Some(Complaint {
                action: found.site,
                class: found.class,
                at_the_door: matches!(stage, Stage::Greeting | Stage::Hello | Stage::Tls),
                account: mail.envelope.account,
                said: unknown::example(reply, recipient),
                source: delivery.attempt.source.clone(),
            })
        });
        if let Some(complaint) = complaint {
            self.tell(Event::Complained { conversation, complaint: Box::new(complaint) });
        }
    }

    /// The recipients that were refused for good because of the source, where they go from another one next.
    fn elsewhere(
        self: &Arc<Self>,
        conversation: ConversationId,
        parcel: &Parcel,
        findings: &[(u16, Finding)],
    ) -> Vec<u16> {
        let refused = findings.iter().filter(|(_, finding)| outcome::is_block(&self.settings.rules, finding));
        let recipients: Vec<u16> = refused.map(|(recipient, _)| *recipient).collect();
        if recipients.is_empty() {
            return recipients;
        }
        let is_answer = |action: &Action| *action == Action::Elsewhere(parcel.id);
        let event = Event::Blocked { conversation, parcel: parcel.id, recipients: recipients.clone() };
        if self.tell_and_keep(event, is_answer).is_empty() { Vec::new() } else { recipients }
    }

    /// Tells what the findings say of the site.
    fn tell_of_site(self: &Arc<Self>, conversation: ConversationId, findings: &[(u16, Finding)]) {
        let is_reached = |(_, finding): &(u16, Finding)| {
            matches!(finding, Finding::Replied(Stage::Mail | Stage::Recipient | Stage::Data | Stage::Content, _))
        };
        let is_broken =
            |(_, finding): &(u16, Finding)| matches!(finding, Finding::Failed(Failure::Lost(_) | Failure::Protocol(_)));
        if findings.iter().any(is_reached) {
            self.metrics.attempts_reached.inc();
            self.tell(Event::Reached(conversation));
        } else {
            self.metrics.attempts_unreached.inc();
        }
        if findings.iter().any(is_broken) {
            self.tell(Event::Broke(conversation));
        }
    }

    /// Claims a parcel's message. None where nothing is to be done with it now: it has been given back.
    pub(super) async fn claim(self: &Arc<Self>, mut parcel: Parcel) -> Option<(Claim<S>, Parcel)> {
        match self.claims.claim(parcel.message).await {
            Ok(Some(claim)) => {
                let states = &claim.mail()?.recipients;
                let is_live = |number: &u16| {
                    states.get(usize::from(*number)).is_some_and(|state| *state != RecipientState::Settled)
                };
                parcel.recipients.retain(is_live);
                if parcel.recipients.is_empty() {
                    self.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
                    return None;
                }
                Some((claim, parcel))
            }
            Ok(None) => {
                self.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
                None
            }
            Err(error @ StoreError::Latched(_)) => {
                self.latch(&error);
                None
            }
            Err(error @ StoreError::Damaged(_)) => {
                tracing::error!(message_id = %parcel.message, %error, "a message is damaged: it is held for the operator");
                self.hold_damaged(&parcel).await;
                None
            }
            Err(error) => {
                tracing::error!(message_id = %parcel.message, %error, "a message cannot be read; it is tried again later");
                self.give_back(&parcel, self.clock.now().after(UNREADABLE_WAIT));
                None
            }
        }
    }

    /// Gives a parcel back as it was, due at `due`.
    pub(super) fn give_back(self: &Arc<Self>, parcel: &Parcel, due: Timestamp) {
        let state = RecipientState::Waiting { due, attempts: parcel.attempts };
        let left = parcel.recipients.iter().map(|recipient| (*recipient, state.clone())).collect();
        self.tell(Event::Settled { parcel: parcel.id, left });
    }

    /// Takes a parcel in hand: a fault of ours that breaks off what is done with it does not lose it.
    pub(super) fn in_hand(self: &Arc<Self>, parcel: &Parcel) -> InHand<S, C> {
        InHand { driver: self.clone(), parcel: parcel.clone() }
    }

    pub(super) fn before(&self, mail: &Claimed) -> Before {
        let directory = self.store.directory();
        let account = directory.accounts.get(&mail.envelope.account);
        if account.is_some_and(|account| account.state == AccountState::Suspended) {
            return Before::Hold(HoldReason::AccountSuspended);
        }
        let (account, user) = (mail.envelope.account, mail.envelope.user);
        if brake::of_user(&directory.brakes, account, user).is_some() {
            return Before::Hold(HoldReason::Brake);
        }
        if directory.leaving.get(&mail.envelope.account).is_some_and(|leaving| leaving.cancels_mail) {
            return Before::End(Ending::AccountDeleted);
        }
        let Some(domain) = mail.envelope.domain.and_then(|domain| directory.domains.get(&domain)) else {
            return Before::Carry;
        };
        match domain.deleted_at {
            Some(deleted_at) if domain.cancels_mail || self.clock.now().since(deleted_at) >= DELETED_DELIVERED_FOR => {
                Before::End(Ending::DomainDeleted)
            }
            Some(_) => Before::Carry,
            None if domain.state.may_send() => Before::Carry,
            None => Before::Hold(HoldReason::DomainInvalid),
        }
    }
}

/// A parcel that comes back even where what is done with it panics. It is repeated as after a crash, and
/// waits longer each time: the same fault may strike again.
pub(super) struct InHand<S: Store, C: Carrier> {
    driver: Arc<Driver<S, C>>,
    parcel: Parcel,
}

impl<S: Store, C: Carrier> Drop for InHand<S, C> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.parcel.attempts = self.parcel.attempts.saturating_add(1);
        let due = self.driver.clock.now().after(retry::delay(self.parcel.attempts));
        tracing::error!(message_id = %self.parcel.message, "a fault of the relay broke an attempt off; it is made again later");
        self.driver.give_back(&self.parcel, due);
    }
}

/// Gives the place of a conversation back when it ends, however it ends.
struct Over<S: Store, C: Carrier> {
    driver: Arc<Driver<S, C>>,
    conversation: ConversationId,
}

impl<S: Store, C: Carrier> Drop for Over<S, C> {
    fn drop(&mut self) {
        self.driver.forget_inbox(self.conversation);
        self.driver.tell(Event::Ended(self.conversation));
    }
}
