//! Pools of sources, and sources that a site blocks or that nothing gets through from, in simulated time.

use super::*;
use crate::outcome::Stage;
use crate::queue::TriedHost;
use crate::source::tests::pools;
use smtp::reply::Reply;

const MINUTE: Duration = Duration::from_secs(60);

fn world(sources: &[&str], of: &[(&str, &[(&str, u32)])]) -> World {
    let sources = Arc::new(pools(sources, of).unwrap());
    let world = World::new(Bounds::default());
    World { scheduler: world.scheduler.sending_from(sources), ..world }
}

impl World {
    fn name(&self, conversation: ConversationId) -> &str {
        let source = self.from[&conversation];
        ["a", "b", "c"][source.place()]
    }

    /// Sends a message to a domain and says from where it goes; none where it does not go.
    fn goes(&mut self, message: u128, domain: &str) -> Option<ConversationId> {
        let due = RecipientState::Waiting { due: self.now, attempts: 0 };
        let busy: Vec<_> = self.busy.keys().copied().collect();
        self.arrive(message, 1, vec![Addressed { recipient: 0, destination: mx(domain), state: due }]);
        self.busy.keys().copied().find(|conversation| !busy.contains(conversation))
    }

    /// Delivers over a conversation and closes it.
    fn deliver_and_close(&mut self, conversation: ConversationId) {
        self.deliver(conversation);
        self.pass(self.scheduler.bounds.idle_kept + Duration::from_millis(1));
        self.end_closed();
    }

    /// The greeting says that the source is blocked.
    fn block(&mut self, conversation: ConversationId) {
        self.tell(complaint(conversation, SiteAction::Suspend, 1, true));
        let reply = Reply { code: 554, enhanced: None, lines: vec!["go away".into()], reference: None };
        let said = Fault { finding: Finding::Replied(Stage::Greeting, reply), ..(*fault()).clone() };
        let parcel = self.busy.remove(&conversation).unwrap();
        self.tell(Event::Unreached { conversation, parcel: parcel.id, fault: Arc::new(said) });
    }

    fn state_of(&self, name: &str) -> SourceState {
        self.scheduler.sources(self.now).into_iter().find(|state| state.source.name == name).unwrap()
    }
}

#[test]
fn each_source_has_the_part_that_its_weight_says() {
    let mut world = world(&["a", "b"], &[("p", &[("a", 3), ("b", 1)])]);
    for message in 0..400 {
        let conversation = world.goes(message, &format!("d{message}.example")).unwrap();
        world.deliver_and_close(conversation);
    }
    assert_eq!((world.state_of("a").carried, world.state_of("b").carried), (300, 100));
    assert_eq!(world.state_of("a").pools, [("p".to_owned(), 3)]);
}

#[test]
fn a_pool_has_conversations_of_its_own_within_what_its_site_allows() {
    let mut world = world(&["a", "b"], &[("p", &[("a", 1)]), ("q", &[("b", 1)])]);
    let first = world.goes(1, "one.example").unwrap();
    world.deliver(first);
    world.pool = world.scheduler.sending.sources().pools().nth(1).unwrap().0;
    let second = world.goes(2, "one.example").unwrap();
    assert_eq!((world.name(first), world.name(second)), ("a", "b"), "an idle conversation of another pool is not used");
    let state = world.scheduler.sites(None, 9, false, world.now);
    let counts = (state.len(), state[0].conversations, state[0].destination_count);
    assert_eq!(counts, (1, 2, 1), "both count at the one site");
}

#[test]
fn a_block_is_about_the_source_and_another_one_goes_on() {
    let mut world = world(&["a", "b"], &[]);
    let first = world.goes(1, "one.example").unwrap();
    assert_eq!(world.name(first), "a");
    world.block(first);
    assert_eq!(world.suspended.len(), 1);
    let second = world.first_busy();
    assert_eq!(world.name(second), "b", "the same message goes from the other one at once");
    world.deliver(second);
    for message in 2..6 {
        let next = world.goes(message, "one.example").unwrap();
        assert_eq!(world.name(next), "b");
        world.deliver(next);
    }
    let site = world.scheduler.sites(None, 1, true, world.now).remove(0);
    assert_eq!((site.kept_out.len(), site.kept_out[0].0.as_str()), (1, "a"));
    assert_eq!(world.state_of("a").blocked_count, 1);
    let elsewhere: Vec<_> = (10..14).map(|n| world.goes(n, &format!("d{n}.example")).unwrap()).collect();
    assert!(elsewhere.iter().any(|one| world.name(*one) == "a"), "elsewhere it is as good as before");
}

