//! The disk: what programs see of it, what of that is kept, and what a power cut makes of the difference.
//!
//! The contract. A write is seen at once, and kept when a sync of its file has returned; the same holds of a file's length.
//! A name (made, moved, removed) is kept when a sync of its folder has returned, whatever was synced of the file. Until
//! then a power cut takes it, or leaves it, by [`Cut`]. A sync that fails loses for good what it was to keep, although
//! programs go on seeing it, as Linux does: a second one has nothing left to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use crate::dice::Dice;

/// The inode of the topmost folder.
pub const ROOT: u64 = 1;
/// What a disk writes whole or not at all, octets.
pub const SECTOR_OCTETS: usize = 512;
/// What files take room in, octets.
pub const BLOCK_OCTETS: u64 = 4096;

/// What of the unsynced a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing: all of it is lost.
    Whole,
    /// What came before some moment; the write at that moment in part.
    Part,
    /// Any of it: each name or not, each write or not or in part, sector by sector.
    Reordered,
    /// All of it.
    Nothing,
}

/// What a power cut did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Unsynced writes and lengths, and how many of them were lost, in part or whole.
    pub writes: u64,
    /// As said.
    pub writes_lost: u64,
    /// Unsynced names.
    pub names: u64,
    /// How many of them were lost.
    pub names_lost: u64,
}

/// Something that was not synced yet, and when it came.
#[derive(Debug)]
struct Change<T> {
    moment: u64,
    what: T,
}

#[derive(Debug)]
enum Written {
    Octets(u64, Vec<u8>),
    Length(u64),
}

impl Written {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Written::Octets(offset, octets) => put(content, *offset, octets),
            Written::Length(octets) => content.resize(*octets as usize, 0),
        }
    }
}

fn put(content: &mut Vec<u8>, offset: u64, octets: &[u8]) {
    let (from, to) = (offset as usize, offset as usize + octets.len());
    if content.len() < to {
        content.resize(to, 0);
    }
    content[from..to].copy_from_slice(octets);
}

/// Names that change together: what each leads to from then on.
type Names = Vec<(OsString, Option<u64>)>;
type Entries = BTreeMap<OsString, u64>;

fn apply_names(names: &Names, entries: &mut Entries) {
    for (name, inode) in names {
        match inode {
            Some(inode) => entries.insert(name.clone(), *inode),
            None => entries.remove(name),
        };
    }
}

/// A thing as it is seen, as it is kept, and the steps from the one to the other.
#[derive(Debug)]
struct Layers<T, C> {
    seen: T,
    kept: T,
    changes: Vec<Change<C>>,
}

impl<T: Default, C> Default for Layers<T, C> {
    fn default() -> Self {
        Layers { seen: T::default(), kept: T::default(), changes: Vec::new() }
    }
}

#[derive(Debug)]
enum Content {
    File(Layers<Vec<u8>, Written>),
    Folder(Layers<Entries, Names>),
    /// A socket: a name and nothing else.
    Socket,
}

/// What kind of thing an inode is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A socket.
    Socket,
}

/// One inode.
#[derive(Debug)]
pub struct Inode {
    content: Content,
    /// Permission bits.
    pub mode: u16,
    /// Milliseconds since 1970 of the last change.
    pub changed_at: u64,
    /// The path that it was last given.
    pub path: String,
    /// How often the system was told of it and has not forgotten.
    lookups: u64,
}

impl Inode {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self.content {
            Content::File(_) => Kind::File,
            Content::Folder(_) => Kind::Folder,
            Content::Socket => Kind::Socket,
        }
    }

    /// Its length, octets.
    pub fn octets(&self) -> u64 {
        match &self.content {
            Content::File(file) => file.seen.len() as u64,
            Content::Folder(_) | Content::Socket => 0,
        }
    }
}

/// Why something cannot be done: the number of an error of the system.
pub type Refusal = i32;

