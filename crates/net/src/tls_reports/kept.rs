//! The file with what is counted. It is no primary data: one that cannot be read is told and done without.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::state::State;
use crate::acme::write_whole;

/// Octets of the file that are read.
const OCTETS_MAX: u64 = 1024 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Page<S> {
    version: u32,
    state: S,
}

/// What the file has; none where there is no file, or none that can be read.
pub(super) fn load(file: &Path) -> Option<State> {
    match read(file) {
        Ok(state) => Some(state),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "what was counted for reports on TLS cannot be read: it begins anew");
            None
        }
    }
}

fn read(file: &Path) -> io::Result<State> {
    let mut octets = Vec::new();
    File::open(file)?.take(OCTETS_MAX).read_to_end(&mut octets)?;
    let page: Page<State> = serde_json::from_slice(&octets)?;
    if page.version == VERSION {
        Ok(page.state)
    } else {
        Err(io::Error::other(format!("it is of version {}, and version {VERSION} is read", page.version)))
    }
}

/// The octets of the file.
pub(super) fn page(state: &State) -> Option<Vec<u8>> {
    serde_json::to_vec(&Page { version: VERSION, state }).ok()
}

/// Replaces the file.
///
/// # Errors
/// What the system says; the file is then as it was.
pub(super) fn save(file: &Path, octets: &[u8]) -> io::Result<()> {
    write_whole(file, octets)
}
