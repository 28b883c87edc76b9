//! A disk in memory that, at a power cut, forgets what was not synced, whole, in part, or not at all.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::super::disk::{Disk, DiskFile};
use super::super::state::lock;

const SECTOR: usize = 512;

/// Dice that a seed decides.
#[derive(Clone, Debug)]
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    pub(super) fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[derive(Clone, Debug, Default)]
struct Data {
    now: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

fn put(image: &mut Vec<u8>, offset: usize, octets: &[u8]) {
    if image.len() < offset + octets.len() {
        image.resize(offset + octets.len(), 0);
    }
    image[offset..offset + octets.len()].copy_from_slice(octets);
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

const PAGE: usize = 4096;

#[derive(Debug, Default)]
struct World {
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    name_changes: Vec<NameChange>,
    files: HashMap<u64, Data>,
    last_file: u64,
    salt: u64,
    capacity: u64,
    /// Changes of the disk until the power goes; none: it stays.
    power: Option<u64>,
    failing_syncs: bool,
    failing_writes: bool,
    /// Pages that cannot be read: file and place.
    bad_pages: Vec<(u64, usize)>,
    changes: u64,
}

impl World {
    fn change(&mut self) -> io::Result<()> {
        self.changes += 1;
        match &mut self.power {
            Some(0) => Err(io::Error::other("power cut")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn used(&self) -> u64 {
        self.names.values().map(|file| self.files[file].now.len() as u64).sum()
    }

    fn rename_all(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }
}

/// The disk.
#[derive(Clone, Debug)]
pub(super) struct FakeDisk(Arc<Mutex<World>>);

/// One of its files.
#[derive(Debug)]
pub(super) struct FakeFile {
    disk: FakeDisk,
    file: u64,
}

impl FakeDisk {
    pub(super) fn new(capacity: u64) -> Self {
        FakeDisk(Arc::new(Mutex::new(World { capacity, ..World::default() })))
    }

    /// The power goes after so many more changes.
    pub(super) fn cut_power_after(&self, changes: u64) {
        lock(&self.0).power = Some(changes);
    }

    /// The power is there again: the process ended, and the system did not.
    pub(super) fn keep_power(&self) {
        lock(&self.0).power = None;
    }

    pub(super) fn fail_syncs(&self, failing: bool) {
        lock(&self.0).failing_syncs = failing;
    }

    pub(super) fn fail_writes(&self, failing: bool) {
        lock(&self.0).failing_writes = failing;
    }

    pub(super) fn set_capacity(&self, capacity: u64) {
        lock(&self.0).capacity = capacity;
    }

    /// Changes so far.
    pub(super) fn changes(&self) -> u64 {
        lock(&self.0).changes
    }

    /// What a power cut leaves: of what was not synced, each sector or name may be old or new.
    pub(super) fn after_power_cut(&self, dice: &mut Seeded) -> FakeDisk {
        let world = lock(&self.0);
        let mut names = world.durable_names.clone();
        let kept = dice.below(world.name_changes.len() as u64 + 1) as usize;
        world.name_changes[..kept].iter().for_each(|change| change.apply(&mut names));
        let mut files = HashMap::new();
        for file in names.values() {
            let data = &world.files[file];
            let mut image = data.durable.clone();
            // all lost, all there, or each sector by itself
            let mode = dice.below(3);
            for (offset, octets) in &data.unsynced {
                let mut at = 0;
                while at < octets.len() {
                    let to = (at + SECTOR - (offset + at) % SECTOR).min(octets.len());
                    if mode == 1 || (mode == 2 && dice.below(2) == 0) {
                        put(&mut image, offset + at, &octets[at..to]);
                    }
                    at = to;
                }
            }
            files.insert(*file, Data { now: image.clone(), durable: image, unsynced: Vec::new() });
        }
        let (last_file, salt, capacity) = (world.last_file, world.salt, world.capacity);
        let durable_names = names.clone();
        FakeDisk(Arc::new(Mutex::new(World {
            names,
            durable_names,
            files,
            last_file,
            salt,
            capacity,
            ..World::default()
        })))
    }

    /// What is in a file.
    pub(super) fn image(&self, name: &str) -> Vec<u8> {
        let world = lock(&self.0);
        world.files[&world.names[name]].now.clone()
    }

    /// Changes octets behind the back of whoever wrote them.
    pub(super) fn damage(&self, name: &str, offset: usize, octets: usize) {
        let mut world = lock(&self.0);
        let file = world.names[name];
        let data = world.files.get_mut(&file).unwrap();
        for octet in &mut data.now[offset..offset + octets] {
            *octet ^= 0xA5;
        }
        data.durable = data.now.clone();
        data.unsynced.clear();
    }

    /// Makes the page that an offset lies in unreadable.
    pub(super) fn make_unreadable(&self, name: &str, offset: usize) {
        let mut world = lock(&self.0);
        let file = world.names[name];
        world.bad_pages.push((file, offset / PAGE));
    }

    /// All names.
    pub(super) fn names(&self) -> Vec<String> {
        lock(&self.0).names.keys().cloned().collect()
    }
}

impl Disk for FakeDisk {
    const WAITS: bool = false;

    type File = FakeFile;

    fn create(&self, name: &str) -> io::Result<FakeFile> {
        let mut world = lock(&self.0);
        world.change()?;
        if world.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        world.last_file += 1;
        let file = world.last_file;
        world.files.insert(file, Data::default());
        world.rename_all(NameChange::Put(name.to_owned(), file));
        Ok(FakeFile { disk: self.clone(), file })
    }

    fn open(&self, name: &str) -> io::Result<FakeFile> {
        let world = lock(&self.0);
        let file = *world.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(FakeFile { disk: self.clone(), file })
    }

    fn list(&self, of: &str) -> io::Result<Vec<(String, u64)>> {
        let world = lock(&self.0);
        let names = world.names.iter().filter(|(name, _)| folder(name) == of);
        let bare = |name: &str| name.rsplit('/').next().unwrap().to_owned();
        Ok(names.map(|(name, file)| (bare(name), world.files[file].now.len() as u64)).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = lock(&self.0);
        world.change()?;
        if !world.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.rename_all(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = lock(&self.0);
        world.change()?;
        world.rename_all(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, of: &str) -> io::Result<()> {
        let mut world = lock(&self.0);
        world.change()?;
        let (done, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut world.name_changes).into_iter().partition(|change| change.folder() == of);
        done.iter().for_each(|change| change.apply(&mut world.durable_names));
        world.name_changes = left;
        Ok(())
    }

    fn free_octets(&self) -> io::Result<u64> {
        let world = lock(&self.0);
        Ok(world.capacity.saturating_sub(world.used()))
    }

    fn salt(&self) -> u64 {
        let mut world = lock(&self.0);
        world.salt += 1;
        Seeded(world.salt).next()
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}

impl DiskFile for FakeFile {
    fn read_at(&self, octets: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = lock(&self.disk.0);
        let image = &world.files[&self.file].now;
        let from = (offset as usize).min(image.len());
        let count = octets.len().min(image.len() - from);
        let is_bad = |(file, page): &(u64, usize)| {
            *file == self.file && *page < (from + count).div_ceil(PAGE) && from < (*page + 1) * PAGE
        };
        if world.bad_pages.iter().any(is_bad) {
            return Err(io::Error::from_raw_os_error(5));
        }
        octets[..count].copy_from_slice(&image[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let mut world = lock(&self.disk.0);
        world.change()?;
        if world.failing_writes {
            return Err(io::Error::other("write failed"));
        }
        let end = offset + whole.len() as u64;
        let grows = end.saturating_sub(world.files[&self.file].now.len() as u64);
        if world.used() + grows > world.capacity {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let data = world.files.get_mut(&self.file).unwrap();
        put(&mut data.now, offset as usize, &whole);
        data.unsynced.push((offset as usize, whole));
        Ok(())
    }

    fn allocate(&self, octets: u64) -> io::Result<()> {
        let world = lock(&self.disk.0);
        if world.used() + octets > world.capacity { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = lock(&self.disk.0);
        world.change()?;
        if world.failing_syncs {
            // the system shows it as long as it runs, and writes it never
            if let Some(data) = world.files.get_mut(&self.file) {
                data.unsynced.clear();
            }
            return Err(io::Error::other("sync failed"));
        }
        let data = world.files.get_mut(&self.file).unwrap();
        data.durable = data.now.clone();
        data.unsynced.clear();
        Ok(())
    }
}
