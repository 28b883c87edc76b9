//! A file of what is no primary data: JSON with the version of its form. One that cannot be read is told and done without.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::acme::write_whole;

#[derive(Serialize, Deserialize)]
struct Page<T> {
    version: u32,
    // as the files of before call it
    #[serde(alias = "policies", alias = "state")]
    kept: T,
}

/// What the file has, of which at most so many octets are read; none where there is no file.
///
/// # Errors
/// It cannot be read, or is of another version.
pub fn read<T: DeserializeOwned>(file: &Path, version: u32, octets_max: u64) -> io::Result<Option<T>> {
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut octets = Vec::new();
    opened.take(octets_max).read_to_end(&mut octets)?;
    let page: Page<T> = serde_json::from_slice(&octets)?;
    if page.version == version {
        Ok(Some(page.kept))
    } else {
        Err(io::Error::other(format!("it is of version {}, and version {version} is read", page.version)))
    }
}

/// Replaces the file, at once and durably.
///
/// # Errors
/// What the system says; the file is then as it was.
pub fn write<T: Serialize>(file: &Path, kept: &T, version: u32) -> io::Result<()> {
    write_whole(file, &page(kept, version)?)
}

/// The octets of the file.
///
/// # Errors
/// It has no form in JSON.
pub(crate) fn page<T: Serialize>(kept: &T, version: u32) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Page { version, kept })?)
}
