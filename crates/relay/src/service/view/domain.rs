//! What is shown of a sending domain: its keys, the records that it publishes, and what DNS has of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DomainView, ViewPage, word};
use crate::clock::Timestamp;
use crate::inspection::{Dmarc, ReturnPath, Spf};
use crate::moment;
use crate::rotation::{self, Pace, Stage};
use crate::sending_domain::{DkimKey, KeyAlgorithm, SendingDomain};
use crate::signing;
use crate::verification::{self, Check, RecordState};
use crate::zone::{self, Publisher, Record};

views! {
    /// A DKIM key of a domain.
    KeyView {
        /// The selector.
        selector: String,
        /// `rsa2048` or `ed25519`.
        algorithm: String,
        /// The name of its record.
        name: String,
        /// The text that is to be found there, published itself or at the end of an alias.
        record: String,
        /// Whether it signs (once seen in DNS; where it is not required, while it is there).
        active: bool,
        /// Whether it signs now, whatever the route.
        signs: bool,
        /// Whether the domain is not validated without it.
        required: bool,
        /// What DNS last said: `right`, `absent`, `wrong`, `unknown` (DNS could not say); none: not asked yet.
        finding: Option<String>,
        /// What stands at its name instead, where it is wrong.
        found: Vec<String>,
        /// Why DNS could not say, where it is unknown.
        fault: Option<String>,
        /// When its record was first seen in DNS.
        seen_at: Option<String>,
        /// When it took the place of an earlier key of this selector; none: it came with the domain.
        made_at: Option<String>,
        /// When it last began to sign, or ended to; none: neither since it was made.
        moved_at: Option<String>,
    }
    /// A record for a domain to publish, and what DNS has of it.
    DnsRecordView {
        /// What it is for: `dkim`, `return_path` or `dmarc`.
        purpose: String,
        /// The selector of the key that it publishes.
        selector: Option<String>,
        /// `CNAME`, `TXT` or `MX`.
        form: String,
        /// Its name.
        name: String,
        /// Its value; of `MX` with the preference in front.
        value: String,
        /// Whether the domain is not validated without it.
        required: bool,
        /// What DNS last said: `right`, `absent`, `wrong`, `unknown` (DNS could not say); none: not asked yet.
        finding: Option<String>,
        /// What stands at its name instead.
        found: Vec<String>,
        /// What its name is an alias of.
        alias: Option<String>,
        /// The name server that said so.
        server: Option<String>,
        /// What is not as it should be, in words; empty where all is well.
        explanation: String,
    }
    /// Where the two keys of an algorithm stand, which follow one another by themselves.
    RotationView {
        /// `rsa2048` or `ed25519`.
        algorithm: String,
        /// `signing` (the other key is ready), `resting` (it signed before, and mail signed by it may be on its way), `renewing` (a new key is made in its place), `awaited` (its record is not in DNS), `held` (other records have to be right first), `looking` (DNS is asked once more), `due` (it signs in a moment).
        stage: String,
        /// When that ends; of `awaited`, when the other key was to sign.
        at: Option<String>,
        /// Whether that moment is over, and a record keeps the keys from changing.
        late: bool,
        /// The selector that signs.
        signs: String,
        /// Since when.
        since: Option<String>,
        /// The selector that is to sign next.
        next: String,
        /// The same in words.
        explanation: String,
    }
    /// Whether a domain's return-path host lets the relay send with it (SPF).
    SpfView {
        /// The host.
        name: String,
        /// `pass`, `absent`, `several`, `refused`, `broken`, `unknown` (DNS could not say) or `sourceless` (it is not known where mail comes from).
        result: String,
        /// The address that is refused.
        address: Option<String>,
        /// The name whose record is broken.
        at: Option<String>,
        /// The term that refuses, or is broken.
        term: Option<String>,
        /// What is wrong with it: `syntax`, `include`, `lookups`, `void` or `macro`.
        problem: Option<String>,
        /// Why DNS could not say.
        fault: Option<String>,
        /// The same in words.
        explanation: String,
    }
    /// The DMARC policy that holds for a domain.
    DmarcView {
        /// The name of its record: the domain's, or of a name above it; none: there is no policy.
        at: Option<String>,
        /// What it asks for where mail fails: `none`, `quarantine` or `reject`.
        policy: Option<String>,
        /// Whether the signing domain has to be the very one of From.
        strict_dkim: bool,
        /// Whether the return-path's domain has to be.
        strict_spf: bool,
        /// Where reports are sent to.
        reports: Vec<String>,
        /// Whether it is only tried out.
        trial: bool,
        /// What is wrong with it: `several`, `no_policy`, `reports`, `syntax`.
        problems: Vec<String>,
        /// The record as it stands.
        record: Option<String>,
        /// The name server that said so.
        server: Option<String>,
        /// Why DNS could not say.
        fault: Option<String>,
        /// The same in words.
        explanation: String,
    }
    /// The records of the relay's zone, a part of them.
    ZoneView {
        /// The zone; none: there is none, and domains publish TXT and MX.
        zone: Option<String>,
        /// Its name servers.
        name_servers: Vec<String>,
        /// Whether the relay serves it.
        served: bool,
        /// Where it listens for questions.
        listening: Vec<String>,
        /// The relay's name.
        hostname: String,
        /// The addresses that it sends from, as configured.
        addresses: Vec<String>,
        /// What lets it send with a return-path of its own.
        spf: String,
        /// Lines of the zone file, a record each.
        lines: Vec<String>,
        /// Domains whose records are in this part.
        domains: u64,
        /// What to ask for the next part with; none: this was the last.
        next: Option<u64>,
    }
}

