//! The rules of submission, one by one, without a socket.

mod handed_in;
mod quota;
mod scene;

use message::admission::{AdmissionError, From, Inspection};
use smtp::address::{Address, ReversePath};
use smtp::dsn::{Notify, Ret};
use smtp::envelope::{MailParameters, RcptParameters};
use smtp::sasl::Mechanism;
use smtp::server::About;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::account::AccountState;
use crate::activity::NoticeKind;
use crate::clock::Day;
use crate::plan::{Next, Plan, Subscription};
use crate::priority::Class;
use crate::queue::TlsWish;
use crate::sending_domain::DomainState;
use crate::suppression::{Suppression, SuppressionCause};
use scene::*;

#[test]
fn either_live_password_logs_in() {
    let mut scene = Scene::new();
    let mut visit = scene.visit("192.0.2.1");
    let decision = scene.login(&mut visit, "alice", "second");
    assert!(yes(&decision) && visit.is_logged_in());
    let login = decision.login.unwrap();
    assert_eq!((login.user, login.address, login.at), (Id::new(1), "192.0.2.1".parse().unwrap(), NOW));
}

#[test]
fn unknown_user_and_wrong_password_read_alike_and_are_noted_apart() {
    let mut scene = Scene::new();
    scene.user(1, |user| user.enabled = false);
    let mut visit = scene.visit("192.0.2.1");
    let wrong = scene.login(&mut visit, "alice", "wrong");
    let noted = scene.notices(&mut visit, &wrong, &username("alice"));
    let unknown = scene.login(&mut visit, "nobody", "wrong");
    assert_eq!(reply(&wrong.answer), reply(&unknown.answer));
    assert_eq!(reply(&wrong.answer).code, 535);
    assert!(counts_as_error(&wrong) && counts_as_error(&unknown));
    assert_eq!(
        (noted[0].kind, noted[0].user, noted[0].account),
        (NoticeKind::Connection, Some(Id::new(1)), Some(Id::new(1)))
    );
    assert_eq!(noted[0].reason, "The password is wrong for the SMTP user \"Shop\".");
    let noted = scene.notices(&mut visit, &unknown, &username("nobody"));
    assert_eq!((noted[0].user, noted[0].account, noted[0].username.as_str()), (None, None, "nobody"));
    assert_eq!(noted[0].reason, "No SMTP user has this username.");
    assert_eq!(noted[0].reply, "535 5.7.8 Authentication credentials invalid");
}

#[test]
fn the_right_password_says_what_is_the_matter() {
    let mut scene = Scene::new();
    let mut visit = scene.visit("192.0.2.1");
    scene.user(1, |user| user.enabled = false);
    let decision = scene.login(&mut visit, "alice", "right");
    assert_eq!((reference(&decision), reply(&decision.answer).code), ("user-disabled", 525));
    assert!(!counts_as_error(&decision));
    scene.user(1, |user| (user.enabled, user.rules.expires_at) = (true, Some(NOW)));
    assert_eq!(reference(&scene.login(&mut visit, "alice", "right")), "user-expired");
    scene.subscription(Subscription::none());
    let decision = scene.login(&mut visit, "bob", "other");
    assert_eq!((reference(&decision), reply(&decision.answer).code), ("account-without-plan", 525));
    assert!(!counts_as_error(&decision));
    scene.account(AccountState::Suspended);
    assert_eq!(reference(&scene.login(&mut visit, "bob", "other")), "account-suspended");
}

#[test]
fn a_plan_that_ends_with_the_period_ends_the_session_on_that_day() {
    let mut scene = Scene::new();
    let from = Day(NOW.day().0 + 1);
    scene.subscription(Subscription { next: Some(Next { plan: None, from }), ..Subscription::to(Plan::BUILT_IN) });
    let visit = scene.alice();
    assert_eq!(visit.revoked(&scene.directory, NOW), None);
    let tomorrow = NOW.after(Duration::from_secs(86_400));
    assert_eq!(visit.revoked(&scene.directory, tomorrow), Some(replies::session_revoked()));
}

