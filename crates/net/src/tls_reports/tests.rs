//! Reports by simulated time: counted, sealed, looked up, sent, tried again, kept over a restart.

use super::*;
use crate::clock::ManualClock;
use crate::dns::{Lookup, Mx};
use crate::https::testing::Server;
use flate2::read::GzDecoder;
use relay::tls_report::{Applied, Failed, ResultType};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

const DAY: u64 = 86_400_000;
const TODAY: Day = Day(20_787);

/// What DNS has at `_smtp._tls.` of domains; every host is at 127.0.0.1.
#[derive(Default)]
struct Names(Mutex<HashMap<String, Result<Vec<String>, LookupError>>>);

impl Names {
    fn set(&self, domain: &str, record: Result<&str, LookupError>) {
        self.0.lock().unwrap().insert(format!("_smtp._tls.{domain}"), record.map(|text| vec![text.to_owned()]));
    }
}

impl Resolver for Names {
    fn mx<'a>(&'a self, _domain: &'a str) -> Lookup<'a, Vec<Mx>> {
        Box::pin(async { Err(LookupError::NoRecord) })
    }

    fn addresses<'a>(&'a self, _host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }

    fn txt<'a>(&'a self, name: &'a str) -> Lookup<'a, Vec<String>> {
        let found = self.0.lock().unwrap().get(name).cloned().unwrap_or(Err(LookupError::NoSuchName));
        Box::pin(async move { found })
    }
}

struct Scene {
    names: Arc<Names>,
    clock: Arc<ManualClock>,
    settings: Settings,
    mailed: Arc<Mutex<Vec<Outgoing>>>,
    mail_works: Arc<Mutex<bool>>,
}

impl Scene {
    fn new(file: Option<&Path>) -> Scene {
        let author = Author {
            organization: "A relay".into(),
            contact: "tls@relay.example".into(),
            submitter: "relay.example".into(),
        };
        let settings = Settings {
            system_authorities: false,
            file: file.map(Path::to_path_buf),
            ..Settings::held_to(&Limits::default(), author)
        };
        Scene {
            names: Arc::default(),
            clock: Arc::new(ManualClock::new(Timestamp(TODAY.0 * DAY + 1))),
            settings,
            mailed: Arc::default(),
            mail_works: Arc::new(Mutex::new(true)),
        }
    }

    fn open(&self) -> TlsReports {
        let clock: Arc<dyn Clock> = self.clock.clone();
        TlsReports::open(self.settings.clone(), self.names.clone(), clock).unwrap()
    }

    fn mailing(&self) -> Arc<Mailing> {
        let (mailed, works) = (Arc::clone(&self.mailed), Arc::clone(&self.mail_works));
        Arc::new(Box::new(move |outgoing| {
            let (mailed, works) = (Arc::clone(&mailed), *works.lock().unwrap());
            Box::pin(async move {
                if !works {
                    return Err("no domain of its own".to_owned());
                }
                mailed.lock().unwrap().push(outgoing);
                Ok(())
            })
        }))
    }

    fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn mailed_to(&self) -> Vec<String> {
        self.mailed.lock().unwrap().iter().map(|outgoing| outgoing.to.to_string()).collect()
    }
}

fn count(reports: &TlsReports, domain: &str, failed: Option<ResultType>) {
    let (applied, failed) = (Applied::none(domain), failed.map(|result| Failed::new(result, "so it was")));
    let session =
        Session { domain, applied: &applied, host: "mx", receiving: None, sending: None, failed: failed.as_ref() };
    reports.count(&session);
}

const LONG: Duration = Duration::from_secs(36 * 3600);
const BY_MAIL: &str = "v=TLSRPTv1; rua=mailto:tls@b.example";