/// All of it.
#[derive(Debug)]
pub struct Disk {
    inodes: BTreeMap<u64, Inode>,
    next: u64,
    moment: u64,
    /// Octets that it has room for.
    pub capacity: u64,
    /// Whether it only says that it synced.
    pub lies: bool,
    dice: Dice,
}

impl Disk {
    /// An empty one.
    pub fn new(capacity: u64, dice: Dice) -> Disk {
        let mut disk = Disk { inodes: BTreeMap::new(), next: ROOT, moment: 0, capacity, lies: false, dice };
        disk.add(Kind::Folder, 0o700, String::new());
        disk
    }

    fn add(&mut self, kind: Kind, mode: u16, path: String) -> u64 {
        let content = match kind {
            Kind::File => Content::File(Layers::default()),
            Kind::Folder => Content::Folder(Layers::default()),
            Kind::Socket => Content::Socket,
        };
        let number = self.next;
        self.next += 1;
        self.inodes.insert(number, Inode { content, mode, changed_at: 0, path, lookups: 0 });
        number
    }

    /// An inode.
    pub fn inode(&self, number: u64) -> Result<&Inode, Refusal> {
        self.inodes.get(&number).ok_or(libc::ENOENT)
    }

    /// As [`Disk::inode`], to change what is not content.
    pub fn inode_mut(&mut self, number: u64) -> Result<&mut Inode, Refusal> {
        self.inodes.get_mut(&number).ok_or(libc::ENOENT)
    }

    fn file(&mut self, number: u64) -> Result<&mut Layers<Vec<u8>, Written>, Refusal> {
        match &mut self.inode_mut(number)?.content {
            Content::File(file) => Ok(file),
            Content::Folder(_) => Err(libc::EISDIR),
            Content::Socket => Err(libc::EINVAL),
        }
    }

    fn folder(&self, number: u64) -> Result<&Layers<Entries, Names>, Refusal> {
        match &self.inode(number)?.content {
            Content::Folder(folder) => Ok(folder),
            Content::File(_) | Content::Socket => Err(libc::ENOTDIR),
        }
    }

    /// Changes names of a folder, all at once.
    fn change(&mut self, folder: u64, names: Names) -> Result<(), Refusal> {
        self.moment += 1;
        let moment = self.moment;
        match &mut self.inode_mut(folder)?.content {
            Content::Folder(layers) => {
                apply_names(&names, &mut layers.seen);
                layers.changes.push(Change { moment, what: names });
                Ok(())
            }
            Content::File(_) | Content::Socket => Err(libc::ENOTDIR),
        }
    }

    /// What a name leads to.
    pub fn find(&self, folder: u64, name: &OsStr) -> Result<u64, Refusal> {
        self.folder(folder)?.seen.get(name).copied().ok_or(libc::ENOENT)
    }

    /// The names in a folder.
    pub fn names(&self, folder: u64) -> Result<Vec<(OsString, u64)>, Refusal> {
        Ok(self.folder(folder)?.seen.iter().map(|(name, inode)| (name.clone(), *inode)).collect())
    }

    fn path_of(&self, folder: u64, name: &OsStr) -> Result<String, Refusal> {
        let parent = &self.inode(folder)?.path;
        let name = name.to_string_lossy();
        Ok(if parent.is_empty() { name.into_owned() } else { format!("{parent}/{name}") })
    }

    /// Makes something.
    pub fn make(&mut self, folder: u64, name: &OsStr, kind: Kind, mode: u16) -> Result<u64, Refusal> {
        if self.find(folder, name).is_ok() {
            return Err(libc::EEXIST);
        }
        let path = self.path_of(folder, name)?;
        let number = self.add(kind, mode, path);
        self.change(folder, vec![(name.to_owned(), Some(number))])?;
        Ok(number)
    }

