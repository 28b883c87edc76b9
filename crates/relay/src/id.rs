//! Names of things: typed numbers for what the ledger makes, time-ordered random ones for messages and sessions.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::dice::Dice;

/// The ledger's number of a `T`; never given twice.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id<T> {
    number: u64,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The id with this number.
    pub const fn new(number: u64) -> Self {
        Id { number, of: PhantomData }
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.number
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.number.cmp(&other.number)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}
impl<T> FromStr for Id<T> {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Id::new)
    }
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is not one of our ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 26 letters and digits are expected")]
pub struct IdError;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl $name {
            /// A new one: 48 bits of time, so that ids sort by age, and 80 random bits.
            pub fn new(now: Timestamp, dice: &mut dyn Dice) -> Self {
                let mut octets = [0; 16];
                dice.fill(&mut octets[6..]);
                octets[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
                $name(u128::from_be_bytes(octets))
            }
        }

        impl $name {
            /// When it was made.
            pub fn made_at(self) -> Timestamp {
                // 48 bits: the shift leaves no more
                Timestamp((self.0 >> 80) as u64)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 26];
                for (position, letter) in text.iter_mut().enumerate() {
                    *letter = ALPHABET[(self.0 >> (5 * (25 - position)) & 31) as usize];
                }
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() != 26 {
                    return Err(IdError);
                }
                text.bytes().try_fold(0u128, |value, letter| {
                    let digit = ALPHABET.iter().position(|l| *l == letter.to_ascii_uppercase()).ok_or(IdError)?;
                    if value >> 123 != 0 {
                        return Err(IdError);
                    }
                    Ok(value << 5 | digit as u128)
                }).map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

random_id!(
    /// A message: the `<id>` of `250 2.0.0 Ok: queued as <id>`.
    MessageId
);
random_id!(
    /// One inbound connection.
    SessionId
);
