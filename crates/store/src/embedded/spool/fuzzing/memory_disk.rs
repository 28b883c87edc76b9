//! A disk in memory: files as somebody left them, with every octet of their choice.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::super::disk::{Disk, DiskFile};
use super::super::state::lock;

/// Octets that are always free.
const FREE_OCTETS: u64 = 1 << 40;

/// Files by name, `folder/name`.
pub type Files = BTreeMap<String, Vec<u8>>;

type Content = Arc<Mutex<Vec<u8>>>;

/// The disk.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryDisk(Arc<Mutex<BTreeMap<String, Content>>>);

/// One of its files.
#[derive(Debug)]
pub(super) struct MemoryFile(Content);

impl MemoryDisk {
    /// With these files.
    pub(super) fn new(files: Files) -> Self {
        MemoryDisk(Arc::new(Mutex::new(
            files.into_iter().map(|(name, octets)| (name, Arc::new(Mutex::new(octets)))).collect(),
        )))
    }

    /// What is on it.
    pub(super) fn files(&self) -> Files {
        lock(&self.0).iter().map(|(name, content)| (name.clone(), lock(content).clone())).collect()
    }
}

impl Disk for MemoryDisk {
    const WAITS: bool = false;

    type File = MemoryFile;

    fn create(&self, name: &str) -> io::Result<MemoryFile> {
        let content = Content::default();
        match lock(&self.0).insert(name.to_owned(), Arc::clone(&content)) {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => Ok(MemoryFile(content)),
        }
    }

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        let content = lock(&self.0).get(name).cloned();
        content.map(MemoryFile).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let files = lock(&self.0);
        let within = |name: &str| match name.rsplit_once('/') {
            Some((of, name)) => (of == folder).then(|| name.to_owned()),
            None => folder.is_empty().then(|| name.to_owned()),
        };
        Ok(files.iter().filter_map(|(name, content)| Some((within(name)?, lock(content).len() as u64))).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        lock(&self.0).remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = lock(&self.0);
        let content = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn free_octets(&self) -> io::Result<u64> {
        Ok(FREE_OCTETS)
    }

    fn salt(&self) -> u64 {
        7
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}

impl DiskFile for MemoryFile {
    fn read_at(&self, octets: &mut [u8], offset: u64) -> io::Result<usize> {
        let content = lock(&self.0);
        let from = usize::try_from(offset).map_or(content.len(), |offset| offset.min(content.len()));
        let count = octets.len().min(content.len() - from);
        octets[..count].copy_from_slice(&content[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut content = lock(&self.0);
        let mut at = usize::try_from(offset).map_err(io::Error::other)?;
        for part in parts {
            if content.len() < at + part.len() {
                content.resize(at + part.len(), 0);
            }
            content[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        Ok(())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
