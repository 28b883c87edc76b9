//! MTA-STS: what a domain's policy demands, and of that domain's mail alone.

use super::hop::{Issued, certificates};
use super::*;
use relay::mta_sts::Policy;

const OFFERED: &[&str] = &["PIPELINING", "STARTTLS"];

/// Policies by domain: mode, and mail servers.
struct Known(HashMap<&'static str, &'static str>);

impl Policies for Known {
    fn of<'a>(&'a self, domain: &'a str) -> Lookup<'a, Option<Arc<Policy>>> {
        let text = self.0.get(domain).map(|fields| format!("version: STSv1\nmax_age: 86400\n{fields}"));
        let policy = text.map(|text| Arc::new(Policy::parse(text.as_bytes()).unwrap()));
        Box::pin(async move { Ok(policy) })
    }
}

async fn hop_with(acceptor: tokio_rustls::TlsAcceptor) -> Hop {
    Hop::start_at("127.0.0.1:0", Some(acceptor), polite(OFFERED, nothing_special)).await
}

/// b.example and c.example share the mail server mx.test.
fn book() -> Book {
    let mx = || Ok(vec![(10, "mx.test")]);
    Book {
        mx: HashMap::from([("b.example", mx()), ("c.example", mx())]),
        addresses: HashMap::from([("mx.test", Ok(vec!["127.0.0.1"]))]),
        ..Book::default()
    }
}

/// An outbound side that trusts this authority, where b.example has this policy.
fn going_by(issued: &Issued, policy: &'static str, book: Book, hop: &Hop) -> Outbound {
    let settings = OutboundSettings { authorities: vec![issued.authority.clone()], ..settings() };
    by_mx(settings, book, hop.address.port()).with_policies(Arc::new(Known(HashMap::from([("b.example", policy)]))))
}

async fn carried(outbound: &Outbound) -> Delivery {
    once(outbound, &parcel(&["x@b.example"])).await
}

/// The mail is deferred for want of TLS, with this in the reason, and none of it was said.
fn refused(hop: &Hop, delivery: &Delivery, why: &str) {
    let [(_, Finding::Failed(Failure::Tls(told)))] = &delivery.findings[..] else { panic!("{delivery:?}") };
    assert!(told.contains("the MTA-STS policy of b.example") && told.contains(why), "{told}");
    let heard = hop.heard();
    assert!(heard.lines.iter().all(|line| !line.starts_with("MAIL")), "{heard:?}");
    assert!(heard.connections <= 1);
}

#[tokio::test]
async fn an_enforced_policy_wants_a_valid_certificate_of_a_server_that_it_names() {
    let issued = Issued::new(&["mx.test"], false);
    let hop = hop_with(issued.acceptor(false)).await;
    for policy in ["mode: enforce\nmx: mx.test\n", "mode: enforce\nmx: other.test\nmx: *.test\n"] {
        let delivery = carried(&going_by(&issued, policy, book(), &hop)).await;
        assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3, MTA-STS"));
    }
}

#[tokio::test]
async fn without_that_nothing_goes_out_under_an_enforced_policy() {
    const POLICY: &str = "mode: enforce\nmx: mx.test\n";
    let right = Issued::new(&["mx.test"], false);
    for (shown, why) in [
        (Issued::new(&["mx.test"], false), "invalid peer certificate"),
        (Issued::new(&["mx.test"], true), "invalid peer certificate"),
    ] {
        let hop = hop_with(shown.acceptor(true)).await;
        refused(&hop, &carried(&going_by(&right, POLICY, book(), &hop)).await, why);
    }
    for (shown, why) in
        [(Issued::new(&["other.test"], false), "not valid for name"), (Issued::new(&["mx.test"], true), "expired")]
    {
        let hop = hop_with(shown.acceptor(true)).await;
        refused(&hop, &carried(&going_by(&shown, POLICY, book(), &hop)).await, why);
    }
    let refusing = polite(OFFERED, |_, line| (line == "STARTTLS").then(|| say("454 4.7.0 not now")));
    let breaking = polite(OFFERED, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake));
    for script in [polite(&["PIPELINING"], nothing_special), breaking] {
        let hop = Hop::start(script).await;
        refused(&hop, &carried(&going_by(&right, POLICY, book(), &hop)).await, "demands it, and");
    }
    let hop = Hop::start(refusing).await;
    let delivery = carried(&going_by(&right, POLICY, book(), &hop)).await;
    assert!(!short(&delivery)[0].starts_with("Content") && hop.heard().contents.is_empty(), "{delivery:?}");
}

