//! Tokens: what was made comes back, and nothing else does.

use super::*;
use crate::inspection::{ReturnPath, spf::Spf};
use crate::queue::ContentFacts;
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm};
use crate::verification::{Check, RecordState};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);

fn paths(key: u8) -> Arc<ReturnPaths> {
    Arc::new(ReturnPaths::new([key; 32], LIFETIME))
}

fn token() -> impl Strategy<Value = Token> {
    let numbers = (any::<u128>(), 1..5_000_000u64, 0..5_000_000u64, 0..5_000_000u64);
    (numbers, 0..1_000u16, any::<bool>(), -2..=2i8).prop_map(
        |((message, account, domain, user), first, is_single, days_ahead)| Token {
            message: MessageId(message),
            account: Id::new(account),
            domain: (domain != 0).then(|| Id::new(domain)),
            user: (user != 0).then(|| Id::new(user)),
            first,
            is_single,
            until: NOW.after(LIFETIME).day(),
            days_ahead,
        },
    )
}

proptest! {
    #[test]
    fn what_was_made_comes_back_whatever_its_case(token in token()) {
        let Some(local) = paths(1).local_part(&token) else { return Ok(()) };
        prop_assert!(local.len() <= smtp::address::LOCAL_OCTETS_MAX, "{local}");
        prop_assert_eq!(paths(1).token(&local, NOW), Ok(token));
        prop_assert_eq!(paths(1).token(&local.to_uppercase(), NOW), Ok(token));
    }

    #[test]
    fn another_letter_anywhere_is_refused(token in token(), place in 2usize..40, letter in 0usize..32) {
        let Some(local) = paths(1).local_part(&token) else { return Ok(()) };
        let mut forged = local.clone().into_bytes();
        let place = place.min(forged.len() - 1);
        forged[place] = b"abcdefghijklmnopqrstuvwxyz234567"[letter];
        let forged = String::from_utf8(forged).unwrap();
        prop_assume!(forged != local);
        prop_assert_eq!(paths(1).token(&forged, NOW), Err(Refused::Foreign));
    }

    #[test]
    fn more_letters_or_fewer_are_refused(token in token(), cut in 1usize..20, more in "[a-z2-7]{1,4}") {
        let Some(local) = paths(1).local_part(&token) else { return Ok(()) };
        for forged in [local[..local.len() - cut].to_owned(), format!("{local}{more}")] {
            prop_assert_eq!(paths(1).token(&forged, NOW), Err(Refused::Foreign));
        }
    }

    #[test]
    fn another_key_refuses_it(token in token()) {
        let Some(local) = paths(1).local_part(&token) else { return Ok(()) };
        prop_assert_eq!(paths(2).token(&local, NOW), Err(Refused::Foreign));
    }

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC{0,100}") {
        prop_assert_eq!(paths(1).token(&text, NOW), Err(Refused::Foreign));
    }
}

#[test]
fn a_token_is_good_until_its_day_ends() {
    let token = Token {
        message: MessageId(7),
        account: Id::new(1),
        domain: None,
        user: None,
        first: 3,
        is_single: true,
        until: NOW.after(LIFETIME).day(),
        days_ahead: 0,
    };
    let local = paths(1).local_part(&token).unwrap();
    assert_eq!(paths(1).token(&local, NOW.after(LIFETIME)).unwrap().recipient(), Some(3));
    let late = NOW.after(LIFETIME + Duration::from_secs(86_400));
    assert_eq!(paths(1).token(&local, late), Err(Refused::Expired));
}

#[test]
fn numbers_beyond_all_measure_have_no_room() {
    let token = Token {
        message: MessageId(7),
        account: Id::new(u64::MAX >> 2),
        domain: Some(Id::new(u64::MAX >> 2)),
        user: None,
        first: 0,
        is_single: false,
        until: NOW.day(),
        days_ahead: 0,
    };
    assert_eq!(paths(1).local_part(&token), None);
}

fn domain(mail: RecordState, spf: Spf) -> SendingDomain {
    let key = DkimKey::new("abc", KeyAlgorithm::Rsa2048, "v=DKIM1; p=", true);
    SendingDomain {
        state: DomainState::Validated,
        check: Some(Check { return_path: Some(ReturnPath { mail, spf }), ..Check::new(NOW, Vec::new()) }),
        ..SendingDomain::new(Id::new(7), Id::new(1), "shop.example", vec![key], Timestamp(0))
    }
}

fn envelope(origin: Origin, reverse_path: &str) -> Envelope {
    let address = |text: &str| Address::parse(text, false).unwrap();
    Envelope {
        message: MessageId(9),
        account: Id::new(1),
        user: Some(Id::new(2)),
        domain: Some(Id::new(7)),
        origin,
        reverse_path: ReversePath::parse(reverse_path, false).unwrap(),
        recipients: ["a@example.org", "b@example.org"].map(address).to_vec(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: NOW,
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts::default(),
        session: None,
        requests: None,
        tls_wish: crate::queue::TlsWish::AsAsked,
        priority: crate::priority::Priority::NORMAL,
    }
}

#[test]
fn mail_goes_out_by_the_host_of_a_domain_that_was_seen_and_by_no_other() {
    let paths = paths(1);
    let (seen, submission) = (domain(RecordState::Right, Spf::Pass), envelope(Origin::Submission, "app@shop.example"));
    let path = paths.of(&submission, &seen, NOW).unwrap().path(1, 1).unwrap();
    let ReversePath::Mailbox(address) = &path else { panic!("{path}") };
    assert_eq!(address.domain(), "rp-abc.shop.example");
    let token = paths.token(address.local(), NOW).unwrap();
    assert_eq!((token.message, token.recipient(), token.user), (MessageId(9), Some(1), Some(Id::new(2))));
    let both = paths.of(&submission, &seen, NOW).unwrap().path(0, 2).unwrap();
    let ReversePath::Mailbox(both) = &both else { panic!("{both}") };
    assert_eq!(paths.token(both.local(), NOW).unwrap().recipient(), None);

    let unseen = SendingDomain { check: None, ..seen.clone() };
    for domain in [domain(RecordState::Absent, Spf::Pass), unseen] {
        assert!(paths.of(&submission, &domain, NOW).is_none());
    }
    for envelope in [envelope(Origin::Submission, ""), envelope(Origin::Notification(MessageId(1)), "app@shop.example")]
    {
        assert!(paths.of(&envelope, &seen, NOW).is_none());
    }
}
