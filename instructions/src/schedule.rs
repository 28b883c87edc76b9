//! The decisions of one message on its way: it comes, is handed to a conversation, and is settled.

use anyhow::Context;
use relay::clock::Timestamp;
use relay::dice::Dice;
use relay::id::{Id, MessageId};
use relay::queue::RecipientState;
use relay::route::Destination;
use relay::schedule::{Action, Addressed, Bounds, ConversationId, Event, ParcelId, Scheduler};
use std::path::Path;

/// Sites that mail goes to.
const SITES: usize = 50;

struct Always(u8);

impl Dice for Always {
    fn fill(&mut self, octets: &mut [u8]) {
        octets.fill(self.0);
    }
}

struct World {
    scheduler: Scheduler,
    now: Timestamp,
    carried: Vec<(ConversationId, ParcelId)>,
}

impl World {
    fn tell(&mut self, event: Event) {
        for action in self.scheduler.on(event, self.now, &mut Always(7)) {
            if let Action::Open { conversation, parcel, .. } | Action::Carry { conversation, parcel } = action {
                self.carried.push((conversation, parcel.id));
            }
        }
    }
}

/// One message of one recipient; there is always a conversation for it.
pub(crate) fn schedule(count: usize, _: &Path) -> anyhow::Result<()> {
    let now = Timestamp(1_800_000_000_000);
    let mut world = World { scheduler: Scheduler::new(Bounds::default()), now, carried: Vec::new() };
    for number in 0..count {
        world.now.0 += 1;
        let destination = Destination::Mx { domain: format!("d{}.example", number % SITES) };
        let state = RecipientState::Waiting { due: world.now, attempts: 0 };
        world.tell(Event::Arrived {
            message: MessageId(number as u128 + 1),
            account: Id::new(1 + number as u64 % 10),
            class: relay::priority::Class::Normal,
            pool: relay::source::PoolId::default(),
            recipients: vec![Addressed { recipient: 0, destination, state }],
        });
        let (conversation, parcel) = world.carried.pop().context("no conversation took the message")?;
        world.tell(Event::Reached(conversation));
        world.tell(Event::Free { conversation, open: true });
        world.tell(Event::Settled { parcel, left: Vec::new() });
    }
    Ok(())
}
