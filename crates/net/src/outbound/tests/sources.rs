//! From where a connection comes, and under which name.

use super::*;
use relay::source::Source;

/// Loopback has the whole of 127.0.0.0/8.
fn source(address: [u8; 4]) -> Arc<Source> {
    Arc::new(Source {
        name: "out1".into(),
        v4: Some(address.into()),
        v6: None,
        hello: "out1.relay.example".into(),
        warm_up: false,
    })
}

fn from(source: &Arc<Source>) -> Parcel {
    Parcel { source: Some(Arc::clone(source)), ..parcel(&["x@b.example"]) }
}

#[tokio::test]
async fn a_source_is_sent_from_under_its_own_name_and_shown() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let delivery = once(&outbound, &from(&source([127, 0, 0, 2]))).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert_eq!(delivery.attempt.source.as_deref(), Some("out1 (127.0.0.2)"));
    assert_eq!(hop.heard().lines[0], "EHLO out1.relay.example");
    let nameless = once(&outbound, &parcel(&["x@b.example"])).await;
    assert_eq!(nameless.attempt.source, None);
    assert!(hop.heard().lines.contains(&"EHLO relay.example".to_owned()));
}

#[tokio::test]
async fn a_line_is_not_used_for_mail_of_another_source() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let mut line = None;
    for source in [source([127, 0, 0, 2]), source([127, 0, 0, 3]), source([127, 0, 0, 3])] {
        deliver(&outbound, &mut line, &from(&source)).await;
    }
    assert_eq!(hop.heard().connections, 2);
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_the_fault_of_the_source() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    // documentation addresses are nobody's (RFC 5737)
    let delivery = once(&outbound, &from(&source([192, 0, 2, 1]))).await;
    assert_eq!(short(&delivery), ["Source"]);
    assert_eq!(delivery.attempt.source.as_deref(), Some("out1"));
    assert_eq!(hop.heard().connections, 0);
}

#[tokio::test]
async fn servers_of_a_family_without_an_address_are_not_dialled() {
    let book = Book {
        mx: HashMap::from([("b.example", Ok(vec![(10, "mx.test")]))]),
        addresses: HashMap::from([("mx.test", Ok(vec!["::1"]))]),
        ..Book::default()
    };
    let outbound = by_mx(settings(), book, 25);
    let delivery = once(&outbound, &from(&source([127, 0, 0, 2]))).await;
    let Finding::Failed(Failure::Connect(why)) = &delivery.findings[0].1 else { panic!("{delivery:?}") };
    assert!(why.contains("no address that can be dialled from here"), "{why}");
}
