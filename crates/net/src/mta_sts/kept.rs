//! The policies in their file. They are no primary data: a file that cannot be read is told and done without.

use relay::mta_sts::Kept;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::acme::write_whole;

/// Octets of the file that are read.
const OCTETS_MAX: u64 = 256 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Page<P> {
    version: u32,
    policies: P,
}

/// What the file has, at most so many policies; nothing where there is no file, or none that can be read.
pub(super) fn load(file: &Path, policies_max: usize) -> Vec<(String, Kept)> {
    match read(file) {
        Ok(mut policies) => {
            policies.truncate(policies_max);
            policies
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the policies of domains (MTA-STS) cannot be read: they are fetched again");
            Vec::new()
        }
    }
}

fn read(file: &Path) -> io::Result<Vec<(String, Kept)>> {
    let mut octets = Vec::new();
    File::open(file)?.take(OCTETS_MAX).read_to_end(&mut octets)?;
    let page: Page<Vec<(String, Kept)>> = serde_json::from_slice(&octets)?;
    if page.version == VERSION {
        Ok(page.policies)
    } else {
        Err(io::Error::other(format!("it is of version {}, and version {VERSION} is read", page.version)))
    }
}

/// Replaces the file.
///
/// # Errors
/// What the system says; the file is then as it was.
pub(super) fn save(file: &Path, policies: &[(String, Kept)]) -> io::Result<()> {
    write_whole(file, &serde_json::to_vec(&Page { version: VERSION, policies })?)
}