/// The word for what was found, what stands there instead, and why nothing is known.
fn told(finding: Option<&RecordState>) -> (Option<String>, Vec<String>, Option<String>) {
    match finding {
        None => (None, Vec::new(), None),
        Some(RecordState::Right) => (Some("right".into()), Vec::new(), None),
        Some(RecordState::Absent) => (Some("absent".into()), Vec::new(), None),
        Some(RecordState::Wrong { found }) => (Some("wrong".into()), found.clone(), None),
        Some(RecordState::Unknown { fault }) => (Some("unknown".into()), Vec::new(), Some(fault.clone())),
    }
}

impl DomainView {
    /// A domain with everything that is to be said of it.
    pub fn new(domain: &SendingDomain, publisher: &Publisher) -> DomainView {
        DomainView { records: records(domain, publisher), ..DomainView::listed(domain, publisher) }
    }

    /// With where its keys stand at a moment that follow one another by themselves; without a pace they do not.
    #[must_use]
    pub fn turning(self, domain: &SendingDomain, pace: Option<Pace>, now: Timestamp) -> DomainView {
        let Some(pace) = pace else { return self };
        let rotations =
            KeyAlgorithm::ALL.into_iter().filter_map(|algorithm| rotation_view(domain, algorithm, pace, now));
        DomainView { rotations: rotations.collect(), ..self }
    }

    /// The same in a list: without its records.
    pub fn listed(domain: &SendingDomain, publisher: &Publisher) -> DomainView {
        let signs: Vec<_> = signing::keys(domain, false).iter().map(|key| key.selector.as_str()).collect();
        let check = domain.check.as_ref();
        DomainView {
            id: domain.id.number(),
            name: domain.name.clone(),
            account: domain.account.number(),
            state: word(&domain.state),
            bounce_mails: domain.bounce_mails,
            keys: domain.keys.iter().map(|key| key_view(domain, key, signs.contains(&key.selector.as_str()))).collect(),
            rotations: Vec::new(),
            records: Vec::new(),
            spf: check.and_then(|check| spf_view(domain, check.return_path.as_ref()?)),
            dmarc: check.and_then(|check| check.dmarc.as_ref()).map(DmarcView::from),
            dmarc_address: publisher.dmarc_address(domain),
            dmarc_reported: publisher.dmarc_address(domain).map(|own| is_reported_to(check, &own)),
            checked_at: check.map(|check| moment::text(check.at)),
            reason: verification::reason(domain, publisher),
            lost_at: domain.lost_at.map(moment::text),
            fails_at: domain.lost_at.map(|at| moment::text(at.after(verification::GRACE))),
            created_at: moment::text(domain.created_at),
        }
    }
}