#[tokio::test]
async fn a_server_that_an_enforced_policy_does_not_name_is_passed_over() {
    const POLICY: &str = "mode: enforce\nmx: mx.test\n";
    let issued = Issued::new(&["mx.test", "aside.test"], false);
    let hop = hop_with(issued.acceptor(false)).await;
    let mut further = book();
    further.mx.insert("b.example", Ok(vec![(10, "aside.test"), (20, "mx.test")]));
    further.addresses.insert("aside.test", Ok(vec!["127.0.0.1"]));
    let delivery = carried(&going_by(&issued, POLICY, further, &hop)).await;
    assert_eq!((delivery.attempt.host.as_str(), delivery.attempt.tls.as_str()), ("mx.test", "TLS 1.3, MTA-STS"));
    let delivery = carried(&going_by(&issued, "mode: enforce\nmx: else.test\n", book(), &hop)).await;
    assert_eq!(hop.heard().connections, 1);
    let [(_, Finding::Failed(Failure::Tls(told)))] = &delivery.findings[..] else { panic!("{delivery:?}") };
    assert_eq!(told, "the MTA-STS policy of b.example does not name the mail server mx.test");
}

#[tokio::test]
async fn a_policy_that_is_tried_out_delivers_all_the_same_and_tells() {
    let issued = Issued::new(&["mx.test"], false);
    let tried = async |shown: &Issued, policy, keywords| {
        let script = polite(keywords, nothing_special);
        let hop = Hop::start_at("127.0.0.1:0", Some(shown.acceptor(false)), script).await;
        let delivery = carried(&going_by(&issued, policy, book(), &hop)).await;
        assert_eq!(short(&delivery), ["Content 250"]);
        delivery.attempt.tls
    };
    let right = "mode: testing\nmx: mx.test\n";
    assert_eq!(tried(&issued, right, OFFERED).await, "TLS 1.3, MTA-STS testing");
    let stranger = tried(&Issued::new(&["mx.test"], false), right, OFFERED).await;
    assert!(stranger.starts_with("TLS 1.3, MTA-STS testing (would fail: invalid peer certificate"), "{stranger}");
    let unnamed = tried(&issued, "mode: testing\nmx: else.test\n", OFFERED).await;
    assert_eq!(unnamed, "TLS 1.3, MTA-STS testing (would fail: the policy does not name this server)");
    let clear = tried(&issued, right, &["PIPELINING"]).await;
    assert_eq!(clear, "none, MTA-STS testing (would fail: the server has no TLS)");
}

#[tokio::test]
async fn a_policy_of_none_asks_nothing() {
    let (_, acceptor) = certificates();
    let hop = hop_with(acceptor).await;
    let delivery = carried(&going_by(&Issued::new(&[], false), "mode: none\n", book(), &hop)).await;
    assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3"));
}

#[tokio::test]
async fn a_policy_is_of_its_own_domain_alone_and_no_line_leads_past_it() {
    let issued = Issued::new(&["mx.test"], false);
    let (_, stranger) = certificates();
    let hop = hop_with(stranger).await;
    let outbound = going_by(&issued, "mode: enforce\nmx: mx.test\n", book(), &hop);
    let mut line = None;
    let other = outbound.routes().destination("c.example");
    let delivery = outbound.deliver(&mut line, &other, &parcel(&["x@c.example"]), Timestamp(7)).await;
    assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3"));
    assert!(line.is_some());
    // the same server, and a line that is open to it
    let delivery = deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await;
    assert_eq!(short(&delivery), ["Tls"]);
    assert_eq!((hop.heard().connections, hop.heard().contents.len()), (2, 1));
}

