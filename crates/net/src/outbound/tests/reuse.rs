//! One line for further mail, as long as it is any good.

use super::*;

#[tokio::test]
async fn further_mail_goes_over_the_same_line() {
    let hop = Hop::start(polite(&["PIPELINING"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let mut line = None;
    for _ in 0..3 {
        assert_eq!(short(&deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await), ["Content 250"]);
        assert!(line.as_mut().unwrap().is_fresh());
    }
    assert_eq!((hop.heard().connections, hop.heard().contents.len()), (1, 3));
    line.unwrap().close().await;
    assert_eq!(hop.heard().lines.last().unwrap(), "QUIT");
}

#[tokio::test]
async fn a_line_that_was_hung_up_meanwhile_costs_nothing() {
    // the hop closes behind its first answer to content, with and without a last word
    for act in [Act::SayAndDrop("250 ok\r\n".into()), Act::SayAndDrop("250 ok\r\n421 closing\r\n".into())] {
        let hop = Hop::start(polite(&["PIPELINING"], move |connection, line| {
            (connection == 0 && line == ".").then(|| act.clone())
        }))
        .await;
        let outbound = routed(settings(), hop.address, RouteTls::None);
        let mut line = None;
        for _ in 0..2 {
            assert_eq!(short(&deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await), ["Content 250"]);
        }
        assert_eq!((hop.heard().connections, hop.heard().contents.len()), (2, 2));
    }
}

#[tokio::test]
async fn a_line_that_fails_at_its_next_mail_is_replaced_at_once() {
    for act in [Act::Drop, Act::SayAndDrop("421 4.4.2 too long\r\n".into())] {
        let mails = std::sync::atomic::AtomicUsize::new(0);
        let hop = Hop::start(polite(&[], move |_, line| {
            let second = line.starts_with("MAIL") && mails.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1;
            second.then(|| act.clone())
        }))
        .await;
        let outbound = routed(settings(), hop.address, RouteTls::None);
        let mut line = None;
        for _ in 0..2 {
            assert_eq!(short(&deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await), ["Content 250"]);
        }
        assert_eq!((hop.heard().connections, hop.heard().contents.len()), (2, 2));
    }
}

#[tokio::test]
async fn a_line_is_used_only_so_often_and_only_so_long() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let outbound = routed(OutboundSettings { line_messages_max: 2, ..settings() }, hop.address, RouteTls::None);
    let mut line = None;
    for left in [true, false, true] {
        deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await;
        assert_eq!(line.is_some(), left);
    }
    assert_eq!(hop.heard().connections, 2);

    for bounds in [
        OutboundSettings { line_idle_max: Duration::ZERO, ..settings() },
        OutboundSettings { line_age_max: Duration::ZERO, ..settings() },
    ] {
        let outbound = routed(bounds, hop.address, RouteTls::None);
        let mut line = None;
        deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await;
        assert!(!line.unwrap().is_fresh());
    }
}

#[tokio::test]
async fn a_line_to_elsewhere_is_not_used() {
    let hops = [Hop::start(polite(&[], nothing_special)).await, Hop::start(polite(&[], nothing_special)).await];
    let route = |pattern: &str, hop: &Hop| Route {
        pattern: pattern.into(),
        host: "127.0.0.1".into(),
        port: hop.address.port(),
        tls: RouteTls::None,
        implicit_tls: false,
        login: None,
        retry_for: None,
        sign_unpublished: false,
    };
    let routes = Routes::new(vec![route("b.example", &hops[0]), route("*", &hops[1])]).unwrap();
    let outbound = Outbound::new(settings(), Arc::new(routes), Arc::new(Book::default()), Box::new(Zeroes)).unwrap();
    let mut line = None;
    for domain in ["b.example", "c.example"] {
        let destination = outbound.routes().destination(domain);
        let delivery = outbound.deliver(&mut line, &destination, &parcel(&["x@b.example"]), Timestamp(0)).await;
        assert_eq!(short(&delivery), ["Content 250"]);
        assert_eq!(line.as_ref().unwrap().destination(), &destination);
    }
    assert_eq!((hops[0].heard().contents.len(), hops[1].heard().contents.len()), (1, 1));
}
