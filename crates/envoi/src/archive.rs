//! Backup and restore as commands: what is asked, what is told, and what an operator has to know at that moment.

use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::{BackupView, BackupsView, KeptBackupView, RestoreView};
use serde_json::json;
use std::path::Path;
use store::embedded::archive::{self, ArchiveError, KeyState, Manifest, Restored, Restoring};

use net::clock::{Clock, SystemClock};

use crate::cli::table::table;
use crate::cli::{BackupArgs, Failure, agreed, eprint, print, print_json};
use crate::config::Config;
use crate::data;
use crate::moment;

/// The operation of `envoi backup`.
pub(crate) fn operation(arguments: &BackupArgs) -> Operation {
    match (&arguments.target, arguments.check) {
        (Some(target), _) => {
            let target = std::path::absolute(target).unwrap_or_else(|_| target.clone());
            Operation::Backup { target, with_master_key: arguments.with_master_key }
        }
        (None, Some(backup)) => Operation::BackupCheck { backup },
        (None, None) => Operation::BackupList,
    }
}

/// What a backup that was made, or is to be restored, says of itself.
pub(crate) fn view(folder: &Path, manifest: &Manifest) -> BackupView {
    BackupView {
        folder: folder.display().to_string(),
        version: manifest.version.clone(),
        begun_at: moment::text(manifest.begun_at),
        moment: moment::text(manifest.moment),
        messages: manifest.messages,
        recipients: manifest.recipients,
        octets: manifest.octets(),
        master_key: manifest.master_key,
    }
}

/// Why there is no backup, or nothing was restored, and what to do.
pub(crate) fn fault(error: &ArchiveError) -> Fault {
    use ArchiveError as E;
    let what = format!("{error}.");
    match error {
        E::TargetTaken(_) | E::TargetInside(_) => {
            Fault::conflict(what, "Name a folder that does not exist yet, outside.")
        }
        E::FolderTaken { .. } => Fault::conflict(
            what,
            "Nothing is overwritten: move what is there away, or name another `data_dir`. A master key may lie there.",
        ),
        E::NoBackup(_) | E::Malformed { .. } | E::Damaged(_) => {
            Fault::invalid(what, "Restore another backup.").meaning("Nothing was restored.")
        }
        E::Newer { .. } => Fault::invalid(what, "").meaning("Nothing was restored."),
        E::Lock(_) => Fault::unavailable(what, "Stop the relay that runs there."),
        E::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => Fault::unavailable(
            what,
            "A running relay makes the backup itself: its user has to be able to write there (with systemd, \
             `ReadWritePaths=` as well).",
        ),
        E::Io { .. } | E::Sqlite { .. } => Fault::unavailable(what, "Look at the disks, and at the room on them."),
        E::Store(error) => error.clone().into(),
        E::MasterKey(_) | E::Open(_) => Fault::unavailable(what, "").meaning("Nothing was restored."),
    }
}

