//! Messages that come once more because their sender may never have read that they were taken.
//!
//! A client that hears no reply to its content sends again, and has to (RFC 5321 §4.5.4.2): only we know that the first was
//! kept. What was answered `250` is remembered until something of the client's follows, for an hour at the most, and for as long as
//! an SMTP user wishes whatever followed. The same once more, by the same SMTP user, to the same recipients, under the same Message-ID and
//! with the same content, is answered with the first id and not sent again.

use aws_lc_rs::digest;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{Id, MessageId, SessionId};
use crate::limits::Limits;
use crate::queue::ContentFacts;
use crate::smtp_user::SmtpUser;

/// How often all is looked through for what is over, where there is no room.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// What makes messages of one SMTP user alike before their content is looked at: Message-ID and recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// Of a Message-ID and recipients, in the order in which they were named.
    pub fn of<'a>(message_id: &str, recipients: impl IntoIterator<Item = &'a str>) -> Key {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(message_id.as_bytes());
        for recipient in recipients {
            // in no address and in no Message-ID
            hash.update(b"\n");
            hash.update(recipient.to_lowercase().as_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finish().as_ref()[..16]);
        Key(key)
    }
}

/// The first of what may come more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Its id, as the client was told or would have been.
    pub message: MessageId,
    /// The session it came in.
    pub session: SessionId,
    /// Octets of its header section.
    pub header_octets: u64,
    /// SHA-256 of its admitted content.
    pub sha256: [u8; 32],
    /// Until when it is remembered.
    pub until: Timestamp,
}

impl First {
    /// A message that was accepted, for so long.
    pub fn new(message: MessageId, session: SessionId, facts: &ContentFacts, until: Timestamp) -> First {
        First { message, session, header_octets: facts.header_octets, sha256: facts.sha256, until }
    }
}

/// What is remembered of one SMTP user.
#[derive(Debug, Default)]
struct Kept {
    firsts: HashMap<Key, First>,
    /// As they came, with the end of each.
    order: VecDeque<(Timestamp, Key)>,
}

impl Kept {
    /// Lets the oldest go.
    fn shift(&mut self) {
        if let Some((until, key)) = self.order.pop_front()
            && self.firsts.get(&key).is_some_and(|first| first.until == until)
        {
            self.firsts.remove(&key);
        }
    }

    /// Lets go what is over, as far as it came first.
    fn tidy(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.shift();
        }
    }
}

/// What is remembered, of all, in bounded room: of an SMTP user the newest; and where all together are too many, nobody's go for
/// another's.
#[derive(Debug)]
pub struct Repeats {
    user_most: usize,
    most: usize,
    users: HashMap<Id<SmtpUser>, Kept>,
    /// Entries of all users' orders.
    count: usize,
    tidied_at: Timestamp,
}

impl Repeats {
    /// Nothing yet, with the numbers of the limits.
    pub fn new(limits: &Limits) -> Repeats {
        let count = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Repeats {
            user_most: count(limits.user_repeats_max),
            most: count(limits.repeats_max),
            users: HashMap::new(),
            count: 0,
            tidied_at: Timestamp(0),
        }
    }

    /// Remembers what was accepted of an SMTP user. Returns whether there was room for it.
    pub fn remember(&mut self, user: Id<SmtpUser>, key: Key, first: First, now: Timestamp) -> bool {
        if self.count >= self.most && now >= self.tidied_at.after(TIDY_EVERY) {
            self.tidied_at = now;
            self.users.values_mut().for_each(|kept| kept.tidy(now));
            self.users.retain(|_, kept| !kept.order.is_empty());
            self.count = self.users.values().map(|kept| kept.order.len()).sum();
        }
        let is_full = self.count >= self.most;
        if is_full && !self.users.contains_key(&user) {
            return false;
        }
        let kept = self.users.entry(user).or_default();
        let before = kept.order.len();
        kept.tidy(now);
        if kept.order.len() >= self.user_most || is_full {
            kept.shift();
        }
        kept.order.push_back((first.until, key));
        kept.firsts.insert(key, first);
        self.count = self.count + kept.order.len() - before;
        true
    }

    /// Forgets a message again: its client has read that it was taken.
    pub fn forget(&mut self, user: Id<SmtpUser>, key: &Key, message: MessageId) {
        let Some(kept) = self.users.get_mut(&user) else { return };
        if kept.firsts.get(key).is_none_or(|first| first.message != message) {
            return;
        }
        kept.firsts.remove(key);
        // among the last ones, as its client was heard soon
        if let Some(place) = kept.order.iter().rposition(|(_, one)| one == key) {
            kept.order.remove(place);
            self.count -= 1;
        }
        if kept.order.is_empty() {
            self.users.remove(&user);
        }
    }

    /// Whether anything is remembered of an SMTP user.
    pub fn knows(&self, user: Id<SmtpUser>) -> bool {
        self.users.contains_key(&user)
    }

