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
