//! The scheduler in simulated time, and in a world that does anything at any moment.

mod anything;
mod chosen;
mod fairness;
mod recovery;
mod shaping;
mod sources;
mod strangers;
mod warming;

use super::*;
use crate::outcome::{Class, Failure, Finding, SiteAction};
use crate::priority::Class as Urgency;
use crate::queue::Attempt;
use std::collections::{BTreeMap, BTreeSet};

const START: Timestamp = Timestamp(1_800_000_000_000);

struct Seeded(u64);

impl Dice for Seeded {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (self.0 >> 33) as u8;
        }
    }
}

fn mx(domain: &str) -> Destination {
    Destination::Mx { domain: domain.into() }
}

fn due_now(recipient: u16, domain: &str) -> Addressed {
    Addressed { recipient, destination: mx(domain), state: RecipientState::Waiting { due: START, attempts: 0 } }
}

fn fault() -> Arc<Fault> {
    let attempt = Attempt {
        at: START,
        milliseconds: 5,
        host: "mx.example".into(),
        remote: None,
        tls: "none".into(),
        source: None,
        others: Vec::new(),
    };
    Arc::new(Fault { finding: Finding::Failed(Failure::Connect("refused".into())), attempt })
}

fn complaint(conversation: ConversationId, action: SiteAction, account: u64, at_the_door: bool) -> Event {
    let complaint = Complaint {
        action,
        class: Class::Reputation,
        at_the_door,
        account: Id::new(account),
        said: "550 5.7.1 go away".into(),
        source: None,
    };
    Event::Complained { conversation, complaint: Box::new(complaint) }
}

/// A scheduler with its clock and what it handed out.
struct World {
    scheduler: Scheduler,
    now: Timestamp,
    dice: Seeded,
    /// Conversations that carry something.
    busy: BTreeMap<ConversationId, Parcel>,
    /// Conversations told to close.
    closing: BTreeSet<ConversationId>,
    /// Parcels to be settled without an attempt.
    failing: Vec<(Parcel, Timestamp)>,
    ending: Vec<Parcel>,
    dials: usize,
    /// So many mail servers take the mail of all domains; 0: each domain has its own.
    hosts: usize,
    /// One that takes the mail of all domains.
    named_host: Option<String>,
    /// Those of a domain, which go before the others.
    servers: BTreeMap<String, Vec<String>>,
    /// Sites that were left alone, and until when.
    suspended: Vec<(String, Timestamp)>,
    /// The pool of what arrives.
    pool: PoolId,
    /// The source of each conversation.
    from: BTreeMap<ConversationId, SourceId>,
    /// Sources that were set aside (true) or got through again.
    aside: Vec<(String, bool)>,
    /// Parcels that go from another source next.
    elsewhere: Vec<ParcelId>,
}

