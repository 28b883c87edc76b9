//! What a seed decides: independent streams of dice, so that a change in one part leaves the others as they were.

use relay::dice::{Dice, Seeded};

/// Dice of one part of the world.
#[derive(Clone, Debug)]
pub struct Rng(Seeded);

impl Rng {
    /// The stream `label` of a seed.
    pub fn new(seed: u64, label: u64) -> Self {
        let mut mixed = Seeded::new(seed ^ label.wrapping_mul(0xA076_1D64_78BD_642F));
        let mut octets = [0; 8];
        mixed.fill(&mut octets);
        Rng(Seeded::new(u64::from_le_bytes(octets)))
    }

    /// A number.
    pub fn roll(&mut self) -> u64 {
        let mut octets = [0; 8];
        self.0.fill(&mut octets);
        u64::from_le_bytes(octets)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// A number from `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True so many times in a thousand.
    pub fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }

    /// One of these, by their weights.
    pub fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let mut at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if at < *weight {
                return *choice;
            }
            at -= weight;
        }
        choices[0].1
    }
}

impl Dice for Rng {
    fn fill(&mut self, octets: &mut [u8]) {
        self.0.fill(octets);
    }
}
