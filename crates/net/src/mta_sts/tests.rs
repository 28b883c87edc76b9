//! Policies from a server on loopback, by simulated time.

use super::*;
use crate::clock::ManualClock;
use crate::dns::Mx;
use crate::https::testing::Server;
use relay::mta_sts::Mode;
use std::path::Path;

const DAY: u64 = 86_400_000;

/// What DNS has: everything is at 127.0.0.1, and each domain has this record.
#[derive(Default)]
struct Names {
    record: Mutex<Option<Result<Vec<String>, LookupError>>>,
}

impl Names {
    fn set(&self, record: Result<&str, LookupError>) {
        *self.record.lock().unwrap() = Some(record.map(|text| vec![text.to_owned()]));
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
        assert!(name.starts_with("_mta-sts."), "{name}");
        let record = self.record.lock().unwrap().clone().unwrap_or(Err(LookupError::NoSuchName));
        Box::pin(async move { record })
    }
}

/// A policy server, which answers with what it is given.
async fn policy_server(answer: &str) -> Server {
    Server::start("mta-sts.b.example", answer).await
}

fn answer(policy: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{policy}",
        policy.len()
    )
}

fn policy(mode: &str) -> String {
    format!("version: STSv1\nmode: {mode}\nmx: mx.b.example\nmax_age: 604800\n")
}

struct Scene {
    names: Arc<Names>,
    clock: Arc<ManualClock>,
    settings: Settings,
}

impl Scene {
    fn new(server: &Server, file: Option<&Path>) -> Scene {
        let settings = Settings {
            port: server.port,
            allow_private: true,
            authorities: vec![server.authority.clone()],
            system_authorities: false,
            file: file.map(Path::to_path_buf),
            ..Settings::held_to(&Limits::default())
        };
        Scene { names: Arc::default(), clock: Arc::new(ManualClock::new(Timestamp(DAY))), settings }
    }

    fn at(&self, milliseconds: u64) {
        self.clock.advance(Duration::from_millis(milliseconds - self.clock.now().0));
    }

    fn open(&self) -> MtaSts {
        let clock: Arc<dyn Clock> = self.clock.clone();
        MtaSts::open(self.settings.clone(), self.names.clone(), clock).unwrap()
    }
}

async fn mode(policies: &MtaSts) -> Option<Mode> {
    policies.of("b.example").await.unwrap_or_default().map(|policy| policy.mode)
}

const RECORD: &str = "v=STSv1; id=1;";

#[tokio::test]
async fn a_policy_is_fetched_once_and_kept_to_its_end() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let scene = Scene::new(&server, None);
    let policies = scene.open();
    assert_eq!(mode(&policies).await, None);
    assert_eq!(server.asked().len(), 0);
    scene.names.set(Ok(RECORD));
    assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    let asked = String::from_utf8(server.asked()[0].clone()).unwrap();
    assert!(
        asked.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\n") && asked.contains("host: mta-sts.b.example\r\n"),
        "{asked}"
    );
    // neither a record that is gone nor a fault ends it, but its time
    for record in [Ok(RECORD), Err(LookupError::NoSuchName), Err(LookupError::Fault("SERVFAIL".into()))] {
        scene.names.set(record);
        assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    }
    assert_eq!(server.asked().len(), 1);
    scene.at(8 * DAY);
    assert_eq!(mode(&policies).await, None);
}

#[tokio::test]
async fn where_dns_does_not_say_whether_there_is_one_that_is_told_unless_one_is_kept() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let scene = Scene::new(&server, None);
    let policies = scene.open();
    let fault = || LookupError::Fault("SERVFAIL".into());
    scene.names.set(Err(fault()));
    assert_eq!(policies.of("b.example").await, Err(fault()));
    scene.names.set(Err(LookupError::NoRecord));
    assert_eq!(policies.of("b.example").await, Ok(None));
    scene.names.set(Ok(RECORD));
    assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    scene.names.set(Err(fault()));
    assert!(policies.of("b.example").await.is_ok_and(|policy| policy.is_some()));
    // one whose time is over is none that is kept
    scene.at(9 * DAY);
    assert_eq!(policies.of("b.example").await, Err(fault()));
}

