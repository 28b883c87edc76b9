//! What must not be printed.

/// A text that prints `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps what must not be printed.
    pub fn new(octets: Vec<u8>) -> Self {
        Secret(octets)
    }

    /// The octets themselves, to be compared or sent, and dropped.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}
