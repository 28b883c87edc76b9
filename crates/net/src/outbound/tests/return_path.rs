//! The reverse-path of each transaction: one that names whom it was for, where the sending domain has a host for that.

use super::*;
use relay::clock::Timestamp;
use relay::inspection::{ReturnPath, Spf};
use relay::notification::Requests;
use relay::return_path::ReturnPaths;
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use relay::verification::{Check, RecordState};
use smtp::dsn::Notify;
use smtp::envelope::RcptParameters;
use std::time::Duration;

fn domain() -> SendingDomain {
    let (algorithm, active) = (KeyAlgorithm::Rsa2048, true);
    let key = DkimKey::new("abc", algorithm, "v=DKIM1; p=", active);
    let right = ReturnPath { mail: RecordState::Right, spf: Spf::Pass };
    SendingDomain {
        state: DomainState::Validated,
        check: Some(Check { return_path: Some(right), ..Check::new(Timestamp(0), Vec::new()) }),
        ..SendingDomain::new(Id::new(7), Id::new(1), "a.example", vec![key], Timestamp(0))
    }
}

#[tokio::test]
async fn each_transaction_has_a_reverse_path_that_names_its_recipient() {
    let hop = Hop::start(polite(&["LIMITS RCPTMAX=2"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let paths = Arc::new(ReturnPaths::new([1; 32], Duration::from_secs(86_400)));
    let plain = parcel(&["x@b.example", "y@b.example", "z@b.example"]);
    let own = paths.of(&plain.envelope, &domain(), Timestamp(7)).unwrap();
    let parcel = Parcel { return_paths: Some(Arc::new(own)), ..plain };
    let delivery = once(&outbound, &parcel).await;
    assert_eq!(short(&delivery), ["Content 250", "Content 250", "Content 250"]);
    let heard = hop.heard();
    let mails = heard.lines.iter().filter_map(|line| line.strip_prefix("MAIL FROM:<")?.split('>').next());
    let tokens: Vec<_> = mails
        .map(|path| {
            let (local, host) = path.split_once('@').unwrap();
            assert_eq!(host, "rp-abc.a.example");
            let token = paths.token(local, Timestamp(7)).unwrap();
            assert_eq!((token.message, token.account), (MessageId(1), Id::new(1)));
            (token.first, token.recipient())
        })
        .collect();
    assert_eq!(tokens, [(0, None), (2, Some(2))]);
    assert_eq!(heard.contents, [SENT, SENT], "the content is as it was admitted");
}

/// What a hop with these keywords heard of a message of whose recipients so much was asked: each MAIL and RCPT, with `ours` for an
/// address of ours.
async fn heard_of(keywords: &'static [&'static str], asked: &[(&str, &str)]) -> (Delivery, Vec<String>) {
    let hop = Hop::start(polite(keywords, nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let (recipients, asked): (Vec<&str>, Vec<&str>) = asked.iter().copied().unzip();
    let asked = asked.into_iter().map(|notify| RcptParameters { notify: Notify::parse(notify), orcpt: None }).collect();
    let plain = parcel(&recipients);
    let requests = Some(Box::new(Requests { recipients: asked, ..Requests::default() }));
    let envelope = Arc::new(Envelope { requests, ..(*plain.envelope).clone() });
    let own = Arc::new(ReturnPaths::new([1; 32], Duration::from_secs(86_400))).of(&envelope, &domain(), Timestamp(7));
    let parcel = Parcel { return_paths: own.map(Arc::new), envelope, ..plain };
    let delivery = once(&outbound, &parcel).await;
    let lines = hop.heard().lines.into_iter().filter(|line| line.starts_with("MAIL") || line.starts_with("RCPT"));
    let shown = |line: String| if line.contains("@rp-abc.a.example>") { "MAIL ours".to_owned() } else { line };
    (delivery, lines.map(shown).collect())
}

#[tokio::test]
async fn those_alone_go_out_with_the_senders_address_of_whom_the_next_hop_tells_the_sender() {
    let asked = [
        ("x@b.example", ""),
        ("told@b.example", "SUCCESS"),
        ("never@b.example", "NEVER"),
        ("failed@b.example", "FAILURE,DELAY"),
    ];
    let (delivery, heard) = heard_of(&["DSN"], &asked).await;
    assert_eq!(
        heard,
        [
            "MAIL ours",
            "RCPT TO:<x@b.example>",
            "RCPT TO:<never@b.example> NOTIFY=NEVER",
            "MAIL FROM:<shop@a.example>",
            "RCPT TO:<told@b.example> NOTIFY=SUCCESS",
            "RCPT TO:<failed@b.example> NOTIFY=FAILURE,DELAY",
        ]
    );
    assert_eq!(short(&delivery), ["Content 250"; 4]);
    let mut passed_on = delivery.passed_on;
    passed_on.sort_unstable();
    assert_eq!(passed_on, [0, 1, 2, 3]);
    // nobody takes over anything here: what this one bounces later comes to us
    let (delivery, heard) = heard_of(&[], &asked).await;
    assert_eq!((heard[0].as_str(), heard.len()), ("MAIL ours", 5));
    assert!(delivery.passed_on.is_empty());
}