fn key_view(domain: &SendingDomain, key: &DkimKey, signs: bool) -> KeyView {
    let (finding, found, fault) = told(domain.check.as_ref().and_then(|check| check.of(&key.selector)));
    KeyView {
        selector: key.selector.clone(),
        algorithm: word(&key.algorithm),
        name: verification::name(domain, key),
        record: key.record.clone(),
        active: key.active,
        signs,
        required: verification::is_required(domain, key),
        finding,
        found,
        fault,
        seen_at: key.seen_at.map(moment::text),
        made_at: key.made_at.map(moment::text),
        moved_at: key.moved_at.map(moment::text),
    }
}

fn rotation_view(domain: &SendingDomain, algorithm: KeyAlgorithm, pace: Pace, now: Timestamp) -> Option<RotationView> {
    let stage = rotation::stage(domain, algorithm, pace, now)?;
    let (active, spare) = rotation::pair(domain, algorithm)?;
    let (next, record) = (&spare.selector, verification::name(domain, spare));
    let (word, at, explanation) = match stage {
        Stage::Signing { until } => ("signing", Some(until), format!("{next} signs from {} on.", moment::text(until))),
        Stage::Resting { until } => {
            let until_text = moment::text(until);
            let words =
                format!("{next} stays published until {until_text}, while mail that it signed may be on its way.");
            ("resting", Some(until), words)
        }
        Stage::Renewing => ("renewing", None, format!("A new key is made for {next}.")),
        Stage::Awaited { due } if due <= now => {
            let words =
                format!("{next} waits for its record, {record}, and until it is there {} signs on.", active.selector);
            ("awaited", Some(due), words)
        }
        Stage::Awaited { due } => {
            let words =
                format!("{next} is to sign from {} on, and its record, {record}, is not in DNS.", moment::text(due));
            ("awaited", Some(due), words)
        }
        Stage::Held => ("held", None, format!("{next} waits until the records of the domain are right.")),
        Stage::Looking => ("looking", None, "DNS is asked once more before the keys change.".to_owned()),
        Stage::Due => ("due", None, format!("{next} signs in a moment.")),
    };
    Some(RotationView {
        algorithm: self::word(&algorithm),
        stage: word.to_owned(),
        at: at.map(moment::text),
        late: matches!(stage, Stage::Awaited { due } if due <= now),
        signs: active.selector.clone(),
        since: rotation::since(active).map(moment::text),
        next: next.clone(),
        explanation,
    })
}

fn records(domain: &SendingDomain, publisher: &Publisher) -> Vec<DnsRecordView> {
    let keys = domain.keys.iter().map(|key| key_record(domain, key, publisher));
    let return_path = publisher.return_path_records(domain);
    let return_path = return_path.into_iter().map(|record| return_path_record(domain, record));
    keys.chain(return_path).chain([dmarc_record(domain, publisher)]).collect()
}

/// A record of a domain of which nothing was found yet.
fn record_view(check: Option<&Check>, purpose: &str, record: &Record) -> DnsRecordView {
    let witness = check.and_then(|check| check.witness(&record.name));
    DnsRecordView {
        purpose: purpose.to_owned(),
        selector: None,
        form: record.form().to_owned(),
        name: record.name.clone(),
        value: record.value(),
        required: false,
        finding: None,
        found: Vec::new(),
        alias: witness.and_then(|witness| witness.alias.clone()),
        server: witness.and_then(|witness| witness.server).map(|server| server.to_string()),
        explanation: String::new(),
    }
}

