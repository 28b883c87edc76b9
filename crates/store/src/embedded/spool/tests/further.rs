//! What version 2 of a Commit or Copy has behind version 1.

use relay::id::MessageId;
use relay::notification::Requests;
use relay::priority::Priority;
use relay::queue::{Envelope, TlsWish};
use smtp::dsn::{Notify, Ret};
use smtp::envelope::RcptParameters;

use super::super::meta::{commit_in, commit_out, copy_in, copy_out, version};
use super::rig::envelope;

fn asking() -> Envelope {
    let asked = |notify, orcpt: Option<&str>| RcptParameters { notify, orcpt: orcpt.map(Into::into) };
    let requests = Requests {
        ret: Some(Ret::Headers),
        envid: Some("QQ+2B314159".into()),
        recipients: vec![asked(None, Some("utf-8;b\u{f8}b@c.example")), asked(Some(Notify::NEVER), None)],
        suppressed: vec![asked(Notify::parse("SUCCESS,DELAY"), None)],
    };
    Envelope { requests: Some(Box::new(requests)), priority: Priority::LOW, ..envelope(7, 2) }
}

#[test]
fn what_was_asked_comes_back_from_either_record() {
    let asking = asking();
    assert_eq!(version(&asking), 2);
    assert_eq!(commit_in(MessageId(7), &commit_out(&asking, None)).unwrap().envelope, asking);
    let copied = copy_in(MessageId(7), &copy_out(&asking, None, Vec::new(), Some(b"seal"))).unwrap();
    assert_eq!((copied.envelope, copied.seal.as_deref()), (asking, Some(&b"seal"[..])));
}

#[test]
fn a_wish_about_tls_comes_back_beside_what_was_asked_and_alone() {
    for envelope in [asking(), envelope(7, 2)] {
        for tls_wish in [TlsWish::Required, TlsWish::Waived] {
            let wishing = Envelope { tls_wish, ..envelope.clone() };
            assert_eq!(version(&wishing), 2);
            assert_eq!(commit_in(MessageId(7), &commit_out(&wishing, None)).unwrap().envelope, wishing);
        }
    }
}

#[test]
fn the_day_that_a_message_counts_on_comes_back() {
    for days_ahead in [-1, 1] {
        let ahead = Envelope { days_ahead, ..envelope(7, 2) };
        assert_eq!(version(&ahead), 2);
        let back = commit_in(MessageId(7), &commit_out(&ahead, None)).unwrap().envelope;
        assert_eq!((back.day(), back), (ahead.day(), ahead));
    }
}

#[test]
fn how_long_the_submission_took_comes_back_in_a_record_that_an_earlier_version_reads() {
    let mut envelope = envelope(7, 2);
    let before = commit_out(&envelope, None);
    envelope.session.as_mut().unwrap().milliseconds = Some(1_250);
    assert_eq!(version(&envelope), 1);
    assert_eq!(commit_in(MessageId(7), &commit_out(&envelope, None)).unwrap().envelope, envelope);
    let session = commit_in(MessageId(7), &before).unwrap().envelope.session.unwrap();
    assert_eq!((session.tls.as_str(), session.milliseconds), ("TLS 1.3", None));
}

#[test]
fn where_nothing_was_asked_the_record_is_what_it_was_before() {
    let plain = envelope(7, 2);
    let (before, after) = (commit_out(&plain, None), commit_out(&asking(), None));
    assert_eq!(version(&plain), 1);
    assert!(after.starts_with(&before) && after.len() > before.len());
    // that of an earlier version says: nothing was asked
    assert_eq!(commit_in(MessageId(7), &before).unwrap().envelope, plain);
}

#[test]
fn a_part_that_is_not_known_is_no_envelope() {
    let mut octets = commit_out(&envelope(7, 1), None);
    octets.extend_from_slice(&postcard::to_allocvec(&vec![(200u8, &b"x"[..])]).unwrap());
    assert!(commit_in(MessageId(7), &octets).is_err());
}
