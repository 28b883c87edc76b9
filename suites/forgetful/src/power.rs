//! The disk as the mount uses it: behind a lock, with the faults that are wanted now, frozen or without power.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::{Cut, Disk, Loss, Refusal};

/// What an operation does, as far as faults go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Looks.
    Read,
    /// Writes octets or allocates.
    Write,
    /// Syncs.
    Sync,
    /// Makes, moves or removes names, or opens for writing.
    Change,
}

/// A fault that lasts until it is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What fails.
    pub kind: FaultKind,
    /// Of what: paths that begin so.
    pub prefix: String,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// EIO on every write.
    Write,
    /// EIO on every sync, and what it was to keep is lost.
    Sync,
    /// EROFS on everything that is not looking.
    ReadOnly,
}

#[derive(Debug)]
struct State {
    disk: Disk,
    fault: Option<Fault>,
    /// Operations wait.
    is_frozen: bool,
    /// The power is off: whatever still comes is refused and changes nothing.
    is_off: bool,
    sync_delay: Duration,
    refused: u64,
}

/// The disk with its power switch.
#[derive(Debug)]
pub struct Power {
    state: Mutex<State>,
    thawed: Condvar,
}

impl Power {
    /// On, and without a fault.
    pub fn new(disk: Disk) -> Power {
        let state =
            State { disk, fault: None, is_frozen: false, is_off: false, sync_delay: Duration::ZERO, refused: 0 };
        Power { state: Mutex::new(state), thawed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, once nothing is frozen.
    fn awake(&self) -> MutexGuard<'_, State> {
        let is_frozen = |state: &mut State| state.is_frozen;
        self.thawed.wait_while(self.state(), is_frozen).unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a deed on an inode, unless power or a fault is against it.
    ///
    /// # Errors
    /// What the deed or the fault says.
    pub fn act<T>(
        &self,
        inode: u64,
        deed: Deed,
        act: impl FnOnce(&mut Disk) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if deed == Deed::Sync {
            let delay = self.state().sync_delay;
            std::thread::sleep(delay);
        }
        let mut state = self.awake();
        if state.is_off {
            return Err(libc::EIO);
        }
        if let Some(refusal) = state.refusal(inode, deed) {
            state.refused += 1;
            if deed == Deed::Sync {
                state.disk.sync_failed(inode)?;
            }
            return Err(refusal);
        }
        let result = act(&mut state.disk);
        if result.as_ref().is_err_and(|refusal| *refusal == libc::ENOSPC) {
            state.refused += 1;
        }
        result
    }

    /// Operations wait from now on.
    pub fn freeze(&self) {
        self.state().is_frozen = true;
    }

    /// The power goes: what waits and whatever still comes is refused.
    pub fn cut(&self, cut: Cut) -> Loss {
        let mut state = self.state();
        (state.is_off, state.is_frozen) = (true, false);
        let loss = state.disk.cut(cut);
        self.thawed.notify_all();
        loss
    }

    /// The power comes back.
    pub fn restore(&self) {
        self.state().is_off = false;
    }

    /// A fault, or its end.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// How many octets are free from now on.
    pub fn set_free(&self, octets: u64) {
        let mut state = self.state();
        let used = state.disk.capacity - state.disk.free();
        state.disk.capacity = used + octets;
    }

    /// How long each sync takes, at least.
    pub fn set_sync_delay(&self, delay: Duration) {
        self.state().sync_delay = delay;
    }

    /// Syncs are answered, and keep nothing, from now on.
    pub fn lie(&self) {
        self.state().disk.lies = true;
    }

    /// How many operations a fault, or the want of room, has refused so far.
    pub fn refused(&self) -> u64 {
        self.state().refused
    }
}

impl State {
    fn refusal(&self, inode: u64, deed: Deed) -> Option<Refusal> {
        let fault = self.fault.as_ref()?;
        if !self.disk.inode(inode).is_ok_and(|inode| inode.path.starts_with(&fault.prefix)) {
            return None;
        }
        match (fault.kind, deed) {
            (FaultKind::Write, Deed::Write) | (FaultKind::Sync, Deed::Sync) => Some(libc::EIO),
            (FaultKind::ReadOnly, Deed::Write | Deed::Change | Deed::Sync) => Some(libc::EROFS),
            _ => None,
        }
    }
}
