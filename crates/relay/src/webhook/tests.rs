//! What is told to whom, and that it is signed as the specification says.

use super::*;
use crate::dice::Seeded;
use crate::id::{MessageId, SessionId};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn row(status: Status) -> ActivityRow {
    ActivityRow {
        row: 17,
        at: NOW,
        updated_at: NOW,
        status,
        recipient: "you@example.org".into(),
        sender: "shop@example.com".into(),
        subject: "Été".into(),
        message: Some(MessageId(5)),
        account: Id::new(1),
        user: Some(Id::new(3)),
        domain: Some(Id::new(2)),
        session: Some(SessionId(6)),
        class: None,
        reason: String::new(),
        reply: "250 Ok".into(),
        reference: String::new(),
        attempts: 1,
        count: 1,
        sandbox: false,
        held: None,
        last_attempt: None,
    }
}

fn webhook() -> Webhook {
    Webhook {
        id: Id::new(9),
        account: Id::new(1),
        name: "Shop".into(),
        url: "https://example.com/".into(),
        events: EventKind::CHOICES.to_vec(),
        domain: None,
        user: None,
        state: WebhookState::Enabled,
        rotated_at: None,
        created_at: NOW,
    }
}

#[test]
fn a_webhook_is_told_what_it_wants_of_its_own_account() {
    let row = row(Status::Delivered);
    assert!(webhook().wants(EventKind::Delivered, &row));
    for other in [
        Webhook { account: Id::new(2), ..webhook() },
        Webhook { events: vec![EventKind::HardBounce], ..webhook() },
        Webhook { domain: Some(Id::new(7)), ..webhook() },
        Webhook { user: Some(Id::new(7)), ..webhook() },
        Webhook { state: WebhookState::Disabled, ..webhook() },
        Webhook { state: WebhookState::Gone, ..webhook() },
        Webhook { created_at: NOW.after(Duration::from_millis(1)), ..webhook() },
    ] {
        assert!(!other.wants(EventKind::Delivered, &row), "{other:?}");
    }
    assert!(
        Webhook { domain: Some(Id::new(2)), user: Some(Id::new(3)), ..webhook() }.wants(EventKind::Delivered, &row)
    );
    assert_eq!(EventKind::of(Status::Pending), None);
}

fn brake(subject: Subject) -> Brake {
    Brake {
        subject,
        account: Id::new(1),
        cause: crate::brake::Cause::HardBounces,
        counted: 26,
        of: 210,
        since: NOW,
        told: false,
        released: None,
        released_before: None,
    }
}

#[test]
fn a_brake_is_told_once_as_it_goes_on_and_once_as_it_is_released() {
    let directory = |webhook: Webhook| {
        let mut directory = Directory::default();
        directory.webhooks.insert((webhook.account, webhook.id), webhook.into());
        directory
    };
    let told = |webhook: Webhook, brake: &Brake| -> Vec<EventKind> {
        brake_calls(&directory(webhook), brake).into_iter().map(|call| call.event).collect()
    };
    let (user, account) = (brake(Subject::User(Id::new(3))), brake(Subject::Account(Id::new(1))));
    assert_eq!(told(webhook(), &user), [EventKind::BrakeOn]);
    let narrowed = |number| Webhook { user: Some(Id::new(number)), ..webhook() };
    assert_eq!(told(narrowed(3), &user), [EventKind::BrakeOn]);
    assert_eq!(told(narrowed(7), &user), []);
    assert_eq!(told(narrowed(7), &account), [EventKind::BrakeOn], "it stops their mail as well");
    assert_eq!(told(Webhook { domain: Some(Id::new(2)), ..webhook() }, &user), [], "a domain of nobody's");
    assert_eq!(told(Webhook { account: Id::new(2), ..webhook() }, &user), []);
    assert_eq!(told(Webhook { events: vec![EventKind::Delivered], ..webhook() }, &user), []);

    let at = NOW.after(Duration::from_secs(60));
    let seen = crate::brake::Seen::default();
    let release = crate::brake::Release { at, by: "jane".into(), by_operator: false, seen };
    let released = Brake { released: Some(release), ..user.clone() };
    let (first, both) = (brake_calls(&directory(webhook()), &user), brake_calls(&directory(webhook()), &released));
    assert_eq!(first[0].call, both[0].call, "what is made again is the same call");
    let again = Brake { since: at, ..user };
    assert_ne!(brake_calls(&directory(webhook()), &again)[0].call, first[0].call);
    let body: serde_json::Value = serde_json::from_str(&both[1].body).unwrap();
    assert_eq!((&body["type"], &body["data"]["brake"]), (&"brake.released".into(), &"U3".into()));
    assert_eq!(body["data"]["released_at"], moment::text(at));
    let later = Webhook { created_at: at, ..webhook() };
    assert_eq!(told(later, &released), [EventKind::BrakeReleased], "what was before it is not told");
}

