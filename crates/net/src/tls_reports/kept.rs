//! The file with what is counted.

use std::path::Path;

use super::state::State;
use crate::kept_file;

/// Octets of the file that are read.
const OCTETS_MAX: u64 = 1024 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;

/// What the file has; none where there is no file, or none that can be read.
pub(super) fn load(file: &Path) -> Option<State> {
    kept_file::read(file, VERSION, OCTETS_MAX).unwrap_or_else(|error| {
        tracing::warn!(file = %file.display(), %error, "what was counted for reports on TLS cannot be read: it begins anew");
        None
    })
}

/// The octets of the file.
pub(super) fn page(state: &State) -> Option<Vec<u8>> {
    kept_file::page(state, VERSION).ok()
}
