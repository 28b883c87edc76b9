//! The file with what ended in the last hour: written once a minute and at the end, read at the start.
//!
//! It is no primary data: whoever deletes it begins the hour of bounces anew, and a crash loses a minute of it.

use net::kept_file;
use relay::brake::{KeptWindows, Windows};
use relay::clock::Timestamp;
use relay::directory::Directory;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Octets of the file that are read: some two hundred for each SMTP user that sent within the hour.
const OCTETS_MAX: u64 = 256 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;

/// What the file has; nothing where there is no file, or none that can be read.
pub(crate) fn load(file: &Path, directory: &Directory) -> Windows {
    let kept = kept_file::read::<KeptWindows>(file, VERSION, OCTETS_MAX).unwrap_or_else(|error| {
        tracing::warn!(file = %file.display(), %error, "what bounced in the last hour cannot be read: the brakes count anew");
        None
    });
    kept.map(|kept| Windows::restored(kept, directory)).unwrap_or_default()
}

/// Replaces the file, where something has changed.
pub(crate) fn save(file: &Path, ended: &Mutex<Windows>, now: Timestamp) {
    let lock = || ended.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(kept) = lock().changed(now) else { return };
    if let Err(error) = kept_file::write(file, &kept, VERSION) {
        tracing::warn!(%error, "what bounced in the last hour cannot be written down; a restart loses it");
        lock().not_written();
    }
}
