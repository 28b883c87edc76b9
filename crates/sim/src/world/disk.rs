//! A disk in memory: fails on command, and at a power cut forgets what was not synced, whole, in part, or not at all.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use store::embedded::spool::simulation::{Disk, DiskFile};
use tokio::sync::Notify;

use super::lock;
use crate::fault::{Fault, Tally};
use crate::rng::Rng;
use crate::trace::Trace;

const SECTOR: usize = 512;
/// EIO.
const IO_ERROR: i32 = 5;

#[derive(Clone, Debug, Default)]
struct Data {
    /// As whoever reads it sees it.
    now: Vec<u8>,
    /// As it is on the medium.
    durable: Vec<u8>,
    /// Writes between the two, in order.
    unsynced: Vec<(usize, Vec<u8>)>,
}

fn put(image: &mut Vec<u8>, offset: usize, octets: &[u8]) {
    if image.len() < offset + octets.len() {
        image.resize(offset + octets.len(), 0);
    }
    image[offset..offset + octets.len()].copy_from_slice(octets);
}

/// Cuts a write at the borders of sectors.
fn sectors(offset: usize, octets: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= octets.len() {
            return None;
        }
        let to = (at + SECTOR - (offset + at) % SECTOR).min(octets.len());
        let sector = (offset + at, &octets[at..to]);
        at = to;
        Some(sector)
    })
}

#[derive(Clone, Debug)]
enum NameChange {
    Put(String, u64),
    Remove(String),
    Rename(String, String),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            NameChange::Put(name, file) => drop(names.insert(name.clone(), *file)),
            NameChange::Remove(name) => drop(names.remove(name)),
            NameChange::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }

    fn folder(&self) -> &str {
        match self {
            NameChange::Put(name, _) | NameChange::Remove(name) | NameChange::Rename(_, name) => folder(name),
        }
    }
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What the disk does beyond what it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// The power goes at this many changes from now.
    pub power_cut_after: Option<u64>,
    /// A write fails at this many changes from now, or at the first one behind.
    pub write_fails_after: Option<u64>,
    /// A sync, likewise.
    pub sync_fails_after: Option<u64>,
}

/// How a life of the process ended, as the disk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What was written stays.
    Process,
    /// What was not synced may be gone.
    Power,
}

struct State {
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    name_changes: Vec<NameChange>,
    files: BTreeMap<u64, Data>,
    file_last: u64,
    salt: u64,
    capacity: u64,
    used: u64,
    changes: u64,
    trouble: Trouble,
    rng: Rng,
    /// Which life of the process has it: handles of an earlier one do nothing.
    life: u64,
}

/// What the disk needs of the rest of the world.
#[derive(Clone)]
pub struct Around {
    /// Counts faults.
    pub tally: Arc<Tally>,
    /// Is told what happens.
    pub trace: Arc<Trace>,
    /// Set where the power goes.
    pub dead: Arc<AtomicBool>,
    /// Told where the power goes.
    pub death: Arc<Notify>,
}

/// The disk, as one life of the process has it.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    around: Around,
    life: u64,
}

/// One of its files.
pub struct SimFile {
    disk: SimDisk,
    file: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Name,
    Write,
    Sync,
}