#[tokio::test]
async fn a_new_id_brings_the_new_policy_and_a_fault_keeps_the_old_one() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let scene = Scene::new(&server, None);
    let policies = scene.open();
    scene.names.set(Ok(RECORD));
    assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    server.answers("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    scene.names.set(Ok("v=STSv1; id=2;"));
    for _ in 0..3 {
        assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    }
    // it was tried once, and is left alone for a while
    assert_eq!(server.asked().len(), 2);
    server.answers(&answer(&policy("testing")));
    scene.at(DAY + 300_000);
    assert_eq!(mode(&policies).await, Some(Mode::Testing));
}

#[tokio::test]
async fn what_is_no_policy_is_none_and_hurts_nobody() {
    let long = format!("{}{}", policy("enforce"), "future: thing\n".repeat(5_000));
    let server = policy_server("").await;
    for (place, bad) in [
        "HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.b.example/else\r\nContent-Length: 0\r\n\r\n".to_owned(),
        answer("mode: enforce\n"),
        answer(&long),
        answer(&policy("enforce")).replace("text/plain", "text/html"),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 500\r\n\r\nversion: STSv1\n".to_owned(),
        "no HTTP at all\r\n\r\n".to_owned(),
        String::new(),
    ]
    .into_iter()
    .enumerate()
    {
        server.answers(&bad);
        let scene = Scene::new(&server, None);
        scene.names.set(Ok(RECORD));
        let policies = scene.open();
        assert_eq!(mode(&policies).await, None, "{bad:.80}");
        // one came as it should, and was none; the others did not come
        let expected = if place == 1 { ResultType::StsPolicyInvalid } else { ResultType::StsPolicyFetchError };
        assert_eq!(policies.trouble("b.example").unwrap().result, expected, "{bad:.80}");
        // a domain that says no more that it has one has no trouble with it
        scene.names.set(Err(LookupError::NoRecord));
        assert!(mode(&policies).await.is_none() && policies.trouble("b.example").is_none());
    }
    assert_eq!(server.asked().len(), 7);
}

#[tokio::test]
async fn the_certificate_must_be_for_the_policy_host_of_that_domain() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let scene = Scene::new(&server, None);
    scene.names.set(Ok(RECORD));
    assert_eq!(scene.open().of("c.example").await, Ok(None));
    let stranger = policy_server("").await;
    let settings = Settings { authorities: vec![stranger.authority.clone()], ..scene.settings.clone() };
    let policies = Scene { settings, ..scene }.open();
    assert_eq!(mode(&policies).await, None);
    assert_eq!(policies.trouble("b.example").unwrap().result, ResultType::StsWebpkiInvalid);
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn private_addresses_are_not_dialled_for_a_policy() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let mut scene = Scene::new(&server, None);
    scene.settings.allow_private = false;
    scene.names.set(Ok(RECORD));
    assert_eq!(mode(&scene.open()).await, None);
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn many_who_ask_at_once_fetch_once() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let scene = Scene::new(&server, None);
    scene.names.set(Ok(RECORD));
    let policies = scene.open();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let policies = policies.clone();
                async move { mode(&policies).await }
            })
        })
        .collect();
    for one in asking {
        assert_eq!(one.await.unwrap(), Some(Mode::Enforce));
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_old_policy_is_fetched_behind_the_back_of_the_mail() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let scene = Scene::new(&server, None);
    scene.names.set(Ok(RECORD));
    let policies = scene.open();
    assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    server.answers(&answer(&policy("testing")));
    scene.at(3 * DAY);
    assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    let renewed = async {
        while mode(&policies).await != Some(Mode::Testing) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), renewed).await.unwrap();
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn waiting_for_a_place_is_nothing_against_a_domain() {
    let server = policy_server(&answer(&policy("enforce"))).await;
    let mut scene = Scene::new(&server, None);
    scene.settings.fetches_max = 1;
    scene.names.set(Ok(RECORD));
    let policies = scene.open();
    let others = policies.inner.places.acquire().await.unwrap();
    let asking = tokio::spawn({
        let policies = policies.clone();
        async move { mode(&policies).await }
    });
    // it comes to wait for a place, and does so for longer than its own fetch may take: time passes by itself where all wait
    tokio::time::pause();
    tokio::time::sleep(2 * scene.settings.fetch_max).await;
    tokio::time::resume();
    drop(others);
    assert_eq!(asking.await.unwrap(), Some(Mode::Enforce));
    assert!(policies.trouble("b.example").is_none());
}

