//! Random work, with the power cut anywhere: what was acknowledged is there, and nothing that was not asked for.

use std::collections::BTreeMap;

use proptest::prelude::*;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{HoldReason, Outcome};

use super::super::Event;
use super::super::request::Request;
use super::fake_disk::Seeded;
use super::rig::{Live, Receiver, Rig, tiny};

/// What a recipient is in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Waiting { due: u64, attempts: u32 },
    Held { attempts: u32 },
    Settled,
}

#[derive(Clone, Copy, Debug)]
enum Work {
    Commit { recipients: usize, octets: usize },
    Settle { which: usize, first: u8, second: u8 },
    Hold { which: usize },
    Release { which: usize },
    Seal { which: usize },
    Write,
    Keep { minutes: u64 },
    Consume,
    Reopen,
    Cut { changes: u64 },
}

fn work() -> impl Strategy<Value = Work> {
    prop_oneof![
        8 => (1usize..4, prop_oneof![6 => 0usize..9_000, 1 => 17_000usize..40_000])
            .prop_map(|(recipients, octets)| Work::Commit { recipients, octets }),
        8 => (any::<usize>(), 0u8..4, 0u8..4)
            .prop_map(|(which, first, second)| Work::Settle { which, first, second }),
        1 => any::<usize>().prop_map(|which| Work::Hold { which }),
        1 => any::<usize>().prop_map(|which| Work::Release { which }),
        1 => any::<usize>().prop_map(|which| Work::Seal { which }),
        6 => Just(Work::Write),
        4 => (0u64..800).prop_map(|minutes| Work::Keep { minutes }),
        3 => Just(Work::Consume),
        1 => Just(Work::Reopen),
        1 => (0u64..60).prop_map(|changes| Work::Cut { changes }),
    ]
}

#[derive(Clone, Debug)]
struct Known {
    recipients: Vec<Is>,
}

#[derive(Clone, Debug)]
enum Change {
    Commit,
    Settle(Vec<(u16, Outcome)>),
    Hold,
    Release,
}

/// A change that was asked for and not yet answered.
struct Open {
    message: u128,
    change: Change,
    after: Known,
    reply: Receiver,
}

struct Model {
    rig: Rig,
    known: BTreeMap<u128, Known>,
    /// Octets of every message ever asked for.
    octets: BTreeMap<u128, usize>,
    open: Vec<Open>,
    last: u128,
    /// Events that were acknowledged.
    committed: Vec<u128>,
    settled: Vec<u128>,
}

fn outcome(code: u8, message: u128) -> Outcome {
    match code {
        0 => Outcome::Deferred { until: Timestamp(50_000 + message as u64) },
        1 => Outcome::HardBounced,
        2 => Outcome::SoftBounced,
        _ => Outcome::Delivered { sandbox: false },
    }
}

fn after(known: &Known, change: &Change) -> Known {
    let mut known = known.clone();
    for (number, is) in known.recipients.iter_mut().enumerate() {
        *is = match (*is, change) {
            (Is::Waiting { attempts, .. }, Change::Hold) => Is::Held { attempts },
            (Is::Held { attempts }, Change::Release) => Is::Waiting { due: 77, attempts },
            (is, Change::Settle(verdicts)) if is != Is::Settled => {
                let found = verdicts.iter().find(|(of, _)| usize::from(*of) == number).map(|(_, outcome)| outcome);
                match (found, is) {
                    (None, is) => is,
                    (Some(Outcome::Deferred { until }), Is::Waiting { attempts, .. }) => {
                        Is::Waiting { due: until.0, attempts: attempts + 1 }
                    }
                    (Some(Outcome::Deferred { .. }), Is::Held { attempts }) => Is::Held { attempts: attempts + 1 },
                    _ => Is::Settled,
                }
            }
            (is, _) => is,
        };
    }
    known
}

