//! A backup is made beside everything else that is asked for: it takes as long as the copying does.

use relay::audit::{About, Details, Field, Kind};
use relay::clock::Timestamp;
use relay::service::operation::{Answer, Operation};
use relay::service::{Fault, Identity};
use relay::store::{Actor, AuditEntry, Store};
use std::path::Path;
use std::sync::Arc;
use store::embedded::Embedded;
use store::embedded::archive::{ArchiveError, Manifest};

use super::{Executor, misplaced};
use crate::archive;

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
        if !matches!(operation, Operation::Backup { .. }) {
            return self.run(operation, identity).await;
        }
        let (operation, _) = operation.confined(identity.scope)?;
        identity.may_change(&self.store.directory())?;
        let Operation::Backup { target, with_master_key } = operation else { return Err(misplaced()) };
        let here = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || here.backup(&target, with_master_key, identity.actor)).await;
        made.map_err(|_| Fault::unavailable("The backup broke off inside.", "The log says more."))?
    }

    fn backup(&self, target: &Path, with_master_key: bool, actor: Actor) -> Result<Answer, Fault> {
        let at = self.clock.now();
        let manifest = self.store.backup(target, with_master_key, at).map_err(|error| archive::fault(&error))?;
        let about = About::named(Kind::Backup, target.display().to_string());
        let told = Details::from(about).with(Field::MasterKey, &with_master_key);
        self.store.audit_note(AuditEntry::new(at, actor, "backup", told, None))?;
        Ok(Answer::Backup(archive::view(target, &manifest)))
    }
}