impl World {
    fn new(bounds: Bounds) -> Self {
        World {
            scheduler: Scheduler::new(bounds),
            now: START,
            dice: Seeded(7),
            busy: BTreeMap::new(),
            closing: BTreeSet::new(),
            failing: Vec::new(),
            ending: Vec::new(),
            dials: 0,
            hosts: 0,
            named_host: None,
            servers: BTreeMap::new(),
            suspended: Vec::new(),
            pool: PoolId::default(),
            from: BTreeMap::new(),
            aside: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// The mail servers of a destination.
    fn hosts_of(&self, destination: &Destination) -> Vec<String> {
        let Destination::Mx { domain } = destination else { return vec!["route".into()] };
        if let Some(servers) = self.servers.get(domain) {
            return servers.clone();
        }
        if let Some(host) = &self.named_host {
            return vec![host.clone()];
        }
        let number = domain.bytes().map(usize::from).sum::<usize>().checked_rem(self.hosts);
        vec![number.map_or(format!("mx.{domain}"), |number| format!("mx{number}.example.net"))]
    }

    fn tell(&mut self, event: Event) {
        let mut found = Vec::new();
        for action in self.scheduler.on(event, self.now, &mut self.dice) {
            match action {
                Action::Open { conversation, parcel, find, destination, source } => {
                    self.from.extend(source.map(|source| (conversation, source)));
                    self.dials += 1;
                    if find {
                        let hosts = self.hosts_of(&destination);
                        found.push(Event::Found { conversation, parcel: parcel.id, hosts });
                    } else {
                        self.check_begun(conversation);
                    }
                    assert!(self.busy.insert(conversation, parcel).is_none());
                }
                Action::Withdraw(conversation) => {
                    self.dials -= 1;
                    assert!(self.busy.remove(&conversation).is_some());
                }
                Action::Suspended { site, until, .. } => self.suspended.push((site.to_string(), until)),
                Action::SetAside { source, .. } => self.aside.push((source.name.clone(), true)),
                Action::Elsewhere(parcel) => self.elsewhere.push(parcel),
                Action::Restored(source) => self.aside.push((source.name.clone(), false)),
                Action::Carry { conversation, parcel } => {
                    assert!(self.busy.insert(conversation, parcel).is_none(), "a conversation carries one at a time");
                    assert!(!self.closing.contains(&conversation));
                }
                Action::Close(conversation) => {
                    assert!(!self.busy.contains_key(&conversation), "only a free conversation is closed");
                    assert!(self.closing.insert(conversation));
                }
                Action::Fail { parcel, not_before, .. } => self.failing.push((parcel, not_before)),
                Action::End { parcel, .. } => self.ending.push(parcel),
            }
        }
        for event in found {
            let Event::Found { conversation, .. } = &event else { continue };
            let conversation = *conversation;
            self.tell(event);
            if self.busy.contains_key(&conversation) {
                self.check_begun(conversation);
            }
        }
    }

    /// A conversation that begins is one that its site may have.
    fn check_begun(&mut self, conversation: ConversationId) {
        let known = &self.scheduler.conversations[&conversation];
        let shaper = self.scheduler.shapers.get(known.shaper).expect("a conversation that was let begin is counted");
        let allowed = shaper.shaping.connections(self.now);
        assert!(shaper.conversations <= allowed.max(1), "{} of {allowed}", shaper.conversations);
        assert_eq!(shaper.shaping.suspended_until(self.now), None);
    }

    /// What a conversation carries is refused with a complaint about us, and deferred.
    fn complain(&mut self, conversation: ConversationId, action: SiteAction, account: u64) {
        let parcel = self.busy.remove(&conversation).unwrap();
        self.tell(complaint(conversation, action, account, false));
        self.tell(Event::Reached(conversation));
        self.defer(&parcel, self.now.after(Duration::from_secs(60)));
        self.tell(Event::Free { conversation, open: true });
    }

    /// The greeting is a complaint about us.
    fn refuse(&mut self, conversation: ConversationId, action: SiteAction) {
        self.tell(complaint(conversation, action, 1, true));
        self.unreached(conversation);
    }

    fn arrive(&mut self, message: u128, account: u64, recipients: Vec<Addressed>) {
        self.arrive_as(message, (account, Urgency::Normal), recipients);
    }

    fn arrive_as(&mut self, message: u128, (account, class): (u64, Urgency), recipients: Vec<Addressed>) {
        self.tell(Event::Arrived {
            message: MessageId(message),
            account: Id::new(account),
            class,
            pool: self.pool,
            recipients,
        });
    }

    /// The conversation delivers what it carries.
    fn deliver(&mut self, conversation: ConversationId) {
        let parcel = self.busy.remove(&conversation).unwrap();
        self.tell(Event::Reached(conversation));
        self.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
        self.tell(Event::Free { conversation, open: true });
    }

    /// The conversation comes to a mail server.
    fn come_to(&mut self, conversation: ConversationId, host: &str) {
        self.tell(Event::CameTo { conversation, host: host.into() });
    }

    fn unreached(&mut self, conversation: ConversationId) {
        let parcel = self.busy.remove(&conversation).unwrap();
        self.tell(Event::Unreached { conversation, parcel: parcel.id, fault: fault() });
    }

    /// Settles a parcel as deferred until `due`.
    fn defer(&mut self, parcel: &Parcel, due: Timestamp) {
        let state = RecipientState::Waiting { due, attempts: parcel.attempts + 1 };
        let left = parcel.recipients.iter().map(|recipient| (*recipient, state.clone())).collect();
        self.tell(Event::Settled { parcel: parcel.id, left });
    }

    fn first_busy(&self) -> ConversationId {
        *self.busy.keys().next().expect("something is carried")
    }

    fn end_closed(&mut self) {
        for conversation in std::mem::take(&mut self.closing) {
            self.tell(Event::Ended(conversation));
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.tell(Event::Tick);
    }
}

fn bounds(total: usize, site: usize) -> Bounds {
    Bounds { conversations_max: total, site_conversations_max: site, ..Bounds::default() }
}

#[test]
fn a_message_leaves_with_its_arrival() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "a.example"), due_now(1, "b.example"), due_now(2, "a.example")]);
    let carried: Vec<Vec<u16>> = world.busy.values().map(|parcel| parcel.recipients.clone()).collect();
    assert_eq!(carried, [vec![0, 2], vec![1]], "recipients of one destination share a transaction");
    assert_eq!(world.scheduler.next_due(), None);
}