#[tokio::test]
async fn a_day_is_sealed_at_its_end_and_told_to_whom_it_concerns() {
    let scene = Scene::new(None);
    let (reports, mailing) = (scene.open(), scene.mailing());
    scene.names.set("b.example", Ok(BY_MAIL));
    count(&reports, "b.example", None);
    count(&reports, "b.example", Some(ResultType::CertificateExpired));
    count(&reports, "silent.example", None);
    reports.send_due(&mailing).await;
    assert!(scene.mailed_to().is_empty(), "the day is not over");
    let counted: Vec<_> = reports.counted(None, 10).into_iter().map(|one| (one.domain, one.due.is_some())).collect();
    assert_eq!(counted, [("b.example".to_owned(), false), ("silent.example".to_owned(), false)]);
    // one second into the next day
    scene.pass(Duration::from_millis(DAY + 1_000));
    count(&reports, "b.example", None);
    assert!(reports.counted(None, 10).iter().any(|one| one.due.is_some()));
    scene.pass(SPREAD_OVER);
    reports.send_due(&mailing).await;
    assert_eq!(scene.mailed_to(), ["tls@b.example"]);
    let outgoing = scene.mailed.lock().unwrap()[0].clone();
    assert!(outgoing.subject.starts_with("Report Domain: b.example Submitter: relay.example Report-ID: <2026-11-30."));
    let mut json = String::new();
    GzDecoder::new(&outgoing.gzip[..]).read_to_string(&mut json).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["policies"][0]["summary"]["total-successful-session-count"], 1);
    assert_eq!(read["policies"][0]["failure-details"][0]["result-type"], "certificate-expired");
    // once, and what is counted today is another report
    reports.send_due(&mailing).await;
    assert_eq!(scene.mailed_to().len(), 1);
    let sent = reports.sent(10);
    assert_eq!((sent.len(), sent[0].day, sent[0].successes, sent[0].failures), (1, TODAY, 1, 1));
    let left: Vec<_> = reports.counted(None, 10).into_iter().map(|one| (one.day, one.domain)).collect();
    assert_eq!(left, [(Day(TODAY.0 + 1), "b.example".to_owned())]);
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_for_a_day_and_where_it_was_taken_never() {
    let scene = Scene::new(None);
    let (reports, mailing) = (scene.open(), scene.mailing());
    scene.names.set("b.example", Err(LookupError::Fault("SERVFAIL".into())));
    scene.names.set("c.example", Ok("v=TLSRPTv1; rua=mailto:a@c.example"));
    count(&reports, "b.example", None);
    count(&reports, "c.example", None);
    scene.pass(Duration::from_millis(DAY) + SPREAD_OVER);
    *scene.mail_works.lock().unwrap() = false;
    reports.send_due(&mailing).await;
    assert!(reports.sent(10).is_empty());
    *scene.mail_works.lock().unwrap() = true;
    scene.names.set("b.example", Ok(BY_MAIL));
    reports.send_due(&mailing).await;
    assert!(scene.mailed_to().is_empty(), "they wait a quarter of an hour");
    scene.pass(Duration::from_secs(15 * 60));
    reports.send_due(&mailing).await;
    assert_eq!(scene.mailed_to(), ["tls@b.example", "a@c.example"]);
    // two places, of which one never takes it
    count(&reports, "d.example", None);
    scene.names.set("d.example", Ok("v=TLSRPTv1; rua=mailto:a@d.example,https://127.0.0.1.d.example:1/"));
    for _ in 0..40 {
        scene.pass(Duration::from_secs(3 * 3600));
        reports.send_due(&mailing).await;
    }
    assert_eq!(scene.mailed_to().iter().filter(|to| *to == "a@d.example").count(), 1);
    let last = &reports.sent(1)[0];
    assert_eq!((last.domain.as_str(), last.to.as_slice()), ("d.example", &["mailto:a@d.example".to_owned()][..]));
    assert!(last.fault.as_ref().unwrap().contains("127.0.0.1, "), "{last:?}");
}

#[tokio::test]
async fn a_restart_loses_nothing_that_was_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tls-reports.json");
    let scene = Scene::new(Some(&file));
    let reports = scene.open();
    count(&reports, "b.example", None);
    scene.pass(Duration::from_millis(DAY));
    count(&reports, "b.example", Some(ResultType::StarttlsNotSupported));
    let shutdown = Shutdown::new();
    shutdown.begin();
    let mailing = scene.mailing();
    let unused: Mailing = Box::new(move |outgoing| mailing(outgoing));
    reports.clone().run(unused, shutdown).await;
    let before = reports.counted(None, 10);
    let reports = scene.open();
    assert_eq!((reports.counted(None, 10), before.len()), (before, 2));
    scene.names.set("b.example", Ok(BY_MAIL));
    scene.pass(LONG);
    reports.send_due(&scene.mailing()).await;
    assert_eq!(scene.mailed_to().len(), 2);
    // one that cannot be read is done without
    std::fs::write(&file, b"{\"version\":9}").unwrap();
    assert!(scene.open().counted(None, 10).is_empty());
}

