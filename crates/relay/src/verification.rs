//! Verification of sending domains: what DNS said of each record, what that makes of the domain, and how it is told.
//!
//! Only what an authority says changes a state: that a record is there, is another, or is not there. A fault of the
//! resolver, SERVFAIL or a time-out never does.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::inspection::{Dmarc, ReturnPath};
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use crate::signing;
use crate::zone::Publisher;

/// How long a validated domain may be sent from after a record vanished.
pub const GRACE: Duration = Duration::from_secs(72 * 3600);

/// Records of one name that are kept and shown of what was found, and letters of each.
const FOUND_MAX: usize = 4;
const FOUND_LETTERS_MAX: usize = 500;

/// What DNS said of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RecordState {
    /// It is there.
    Right,
    /// There is none at its name.
    Absent,
    /// There is another.
    Wrong {
        /// What is there.
        found: Vec<String>,
    },
    /// DNS could not say.
    Unknown {
        /// Why not, in words.
        fault: String,
    },
}

impl RecordState {
    /// Whether an authority says that the record is not there, or is another.
    pub fn is_denied(&self) -> bool {
        matches!(self, RecordState::Absent | RecordState::Wrong { .. })
    }

    /// What TXT records at the name of a key say of it.
    pub fn of(found: &[String], key: &DkimKey) -> RecordState {
        if found.iter().any(|record| signing::publishes(record, key)) {
            return RecordState::Right;
        }
        if found.is_empty() {
            return RecordState::Absent;
        }
        RecordState::wrong(found)
    }

    /// Others were found.
    pub fn wrong(found: &[String]) -> RecordState {
        RecordState::Wrong { found: found.iter().take(FOUND_MAX).map(|record| plain(record)).collect() }
    }
}

/// What a stranger wrote, as it may be kept and shown: not too long, and no log and no terminal obeys it.
pub fn plain(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    text.chars().take(FOUND_LETTERS_MAX).map(plain).collect()
}

/// What was seen of a name besides its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The name.
    pub name: String,
    /// What it is an alias of, where it is one.
    pub alias: Option<String>,
    /// The name server that said so.
    pub server: Option<SocketAddr>,
}

/// One look at all records of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// When it was begun.
    pub at: Timestamp,
    /// By selector.
    pub records: Vec<(String, RecordState)>,
    /// Of each name that was looked at.
    #[serde(default)]
    pub witnesses: Vec<Witness>,
    /// Its return-path host, where that was looked at.
    #[serde(default)]
    pub return_path: Option<ReturnPath>,
    /// Its DMARC policy, where that was looked for.
    #[serde(default)]
    pub dmarc: Option<Dmarc>,
    /// Of selectors whose key took the place of an earlier one, when the key was made that was looked for. Compared with
    /// what is kept, and not kept itself.
    #[serde(skip)]
    pub made: Vec<(String, Timestamp)>,
}

impl Check {
    /// A look begun at a moment, with what was found of these selectors.
    pub fn new(at: Timestamp, records: Vec<(String, RecordState)>) -> Check {
        Check { at, records, witnesses: Vec::new(), return_path: None, dmarc: None, made: Vec::new() }
    }

    /// What was seen of a name.
    pub fn witness(&self, name: &str) -> Option<&Witness> {
        self.witnesses.iter().find(|witness| witness.name == name)
    }

    /// What was found of a selector; none where it was not looked for.
    pub fn of(&self, selector: &str) -> Option<&RecordState> {
        self.records.iter().find(|(looked_for, _)| looked_for == selector).map(|(_, finding)| finding)
    }

    /// Whether a record was denied ([`RecordState::is_denied`]).
    pub fn denies(&self, selector: &str) -> bool {
        self.of(selector).is_some_and(RecordState::is_denied)
    }

