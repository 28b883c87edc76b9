//! What is counted of sessions for reports to the domains (RFC 8460 §4.3), against next hops of every kind.

use super::hop::Issued;
use super::*;
use relay::clock::Day;
use relay::mta_sts::Policy;
use relay::queue::TlsWish;
use relay::tls_report::{Bounds, Failed, PolicyType, ResultType, Tally};

const OFFERED: &[&str] = &["PIPELINING", "STARTTLS"];
const BOUNDS: Bounds = Bounds { domains_max: 10, rows_max: 10 };

/// The kind of policy, the sessions that succeeded, and the results of those that did not.
type Counts = Vec<(PolicyType, u64, Vec<(ResultType, u64)>)>;

/// Counts as the relay does.
struct Ledger(Mutex<Tally>);

impl Sessions for Ledger {
    fn count(&self, session: &Session<'_>) {
        self.0.lock().unwrap().count(session, &BOUNDS);
    }
}

impl Ledger {
    fn new() -> Arc<Ledger> {
        Arc::new(Ledger(Mutex::new(Tally::of(Day(1)))))
    }

    fn counted(&self) -> Counts {
        let tally = self.0.lock().unwrap();
        let Some(counted) = tally.domains.get("b.example") else { return Vec::new() };
        let rows = |policy: &relay::tls_report::PolicyCount| {
            policy.details.iter().map(|row| (row.result, row.sessions)).collect()
        };
        counted.policies.iter().map(|policy| (policy.applied.policy_type, policy.successes, rows(policy))).collect()
    }
}

/// What is known of b.example: its policy, or why there is none.
struct Known(Option<&'static str>, Option<ResultType>);

impl Policies for Known {
    fn of<'a>(&'a self, _domain: &'a str) -> Lookup<'a, Option<Arc<Policy>>> {
        let text = self.0.map(|fields| format!("version: STSv1\nmax_age: 86400\n{fields}"));
        let policy = text.map(|text| Arc::new(Policy::parse(text.as_bytes()).unwrap()));
        Box::pin(async move { Ok(policy) })
    }

    fn trouble(&self, _domain: &str) -> Option<Failed> {
        self.1.map(|result| Failed::new(result, "it did not come"))
    }
}

/// A next hop: what it shows, and what it does with STARTTLS.
#[derive(Clone, Copy)]
enum Kind<'a> {
    Shows(&'a Issued),
    Without,
    Refusing,
    Breaking,
}

async fn start(kind: Kind<'_>) -> Hop {
    match kind {
        Kind::Shows(issued) => {
            let script = polite(OFFERED, nothing_special);
            Hop::start_at("127.0.0.1:0", Some(issued.acceptor(true)), script).await
        }
        Kind::Without => Hop::start(polite(&["PIPELINING"], nothing_special)).await,
        Kind::Refusing => {
            Hop::start(polite(OFFERED, |_, line| (line == "STARTTLS").then(|| say("454 4.7.0 not now")))).await
        }
        Kind::Breaking => {
            Hop::start(polite(OFFERED, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake))).await
        }
    }
}

/// b.example has the mail server mx.test, with these TLSA records where it is signed.
fn book(hop: &Hop, tlsa: Option<Entry<Vec<u8>>>) -> Book {
    Book {
        mx: HashMap::from([("b.example", Ok(vec![(10, "mx.test")]))]),
        addresses: HashMap::from([("mx.test", Ok(vec!["127.0.0.1"]))]),
        is_signed: tlsa.is_some(),
        tlsa: tlsa.map(|records| (format!("_{}._tcp.mx.test", hop.address.port()), records)).into_iter().collect(),
        ..Book::default()
    }
}

fn trusting(authority: &Issued) -> OutboundSettings {
    OutboundSettings { authorities: vec![authority.authority.clone()], ..settings() }
}

/// What is counted of one delivery to this next hop, and whether it arrived.
async fn counted(kind: Kind<'_>, trusted: &Issued, known: Known, tlsa: Option<Entry<Vec<u8>>>) -> (Counts, bool) {
    let (hop, ledger) = (start(kind).await, Ledger::new());
    let outbound = by_mx(trusting(trusted), book(&hop, tlsa), hop.address.port())
        .with_policies(Arc::new(known))
        .counted_by(Arc::clone(&ledger) as Arc<dyn Sessions>);
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    (ledger.counted(), short(&delivery) == ["Content 250"])
}

fn failed(kind: PolicyType, result: ResultType) -> Counts {
    vec![(kind, 0, vec![(result, 1)])]
}

#[tokio::test]
async fn without_a_policy_tls_that_is_had_counts_whatever_the_certificate() {
    let (issued, stranger) = (Issued::new(&["else.test"], true), Issued::new(&[], false));
    let none = || Known(None, None);
    let found = counted(Kind::Shows(&issued), &stranger, none(), None).await;
    assert_eq!(found, (vec![(PolicyType::NoPolicyFound, 1, Vec::new())], true));
    for (kind, result) in [
        (Kind::Without, ResultType::StarttlsNotSupported),
        (Kind::Refusing, ResultType::StarttlsNotSupported),
        (Kind::Breaking, ResultType::ValidationFailure),
    ] {
        let found = counted(kind, &stranger, none(), None).await;
        assert_eq!(found, (failed(PolicyType::NoPolicyFound, result), true));
    }
}

