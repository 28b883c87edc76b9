//! A backup is made, or checked, beside everything else that is asked for: it takes as long as the copying does.

use relay::audit::{About, Details, Field, Kind};
use relay::clock::Timestamp;
use relay::service::operation::{Answer, Operation};
use relay::service::{Fault, Identity};
use relay::store::{Actor, AuditEntry, Store};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use store::embedded::Embedded;
use store::embedded::archive::{self, ArchiveError, Manifest};

use super::{Executor, broke_off, misplaced};
use crate::archive as told;

mod list;

pub(super) use list::Backups;

/// A store that can be copied while it works.
pub trait Archive: Send + Sync + 'static {
    /// Copies everything, as of one moment, into a folder.
    ///
    /// # Errors
    /// There is no backup.
    fn backup(&self, target: &Path, with_master_key: bool, now: Timestamp) -> Result<Manifest, ArchiveError>;
}

impl Archive for Embedded {
    fn backup(&self, target: &Path, with_master_key: bool, now: Timestamp) -> Result<Manifest, ArchiveError> {
        Embedded::backup(self, target, with_master_key, now)
    }
}

impl<S: Store + Archive> Executor<S> {
    /// As [`Executor::run`], backups among the operations.
    ///
    /// # Errors
    /// What happened, what it means, what to do.
    pub async fn carry_out(self: &Arc<Self>, operation: Operation, identity: Identity) -> Result<Answer, Fault> {
        if !matches!(operation, Operation::Backup { .. } | Operation::BackupCheck { .. }) {
            return self.run(operation, identity).await;
        }
        let (operation, _) = operation.confined(identity.scope)?;
        identity.may_change(&self.store.directory())?;
        let here = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || match operation {
            Operation::Backup { target, with_master_key } => here.backup(&target, with_master_key, identity.actor),
            Operation::BackupCheck { backup } => here.backup_check(backup),
            _ => Err(misplaced()),
        });
        done.await.map_err(broke_off)?
    }

    fn backup(&self, target: &Path, with_master_key: bool, actor: Actor) -> Result<Answer, Fault> {
        let at = self.clock.now();
        let _turn = self.backups.begin(at)?;
        let manifest = self.store.backup(target, with_master_key, at).map_err(|error| {
            let fault = fault(&error);
            self.backups.failed(target, at, &fault);
            fault
        })?;
        let view = told::view(target, &manifest);
        self.backups.made(&view, &actor.name);
        let about = About::named(Kind::Backup, target.display().to_string());
        let details = Details::from(about).with(Field::MasterKey, &with_master_key);
        self.store.audit_note(AuditEntry::new(at, actor, "backup", details, None))?;
        Ok(Answer::Backup(view))
    }

    /// Those alone of the list: whoever asks learns nothing of other folders.
    fn backup_check(&self, number: u64) -> Result<Answer, Fault> {
        let folder = self.backups.folder(number)?;
        let _turn = self.backups.begin(self.clock.now())?;
        let verified = archive::verify(&folder);
        let wrong = verified.as_ref().err().map(ToString::to_string);
        let view = self.backups.checked(number, self.clock.now(), wrong);
        match (verified, view) {
            (Ok(_), Some(view)) => Ok(Answer::KeptBackup(view)),
            // it left the list meanwhile
            (Ok(_), None) => Err(self.backups.folder(number).err().unwrap_or_else(misplaced)),
            (Err(error), _) => Err(Fault::invalid(
                format!("{error}."),
                "If it was moved, it is checked where it is restored. Else make another, and look at the disk.",
            )
            .meaning("It could not be restored as it is.")
            .named("backup-damaged", &[("folder", &folder.display())])),
        }
    }
}

/// Why there is no backup, by name where the reader's language has words for it.
fn fault(error: &ArchiveError) -> Fault {
    use ArchiveError as E;
    let told = told::fault(error);
    match error {
        E::TargetTaken(folder) => told.named("backup-target-taken", &[("folder", &folder.display())]),
        E::TargetInside(folder) => told.named("backup-target-inside", &[("folder", &folder.display())]),
        E::Io { path, source } if source.kind() == ErrorKind::PermissionDenied => {
            told.named("backup-not-permitted", &[("path", &path.display())])
        }
        E::Io { path, source } => told.named("backup-disk", &[("path", &path.display()), ("why", source)]),
        E::Sqlite { path, source } => told.named("backup-disk", &[("path", &path.display()), ("why", source)]),
        _ => told,
    }
}