    /// This look at a domain without what it says of keys that others have taken the place of since it was begun: what
    /// stands at their selector is of the earlier one.
    #[must_use]
    pub fn of_keys(mut self, keys: &[DkimKey]) -> Check {
        let made = std::mem::take(&mut self.made);
        let looked_for = |selector: &String| made.iter().find(|(name, _)| name == selector).map(|(_, at)| *at);
        self.records.retain(|(selector, _)| {
            keys.iter().find(|key| key.selector == *selector).is_none_or(|key| key.made_at == looked_for(selector))
        });
        self
    }

    /// This look at a domain, with what the last one denied of keys that may be missing where DNS could not say now:
    /// a fault of DNS must not make them sign again.
    #[must_use]
    pub fn following(mut self, domain: &SendingDomain) -> Check {
        let Some(last) = &domain.check else { return self };
        let is_optional =
            |selector: &str| domain.keys.iter().any(|key| key.selector == selector && !is_required(domain, key));
        for (selector, finding) in &mut self.records {
            let is_unknown = matches!(finding, RecordState::Unknown { .. });
            if let Some(denied) =
                last.of(selector).filter(|last| last.is_denied() && is_unknown && is_optional(selector))
            {
                *finding = denied.clone();
            }
        }
        self
    }
}

/// What a check makes of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Its state from now on.
    pub state: DomainState,
    /// Since when a record is missing that was there before.
    pub lost_at: Option<Timestamp>,
}

/// Whether a domain is not validated without this key's record. Ed25519 is for those who can publish it, and a key that is
/// to sign next is nobody's loss before it was seen.
pub fn is_required(domain: &SendingDomain, key: &DkimKey) -> bool {
    if key.is_awaited() {
        return false;
    }
    key.algorithm == KeyAlgorithm::Rsa2048 || !domain.keys.iter().any(|other| other.algorithm == KeyAlgorithm::Rsa2048)
}

/// Whether a key's record was there at the last look.
pub fn is_there(domain: &SendingDomain, key: &DkimKey) -> bool {
    domain.check.as_ref().is_some_and(|check| check.of(&key.selector) == Some(&RecordState::Right))
}

/// Whether all is as it should be, as far as the last look told: nothing to look for more often than once a day. Keys
/// that may be missing may stay so.
pub fn is_well(domain: &SendingDomain) -> bool {
    let Some(check) = &domain.check else { return false };
    let is_settled = |key: &DkimKey| match check.of(&key.selector) {
        Some(RecordState::Right) => true,
        Some(RecordState::Absent) => !is_required(domain, key) && !key.is_awaited(),
        _ => false,
    };
    domain.state.may_send() && domain.state != DomainState::Warning && domain.keys.iter().all(is_settled)
}

/// Whether nothing but another account's claim on the name stands in the way: every record is there, and yet neither
/// they nor a word count.
pub fn is_held_elsewhere(domain: &SendingDomain) -> bool {
    let mut required = domain.keys.iter().filter(|key| is_required(domain, key)).peekable();
    !domain.state.may_send() && required.peek().is_some() && required.all(|key| is_there(domain, key))
}

/// The claims of other accounts on the name that a look at this one concerns too: who holds the name while this one has
/// all its records, and who has all records while this one misses some. They are looked at now, not at their own time.
pub fn rivals<'a>(directory: &'a Directory, domain: &'a SendingDomain) -> impl Iterator<Item = &'a Arc<SendingDomain>> {
    let (is_held, is_losing) = (is_held_elsewhere(domain), domain.state == DomainState::Warning);
    let others = directory
        .domains
        .values()
        .filter(move |other| other.id != domain.id && other.name == domain.name && other.deleted_at.is_none());
    others.filter(move |other| {
        (is_held && other.state == DomainState::Validated) || (is_losing && is_held_elsewhere(other))
    })
}

