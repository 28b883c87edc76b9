//! Fairness in simulated time: whatever one account sends, the mail of another is carried within a second.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::*;
use crate::dice::Seeded;

/// The account that sends without end.
const BULK: u64 = 1;
/// The account whose people wait for a password reset.
const SMALL: u64 = 2;
/// Messages of the small account begin here.
const RESETS: u128 = 1 << 64;

/// What comes at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Then {
    Reset(u128),
    Delivered(ConversationId, ParcelId),
    Ended(ConversationId),
}

/// A scheduler whose conversations take their time.
struct World {
    scheduler: Scheduler,
    dice: Seeded,
    /// Milliseconds.
    now: u64,
    coming: BinaryHeap<Reverse<(u64, Then)>>,
    /// Milliseconds that a parcel takes, by the site's name.
    pace: fn(&str) -> u64,
    sites: HashMap<ConversationId, String>,
    reset_at: HashMap<u128, u64>,
    /// How long each reset waited for its conversation, milliseconds.
    waits: Vec<u64>,
    carried: usize,
    /// How urgent resets are.
    class: Class,
}

impl World {
    fn new(pace: fn(&str) -> u64) -> World {
        World {
            scheduler: Scheduler::new(Bounds::default()),
            dice: Seeded::new(7),
            now: 0,
            coming: BinaryHeap::new(),
            pace,
            sites: HashMap::new(),
            reset_at: HashMap::new(),
            waits: Vec::new(),
            carried: 0,
            class: Class::Normal,
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp(1_800_000_000_000 + self.now)
    }

    fn tell(&mut self, event: Event) {
        let now = self.at();
        for action in self.scheduler.on(event, now, &mut self.dice) {
            match action {
                Action::Open { conversation, destination, parcel } => {
                    let Destination::Mx { domain } = destination else { unreachable!("there are no routes") };
                    self.sites.insert(conversation, domain);
                    self.carry(conversation, &parcel);
                }
                Action::Carry { conversation, parcel } => self.carry(conversation, &parcel),
                // the good-bye takes a round trip
                Action::Close(conversation) => self.coming.push(Reverse((self.now + 100, Then::Ended(conversation)))),
                Action::Fail { .. } | Action::End { .. } => unreachable!("every site takes mail"),
            }
        }
    }

    fn carry(&mut self, conversation: ConversationId, parcel: &Parcel) {
        if let Some(at) = self.reset_at.remove(&parcel.message.0) {
            self.waits.push(self.now - at);
        }
        let takes = (self.pace)(&self.sites[&conversation]);
        self.coming.push(Reverse((self.now + takes, Then::Delivered(conversation, parcel.id))));
    }

    fn arrive(&mut self, message: u128, account: u64, domain: &str) {
        self.arrive_as(message, (account, Class::Normal), domain);
    }

    fn arrive_as(&mut self, message: u128, (account, class): (u64, Class), domain: &str) {
        let state = RecipientState::Waiting { due: self.at(), attempts: 0 };
        let destination = Destination::Mx { domain: domain.to_owned() };
        let recipients = vec![Addressed { recipient: 0, destination, state }];
        self.tell(Event::Arrived { message: MessageId(message), account: Id::new(account), class, recipients });
    }

    /// Lets so many seconds pass, in each of which the small account sends two resets, to sites of these names in turn.
    fn run(&mut self, seconds: u64, reset_to: impl Fn(u128) -> String) {
        let begin = self.now;
        for number in 0..seconds * 2 {
            self.coming.push(Reverse((begin + number * 500, Then::Reset(number.into()))));
        }
        while let Some(Reverse((at, then))) = self.coming.pop().filter(|Reverse((at, _))| *at <= begin + seconds * 1000)
        {
            self.now = at;
            match then {
                Then::Reset(number) => {
                    self.reset_at.insert(RESETS + number, at);
                    self.arrive_as(RESETS + number, (SMALL, self.class), &reset_to(number));
                }
                Then::Delivered(conversation, parcel) => {
                    self.carried += 1;
                    self.tell(Event::Reached(conversation));
                    self.tell(Event::Free { conversation, open: true });
                    self.tell(Event::Settled { parcel, left: Vec::new() });
                }
                Then::Ended(conversation) => self.tell(Event::Ended(conversation)),
            }
        }
        // whoever still waits has waited until now
        self.waits.extend(self.reset_at.drain().map(|(_, at)| begin + seconds * 1000 - at));
    }

    fn longest(&self) -> u64 {
        *self.waits.iter().max().expect("there were resets")
    }
}

#[test]
fn a_million_messages_of_one_account_delay_no_reset_of_another() {
    let mut world = World::new(|_| 500);
    for message in 0..1_000_000u128 {
        // a quarter goes to one large site, the rest to 200,000 of them
        let site = if message % 4 == 0 { "large.example".to_owned() } else { format!("{}.example", message % 200_000) };
        world.arrive(message, BULK, &site);
    }
    world.run(60, |number| match number % 3 {
        0 => "large.example".to_owned(),
        1 => format!("{}.example", number * 997 % 200_000),
        _ => format!("own{number}.example"),
    });
    assert!(world.longest() <= 1000, "{} ms, {} carried", world.longest(), world.carried);
}

#[test]
fn the_more_urgent_mail_of_an_account_goes_first_and_its_own_mailing_does_not_delay_it() {
    let mut world = World::new(|_| 500);
    for message in 0..100_000 {
        world.arrive_as(message, (SMALL, Class::Low), &format!("{}.example", message % 20_000));
    }
    world.class = Class::High;
    world.run(60, |number| format!("{}.example", number * 997 % 20_000));
    // every conversation it may have is taken by its own mailing: it waits for the next that gets free
    assert!(world.longest() <= 1000, "{} ms, {} carried", world.longest(), world.carried);
}

#[test]
fn mail_to_a_thousand_slow_sites_delays_no_reset_to_another_site() {
    let mut world = World::new(|site| if site.starts_with("slow") { 120_000 } else { 500 });
    for message in 0..20_000 {
        world.arrive(message, BULK, &format!("slow{}.example", message % 1000));
    }
    world.run(60, |number| format!("quick{}.example", number % 20));
    assert!(world.longest() <= 1000, "{} ms, {} carried", world.longest(), world.carried);
}

#[test]
fn fifty_accounts_that_send_without_end_delay_no_reset() {
    let mut world = World::new(|_| 500);
    for message in 0..100_000 {
        world.arrive(message, 100 + (message % 50) as u64, &format!("{}.example", message % 5_000));
    }
    world.run(60, |number| format!("own{}.example", number % 40));
    assert!(world.longest() <= 1000, "{} ms, {} carried", world.longest(), world.carried);
}
