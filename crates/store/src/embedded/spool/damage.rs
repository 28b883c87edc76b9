//! What was found damaged: written down until the operator acknowledges it, and its octets set aside.
//!
//! A start reads the log from the last checkpoint on, so that what an earlier start stepped over is not seen again: the
//! list is what keeps it from being forgotten. What no live message pins would go with its segment; it is copied first.

use std::io::{self, IoSlice};
use std::path::Path;

use relay::store::Damage;
use serde::{Deserialize, Serialize};

use super::disk::{Disk, DiskFile, read_around};
use super::segment::{self, SegmentHeader};
use super::state::{Shared, lock};

/// The folder of what was set aside, for the operator: nothing here removes it.
pub(crate) const FOLDER: &str = "damaged";
pub(crate) const NAME: &str = "damage.json";
const PASSING: &str = "damage.new";
/// The version of the list that is written.
const VERSION: u32 = 1;
/// Octets of the list that are believed.
const OCTETS_MAX: u64 = 4 << 20;
/// Octets copied at once.
const SLICE_OCTETS: u64 = 256 * 1024;

#[derive(Serialize, Deserialize)]
struct List {
    version: u32,
    /// Files by their names in the spool.
    damage: Vec<Damage>,
}

/// Octets to be set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remains {
    /// The file that they are in.
    file: String,
    offset: u64,
    octets: u64,
    /// The name that their copy gets.
    name: String,
}

impl Remains {
    /// A stretch of a segment of the log, from a position on.
    pub(crate) fn of_segment(number: u32, header: &SegmentHeader, position: u64, octets: u64) -> Self {
        let name = format!("{FOLDER}/{number:08}-{position:016x}");
        Remains { file: segment::name(number), offset: position - header.base, octets, name }
    }

    /// A whole file, as long as it is.
    pub(crate) fn of_file(name: &str) -> Self {
        let copy = format!("{FOLDER}/{}", name.replace('/', "-"));
        Remains { file: name.to_owned(), offset: 0, octets: u64::MAX, name: copy }
    }

    /// Copies them, durable when this returns. What is there already stays; what was only zeros, or is gone, has
    /// nothing to keep.
    ///
    /// # Errors
    /// They are not set aside, or not whole.
    pub(crate) fn set_aside<D: Disk>(&self, disk: &D) -> io::Result<()> {
        let known = disk.list(FOLDER)?;
        if known.iter().any(|(name, _)| self.name.ends_with(&format!("/{name}"))) {
            return Ok(());
        }
        let passing = format!("{}.new", self.name);
        if known.iter().any(|(name, _)| passing.ends_with(&format!("/{name}"))) {
            disk.remove(&passing)?;
        }
        let from = match disk.open(&self.file) {
            Ok(from) => from,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let to = disk.create(&passing)?;
        let is_empty = copy(&from, &to, self.offset, self.octets)?;
        if is_empty {
            return disk.remove(&passing);
        }
        to.sync()?;
        disk.rename(&passing, &self.name)?;
        disk.sync_folder(FOLDER)
    }
}

/// Copies a stretch, as far as the file goes; whether there were only zeros.
fn copy<F: DiskFile>(from: &F, to: &F, offset: u64, octets: u64) -> io::Result<bool> {
    let mut buffer = vec![0; SLICE_OCTETS as usize];
    let (mut done, mut is_empty) = (0, true);
    while done < octets {
        let want = (octets - done).min(SLICE_OCTETS) as usize;
        let count = read_around(from, &mut buffer[..want], offset + done)?;
        is_empty &= buffer[..count].iter().all(|octet| *octet == 0);
        to.write_at(&mut [IoSlice::new(&buffer[..count])], done)?;
        done += count as u64;
        if count < want {
            break;
        }
    }
    Ok(is_empty)
}

/// Reads the list; empty where there is none.
///
/// # Errors
/// It cannot be read, or not be understood.
pub(crate) fn load<D: Disk>(disk: &D) -> io::Result<Vec<Damage>> {
    let Some((_, octets)) = disk.list("")?.into_iter().find(|(name, _)| name == NAME) else { return Ok(Vec::new()) };
    let mut text = vec![0; octets.min(OCTETS_MAX) as usize];
    let count = disk.open(NAME)?.read_at(&mut text, 0)?;
    let list: List = serde_json::from_slice(&text[..count])?;
    if list.version > VERSION {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a newer version wrote it"));
    }
    let placed = |damage: Damage| Damage { file: disk.path(&damage.file).display().to_string(), ..damage };
    Ok(list.damage.into_iter().map(placed).collect())
}

/// Writes the list, durable when this returns; without damage there is none.
fn write<D: Disk>(disk: &D, damage: &[Damage]) -> io::Result<()> {
    let names = disk.list("")?;
    let is_there = |name: &str| names.iter().any(|(known, _)| known == name);
    if damage.is_empty() {
        if is_there(NAME) {
            disk.remove(NAME)?;
        }
        return disk.sync_folder("");
    }
    if is_there(PASSING) {
        disk.remove(PASSING)?;
    }
    let folder = disk.path("");
    let named = |damage: &Damage| {
        let name = Path::new(&damage.file).strip_prefix(&folder).ok();
        Damage { file: name.map_or(damage.file.clone(), |name| name.display().to_string()), ..damage.clone() }
    };
    let list = List { version: VERSION, damage: damage.iter().map(named).collect() };
    let text = serde_json::to_vec_pretty(&list)?;
    let file = disk.create(PASSING)?;
    file.write_at(&mut [IoSlice::new(&text)], 0)?;
    file.sync()?;
    disk.rename(PASSING, NAME)?;
    disk.sync_folder("")
}

impl<D: Disk> Shared<D> {
    /// Writes down what was found damaged since the last time, and sets its octets aside.
    ///
    /// # Errors
    /// It is kept in memory, and tried again by the next call.
    pub(crate) fn keep_damage(&self) -> io::Result<()> {
        let _turn = lock(&self.keeping_damage);
        let (damage, remains) = {
            let mut state = self.state();
            if !std::mem::take(&mut state.damage_changed) {
                return Ok(());
            }
            (state.damage.clone(), std::mem::take(&mut state.remains))
        };
        let kept = remains.iter().try_for_each(|remains| remains.set_aside(&self.disk));
        let kept = kept.and_then(|()| write(&self.disk, &damage));
        if kept.is_err() {
            let mut state = self.state();
            state.damage_changed = true;
            state.remains.extend(remains);
        }
        kept
    }
}