/// Judges a check of a domain.
pub fn judge(domain: &SendingDomain, check: &Check) -> Judgement {
    let before = Judgement { state: domain.state, lost_at: domain.lost_at };
    let required = domain.keys.iter().filter(|key| is_required(domain, key));
    let findings: Vec<_> = required.map(|key| check.of(&key.selector)).collect();
    let is_right = findings.iter().all(|finding| *finding == Some(&RecordState::Right));
    if findings.is_empty() || domain.state == DomainState::Vouched {
        return before;
    }
    if is_right {
        return Judgement { state: DomainState::Validated, lost_at: None };
    }
    let is_wrong = findings.iter().flatten().any(|finding| finding.is_denied());
    match domain.state {
        DomainState::Validated if is_wrong => Judgement { state: DomainState::Warning, lost_at: Some(check.at) },
        DomainState::Warning if is_wrong => {
            let lost_at = domain.lost_at.unwrap_or(check.at);
            let is_over = check.at.since(lost_at) >= GRACE;
            let state = if is_over { DomainState::Failed } else { DomainState::Warning };
            Judgement { state, lost_at: Some(lost_at) }
        }
        _ => before,
    }
}

/// The name of a key's record.
pub fn name(domain: &SendingDomain, key: &DkimKey) -> String {
    record_name(&key.selector, &domain.name)
}

/// The name of the record of a selector of a domain.
pub fn record_name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// What is not as it should be, in words: which record, what was found, what was expected, and who said so; or that
/// another account holds the name. Empty where all is well or nothing was looked at yet.
pub fn reason(domain: &SendingDomain, publisher: &Publisher) -> String {
    let Some(check) = &domain.check else { return String::new() };
    let held = is_held_elsewhere(domain).then(|| {
        format!(
            "Every record is there, but {} is validated in another account of this relay: it is yours once the records of \
             that account are gone from DNS.",
            domain.name
        )
    });
    let told = domain.keys.iter().filter_map(|key| {
        let finding = check.of(&key.selector)?;
        let fault = || fault(domain, key, finding, publisher);
        if is_required(domain, key) {
            return Some(fault()? + ".");
        }
        if key.is_awaited() {
            let fault = fault()?;
            return Some(format!(
                "{fault}. This key is to sign next: until its record is there the keys stay as they are."
            ));
        }
        // one that was never published is missing by choice
        let is_hint = matches!(finding, RecordState::Wrong { .. }) || (finding.is_denied() && key.seen_at.is_some());
        let fault = fault().filter(|_| is_hint)?;
        Some(format!("{fault}. This key is optional: mail goes out without its signature."))
    });
    held.into_iter().chain(told).collect::<Vec<_>>().join("\n")
}

