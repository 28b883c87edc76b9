//! Certificates that come and renew by themselves (ACME, RFC 8555).
//!
//! One file holds key and chain, so that no moment lies between the two: it is replaced at once, then taken up like any
//! other certificate. Until the authority has given one, a certificate that vouches for itself stands in.

mod http;
mod kept;
mod order;

#[cfg(test)]
pub(crate) use order::proof_of;

pub(crate) use kept::write as write_whole;
use relay::certificate::pause_after;
use relay::clock::Timestamp;
use rustls::pki_types::CertificateDer;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::{Clock, SystemDice};
use crate::shutdown::Shutdown;
use crate::tls::{CertificateError, CertificateFacts, CertificateFiles, Certificates};

/// The longest that is slept at a stretch: the clock of the wall may leap.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The least between one certificate and the next order: an authority that gives what seems due at once is not asked in a
/// circle.
const PAUSE_AFTER_SUCCESS: Duration = Duration::from_secs(12 * 3_600);
/// How long one order may take in all.
const ORDER_PATIENCE: Duration = Duration::from_secs(600);

/// How a name is proved to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// By a file that the authority fetches on port 80 (RFC 8555 §8.3).
    Http,
    /// By a certificate within the handshake on port 443 (RFC 8737).
    TlsAlpn,
}

impl std::fmt::Display for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Challenge::Http => "http-01",
            Challenge::TlsAlpn => "tls-alpn-01",
        })
    }
}

/// What is ordered, from whom.
#[derive(Clone, Debug)]
pub struct AcmeSettings {
    /// The address of the authority's directory, https.
    pub directory: String,
    /// The names of the certificate, the relay's own first.
    pub names: Vec<String>,
    /// Whom the authority may write to.
    pub contact: Option<String>,
    /// How the names are proved.
    pub challenge: Challenge,
    /// The folder that holds the account and the certificate.
    pub folder: PathBuf,
    /// Who is trusted to speak for the authority; empty: whom the system trusts.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl AcmeSettings {
    /// Where the certificate is, its key before it.
    pub fn files_in(folder: &std::path::Path) -> CertificateFiles {
        let file = folder.join("certificate.pem");
        CertificateFiles { certificate: file.clone(), key: file }
    }

    /// The account with this authority: each has a file of its own.
    fn account_file(&self) -> PathBuf {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let name: String = self.directory.trim_start_matches("https://").chars().map(plain).collect();
        self.folder.join(format!("account-{name}.json"))
    }