#[test]
fn a_wrong_network_reads_like_a_wrong_password_and_is_no_failed_login() {
    let mut scene = Scene::with(Limits::default(), |rules| rules.networks = vec!["198.51.100.0/24".parse().unwrap()]);
    let mut visit = scene.visit("192.0.2.1");
    for _ in 0..30 {
        let decision = scene.login(&mut visit, "alice", "right");
        assert_eq!(reply(&decision.answer), &replies::auth_invalid());
        assert!(!counts_as_error(&decision) && decision.block.is_none());
        let noted = scene.notices(&mut visit, &decision, &username("alice"));
        assert_eq!(noted[0].reason, "The password is right, but this SMTP user may not log in from 192.0.2.1.");
    }
    let mut visit = scene.visit("::ffff:198.51.100.7");
    assert!(yes(&scene.login(&mut visit, "alice", "right")));
}

#[test]
fn one_wrong_pair_by_two_mechanisms_in_a_session_is_one_failure() {
    let mut scene = Scene::new();
    for session in 0..19 {
        let mut visit = scene.visit("192.0.2.1");
        let first = scene.login(&mut visit, "alice", "wrong");
        let second = scene.login_by(Mechanism::Login, &mut visit, "alice", "wrong");
        assert!(counts_as_error(&first) && !counts_as_error(&second), "session {session}");
        assert!(first.block.is_none() && second.block.is_none());
    }
    let mut visit = scene.visit("192.0.2.1");
    let block = scene.login(&mut visit, "alice", "wrong").block.unwrap();
    assert_eq!(block.cause, "20 failed logins within 10 minutes");
}

#[test]
fn one_mistake_by_two_mechanisms_is_noted_once() {
    let mut scene = Scene::new();
    let mut visit = scene.visit("192.0.2.1");
    let mut noted = |mechanism| {
        let decision = scene.login_by(mechanism, &mut visit, "alice", "wrong");
        scene.notices(&mut visit, &decision, &username("alice")).len()
    };
    let by = [Mechanism::Plain, Mechanism::Login, Mechanism::Login];
    assert_eq!(by.map(&mut noted), [1, 0, 1]);
}

#[test]
fn the_third_time_in_a_session_is_a_failure_of_its_own() {
    use Mechanism::{Login, Plain};
    let mut scene = Scene::new();
    let mut errors = |by: &[Mechanism]| -> Vec<_> {
        let mut visit = scene.visit("192.0.2.1");
        by.iter().map(|by| counts_as_error(&scene.login_by(*by, &mut visit, "alice", "wrong"))).collect()
    };
    assert_eq!(errors(&[Plain, Login, Plain, Login]), [true, false, true, true]);
    // the same mechanism once more is no second one
    assert_eq!(errors(&[Login, Login, Plain, Plain]), [true, true, false, true]);
}

#[test]
fn a_blocked_address_is_not_asked_for_its_password_but_a_known_pair_is() {
    let mut scene = Scene::new();
    scene.alice();
    let mut visit = scene.visit("192.0.2.1");
    for number in 0..5 {
        let decision = scene.login(&mut visit, "bob", &format!("wrong {number}"));
        assert_eq!(decision.block.is_some(), number == 4);
        let noted = scene.notices(&mut visit, &decision, &username("bob"));
        assert_eq!(noted[0].reason.contains("Blocked for 15 minutes"), number == 4);
    }
    let mut visit = scene.visit("192.0.2.1");
    let decision = scene.login(&mut visit, "bob", "other");
    assert_eq!((reference(&decision), reply(&decision.answer).code), ("auth-blocked", 454));
    assert!(reply(&decision.answer).text().contains("15 minutes"));
    assert!(!counts_as_error(&decision));
    assert!(yes(&scene.login(&mut visit, "alice", "right")));
    scene.now = NOW.after(Duration::from_secs(900));
    let mut visit = scene.visit("192.0.2.1");
    assert!(yes(&scene.login(&mut visit, "bob", "other")));
}