/// What is wrong with one record, in words without a full stop.
pub fn fault(domain: &SendingDomain, key: &DkimKey, finding: &RecordState, publisher: &Publisher) -> Option<String> {
    let (name, record) = (name(domain, key), &key.record);
    let witness = domain.check.as_ref().and_then(|check| check.witness(&name));
    let (alias, target) = (witness.and_then(|witness| witness.alias.as_ref()), publisher.key_target(domain, key));
    let leads = alias.map(|alias| format!(", being an alias of {alias}")).unwrap_or_default();
    // the domain did its part where it leads to the right name: then the record is missing there
    let expected = match &target {
        Some(target) if alias == Some(target) => format!("expected at {target}: {record}"),
        Some(target) => format!("expected: CNAME {target}"),
        None => format!("expected: {record}"),
    };
    let told = match finding {
        RecordState::Right => return None,
        RecordState::Absent if target.is_some() && alias.is_none() => {
            format!("{name} has no CNAME record and no TXT record; {expected}")
        }
        RecordState::Absent => format!("{name} has no TXT record{leads}; {expected}"),
        RecordState::Wrong { found } => {
            format!("{name} has another TXT record{leads}; found: {}; {expected}", found.join(" | "))
        }
        RecordState::Unknown { fault } => format!("DNS did not say what {name} has: {fault}"),
    };
    let server = witness.and_then(|witness| witness.server);
    Some(server.map_or_else(|| told.clone(), |server| format!("{told} (name server {server})")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    const START: Timestamp = Timestamp(1_000_000);

    fn key(selector: &str, algorithm: KeyAlgorithm) -> DkimKey {
        let record = format!("v=DKIM1; k=rsa; p={selector}");
        DkimKey::new(selector, algorithm, record, true)
    }

    fn domain(state: DomainState) -> SendingDomain {
        let (rsa, ed25519) = (KeyAlgorithm::Rsa2048, KeyAlgorithm::Ed25519);
        SendingDomain {
            state,
            ..SendingDomain::new(
                Id::new(1),
                Id::new(1),
                "shop.example",
                vec![key("r1", rsa), key("r2", rsa), key("e1", ed25519), key("e2", ed25519)],
                START,
            )
        }
    }

    fn check(at: Timestamp, findings: [RecordState; 4]) -> Check {
        let selectors = ["r1", "r2", "e1", "e2"].map(str::to_owned);
        Check::new(at, selectors.into_iter().zip(findings).collect())
    }

    fn wrong() -> RecordState {
        RecordState::Wrong { found: vec!["v=DKIM1; p=other".into()] }
    }

    fn unknown() -> RecordState {
        RecordState::Unknown { fault: "SERVFAIL".into() }
    }

    use RecordState::{Absent, Right};

    #[test]
    fn rsa_has_to_be_there_and_ed25519_may() {
        let pending = domain(DomainState::Pending);
        let state = |findings| judge(&pending, &check(START, findings)).state;
        assert_eq!(state([Right, Right, Right, Right]), DomainState::Validated);
        assert_eq!(state([Right, Right, Absent, wrong()]), DomainState::Validated);
        assert_eq!(state([Right, Absent, Right, Right]), DomainState::Pending);
        assert_eq!(state([wrong(), Right, Right, Right]), DomainState::Pending);
        let mut alone = pending.clone();
        alone.keys.truncate(0);
        assert_eq!(judge(&alone, &check(START, [Right, Right, Right, Right])).state, DomainState::Pending);
    }

    #[test]
    fn faults_of_dns_change_nothing() {
        for state in [DomainState::Pending, DomainState::Validated, DomainState::Warning, DomainState::Failed] {
            let domain = SendingDomain { lost_at: Some(START), ..domain(state) };
            let after = START.after(GRACE * 2);
            let judgement = judge(&domain, &check(after, [unknown(), unknown(), Absent, Absent]));
            assert_eq!(judgement, Judgement { state, lost_at: Some(START) });
            let judgement = judge(&domain, &Check::new(after, Vec::new()));
            assert_eq!(judgement.state, state);
        }
        // one that answers is enough to tell that something is wrong
        let validated = domain(DomainState::Validated);
        assert_eq!(judge(&validated, &check(START, [unknown(), Absent, Right, Right])).state, DomainState::Warning);
    }

    #[test]
    fn a_lost_record_has_72_hours() {
        let mut domain = domain(DomainState::Validated);
        let lost = [Right, Absent, Right, Right];
        let judged = |domain: &SendingDomain, at| judge(domain, &check(at, lost.clone()));
        let first = judged(&domain, START);
        assert_eq!(first, Judgement { state: DomainState::Warning, lost_at: Some(START) });
        (domain.state, domain.lost_at) = (first.state, first.lost_at);
        let almost = START.after(GRACE - Duration::from_secs(1));
        assert_eq!(judged(&domain, almost).state, DomainState::Warning);
        assert_eq!(judged(&domain, START.after(GRACE)).state, DomainState::Failed);
        let back = judge(&domain, &check(almost, [Right, Right, Absent, Absent]));
        assert_eq!(back, Judgement { state: DomainState::Validated, lost_at: None });
        domain.state = DomainState::Failed;
        assert_eq!(judged(&domain, START.after(GRACE * 9)).state, DomainState::Failed);
        assert_eq!(judge(&domain, &check(almost, [Right, Right, Right, Right])).state, DomainState::Validated);
    }

    #[test]
    fn a_word_is_not_taken_back_by_dns() {
        let vouched = domain(DomainState::Vouched);
        for findings in [[Right, Right, Right, Right], [Absent, Absent, Absent, Absent]] {
            assert_eq!(judge(&vouched, &check(START, findings)).state, DomainState::Vouched);
        }
    }

    #[test]
    fn the_reason_says_which_record_what_was_found_and_what_was_expected() {
        let mut domain = domain(DomainState::Pending);
        assert_eq!(reason(&domain, &Publisher::default()), "");
        domain.check = Some(check(START, [wrong(), Absent, Absent, unknown()]));
        assert_eq!(
            reason(&domain, &Publisher::default()),
            "r1._domainkey.shop.example has another TXT record; found: v=DKIM1; p=other; expected: v=DKIM1; k=rsa; p=r1.\n\
             r2._domainkey.shop.example has no TXT record; expected: v=DKIM1; k=rsa; p=r2."
        );
        domain.check = Some(check(START, [unknown(), Right, Absent, Absent]));
        assert_eq!(
            reason(&domain, &Publisher::default()),
            "DNS did not say what r1._domainkey.shop.example has: SERVFAIL."
        );
    }

    #[test]
    fn the_reason_hints_at_an_optional_record_that_was_there_or_is_another() {
        let mut domain = domain(DomainState::Validated);
        domain.keys[2].seen_at = Some(START);
        domain.check = Some(check(START, [Right, Right, Absent, Absent]));
        let hint = "This key is optional: mail goes out without its signature.";
        let gone = "e1._domainkey.shop.example has no TXT record; expected: v=DKIM1; k=rsa; p=e1.";
        assert_eq!(reason(&domain, &Publisher::default()), format!("{gone} {hint}"), "the other was never published");
        domain.check = Some(check(START, [Right, Right, unknown(), wrong()]));
        let another = "e2._domainkey.shop.example has another TXT record; found: v=DKIM1; p=other; expected: v=DKIM1; k=rsa; p=e2.";
        assert_eq!(reason(&domain, &Publisher::default()), format!("{another} {hint}"));
    }

    #[test]
    fn a_claim_with_all_records_is_told_that_another_account_holds_the_name() {
        let all = |state| SendingDomain { check: Some(check(START, [Right, Right, Absent, Absent])), ..domain(state) };
        for state in [DomainState::Pending, DomainState::Failed] {
            assert!(is_held_elsewhere(&all(state)), "{state:?}");
            assert!(reason(&all(state), &Publisher::default()).contains("validated in another account"), "{state:?}");
        }
        assert!(
            !is_held_elsewhere(&all(DomainState::Validated))
                && reason(&all(DomainState::Validated), &Publisher::default()).is_empty()
        );
        let some = SendingDomain {
            check: Some(check(START, [Right, unknown(), Right, Right])),
            ..domain(DomainState::Pending)
        };
        assert!(!is_held_elsewhere(&some) && !is_held_elsewhere(&domain(DomainState::Pending)));
        assert!(!is_held_elsewhere(&SendingDomain { keys: Vec::new(), ..all(DomainState::Pending) }));
    }

    #[test]
    fn a_look_concerns_who_holds_the_name_and_who_waits_for_it() {
        let claim = |id, state, findings| {
            let domain = SendingDomain { id: Id::new(id), check: Some(check(START, findings)), ..domain(state) };
            Arc::new(domain)
        };
        let (right, lost) = ([Right, Right, Right, Right], [Right, Absent, Right, Right]);
        let waiting = claim(2, DomainState::Pending, right.clone());
        let idle = claim(3, DomainState::Pending, lost.clone());
        let stranger = SendingDomain { name: "other.example".into(), ..(*waiting).clone() };
        let rivals_of = |holder: &Arc<SendingDomain>, of: &SendingDomain| -> Vec<u64> {
            let others = [holder, &waiting, &idle].map(|domain| (domain.id, Arc::clone(domain)));
            let directory = Directory { domains: others.into_iter().collect(), ..Directory::default() };
            rivals(&directory, of).map(|rival| rival.id.number()).collect()
        };
        let holder = claim(1, DomainState::Validated, right);
        assert_eq!(rivals_of(&holder, &waiting), [1]);
        assert!(rivals_of(&holder, &holder).is_empty() && rivals_of(&holder, &idle).is_empty());
        assert!(rivals_of(&holder, &stranger).is_empty());
        let losing = claim(1, DomainState::Warning, lost);
        assert_eq!(rivals_of(&losing, &losing), [2]);
        let gone = Arc::new(SendingDomain { deleted_at: Some(START), ..(*holder).clone() });
        assert!(rivals_of(&gone, &waiting).is_empty());
    }

    #[test]
    fn what_was_denied_of_an_optional_key_outlasts_a_fault_of_dns() {
        let mut domain = domain(DomainState::Validated);
        domain.check = Some(check(START, [Absent, Right, Absent, wrong()]));
        let later = check(START.after(GRACE), [unknown(), unknown(), unknown(), unknown()]).following(&domain);
        assert_eq!(later, check(START.after(GRACE), [unknown(), unknown(), Absent, wrong()]));
        let later = check(START.after(GRACE), [Right, Right, Right, Absent]);
        assert_eq!(later.clone().following(&domain), later, "what DNS says counts");
    }

    #[test]
    fn a_domain_is_well_with_its_required_records_alone() {
        let is_well =
            |state, findings| super::is_well(&SendingDomain { check: Some(check(START, findings)), ..domain(state) });
        assert!(is_well(DomainState::Validated, [Right, Right, Right, Right]));
        assert!(is_well(DomainState::Validated, [Right, Right, Absent, Absent]));
        assert!(is_well(DomainState::Vouched, [Right, Right, Absent, Right]));
        for findings in [
            [Right, Absent, Absent, Absent],
            [Right, unknown(), Right, Right],
            [Right, Right, wrong(), Right],
            [Right, Right, Right, unknown()],
        ] {
            assert!(!is_well(DomainState::Validated, findings.clone()), "{findings:?}");
        }
        assert!(!is_well(DomainState::Warning, [Right, Right, Right, Right]));
        assert!(!super::is_well(&domain(DomainState::Validated)), "nobody has looked yet");
    }

    #[test]
    fn a_look_of_an_earlier_version_is_read() {
        let kept = r#"{"at":1000000,"records":[["r1",{"state":"wrong","found":["x"]}],["r2",{"state":"right"}]]}"#;
        let look: Check = serde_json::from_str(kept).expect("it is read");
        let records = vec![("r1".into(), RecordState::Wrong { found: vec!["x".into()] }), ("r2".into(), Right)];
        assert_eq!(look, Check::new(START, records));
    }

    #[test]
    fn what_is_found_is_bounded() {
        let found: Vec<String> = (0..9).map(|_| "x".repeat(9_999)).collect();
        let RecordState::Wrong { found } = RecordState::of(&found, &key("r1", KeyAlgorithm::Rsa2048)) else { panic!() };
        assert!(found.len() == FOUND_MAX && found.iter().all(|record| record.len() == FOUND_LETTERS_MAX));
        let hostile = RecordState::of(&["\u{1b}]0;x\u{7}\nERROR".into()], &key("r1", KeyAlgorithm::Rsa2048));
        assert_eq!(hostile, RecordState::Wrong { found: vec!["\u{fffd}]0;x\u{fffd}\u{fffd}ERROR".into()] });
        assert_eq!(RecordState::of(&[], &key("r1", KeyAlgorithm::Rsa2048)), Absent);
        assert_eq!(RecordState::of(&["k=rsa; p=r1".into()], &key("r1", KeyAlgorithm::Rsa2048)), Right);
    }
}
