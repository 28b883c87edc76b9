//! A route to somebody else's submission server: TLS from the first octet, and a login with the password of a file.

#![allow(clippy::unwrap_used)]

mod support;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use support::{House, Port, eventually, send};

/// `NUL customer NUL pass` in base64, and the two alone.
const PLAIN: &str = "AUTH PLAIN AGN1c3RvbWVyAHBhc3M=";
const USERNAME: &str = "Y3VzdG9tZXI=";
const PASSWORD: &str = "cGFzcw==";

const CONTENT: &[u8] = b"From: shop@example.com\r\nSubject: hello\r\n\r\nthrough a smarthost\r\n";

/// A submission server on loopback that speaks TLS from the first octet and offers these ways to log in.
struct Smarthost {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Smarthost {
    fn start(tls: &Arc<ServerConfig>, ways: &'static str) -> Smarthost {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (shared, tls) = (Arc::clone(&heard), Arc::clone(tls));
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let session = ServerConnection::new(Arc::clone(&tls)).unwrap();
                let (shared, stream) = (Arc::clone(&shared), StreamOwned::new(session, stream));
                // a peer that goes away ends the talk
                std::thread::spawn(move || talk(stream, ways, &shared));
            }
        });
        Smarthost { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn talk(
    stream: StreamOwned<ServerConnection, TcpStream>,
    ways: &str,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut may_send, mut in_content) = (false, false);
    stream.get_mut().write_all(b"220 smarthost.test ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().push(line.clone());
        if in_content && line != "." {
            continue;
        }
        let verb = line.split(' ').next().unwrap_or_default();
        let reply = match (verb, line.as_str()) {
            (".", _) => "250 2.0.0 taken".to_owned(),
            ("EHLO", _) => format!("250-smarthost.test\r\n250 AUTH {ways}"),
            (_, "AUTH LOGIN") => "334 VXNlcm5hbWU6".to_owned(),
            (_, USERNAME) => "334 UGFzc3dvcmQ6".to_owned(),
            (_, PLAIN | PASSWORD) => {
                may_send = true;
                "235 2.7.0 welcome".to_owned()
            }
            ("MAIL" | "RCPT", _) if may_send => "250 2.1.0 ok".to_owned(),
            ("DATA", _) if may_send => "354 go on".to_owned(),
            ("QUIT", _) => "221 2.0.0 bye".to_owned(),
            _ => "530 5.7.0 log in first".to_owned(),
        };
        in_content = reply.starts_with("354");
        stream.get_mut().write_all(format!("{reply}\r\n").as_bytes())?;
    }
}

/// An authority in PEM, and how a server with a certificate of its for 127.0.0.1 speaks TLS.
fn certified() -> (String, Arc<ServerConfig>) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap().der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (pem, Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()))
}

#[test]
fn mail_goes_through_a_submission_server_that_wants_a_login() {
    let (authority, tls) = certified();
    let (plain, login) = (Smarthost::start(&tls, "PLAIN LOGIN"), Smarthost::start(&tls, "LOGIN"));
    let house = House::new(0);
    std::fs::write(house.path().join("authority.pem"), authority).unwrap();
    // the first line alone counts
    std::fs::write(house.path().join("next-hop-password"), "pass\nnot a part of it\n").unwrap();
    let text = std::fs::read_to_string(house.config()).unwrap();
    let (before, rest) = text.split_once("[[delivery.route]]").unwrap();
    let after = rest.split_once("[http]").unwrap().1;
    let routes: String = [("plain.example", plain.port), ("login.example", login.port)]
        .iter()
        .map(|(domain, port)| {
            format!(
                "[[delivery.route]]\ndomain = \"{domain}\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"required\"\n\
                 implicit_tls = true\nusername = \"customer\"\npassword_file = \"next-hop-password\"\nsign_unpublished = true\n"
            )
        })
        .collect();
    std::fs::write(house.config(), format!("{before}ca_file = \"authority.pem\"\n{routes}[http]{after}")).unwrap();
    let server = house.serve();
    let user = house.furnish();
    let client = house.client(Port::Tls(server.tls), &user);
    for (smarthost, domain, logs_in) in
        [(&plain, "plain.example", &[PLAIN][..]), (&login, "login.example", &["AUTH LOGIN", USERNAME, PASSWORD])]
    {
        let recipient = format!("x@{domain}");
        send(&client, "shop@example.com", &[&recipient], CONTENT).unwrap();
        let row = eventually("the delivery", || {
            let rows = house.json(&["activity", "--recipient", &recipient]);
            rows.as_array()?.first().filter(|row| row["status"] == "delivered").map(|row| row["row"].to_string())
        });
        let detail = house.json(&["activity", "--show", &row]);
        let shown: Vec<&Value> =
            detail["events"].as_array().unwrap().iter().map(|event| &event["attempt"]["tls"]).collect();
        assert!(shown.iter().any(|tls| *tls == "TLS 1.3"), "{shown:?}");
        let heard = smarthost.heard();
        assert!(
            heard[0].starts_with("EHLO ")
                && heard[1..].starts_with(&logs_in.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "{heard:?}"
        );
        assert!(heard[1 + logs_in.len()].starts_with("MAIL FROM:<"), "{heard:?}");
        assert!(heard.iter().any(|line| line == "through a smarthost"), "{heard:?}");
    }
}
