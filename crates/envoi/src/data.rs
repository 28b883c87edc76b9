//! The data folder: opened as the configuration says, by one process at a time.

use relay::service::Fault;
use relay::webhook::Bounds;
use std::sync::Arc;
use store::embedded::spool::LockError;
use store::embedded::{Embedded, OpenError, Options};

use net::clock::Clock;

use crate::config::Config;

/// Sizes and budgets of the spool.
pub fn spool_options(config: &Config) -> store::embedded::spool::Options {
    store::embedded::spool::Options {
        segment_octets: config.store.segment_octets,
        reserve_octets: config.store.reserve_octets,
        disk_free_octets_min: config.store.disk_free_octets_min,
        spool_octets_max: config.store.spool_octets_max,
        ..store::embedded::spool::Options::default()
    }
}

/// What the store is told.
pub fn options(config: &Config, clock: Arc<dyn Clock>) -> Options {
    let mut options = Options::new(Arc::new(move || clock.now()));
    options.master_key.clone_from(&config.store.master_key);
    options.keep_rows = config.limits.activity();
    options.keep_counters = config.limits.statistics();
    options.recipient_reports_max = config.limits.recipient_reports_max;
    options.fold_refusals = std::time::Duration::from_secs(config.limits.notice_fold_seconds);
    options.webhooks =
        Bounds { waiting_max: config.limits.webhook_waiting_max, log_max: config.limits.webhook_log_max };
    options.inbox = config.limits.inbox_bounds();
    options.dmarc = config.limits.dmarc_bounds();
    options.spool = spool_options(config);
    options
}

/// Opens the data folder; blocks until the log is replayed.
///
/// # Errors
/// Another process has it, or it cannot be read.
pub fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Embedded, OpenError> {
    Embedded::open(&config.data_dir, options(config, clock))
}

/// Whether another process has the folder now.
pub fn is_held(error: &OpenError) -> bool {
    matches!(error, OpenError::Lock(LockError::Held { .. }))
}

/// Why it could not be opened, and what to do.
pub fn fault(error: &OpenError, config: &Config) -> Fault {
    let folder = config.data_dir.display();
    let what = format!("The data folder cannot be opened: {error}.");
    match error {
        OpenError::Lock(LockError::Held { .. }) => Fault::unavailable(
            what,
            "Where a relay already runs there, all is well. Else wait until that process has started or stopped; \
             if it hangs, stop it.",
        )
        .meaning("One process at a time may write there, and another one has it: it runs, starts, stops or hangs."),
        OpenError::Lock(LockError::Io { source, .. }) | OpenError::Io { source, .. } => {
            Fault::unavailable(what, remedy_of(source.kind(), &folder.to_string()))
        }
        OpenError::Newer { .. }
        | OpenError::MasterKey(_)
        | OpenError::LedgerMissing(_)
        | OpenError::Activity { .. } => Fault::unavailable(what, "").meaning("Nothing was changed."),
        OpenError::Ledger { .. } | OpenError::Charges(_) | OpenError::Spool(_) => Fault::unavailable(
            what,
            "Look at the disk and at the log; `envoi doctor` says more. A backup can be restored into an empty folder.",
        )
        .meaning("Nothing was changed."),
    }
}

fn remedy_of(kind: std::io::ErrorKind, folder: &str) -> String {
    match kind {
        std::io::ErrorKind::PermissionDenied => {
            format!("Run this as the user that owns {folder} (for example `sudo -u envoi envoi …`).")
        }
        std::io::ErrorKind::StorageFull => "Make room on the disk.".to_owned(),
        _ => format!("See that {folder} can be made and written to."),
    }
}
