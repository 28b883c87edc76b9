//! Randomness, as passed in.

/// A source of random octets. The binary's is the operating system's; a test's is seeded.
pub trait Dice: Send {
    /// Fills `octets` with random values.
    fn fill(&mut self, octets: &mut [u8]);

    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: u64) -> u64 {
        let mut octets = [0; 16];
        self.fill(&mut octets);
        // 128 bits modulo 64: the bias is below 2^-64
        (u128::from_le_bytes(octets) % u128::from(bound.max(1))) as u64
    }
}

/// Dice that fall the same way for the same seed (SplitMix64): for tests and simulations, never for secrets.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// Dice of this seed.
    pub fn new(seed: u64) -> Self {
        Seeded(seed)
    }
}

impl Dice for Seeded {
    fn fill(&mut self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