#[test]
fn a_blocked_address_where_nobody_logged_in_is_not_greeted_and_it_is_noted() {
    let mut scene = Scene::new();
    let mut visit = scene.visit("192.0.2.1");
    for number in 0..5 {
        scene.login(&mut visit, "bob", &format!("wrong {number}"));
    }
    let place = scene.shared.slots().enter().unwrap();
    let mut visit = Visit::new(SessionId(1), "192.0.2.1".parse().unwrap(), place);
    let refusal = scene.shared.greet(&mut visit, NOW).unwrap_err();
    assert_eq!(refusal, replies::address_blocked(15));
    let noted = visit.on_reply(&scene.shared, &scene.directory, &refusal, &About::Session, NOW);
    assert_eq!((noted.len(), noted[0].reference.as_str(), noted[0].account), (1, "address-blocked", None));
    scene.shared.lift("192.0.2.1".parse().unwrap());
    scene.visit("192.0.2.1");
}

#[test]
fn the_eleventh_session_is_refused_after_the_password_and_has_one_command_left() {
    let mut scene = Scene::new();
    let open: Vec<_> = (0..10).map(|_| scene.alice()).collect();
    let mut visit = scene.visit("192.0.2.1");
    assert_eq!(reference(&scene.login(&mut visit, "alice", "wrong")), "auth-invalid");
    let decision = scene.login(&mut visit, "alice", "right");
    assert_eq!(reply(&decision.answer).text(), "Too many active sessions for user. Please retry later.");
    assert_eq!((reply(&decision.answer).code, decision.end.unwrap().code), (454, 421));
    drop(open);
    assert!(yes(&scene.login(&mut visit, "alice", "right")));
}

#[test]
fn the_reverse_path_is_of_the_users_exact_domain() {
    let mut scene = Scene::new();
    let mut visit = scene.alice();
    for path in ["shop@café.example", "other@xn--caf-dma.example", "x@CAFÉ.example", ""] {
        assert!(yes(&scene.mail(&mut visit, path, true)), "{path}");
    }
    for path in ["shop@sub.café.example", "shop@notcafé.example", "shop@example", "shop@[192.0.2.1]"] {
        let decision = scene.mail(&mut visit, path, true);
        assert_eq!((reference(&decision), reply(&decision.answer).code), ("sender-domain-foreign", 550), "{path}");
        assert!(!counts_as_error(&decision));
        let noted = scene.notices(&mut visit, &decision, &About::Sender(path.into()));
        assert_eq!((noted[0].kind, noted[0].sender.as_str()), (NoticeKind::Rejected, path));
        assert_eq!((noted[0].account, noted[0].domain), (Some(Id::new(1)), Some(Id::new(1))));
    }
}

#[test]
fn a_domain_that_is_neither_validated_nor_vouched_may_not_send() {
    let mut scene = Scene::new();
    let mut visit = scene.alice();
    for (state, taken) in [
        (DomainState::Pending, false),
        (DomainState::Failed, false),
        (DomainState::Validated, true),
        (DomainState::Warning, true),
        (DomainState::Vouched, true),
    ] {
        scene.domain(|domain| domain.state = state);
        for path in ["shop@café.example", ""] {
            let decision = scene.mail(&mut visit, path, true);
            assert_eq!(yes(&decision), taken, "{state:?}");
            if !taken {
                assert_eq!(reference(&decision), "sender-domain-unauthenticated");
                let noted = scene.notices(&mut visit, &decision, &About::Sender(path.into()));
                assert!(noted[0].reason.contains("DNS"), "{}", noted[0].reason);
            }
        }
    }
}

