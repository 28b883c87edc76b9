//! MTA-STS (RFC 8461): a domain's policy, which mail servers it admits, and when it is fetched anew.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::clock::Timestamp;

/// Octets of a policy that are read (RFC 8461 §3.3).
pub const POLICY_OCTETS_MAX: usize = 64 * 1024;
/// Patterns of mail servers in a policy, and octets of them all: what is kept of a domain.
const PATTERNS_MAX: usize = 100;
const PATTERN_OCTETS_MAX: usize = 4096;
/// The longest that a policy may hold, seconds (RFC 8461 §3.2).
const AGE_SECONDS_MAX: u64 = 31_557_600;
/// A policy that is older than this, or has lived through half of its time, is fetched anew with the next mail.
const FRESH_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long a domain is not asked after a policy that could not be fetched; each time twice as long.
const PAUSE_MIN: Duration = Duration::from_secs(5 * 60);
const PAUSE_MAX: Duration = Duration::from_secs(6 * 3600);

/// What a policy wants of those who send (RFC 8461 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// No mail to a server that is not admitted, or without TLS and a certificate that is valid for it.
    Enforce,
    /// Mail goes on as without a policy; what would have failed is told.
    Testing,
    /// There is no policy any more.
    None,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What it wants.
    pub mode: Mode,
    /// Names of mail servers, lower case; one that begins with `*.` is for any one label in its place.
    pub mx: Vec<String>,
    /// How long it may be kept, seconds.
    pub max_age: u64,
}

/// Why a policy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is longer than [`POLICY_OCTETS_MAX`], or not text.
    #[error("it is no text of at most {POLICY_OCTETS_MAX} octets")]
    NoText,
    /// It does not begin with `version: STSv1`.
    #[error("it does not begin with `version: STSv1`")]
    Version,
    /// A line is no field, or a field has a value that it cannot have.
    #[error("line {0} cannot be understood")]
    Line(usize),
    /// A field that must be there is not.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// It names more mail servers than are kept.
    #[error("it names too many mail servers")]
    TooMany,
}

impl Policy {
    /// Reads the policy file (RFC 8461 §3.2). What is not known is passed over; of a field that is there twice the first
    /// counts, but for `mx`.
    ///
    /// # Errors
    /// [`PolicyError`]: the domain has no policy that can be used, which is no reason to refuse it mail.
    pub fn parse(octets: &[u8]) -> Result<Policy, PolicyError> {
        let text = std::str::from_utf8(octets).ok().filter(|text| text.len() <= POLICY_OCTETS_MAX);
        let text = text.ok_or(PolicyError::NoText)?;
        let (mut mode, mut max_age, mut mx, mut is_sts) = (None, None, Vec::new(), false);
        for (number, line) in text.split('\n').enumerate() {
            let line = line.trim_matches([' ', '\t', '\r']);
            if line.is_empty() {
                continue;
            }
            let wrong = || PolicyError::Line(number + 1);
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            let (name, value) = (name.trim_end_matches([' ', '\t']), value.trim_matches([' ', '\t']));
            if !is_sts {
                is_sts = (name, value) == ("version", "STSv1");
                if !is_sts {
                    return Err(PolicyError::Version);
                }
                continue;
            }
            match name {
                "mode" if mode.is_none() => mode = Some(mode_of(value).ok_or_else(wrong)?),
                "max_age" if max_age.is_none() => max_age = Some(age_of(value).ok_or_else(wrong)?),
                "mx" => mx.push(pattern_of(value).ok_or_else(wrong)?),
                _ => {}
            }
            if mx.len() > PATTERNS_MAX || mx.iter().map(String::len).sum::<usize>() > PATTERN_OCTETS_MAX {
                return Err(PolicyError::TooMany);
            }
        }
        if !is_sts {
            return Err(PolicyError::Version);
        }
        let mode = mode.ok_or(PolicyError::Missing("mode"))?;
        let max_age = max_age.ok_or(PolicyError::Missing("max_age"))?;
        if mx.is_empty() && mode != Mode::None {
            return Err(PolicyError::Missing("mx"));
        }
        Ok(Policy { mode, mx, max_age })
    }

    /// Its lines, as it could be published.
    pub fn lines(&self) -> Vec<String> {
        let mode = match self.mode {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        };
        let mut lines = vec!["version: STSv1".to_owned(), format!("mode: {mode}")];
        lines.extend(self.mx.iter().map(|pattern| format!("mx: {pattern}")));
        lines.push(format!("max_age: {}", self.max_age));
        lines
    }