#[test]
fn a_conversation_is_used_again_and_closed_when_idle_for_long() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    let conversation = world.first_busy();
    world.deliver(conversation);
    assert_eq!(world.scheduler.next_due(), Some(START.after(Bounds::default().idle_kept)));
    world.arrive(2, 1, vec![due_now(0, "a.example")]);
    assert_eq!(world.first_busy(), conversation);
    world.deliver(conversation);
    assert_eq!(world.dials, 1);
    world.pass(Bounds::default().idle_kept);
    assert!(world.closing.contains(&conversation));
    world.end_closed();
    assert_eq!(world.scheduler.next_due(), None);
    assert_eq!(world.scheduler.depth(), Depth::default());
}

#[test]
fn a_site_that_takes_mail_gets_more_conversations_up_to_its_bound() {
    let mut world = World::new(bounds(100, 8));
    for message in 0..200 {
        world.arrive(message, 1, vec![due_now(0, "a.example")]);
    }
    assert_eq!(world.busy.len(), SITE_CONVERSATIONS_FIRST - 1, "one is kept for others");
    for _ in 0..20 {
        world.deliver(world.first_busy());
    }
    assert_eq!(world.busy.len(), 7);
    world.arrive(500, 2, vec![due_now(0, "a.example")]);
    assert_eq!(world.busy.len(), 8);
}

#[test]
fn a_dead_site_is_dialled_a_few_times_however_much_waits_for_it() {
    let mut world = World::new(Bounds::default());
    for message in 0..10_000 {
        world.arrive(message, 1, vec![due_now(0, "dead.example")]);
    }
    for conversation in world.busy.keys().copied().collect::<Vec<_>>() {
        world.unreached(conversation);
    }
    while let Some((parcel, not_before)) = world.failing.pop() {
        assert!(not_before > world.now);
        assert!(world.failing.len() <= SETTLED_UNTRIED_MAX + SITE_CONVERSATIONS_FIRST);
        world.defer(&parcel, not_before);
    }
    assert_eq!(world.dials, SITE_CONVERSATIONS_FIRST - 1, "one is kept for other accounts");
    // the next time it is one dial for all of them
    let due = world.scheduler.next_due().unwrap();
    world.pass(due.since(world.now));
    assert_eq!((world.busy.len(), world.dials), (1, SITE_CONVERSATIONS_FIRST));
    // and as soon as it answers, they all go, whatever their own due moments are
    world.deliver(world.first_busy());
    assert_eq!(world.busy.len(), SITE_CONVERSATIONS_FIRST);
    assert_eq!(world.scheduler.depth().due, 9_999 - world.busy.len());
}

