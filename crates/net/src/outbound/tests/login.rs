//! Routes to next hops that want to know who we are, and to those that speak TLS from the first octet.

use super::hop::{Issued, certificates};
use super::*;
use smtp::client::Login;
use smtp::secret::Secret;

/// `NUL customer NUL pass` in base64, and the two alone.
const PLAIN: &str = "AUTH PLAIN AGN1c3RvbWVyAHBhc3M=";
const USERNAME: &str = "Y3VzdG9tZXI=";
const PASSWORD: &str = "cGFzcw==";

const BOTH: &[&str] = &["PIPELINING", "STARTTLS", "AUTH PLAIN LOGIN"];

/// An outbound side with one route to this hop, at a name that its certificate is for; the change is made to the route.
fn route_to(hop: &Hop, authorities: &[&Issued], change: impl FnOnce(&mut Route)) -> Outbound {
    let login = Login { username: "customer".into(), password: Secret::new(b"pass".to_vec()), in_clear: false };
    let mut route = Route {
        pattern: "*".into(),
        host: "hub.test".into(),
        port: hop.address.port(),
        tls: RouteTls::Required,
        implicit_tls: false,
        login: Some(login),
        retry_for: None,
        sign_unpublished: false,
    };
    change(&mut route);
    let book = Book { addresses: HashMap::from([("hub.test", Ok(vec!["127.0.0.1"]))]), ..Book::default() };
    let authorities = authorities.iter().map(|issued| issued.authority.clone()).collect();
    let settings = OutboundSettings { authorities, ..settings() };
    let routes = Arc::new(Routes::new(vec![route]).unwrap());
    Outbound::new(settings, routes, Arc::new(book), Box::new(Zeroes)).unwrap()
}

/// Answers a login with this where it was asked for by PLAIN.
fn answering(keywords: &'static [&'static str], reply: &'static str) -> Script {
    polite(keywords, move |_, line| line.starts_with("AUTH PLAIN").then(|| say(reply)))
}

async fn carried(outbound: &Outbound) -> Delivery {
    once(outbound, &parcel(&["x@b.example"])).await
}

/// The mail waits for want of a login, with this in what the operator is told, and none of it was said.
fn kept_out(hop: &Hop, delivery: &Delivery, why: &str) {
    let [(_, Finding::Failed(Failure::Login(told)))] = &delivery.findings[..] else { panic!("{delivery:?}") };
    assert!(told.contains(why), "{told}");
    assert!(hop.heard().lines.iter().all(|line| !line.starts_with("MAIL")), "{:?}", hop.heard());
}

fn hears_of_passwords(hop: &Hop) -> bool {
    hop.heard().lines.iter().any(|line| line.starts_with("AUTH") || line.contains(PASSWORD))
}

#[tokio::test]
async fn after_starttls_the_login_comes_first_and_further_mail_needs_no_other() {
    let issued = Issued::new(&["hub.test"], false);
    let hop = Hop::start_at("127.0.0.1:0", Some(issued.acceptor(false)), answering(BOTH, "235 2.7.0 welcome")).await;
    let outbound = route_to(&hop, &[&issued], |_| {});
    let mut line = None;
    for _ in 0..2 {
        let delivery = deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await;
        assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3"));
    }
    let heard = hop.heard();
    assert_eq!(heard.lines[..4], ["EHLO relay.example", "STARTTLS", "EHLO relay.example", PLAIN]);
    assert!(
        heard.lines[4].starts_with("MAIL") && heard.lines.iter().filter(|line| line.starts_with("AUTH")).count() == 1
    );
    line.unwrap().close().await;
}

#[tokio::test]
async fn tls_from_the_first_octet_and_login_where_there_is_no_plain() {
    let issued = Issued::new(&["hub.test"], false);
    let script = polite(&["PIPELINING", "AUTH LOGIN"], |_, line| match line {
        "AUTH LOGIN" => Some(say("334 VXNlcm5hbWU6")),
        USERNAME => Some(say("334 UGFzc3dvcmQ6")),
        PASSWORD => Some(say("235 ok")),
        _ => None,
    });
    let hop = Hop::start_implicit(issued.acceptor(false), script).await;
    let delivery = carried(&route_to(&hop, &[&issued], |route| route.implicit_tls = true)).await;
    assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3"));
    assert_eq!(hop.heard().lines[..4], ["EHLO relay.example", "AUTH LOGIN", USERNAME, PASSWORD]);
}