#[test]
fn from_is_one_address_of_the_same_domain() {
    let mut scene = Scene::new();
    for (from, expected) in [
        (From::Missing, "from-missing"),
        (From::Several, "from-several"),
        (From::One("shop@other.example".into()), "from-domain-foreign"),
        (From::One("shop@sub.café.example".into()), "from-domain-foreign"),
    ] {
        let mut visit = scene.alice();
        scene.begin(&mut visit, &["a@example.com", "b@example.com"]);
        let answer = scene.admit(&mut visit, Ok(inspection(from))).unwrap_err();
        assert_eq!(reply(&answer).reference, Some(expected));
        visit.on_abandon();
        let noted = visit.on_reply(&scene.shared, &scene.directory, reply(&answer), &About::Content, NOW);
        let recipients: Vec<_> = noted.iter().map(|notice| notice.recipient.as_str()).collect();
        assert_eq!(recipients, ["a@example.com", "b@example.com"]);
        assert_eq!((noted[0].subject.as_str(), noted[0].sender.as_str()), ("Your order", "shop@café.example"));
    }
    let mut visit = scene.alice();
    assert!(yes(&scene.mail(&mut visit, "", false)));
    assert!(yes(&scene.recipient(&mut visit, "a@example.com")));
    assert!(yes(&scene.ask(&mut visit, &Question::Begin)));
    let envelope = scene.admit(&mut visit, Ok(inspection(From::One("x@xn--caf-dma.example".into())))).unwrap();
    assert_eq!(envelope.reverse_path, ReversePath::Null);
}

#[test]
fn how_long_the_submission_took_is_counted_from_each_messages_own_mail() {
    let mut scene = Scene::new();
    let mut visit = scene.alice();
    let took = |scene: &mut Scene, visit: &mut Visit, seconds| {
        scene.begin(visit, &["a@example.com"]);
        scene.now = scene.now.after(Duration::from_secs(seconds));
        let envelope = scene.admit(visit, Ok(own())).unwrap();
        visit.on_accepted();
        envelope.session.unwrap().milliseconds
    };
    assert_eq!(took(&mut scene, &mut visit, 3), Some(3_000));
    scene.now = scene.now.after(Duration::from_secs(60));
    assert_eq!(took(&mut scene, &mut visit, 0), Some(0), "the time between messages is nobody's");
    // the clock goes back meanwhile
    scene.begin(&mut visit, &["a@example.com"]);
    scene.now = Timestamp(scene.now.0 - 5_000);
    let envelope = scene.admit(&mut visit, Ok(own())).unwrap();
    assert_eq!(envelope.session.unwrap().milliseconds, Some(0));
}

#[test]
fn a_list_of_senders_holds_for_reverse_path_and_from() {
    let mut scene = Scene::with(Limits::default(), |rules| rules.senders = vec!["Shop@xn--caf-dma.example".into()]);
    let mut visit = scene.alice();
    assert_eq!(reference(&scene.mail(&mut visit, "other@café.example", true)), "sender-not-allowed");
    scene.begin(&mut visit, &["a@example.com"]);
    let answer = scene.admit(&mut visit, Ok(inspection(From::One("other@café.example".into())))).unwrap_err();
    assert_eq!(reply(&answer).reference, Some("from-not-allowed"));
    scene.begin(&mut visit, &["a@example.com"]);
    scene.admit(&mut visit, Ok(own())).unwrap();
}

#[test]
fn recipient_domains_may_be_listed() {
    let mut scene = Scene::with(Limits::default(), |rules| rules.recipient_domains = vec!["example.com".into()]);
    let mut visit = scene.alice();
    scene.mail(&mut visit, "shop@café.example", true);
    assert!(yes(&scene.recipient(&mut visit, "a@EXAMPLE.com")));
    let decision = scene.recipient(&mut visit, "a@sub.example.com");
    assert_eq!(reference(&decision), "recipient-not-allowed");
    let noted = scene.notices(&mut visit, &decision, &About::Recipient("a@sub.example.com".into()));
    assert_eq!(noted.iter().map(|notice| &*notice.recipient).collect::<Vec<_>>(), ["a@sub.example.com"]);
}

