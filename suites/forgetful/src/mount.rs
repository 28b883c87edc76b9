//! The mount: what the system asks for becomes a deed on the disk.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    KernelConfig, LockOwner, MountOption, OpenAccMode, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::disk::{BLOCK_OCTETS, Disk, Inode, Kind, Refusal};
use crate::power::{Deed, Power};

/// How long the system may believe what it was told: nobody else changes anything.
const TTL: Duration = Duration::from_secs(60);
/// Octets of one write at most.
const WRITE_OCTETS_MAX: u32 = 1 << 20;
/// Operations at once: one that takes its time does not hold up the others.
const THREADS: usize = 4;

/// The disk, as the system asks for it.
struct Mounted {
    power: Arc<Power>,
    /// Whose everything is: the user that mounts it.
    owner: u32,
}

/// Mounts the disk.
///
/// # Errors
/// What is missing for it: the device, the right to mount, the folder.
pub fn mount(power: &Arc<Power>, folder: &Path) -> io::Result<BackgroundSession> {
    let mut config = Config::default();
    config.mount_options = vec![MountOption::FSName("forgetful".to_owned()), MountOption::DefaultPermissions];
    config.n_threads = Some(THREADS);
    let owner = std::fs::metadata("/proc/self")?.uid();
    fuser::spawn_mount(Mounted { power: Arc::clone(power), owner }, folder, &config)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::RegularFile,
        Kind::Folder => FileType::Directory,
        Kind::Socket => FileType::Socket,
    }
}

/// Gives the system what was found, or why it was not.
macro_rules! answer {
    ($result:expr, $reply:ident, $found:pat => $send:expr) => {
        match $result {
            Ok($found) => $send,
            Err(refusal) => $reply.error(Errno::from_i32(refusal)),
        }
    };
}

impl Mounted {
    fn attributes(&self, number: u64, inode: &Inode) -> FileAttr {
        let at = UNIX_EPOCH + Duration::from_millis(inode.changed_at);
        let kind = file_type(inode.kind());
        FileAttr {
            ino: INodeNo(number),
            size: inode.octets(),
            blocks: inode.octets().next_multiple_of(BLOCK_OCTETS) / 512,
            atime: at,
            mtime: at,
            ctime: at,
            crtime: at,
            kind,
            perm: inode.mode,
            nlink: if kind == FileType::Directory { 2 } else { 1 },
            uid: self.owner,
            gid: 0,
            rdev: 0,
            blksize: BLOCK_OCTETS as u32,
            flags: 0,
        }
    }

    /// What is told of an inode, which the system knows from then on.
    fn entry(&self, disk: &mut Disk, number: u64) -> Result<FileAttr, Refusal> {
        disk.looked_up(number);
        Ok(self.attributes(number, disk.inode(number)?))
    }

    fn make(&self, folder: INodeNo, name: &OsStr, kind: Kind, mode: u32) -> Result<FileAttr, Refusal> {
        self.power.act(folder.0, Deed::Change, |disk| {
            let number = disk.make(folder.0, name, kind, (mode & 0o7777) as u16)?;
            disk.inode_mut(number)?.changed_at = now();
            self.entry(disk, number)
        })
    }
}