#[test]
fn the_pauses_of_a_dead_site_grow() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "dead.example")]);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        world.unreached(world.first_busy());
        let (parcel, not_before) = world.failing.pop().unwrap();
        pauses.push(not_before.since(world.now));
        world.defer(&parcel, not_before);
        world.pass(not_before.since(world.now));
    }
    assert!(pauses.windows(2).all(|pair| pair[0] < pair[1]), "{pauses:?}");
}

#[test]
fn a_refused_extra_conversation_lowers_the_bound_and_delays_nothing() {
    let mut world = World::new(Bounds::default());
    for message in 0..50 {
        world.arrive(message, 1, vec![due_now(0, "a.example")]);
    }
    world.deliver(world.first_busy());
    let refused = *world.busy.keys().last().unwrap();
    world.unreached(refused);
    assert!(world.failing.is_empty(), "its parcel goes over the others");
    for _ in 0..60 {
        let Some(conversation) = world.busy.keys().next().copied() else { break };
        world.deliver(conversation);
    }
    assert_eq!(world.scheduler.depth().messages, 0);
}

#[test]
fn mail_for_a_site_that_takes_two_conversations_waits_for_these_and_for_no_pause() {
    let mut world = World::new(Bounds::default());
    for message in 0..50 {
        world.arrive(message, 1, vec![due_now(0, "two.example")]);
    }
    // of the first four (a fifth is kept for other accounts) it refuses two, before the others got a word in
    for conversation in world.busy.keys().copied().skip(2).collect::<Vec<_>>() {
        world.refuse(conversation, SiteAction::FewerConnections);
    }
    assert!(world.failing.is_empty(), "its mail goes over the two");
    assert_eq!((world.busy.len(), world.dials), (2, SITE_CONVERSATIONS_FIRST - 1));
    for _ in 0..60 {
        let Some(conversation) = world.busy.keys().next().copied() else { break };
        world.deliver(conversation);
    }
    assert_eq!(world.scheduler.depth().messages, 0);
}

#[test]
fn accounts_take_turns_within_a_site() {
    let mut world = World::new(bounds(1, 1));
    for message in 0..100 {
        world.arrive(message, 1, vec![due_now(0, "a.example")]);
    }
    world.arrive(500, 2, vec![due_now(0, "a.example")]);
    for _ in 0..2 {
        world.deliver(world.first_busy());
    }
    assert_eq!(world.busy.values().next().unwrap().message, MessageId(500));
}

#[test]
fn sites_take_turns_when_conversations_are_short() {
    let mut world = World::new(bounds(2, 2));
    for message in 0..1000 {
        world.arrive(message, 1, vec![due_now(0, "busy.example")]);
    }
    world.arrive(5000, 2, vec![due_now(0, "small.example")]);
    let mut rounds = 0;
    while world.busy.values().all(|parcel| parcel.message != MessageId(5000)) {
        world.deliver(world.first_busy());
        world.end_closed();
        rounds += 1;
        assert!(rounds <= 2 * PARCELS_IN_A_ROW_MAX, "the small site is starved");
    }
}

#[test]
fn an_idle_conversation_gives_way_to_another_site() {
    let mut world = World::new(bounds(1, 1));
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    world.deliver(world.first_busy());
    world.arrive(2, 1, vec![due_now(0, "b.example")]);
    assert_eq!(world.closing.len(), 1);
    world.end_closed();
    assert_eq!(world.busy.len(), 1);
}