#[test]
fn a_suppressed_recipient_is_answered_yes_and_kept_apart_or_refused_where_asked() {
    let mut scene = Scene::new();
    let by = |cause| Suppression::new(cause, "", scene.now, &Limits::default());
    let over = Suppression { until: Some(scene.now), ..by(SuppressionCause::Bounce) };
    let listed = [("gone@example.com", by(SuppressionCause::Bounce)), ("back@example.com", over)];
    let suppressed = listed.into_iter().map(|(address, one)| (address.to_owned(), one)).collect();
    scene.directory.suppressions.insert(Id::new(1), Arc::new(suppressed));
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["Gone@example.com", "a@example.com", "a@example.com", "back@example.com"]);
    let envelope = scene.admit(&mut visit, Ok(own())).unwrap();
    assert_eq!(envelope.recipients, ["a@example.com", "back@example.com"].map(|to| Address::parse(to, false).unwrap()));
    assert_eq!(envelope.suppressed, [Address::parse("Gone@example.com", false).unwrap()]);
    scene.user(1, |user| user.rules.refuse_suppressed = true);
    assert_eq!(reference(&scene.recipient(&mut visit, "gone@example.com")), "recipient-suppressed");
}

#[test]
fn all_or_nothing_refuses_everything_after_one_refusal() {
    let mut scene = Scene::with(Limits::default(), |rules| rules.all_or_nothing = true);
    let mut visit = scene.alice();
    scene.mail(&mut visit, "shop@café.example", true);
    assert!(yes(&scene.recipient(&mut visit, "a@example.com")));
    assert!(yes(&scene.recipient(&mut visit, "b@example.com")));
    // the machine itself refused one
    let refusal = replies::recipient_syntax("no domain");
    let about = About::Recipient("mario@gmail".into());
    let noted = visit.on_reply(&scene.shared, &scene.directory, &refusal, &about, NOW);
    let rows: Vec<_> = noted.iter().map(|notice| (&*notice.recipient, &*notice.reference)).collect();
    assert_eq!(
        rows,
        [("mario@gmail", "recipient-syntax"), ("a@example.com", "all-or-nothing"), ("b@example.com", "all-or-nothing")]
    );
    let decision = scene.recipient(&mut visit, "c@example.com");
    assert_eq!((reference(&decision), reply(&decision.answer).code), ("all-or-nothing", 554));
    assert_eq!(scene.notices(&mut visit, &decision, &About::Recipient("c@example.com".into())).len(), 1);
    let decision = scene.ask(&mut visit, &Question::Begin);
    assert_eq!(reference(&decision), "all-or-nothing");
    assert_eq!(scene.notices(&mut visit, &decision, &About::Content), []);
    visit.on_abandon();
    scene.begin(&mut visit, &["a@example.com"]);
}

#[test]
fn the_rate_is_answered_with_the_seconds_left() {
    let mut scene =
        Scene::with(Limits { user_messages_per_minute: 6, user_messages_burst: 1, ..Limits::default() }, |_| {});
    let mut visit = scene.alice();
    assert!(yes(&scene.mail(&mut visit, "shop@café.example", true)));
    let decision = scene.mail(&mut visit, "shop@café.example", true);
    assert_eq!(reply(&decision.answer), &replies::rate_limited(10));
}

#[test]
fn what_changes_during_a_session_ends_it_and_refuses_the_message_under_way() {
    let changes: [fn(&mut Scene); 7] = [
        |scene| scene.user(1, |user| user.enabled = false),
        |scene| scene.user(1, |user| user.passwords = vec![PasswordKey::new(KEY).hash(b"new")]),
        |scene| scene.user(1, |user| user.rules.expires_at = Some(NOW)),
        |scene| scene.account(AccountState::Suspended),
        |scene| scene.subscription(Subscription::none()),
        |scene| drop(scene.directory.users.remove(&Id::new(1))),
        |scene| drop(scene.directory.domains.remove(&Id::new(1))),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = Scene::new();
        let mut visit = scene.alice();
        assert_eq!(visit.revoked(&scene.directory, NOW), None);
        scene.begin(&mut visit, &["a@example.com"]);
        change(&mut scene);
        let answer = scene.admit(&mut visit, Ok(own())).unwrap_err();
        assert!(matches!(&answer, Answer::Close(reply) if reply.code == 421), "change {number}: {answer:?}");
        let noted = visit.on_reply(&scene.shared, &scene.directory, reply(&answer), &About::Content, NOW);
        assert_eq!((noted[0].user, noted[0].account), (Some(Id::new(1)), Some(Id::new(1))), "change {number}");
        if number < 6 {
            assert_eq!(visit.revoked(&scene.directory, NOW), Some(replies::session_revoked()), "change {number}");
        }
        assert!(matches!(scene.mail(&mut visit, "", false).answer, Answer::Close(_)));
    }
}

