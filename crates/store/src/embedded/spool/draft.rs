//! Content being received: held in memory up to a bound, then streamed into a file of its own.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use relay::store::StoreError;

use super::disk::{Disk, DiskFile, RealDisk};
use super::meta::Filed;
use super::state::{CONTENT, Shared, content_name};

/// Chunks shorter than this are copied together: a list of tiny chunks would cost more than they hold.
const CHUNK_OCTETS_MIN: usize = 2048;
/// Octets of one write into a content file.
const WRITE_OCTETS: usize = 256 * 1024;
/// Octets a draft may hold in memory when there is little left for all.
const HELD_OCTETS_MIN: usize = 64 * 1024;

/// A content file that is being written; dropped without [`FileWriter::finish`], it goes.
pub(crate) struct FileWriter<D: Disk> {
    shared: Arc<Shared<D>>,
    file: D::File,
    filed: Filed,
    is_kept: bool,
}

impl<D: Disk> FileWriter<D> {
    /// Makes an empty content file. Blocks on the disk, as all of it.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], [`StoreError::Unavailable`]: no promise was made, so nothing latches.
    pub(crate) fn new(shared: Arc<Shared<D>>) -> Result<Self, StoreError> {
        let last = shared.last_file.fetch_add(1, Ordering::Relaxed) + 1;
        let number = u64::from(shared.state().epoch) << 32 | u64::from(last);
        let file = shared.disk.create(&content_name(number)).map_err(|error| failed(&error))?;
        Ok(FileWriter { shared, file, filed: Filed { number, octets: 0, crc: 0 }, is_kept: false })
    }

    /// Writes the next octets.
    ///
    /// # Errors
    /// As [`FileWriter::new`].
    pub(crate) fn write(&mut self, chunks: &[Bytes]) -> Result<(), StoreError> {
        let octets = chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        self.shared.take_file_room(octets)?;
        let mut parts: Vec<IoSlice<'_>> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
        let offset = self.filed.octets;
        self.filed.octets += octets;
        self.file.write_at(&mut parts, offset).map_err(|error| failed(&error))
    }

    /// Syncs the file and its name: only then a record may name it.
    ///
    /// # Errors
    /// As [`FileWriter::new`].
    pub(crate) fn finish(mut self, crc: u32) -> Result<Filed, StoreError> {
        self.file.sync().and_then(|()| self.shared.disk.sync_folder(CONTENT)).map_err(|error| failed(&error))?;
        self.is_kept = true;
        self.filed.crc = crc;
        Ok(self.filed)
    }
}

impl<D: Disk> Drop for FileWriter<D> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.shared.state().doomed.push(self.filed);
        }
    }
}

fn failed(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::NoRoom(error.to_string()),
        _ => StoreError::Unavailable(format!("a content file: {error}")),
    }
}

/// Content as it was received.
pub(crate) enum Received {
    /// In memory.
    Held {
        /// One behind the other.
        chunks: Vec<Bytes>,
        /// Octets of all.
        octets: usize,
        /// Their checksum.
        crc: u32,
    },
    /// In a file of its own, synced.
    Filed(Filed),
}

/// Content being received; dropped without `commit`, it leaves nothing behind.
pub struct LogDraft<D: Disk = RealDisk> {
    shared: Arc<Shared<D>>,
    octets: u64,
    crc: u32,
    chunks: Vec<Bytes>,
    /// Short chunks, copied together.
    short: BytesMut,
    /// Octets of `chunks` and `short`, counted in the sum of all drafts.
    held: usize,
    file: Option<FileWriter<D>>,
    /// A write failed: what is here is not whole.
    failed: Option<StoreError>,
}

impl<D: Disk> LogDraft<D> {
    pub(crate) fn new(shared: Arc<Shared<D>>) -> Self {
        LogDraft {
            shared,
            octets: 0,
            crc: 0,
            chunks: Vec::new(),
            short: BytesMut::new(),
            held: 0,
            file: None,
            failed: None,
        }
    }

    fn hold(&mut self, octets: Bytes) {
        self.held += octets.len();
        self.shared.drafts_octets.fetch_add(octets.len() as u64, Ordering::Relaxed);
        if octets.len() < CHUNK_OCTETS_MIN {
            self.short.extend_from_slice(&octets);
            if self.short.len() >= 4 * CHUNK_OCTETS_MIN {
                self.chunks.push(self.short.split().freeze());
            }
            return;
        }
        if !self.short.is_empty() {
            self.chunks.push(self.short.split().freeze());
        }
        self.chunks.push(octets);
    }

    fn let_go(&mut self) -> Vec<Bytes> {
        if !self.short.is_empty() {
            self.chunks.push(self.short.split().freeze());
        }
        self.shared.drafts_octets.fetch_sub(self.held as u64, Ordering::Relaxed);
        self.held = 0;
        std::mem::take(&mut self.chunks)
    }

    fn held_octets_max(&self) -> usize {
        if self.file.is_some() {
            return WRITE_OCTETS;
        }
        let all = self.shared.drafts_octets.load(Ordering::Relaxed);
        let max = self.shared.options.held_content_octets_max;
        if all > self.shared.options.drafts_octets_max { max.min(HELD_OCTETS_MIN) } else { max }
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let chunks = self.let_go();
        let (file, shared) = (self.file.take(), Arc::clone(&self.shared));
        let written = blocking::<D, _>(move || {
            let mut file = match file {
                Some(file) => file,
                None => FileWriter::new(shared)?,
            };
            file.write(&chunks).map(|()| file)
        });
        match written.await {
            Ok(file) => {
                self.file = Some(file);
                Ok(())
            }
            Err(error) => {
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Everything has come: what was held, or the file, synced.
    pub(crate) async fn finish(mut self) -> Result<Received, StoreError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.file.is_none() && self.held <= self.shared.options.held_content_octets_max {
            let chunks = self.let_go();
            return Ok(Received::Held { chunks, octets: self.octets as usize, crc: self.crc });
        }
        if self.held > 0 {
            self.write().await?;
        }
        let crc = self.crc;
        match self.file.take() {
            Some(file) => blocking::<D, _>(move || file.finish(crc)).await.map(Received::Filed),
            None => Err(StoreError::Unavailable("the content file was not written".to_owned())),
        }
    }
}

impl<D: Disk> relay::store::Draft for LogDraft<D> {
    async fn append(&mut self, octets: Bytes) -> Result<(), StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.octets += octets.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, &octets);
        self.hold(octets);
        if self.held > self.held_octets_max() { self.write().await } else { Ok(()) }
    }

    fn octets(&self) -> u64 {
        self.octets
    }
}

impl<D: Disk> Drop for LogDraft<D> {
    fn drop(&mut self) {
        self.shared.drafts_octets.fetch_sub(self.held as u64, Ordering::Relaxed);
    }
}

/// Runs what waits for the disk off the async threads, where it does.
pub(crate) async fn blocking<D: Disk, T: Send + 'static>(
    run: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    if !D::WAITS {
        return run();
    }
    match tokio::task::spawn_blocking(run).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Unavailable(format!("a reader or writer stopped: {error}"))),
    }
}