    /// Removes a name.
    pub fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), Refusal> {
        let number = self.find(folder, name)?;
        if self.folder(number).is_ok_and(|folder| !folder.seen.is_empty()) {
            return Err(libc::ENOTEMPTY);
        }
        self.change(folder, vec![(name.to_owned(), None)])
    }

    /// Gives something another name in its folder, replacing what had it: both at once or neither.
    pub fn rename(&mut self, folder: u64, from: &OsStr, to: &OsStr) -> Result<(), Refusal> {
        let number = self.find(folder, from)?;
        let path = self.path_of(folder, to)?;
        self.inode_mut(number)?.path = path;
        self.change(folder, vec![(from.to_owned(), None), (to.to_owned(), Some(number))])
    }

    /// Reads what is seen.
    pub fn read(&mut self, number: u64, offset: u64, octets: usize) -> Result<&[u8], Refusal> {
        let seen = &self.file(number)?.seen;
        let from = seen.len().min(offset as usize);
        Ok(&seen[from..seen.len().min(from + octets)])
    }

    /// Writes; kept by a sync.
    pub fn write(&mut self, number: u64, offset: u64, octets: &[u8]) -> Result<(), Refusal> {
        self.check_room(number, offset + octets.len() as u64)?;
        self.written(number, Written::Octets(offset, octets.to_vec()))
    }

    /// Sets the length; kept by a sync.
    pub fn set_length(&mut self, number: u64, octets: u64) -> Result<(), Refusal> {
        self.written(number, Written::Length(octets))
    }

    /// Takes room as far as `end`, and makes the file as long.
    pub fn allocate(&mut self, number: u64, end: u64) -> Result<(), Refusal> {
        self.check_room(number, end)?;
        if end > self.file(number)?.seen.len() as u64 { self.set_length(number, end) } else { Ok(()) }
    }

    fn written(&mut self, number: u64, what: Written) -> Result<(), Refusal> {
        self.moment += 1;
        let moment = self.moment;
        let file = self.file(number)?;
        what.apply(&mut file.seen);
        file.changes.push(Change { moment, what });
        Ok(())
    }

    fn check_room(&mut self, number: u64, end: u64) -> Result<(), Refusal> {
        let more = blocks(end).saturating_sub(blocks(self.file(number)?.seen.len() as u64));
        if more > 0 && more > self.free() { Err(libc::ENOSPC) } else { Ok(()) }
    }

    /// Octets that nothing takes.
    pub fn free(&self) -> u64 {
        let used: u64 = self.inodes.values().map(|inode| blocks(inode.octets())).sum();
        self.capacity.saturating_sub(used)
    }

    /// What was written to a file, or the names of a folder, are kept from now on.
    pub fn sync(&mut self, number: u64) -> Result<(), Refusal> {
        if self.lies {
            return Ok(());
        }
        match &mut self.inode_mut(number)?.content {
            Content::File(file) => {
                file.changes.drain(..).for_each(|change| change.what.apply(&mut file.kept));
            }
            Content::Folder(folder) => {
                folder.changes.drain(..).for_each(|change| apply_names(&change.what, &mut folder.kept));
            }
            Content::Socket => {}
        }
        Ok(())
    }

    /// The sync failed: what it was to keep is seen on, and lost.
    pub fn sync_failed(&mut self, number: u64) -> Result<(), Refusal> {
        match &mut self.inode_mut(number)?.content {
            Content::File(file) => file.changes.clear(),
            Content::Folder(folder) => folder.changes.clear(),
            Content::Socket => {}
        }
        Ok(())
    }

    /// The system was told of an inode.
    pub fn looked_up(&mut self, number: u64) {
        if let Some(inode) = self.inodes.get_mut(&number) {
            inode.lookups += 1;
        }
    }

    /// The system forgets an inode; what nothing leads to any more is gone.
    pub fn forget(&mut self, number: u64, lookups: u64) {
        let Some(inode) = self.inodes.get_mut(&number) else { return };
        inode.lookups = inode.lookups.saturating_sub(lookups);
        if inode.lookups == 0 && inode.kind() != Kind::Folder && !self.led_to().contains(&number) {
            self.inodes.remove(&number);
        }
    }

    /// Every inode that a name leads to, or would after a power cut.
    fn led_to(&self) -> BTreeSet<u64> {
        let mut found = BTreeSet::from([ROOT]);
        for inode in self.inodes.values() {
            let Content::Folder(folder) = &inode.content else { continue };
            found.extend(folder.seen.values().chain(folder.kept.values()));
            let changes = folder.changes.iter().flat_map(|change| &change.what);
            found.extend(changes.filter_map(|(_, number)| *number));
        }
        found
    }

    /// The power goes: what is kept, and what `cut` leaves of the rest, is all there is.
    pub fn cut(&mut self, cut: Cut) -> Loss {
        let last = self.last_moment_left(cut);
        let mut loss = Loss::default();
        for inode in self.inodes.values_mut() {
            inode.lookups = 0;
            match &mut inode.content {
                Content::File(file) => {
                    for change in std::mem::take(&mut file.changes) {
                        loss.writes += 1;
                        let is_whole = leave(&change, cut, last, &mut self.dice, &mut file.kept);
                        loss.writes_lost += u64::from(!is_whole);
                    }
                    file.seen.clone_from(&file.kept);
                }
                Content::Folder(folder) => {
                    for change in std::mem::take(&mut folder.changes) {
                        loss.names += 1;
                        if stays(&change, cut, last, &mut self.dice) {
                            apply_names(&change.what, &mut folder.kept);
                        } else {
                            loss.names_lost += 1;
                        }
                    }
                    folder.seen.clone_from(&folder.kept);
                }
                Content::Socket => {}
            }
        }
        let led_to = self.led_to();
        self.inodes.retain(|number, _| led_to.contains(number));
        loss
    }

    /// For [`Cut::Part`]: the moment that the power goes at, one of those that something unsynced is of.
    fn last_moment_left(&mut self, cut: Cut) -> u64 {
        if cut != Cut::Part {
            return 0;
        }
        let mut moments = vec![0];
        for inode in self.inodes.values() {
            match &inode.content {
                Content::File(file) => moments.extend(file.changes.iter().map(|change| change.moment)),
                Content::Folder(folder) => moments.extend(folder.changes.iter().map(|change| change.moment)),
                Content::Socket => {}
            }
        }
        moments.sort_unstable();
        moments[self.dice.below(moments.len() as u64) as usize]
    }
}

