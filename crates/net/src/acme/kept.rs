//! What is kept of ACME on disk: files for the relay's user alone, each whole or as it was.

use rcgen::{CertificateParams, KeyPair};
use relay::certificate::PAUSE_MAX;
use relay::clock::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use time::{Duration, OffsetDateTime};

use super::AcmeError;

/// How long the certificate lasts that stands in until the authority has given one.
const STAND_IN_LASTS: Duration = Duration::days(7);

/// Replaces a file at once and durably, makes its folder where there is none.
///
/// # Errors
/// What the system says; the file is then as it was.
pub(crate) fn write(file: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let beside = file.with_extension("new");
    // what a crash left behind may be readable by others
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    new.write_all(octets)?;
    new.sync_all()?;
    put(&beside, file)
}

/// Puts a file that is written in the place of another, at once and durably.
///
/// # Errors
/// What the system says.
pub(super) fn put(new: &Path, file: &Path) -> io::Result<()> {
    std::fs::rename(new, file)?;
    File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Writes a certificate that vouches for itself, where there is none yet: with it the relay can start, so that the
/// authority can look. No client that checks takes it.
///
/// # Errors
/// It cannot be made or written.
pub(super) fn stand_in(file: &Path, names: &[String], now: Timestamp) -> Result<(), AcmeError> {
    if file.exists() {
        return Ok(());
    }
    let key = KeyPair::generate()?;
    let mut made = CertificateParams::new(names.to_vec())?;
    let seconds = i64::try_from(now.0 / 1_000).unwrap_or_default();
    let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (made.not_before, made.not_after) = (now - Duration::days(1), now + STAND_IN_LASTS);
    let certificate = made.self_signed(&key)?;
    Ok(write(file, (key.serialize_pem() + &certificate.pem()).as_bytes())?)
}

/// Keeps how many orders failed in a row, and before when none is to be made.
///
/// # Errors
/// What the system says.
pub(super) fn keep_failures(file: &Path, failures: u32, not_before: Timestamp) -> io::Result<()> {
    write(file, format!("{failures} {}\n", not_before.0).as_bytes())
}

/// What was kept; none where nothing failed, or where it is further off than any pause: the clock was set back.
pub(super) fn failures(file: &Path, now: Timestamp) -> Option<(u32, Timestamp)> {
    let text = std::fs::read_to_string(file).ok()?;
    let (failures, not_before) = text.trim().split_once(' ')?;
    let (failures, not_before) = (failures.parse().ok()?, Timestamp(not_before.parse().ok()?));
    (failures > 0 && not_before.since(now) <= PAUSE_MAX).then_some((failures, not_before))
}
