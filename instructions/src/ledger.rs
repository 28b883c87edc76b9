//! Activity: a store is opened whose log is ahead of its rows by so many messages, and catches up.

use anyhow::Context;
use bytes::Bytes;
use relay::clock::Timestamp;
use relay::store::{Draft, Spool};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::embedded::spool::{LogSpool, Options as SpoolOptions, Position};
use store::embedded::{Embedded, Options};

use crate::spool::{envelope, settlement};

fn folder(count: usize, folder: &Path) -> PathBuf {
    folder.join(format!("activity-{count}"))
}

/// Writes the log: so many messages of one recipient, accepted and delivered.
pub(crate) fn prepare(count: usize, root: &Path) -> anyhow::Result<()> {
    let folder = folder(count, root);
    std::fs::create_dir_all(&folder)?;
    // a spool is taken up only beside the accounts whose mail it has
    drop(open(&folder, count)?);
    let options = SpoolOptions { segment_octets: 16 << 20, segments_ready: 1, ..SpoolOptions::default() };
    let spool = LogSpool::open(&folder.join("spool"), options, Position(0))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for number in 0..count as u64 {
        let envelope = envelope(number)?;
        let settlement = settlement(&envelope);
        let written = async {
            let mut draft = spool.draft()?;
            draft.append(Bytes::from_static(b"Subject: x\r\n\r\nbody\r\n")).await?;
            spool.commit(envelope, draft).await?;
            spool.settle(settlement).await
        };
        runtime.block_on(written)?;
    }
    spool.close();
    Ok(())
}

/// One message: its row, its delivery, its share of everything beside them. A prepared log serves once.
pub(crate) fn activity(count: usize, root: &Path) -> anyhow::Result<()> {
    let folder = folder(count, root);
    folder.try_exists()?.then_some(()).with_context(|| format!("no log was prepared in {}", folder.display()))?;
    drop(open(&folder, count)?);
    Ok(())
}

fn open(folder: &Path, count: usize) -> anyhow::Result<Embedded> {
    let now = Timestamp(1_800_000_000_000 + count as u64);
    Ok(Embedded::open(folder, Options::new(Arc::new(move || now)))?)
}
