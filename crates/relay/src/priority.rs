//! How urgent mail is: what RFC 6710 calls its priority, and the three classes that the queue tells apart.

use serde::{Deserialize, Serialize};

/// A message's priority, from -9 to 9; 0 where nobody said anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Priority(i8);

impl Priority {
    /// That of mail that people wait for, such as a password reset: MIXER's "urgent".
    pub const HIGH: Priority = Priority(4);
    /// That of mail about which nobody said anything.
    pub const NORMAL: Priority = Priority(0);
    /// That of mail that nobody waits for, such as a newsletter: MIXER's "non-urgent".
    pub const LOW: Priority = Priority(-4);

    /// None outside of -9 to 9.
    pub fn new(value: i8) -> Option<Priority> {
        (-9..=9).contains(&value).then_some(Priority(value))
    }

    /// From -9 to 9.
    pub fn value(self) -> i8 {
        self.0
    }

    /// The class that the queue puts it in.
    pub fn class(self) -> Class {
        match self.0 {
            1.. => Class::High,
            0 => Class::Normal,
            _ => Class::Low,
        }
    }
}

/// What the queue tells apart, and people choose among: of one account's mail a higher class goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nobody waits for it.
    Low,
    /// Any other.
    #[default]
    Normal,
    /// Somebody waits for it.
    High,
}

impl Class {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// All, the most urgent first.
    pub const ALL: [Class; Class::COUNT] = [Class::High, Class::Normal, Class::Low];

    /// The priority of its mail.
    pub fn priority(self) -> Priority {
        match self {
            Class::High => Priority::HIGH,
            Class::Normal => Priority::NORMAL,
            Class::Low => Priority::LOW,
        }
    }

    /// Its place among [`Class::ALL`].
    pub(crate) fn place(self) -> usize {
        match self {
            Class::High => 0,
            Class::Normal => 1,
            Class::Low => 2,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_priorities_in_three_classes() {
        let class = |value| Priority::new(value).unwrap().class();
        assert_eq!(
            [class(-9), class(-1), class(0), class(1), class(9)],
            [Class::Low, Class::Low, Class::Normal, Class::High, Class::High]
        );
        assert!(Class::ALL.iter().all(|class| class.priority().class() == *class));
        assert_eq!((Priority::new(10), Priority::new(-10)), (None, None));
        assert!(Class::ALL.iter().enumerate().all(|(place, class)| class.place() == place));
        assert!(Class::High > Class::Normal && Class::Normal > Class::Low);
    }
}