    /// Whether mail may go to this mail server, a name in lower case (RFC 8461 §4.1).
    pub fn admits(&self, host: &str) -> bool {
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => pattern == host,
        })
    }
}

fn mode_of(value: &str) -> Option<Mode> {
    match value {
        "enforce" => Some(Mode::Enforce),
        "testing" => Some(Mode::Testing),
        "none" => Some(Mode::None),
        _ => None,
    }
}

fn age_of(value: &str) -> Option<u64> {
    let is_number = (1..=10).contains(&value.len()) && value.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u64::MAX).min(AGE_SECONDS_MAX))
}

fn pattern_of(value: &str) -> Option<String> {
    let name = value.strip_prefix("*.").unwrap_or(value);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (value.len() <= 255 && name.split('.').all(is_label)).then(|| value.to_ascii_lowercase())
}

/// What DNS has at `_mta-sts.` of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// There is a policy, under this id.
    Policy(String),
    /// There is none.
    Absent,
    /// DNS did not say.
    Unknown,
}

impl Record {
    /// Reads the TXT records of that name (RFC 8461 §3.1). Several that look like one are none.
    pub fn read(texts: &[String]) -> Record {
        let mut found = texts.iter().filter(|text| text.starts_with("v=STSv1"));
        match (found.next(), found.next()) {
            (Some(text), None) => id_of(text).map_or(Record::Absent, Record::Policy),
            _ => Record::Absent,
        }
    }
}

fn id_of(text: &str) -> Option<String> {
    let mut fields = text.split(';').map(|field| field.trim_matches([' ', '\t']));
    if fields.next()? != "v=STSv1" {
        return None;
    }
    let id = fields.find_map(|field| {
        let (name, value) = field.split_once('=')?;
        (name.trim_end_matches([' ', '\t']) == "id").then(|| value.trim_start_matches([' ', '\t']))
    })?;
    let is_id = (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    is_id.then(|| id.to_owned())
}

/// A policy that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What DNS called it then.
    pub id: String,
    /// The policy.
    pub policy: Policy,
    /// When it was fetched.
    pub fetched: Timestamp,
}

impl Kept {
    /// Until when it holds.
    pub fn ends(&self) -> Timestamp {
        self.fetched.after(Duration::from_secs(self.policy.max_age))
    }

    /// Whether it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.ends()
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fetched.after(FRESH_FOR.min(Duration::from_secs(self.policy.max_age / 2)))
    }
}

/// What is known of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last policy that was fetched, which may hold no more.
    pub kept: Option<Kept>,
    /// Not fetched before this moment, after so many failures in a row.
    pause: Option<(Timestamp, u32)>,
    /// The last of them was waited for long.
    is_slow: bool,
}

/// What is to be done before mail for a domain goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Go by what is kept, if that holds.
    Use,
    /// Go by what is kept, and fetch the policy behind the back of this mail.
    UseAndFetch,
    /// Fetch the policy first. Where that fails, go by what is kept, if that holds.
    Fetch,
}

impl Standing {
    /// The standing with this policy.
    pub fn of(kept: Kept) -> Standing {
        Standing { kept: Some(kept), pause: None, is_slow: false }
    }

    /// The policy that holds.
    pub fn policy(&self, now: Timestamp) -> Option<&Policy> {
        self.kept.as_ref().filter(|kept| kept.holds(now)).map(|kept| &kept.policy)
    }

    /// What is to be done (RFC 8461 §3.3, §5.1). A policy that is kept holds to its end, whatever DNS says.
    pub fn step(&self, record: &Record, now: Timestamp) -> Step {
        let Record::Policy(id) = record else { return Step::Use };
        if self.pause.is_some_and(|(until, _)| now < until) {
            return Step::Use;
        }
        match self.kept.as_ref().filter(|kept| kept.holds(now)) {
            Some(kept) if kept.id == *id && kept.is_fresh(now) => Step::Use,
            Some(kept) if kept.id == *id => Step::UseAndFetch,
            // whoever keeps us waiting does so once: mail holds what others need meanwhile
            _ if self.is_slow => Step::UseAndFetch,
            _ => Step::Fetch,
        }
    }

    /// A policy was fetched.
    pub fn fetched(&mut self, id: &str, policy: Policy, now: Timestamp) {
        *self = Standing::of(Kept { id: id.to_owned(), policy, fetched: now });
    }

