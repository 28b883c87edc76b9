//! Reports on TLS (RFC 8460) with the real binary: what became of TLS is counted while mail goes out, and when the day is over each
//! domain that wants a report gets it, by mail and over HTTPS.

#![allow(clippy::unwrap_used)]

mod support;

use flate2::read::GzDecoder;
use mail_parser::{MessageParser, MimeHeaders};
use message::dkim;
use net::clock::{Clock as _, SystemClock};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use support::internet::{Internet, text};
use support::{Hop, House, Login, Port, Server, eventually, send};

/// Certificates by an authority of the test's own.
struct Authority {
    pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: rcgen::Issuer::new(params, key) }
    }

    /// What a server shows that is called so.
    fn shows(&self, name: &str) -> Arc<ServerConfig> {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

fn under_tls(stream: TcpStream, shows: &Arc<ServerConfig>) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(Arc::clone(shows)).unwrap(), stream)
}

/// A line without its end; none where the other end has gone.
fn line(stream: &mut impl Read) -> Option<String> {
    let (mut line, mut octet) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut octet).ok()?;
        line.push(octet[0]);
    }
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Takes mail; true where the other end wants TLS first.
fn take_mail(stream: &mut (impl Read + Write), offers_tls: bool) -> Option<bool> {
    let mut is_content = false;
    loop {
        let line = line(stream)?;
        let reply: &str = match line.get(..4).unwrap_or_default() {
            _ if is_content && line != "." => continue,
            "EHLO" if offers_tls => "250-mx\r\n250 STARTTLS",
            "STAR" => "220 go on",
            "DATA" => "354 go on",
            _ => "250 fine",
        };
        is_content = reply.starts_with("354");
        stream.write_all(format!("{reply}\r\n").as_bytes()).ok()?;
        if reply.starts_with("220") {
            return Some(true);
        }
        if line == "QUIT" {
            return Some(false);
        }
    }
}

/// A mail server at the port of mail servers, in a network of loopback that is this process's; false where that port is for others.
#[expect(clippy::print_stderr, reason = "whoever runs this without the privilege is to know what was not tried")]
fn mail_server(address: Ipv4Addr, shows: Option<Arc<ServerConfig>>) -> bool {
    let listener = match TcpListener::bind((address, 25)) {
        Ok(listener) => listener,
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::AddrNotAvailable) => {
            eprintln!("no mail server at {address}, port 25: {error}; what needs one is not tried");
            return false;
        }
        Err(error) => panic!("{address}: {error}"),
    };
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let shows = shows.clone();
            std::thread::spawn(move || {
                stream.write_all(b"220 mx\r\n").ok()?;
                if take_mail(&mut stream, shows.is_some())? {
                    take_mail(&mut under_tls(stream, &shows?), false)?;
                }
                Some(())
            });
        }
    });
    true
}

/// The head and the body of each request.
type Requests = Mutex<Vec<(String, Vec<u8>)>>;

/// A receiver of reports over HTTPS.
struct Receiver {
    port: u16,
    taken: Arc<Requests>,
}

impl Receiver {
    fn start(shows: Arc<ServerConfig>) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Receiver { port: listener.local_addr().unwrap().port(), taken: Arc::default() };
        let taken = Arc::clone(&receiver.taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // whoever does not come under TLS is no matter
                let _ = Receiver::take(&mut under_tls(stream, &shows), &taken);
            }
        });
        receiver
    }

    fn take(stream: &mut (impl Read + Write), taken: &Requests) -> Option<()> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push_str(&line(stream)?.to_ascii_lowercase());
            head.push_str("\r\n");
        }
        let length = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        taken.lock().unwrap().push((head, body));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()
    }
}

/// A relay that asks this internet, dials what is on loopback, has its policies from before, and reports.
fn house(internet: &Internet, authority: &Authority, mailboxes: u16) -> House {
    let house = House::new(mailboxes);
    let config = std::fs::read_to_string(house.config()).unwrap();
    let config = config
        .replace(&support::name_server().to_string(), &internet.address.to_string())
        .replace("[delivery]\n", "[delivery]\nallow_private = true\nca_file = \"ca.pem\"\ndane = \"off\"\n")
        .replace("domain = \"*\"", "domain = \"reports.example\"");
    let own = "[mail]\nfrom = \"Acme Relay <envoi@mail.example>\"\n\
               [tls_reports]\ncontact = \"tls@mail.example\"\norganization = \"Acme\"\n";
    std::fs::write(house.config(), config + own).unwrap();
    std::fs::write(house.path().join("ca.pem"), &authority.pem).unwrap();
    house
}

