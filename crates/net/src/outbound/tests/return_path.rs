//! The reverse-path of each transaction: one that names whom it was for, where the sending domain has a host for that.

use super::*;
use relay::clock::Timestamp;
use relay::inspection::{ReturnPath, Spf};
use relay::return_path::ReturnPaths;
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use relay::verification::{Check, RecordState};
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