fn key_record(domain: &SendingDomain, key: &DkimKey, publisher: &Publisher) -> DnsRecordView {
    let state = domain.check.as_ref().and_then(|check| check.of(&key.selector));
    let (finding, found, _) = told(state);
    let explanation = state.and_then(|state| verification::fault(domain, key, state, publisher));
    DnsRecordView {
        selector: Some(key.selector.clone()),
        required: verification::is_required(domain, key),
        finding,
        found,
        explanation: explanation.map(|words| words + ".").unwrap_or_default(),
        ..record_view(domain.check.as_ref(), "dkim", &publisher.key_record(domain, key))
    }
}

fn return_path_record(domain: &SendingDomain, record: Record) -> DnsRecordView {
    let check = domain.check.as_ref();
    let view = record_view(check, "return_path", &record);
    let Some(path) = check.and_then(|check| check.return_path.as_ref()) else { return view };
    let (mail, spf) = (&path.mail, spf_state(&path.spf));
    // an alias has both, or is neither
    let (state, explanation) = match record.form() {
        "MX" => (mail.clone(), mail_words(&record.name, mail)),
        "TXT" => (spf, spf_words(&record.name, &path.spf)),
        _ if path.is_right() => (RecordState::Right, String::new()),
        _ if *mail == RecordState::Absent && spf == RecordState::Absent => {
            let (name, value) = (&view.name, &view.value);
            let words = match &view.alias {
                Some(alias) if alias == value => format!(
                    "{name} leads to {value}, as it should, but nothing is there: the operator of the relay has to publish it."
                ),
                Some(alias) => format!("{name} is an alias of {alias}; expected: CNAME {value}."),
                None => format!("{name} has no CNAME record; expected: CNAME {value}."),
            };
            (RecordState::Absent, words)
        }
        _ => {
            let words = [mail_words(&record.name, mail), spf_words(&record.name, &path.spf)].join(" ");
            let is_unknown = |state: &RecordState| matches!(state, RecordState::Unknown { .. });
            let state = if is_unknown(mail) { mail.clone() } else { spf };
            let state = if is_unknown(&state) { state } else { RecordState::Wrong { found: mail_found(mail) } };
            (state, words.trim().to_owned())
        }
    };
    let (finding, found, _) = told(Some(&state));
    DnsRecordView { finding, found, explanation, ..view }
}

/// Whether the policy that was last seen has reports sent to an address.
fn is_reported_to(check: Option<&Check>, address: &str) -> bool {
    let own = format!("mailto:{address}");
    let reports = check.and_then(|check| check.dmarc.as_ref()).map(|dmarc| dmarc.reports.as_slice());
    // a size may stand behind it (RFC 7489 §6.2)
    let is_own = |report: &String| report.split('!').next().unwrap_or_default().eq_ignore_ascii_case(&own);
    reports.unwrap_or_default().iter().any(is_own)
}

fn mail_found(mail: &RecordState) -> Vec<String> {
    if let RecordState::Wrong { found } = mail { found.clone() } else { Vec::new() }
}

fn mail_words(name: &str, mail: &RecordState) -> String {
    match mail {
        RecordState::Right => String::new(),
        RecordState::Absent => format!("{name} has no MX record: bounces would not come to the relay."),
        RecordState::Wrong { found } => {
            format!("{name} has other mail servers ({}): bounces would go there.", found.join(", "))
        }
        RecordState::Unknown { fault } => format!("DNS did not say what mail servers {name} has: {fault}."),
    }
}

/// What SPF makes of the record that carries it.
fn spf_state(spf: &Spf) -> RecordState {
    match spf {
        Spf::Pass => RecordState::Right,
        Spf::Absent => RecordState::Absent,
        Spf::Unknown { fault } => RecordState::Unknown { fault: fault.clone() },
        Spf::Sourceless => RecordState::Unknown { fault: "it is not known where the relay sends from".into() },
        Spf::Several | Spf::Refused { .. } | Spf::Broken { .. } => RecordState::Wrong { found: Vec::new() },
    }
}