/// Policies as a relay keeps them that has fetched them a moment ago; DNS has them, too.
fn policies(house: &House, internet: &Internet, policies: &[(&str, &str, &str)]) {
    use net::clock::Clock as _;
    let now = net::clock::SystemClock::new().now();
    let kept: Vec<Value> = policies
        .iter()
        .map(|(domain, mode, mx)| {
            internet.publish(&format!("_mta-sts.{domain}"), "TXT", "v=STSv1; id=1;");
            json!([domain, {"id": "1", "policy": {"mode": mode, "mx": [mx], "max_age": 604_800}, "fetched": now}])
        })
        .collect();
    std::fs::create_dir_all(house.data()).unwrap();
    std::fs::write(house.data().join("mta-sts.json"), json!({"version": 1, "kept": kept}).to_string()).unwrap();
}

fn deliver(house: &House, server: &Server, login: &Login, recipient: &str, status: &str) {
    let content = b"From: <shop@example.com>\r\nSubject: Your order\r\n\r\nThank you.\r\n";
    send(&house.client(Port::Tls(server.tls), login), "shop@example.com", &[recipient], content).unwrap();
    eventually(status, || (house.json(&["activity", "--recipient", recipient])[0]["status"] == status).then_some(()));
}

/// Lets two days pass for what was counted, as for a relay that stood still: its report was due the latest four hours after the
/// end of that day. Which day it was.
fn two_days_pass(house: &House) -> u64 {
    let file = house.data().join("tls-reports.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let day = kept["kept"]["today"]["day"].as_u64().unwrap() - 2;
    kept["kept"]["today"]["day"] = json!(day);
    std::fs::write(&file, kept.to_string()).unwrap();
    day
}

fn unpacked(gzip: &[u8]) -> Value {
    let mut json = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut json).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// The report on a domain as it came to the mailbox, once its mail was found to be what RFC 8460 §5.3 asks for.
fn mailed(hop: &Hop, domain: &str, own: &Value) -> Value {
    let came = hop.wait(&format!("TLS-Report-Domain: {domain}\r\n"));
    assert_eq!(
        (came.sender.as_str(), &came.recipients[..]),
        ("envoi@mail.example", &["tls@reports.example".into()][..])
    );
    let record_of = |domain: &str, selector: &str| {
        let name = format!("{selector}._domainkey.{domain}");
        let mut records = own["records"].as_array().into_iter().flatten();
        let found = records.find(|record| record["name"] == name);
        found.map_or(dkim::KeyRecord::Absent, |record| dkim::KeyRecord::Found(text(&record["value"]).to_owned()))
    };
    let signatures = dkim::verify(&came.content, SystemClock::new().now().0 / 1_000, record_of);
    assert!(!signatures.is_empty());
    for signature in signatures {
        assert_eq!((signature.domain.as_str(), signature.verdict), ("mail.example", dkim::Verdict::Pass));
    }
    let read = MessageParser::new().parse(&came.content).unwrap();
    let field = |name: &str| read.header(name).and_then(|value| value.as_text()).unwrap_or_default().trim().to_owned();
    assert_eq!((field("TLS-Report-Submitter"), field("TLS-Required")), ("mail.example".into(), "No".into()));
    let report = read.attachment(0).unwrap();
    let kind = report.content_type().unwrap();
    assert_eq!((kind.ctype(), kind.subtype()), ("application", Some("tlsrpt+gzip")));
    let json = unpacked(report.contents());
    let subject = format!("Report Domain: {domain} Submitter: mail.example Report-ID: <{}>", text(&json["report-id"]));
    assert_eq!(read.subject().unwrap().split_whitespace().collect::<Vec<_>>().join(" "), subject);
    assert_eq!(report.attachment_name().unwrap().matches('!').count(), 4);
    json
}

/// What a report says of its one policy: its kind, successes, failures, and the kinds of failure with their server and count.
fn said(report: &Value) -> (Value, Value, Value, Vec<[Value; 3]>) {
    let policies = report["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 1, "{report}");
    let (policy, summary) = (&policies[0]["policy"], &policies[0]["summary"]);
    let row =
        |row: &Value| ["result-type", "receiving-mx-hostname", "failed-session-count"].map(|field| row[field].clone());
    let rows = policies[0]["failure-details"].as_array().map(|rows| rows.iter().map(row).collect());
    (
        policy["policy-type"].clone(),
        summary["total-successful-session-count"].clone(),
        summary["total-failure-session-count"].clone(),
        rows.unwrap_or_default(),
    )
}

#[test]
fn the_day_after_each_domain_is_told_how_tls_went() {
    let (internet, hop, authority) = (Internet::start(), Hop::start(20), Authority::new());
    let receiver = Receiver::start(authority.shows("reports.b.example"));
    let house = house(&internet, &authority, hop.port());
    // what it enforces names another server: nothing goes out. What is tried out has no TLS, and its mail arrives.
    policies(
        &house,
        &internet,
        &[("b.example", "enforce", "else.b.example"), ("d.example", "testing", "mx.d.example")],
    );
    let [.., high, low] = std::process::id().to_be_bytes();
    let (secure, clear) = (Ipv4Addr::new(127, 25, high, low), Ipv4Addr::new(127, 26, high, low));
    let servers = mail_server(secure, Some(authority.shows("mx.c.example"))) && mail_server(clear, None);
    let to_mailbox = "v=TLSRPTv1; rua=mailto:tls@reports.example";
    let to_both = format!("{to_mailbox},https://reports.b.example:{}/in", receiver.port);
    for (domain, address, record) in [
        ("b.example", Ipv4Addr::LOCALHOST, to_both.as_str()),
        ("c.example", secure, to_mailbox),
        ("d.example", clear, to_mailbox),
        ("silent.example", secure, "v=spf1 -all"),
    ] {
        internet.publish(domain, "MX", &format!("10 mx.{domain}"));
        internet.publish(&format!("mx.{domain}"), "A", &address.to_string());
        internet.publish(&format!("_smtp._tls.{domain}"), "TXT", record);
    }
    internet.publish("reports.b.example", "A", "127.0.0.1");
    let login = house.furnish();
    let own = house.json(&["domain", "add", "--account", "0", "mail.example"]);
    house.json(&["domain", "vouch", "mail.example"]);
    let server = house.serve();
    deliver(&house, &server, &login, "x@b.example", "deferred");
    if servers {
        for domain in ["c.example", "d.example", "silent.example"] {
            deliver(&house, &server, &login, &format!("x@{domain}"), "delivered");
        }
    }
    assert_eq!(house.json(&["tls-report", "list"]), json!([]));
    assert_eq!(server.stop(), Some(0));
    let day = two_days_pass(&house);
    let server = house.serve();

    let report = mailed(&hop, "b.example", &own);
    let failure = [json!("validation-failure"), json!("mx.b.example"), json!(1)];
    assert_eq!(said(&report), (json!("sts"), json!(0), json!(1), vec![failure]));
    assert_eq!((&report["organization-name"], &report["contact-info"]), (&json!("Acme"), &json!("tls@mail.example")));
    assert_eq!(report["policies"][0]["policy"]["mx-host"], json!(["else.b.example"]));
    let date = relay::clock::Day(day).to_string();
    let range = json!({"start-datetime": format!("{date}T00:00:00Z"), "end-datetime": format!("{date}T23:59:59Z")});
    assert_eq!(report["date-range"], range);
    let (head, body) = eventually("the report over HTTPS", || receiver.taken.lock().unwrap().first().cloned());
    assert!(
        head.starts_with("post /in http/1.1\r\n") && head.contains("content-type: application/tlsrpt+gzip"),
        "{head}"
    );
    assert_eq!(unpacked(&body), report);
    if servers {
        let report = mailed(&hop, "c.example", &own);
        assert_eq!(said(&report), (json!("no-policy-found"), json!(1), json!(0), Vec::new()));
        let report = mailed(&hop, "d.example", &own);
        let failure = [json!("starttls-not-supported"), json!("mx.d.example"), json!(1)];
        assert_eq!(said(&report), (json!("sts"), json!(0), json!(1), vec![failure]));
    }
    let wanted = if servers { 3 } else { 1 };
    let sent = eventually("the list", || {
        let sent = house.json(&["tls-report", "list"]);
        (sent.as_array().unwrap().len() == wanted).then_some(sent)
    });
    let of_b = sent.as_array().unwrap().iter().find(|report| report["domain"] == "b.example").unwrap();
    assert_eq!((of_b["to"].as_array().unwrap().len(), &of_b["fault"]), (2, &Value::Null), "{of_b}");
    assert_eq!(receiver.taken.lock().unwrap().len(), 1);
    assert_eq!(server.stop(), Some(0));
}