#[test]
fn another_password_of_the_same_user_changes_nothing_for_a_session() {
    let mut scene = Scene::new();
    let visit = scene.alice();
    let key = PasswordKey::new(KEY);
    scene.user(1, |user| user.passwords = vec![key.hash(b"right"), key.hash(b"third")]);
    assert_eq!(visit.revoked(&scene.directory, NOW), None);
}

#[test]
fn a_domain_that_loses_its_records_refuses_the_message_under_way() {
    let mut scene = Scene::new();
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["a@example.com"]);
    scene.domain(|domain| domain.state = DomainState::Failed);
    let answer = scene.admit(&mut visit, Ok(own())).unwrap_err();
    assert_eq!(reply(&answer).reference, Some("from-domain-unauthenticated"));
}

#[test]
fn content_that_cannot_be_admitted_has_its_reply() {
    for (error, code) in [(AdmissionError::Nul, 550), (AdmissionError::Loop, 554), (AdmissionError::HeaderTooLong, 552)]
    {
        let mut scene = Scene::new();
        let mut visit = scene.alice();
        scene.begin(&mut visit, &["a@example.com"]);
        assert_eq!(reply(&scene.admit(&mut visit, Err(error)).unwrap_err()).code, code);
    }
}

#[test]
fn the_envelope_says_what_the_next_hop_needs_from_what_is_really_there() {
    let ascii = ("a@example.com", false, false, false);
    for ((recipient, smtputf8, header, body), expected) in [
        (ascii, (false, false)),
        (("a@example.com", true, false, false), (false, false)),
        (("a@example.com", true, true, false), (true, true)),
        (("a@example.com", false, true, false), (false, true)),
        (("a@example.com", true, false, true), (false, true)),
        (("é@example.com", true, false, false), (false, false)),
    ] {
        let mut scene = Scene::new();
        let mut visit = scene.alice();
        scene.mail(&mut visit, "shop@xn--caf-dma.example", smtputf8);
        scene.recipient(&mut visit, recipient);
        scene.ask(&mut visit, &Question::Begin);
        let inspection = Inspection { header_eight_bit: header, body_eight_bit: body, ..own() };
        let envelope = scene.admit(&mut visit, Ok(inspection)).unwrap();
        assert_eq!(
            (envelope.header_needs_smtputf8, envelope.needs_eight_bit),
            expected,
            "{recipient} {smtputf8} {header} {body}"
        );
    }
}

#[test]
fn envelope_and_stamp_carry_what_is_known() {
    let mut scene = Scene::with(Limits::default(), |rules| (rules.sandbox, rules.retry_seconds) = (true, Some(3_600)));
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["a@example.com"]);
    let stamp = visit.stamp(&scene.shared, &scene.directory, "ESMTPSA", NOW);
    assert_eq!((stamp.hostname.as_str(), stamp.domain.as_str()), ("relay.example.net", "xn--caf-dma.example"));
    assert_eq!(
        (stamp.recipient.as_deref(), stamp.protocol, stamp.seconds),
        (Some("a@example.com"), "ESMTPSA", NOW.0 / 1_000)
    );
    assert_eq!(stamp.session, visit.session().to_string());
    let envelope = scene.admit(&mut visit, Ok(own())).unwrap();
    assert_eq!(stamp.message, envelope.message.to_string());
    assert_eq!((envelope.account, envelope.user, envelope.domain), (Id::new(1), Some(Id::new(1)), Some(Id::new(1))));
    assert_eq!((envelope.sandbox, envelope.retry_for), (true, Some(Duration::from_secs(3_600))));
    assert_eq!(envelope.facts.from, "shop@café.example");
    let session = envelope.session.unwrap();
    assert_eq!((session.tls.as_str(), session.client_name.as_str()), ("TLS 1.3", "client.example"));
    visit.on_accepted();
    scene.begin(&mut visit, &["a@example.com", "b@example.com"]);
    assert_eq!(visit.stamp(&scene.shared, &scene.directory, "ESMTPSA", NOW).recipient, None);
}