    /// What may be the first of a message that comes now.
    pub fn first(&self, user: Id<SmtpUser>, key: &Key, now: Timestamp) -> Option<&First> {
        self.users.get(&user)?.firsts.get(key).filter(|first| first.until > now)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn first(number: u64, until: Timestamp) -> First {
        let facts = ContentFacts { header_octets: number, ..ContentFacts::default() };
        First::new(MessageId(u128::from(number)), SessionId(1), &facts, until)
    }

    fn key(number: u64) -> Key {
        Key::of(&format!("<{number}@a.example>"), ["b@c.example"])
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn alike_are_the_same_name_and_recipients() {
        let (one, two) = ("a@x.example", "b@x.example");
        assert_eq!(Key::of("<1>", [one, two]), Key::of("<1>", ["A@X.example", two]));
        for other in [Key::of("<2>", [one, two]), Key::of("<1>", [one]), Key::of("<1>", [two, one]), Key::of("<1>", [])]
        {
            assert_ne!(Key::of("<1>", [one, two]), other);
        }
        assert_ne!(Key::of("<1>", ["a@x.exampleb", "c"]), Key::of("<1>", ["a@x.example", "bc"]));
    }

    #[test]
    fn each_is_remembered_until_its_end_and_of_its_user_alone() {
        let mut repeats = Repeats::new(&Limits::default());
        let (user, other) = (Id::new(1), Id::new(2));
        assert!(repeats.remember(user, key(1), first(1, later(3_600)), NOW));
        assert_eq!(repeats.first(user, &key(1), later(3_599)), Some(&first(1, later(3_600))));
        assert_eq!(repeats.first(user, &key(1), later(3_600)), None);
        assert_eq!(repeats.first(other, &key(1), NOW), None);
        assert!(repeats.knows(user) && !repeats.knows(other));
        // another content under the same name: the newer one is what comes again
        repeats.remember(user, key(1), first(2, later(3_700)), later(100));
        assert_eq!(repeats.first(user, &key(1), later(200)).unwrap().message, MessageId(2));
        repeats.remember(user, key(3), first(3, later(9_999)), later(3_650));
        assert_eq!(
            repeats.first(user, &key(1), later(3_650)).unwrap().message,
            MessageId(2),
            "the older one's end is not its own"
        );
    }

    #[test]
    fn a_user_keeps_its_newest_and_nobody_takes_anothers_room() {
        let limits = Limits { user_repeats_max: 2, repeats_max: 3, ..Limits::default() };
        let mut repeats = Repeats::new(&limits);
        let (loud, quiet, new) = (Id::new(1), Id::new(2), Id::new(3));
        assert!(repeats.remember(quiet, key(0), first(0, later(60)), NOW));
        for number in 1..=5 {
            assert!(repeats.remember(loud, key(number), first(number, later(3_600)), NOW));
        }
        let known = |repeats: &Repeats, user, number| repeats.first(user, &key(number), NOW).is_some();
        assert_eq!([3, 4, 5].map(|number| known(&repeats, loud, number)), [false, true, true]);
        assert!(known(&repeats, quiet, 0), "it has its own room");
        assert!(!repeats.remember(new, key(9), first(9, later(3_600)), NOW), "there is none left");
        assert!(repeats.remember(new, key(9), first(9, later(3_600)), later(61)), "what is over makes room");
        assert!(!repeats.knows(quiet));
    }

    #[test]
    fn what_was_read_is_forgotten_and_nothing_else() {
        let mut repeats = Repeats::new(&Limits::default());
        let user = Id::new(1);
        repeats.remember(user, key(1), first(1, later(60)), NOW);
        repeats.remember(user, key(2), first(2, later(60)), NOW);
        repeats.forget(user, &key(1), MessageId(9));
        assert!(repeats.first(user, &key(1), NOW).is_some(), "another message under its name");
        repeats.forget(user, &key(1), MessageId(1));
        assert!(repeats.first(user, &key(1), NOW).is_none() && repeats.first(user, &key(2), NOW).is_some());
        repeats.forget(user, &key(2), MessageId(2));
        assert!(!repeats.knows(user) && repeats.count == 0);
    }

    proptest! {
        /// Whatever comes and is read, it stays within its bounds, and what was just remembered is there.
        #[test]
        fn it_is_bounded(
            steps in proptest::collection::vec((0..5u64, 0..20u64, 1..200u64, 0..100u64, any::<bool>()), 0..300),
        ) {
            let limits = Limits { user_repeats_max: 4, repeats_max: 12, ..Limits::default() };
            let (mut repeats, mut now) = (Repeats::new(&limits), NOW);
            for (user, number, lasts, passes, is_read) in steps {
                now = now.after(Duration::from_secs(passes));
                let until = now.after(Duration::from_secs(lasts));
                let kept = repeats.remember(Id::new(user), key(number), first(number, until), now);
                prop_assert_eq!(kept, repeats.first(Id::new(user), &key(number), now).is_some_and(|first| first.until == until) );
                if is_read {
                    repeats.forget(Id::new(user), &key(number), MessageId(u128::from(number)));
                    prop_assert!(repeats.first(Id::new(user), &key(number), now).is_none());
                }
                let orders: usize = repeats.users.values().map(|kept| kept.order.len()).sum();
                prop_assert_eq!(orders, repeats.count);
                prop_assert!(repeats.count <= 12, "{}", repeats.count);
                for kept in repeats.users.values() {
                    prop_assert!(kept.order.len() <= 4 && kept.firsts.len() <= kept.order.len());
                }
            }
        }
    }
}
