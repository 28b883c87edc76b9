//! Who vouches for a report: what of it is kept, and what follows from it.

use super::*;
use message::dkim::{BodyHash, Signer, SigningKey, generate_ed25519, record, seal};
use relay::report::{COMPLAINED, DOUBTED_COMPLAINT};

/// A report signed by a domain, and the record of the key.
fn signed(domain: &str, report: &str) -> (String, String) {
    let der = generate_ed25519().unwrap();
    let key = SigningKey::from_pkcs8(&der).unwrap();
    let (header, body) = report.split_once("\r\n\r\n").unwrap();
    let mut hash = BodyHash::default();
    // the dot that ends it stands on a line of its own
    hash.update(format!("{body}\r\n").as_bytes());
    let signers = [Signer { domain, selector: "s", key: &key }];
    let sealed = seal(&signers, format!("{header}\r\n\r\n").as_bytes(), hash.finish(), 1).unwrap();
    (format!("{}{report}", String::from_utf8(sealed.to_vec()).unwrap()), record(&der).unwrap())
}

impl World {
    fn to(&self, first: u16) -> String {
        format!("{}@{HOST}", self.token(first, true, 1))
    }

    /// What the last event of a recipient says of who vouches for it, and its words.
    fn told(&self, recipient: &str) -> (String, String) {
        let detail = self.store.activity_detail(self.row(recipient).row).unwrap().unwrap();
        let last = detail.events.last().unwrap();
        (last.authentication.as_ref().map(ToString::to_string).unwrap_or_default(), last.reason.clone())
    }
}

fn bad_address() -> String {
    bounce("anna@example.org", "5.1.1", "550 5.1.1 No such user")
}

#[tokio::test]
async fn what_spf_says_of_the_ehlo_name_stands_with_the_bounce() {
    let world = World::start(Limits::default()).await;
    assert!(world.bring(&world.to(0), &bad_address()).await.starts_with("250"));
    assert_eq!(world.told("anna@example.org").0, "spf=pass smtp.helo=mx.example.org; dkim=none");
    // as most servers are: without a record, and without a signature
    assert!(world.bring_as("host", "", &world.to(1), &bad_address()).await.starts_with("250"));
    assert_eq!(world.told("bert@example.org").0, "spf=none smtp.helo=host; dkim=none");
    assert_eq!(world.row("bert@example.org").status, Status::HardBounce);
    assert_eq!(world.suppressed().len(), 2);
    world.shutdown.begin();
}

#[tokio::test]
async fn a_bounce_that_its_domain_disowns_is_history_and_suppresses_nobody() {
    let (good, key) = signed("isp.example", &bad_address());
    let texts = [("isp.example", "v=spf1 ip4:192.0.2.1 -all"), ("s._domainkey.isp.example", key.as_str())];
    let world = World::start_with(Limits::default(), Names::with(&texts)).await;
    assert!(world.bring_as("x", "postmaster@isp.example", &world.to(0), &bad_address()).await.starts_with("250"));
    assert_eq!(world.row("anna@example.org").status, Status::HardBounce);
    assert_eq!(world.told("anna@example.org").0, "spf=fail smtp.mailfrom=isp.example; dkim=none");
    assert_eq!(world.suppressed(), []);
    // forwarded by somebody, and signed
    assert!(world.bring_as("x", "postmaster@isp.example", &world.to(1), &good).await.starts_with("250"));
    let said = "spf=fail smtp.mailfrom=isp.example; dkim=pass header.d=isp.example";
    assert_eq!(world.told("bert@example.org").0, said);
    assert_eq!(world.suppressed(), [("bert@example.org".to_owned(), SuppressionCause::Bounce)]);
    world.shutdown.begin();
}

#[tokio::test]
async fn a_complaint_counts_where_it_is_signed_rightly() {
    let (good, key) = signed("isp.example", &complaint("x@y.example"));
    let world = World::start_with(Limits::default(), Names::with(&[("s._domainkey.isp.example", &key)])).await;
    let changed = good.replace("Loop/1", "Loop/2");
    assert!(world.bring_as("fbl", "", &world.to(0), &changed).await.starts_with("250"));
    let (said, words) = world.told("anna@example.org");
    assert_eq!(
        (said.as_str(), words.as_str()),
        ("spf=none smtp.helo=fbl; dkim=fail header.d=isp.example", DOUBTED_COMPLAINT)
    );
    assert_eq!(world.row("anna@example.org").status, Status::Delivered, "shown, and not counted");
    assert_eq!(world.suppressed(), [("anna@example.org".to_owned(), SuppressionCause::Complaint)]);

    assert!(world.bring_as("fbl", "", &world.to(0), &good).await.starts_with("250"));
    let (said, words) = world.told("anna@example.org");
    assert_eq!((said.as_str(), words.as_str()), ("spf=none smtp.helo=fbl; dkim=pass header.d=isp.example", COMPLAINED));
    assert_eq!(world.row("anna@example.org").status, Status::Complaint);
    world.shutdown.begin();
}