#[tokio::test]
async fn dane_goes_before_a_policy() {
    let (issued, other) = (Issued::new(&["mx.test"], false), Issued::new(&[], false));
    let hop = hop_with(issued.acceptor(false)).await;
    let record = |of: &Issued| [&[3, 0, 0], of.certificate.as_ref()].concat();
    let signed = |records: Vec<Vec<u8>>| Book {
        is_signed: true,
        tlsa: HashMap::from([(format!("_{}._tcp.mx.test", hop.address.port()), Ok(records))]),
        ..book()
    };
    // a server that DNS names is no stranger to the policy's domain
    for policy in ["mode: enforce\nmx: mx.test\n", "mode: enforce\nmx: else.test\n", "mode: testing\nmx: else.test\n"] {
        let outbound = going_by(&other, policy, signed(vec![record(&issued)]), &hop);
        assert_eq!(carried(&outbound).await.attempt.tls, "TLS 1.3, DANE");
    }
    // and what the policy would take does not help where DANE refuses
    let outbound = going_by(&issued, "mode: enforce\nmx: mx.test\n", signed(vec![record(&other)]), &hop);
    assert_eq!(short(&carried(&outbound).await), ["Tls"]);
    // records that say nothing leave it to the policy
    let unusable = || signed(vec![vec![0, 0, 0]]);
    let outbound = going_by(&issued, "mode: enforce\nmx: mx.test\n", unusable(), &hop);
    assert_eq!(carried(&outbound).await.attempt.tls, "TLS 1.3, MTA-STS");
    let outbound = going_by(&other, "mode: enforce\nmx: mx.test\n", unusable(), &hop);
    assert_eq!(short(&carried(&outbound).await), ["Tls"]);
}

#[tokio::test]
async fn a_route_of_the_operator_is_exempt() {
    let (_, acceptor) = certificates();
    let hop = hop_with(acceptor).await;
    let policies = Known(HashMap::from([("b.example", "mode: enforce\nmx: else.test\n")]));
    let outbound = routed(settings(), hop.address, RouteTls::Opportunistic).with_policies(Arc::new(policies));
    assert_eq!(carried(&outbound).await.attempt.tls, "TLS 1.3");
}

/// Policies that do not come before somebody lets them.
#[derive(Default)]
struct Slow {
    asked: std::sync::Mutex<Vec<String>>,
    come: tokio::sync::Notify,
}

impl Policies for Slow {
    fn of<'a>(&'a self, domain: &'a str) -> Lookup<'a, Option<Arc<Policy>>> {
        self.asked.lock().unwrap().push(domain.to_owned());
        Box::pin(async {
            self.come.notified().await;
            Ok(None)
        })
    }
}

#[tokio::test]
async fn a_policy_is_waited_for_before_anybody_knows_the_mail_servers() {
    let slow = Arc::<Slow>::default();
    let outbound = by_mx(settings(), book(), 25).with_policies(slow.clone());
    let destination = Destination::Mx { domain: "b.example".into() };
    let mut finding = Box::pin(outbound.hosts(&destination));
    assert!(is_pending_yet(&mut finding).await, "its place at them is taken only then");
    slow.come.notify_one();
    assert_eq!(finding.await, Some(vec!["mx.test".to_owned()]));
    let waiving = Destination::Waiving { domain: "b.example".into() };
    assert!(outbound.hosts(&waiving).await.is_some());
    assert_eq!(*slow.asked.lock().unwrap(), ["b.example"], "who waives TLS waits for nothing");
}

/// Whether a future that is looked at once does not end.
async fn is_pending_yet<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending()))
        .await
}
