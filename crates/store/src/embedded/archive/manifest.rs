//! What a backup says of itself: its moment, and every file with its checksum.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::digest;
use relay::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::ArchiveError;

/// The name of the manifest's file. Written last: without it a folder is no backup.
pub(super) const NAME: &str = "manifest.json";
/// The version of backups that is written, and the newest that is read.
const FORMAT: u32 = 1;
/// Octets of a manifest that are believed.
const OCTETS_MAX: u64 = 64 << 20;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of its form.
    pub format: u32,
    /// The version of the relay that made it.
    pub version: String,
    /// When it was begun: everything acknowledged before is in it.
    pub begun_at: Timestamp,
    /// The moment that it shows.
    pub moment: Timestamp,
    /// How far its log goes.
    pub position: u64,
    /// Live messages in it.
    pub messages: u64,
    /// Recipients of these that were not settled.
    pub recipients: u64,
    /// Whether the master key is in it.
    pub master_key: bool,
    /// Every file but this one.
    pub files: Vec<FileFacts>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its name in the backup.
    pub name: String,
    /// Its octets.
    pub octets: u64,
    /// The SHA-256 of them, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// A manifest without its files yet.
    pub(super) fn begun(now: Timestamp) -> Self {
        Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            begun_at: now,
            moment: now,
            position: 0,
            messages: 0,
            recipients: 0,
            master_key: false,
            files: Vec::new(),
        }
    }

    /// Octets of all files.
    pub fn octets(&self) -> u64 {
        self.files.iter().map(|file| file.octets).sum()
    }

    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// The folder is no backup, one that was not finished, or of a newer version.
    pub(super) fn read(folder: &Path) -> Result<Manifest, ArchiveError> {
        let path = folder.join(NAME);
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(OCTETS_MAX).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ArchiveError::NoBackup(folder.to_owned()));
            }
            Err(source) => return Err(ArchiveError::Io { path, source }),
            Ok(_) => {}
        }
        #[derive(Deserialize)]
        struct Form {
            format: u32,
        }
        let malformed =
            |error: serde_json::Error| ArchiveError::Malformed { path: path.clone(), why: error.to_string() };
        let form: Form = serde_json::from_str(&text).map_err(malformed)?;
        if form.format > FORMAT {
            return Err(ArchiveError::Newer { path, found: form.format, known: FORMAT });
        }
        serde_json::from_str(&text).map_err(malformed)
    }

    /// Writes it, durable with its name when this returns.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let passing = folder.join("manifest.new");
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&passing)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&passing, folder.join(NAME))?;
        File::open(folder)?.sync_all()
    }

    /// Adds every file below a folder of the backup, read back from the disk.
    pub(super) fn add_all(&mut self, folder: &Path, below: &str) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder.join(below))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            names.push((if below.is_empty() { name } else { format!("{below}/{name}") }, entry.file_type()?.is_dir()));
        }
        names.sort();
        for (name, is_folder) in names {
            if is_folder {
                self.add_all(folder, &name)?;
            } else {
                let (octets, sha256) = digest_of(&mut File::open(folder.join(&name))?, |_| Ok(()))?;
                self.files.push(FileFacts { name, octets, sha256 });
            }
        }
        Ok(())
    }
}

/// Octets and SHA-256 of a file; each piece is handed to `each`.
pub(super) fn digest_of(file: &mut File, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(u64, String)> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 1 << 20];
    let mut octets = 0;
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        context.update(&buffer[..count]);
        each(&buffer[..count])?;
        octets += count as u64;
    }
    let hexadecimal = context.finish().as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    Ok((octets, hexadecimal))
}