fn blocks(octets: u64) -> u64 {
    octets.next_multiple_of(BLOCK_OCTETS)
}

fn stays<T>(change: &Change<T>, cut: Cut, last: u64, dice: &mut Dice) -> bool {
    match cut {
        Cut::Whole => false,
        Cut::Part => change.moment <= last,
        Cut::Reordered => dice.below(2) == 0,
        Cut::Nothing => true,
    }
}

/// Leaves of a write what the cut leaves; whether that is all.
fn leave(change: &Change<Written>, cut: Cut, last: u64, dice: &mut Dice, content: &mut Vec<u8>) -> bool {
    let is_torn = match cut {
        Cut::Part => change.moment == last,
        Cut::Reordered => dice.below(3) == 0,
        Cut::Whole | Cut::Nothing => false,
    };
    let Written::Octets(offset, octets) = &change.what else {
        return stays(change, cut, last, dice) && {
            change.what.apply(content);
            true
        };
    };
    if !is_torn {
        return stays(change, cut, last, dice) && {
            change.what.apply(content);
            true
        };
    }
    // the disk writes its sectors in some order, and stops
    let prefix = dice.below(octets.len() as u64 + 1) as usize;
    let mut is_whole = true;
    let mut at = 0;
    while at < octets.len() {
        let to_boundary = SECTOR_OCTETS - (*offset as usize + at) % SECTOR_OCTETS;
        let end = octets.len().min(at + to_boundary);
        let is_written = if cut == Cut::Part { end <= prefix } else { dice.below(2) == 0 };
        if is_written {
            put(content, offset + at as u64, &octets[at..end]);
        }
        is_whole &= is_written;
        at = end;
    }
    is_whole
}

#[cfg(test)]
mod tests;
