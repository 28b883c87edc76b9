//! The log and live mail as of one moment, for a backup: kept from being used again while they are copied.
//!
//! What is copied is what a start after a crash at that moment would find: every record before it, and a checkpoint from
//! shortly before, so that outcomes whose segments were used again since are not forgotten. Content of mail that had left
//! the queue is left out: a backup is no place for it to outlive its day.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relay::store::StoreError;

use super::LogSpool;
use super::checkpoint;
use super::disk::{Disk, DiskFile};
use super::meta::Filed;
use super::record::{HEADER_OCTETS, Kind};
use super::scan::{Last, Scanner};
use super::segment::{self, EDGE_OCTETS};
use super::state::{CONTENT, Segment, Shared, content_name};

/// What is kept as it is while a snapshot is copied.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    /// Everything: the moment is not chosen yet.
    everything: bool,
    /// Segments of the log, by their bases.
    segments: HashSet<u64>,
    /// Content files.
    files: bool,
}

impl Pins {
    /// Whether a segment of the log stays as it is.
    pub(crate) fn has_segment(&self, base: u64) -> bool {
        self.everything || self.segments.contains(&base)
    }

    /// Whether content files stay.
    pub(crate) fn has_files(&self) -> bool {
        self.everything || self.files
    }
}

/// What a backup says of the spool in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// How far the log goes.
    pub(crate) position: u64,
    /// The start that wrote it.
    pub(crate) epoch: u32,
    /// Live messages.
    pub(crate) messages: u64,
    /// Unsettled recipients.
    pub(crate) recipients: u64,
}

/// A snapshot being taken. Dropped, it lets everything go its way.
pub(crate) struct Snapshot<D: Disk> {
    shared: Arc<Shared<D>>,
    target: PathBuf,
    /// Records from here on are copied whole.
    from: u64,
    /// Before it, content of the records at these positions alone.
    live: Vec<u64>,
    segments: Vec<Segment>,
    files: Vec<Filed>,
}

impl<D: Disk> LogSpool<D> {
    /// As [`Snapshot::begin`].
    pub(crate) fn snapshot(&self, target: &Path) -> Result<Snapshot<D>, StoreError> {
        Snapshot::begin(Arc::clone(&self.engine.shared), target)
    }
}

impl<D: Disk> Drop for Snapshot<D> {
    fn drop(&mut self) {
        self.shared.state().pins = None;
    }
}

impl<D: Disk> Snapshot<D> {
    /// Begins a snapshot to be written into the folder `target`: nothing of the log is used again from now on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where one is being taken already.
    pub(crate) fn begin(shared: Arc<Shared<D>>, target: &Path) -> Result<Self, StoreError> {
        {
            let mut state = shared.state();
            if state.pins.is_some() {
                return Err(StoreError::Conflict("another backup is being made".to_owned()));
            }
            state.pins = Some(Pins { everything: true, ..Pins::default() });
        }
        let (live, segments, files) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Snapshot { shared, target: target.to_owned(), from: 0, live, segments, files })
    }

    /// Writes what a start knows before it reads the log. The moment comes after.
    ///
    /// # Errors
    /// The target cannot be written.
    pub(crate) fn checkpoint(&mut self) -> io::Result<()> {
        for folder in ["", segment::FOLDER, CONTENT] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(self.target.join(folder))?;
        }
        let file = create(&self.target.join(checkpoint::NAME))?;
        self.from = checkpoint::write_into(&self.shared, file, false, &mut self.live)?;
        self.live.sort_unstable();
        Ok(())
    }

    /// Chooses the moment: now.
    pub(crate) fn choose(&mut self) -> Moment {
        let mut state = self.shared.state();
        let is_written = |segment: &&Segment| segment.end > segment.header.data_start();
        self.segments = state.log.values().filter(is_written).copied().collect();
        self.files = state.files.values().copied().collect();
        let segments = self.segments.iter().map(|segment| segment.header.base).collect();
        state.pins = Some(Pins { everything: false, segments, files: true });
        Moment {
            position: state.synced,
            epoch: state.epoch,
            messages: state.index.messages(),
            recipients: state.index.recipients(),
        }
    }

    /// Copies content files and segments, each synced.
    ///
    /// # Errors
    /// The target cannot be written, or the spool not be read.
    pub(crate) fn copy(&mut self) -> io::Result<()> {
        for filed in std::mem::take(&mut self.files) {
            self.copy_file(&filed)?;
        }
        if let Some(pins) = &mut self.shared.state().pins {
            pins.files = false;
        }
        for segment in std::mem::take(&mut self.segments) {
            self.copy_segment(&segment)?;
            if let Some(pins) = &mut self.shared.state().pins {
                pins.segments.remove(&segment.header.base);
            }
        }
        [segment::FOLDER, CONTENT, ""].iter().try_for_each(|folder| File::open(self.target.join(folder))?.sync_all())
    }

    fn copy_file(&self, filed: &Filed) -> io::Result<()> {
        let name = content_name(filed.number);
        let from = match self.shared.disk.open(&name) {
            Ok(from) => from,
            // damage, which is told already or will be by whoever reads it
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let to = create(&self.target.join(&name))?;
        let mut buffer = vec![0; 256 * 1024];
        let mut offset = 0;
        loop {
            let count = super::disk::read_around(&from, &mut buffer, offset)?;
            if count == 0 {
                return to.sync_all();
            }
            to.write_at(&mut [IoSlice::new(&buffer[..count])], offset)?;
            offset += count as u64;
        }
    }

    /// Copies the records of a segment; what lies between is left out.
    fn copy_segment(&self, segment: &Segment) -> io::Result<()> {
        let from = self.shared.segment_file(segment.number)?;
        let to = create(&self.target.join(segment::name(segment.number)))?;
        to.set_len(segment.header.octets)?;
        segment.header.write(&to)?;
        let mut scanner = Scanner::new(&*from, &segment.header, segment.end);
        let mut position = segment.header.data_start();
        while position < segment.end {
            let (octets, next) = match scanner.at(position, Last::default())? {
                Some(found) => {
                    let is_message = matches!(found.header.kind(), Some(Kind::Commit | Kind::Copy));
                    let is_kept = !is_message || position >= self.from || self.live.binary_search(&position).is_ok();
                    let content = if is_kept { u64::from(found.header.content_octets) } else { 0 };
                    (HEADER_OCTETS as u64 + u64::from(found.header.meta_octets) + content, found.end())
                }
                // damage stays what it is
                None => {
                    let next = scanner.find(position, Last::default())?.map_or(segment.end, |found| found.position);
                    (next - position, next)
                }
            };
            copy_stretch(&mut scanner, &to, position, octets, position - segment.header.base)?;
            position = next;
        }
        to.sync_all()
    }
}

fn copy_stretch<F: DiskFile>(
    scanner: &mut Scanner<'_, F>,
    to: &File,
    position: u64,
    octets: u64,
    offset: u64,
) -> io::Result<()> {
    let mut done = 0;
    while done < octets {
        let count = (octets - done).min(EDGE_OCTETS * 16) as usize;
        let view = scanner.view(position + done, count)?;
        to.write_at(&mut [IoSlice::new(view)], offset + done)?;
        done += count as u64;
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}