#[test]
fn trouble_before_a_login_belongs_to_the_one_account_that_logs_in_from_there() {
    let mut scene = Scene::new();
    scene.alice();
    let mut visit = scene.visit("192.0.2.1");
    let notice = visit.on_tls_trouble(&scene.shared, &scene.directory, &TlsTrouble::Old, NOW);
    assert_eq!((notice.account, notice.user, notice.reference.as_str()), (Some(Id::new(1)), None, "tls-old"));
    let noted = visit.on_reply(&scene.shared, &scene.directory, &replies::tls_required(), &About::Session, NOW);
    assert_eq!((noted[0].account, noted[0].reference.as_str()), (Some(Id::new(1)), "tls-required"));
    scene.user(2, |user| user.account = Id::new(9));
    scene.directory.accounts.insert(Id::new(9), Arc::clone(&scene.directory.accounts[&Id::new(1)]));
    assert!(yes(&scene.login(&mut visit, "bob", "other")));
    let mut visit = scene.visit("192.0.2.1");
    assert_eq!(visit.on_tls_trouble(&scene.shared, &scene.directory, &TlsTrouble::Old, NOW).account, None);
    let mut visit = scene.visit("192.0.2.2");
    assert_eq!(visit.on_tls_trouble(&scene.shared, &scene.directory, &TlsTrouble::Old, NOW).account, None);
}

#[test]
fn a_username_sent_in_the_clear_is_attributed_and_ordinary_stumbling_is_not_noted() {
    let mut scene = Scene::new();
    let mut visit = scene.visit("192.0.2.1");
    let noted = visit.on_reply(&scene.shared, &scene.directory, &replies::auth_encryption(), &username("alice"), NOW);
    assert_eq!((noted[0].account, noted[0].user), (Some(Id::new(1)), Some(Id::new(1))));
    for reply in
        [replies::command_unknown(), replies::idle(), replies::shutting_down(), replies::wrong_order("MAIL first")]
    {
        assert_eq!(visit.on_reply(&scene.shared, &scene.directory, &reply, &About::Session, NOW), []);
    }
    let about = About::Sender("x@example.com".into());
    let noted = visit.on_reply(&scene.shared, &scene.directory, &replies::auth_required(), &about, NOW);
    assert_eq!((noted[0].kind, noted[0].reference.as_str()), (NoticeKind::Connection, "auth-required"));
}

#[test]
fn refusals_in_quick_succession_are_not_worth_a_reply() {
    let mut scene = Scene::new();
    let visit = scene.visit("192.0.2.1");
    assert!((0..20).all(|_| scene.shared.is_worth_a_reply(&visit, NOW)));
    assert!(!scene.shared.is_worth_a_reply(&visit, NOW));
    let other = scene.visit("192.0.2.2");
    assert!(scene.shared.is_worth_a_reply(&other, NOW));
    assert!(scene.shared.is_worth_a_reply(&visit, NOW.after(Duration::from_secs(1))));
}

#[test]
fn what_the_sender_wants_of_tls_is_kept_with_the_envelope() {
    for (require_tls, waives_tls, expected) in [
        (false, false, TlsWish::AsAsked),
        (true, false, TlsWish::Required),
        (false, true, TlsWish::Waived),
        // what MAIL says goes before what the header says
        (true, true, TlsWish::Required),
    ] {
        let mut scene = Scene::new();
        let mut visit = scene.alice();
        let path = ReversePath::parse("shop@xn--caf-dma.example", false).unwrap();
        let parameters = MailParameters { require_tls, ..MailParameters::default() };
        assert!(yes(&scene.ask(&mut visit, &Question::ReversePath { path, parameters })));
        assert!(yes(&scene.recipient_with(&mut visit, "a@b.example", RcptParameters::default())));
        assert!(yes(&scene.ask(&mut visit, &Question::Begin)));
        let inspection = Inspection { waives_tls, ..own() };
        assert_eq!(scene.admit(&mut visit, Ok(inspection)).unwrap().tls_wish, expected);
    }
}

