//! What validates, and whether that is possible here: looked at with the first question, and again from time to time.

use hickory_resolver::config::{NameServerConfig, ResolveHosts};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use relay::dane::Validation;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

use super::LookupError;
use super::absent::Absent;
use super::hickory::{DnsSettings, Dnssec, absent_ttl_max, meaning, trust_anchors};
use super::upstreams::Upstreams;
use super::validated::{ALIASES_MAX, Answer, Nothing, bogus};

/// How long nothing is asked without validating while nobody can tell whether that is possible. A resolver that starts up,
/// or a network that does, has time to; one that has no root never will.
const UNKNOWN_MAX: Duration = Duration::from_secs(600);
/// How long until it is looked at again, where signatures held the last time, and where they did not.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(600));
/// How long a relay that goes without may be expected not to stay so: it has looked some times by then. A wrong clock or a resolver that
/// starts up is mended; one that hands on no signatures stays as it is.
const FOR_NOW_MAX: Duration = Duration::from_secs(3600);

const REMEDY: &str =
    "Name a resolver that hands them on with `name_servers` below [delivery], and see whether the clock is right";

/// What validates.
pub(super) struct Validating {
    upstreams: Upstreams,
    absent: Absent,
    servers: Vec<NameServerConfig>,
    settings: DnsSettings,
    found: Mutex<Validation>,
    /// Held while somebody looks because nobody knows: the others wait for what is found.
    looking: tokio::sync::Mutex<()>,
    /// Since when nobody could tell.
    unknown_since: OnceLock<Instant>,
    /// Since when it goes without; what held once is never gone without, so that this begins once.
    without_since: OnceLock<Instant>,
}

impl Validating {
    /// Nothing was looked at yet, and these are asked.
    ///
    /// # Errors
    /// They cannot be asked, or the trust anchors are none; in words for the operator.
    pub(super) fn new(servers: Vec<NameServerConfig>, settings: &DnsSettings) -> Result<Validating, LookupError> {
        let answers_max = usize::try_from(settings.cache_answers_max / 4).unwrap_or(usize::MAX);
        Ok(Validating {
            upstreams: validators(&servers, settings)?,
            absent: Absent::new(answers_max, absent_ttl_max(settings)),
            servers,
            settings: settings.clone(),
            found: Mutex::new(Validation::Unknown),
            looking: tokio::sync::Mutex::default(),
            unknown_since: OnceLock::new(),
            without_since: OnceLock::new(),
        })
    }

    /// What was found last.
    pub(super) fn found(&self) -> Validation {
        *self.lock()
    }

    /// How long until it should be looked at again.
    pub(super) fn look_again_in(&self) -> Duration {
        if self.found() == Validation::Holds { LOOK_AGAIN.0 } else { LOOK_AGAIN.1 }
    }