/// What SPF says of the relay at a name; empty where it passes.
fn spf_words(name: &str, spf: &Spf) -> String {
    match spf {
        Spf::Pass => String::new(),
        Spf::Absent => format!("{name} has no SPF record."),
        Spf::Several => format!("{name} has more than one SPF record: none of them counts."),
        Spf::Refused { address, term: Some(term) } => {
            format!("The SPF record of {name} does not let the relay send from {address}: {term}.")
        }
        Spf::Refused { address, term: None } => {
            format!("The SPF record of {name} does not let the relay send from {address}: no part of it names that.")
        }
        Spf::Broken { name, term, problem } => {
            format!("The SPF record of {name} cannot be used: {term} {}.", problem.words())
        }
        Spf::Unknown { fault } => format!("DNS did not say who may send with {name}: {fault}."),
        Spf::Sourceless => {
            format!("The SPF record of {name} cannot be judged: no address is known that the relay sends from.")
        }
    }
}

fn spf_view(domain: &SendingDomain, path: &ReturnPath) -> Option<SpfView> {
    let name = zone::return_path_host(domain)?;
    let view = SpfView {
        result: match &path.spf {
            Spf::Pass => "pass",
            Spf::Absent => "absent",
            Spf::Several => "several",
            Spf::Refused { .. } => "refused",
            Spf::Broken { .. } => "broken",
            Spf::Unknown { .. } => "unknown",
            Spf::Sourceless => "sourceless",
        }
        .to_owned(),
        address: None,
        at: None,
        term: None,
        problem: None,
        fault: None,
        explanation: spf_words(&name, &path.spf),
        name,
    };
    Some(match path.spf.clone() {
        Spf::Refused { address, term } => SpfView { address: Some(address.to_string()), term, ..view },
        Spf::Broken { name, term, problem } => {
            SpfView { at: Some(name), term: Some(term), problem: Some(word(&problem)), ..view }
        }
        Spf::Unknown { fault } => SpfView { fault: Some(fault), ..view },
        _ => view,
    })
}

fn dmarc_record(domain: &SendingDomain, publisher: &Publisher) -> DnsRecordView {
    let check = domain.check.as_ref();
    let view = record_view(check, "dmarc", &publisher.advised_dmarc(domain));
    let Some(dmarc) = check.and_then(|check| check.dmarc.as_ref()) else { return view };
    let state = match dmarc {
        Dmarc { fault: Some(fault), .. } => RecordState::Unknown { fault: fault.clone() },
        Dmarc { at: None, problems, .. } if problems.is_empty() => RecordState::Absent,
        Dmarc { problems, .. } if problems.is_empty() => RecordState::Right,
        Dmarc { record, .. } => RecordState::Wrong { found: record.iter().cloned().collect() },
    };
    let (finding, found, _) = told(Some(&state));
    let server = dmarc.server.map(|server| server.to_string()).or(view.server);
    let missing = publisher.dmarc_address(domain).filter(|own| dmarc.at.is_some() && !is_reported_to(check, own));
    let advice = missing.map(|own| format!(" Add mailto:{own} to its rua, and the relay shows what receivers report."));
    let explanation = dmarc.words() + advice.as_deref().unwrap_or_default();
    DnsRecordView { finding, found, server, explanation, ..view }
}

impl From<&Dmarc> for DmarcView {
    fn from(dmarc: &Dmarc) -> Self {
        DmarcView {
            at: dmarc.at.clone(),
            policy: dmarc.policy.map(|policy| word(&policy)),
            strict_dkim: dmarc.strict_dkim,
            strict_spf: dmarc.strict_spf,
            reports: dmarc.reports.clone(),
            trial: dmarc.is_trial,
            problems: dmarc.problems.iter().map(word).collect(),
            record: dmarc.record.clone(),
            server: dmarc.server.map(|server| server.to_string()),
            fault: dmarc.fault.clone(),
            explanation: dmarc.words(),
        }
    }
}