#[test]
fn where_all_are_blocked_mail_is_deferred_until_one_may_try() {
    let mut world = world(&["a", "b"], &[]);
    let first = world.goes(1, "one.example").unwrap();
    world.block(first);
    let second = world.first_busy();
    world.block(second);
    assert_eq!((world.busy.len(), world.failing.len()), (0, 1));
    let (parcel, not_before) = world.failing.pop().unwrap();
    assert!(not_before > world.now);
    world.defer(&parcel, not_before);
    assert_eq!(world.scheduler.depth().suspended, 2);
    world.pass(not_before.since(world.now));
    let third = world.first_busy();
    // the other may not be tried by more than one at a time either
    world.deliver(third);
    assert!(world.scheduler.depth().suspended < 2);
    assert_eq!(world.scheduler.depth().messages, 0);
}

#[test]
fn a_source_that_cannot_be_used_is_set_aside_and_tried_again() {
    let mut world = world(&["a", "b"], &[]);
    let broken =
        Arc::new(Fault { finding: Finding::Failed(Failure::Source("no such address".into())), ..(*fault()).clone() });
    let first = world.goes(1, "one.example").unwrap();
    let parcel = world.busy.remove(&first).unwrap();
    world.tell(Event::Unreached { conversation: first, parcel: parcel.id, fault: broken });
    assert_eq!(world.aside, [("a".to_owned(), true)]);
    assert_eq!(world.scheduler.depth().set_aside, 1);
    let second = world.first_busy();
    assert_eq!(world.name(second), "b");
    world.deliver_and_close(second);
    world.pass(MINUTE);
    let trial = world.goes(2, "two.example").unwrap();
    let beside = world.goes(3, "three.example").unwrap();
    let mut from = [world.name(trial).to_owned(), world.name(beside).to_owned()];
    from.sort();
    assert_eq!(from, ["a", "b"], "one message tries it, the next goes from the other");
    world.deliver(trial);
    world.deliver(beside);
    assert_eq!(world.aside.last(), Some(&("a".to_owned(), false)));
    assert_eq!((world.scheduler.depth().set_aside, world.state_of("a").health), (0, SourceHealth::Good));
}

#[test]
fn a_source_is_blamed_for_what_it_does_not_reach_only_while_others_get_through() {
    let alone = |world: &mut World, source: &str, first: u128| {
        let mut failed = 0;
        for message in first..first + 60 {
            let Some(conversation) = world.goes(message, &format!("d{message}.example")) else { continue };
            if world.name(conversation) == source {
                failed += 1;
                world.unreached(conversation);
                let failing: Vec<_> = world.failing.drain(..).collect();
                for (parcel, _) in failing {
                    world.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
                }
            } else {
                world.deliver_and_close(conversation);
            }
        }
        failed
    };
    let mut both = world(&["a", "b"], &[]);
    let failed = alone(&mut both, "a", 0);
    assert!(both.aside.contains(&("a".to_owned(), true)), "{failed}");
    let mut one = world(&["a"], &[]);
    alone(&mut one, "a", 0);
    assert!(one.aside.is_empty(), "with nobody to compare it with it is the others that are down");
}

#[test]
fn the_operator_has_a_source_tried_at_once() {
    let mut world = world(&["a"], &[]);
    let broken = Arc::new(Fault { finding: Finding::Failed(Failure::Source("gone".into())), ..(*fault()).clone() });
    let first = world.goes(1, "one.example").unwrap();
    let parcel = world.busy.remove(&first).unwrap();
    world.tell(Event::Unreached { conversation: first, parcel: parcel.id, fault: broken });
    let (parcel, not_before) = world.failing.pop().unwrap();
    world.defer(&parcel, not_before);
    assert!(world.busy.is_empty());
    let source = world.scheduler.sending.sources().source_named("a").unwrap();
    world.tell(Event::SourceResumed(source));
    assert_eq!(world.busy.len(), 1);
}

impl World {
    /// What a conversation carries is refused for good because of its source; whether it goes from another one next. Settles it
    /// as whoever delivers would.
    pub(super) fn refuse_for_good(&mut self, conversation: ConversationId, at_the_door: bool) -> bool {
        let parcel = self.busy.remove(&conversation).unwrap();
        self.tell(complaint(conversation, SiteAction::Suspend, 1, at_the_door));
        self.tell(Event::Reached(conversation));
        let recipients = parcel.recipients.clone();
        self.elsewhere.clear();
        self.tell(Event::Blocked { conversation, parcel: parcel.id, recipients });
        let goes_on = self.elsewhere == [parcel.id];
        self.tell(Event::Free { conversation, open: true });
        match goes_on {
            true => self.defer(&parcel, self.now),
            false => self.tell(Event::Settled { parcel: parcel.id, left: Vec::new() }),
        }
        goes_on
    }
}