#[test]
fn a_listed_domain_is_told_to_its_account() {
    let mut directory = Directory::default();
    directory.webhooks.insert((webhook().account, webhook().id), webhook().into());
    let owned = Owned { domain: Id::new(2), account: Id::new(1) };
    let change = Change {
        list: "dbl.test".into(),
        name: "shop.example".into(),
        owned: Some(owned),
        is_listed: true,
        at: NOW.after(Duration::from_secs(60)),
    };
    let made = listing_calls(&directory, &change);
    let body: serde_json::Value = serde_json::from_str(&made[0].body).unwrap();
    let data = serde_json::json!({"domain": 2, "domain_name": "shop.example", "account": 1, "list": "dbl.test"});
    assert_eq!((&body["type"], &body["data"]), (&"blocklist.listed".into(), &data));
    assert_eq!(listing_calls(&directory, &change)[0].call, made[0].call);
    let gone = Change { is_listed: false, ..change.clone() };
    assert_eq!(listing_calls(&directory, &gone)[0].event, EventKind::BlocklistDelisted);
    assert_ne!(listing_calls(&directory, &gone)[0].call, made[0].call);
    let other = Owned { account: Id::new(2), ..owned };
    assert_eq!(listing_calls(&directory, &Change { owned: Some(other), ..change.clone() }), []);
    assert_eq!(listing_calls(&directory, &Change { owned: None, ..change.clone() }), [], "an address is no account's");
    for narrowed in [
        Webhook { domain: Some(Id::new(9)), ..webhook() },
        Webhook { user: Some(Id::new(3)), ..webhook() },
        Webhook { events: vec![EventKind::BrakeOn], ..webhook() },
        Webhook { created_at: change.at.after(Duration::from_secs(1)), ..webhook() },
    ] {
        directory.webhooks.insert((narrowed.account, narrowed.id), narrowed.into());
        assert_eq!(listing_calls(&directory, &change), []);
    }
}

#[test]
fn what_is_sent_has_the_names_of_the_api() {
    let numbers = CursorKey::new([7; 32]);
    let made = calls([&webhook()].into_iter(), &row(Status::HardBounce), 0, &numbers);
    let body: serde_json::Value = serde_json::from_str(&made[0].body).unwrap();
    assert_eq!(
        (&body["type"], &body["timestamp"]),
        (&"recipient.hard_bounce".into(), &"2027-01-15T08:00:00.000Z".into())
    );
    assert_eq!(
        (&body["data"]["recipient"], &body["data"]["status"]),
        (&"you@example.org".into(), &"hard_bounce".into())
    );
    let own = Scope::Account(Id::new(1), Powers::ALL);
    assert_eq!(body["data"]["row"], numbers.number(own, 17), "the number by which the account knows the row");
    assert_eq!(calls([&webhook()].into_iter(), &row(Status::Pending), 0, &numbers), []);
    let test = test_call(&webhook(), NOW, &mut Seeded::new(1));
    let body: serde_json::Value = serde_json::from_str(&test.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["webhook"]), (&"webhook.test".into(), &9.into()));
}

#[test]
fn an_id_is_that_of_its_event() {
    let numbers = CursorKey::new([7; 32]);
    let id = |webhook: &Webhook, row: &ActivityRow, place| calls([webhook].into_iter(), row, place, &numbers)[0].call;
    let (one, told) = (webhook(), row(Status::Delivered));
    let known = id(&one, &told, 0);
    // read again from another log, the row may have another number
    assert_eq!(id(&one, &ActivityRow { row: 99, ..told.clone() }, 0), known);
    let others = [
        id(&Webhook { id: Id::new(8), ..one.clone() }, &told, 0),
        id(&one, &told, 1),
        id(&one, &row(Status::Accepted), 0),
        id(&one, &ActivityRow { message: Some(MessageId(6)), ..told.clone() }, 0),
        id(&one, &ActivityRow { attempts: 2, ..told.clone() }, 0),
        id(&one, &ActivityRow { recipient: "other@example.org".into(), ..told.clone() }, 0),
    ];
    assert!(others.iter().all(|other| *other != known));
    let text = known.to_string();
    assert!(text.starts_with("msg_") && text.len() == 36);
    assert_eq!(text.parse(), Ok(known));
    for wrong in ["", "msg_", "msg_00", &text[4..], &format!("{text}0"), &text.replace("msg_", "msg-"), &"é".repeat(18)]
    {
        assert!(wrong.parse::<CallId>().is_err(), "{wrong}");
    }
}

/// The example of the specification's own libraries.
#[test]
fn the_signature_is_that_of_the_specification() {
    let secret = Secret::new(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_vec());
    let tag = |id: &str| {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = format!(r#"{id}.1614265330.{{"test": 2432232314}}"#);
        STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes()))
    };
    // the vector, which says that the construction is right
    assert_eq!(tag("msg_p5jXN8AQM9LWM0D4loKWxJek"), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let call = CallId([0xab; 16]);
    let made = signature(&[secret], call, Timestamp(1_614_265_330_999), r#"{"test": 2432232314}"#);
    assert_eq!(made, format!("v1,{}", tag(&call.to_string())));
}

#[test]
fn two_secrets_make_two_signatures_for_a_day() {
    let mut dice = Seeded::new(1);
    let (one, other) = (new_secret(&mut dice), new_secret(&mut dice));
    assert!(one.expose().starts_with(b"whsec_") && one.expose().len() == 6 + 44);
    let call = CallId([1; 16]);
    let both = signature(&[one.clone(), other.clone()], call, NOW, "{}");
    let each: Vec<_> = both.split(' ').collect();
    assert_eq!(each, [signature(&[one], call, NOW, "{}"), signature(&[other], call, NOW, "{}")]);
    let rotated = Webhook { rotated_at: Some(NOW), ..webhook() };
    assert!(rotated.has_two_secrets(NOW) && rotated.has_two_secrets(NOW.after(ROTATION - Duration::from_millis(1))));
    assert!(!rotated.has_two_secrets(NOW.after(ROTATION)) && !webhook().has_two_secrets(NOW));
}
