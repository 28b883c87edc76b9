//! The policies in their file.

use relay::mta_sts::Kept;
use std::io;
use std::path::Path;

use crate::kept_file;

/// Octets of the file that are read.
const OCTETS_MAX: u64 = 256 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;

/// What the file has, at most so many policies; nothing where there is no file, or none that can be read.
pub(super) fn load(file: &Path, policies_max: usize) -> Vec<(String, Kept)> {
    let read = kept_file::read::<Vec<(String, Kept)>>(file, VERSION, OCTETS_MAX);
    let mut policies = read.unwrap_or_else(|error| {
        tracing::warn!(file = %file.display(), %error, "the policies of domains (MTA-STS) cannot be read: they are fetched again");
        None
    });
    if let Some(policies) = &mut policies {
        policies.truncate(policies_max);
    }
    policies.unwrap_or_default()
}

/// Replaces the file.
///
/// # Errors
/// What the system says; the file is then as it was.
pub(super) fn save(file: &Path, policies: &[(String, Kept)]) -> io::Result<()> {
    kept_file::write(file, &policies, VERSION)
}