#[test]
fn what_is_refused_for_good_because_of_a_source_goes_from_each_other_one_once() {
    let mut world = world(&["a", "b", "c"], &[]);
    let mut conversation = world.goes(1, "one.example").unwrap();
    let mut from = vec![world.name(conversation).to_owned()];
    while world.refuse_for_good(conversation, false) {
        conversation = world.first_busy();
        from.push(world.name(conversation).to_owned());
    }
    from.sort();
    assert_eq!(
        from,
        ["a", "b", "c"],
        "none is blocked by what was said to the mail of one account, and none is asked twice"
    );
    assert_eq!(world.scheduler.depth().messages, 0);
    assert!(world.scheduler.elsewhere.is_empty());
    assert!(world.suspended.is_empty());
    let again = world.goes(2, "one.example").unwrap();
    world.deliver(again);
    assert_eq!(world.scheduler.depth().messages, 0, "the next message has all of them again");
}

#[test]
fn what_another_source_only_defers_has_all_of_them_the_next_time() {
    let mut world = world(&["a", "b"], &[]);
    let first = world.goes(1, "one.example").unwrap();
    assert!(world.refuse_for_good(first, false));
    let second = world.first_busy();
    let parcel = world.busy.remove(&second).unwrap();
    world.tell(Event::Reached(second));
    world.tell(Event::Free { conversation: second, open: false });
    world.end_closed();
    world.defer(&parcel, world.now.after(MINUTE));
    world.pass(MINUTE);
    let third = world.first_busy();
    assert!(world.refuse_for_good(third, false), "there is another one again");
    let fourth = world.first_busy();
    assert_ne!(world.name(third), world.name(fourth));
    world.deliver(fourth);
    assert_eq!(world.scheduler.depth().messages, 0);
}

#[test]
fn a_refusal_for_good_is_final_where_no_other_source_may_begin_now() {
    let mut world = world(&["a", "b"], &[]);
    let first = world.goes(1, "one.example").unwrap();
    world.block(first);
    let second = world.first_busy();
    assert_eq!(world.name(second), "b");
    assert!(!world.refuse_for_good(second, false), "the first one is blocked there");
    let mut alone = self::world(&["a"], &[]);
    let only = alone.goes(1, "one.example").unwrap();
    assert!(!alone.refuse_for_good(only, false));
    assert_eq!((world.scheduler.depth().messages, alone.scheduler.depth().messages), (0, 0));
}

#[test]
fn what_goes_from_another_source_is_held_as_anything_else() {
    let mut world = world(&["a", "b"], &[]);
    let first = world.goes(1, "one.example").unwrap();
    world.tell(Event::Held(MessageId(1), HoldReason::Operator));
    assert!(world.refuse_for_good(first, false));
    assert!(world.busy.is_empty() && world.scheduler.is_held(MessageId(1)));
    world.tell(Event::Released(MessageId(1)));
    let second = world.first_busy();
    world.deliver(second);
    assert_eq!(world.scheduler.depth().messages, 0);
}

#[test]
fn until_when_a_site_blocks_a_source_and_whose_a_pool_is_are_shown() {
    use crate::limits::Limits;
    use crate::service::view::{SendingSourceView, SiteView};
    use crate::source::{PoolSpec, Whose, tests::source};
    let pool = |name: &str, members: &[&str], whose| PoolSpec {
        name: name.into(),
        members: members.iter().map(|name| ((*name).to_owned(), 1)).collect(),
        whose,
    };
    let whose = Whose { domains: vec!["shop.example".into()], accounts: vec![7], plans: vec![2] };
    let specs = vec![pool("p", &["a", "b"], Whose::default()), pool("q", &["b"], whose)];
    let sources = Arc::new(Sources::new(vec![source("a", 1), source("b", 2)], specs).unwrap());
    let world = World::new(Bounds::default());
    let mut world = World { scheduler: world.scheduler.sending_from(Arc::clone(&sources)), ..world };
    let first = world.goes(1, "big.example").unwrap();
    assert_eq!(world.name(first), "a");
    world.block(first);
    let (a, b) = (world.state_of("a"), world.state_of("b"));
    let (a, b) = (SendingSourceView::new(&a, &sources), SendingSourceView::new(&b, &sources));
    let until = a.blocked_by[0].until.parse::<jiff::Timestamp>().unwrap();
    assert!(until.as_millisecond() as u64 > world.now.0, "{until}");
    assert_eq!((a.blocked_count, b.blocked_count), (1, 0));
    let site = world.scheduler.sites(None, 10, true, world.now).pop().unwrap();
    let limits = Limits { line_messages_max: 40, ..Limits::default() };
    let site = SiteView::new(&site, Vec::new(), &limits);
    assert_eq!(site.blocked_sources[0].until, a.blocked_by[0].until);
    assert_eq!(site.blocked_sources[0].source, "a");
    assert_eq!(
        (site.messages_per_connection, site.recipients_per_transaction, site.idle_seconds),
        (40, limits.transaction_recipients_max, limits.line_idle_seconds)
    );
    let pools: Vec<_> = b.pools.iter().map(|pool| (pool.pool.as_str(), pool.first, pool.accounts.clone())).collect();
    assert_eq!(pools, [("p", true, vec![]), ("q", false, vec![7])]);
    assert_eq!(
        (b.pools[1].domains.as_slice(), b.pools[1].plans.as_slice()),
        (&["shop.example".to_owned()][..], &[2][..])
    );
}

