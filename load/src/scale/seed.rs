//! The data folder at scale: filled once, by the store's own verbs, and kept.

use anyhow::{Context, ensure};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::relay::{House, free_ports};
use crate::start::{fill_in, filler};

/// Sessions of W2: their users are there before all others.
const SESSIONS: usize = 20;
/// Memory as a disk: the ledger's commits are synced one by one, and there are a hundred thousand.
const MEMORY: &str = "/dev/shm";

/// Where pages and lists are.
pub(super) struct Faces {
    pub(super) console: SocketAddr,
    pub(super) api: SocketAddr,
}

/// How much there is.
#[derive(Clone, Copy)]
pub(super) struct Town {
    pub(super) accounts: u64,
    pub(super) domains: u64,
    pub(super) users: u64,
    pub(super) rows: u64,
}

impl Town {
    /// The folder with its configuration, filled where it is not yet.
    pub(super) fn house(self, folder: &Path, binary: &Path) -> anyhow::Result<(House, Faces)> {
        let house = House::new(folder, binary)?;
        let [console, api] = free_ports()?;
        let faces = format!(
            "[console]\nlisten = [\"{console}\"]\n\n[api]\nlisten = [\"{api}\"]\n\n[limits]\napi_requests_per_minute = 0\n\
             console_requests_per_minute = 0\n\n"
        );
        house.configure(&(faces + &house.to_sink(false)))?;
        let mark = house.folder.join("filled");
        if !mark.exists() {
            let data = house.folder.join("data");
            let _ = std::fs::remove_dir_all(&data);
            let _ = std::fs::remove_file(house.folder.join("users.json"));
            let running = house.serve()?;
            house.seats(SESSIONS)?;
            running.stop()?;
            self.fill(&data)?;
            std::fs::write(mark, "")?;
        }
        Ok((house, Faces { console, api }))
    }

    fn fill(self, data: &Path) -> anyhow::Result<()> {
        let (filler, begun) = (filler()?, Instant::now());
        let (accounts, domains, users) = (self.accounts.to_string(), self.domains.to_string(), self.users.to_string());
        let town = ["town", &accounts, &domains, &users];
        if Path::new(MEMORY).is_dir() {
            let aside = PathBuf::from(MEMORY).join(format!("scale-{}", std::process::id()));
            let done = move_folder(data, &aside).and_then(|()| fill_in(&filler, &aside, &town));
            move_folder(&aside, data)?;
            done?;
        } else {
            fill_in(&filler, data, &town)?;
        }
        crate::tell(&format!("accounts, domains and users after {:.0} s", begun.elapsed().as_secs_f64()));
        fill_in(&filler, data, &["spread", &self.rows.to_string()])?;
        crate::tell(&format!("rows after {:.0} s", begun.elapsed().as_secs_f64()));
        Ok(())
    }
}

/// Moves a folder to another disk, for its owner alone.
fn move_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    ensure!(status.success(), "{} cannot be copied to {}", from.display(), to.display());
    Ok(std::fs::remove_dir_all(from)?)
}

/// The system forgets what it holds of a folder's files in memory, as far as it is on the disk.
pub(super) fn forget_cached(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let path = entry.path();
        File::open(&path).and_then(|file| file.sync_data()).with_context(|| path.display().to_string())?;
        // reads nothing, and asks the system to drop what it holds of the whole file (posix_fadvise)
        let file = format!("if={}", path.display());
        let dropped = Command::new("dd").args([&file, "iflag=nocache", "count=0", "status=none"]).status()?;
        ensure!(dropped.success(), "the cache of {} cannot be dropped", path.display());
    }
    Ok(())
}