    /// It could not be fetched: what is kept holds on, and the domain is left alone for a while. Where that took long no mail waits
    /// for it any more, until it is there.
    pub fn failed(&mut self, now: Timestamp, is_slow: bool) {
        let failures = self.pause.map_or(0, |(_, failures)| failures).saturating_add(1);
        let pause = PAUSE_MIN.saturating_mul(1 << failures.min(10)) / 2;
        self.pause = Some((now.after(pause.min(PAUSE_MAX)), failures));
        self.is_slow = is_slow;
    }

    /// Whether nothing would be lost with it.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.policy(now).is_none() && self.pause.is_none_or(|(until, _)| until <= now)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GOOD: &str =
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.Example.net\r\nmax_age: 604800\r\n";
    const DAY: u64 = 86_400;

    fn policy(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text.as_bytes())
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp(0).after(Duration::from_secs(seconds))
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_policy_is_read() {
        let found = policy(GOOD).unwrap();
        let mx = vec!["mail.example.com".to_owned(), "*.example.net".to_owned()];
        assert_eq!(found, Policy { mode: Mode::Enforce, mx, max_age: 604_800 });
        assert_eq!(policy(&GOOD.replace("\r\n", "\n")).unwrap(), found);
        assert_eq!(policy(GOOD.trim_end()).unwrap(), found);
        assert_eq!(policy(&GOOD.replace(": ", "  :\t ")).unwrap(), found);
        // what is new, or there a second time, changes nothing
        assert_eq!(policy(&format!("{GOOD}mode: none\nmax_age: 1\nfuture: thing\n\n")).unwrap(), found);
    }

    #[test]
    fn a_policy_of_none_names_nobody() {
        let found = policy("version: STSv1\nmode: none\nmax_age: 86400\n").unwrap();
        assert_eq!((found.mode, found.mx.len()), (Mode::None, 0));
    }

    #[test]
    fn what_is_no_policy_is_none() {
        for (text, fault) in [
            ("", PolicyError::Version),
            ("mode: enforce\nversion: STSv1\n", PolicyError::Version),
            ("version: STSv2\nmode: none\nmax_age: 1\n", PolicyError::Version),
            ("<html>", PolicyError::Line(1)),
            ("version: STSv1\nmode: enforced\n", PolicyError::Line(2)),
            ("version: STSv1\nmode: enforce\nmax_age: -1\n", PolicyError::Line(3)),
            ("version: STSv1\nmode: enforce\nmax_age: 99999999999\n", PolicyError::Line(3)),
            ("version: STSv1\nmx: *\n", PolicyError::Line(2)),
            ("version: STSv1\nmx: a.*.b\n", PolicyError::Line(2)),
            ("version: STSv1\nmx: a..b\n", PolicyError::Line(2)),
            ("version: STSv1\nmx: \n", PolicyError::Line(2)),
            ("version: STSv1\nmode: enforce\nmax_age: 1\n", PolicyError::Missing("mx")),
            ("version: STSv1\nmx: a.b\nmax_age: 1\n", PolicyError::Missing("mode")),
            ("version: STSv1\nmx: a.b\nmode: testing\n", PolicyError::Missing("max_age")),
        ] {
            assert_eq!(policy(text), Err(fault), "{text:?}");
        }
        assert_eq!(Policy::parse(b"version: STSv1\xff"), Err(PolicyError::NoText));
        assert_eq!(Policy::parse(&[b' '; POLICY_OCTETS_MAX + 1]), Err(PolicyError::NoText));
        let many = format!("{GOOD}{}", "mx: a.b\n".repeat(PATTERNS_MAX));
        assert_eq!(policy(&many), Err(PolicyError::TooMany));
    }

    #[test]
    fn no_policy_holds_for_longer_than_a_year() {
        let text = GOOD.replace("604800", "4294967295");
        assert_eq!(policy(&text).unwrap().max_age, AGE_SECONDS_MAX);
    }

    #[test]
    fn a_star_is_for_one_label() {
        let found = policy(GOOD).unwrap();
        for host in ["mail.example.com", "a.example.net", "mail.example.net"] {
            assert!(found.admits(host), "{host}");
        }
        for host in
            ["example.net", "a.b.example.net", "x.mail.example.com", "example.com", ".example.net", "aexample.net"]
        {
            assert!(!found.admits(host), "{host}");
        }
    }