fn told(message: u128, known: &Known) -> String {
    let mut recipients = Vec::new();
    for (number, is) in known.recipients.iter().enumerate() {
        let site = format!("site{}.example", (message + number as u128) % 3);
        let state = match is {
            Is::Waiting { due, attempts } => format!("Waiting {{ due: {due}, attempts: {attempts} }}"),
            Is::Held { attempts } => format!("Held {{ reason: Operator, attempts: {attempts} }}"),
            Is::Settled => continue,
        };
        recipients.push(format!("({number}, {site:?}, {state})"));
    }
    format!("[{}]", recipients.join(", "))
}

fn is_live(known: &Known) -> bool {
    known.recipients.iter().any(|is| *is != Is::Settled)
}

impl Model {
    fn new() -> Model {
        Model {
            rig: Rig::new(tiny()),
            known: BTreeMap::new(),
            octets: BTreeMap::new(),
            open: Vec::new(),
            last: 1000,
            committed: Vec::new(),
            settled: Vec::new(),
        }
    }

    /// A live message that nothing is asked about.
    fn idle(&self, which: usize) -> Option<u128> {
        let is_idle = |message: &&u128| self.open.iter().all(|open| open.message != **message);
        let idle: Vec<&u128> = self.known.keys().filter(is_idle).collect();
        (!idle.is_empty()).then(|| *idle[which % idle.len()])
    }

    fn ask(&mut self, which: usize, change: Change) {
        let Some(message) = self.idle(which) else { return };
        let after = after(&self.known[&message], &change);
        let id = MessageId(message);
        let reply = match &change {
            Change::Settle(verdicts) => self.rig.settle(message, verdicts),
            Change::Hold => self.rig.push(|reply| Request::Hold(id, None, HoldReason::Operator, Timestamp(76), reply)),
            Change::Release => self.rig.push(|reply| Request::Release(id, None, Timestamp(77), reply)),
            Change::Commit => return,
        };
        self.open.push(Open { message, change, after, reply });
    }

    fn commit(&mut self, recipients: usize, octets: usize) {
        self.last += 1;
        let message = self.last;
        self.octets.insert(message, octets);
        let waiting = Is::Waiting { due: 1_000 + message as u64, attempts: 0 };
        let after = Known { recipients: vec![waiting; recipients] };
        // no room for its file, or the power is gone: it was refused
        if let Ok(reply) = self.rig.commit(message, recipients, octets) {
            self.open.push(Open { message, change: Change::Commit, after, reply });
        }
    }

    /// Takes note of what was answered.
    fn answers(&mut self) {
        for mut open in std::mem::take(&mut self.open) {
            match open.reply.try_recv() {
                Ok(Ok(())) => {
                    match open.change {
                        Change::Commit => self.committed.push(open.message),
                        Change::Settle(_) => self.settled.push(open.message),
                        _ => {}
                    }
                    self.learn(open.message, open.after);
                }
                Ok(Err(relay::store::StoreError::NoRoom(_))) => {}
                // latched by the cut, or not yet written
                Ok(Err(_)) => self.open.push(Open { reply: closed(), ..open }),
                Err(_) => self.open.push(open),
            }
        }
    }

    fn learn(&mut self, message: u128, after: Known) {
        if is_live(&after) {
            self.known.insert(message, after);
        } else {
            self.known.remove(&message);
        }
    }

    fn expected(&self) -> Live {
        self.known.iter().map(|(message, known)| (*message, told(*message, known))).collect()
    }

    fn live(&self) -> Live {
        self.rig.live(|message| self.octets[&message])
    }

    /// What is live is what was acknowledged; of what was not answered, either is right.
    fn compare_after_cut(&mut self) {
        let live = self.live();
        for open in std::mem::take(&mut self.open) {
            let is = live.get(&open.message);
            if is == Some(&told(open.message, &open.after)).filter(|_| is_live(&open.after)) {
                self.learn(open.message, open.after);
            }
        }
        assert_eq!(live, self.expected());
        assert_eq!(self.rig.shared.state().damage, []);
    }

    fn restart(self, seed: u64) -> Model {
        let disk = self.rig.disk.after_power_cut(&mut Seeded(seed));
        let mut model = Model { rig: self.rig.restart(disk), ..self };
        model.compare_after_cut();
        model
    }