#[test]
fn held_mail_waits_until_released() {
    let mut world = World::new(Bounds::default());
    let later = START.after(Duration::from_secs(60));
    let state = RecipientState::Waiting { due: later, attempts: 1 };
    world.arrive(1, 1, vec![Addressed { recipient: 0, destination: mx("a.example"), state }]);
    world.tell(Event::Held(MessageId(1), HoldReason::Operator));
    assert_eq!(world.scheduler.next_due(), None);
    world.pass(Duration::from_secs(3600));
    assert!(world.busy.is_empty());
    assert_eq!(world.scheduler.depth().held, 1);
    assert!(world.scheduler.is_held(MessageId(1)));
    world.tell(Event::Retried(MessageId(1)));
    assert!(world.busy.is_empty());
    world.tell(Event::Released(MessageId(1)));
    assert!(!world.scheduler.is_held(MessageId(1)));
    assert_eq!(world.busy.len(), 1);
}

#[test]
fn mail_in_flight_is_held_when_it_comes_back() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    world.tell(Event::Held(MessageId(1), HoldReason::AccountSuspended));
    let conversation = world.first_busy();
    let parcel = world.busy.remove(&conversation).unwrap();
    let due = world.now.after(Duration::from_secs(60));
    world.defer(&parcel, due);
    assert_eq!(world.scheduler.depth().held, 1);
    world.pass(Duration::from_secs(600));
    assert!(world.busy.is_empty());
}

#[test]
fn cancelled_mail_comes_out_at_once_or_when_it_comes_back() {
    let mut world = World::new(bounds(1, 1));
    world.arrive(1, 1, vec![due_now(0, "a.example"), due_now(1, "b.example")]);
    world.tell(Event::GivenUp(MessageId(1), Arc::new(Ending::Cancelled("operator".into()))));
    assert_eq!(world.ending.len(), 1);
    let conversation = world.first_busy();
    let parcel = world.busy.remove(&conversation).unwrap();
    world.defer(&parcel, world.now.after(Duration::from_secs(60)));
    assert_eq!(world.ending.len(), 2);
    for parcel in std::mem::take(&mut world.ending) {
        world.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
    }
    assert!(!world.scheduler.knows(MessageId(1)));
    assert!(world.scheduler.endings.is_empty());
}

#[test]
fn retry_now_wakes_the_message_and_its_site() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "dead.example")]);
    world.unreached(world.first_busy());
    let (parcel, _) = world.failing.pop().unwrap();
    world.defer(&parcel, world.now.after(Duration::from_secs(3600)));
    world.tell(Event::Retried(MessageId(1)));
    assert_eq!(world.busy.len(), 1);
}

#[test]
fn a_stored_due_moment_of_a_clock_that_was_ahead_is_made_sane() {
    let mut world = World::new(Bounds::default());
    let state = RecipientState::Waiting { due: Timestamp(u64::MAX), attempts: 1 };
    world.arrive(1, 1, vec![Addressed { recipient: 0, destination: mx("a.example"), state }]);
    assert_eq!(world.scheduler.next_due(), Some(START.after(retry::DELAY_MAX)));
}

#[test]
fn a_message_known_already_is_left_alone() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    assert_eq!((world.busy.len(), world.scheduler.depth().recipients), (1, 1));
}

#[test]
fn after_the_stop_nothing_begins() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    world.arrive(2, 1, vec![due_now(0, "b.example")]);
    world.deliver(world.first_busy());
    world.tell(Event::Stopped);
    assert_eq!(world.closing.len(), 1, "the idle conversation");
    world.arrive(3, 1, vec![due_now(0, "c.example")]);
    world.deliver(world.first_busy());
    world.end_closed();
    assert!(world.busy.is_empty());
    assert_eq!(world.scheduler.depth().conversations, 0);
    assert_eq!(world.scheduler.next_due(), None);
}

#[test]
fn a_deep_queue_is_compact() {
    assert!(std::mem::size_of::<parcels::Record>() <= 64, "{}", std::mem::size_of::<parcels::Record>());
}