/// Restores a backup into the data folder of the configuration.
pub(crate) async fn restore(config: &Config, source: &Path, hold: bool, yes: bool, json: bool) -> Result<(), Failure> {
    let now = SystemClock::new().now();
    let manifest = {
        let source = source.to_owned();
        blocking(move || archive::verify(&source)).await?
    };
    if !yes && !agreed(&question(config, &manifest, hold)).await {
        eprint("Nothing was done.");
        return Err(Failure::Told);
    }
    let restoring = Restoring {
        source: source.to_owned(),
        folder: config.data_dir.clone(),
        master_key: config.store.master_key.clone(),
        hold,
        spool: data::spool_options(config),
        now,
    };
    let restored = blocking(move || archive::restore(&restoring)).await?;
    if json {
        print_json(&json!(restore_view(config, source, &restored)));
    } else {
        print(&told(config, &restored));
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    let broken = |_| Fault::unavailable("The command broke off inside.", "Run it again: it begins anew.");
    done.map_err(broken)?.map_err(|error| fault(&error))
}

fn question(config: &Config, manifest: &Manifest, hold: bool) -> String {
    let (folder, moment) = (config.data_dir.display(), moment::text(manifest.moment));
    let waits = waits(manifest, hold);
    format!("The backup of {moment} is whole and comes into {folder}.\n{waits}\nRestore it?")
}

/// What becomes of the mail that waited at the backup's moment.
fn waits(manifest: &Manifest, hold: bool) -> String {
    let moment = moment::text(manifest.moment);
    match (manifest.messages, hold) {
        (0, _) => "No mail waited at that moment. What was accepted since is not in the backup.".to_owned(),
        (count, true) => format!(
            "{count} messages waited at {moment}. They are held: what was delivered since is not delivered again until \
             you release it (`envoi queue release`) or give it up (`envoi queue cancel`)."
        ),
        (count, false) => format!(
            "{count} messages waited at {moment}, and go out as soon as the relay runs. Those that were delivered since \
             are delivered again; `--hold` holds them all for you to look at first. What was accepted since is not in \
             the backup."
        ),
    }
}

fn told(config: &Config, restored: &Restored) -> String {
    let manifest = &restored.manifest;
    let mut lines = vec![
        format!("Restored the backup of {} into {}.", moment::text(manifest.moment), config.data_dir.display()),
        waits(manifest, restored.held > 0),
    ];
    match &restored.key {
        KeyState::InPlace => lines.push("The master key is in place. Start the relay: `envoi serve`.".to_owned()),
        KeyState::Missing { path, users, dkim_keys, domains } => lines.push(format!(
            "The master key is missing: put it at {} (mode 600) before the relay is started; it does not start without. \
             If it is lost for good, the passwords of {users} SMTP users are dead, and {dkim_keys} DKIM keys of {domains} \
             domains cannot sign; accounts, domains, mail and activity are not affected.",
            path.display()
        )),
    }
    lines.join("\n")
}

fn restore_view(config: &Config, source: &Path, restored: &Restored) -> RestoreView {
    let (master_key, users, keys) = match &restored.key {
        KeyState::InPlace => (true, 0, 0),
        KeyState::Missing { users, dkim_keys, .. } => (false, *users, *dkim_keys),
    };
    RestoreView {
        folder: config.data_dir.display().to_string(),
        backup: view(source, &restored.manifest),
        held: restored.held,
        master_key,
        smtp_users_without_key: users,
        dkim_keys_without_key: keys,
    }
}

/// What is told of a backup that was made.
pub(crate) fn done(view: &BackupView) -> String {
    let key = if view.master_key {
        "The master key is in it: whoever has the backup has every secret of the relay."
    } else {
        "The master key is not in it: keep it elsewhere. Without it no SMTP user can log in and no DKIM key can sign."
    };
    format!(
        "{} shows the relay as of {}: {} messages wait, for {} recipients; {} MB.\n{key}",
        view.folder,
        view.moment,
        view.messages,
        view.recipients,
        view.octets.div_ceil(1_000_000)
    )
}

/// The backups that were made lately.
pub(crate) fn list(view: &BackupsView) -> String {
    let row = |kept: &KeptBackupView| {
        let KeptBackupView { backup, .. } = kept;
        let state = match (kept.there, &kept.fault, &kept.checked_at) {
            (false, ..) => "no longer there".to_owned(),
            (true, Some(fault), _) => format!("damaged: {fault}"),
            (true, None, Some(at)) => format!("right on {}", moment::short(at)),
            (true, None, None) => "right as it was made".to_owned(),
        };
        let key = if backup.master_key { "with" } else { "without" };
        let megabytes = backup.octets.div_ceil(1_000_000).to_string();
        vec![
            kept.number.to_string(),
            moment::short(&backup.moment),
            backup.folder.clone(),
            megabytes,
            key.to_owned(),
            kept.by.clone(),
            state,
        ]
    };
    let none = "No backup was made yet, or none that this data folder knows of.";
    let mut text =
        table(&["number", "moment", "folder", "MB", "key", "by", "state"], view.backups.iter().map(row), none);
    if let Some(since) = &view.busy_since {
        text.push_str(&format!("\nOne is being made or checked since {}.", moment::short(since)));
    }
    if let Some(failed) = &view.failed {
        let (at, folder, fault) = (moment::short(&failed.begun_at), &failed.folder, &failed.fault);
        text.push_str(&format!("\nThe last one, begun at {at} for {folder}, failed: {fault}"));
    }
    text
}

/// A backup that was checked and is right.
pub(crate) fn checked(kept: &KeptBackupView) -> String {
    format!("{} is as it was made: every file was compared with the manifest.", kept.backup.folder)
}