    fn run(mut self, work: Work) -> Model {
        match work {
            Work::Commit { recipients, octets } => self.commit(recipients, octets),
            Work::Settle { which, first, second } => {
                let message = self.idle(which).unwrap_or(0);
                let verdicts =
                    vec![(0, outcome(first, message)), (1, outcome(second, message)), (2, outcome(first, message))];
                self.ask(which, Change::Settle(verdicts));
            }
            Work::Hold { which } => self.ask(which, Change::Hold),
            Work::Release { which } => self.ask(which, Change::Release),
            Work::Seal { which } => {
                if let Some(message) = self.idle(which) {
                    let seal = bytes::Bytes::from(format!("seal of {message}"));
                    self.rig.waiting.push_back(Request::Seal(MessageId(message), seal));
                }
            }
            Work::Write => self.rig.drain(),
            Work::Keep { minutes } => self.rig.keep(minutes * 60_000),
            Work::Consume => self.rig.consume(),
            Work::Reopen => {
                self.rig.drain();
                self.answers();
                self.rig = self.rig.reopen();
                assert_eq!(self.live(), self.expected());
            }
            Work::Cut { .. } => {}
        }
        self.answers();
        self
    }

    /// The end: everything is written, and the consumer has seen all that was acknowledged, once, in order.
    fn finish(mut self) {
        self.rig.drain();
        self.answers();
        assert!(self.open.is_empty());
        assert_eq!(self.live(), self.expected());
        self.rig.consume();
        let (mut committed, mut settled) = (Vec::new(), Vec::new());
        for event in &self.rig.events {
            match event {
                Event::Committed(envelope) => committed.push(envelope.message.0),
                Event::Settled(settlement) => settled.push(settlement.message.0),
                _ => {}
            }
        }
        assert!(committed.windows(2).all(|pair| pair[0] < pair[1]), "accepted twice, or out of order");
        assert!(self.committed.iter().all(|message| committed.contains(message)), "an acceptance was not told");
        for message in &self.settled {
            let count = |all: &[u128]| all.iter().filter(|one| *one == message).count();
            assert!(count(&settled) >= count(&self.settled), "an outcome was not told");
        }
    }
}

fn closed() -> Receiver {
    tokio::sync::oneshot::channel().1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn acknowledged_mail_survives_a_power_cut_anywhere(
        lives in prop::collection::vec((prop::collection::vec(work(), 1..60), 0u64..400, any::<u64>()), 1..4),
    ) {
        let mut model = Model::new();
        for (works, changes, seed) in lives {
            let mut is_cut = false;
            for work in works {
                match work {
                    Work::Cut { changes } => {
                        model.rig.disk.cut_power_after(changes);
                        is_cut = true;
                    }
                    Work::Reopen if is_cut => {}
                    work => model = model.run(work),
                }
            }
            if !is_cut {
                model.rig.disk.cut_power_after(changes);
            }
            model.rig.drain();
            model.answers();
            model = model.restart(seed);
        }
        model.finish();
    }
}

#[test]
fn a_cut_all_over_a_busy_hour() {
    // how many changes the whole of it makes
    let busy = |mut model: Model| {
        for round in 0..6u64 {
            for place in 0..8usize {
                model = model.run(Work::Commit { recipients: 1 + place % 2, octets: 3_000 });
            }
            model = model.run(Work::Write);
            for place in 0..6usize {
                model = model.run(Work::Settle { which: place, first: 3, second: u8::from(round % 2 == 0) });
            }
            model = model.run(Work::Write);
            model = model.run(Work::Consume);
            model = model.run(Work::Keep { minutes: 130 });
            model = model.run(Work::Write);
        }
        model
    };
    let whole = busy(Model::new());
    let changes = whole.rig.disk.changes();
    whole.finish();
    for cut in (0..changes).step_by(3) {
        let model = Model::new();
        let before = model.rig.disk.changes();
        model.rig.disk.cut_power_after(cut.saturating_sub(before));
        busy(model).restart(cut).finish();
    }
}
