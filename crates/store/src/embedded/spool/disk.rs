//! The little that the spool asks of a file system, so that tests and a simulator can stand in for it.

use rustix::fs::FallocateFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Slices in one system call (`IOV_MAX`).
const SLICES_MAX: usize = 1024;

/// One open file.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads until `octets` is full or the file ends; returns how many.
    fn read_at(&self, octets: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all the parts, one behind the other.
    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Reserves room for so many octets; an error says that there is none.
    fn allocate(&self, octets: u64) -> io::Result<()>;

    /// Content, and what is needed to find it again, is on the disk when this returns.
    fn sync(&self) -> io::Result<()>;
}

/// Octets that a disk loses at once.
const PAGE_OCTETS: u64 = 4096;

/// Whether the disk says that it has lost what was to be read.
pub(crate) fn is_lost(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// As [`DiskFile::read_at`], and where the disk has lost some of it, the rest, with zeros in the place of the lost:
/// checksums tell.
pub(crate) fn read_around<F: DiskFile>(file: &F, octets: &mut [u8], offset: u64) -> io::Result<usize> {
    match file.read_at(octets, offset) {
        Err(error) if is_lost(&error) => {}
        result => return result,
    }
    octets.fill(0);
    let mut done = 0;
    while done < octets.len() {
        let at = offset + done as u64;
        let end = octets.len().min(done + (PAGE_OCTETS - at % PAGE_OCTETS) as usize);
        match file.read_at(&mut octets[done..end], at) {
            Ok(count) if count < end - done => return Ok(done + count),
            Err(error) if !is_lost(&error) => return Err(error),
            Ok(_) | Err(_) => done = end,
        }
    }
    Ok(done)
}

/// A folder with folders of files; names are `folder/name`, or `name` at the top.
pub trait Disk: Send + Sync + 'static {
    /// Whether a call may wait for a device: then tasks leave it to threads that are there to wait.
    const WAITS: bool;

    /// Its open files.
    type File: DiskFile;

    /// Makes a new file.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file that exists.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Names (without the folder) and lengths of the files in `folder`, which is made where it does not exist.
    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// The names in `folder` (empty: the top) are on the disk when this returns.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;

    /// Octets that can still be written.
    fn free_octets(&self) -> io::Result<u64>;

    /// A number that no peer can guess.
    fn salt(&self) -> u64;

    /// Where a file is, for whoever reads it without this trait, and for reports.
    fn path(&self, name: &str) -> PathBuf;
}

/// Files of the operating system.
#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
}

impl RealDisk {
    /// The files in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        RealDisk { folder: folder.to_owned() }
    }
}

impl Disk for RealDisk {
    const WAITS: bool = true;

    type File = File;

    fn create(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.path(name))
    }

    fn open(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path(name))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let path = self.path(folder);
        if !path.try_exists()? {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
            self.sync_folder("")?;
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                files.push((name, meta.len()));
            }
        }
        files.sort();
        Ok(files)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        File::open(self.path(folder))?.sync_all()
    }

    fn free_octets(&self) -> io::Result<u64> {
        let state = rustix::fs::statvfs(&self.folder)?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize))
    }

    fn salt(&self) -> u64 {
        let mut octets = [0; 8];
        // without randomness the marks are guessable, which only matters to someone who also damages the disk
        let _ = aws_lc_rs::rand::fill(&mut octets);
        u64::from_le_bytes(octets)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl DiskFile for File {
    fn read_at(&self, octets: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < octets.len() {
            match FileExt::read_at(self, &mut octets[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let (mut parts, mut offset) = (parts, offset);
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            match rustix::io::pwritev(self, &parts[..parts.len().min(SLICES_MAX)], offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    offset += count as u64;
                    IoSlice::advance_slices(&mut parts, count);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn allocate(&self, octets: u64) -> io::Result<()> {
        match rustix::fs::fallocate(self, FallocateFlags::empty(), 0, octets) {
            // a file system without it: the zeros that are written next allocate as well
            Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
            result => Ok(result?),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