#[test]
fn what_was_asked_about_notifications_is_kept_with_the_envelope() {
    let mut scene = Scene::new();
    let suppressed = [("gone@b.example".to_owned(), Suppression::manual("", NOW))].into_iter().collect();
    scene.directory.suppressions.insert(Id::new(1), Arc::new(suppressed));
    let mut visit = scene.alice();
    let path = ReversePath::parse("shop@caf\u{e9}.example", true).unwrap();
    let parameters =
        MailParameters { smtputf8: true, ret: Some(Ret::Full), envid: Some("Q1".into()), ..MailParameters::default() };
    assert!(yes(&scene.ask(&mut visit, &Question::ReversePath { path, parameters })));
    let notify = |text: &str| RcptParameters { notify: Notify::parse(text), orcpt: None };
    for (recipient, parameters) in [
        ("plain@b.example", RcptParameters::default()),
        ("gone@b.example", notify("NEVER")),
        ("asks@b.example", notify("SUCCESS")),
        // named again: what was asked first holds
        ("asks@b.example", notify("NEVER")),
        ("last@b.example", RcptParameters::default()),
    ] {
        assert!(yes(&scene.recipient_with(&mut visit, recipient, parameters)));
    }
    assert!(yes(&scene.ask(&mut visit, &Question::Begin)));
    let requests = scene.admit(&mut visit, Ok(own())).unwrap().requests.unwrap();
    assert_eq!((requests.ret, requests.envid.as_deref()), (Some(Ret::Full), Some("Q1")));
    assert_eq!(requests.recipients, [RcptParameters::default(), notify("SUCCESS")]);
    assert_eq!(requests.suppressed, [notify("NEVER")]);
    // and nothing where nothing was asked
    visit.on_accepted();
    scene.begin(&mut visit, &["plain@b.example"]);
    assert_eq!(scene.admit(&mut visit, Ok(own())).unwrap().requests, None);
}

#[test]
fn a_message_gets_the_priority_of_its_user_or_the_one_that_its_client_may_ask_for() {
    for (own, client_max, asked, answer, priority) in [
        (Class::Normal, 0, None, None, 0),
        (Class::Low, 0, None, None, -4),
        (Class::Normal, 0, Some(6), Some(0), 0),
        (Class::Normal, 0, Some(0), None, 0),
        (Class::High, 0, Some(9), Some(4), 4),
        (Class::High, 0, Some(-2), None, -2),
        (Class::Low, 0, Some(0), Some(-4), -4),
        (Class::Low, 3, Some(9), Some(3), 3),
        (Class::High, 3, Some(9), Some(4), 4),
        (Class::High, 3, Some(-9), None, -9),
        (Class::Low, 3, None, None, -4),
    ] {
        let limits = Limits { client_priority_max: client_max, ..Limits::default() };
        let mut scene = Scene::with(limits, |rules| rules.priority = own);
        let mut visit = scene.alice();
        let path = ReversePath::parse("shop@caf\u{e9}.example", true).unwrap();
        let parameters = MailParameters { smtputf8: true, priority: asked, ..MailParameters::default() };
        let told = match scene.ask(&mut visit, &Question::ReversePath { path, parameters }).answer {
            Answer::Yes => None,
            Answer::YesAt(told) => Some(told),
            other => panic!("{other:?}"),
        };
        assert_eq!(told, answer, "{own:?} {client_max} {asked:?}");
        assert!(yes(&scene.recipient(&mut visit, "ann@b.example")));
        assert!(yes(&scene.ask(&mut visit, &Question::Begin)));
        assert_eq!(visit.stamp(&scene.shared, &scene.directory, "ESMTPSA", NOW).priority, asked, "in Received");
        assert_eq!(scene.admit(&mut visit, Ok(scene::own())).unwrap().priority.value(), priority);
    }
}
