//! TLS: where it is offered, where it breaks, where it is required.

use super::hop::certificates;
use super::*;

const OFFERED: &[&str] = &["PIPELINING", "STARTTLS"];

#[tokio::test]
async fn tls_is_used_where_it_is_offered_and_further_mail_stays_in_it() {
    let (_, acceptor) = certificates();
    let hop = Hop::start_at("127.0.0.1:0", Some(acceptor), polite(OFFERED, nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::Opportunistic);
    let mut line = None;
    for _ in 0..2 {
        let delivery = deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await;
        assert_eq!(short(&delivery), ["Content 250"]);
        assert_eq!(delivery.attempt.tls, "TLS 1.3");
    }
    let heard = hop.heard();
    assert_eq!((heard.connections, heard.contents.len()), (1, 2));
    assert_eq!(heard.lines[..3], ["EHLO relay.example", "STARTTLS", "EHLO relay.example"]);
    line.unwrap().close().await;
}

#[tokio::test]
async fn large_content_goes_through_tls() {
    let (_, acceptor) = certificates();
    let hop = Hop::start_at("127.0.0.1:0", Some(acceptor), polite(OFFERED, nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::Opportunistic);
    let content = Bytes::from(b"0123456789abcdef.\r\n..\r\n".repeat(100_000));
    let parcel = Parcel { content: Content::Held(content.clone()), ..parcel(&["x@b.example"]) };
    assert_eq!(short(&once(&outbound, &parcel).await), ["Content 250"]);
    assert_eq!(hop.heard().contents[0].len(), content.len() + 100_000);
}

#[tokio::test]
async fn without_a_wish_for_tls_it_is_not_used() {
    let hop = Hop::start(polite(OFFERED, nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["Content 250"]);
    assert!(!hop.heard().lines.contains(&"STARTTLS".to_owned()));
}

#[tokio::test]
async fn a_broken_handshake_falls_back_to_clear_and_says_so() {
    let hop = Hop::start(polite(OFFERED, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake))).await;
    let outbound = routed(settings(), hop.address, RouteTls::Opportunistic);
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert!(delivery.attempt.tls.starts_with("none (TLS failed: "), "{}", delivery.attempt.tls);
    assert_eq!(hop.heard().connections, 2);
}

#[tokio::test]
async fn a_handshake_that_never_ends_falls_back_too() {
    let hop = Hop::start(polite(OFFERED, |_, line| match line {
        "STARTTLS" => Some(Act::Say("220 go\r\n".into())),
        line if line.starts_with('\u{16}') => Some(Act::Mute),
        _ => None,
    }))
    .await;
    let patience = Patience { tls: Duration::from_secs(1), ..Patience::STANDARD };
    let outbound = routed(OutboundSettings { patience, ..settings() }, hop.address, RouteTls::Opportunistic);
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert!(delivery.attempt.tls.starts_with("none (TLS failed: "), "{}", delivery.attempt.tls);
}

#[tokio::test]
async fn refused_starttls_goes_on_in_the_clear_on_the_same_connection() {
    let hop = Hop::start(polite(OFFERED, |_, line| (line == "STARTTLS").then(|| say("454 4.7.0 not now")))).await;
    let outbound = routed(settings(), hop.address, RouteTls::Opportunistic);
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert_eq!(delivery.attempt.tls, "none (STARTTLS was refused: 454 4.7.0 not now)");
    assert_eq!(hop.heard().connections, 1);
}

#[tokio::test]
async fn required_tls_wants_a_certificate_that_is_valid_for_the_host() {
    let (authority, acceptor) = certificates();
    let (stranger, _) = certificates();
    let hop = Hop::start_at("127.0.0.1:0", Some(acceptor), polite(OFFERED, nothing_special)).await;
    for (trusted, expected) in [(Some(authority.clone()), "Content 250"), (Some(stranger), "Tls"), (None, "Tls")] {
        let settings = OutboundSettings { authorities: trusted.into_iter().collect(), ..settings() };
        let outbound = routed(settings, hop.address, RouteTls::Required);
        assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), [expected]);
    }
    // the certificate names hub.test and 127.0.0.1, not this one
    let route = Route {
        pattern: "*".into(),
        host: "other.test".into(),
        port: hop.address.port(),
        tls: RouteTls::Required,
        implicit_tls: false,
        login: None,
        retry_for: None,
        sign_unpublished: false,
    };
    let book = Book { addresses: HashMap::from([("other.test", Ok(vec!["127.0.0.1"]))]), ..Book::default() };
    let settings = OutboundSettings { authorities: vec![authority], ..settings() };
    let routes = Arc::new(Routes::new(vec![route]).unwrap());
    let outbound = Outbound::new(settings, routes, Arc::new(book), Box::new(Zeroes)).unwrap();
    assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["Tls"]);
    assert_eq!(hop.heard().contents.len(), 1);
}

#[tokio::test]
async fn required_tls_never_falls_back() {
    let offered_and_broken = polite(OFFERED, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake));
    for script in [polite(&["PIPELINING"], nothing_special), offered_and_broken] {
        let hop = Hop::start(script).await;
        let outbound = routed(settings(), hop.address, RouteTls::Required);
        assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["Tls"]);
        assert!(hop.heard().lines.iter().all(|line| !line.starts_with("MAIL")));
    }
}