#[tokio::test]
async fn a_certificate_is_checked_by_name_unless_the_route_says_otherwise() {
    let (right, wrong) = (Issued::new(&["hub.test"], false), Issued::new(&["other.test"], false));
    for (shown, trusted, tls, implicit_tls, expected) in [
        (&right, &right, RouteTls::Required, true, "Content 250"),
        (&wrong, &wrong, RouteTls::Required, true, "Tls"),
        (&right, &wrong, RouteTls::Required, true, "Tls"),
        (&wrong, &wrong, RouteTls::Required, false, "Tls"),
        (&wrong, &right, RouteTls::Encrypted, false, "Content 250"),
        (&wrong, &right, RouteTls::Encrypted, true, "Content 250"),
        (&wrong, &right, RouteTls::Opportunistic, true, "Content 250"),
    ] {
        let script = answering(BOTH, "235 ok");
        let hop = if implicit_tls {
            Hop::start_implicit(shown.acceptor(false), script).await
        } else {
            Hop::start_at("127.0.0.1:0", Some(shown.acceptor(false)), script).await
        };
        let delivery = carried(&route_to(&hop, &[trusted], |route| {
            (route.tls, route.implicit_tls) = (tls, implicit_tls);
        }))
        .await;
        assert_eq!(short(&delivery), [expected], "{tls:?} {implicit_tls}");
        assert_eq!(hears_of_passwords(&hop), expected != "Tls", "a password goes to whom the route means alone");
    }
}

#[tokio::test]
async fn what_begins_with_tls_never_goes_on_without() {
    let hop = Hop::start(polite(&["PIPELINING", "AUTH PLAIN"], nothing_special)).await;
    for tls in [RouteTls::Opportunistic, RouteTls::Encrypted, RouteTls::Required] {
        let patience = Patience { greeting: Duration::from_millis(300), ..Patience::STANDARD };
        let mut outbound = route_to(&hop, &[], |route| (route.tls, route.implicit_tls) = (tls, true));
        outbound.settings.patience = patience;
        assert_eq!(short(&carried(&outbound).await), ["Tls"], "{tls:?}");
    }
    assert!(!hop.heard().lines.iter().any(|line| line.starts_with("EHLO")) && hop.heard().contents.is_empty());
}

#[tokio::test]
async fn a_login_that_is_refused_or_not_offered_defers() {
    let issued = Issued::new(&["hub.test"], false);
    for (keywords, reply, why) in [
        (BOTH, "535 5.7.8 no", "refused it: 535 5.7.8 no"),
        (BOTH, "454 4.7.0 not now", "refused it: 454 4.7.0 not now"),
        (&["AUTH PLAIN"][..], "504 5.5.4 what", "refused it: 504 5.5.4 what"),
        (&["AUTH CRAM-MD5"][..], "235 ok", "neither AUTH PLAIN nor AUTH LOGIN"),
        (&["SIZE"][..], "235 ok", "neither AUTH PLAIN nor AUTH LOGIN"),
    ] {
        let hop = Hop::start_implicit(issued.acceptor(false), answering(keywords, reply)).await;
        let delivery = carried(&route_to(&hop, &[&issued], |route| route.implicit_tls = true)).await;
        kept_out(&hop, &delivery, why);
    }
}

#[tokio::test]
async fn a_password_is_not_said_where_encryption_is_not_had() {
    let not_encrypted = "the connection is not encrypted";
    let breaking = polite(BOTH, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake));
    let refusing = polite(BOTH, |_, line| (line == "STARTTLS").then(|| say("454 4.7.0 not now")));
    for script in [polite(&["AUTH PLAIN LOGIN"], nothing_special), breaking, refusing] {
        let hop = Hop::start(script).await;
        let delivery = carried(&route_to(&hop, &[], |route| route.tls = RouteTls::Opportunistic)).await;
        kept_out(&hop, &delivery, not_encrypted);
        assert!(!hears_of_passwords(&hop));
    }
    // unless the next hop is this machine, and the route says so
    let hop = Hop::start(answering(&["PIPELINING", "AUTH PLAIN"], "235 ok")).await;
    let here = |route: &mut Route| {
        (route.host, route.tls) = ("127.0.0.1".into(), RouteTls::None);
        route.login.as_mut().unwrap().in_clear = true;
    };
    assert_eq!(short(&carried(&route_to(&hop, &[], here)).await), ["Content 250"]);
    assert!(hears_of_passwords(&hop));
}

#[tokio::test]
async fn without_a_login_nobody_says_who_we_are() {
    let (_, acceptor) = certificates();
    let hop = Hop::start_at("127.0.0.1:0", Some(acceptor), polite(BOTH, nothing_special)).await;
    let delivery = carried(&route_to(&hop, &[], |route| (route.login, route.tls) = (None, RouteTls::Encrypted))).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert!(!hears_of_passwords(&hop));
}