#[tokio::test]
async fn under_a_policy_each_fault_has_its_result() {
    let right = Issued::new(&["mx.test"], false);
    let (other, expired) = (Issued::new(&["other.test"], false), Issued::new(&["mx.test"], true));
    for (mode, arrives) in [("mode: enforce\nmx: mx.test\n", false), ("mode: testing\nmx: mx.test\n", true)] {
        let known = || Known(Some(mode), None);
        let found = counted(Kind::Shows(&right), &right, known(), None).await;
        assert_eq!(found, (vec![(PolicyType::Sts, 1, Vec::new())], true));
        for (kind, trusted, result) in [
            (Kind::Shows(&other), &other, ResultType::CertificateHostMismatch),
            (Kind::Shows(&expired), &expired, ResultType::CertificateExpired),
            (Kind::Shows(&right), &other, ResultType::CertificateNotTrusted),
            (Kind::Without, &right, ResultType::StarttlsNotSupported),
            (Kind::Breaking, &right, ResultType::ValidationFailure),
        ] {
            let found = counted(kind, trusted, known(), None).await;
            assert_eq!(found, (failed(PolicyType::Sts, result), arrives), "{mode} {result:?}");
        }
    }
    for (mode, arrives) in [("mode: enforce\nmx: else.test\n", false), ("mode: testing\nmx: else.test\n", true)] {
        let found = counted(Kind::Shows(&right), &right, Known(Some(mode), None), None).await;
        assert_eq!(found, (failed(PolicyType::Sts, ResultType::ValidationFailure), arrives), "{mode}");
    }
}

#[tokio::test]
async fn a_policy_that_could_not_be_had_is_told_with_each_session() {
    let issued = Issued::new(&["mx.test"], false);
    for result in [ResultType::StsPolicyFetchError, ResultType::StsPolicyInvalid, ResultType::StsWebpkiInvalid] {
        let found = counted(Kind::Shows(&issued), &issued, Known(None, Some(result)), None).await;
        assert_eq!(found, (failed(PolicyType::NoPolicyFound, result), true));
    }
}

#[tokio::test]
async fn under_dane_the_records_decide_what_is_counted() {
    let (right, other) = (Issued::new(&["mx.test"], false), Issued::new(&["mx.test"], false));
    let of = |issued: &Issued| vec![[&[3, 0, 0], issued.certificate.as_ref()].concat()];
    let anchored = |issued: &Issued| vec![[&[2, 0, 0], issued.authority.as_ref()].concat()];
    let none = || Known(None, None);
    let found = counted(Kind::Shows(&right), &other, none(), Some(Ok(of(&right)))).await;
    assert_eq!(found, (vec![(PolicyType::Tlsa, 1, Vec::new())], true));
    let (expired, misnamed) = (Issued::new(&["mx.test"], true), Issued::new(&["else.test"], false));
    let fault = || Err(LookupError::Fault("bogus".into()));
    for (kind, records, result, arrives) in [
        (Kind::Shows(&right), Ok(of(&other)), ResultType::TlsaInvalid, false),
        (Kind::Shows(&right), Ok(vec![vec![0, 0, 0]]), ResultType::TlsaInvalid, true),
        (Kind::Shows(&expired), Ok(anchored(&expired)), ResultType::CertificateExpired, false),
        (Kind::Shows(&misnamed), Ok(anchored(&misnamed)), ResultType::CertificateHostMismatch, false),
        (Kind::Without, Ok(of(&right)), ResultType::StarttlsNotSupported, false),
        (Kind::Shows(&right), fault(), ResultType::DnssecInvalid, false),
    ] {
        let found = counted(kind, &other, none(), Some(records)).await;
        assert_eq!(found, (failed(PolicyType::Tlsa, result), arrives), "{result:?}");
    }
}

#[tokio::test]
async fn a_session_counts_once_however_much_mail_it_carries() {
    let issued = Issued::new(&["mx.test"], false);
    let (hop, ledger) = (start(Kind::Shows(&issued)).await, Ledger::new());
    let outbound = by_mx(trusting(&issued), book(&hop, None), hop.address.port());
    let outbound = outbound.counted_by(Arc::clone(&ledger) as Arc<dyn Sessions>);
    let mut line = None;
    for _ in 0..3 {
        assert_eq!(short(&deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await), ["Content 250"]);
    }
    let once: Counts = vec![(PolicyType::NoPolicyFound, 1, Vec::new())];
    assert_eq!(ledger.counted(), once);
}

#[tokio::test]
async fn routes_and_mail_that_waives_tls_are_not_counted() {
    let (issued, other) = (Issued::new(&["mx.test"], false), Issued::new(&["mx.test"], false));
    let (hop, ledger) = (start(Kind::Shows(&issued)).await, Ledger::new());
    let counting = || Arc::clone(&ledger) as Arc<dyn Sessions>;
    let routed = routed(settings(), hop.address, RouteTls::Opportunistic).counted_by(counting());
    assert_eq!(short(&once(&routed, &parcel(&["x@b.example"])).await), ["Content 250"]);
    // neither records nor a policy keep it from arriving
    let records = vec![[&[3, 0, 0], other.certificate.as_ref()].concat()];
    let outbound = by_mx(trusting(&other), book(&hop, Some(Ok(records))), hop.address.port())
        .with_policies(Arc::new(Known(Some("mode: enforce\nmx: else.test\n"), None)))
        .counted_by(counting());
    let mut waiving = parcel(&["x@b.example"]);
    let envelope = Envelope { tls_wish: TlsWish::Waived, ..(*waiving.envelope).clone() };
    waiving.envelope = Arc::new(envelope);
    let mut line = None;
    let delivery = deliver(&outbound, &mut line, &waiving).await;
    assert_eq!(
        (short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()),
        ("Content 250", "TLS 1.3, TLS-Required: No")
    );
    assert!(ledger.counted().is_empty());
    // and the line that it went over is for its like alone
    assert!(line.is_some());
    assert_eq!(short(&deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await), ["Tls"]);
}