    /// Makes sure that there is a certificate to start with. Blocks on the disk.
    ///
    /// # Errors
    /// There is none, and none can be made.
    pub fn stand_in(&self, now: Timestamp) -> Result<(), AcmeError> {
        kept::stand_in(&AcmeSettings::files_in(&self.folder).certificate, &self.names, now)
    }
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The authority looked, and did not see that the names are ours.
    #[error("{0}")]
    Refused(String),
    /// The authority does not offer the kind of proof that is configured.
    #[error("the authority does not offer {challenge} for {name}")]
    NoChallenge {
        /// The name.
        name: String,
        /// What was to be the proof.
        challenge: Challenge,
    },
    /// It took too long.
    #[error("the order was not finished within {} minutes", ORDER_PATIENCE.as_secs() / 60)]
    TooLong,
    /// The authority, or the way to it.
    #[error("{0}")]
    Protocol(#[from] instant_acme::Error),
    /// A key or a request for a certificate.
    #[error("{0}")]
    Making(#[from] rcgen::Error),
    /// TLS.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    /// The account's file.
    #[error("the account's file: {0}")]
    Account(#[from] serde_json::Error),
    /// A file of the folder.
    #[error("the files of ACME: {0}")]
    File(#[from] io::Error),
    /// What the authority gave cannot be used.
    #[error("{0}")]
    Useless(#[from] CertificateError),
}

/// How the orders go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcmeState {
    /// Orders in a row that failed.
    pub failures: u32,
    /// Why the last one failed.
    pub fault: Option<String>,
    /// When the next is due.
    pub next_at: Timestamp,
    /// One is under way.
    pub ordering: bool,
}

/// Orders and renews one certificate.
pub struct Acme {
    settings: AcmeSettings,
    certificates: Arc<Certificates>,
    clock: Arc<dyn Clock>,
    state: Mutex<AcmeState>,
    asked: Notify,
}

impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acme").field("names", &self.settings.names).finish_non_exhaustive()
    }
}

impl Acme {
    /// For a certificate that is among those in use.
    pub fn new(settings: AcmeSettings, certificates: Arc<Certificates>, clock: Arc<dyn Clock>) -> Arc<Acme> {
        let acme = Acme { settings, certificates, clock, state: Mutex::default(), asked: Notify::new() };
        let due = acme.due();
        // a relay that is started again and again does not order each time
        let before = kept::failures(&acme.failures_file(), acme.clock.now());
        let (failures, not_before) = before.unwrap_or_default();
        *acme.state() = AcmeState { failures, next_at: due.max(not_before), ..AcmeState::default() };
        Arc::new(acme)
    }

    fn state(&self) -> MutexGuard<'_, AcmeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the orders go.
    pub fn shown(&self) -> AcmeState {
        self.state().clone()
    }

    /// Whether this certificate is the one that is kept here.
    pub fn keeps(&self, facts: &CertificateFacts) -> bool {
        facts.files == AcmeSettings::files_in(&self.settings.folder)
    }

    /// Orders one now, whatever is there.
    pub fn order_now(&self) {
        self.asked.notify_one();
    }

    /// Where it is kept how many orders failed, and before when none is to be made.
    fn failures_file(&self) -> PathBuf {
        self.settings.folder.join("failures")
    }

    /// When what is there is to be renewed: at once where it stands in, or lacks a name.
    fn due(&self) -> Timestamp {
        let all = self.certificates.facts();
        let Some(facts) = all.iter().find(|facts| self.keeps(facts)) else { return Timestamp(0) };
        let named = |name: &String| facts.names.contains(name);
        if facts.self_signed || !self.settings.names.iter().all(named) {
            return Timestamp(0);
        }
        facts.validity.renews_at()
    }

    /// Orders whenever one is due, until shutdown.
    pub async fn run(self: Arc<Self>, shutdown: Shutdown) {
        loop {
            let left = self.state().next_at.since(self.clock.now());
            if left.is_zero() {
                tokio::select! {
                    () = shutdown.begun() => return,
                    () = self.order() => continue,
                }
            }
            tokio::select! {
                () = shutdown.begun() => return,
                () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
                () = self.asked.notified() => self.state().next_at = Timestamp(0),
            }
        }
    }

    async fn order(&self) {
        self.state().ordering = true;
        let ordering = tokio::time::timeout(ORDER_PATIENCE, order::order(&self.settings, self.certificates.proofs()));
        let ended = ordering.await.unwrap_or(Err(AcmeError::TooLong)).and_then(|issued| self.take(&issued));
        self.certificates.proofs().clear();
        let now = self.clock.now();
        let mut state = self.state();
        state.ordering = false;
        match ended {
            Ok(()) => {
                tracing::info!(names = ?self.settings.names, "a certificate was issued");
                let next_at = self.due().max(now.after(PAUSE_AFTER_SUCCESS));
                *state = AcmeState { next_at, ..AcmeState::default() };
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                let pause = pause_after(state.failures, &mut SystemDice);
                state.next_at = now.after(pause);
                state.fault = Some(error.to_string());
                let (names, failures) = (&self.settings.names, state.failures);
                tracing::error!(?names, %error, failures, again_in = ?pause, "no certificate was issued");
            }
        }
        let (file, failures, next_at) = (self.failures_file(), state.failures, state.next_at);
        drop(state);
        if let Err(error) = kept::keep_failures(&file, failures, next_at) {
            tracing::warn!(%error, "how the orders go is forgotten at a restart");
        }
    }

    /// Writes it down and shows it to clients from now on. Where another certificate cannot be read, it is shown as soon as
    /// that can.
    fn take(&self, issued: &order::Issued) -> Result<(), AcmeError> {
        // tried first: a start must never find one that cannot be used
        let trial = self.settings.folder.join("trial.pem");
        kept::write(&trial, issued.pem.as_bytes())?;
        Certificates::load(vec![CertificateFiles { certificate: trial.clone(), key: trial.clone() }])?;
        kept::put(&trial, &AcmeSettings::files_in(&self.settings.folder).certificate)?;
        if let Err(error) = self.certificates.reload() {
            tracing::error!(%error, "the certificates that were there are shown further");
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