#[tokio::test]
async fn the_list_goes_on_behind_a_place_and_the_room_is_bounded() {
    let mut scene = Scene::new(None);
    scene.settings.bounds.domains_max = 3;
    scene.settings.kept_max = 2;
    let (reports, mailing) = (scene.open(), scene.mailing());
    for number in 0..5 {
        let domain = format!("d{number}.example");
        scene.names.set(&domain, Ok(BY_MAIL));
        count(&reports, &domain, None);
    }
    let behind = reports.counted(Some((TODAY, "d0.example")), 1);
    assert_eq!((behind.len(), behind[0].domain.as_str()), (1, "d1.example"));
    scene.pass(LONG);
    reports.send_due(&mailing).await;
    assert_eq!((scene.mailed_to().len(), reports.sent(10).len()), (3, 2));
    // a relay that stood still for a week has no week of reports to send
    for day in 0..7 {
        count(&reports, &format!("w{day}.example"), None);
        scene.pass(Duration::from_millis(DAY));
    }
    assert!(reports.counted(None, 100).len() <= 4);
}

/// What comes of a report that goes to a receiver over HTTPS which answers so.
async fn posted(answer: &'static str, allow_private: bool, trusts: bool) -> (usize, SentReport, Vec<u8>) {
    let receiver = Server::start("reports.b.example", answer).await;
    let mut scene = Scene::new(None);
    scene.settings.allow_private = allow_private;
    scene.settings.authorities = trusts.then(|| receiver.authority.clone()).into_iter().collect();
    let (reports, mailing) = (scene.open(), scene.mailing());
    scene.names.set("b.example", Ok(&format!("v=TLSRPTv1; rua=https://reports.b.example:{}/tls?x=1", receiver.port)));
    count(&reports, "b.example", None);
    scene.pass(Duration::from_millis(DAY) + SPREAD_OVER);
    for _ in 0..20 {
        reports.send_due(&mailing).await;
        scene.pass(Duration::from_secs(3 * 3600));
    }
    let came = receiver.asked();
    (came.len(), reports.sent(1).remove(0), came.into_iter().next().unwrap_or_default())
}

#[tokio::test]
async fn a_report_is_posted_over_https() {
    let (times, sent, request) = posted("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", true, true).await;
    assert_eq!((times, sent.to.len(), sent.fault), (1, 1, None));
    let end = request.windows(4).position(|octets| octets == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    assert!(
        head.starts_with("post /tls?x=1 http/1.1") && head.contains("content-type: application/tlsrpt+gzip"),
        "{head}"
    );
    assert!(head.contains("host: reports.b.example:"), "{head}");
    let mut json = String::new();
    GzDecoder::new(&request[end + 4..]).read_to_string(&mut json).unwrap();
    assert!(json.contains("\"policy-domain\":\"b.example\""), "{json}");
}

#[tokio::test]
async fn a_receiver_that_refuses_redirects_or_is_a_stranger_is_tried_again_and_given_up() {
    let moved = "HTTP/1.1 307 Moved\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    for (answer, allow_private, trusts, why) in [
        (moved, true, true, "it answered 307"),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", true, true, "it answered 500"),
        ("no HTTP\r\n\r\n", true, true, "the conversation broke off"),
        (moved, true, false, "TLS with reports.b.example failed"),
        (moved, false, true, "reports.b.example is 127.0.0.1"),
    ] {
        let (times, sent, _) = posted(answer, allow_private, trusts).await;
        assert!(sent.to.is_empty() && sent.fault.as_ref().unwrap().contains(why), "{sent:?}");
        assert_eq!(times > 1, allow_private && trusts, "{why}");
    }
}