impl SimDisk {
    /// An empty one of so many octets.
    pub fn new(capacity: u64, rng: Rng, around: Around) -> Self {
        let state = State {
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            name_changes: Vec::new(),
            files: BTreeMap::new(),
            file_last: 0,
            salt: 0,
            capacity,
            used: 0,
            changes: 0,
            trouble: Trouble::default(),
            rng,
            life: 0,
        };
        SimDisk { state: Arc::new(Mutex::new(state)), around, life: 0 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The next life of the process has it from now on, with this trouble ahead.
    pub fn begin_life(&self, trouble: Trouble) -> SimDisk {
        let mut state = self.state();
        state.life += 1;
        state.trouble = trouble;
        SimDisk { life: state.life, ..self.clone() }
    }

    /// A handle for whoever looks while no process has it.
    pub fn view(&self) -> SimDisk {
        let life = self.state().life;
        SimDisk { life, ..self.clone() }
    }

    /// Trouble is over.
    pub fn make_kind(&self) {
        self.state().trouble = Trouble::default();
    }

    /// A life of the process has ended: what is left.
    pub fn end_life(&self, end: End) {
        let mut state = self.state();
        // nobody's handle is good any more
        state.life += 1;
        if end == End::Power {
            state.forget_unsynced(&self.around.tally);
        }
    }

    /// Octets in use.
    pub fn used(&self) -> u64 {
        self.state().used
    }

    /// Room for so many octets in all.
    pub fn set_capacity(&self, capacity: u64) {
        self.state().capacity = capacity;
    }

    /// Changes so far.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Flips a bit of what is on the medium.
    pub fn flip(&self, name: &str, offset: usize, bit: u8) -> bool {
        let mut state = self.state();
        let Some(file) = state.names.get(name).copied() else { return false };
        let Some(data) = state.files.get_mut(&file) else { return false };
        if offset >= data.now.len() || offset >= data.durable.len() {
            return false;
        }
        data.now[offset] ^= 1 << bit;
        data.durable[offset] ^= 1 << bit;
        true
    }

    /// What is in a file now.
    pub fn image(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let file = state.names.get(name)?;
        Some(state.files.get(file)?.now.clone())
    }

    /// Whether so many octets of a file are on the medium as they are now: a power cut leaves them.
    pub fn is_on_medium(&self, name: &str, offset: u64, octets: u64) -> bool {
        let state = self.state();
        let data = state.names.get(name).and_then(|file| state.files.get(file));
        let range = offset as usize..(offset + octets) as usize;
        data.is_some_and(|data| {
            let now = data.now.get(range.clone());
            now.is_some() && now == data.durable.get(range)
        })
    }

    /// The files that the process would find.
    pub fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// Whether this handle's life goes on, and what the disk makes of the change.
    fn change(&self, state: &mut State, change: Change) -> io::Result<()> {
        if state.life != self.life || self.around.dead.load(Ordering::Relaxed) {
            return Err(io::Error::other("the power is gone"));
        }
        state.changes += 1;
        if let Some(left) = &mut state.trouble.power_cut_after {
            if *left == 0 {
                self.around.dead.store(true, Ordering::Relaxed);
                self.around.death.notify_one();
                return Err(io::Error::other("the power is gone"));
            }
            *left -= 1;
        }
        let (trouble, fault) = match change {
            Change::Write => (&mut state.trouble.write_fails_after, Fault::WriteFails),
            Change::Sync => (&mut state.trouble.sync_fails_after, Fault::SyncFails),
            Change::Name => return Ok(()),
        };
        match trouble {
            Some(0) => {
                *trouble = None;
                self.around.tally.on(fault);
                self.around.trace.on(0, format_args!("fault: {}", fault.text()));
                Err(io::Error::from_raw_os_error(IO_ERROR))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn is_mine(&self, state: &State) -> io::Result<()> {
        if state.life == self.life { Ok(()) } else { Err(io::Error::other("the process is gone")) }
    }
}

impl State {
    fn rename_all(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    fn data(&mut self, file: u64) -> io::Result<&mut Data> {
        self.files.get_mut(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Of what was not synced, each sector or name is old or new.
    fn forget_unsynced(&mut self, tally: &Tally) {
        let kept = self.rng.below(self.name_changes.len() as u64 + 1) as usize;
        let mut names = std::mem::take(&mut self.durable_names);
        self.name_changes[..kept].iter().for_each(|change| change.apply(&mut names));
        self.name_changes.clear();
        let (mut lost, mut reordered) = (false, false);
        let files = std::mem::take(&mut self.files);
        for (file, mut data) in files {
            if !names.values().any(|named| *named == file) {
                continue;
            }
            // all lost, all there, or each sector by itself
            let mode = self.rng.below(3);
            let mut is_missing = false;
            for (offset, octets) in std::mem::take(&mut data.unsynced) {
                for (at, sector) in sectors(offset, &octets) {
                    if mode == 1 || (mode == 2 && self.rng.chance(500)) {
                        put(&mut data.durable, at, sector);
                        reordered |= is_missing;
                    } else {
                        is_missing = true;
                    }
                }
            }
            lost |= is_missing;
            data.now.clone_from(&data.durable);
            self.files.insert(file, data);
        }
        self.used = self.files.values().map(|data| data.now.len() as u64).sum();
        self.durable_names = names.clone();
        self.names = names;
        if lost {
            tally.on(Fault::UnsyncedLost);
        }
        if reordered {
            tally.on(Fault::UnsyncedReordered);
        }
    }
}

impl Disk for SimDisk {
    const WAITS: bool = false;

    type File = SimFile;

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state();
        self.change(&mut state, Change::Name)?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.file_last += 1;
        let file = state.file_last;
        state.files.insert(file, Data::default());
        state.rename_all(NameChange::Put(name.to_owned(), file));
        Ok(SimFile { disk: self.clone(), file })
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let state = self.state();
        let file = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), file })
    }

    fn list(&self, of: &str) -> io::Result<Vec<(String, u64)>> {
        let state = self.state();
        let length = |file: &u64| state.files.get(file).map_or(0, |data| data.now.len() as u64);
        let names = state.names.iter().filter(|(name, _)| folder(name) == of);
        Ok(names.map(|(name, file)| (name.rsplit('/').next().unwrap_or(name).to_owned(), length(file))).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        self.change(&mut state, Change::Name)?;
        let Some(file) = state.names.get(name).copied() else { return Err(io::ErrorKind::NotFound.into()) };
        // it is gone for whoever looks; its octets are free, as far as anybody counts them
        let octets = state.files.get(&file).map_or(0, |data| data.now.len() as u64);
        state.used = state.used.saturating_sub(octets);
        state.rename_all(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        self.change(&mut state, Change::Name)?;
        if let Some(replaced) = state.names.get(to).copied() {
            let octets = state.files.get(&replaced).map_or(0, |data| data.now.len() as u64);
            state.used = state.used.saturating_sub(octets);
        }
        state.rename_all(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, of: &str) -> io::Result<()> {
        let mut state = self.state();
        self.change(&mut state, Change::Sync)?;
        let changes = std::mem::take(&mut state.name_changes);
        let (done, left): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.folder() == of);
        done.iter().for_each(|change| change.apply(&mut state.durable_names));
        state.name_changes = left;
        if state.name_changes.is_empty() {
            // files that no name leads to are gone for good
            let State { names, files, .. } = &mut *state;
            files.retain(|file, _| names.values().any(|named| named == file));
        }
        Ok(())
    }

    fn free_octets(&self) -> io::Result<u64> {
        let state = self.state();
        Ok(state.capacity.saturating_sub(state.used))
    }

    fn salt(&self) -> u64 {
        let mut state = self.state();
        state.salt += 1;
        state.salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, octets: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        self.disk.is_mine(&state)?;
        let image = &state.data(self.file)?.now;
        let from = (offset as usize).min(image.len());
        let count = octets.len().min(image.len() - from);
        octets[..count].copy_from_slice(&image[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut whole = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| whole.extend_from_slice(part));
        let mut state = self.disk.state();
        let grows = (offset + whole.len() as u64).saturating_sub(state.data(self.file)?.now.len() as u64);
        let had_power = !self.disk.around.dead.load(Ordering::Relaxed) && state.life == self.disk.life;
        if let Err(error) = self.disk.change(&mut state, Change::Write) {
            if had_power && !whole.is_empty() {
                // some of it may have got through
                let count = state.rng.below(whole.len() as u64 + 1) as usize;
                if count > 0 && count < whole.len() {
                    self.disk.around.tally.on(Fault::WriteCutShort);
                }
                whole.truncate(count);
                let data = state.data(self.file)?;
                let before = data.now.len() as u64;
                put(&mut data.now, offset as usize, &whole);
                let more = data.now.len() as u64 - before;
                data.unsynced.push((offset as usize, whole));
                state.used += more;
            }
            return Err(error);
        }
        if grows > 0 && state.used + grows > state.capacity {
            self.disk.around.tally.on(Fault::NoRoom);
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.used += grows;
        self.disk.around.trace.octets(self.file << 32 | offset, &whole);
        let data = state.data(self.file)?;
        put(&mut data.now, offset as usize, &whole);
        data.unsynced.push((offset as usize, whole));
        Ok(())
    }

    fn allocate(&self, octets: u64) -> io::Result<()> {
        let state = self.disk.state();
        if state.used + octets > state.capacity {
            self.disk.around.tally.on(Fault::NoRoom);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let had_power = !self.disk.around.dead.load(Ordering::Relaxed) && state.life == self.disk.life;
        if let Err(error) = self.disk.change(&mut state, Change::Sync) {
            if had_power && !self.disk.around.dead.load(Ordering::Relaxed) {
                // what a failed sync did not write is clean for the system from now on: no later sync writes it
                let State { files, rng, .. } = &mut *state;
                if let Some(data) = files.get_mut(&self.file) {
                    for (offset, octets) in std::mem::take(&mut data.unsynced) {
                        for (at, sector) in sectors(offset, &octets) {
                            if rng.chance(500) {
                                put(&mut data.durable, at, sector);
                            }
                        }
                    }
                }
            }
            return Err(error);
        }
        let data = state.data(self.file)?;
        for (offset, octets) in std::mem::take(&mut data.unsynced) {
            put(&mut data.durable, offset, &octets);
        }
        Ok(())
    }
}