#[tokio::test]
async fn a_key_that_was_taken_back_and_a_time_that_is_over_vouch_for_nothing() {
    let (good, key) = signed("isp.example", &complaint("x@y.example"));
    let without = key.split_once("p=").unwrap().0.to_owned() + "p=";
    let world = World::start_with(Limits::default(), Names::with(&[("s._domainkey.isp.example", &without)])).await;
    assert!(world.bring_as("fbl", "", &world.to(0), &good).await.starts_with("250"));
    assert_eq!(world.told("anna@example.org").0, "spf=none smtp.helo=fbl; dkim=permerror header.d=isp.example");
    let expired = good.replacen("v=1;", "v=1; x=1;", 1);
    assert!(world.bring_as("fbl", "", &world.to(1), &expired).await.starts_with("250"));
    assert_eq!(world.told("bert@example.org").0, "spf=none smtp.helo=fbl; dkim=fail header.d=isp.example");
    assert!(world.rows().iter().all(|row| row.status == Status::Delivered));
    world.shutdown.begin();
}

#[tokio::test]
async fn where_dns_does_not_answer_a_report_is_taken_all_the_same() {
    let (good, _) = signed("isp.example", &bad_address());
    let limits = Limits { report_check_seconds: 0, ..Limits::default() };
    let silent = Arc::new(Names { is_silent: true, ..Names::default() });
    let world = World::start_with(limits, silent).await;
    assert!(world.bring(&world.to(0), &good).await.starts_with("250"));
    let said = "spf=temperror smtp.helo=mx.example.org; dkim=temperror header.d=isp.example";
    assert_eq!(world.told("anna@example.org").0, said);
    assert_eq!(world.suppressed(), [("anna@example.org".to_owned(), SuppressionCause::Bounce)]);
    let content = complaint("x@y.example");
    assert!(world.bring(&world.to(1), &content).await.starts_with("250"));
    assert_eq!(world.told("bert@example.org").1, DOUBTED_COMPLAINT);
    world.shutdown.begin();
}

#[tokio::test]
async fn a_hostile_report_asks_dns_for_no_more_than_a_few_names() {
    let domains: Vec<String> = (0..300).map(|number| format!("d{number}.example")).collect();
    let (mut front, report) = (String::new(), bad_address());
    for domain in &domains {
        let (whole, _) = signed(domain, &report);
        front.push_str(whole.strip_suffix(&report).unwrap());
    }
    let chain: Vec<(String, String)> = (0..300)
        .map(|number| (format!("d{number}.example"), format!("v=spf1 include:d{}.example -all", number + 1)))
        .collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let names = Names::with(&chain);
    let world = World::start_with(Limits::default(), Arc::clone(&names)).await;
    assert!(world.bring_as("d0.example", "", &world.to(0), &format!("{front}{report}")).await.starts_with("250"));
    let said = world.told("anna@example.org").0;
    assert!(said.starts_with("spf=permerror smtp.helo=d0.example; dkim=permerror header.d=d0.example"), "{said}");
    // ten names of keys, the record, and the ten that it may include
    assert_eq!(names.asked.load(Ordering::SeqCst), 21);
    assert!(
        world
            .bring_as("d0.example", "", &world.to(0), "Auto-Submitted: auto-replied\r\n\r\nAway")
            .await
            .starts_with("250")
    );
    assert_eq!(names.asked.load(Ordering::SeqCst), 21, "of what changes nothing nothing is asked");
    world.shutdown.begin();
}

#[tokio::test]
async fn what_checks_came_to_is_counted_by_method_and_result() {
    let (good, key) = signed("isp.example", &bad_address());
    let world = World::start_with(Limits::default(), Names::with(&[("s._domainkey.isp.example", &key)])).await;
    let counted = |world: &World| world.counted("envoi_reports_checked_total");
    assert!(world.bring(&world.to(0), "Auto-Submitted: auto-replied\r\n\r\nAway").await.starts_with("250"));
    assert_eq!(counted(&world), [""; 0], "nothing is checked of what changes nothing");
    assert!(world.bring(&world.to(0), &bad_address()).await.starts_with("250"));
    assert_eq!(counted(&world), ["{method=\"dkim\",result=\"none\"} 1", "{method=\"spf\",result=\"pass\"} 1"]);
    assert!(world.bring_as("host", "", &world.to(1), &good).await.starts_with("250"));
    let changed = good.replace("No such user", "No such box");
    assert!(world.bring_as("host", "", &world.to(1), &changed).await.starts_with("250"));
    assert_eq!(
        counted(&world),
        [
            "{method=\"dkim\",result=\"fail\"} 1",
            "{method=\"dkim\",result=\"none\"} 1",
            "{method=\"dkim\",result=\"pass\"} 1",
            "{method=\"spf\",result=\"none\"} 2",
            "{method=\"spf\",result=\"pass\"} 1",
        ]
    );
    world.shutdown.begin();
}

#[test]
fn every_result_of_a_check_is_there_before_it_happens() {
    let mut registry = Registry::default();
    drop(Metrics::register(&mut registry));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for method in ["spf", "dkim"] {
        for result in ["none", "pass", "fail", "softfail", "neutral", "temperror", "permerror"] {
            let line = format!("envoi_reports_checked_total{{method=\"{method}\",result=\"{result}\"}} 0");
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