#[test]
fn what_another_source_is_not_even_asked_for_has_all_of_them_the_next_time() {
    let mut world = world(&["a", "b"], &[]);
    let first = world.goes(1, "one.example").unwrap();
    assert_eq!(world.name(first), "a");
    assert!(world.refuse_for_good(first, false));
    let second = world.first_busy();
    assert_eq!(world.name(second), "b");
    world.block(second);
    let (parcel, not_before) = world.failing.pop().expect("the other one is left alone by now");
    world.defer(&parcel, not_before);
    world.pass(world.scheduler.bounds.idle_kept + Duration::from_millis(1));
    world.end_closed();
    world.pass(not_before.since(world.now));
    let third = world.first_busy();
    assert_eq!(world.name(third), "b", "which is behind");
    assert!(world.refuse_for_good(third, false), "the first one may be asked again");
    let fourth = world.first_busy();
    assert_eq!(world.name(fourth), "a");
    world.deliver(fourth);
    assert_eq!(world.scheduler.depth().messages, 0);
}

/// What nobody but the account that it happened to, and the operator, is to read.
fn secret(failure: Failure) -> Arc<Fault> {
    let remote = Some("192.0.2.77:25".parse().unwrap());
    let other = TriedHost { host: "mx2.secret.example".into(), remote, class: None, said: "no secret".into() };
    let attempt = Attempt { host: "mx.secret.example".into(), remote, others: vec![other], ..fault().attempt.clone() };
    Arc::new(Fault { finding: Finding::Failed(failure), attempt })
}

impl World {
    /// What mail of others to a domain is shown while the first pool's source is set aside.
    fn shown_to_others(&mut self, message: u128) -> Arc<Fault> {
        self.arrive(message, 2, vec![due_now(0, "other.example")]);
        assert_eq!(self.failing.pop().unwrap().0.message, MessageId(message));
        let place = self.scheduler.sites.find(&mx("other.example"), LaneId::default()).unwrap();
        self.scheduler.left_alone(place, Some(Id::new(2)), self.now).unwrap().1
    }
}

/// What is shown to others names nothing of it, and the operator reads it.
fn check_told_to_others(world: &mut World) {
    assert_eq!(world.aside, [("a".to_owned(), true)]);
    let shown = world.shown_to_others(900);
    let Attempt { host, remote, others, .. } = &shown.attempt;
    assert_eq!((host.as_str(), *remote, others.len()), ("", None, 0));
    let said = crate::outcome::tried("", None, &shown.finding, "other.example").said;
    assert!(!said.is_empty() && !said.contains("secret") && !said.contains("192.0.2.77"), "{said}");
    let why = world.state_of("a").why.unwrap();
    assert!(why.contains("secret"), "{why}");
}

#[test]
fn what_others_are_told_of_a_source_that_is_set_aside_names_no_next_hop() {
    let mut own = world(&["a"], &[]);
    let first = own.goes(1, "secret.example").unwrap();
    let parcel = own.busy.remove(&first).unwrap();
    let broken = secret(Failure::Source("it did not bind toward mx.secret.example".into()));
    own.tell(Event::Unreached { conversation: first, parcel: parcel.id, fault: broken });
    own.failing.clear();
    check_told_to_others(&mut own);

    let mut compared = world(&["a", "b"], &[("p", &[("a", 1)]), ("q", &[("b", 1)])]);
    let pools: Vec<PoolId> = compared.scheduler.sending.sources().pools().map(|(pool, _)| pool).collect();
    for message in 0..u128::from(SOURCE_UNREACHED_MAX) {
        compared.pool = pools[0];
        let conversation = compared.goes(message, &format!("d{message}.example")).unwrap();
        let parcel = compared.busy.remove(&conversation).unwrap();
        let refused = secret(Failure::Connect("mx.secret.example (192.0.2.77:25): refused".into()));
        compared.tell(Event::Unreached { conversation, parcel: parcel.id, fault: refused });
        compared.failing.clear();
        compared.now = compared.now.after(Duration::from_secs(1));
        compared.pool = pools[1];
        let reached = compared.goes(100 + message, "well.example").unwrap();
        compared.deliver(reached);
    }
    compared.pool = pools[0];
    check_told_to_others(&mut compared);
}
