//! A disk in memory, for a spool that nobody else uses.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::embedded::spool::simulation::{Disk, DiskFile};

type Octets = Arc<Mutex<Vec<u8>>>;

/// Files by name.
#[derive(Default)]
pub(crate) struct MemoryDisk(Mutex<BTreeMap<String, Octets>>);

/// One of its files.
pub(crate) struct MemoryFile(Octets);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DiskFile for MemoryFile {
    fn read_at(&self, octets: &mut [u8], offset: u64) -> io::Result<usize> {
        let file = lock(&self.0);
        let there = file.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let count = there.len().min(octets.len());
        octets[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut file = lock(&self.0);
        let mut at = usize::try_from(offset).map_err(io::Error::other)?;
        for part in parts {
            if file.len() < at + part.len() {
                file.resize(at + part.len(), 0);
            }
            file[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        Ok(())
    }

    fn allocate(&self, octets: u64) -> io::Result<()> {
        let octets = usize::try_from(octets).map_err(io::Error::other)?;
        let mut file = lock(&self.0);
        let length = file.len().max(octets);
        file.resize(length, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk for MemoryDisk {
    const WAITS: bool = false;

    type File = MemoryFile;

    fn create(&self, name: &str) -> io::Result<MemoryFile> {
        let file = Octets::default();
        lock(&self.0).insert(name.to_owned(), Arc::clone(&file));
        Ok(MemoryFile(file))
    }

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        lock(&self.0).get(name).map(|file| MemoryFile(Arc::clone(file))).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let files = lock(&self.0);
        let inside = |(name, file): (&String, &Octets)| {
            let name = if folder.is_empty() { name } else { name.strip_prefix(folder)?.strip_prefix('/')? };
            (!name.contains('/')).then(|| (name.to_owned(), lock(file).len() as u64))
        };
        Ok(files.iter().filter_map(inside).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        lock(&self.0).remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = lock(&self.0);
        let file = files.remove(from).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn free_octets(&self) -> io::Result<u64> {
        Ok(1 << 40)
    }

    fn salt(&self) -> u64 {
        7
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}