    /// Whether answers are validated; it is looked at where nobody knows.
    ///
    /// # Errors
    /// A fault, while nothing can be told.
    pub(super) async fn is_possible(&self) -> Result<bool, LookupError> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let _looking = self.looking.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        self.look().await?;
        Ok(self.known().unwrap_or_default())
    }

    fn known(&self) -> Option<bool> {
        match self.found() {
            Validation::Off | Validation::Unknown => self.is_must().then_some(true),
            Validation::Holds | Validation::Fails => Some(true),
            Validation::Without => Some(false),
        }
    }

    fn is_must(&self) -> bool {
        self.settings.dnssec == Dnssec::On
    }

    /// Looks whether the keys of the root arrive here with signatures that hold, by a resolver that remembers nothing.
    ///
    /// # Errors
    /// A fault, where nothing can be told: what was found before stands.
    pub(super) async fn look(&self) -> Result<(), LookupError> {
        let forgetful = validators(&self.servers, &self.settings)?;
        let found = match forgetful.lookup(Name::root(), RecordType::DNSKEY).await {
            Ok(answer) if answer.answers().iter().any(|record| record.proof == Proof::Secure) => Ok(()),
            Ok(_) => Err("the keys of the root are not signed".to_owned()),
            Err(NetError::Dns(DnsError::ResponseCode(code))) if code != ResponseCode::ServFail => Err(code.to_string()),
            Err(error) => match meaning(&error) {
                LookupError::Fault(why) if LookupError::Fault(why.clone()) != bogus() => {
                    return Err(LookupError::Fault(why));
                }
                meaning => Err(meaning.to_string()),
            },
        };
        self.note(found);
        Ok(())
    }

    /// Whether nobody could tell for so long, while other questions are answered, that nobody ever will.
    pub(super) fn is_unknown_for_long(&self) -> bool {
        self.unknown_since.get_or_init(Instant::now).elapsed() >= UNKNOWN_MAX
    }

    /// Whether it goes without, and not yet for so long that it will hardly ever be otherwise.
    pub(super) fn is_without_for_now(&self) -> bool {
        let since = self.without_since.get().filter(|_| self.found() == Validation::Without);
        since.is_some_and(|since| since.elapsed() < FOR_NOW_MAX)
    }

    /// Does without, for this reason, where nobody could tell until now.
    pub(super) fn give_up(&self, why: String) {
        if self.found() == Validation::Unknown {
            self.note(Err(why));
        }
    }

    /// Keeps what was found, and says it where it is news. What held once is never given up: whoever changes answers on their
    /// way must not be able to turn validation off.
    fn note(&self, found: Result<(), String>) {
        let mut kept = self.lock();
        let before = *kept;
        *kept = match (&found, before) {
            (Ok(()), _) => Validation::Holds,
            (Err(_), Validation::Unknown | Validation::Without) if !self.is_must() => Validation::Without,
            (Err(_), _) => Validation::Fails,
        };
        let now = *kept;
        drop(kept);
        if now == Validation::Without {
            self.without_since.get_or_init(Instant::now);
        }
        match (found, now) {
            _ if now == before => {}
            (Err(why), Validation::Without) => tracing::warn!(
                why,
                "mail goes out without DANE: the signatures of DNSSEC do not arrive, or the clock is wrong; it is looked \
                 at again every ten minutes. {REMEDY}"
            ),
            (Err(why), _) => tracing::error!(
                why,
                "mail by MX waits: the signatures of DNSSEC do not arrive, or the clock is wrong. {REMEDY}"
            ),
            (Ok(()), _) if before == Validation::Unknown => {}
            (Ok(()), _) => tracing::info!("the signatures of DNSSEC arrive and hold: mail goes out with DANE again"),
        }
    }

    /// Asks, and validates the answer. Where there is nothing behind an alias, each step of the way there is asked for by itself
    /// (RFC 7672 §2.1.3): what is proved of the last name is proved of the first where all of them are signed.
    ///
    /// # Errors
    /// That there is nothing, and whether that is proved; a fault where an answer is not signed as it should be.
    pub(super) async fn ask(&self, name: Name, kind: RecordType) -> Result<Answer, Nothing> {
        let mut found = self.ask_once(name.clone(), kind).await;
        // whether the first alias is signed, and whether all of them are
        let (mut way, mut owner): (Option<(bool, bool)>, Name) = (None, name);
        for _ in 0..ALIASES_MAX {
            let Err(nothing) = &found else { break };
            if !nothing.may_be_behind_aliases() {
                break;
            }
            let Some((target, is_signed)) = self.alias(&owner).await else { break };
            let (first, all) = way.map_or((is_signed, is_signed), |(first, all)| (first, all && is_signed));
            way = Some((first, all));
            if !all && nothing.is_behind {
                break;
            }
            found = self.ask_once(target.clone(), kind).await;
            owner = target;
        }
        match (found, way) {
            (found, None) => found,
            (Ok(answer), Some((first, all))) => Ok(answer.behind(first, all)),
            (Err(nothing), Some((_, all))) => Err(Nothing { is_proved: nothing.is_proved && all, ..nothing }),
        }
    }

    /// What a name is an alias of, and whether that is signed; none where it is none, or nobody can tell.
    async fn alias(&self, name: &Name) -> Option<(Name, bool)> {
        let answer = self.ask_once(name.clone(), RecordType::CNAME).await.ok()?;
        match answer.data.into_iter().next()? {
            RData::CNAME(target) => Some((target.0, answer.is_secure)),
            _ => None,
        }
    }

    async fn ask_once(&self, name: Name, kind: RecordType) -> Result<Answer, Nothing> {
        if let Some(absent) = self.absent.get(&name, kind) {
            return Err(absent);
        }
        match self.upstreams.lookup(name.clone(), kind).await {
            Ok(answer) => Ok(Answer::of(&name, kind, answer.answers())?),
            Err(error) => {
                let nothing = Nothing::of(&name, &error);
                self.absent.keep(name, kind, &error, &nothing);
                Err(nothing)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Validation> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name servers, with answers that are validated.
fn validators(servers: &[NameServerConfig], settings: &DnsSettings) -> Result<Upstreams, LookupError> {
    let anchors = settings.trust_anchors.as_deref().map(trust_anchors).transpose().map_err(LookupError::Fault)?;
    let anchors = anchors.map(Arc::new);
    Upstreams::new(servers, settings, |mut builder| {
        if let Some(anchors) = &anchors {
            builder = builder.with_trust_anchor(Arc::clone(anchors));
        }
        let options = builder.options_mut();
        options.validate = true;
        options.preserve_intermediates = true;
        // nobody signs those
        options.use_hosts_file = ResolveHosts::Never;
        builder
    })
}