    #[test]
    fn the_record_is_one_of_its_kind_with_an_id() {
        let read = |found: &[&str]| Record::read(&texts(found));
        let id = |id: &str| Record::Policy(id.to_owned());
        assert_eq!(read(&["v=STSv1; id=20260101T0;"]), id("20260101T0"));
        assert_eq!(read(&["v=spf1 -all", "v=STSv1;id=a"]), id("a"));
        assert_eq!(read(&["v=STSv1 ; future=x; id = b ;"]), id("b"));
        for none in [
            &[][..],
            &["v=STSv1"],
            &["v=STSv1;"],
            &["v=STSv1; id=;"],
            &["v=STSv1; id=a-b;"],
            &["v=STSv1; id=aaaaaaaaaabbbbbbbbbbccccccccccddd"],
            &["id=a; v=STSv1"],
            &["v=STSv10; id=a"],
            &["v=STSv1; id=a", "v=STSv1; id=a"],
        ] {
            assert_eq!(read(none), Record::Absent, "{none:?}");
        }
    }

    /// A standing with a policy of a week, fetched at the moment 0 under the id `a`.
    fn week() -> Standing {
        let mut standing = Standing::default();
        standing.fetched("a", policy(GOOD).unwrap(), at(0));
        standing
    }

    #[test]
    fn a_policy_holds_to_its_end_whatever_dns_says() {
        let standing = week();
        for record in [Record::Absent, Record::Unknown] {
            assert_eq!(standing.step(&record, at(6 * DAY)), Step::Use);
        }
        assert!(standing.policy(at(7 * DAY - 1)).is_some());
        assert!(standing.policy(at(7 * DAY)).is_none());
        assert!(!standing.is_idle(at(6 * DAY)) && standing.is_idle(at(7 * DAY)));
    }

    #[test]
    fn a_policy_is_fetched_when_it_is_new_or_old() {
        let record = |id: &str| Record::Policy(id.to_owned());
        assert_eq!(Standing::default().step(&record("a"), at(0)), Step::Fetch);
        let standing = week();
        assert_eq!(standing.step(&record("a"), at(DAY - 1)), Step::Use);
        assert_eq!(standing.step(&record("a"), at(DAY)), Step::UseAndFetch);
        assert_eq!(standing.step(&record("b"), at(1)), Step::Fetch);
        assert_eq!(standing.step(&record("a"), at(7 * DAY)), Step::Fetch);
        // one that holds for an hour is fetched again after half of it
        let mut short = Standing::default();
        short.fetched("a", policy(&GOOD.replace("604800", "3600")).unwrap(), at(0));
        assert_eq!(short.step(&record("a"), at(1799)), Step::Use);
        assert_eq!(short.step(&record("a"), at(1800)), Step::UseAndFetch);
    }

    #[test]
    fn what_cannot_be_fetched_leaves_what_there_is_and_is_left_alone_for_longer_each_time() {
        let mut standing = week();
        let changed = Record::Policy("b".to_owned());
        let mut now = 60;
        for pause in [300, 600, 1200, 2400, 4800, 9600, 19_200, 21_600, 21_600] {
            assert_eq!(standing.step(&changed, at(now)), Step::Fetch);
            standing.failed(at(now), false);
            assert_eq!(standing.step(&changed, at(now + pause - 1)), Step::Use);
            assert!(standing.policy(at(now)).is_some());
            now += pause;
        }
        standing.fetched("b", policy(GOOD).unwrap(), at(now));
        assert_eq!(standing.step(&changed, at(now)), Step::Use);
        let mut new = Standing::default();
        new.failed(at(0), false);
        assert!(!new.is_idle(at(299)) && new.is_idle(at(300)));
    }

    #[test]
    fn whoever_kept_mail_waiting_is_asked_behind_its_back_from_then_on() {
        let record = Record::Policy("a".to_owned());
        let mut standing = Standing::default();
        standing.failed(at(0), true);
        assert_eq!((standing.step(&record, at(299)), standing.step(&record, at(300))), (Step::Use, Step::UseAndFetch));
        standing.failed(at(300), false);
        assert_eq!(standing.step(&record, at(900)), Step::Fetch, "a failure that comes at once keeps nobody");
        standing.failed(at(900), true);
        standing.fetched("a", policy(GOOD).unwrap(), at(3_000));
        assert_eq!(standing.step(&Record::Policy("b".to_owned()), at(3_001)), Step::Fetch, "it is there again");
    }
}