impl Filesystem for Mounted {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // the nearest that the system can do
        if let Err(nearest) = config.set_max_write(WRITE_OCTETS_MAX) {
            config.set_max_write(nearest).map_err(|_| io::Error::other("no size of writes suits the system"))?;
        }
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.power.act(parent.0, Deed::Read, |disk| {
            let number = disk.find(parent.0, name)?;
            self.entry(disk, number)
        });
        answer!(found, reply, attributes => reply.entry(&TTL, &attributes, Generation(0)));
    }

    fn forget(&self, _: &Request, inode: INodeNo, lookups: u64) {
        // without power nothing is known to be forgotten
        let _ = self.power.act(inode.0, Deed::Read, |disk| {
            disk.forget(inode.0, lookups);
            Ok(())
        });
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let found = self.power.act(inode.0, Deed::Read, |disk| Ok(self.attributes(inode.0, disk.inode(inode.0)?)));
        answer!(found, reply, attributes => reply.attr(&TTL, &attributes));
    }

    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let deed = if size.is_some() { Deed::Write } else { Deed::Change };
        let set = self.power.act(inode.0, deed, |disk| {
            if let Some(octets) = size {
                disk.set_length(inode.0, octets)?;
            }
            let found = disk.inode_mut(inode.0)?;
            found.mode = mode.map_or(found.mode, |mode| (mode & 0o7777) as u16);
            found.changed_at = now();
            Ok(self.attributes(inode.0, found))
        });
        answer!(set, reply, attributes => reply.attr(&TTL, &attributes));
    }

    fn mknod(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, _: u32, reply: ReplyEntry) {
        let made = match mode & libc::S_IFMT {
            libc::S_IFSOCK => self.make(parent, name, Kind::Socket, mode & !umask),
            libc::S_IFREG => self.make(parent, name, Kind::File, mode & !umask),
            _ => Err(libc::EPERM),
        };
        answer!(made, reply, attributes => reply.entry(&TTL, &attributes, Generation(0)));
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let made = self.make(parent, name, Kind::Folder, mode & !umask);
        answer!(made, reply, attributes => reply.entry(&TTL, &attributes, Generation(0)));
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, _: i32, reply: ReplyCreate) {
        let made = self.make(parent, name, Kind::File, mode & !umask);
        answer!(made, reply, attributes => {
            reply.created(&TTL, &attributes, Generation(0), FileHandle(0), FopenFlags::empty());
        });
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.power.act(parent.0, Deed::Change, |disk| disk.remove(parent.0, name));
        answer!(removed, reply, () => reply.ok());
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.power.act(parent.0, Deed::Change, |disk| disk.remove(parent.0, name));
        answer!(removed, reply, () => reply.ok());
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let renamed = match (parent == new_parent, flags.is_empty()) {
            (true, true) => self.power.act(parent.0, Deed::Change, |disk| disk.rename(parent.0, name, new_name)),
            (false, _) => Err(libc::EXDEV),
            (_, false) => Err(libc::EINVAL),
        };
        answer!(renamed, reply, () => reply.ok());
    }

    fn open(&self, _: &Request, inode: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let deed = if flags.acc_mode() == OpenAccMode::O_RDONLY { Deed::Read } else { Deed::Change };
        let opened = self.power.act(inode.0, deed, |disk| disk.inode(inode.0).map(drop));
        // nobody else changes files: what the system has cached of one stays true
        answer!(opened, reply, () => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE));
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.power.act(inode.0, Deed::Read, |disk| Ok(disk.read(inode.0, offset, size as usize)?.to_vec()));
        answer!(read, reply, octets => reply.data(&octets));
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        octets: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.power.act(inode.0, Deed::Write, |disk| {
            disk.write(inode.0, offset, octets)?;
            disk.inode_mut(inode.0)?.changed_at = now();
            Ok(octets.len() as u32)
        });
        answer!(written, reply, count => reply.written(count));
    }

    fn fallocate(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let allocated = match mode {
            0 => self.power.act(inode.0, Deed::Write, |disk| disk.allocate(inode.0, offset + length)),
            _ => Err(libc::EOPNOTSUPP),
        };
        answer!(allocated, reply, () => reply.ok());
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.power.act(inode.0, Deed::Sync, |disk| disk.sync(inode.0));
        answer!(synced, reply, () => reply.ok());
    }

    fn fsyncdir(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.power.act(inode.0, Deed::Sync, |disk| disk.sync(inode.0));
        answer!(synced, reply, () => reply.ok());
    }

    fn readdir(&self, _: &Request, inode: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let listed = self.power.act(inode.0, Deed::Read, |disk| {
            let names = disk.names(inode.0)?.into_iter();
            let kind = |number| disk.inode(number).map(|inode| file_type(inode.kind()));
            names.map(|(name, number)| Ok((name, number, kind(number)?))).collect::<Result<Vec<_>, Refusal>>()
        });
        answer!(listed, reply, names => {
            for ((name, number, kind), place) in names.into_iter().zip(1..).skip(offset as usize) {
                if reply.add(INodeNo(number), place, kind, name) {
                    break;
                }
            }
            reply.ok();
        });
    }

    fn statfs(&self, _: &Request, inode: INodeNo, reply: ReplyStatfs) {
        let found = self.power.act(inode.0, Deed::Read, |disk| Ok((disk.capacity, disk.free())));
        answer!(found, reply, (all, free) => {
            let (all, free) = (all / BLOCK_OCTETS, free / BLOCK_OCTETS);
            reply.statfs(all, free, free, 1 << 20, 1 << 20, BLOCK_OCTETS as u32, 255, BLOCK_OCTETS as u32);
        });
    }
}