#[tokio::test]
async fn a_server_that_hangs_is_waited_for_once() {
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = policy_server(&answer(&policy("enforce"))).await;
    let mut scene = Scene::new(&server, None);
    scene.settings.port = hanging.local_addr().unwrap().port();
    scene.names.set(Ok(RECORD));
    let policies = scene.open();
    // the kernel takes the connection, and nobody says a word: time passes by itself where all wait for it
    tokio::time::pause();
    let waited = async || {
        let begun = Instant::now();
        assert_eq!(mode(&policies).await, None);
        begun.elapsed()
    };
    assert!(waited().await >= scene.settings.fetch_max / SLOW_PART);
    assert_eq!(policies.trouble("b.example").unwrap().result, ResultType::StsPolicyFetchError);
    assert_eq!(waited().await, Duration::ZERO, "right after it nobody asks");
    scene.at(DAY + 300_000);
    assert_eq!(waited().await, Duration::ZERO, "later it is asked behind the back of the mail");
    let (_stream, _) = hanging.accept().await.unwrap();
    let (_again, _) = hanging.accept().await.unwrap();
}

#[tokio::test]
async fn policies_are_kept_over_restarts_and_a_damaged_file_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mta-sts.json");
    let server = policy_server(&answer(&policy("enforce"))).await;
    let scene = Scene::new(&server, Some(&file));
    scene.names.set(Ok(RECORD));
    let policies = scene.open();
    assert_eq!(mode(&policies).await, Some(Mode::Enforce));
    let shutdown = Shutdown::new();
    shutdown.begin();
    policies.keep(shutdown).await;
    scene.names.set(Err(LookupError::Fault("SERVFAIL".into())));
    assert_eq!(mode(&scene.open()).await, Some(Mode::Enforce));
    let whole = std::fs::read(&file).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"{\"version\":2,\"policies\":[]}", b"", b"[]"] {
        std::fs::write(&file, damaged).unwrap();
        assert_eq!(mode(&scene.open()).await, None);
    }
    std::fs::write(&file, &whole).unwrap();
    scene.at(8 * DAY);
    assert_eq!(mode(&scene.open()).await, None);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn only_so_many_policies_are_kept() {
    let server = policy_server("").await;
    let mut scene = Scene::new(&server, None);
    scene.settings.policies_max = 10;
    let policies = scene.open();
    let kept = |name: &str, fetched| {
        let policy = Policy::parse(policy("enforce").as_bytes()).unwrap();
        let domain = policies.inner.domain(name, true, Timestamp(DAY)).unwrap();
        *domain.standing() = Standing::of(Kept { id: "1".into(), policy, fetched: Timestamp(fetched) });
    };
    for number in 0..10 {
        kept(&format!("{number}.example"), DAY + number);
    }
    kept("new.example", DAY);
    let names: Vec<String> = policies.inner.domains().keys().cloned().collect();
    // those whose time ends first have gone
    assert!(
        names.len() <= 10 && names.contains(&"9.example".to_owned()) && names.contains(&"new.example".to_owned()),
        "{names:?}"
    );
    assert!(!names.contains(&"0.example".to_owned()), "{names:?}");
    // where they are over, all of them go
    scene.at(9 * DAY);
    policies.inner.domain("later.example", true, Timestamp(9 * DAY)).unwrap();
    assert!(policies.inner.domains().len() <= 10);
}
