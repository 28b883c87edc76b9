//! The machine against scripted next hops, in any pieces.

mod login;

use super::*;
use crate::reply::Enhanced;
use crate::secret::Secret;
use proptest::prelude::*;

const EHLO: &str = "EHLO relay.example\r\n";
const PIPELINING: &str = "250-hub.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n";

/// A next hop that says its greeting, then answers each write by the line of the script that is next.
struct Peer {
    conversation: Conversation,
    input: BytesMut,
    /// Octets given to the machine at once.
    piece: usize,
    /// What is expected to be written, and what is answered.
    script: Vec<(String, String)>,
    said: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Stop {
    Ready,
    Content,
    StartTls,
    Done(Vec<Found>),
    Refused(Found),
    Close,
    Silence,
}

impl Peer {
    fn new(tls: Tls, greeting: &str, script: &[(&str, &str)]) -> Peer {
        let settings = Settings { hostname: "relay.example".into(), tls, login: None, patience: Patience::STANDARD };
        let own = |(write, reply): &(&str, &str)| ((*write).to_owned(), (*reply).to_owned());
        Peer {
            conversation: Conversation::new(settings),
            input: BytesMut::new(),
            piece: usize::MAX,
            script: script.iter().rev().map(own).collect(),
            said: greeting.as_bytes().to_vec(),
        }
    }

    fn open(script: &[(&str, &str)]) -> Peer {
        let mut peer = Peer::new(Tls::Opportunistic, "220 hub.example ESMTP\r\n", script);
        assert_eq!(peer.run(), Stop::Ready);
        peer
    }

    /// Runs until the driver would have to do more than read and write.
    fn run(&mut self) -> Stop {
        loop {
            match self.conversation.step(&mut self.input) {
                Step::Read if self.said.is_empty() => return Stop::Silence,
                Step::Read => {
                    let rest = self.said.split_off(self.piece.min(self.said.len()));
                    self.input.extend_from_slice(&std::mem::replace(&mut self.said, rest));
                }
                Step::Write(octets) => {
                    let (write, reply) = self.script.pop().unwrap_or_default();
                    assert_eq!(String::from_utf8_lossy(&octets), write);
                    self.said.extend_from_slice(reply.as_bytes());
                }
                Step::StartTls => return Stop::StartTls,
                Step::Ready => return Stop::Ready,
                Step::Content => return Stop::Content,
                Step::Done(found) => return Stop::Done(found),
                Step::Refused(found) => return Stop::Refused(found),
                Step::Close => return Stop::Close,
            }
        }
    }

    fn begin(&mut self, recipients: &[&str]) -> Stop {
        self.begin_needing(recipients, false, false)
    }

    fn begin_needing(&mut self, recipients: &[&str], needs_eight_bit: bool, needs_smtputf8: bool) -> Stop {
        let recipients: Vec<_> = recipients.iter().map(|text| Address::parse(text, true).unwrap()).collect();
        let reverse_path = ReversePath::Mailbox(Address::parse("s@a.example", false).unwrap());
        self.conversation.begin(&Transaction {
            reverse_path: &reverse_path,
            recipients: &recipients,
            octets: 1234,
            needs_eight_bit,
            needs_smtputf8,
            require_tls: RequireTls::No,
            priority: 0,
            asked: Asked::default(),
        });
        self.run()
    }

    /// A transaction to one recipient whose sender wants this of TLS.
    fn begin_requiring(&mut self, require_tls: RequireTls) -> Stop {
        self.conversation.begin(&Transaction {
            reverse_path: &ReversePath::Null,
            recipients: &[Address::parse("x@b.example", false).unwrap()],
            octets: 1234,
            needs_eight_bit: false,
            needs_smtputf8: false,
            require_tls,
            priority: 0,
            asked: Asked::default(),
        });
        self.run()
    }

    /// A transaction to two recipients, about the first of which something is asked.
    fn begin_asking(&mut self, asked: &RcptParameters, needs_smtputf8: bool) -> Stop {
        let recipients = ["x@b.example", "y@b.example"].map(|text| Address::parse(text, true).unwrap());
        self.conversation.begin(&Transaction {
            reverse_path: &ReversePath::Mailbox(Address::parse("s@a.example", false).unwrap()),
            recipients: &recipients,
            octets: 1234,
            needs_eight_bit: false,
            needs_smtputf8,
            require_tls: RequireTls::No,
            asked: Asked { ret: Some(Ret::Headers), envid: Some("Q+2B1"), recipients: &[asked] },
            priority: -4,
        });
        self.run()
    }

    /// The content goes out and this is said to it.
    fn content(&mut self, reply: &str) -> Stop {
        self.conversation.content_sent();
        self.said.extend_from_slice(reply.as_bytes());
        self.run()
    }
}

fn replied(stage: Stage, code: u16, text: &'static str) -> Found {
    let (enhanced, text) = match text.split_once(' ').map(|(head, rest)| (Enhanced::parse(head), rest)) {
        Some((Some(enhanced), rest)) => (Some(enhanced), rest),
        _ => (None, text),
    };
    Found::Replied(stage, Reply { code, enhanced, lines: vec![text.into()], reference: None })
}

fn is_protocol_fault(found: &Found) -> bool {
    matches!(found, Found::Failed(Fault::Protocol(_)))
}

#[test]
fn with_pipelining_a_transaction_is_one_write() {
    let mut peer = Peer::open(&[
        (EHLO, PIPELINING),
        (
            "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\n",
            "250 ok\r\n250 ok\r\n550 5.1.1 nobody\r\n354 go\r\n",
        ),
    ]);
    assert_eq!(peer.begin(&["x@b.example", "y@b.example"]), Stop::Content);
    let found = vec![replied(Stage::Content, 250, "2.0.0 taken"), replied(Stage::Recipient, 550, "5.1.1 nobody")];
    assert_eq!(peer.content("250 2.0.0 taken\r\n"), Stop::Done(found));
    assert_eq!(peer.run(), Stop::Ready);
}

#[test]
fn without_pipelining_every_reply_is_awaited() {
    let mut peer = Peer::open(&[
        (EHLO, "250-hub.example\r\n250 SIZE 9999\r\n"),
        ("MAIL FROM:<s@a.example> SIZE=1234\r\n", "250 ok\r\n"),
        ("RCPT TO:<x@b.example>\r\n", "450 later\r\n"),
        ("RCPT TO:<y@b.example>\r\n", "251 forwarded\r\n"),
        ("DATA\r\n", "354 go\r\n"),
        ("MAIL FROM:<s@a.example> SIZE=1234\r\n", "451 busy\r\n"),
        ("MAIL FROM:<s@a.example> SIZE=1234\r\n", "250 ok\r\n"),
        ("RCPT TO:<x@b.example>\r\n", ""),
    ]);
    assert_eq!(peer.begin(&["x@b.example", "y@b.example"]), Stop::Content);
    let found = vec![replied(Stage::Recipient, 450, "later"), replied(Stage::Content, 554, "no")];
    assert_eq!(peer.content("554 no\r\n"), Stop::Done(found));
    // the same conversation goes on
    assert_eq!(peer.begin(&["x@b.example"]), Stop::Done(vec![replied(Stage::Mail, 451, "busy")]));
    assert_eq!(peer.begin(&["x@b.example"]), Stop::Silence);
    assert_eq!(peer.conversation.patience(), Patience::STANDARD.recipient);
}

#[test]
fn where_all_recipients_are_refused_no_content_goes_out_and_the_next_begins_with_reset() {
    let mut peer = Peer::open(&[
        (EHLO, "250 hub.example\r\n"),
        ("MAIL FROM:<s@a.example>\r\n", "250 ok\r\n"),
        ("RCPT TO:<x@b.example>\r\n", "550 no\r\n"),
        ("RSET\r\n", "250 ok\r\n"),
        ("MAIL FROM:<s@a.example>\r\n", "250 ok\r\n"),
        ("RCPT TO:<y@b.example>\r\n", "250 ok\r\n"),
        ("DATA\r\n", "354 go\r\n"),
    ]);
    assert_eq!(peer.begin(&["x@b.example"]), Stop::Done(vec![replied(Stage::Recipient, 550, "no")]));
    assert_eq!(peer.begin(&["y@b.example"]), Stop::Content);
}

#[test]
fn data_asked_for_in_vain_gets_a_lone_dot() {
    let mut peer = Peer::open(&[
        (EHLO, PIPELINING),
        ("MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nDATA\r\n", "250 ok\r\n550 no\r\n354 go\r\n"),
        (".\r\n", "554 no valid recipients\r\n"),
    ]);
    assert_eq!(peer.begin(&["x@b.example"]), Stop::Done(vec![replied(Stage::Recipient, 550, "no")]));
    assert_eq!(peer.run(), Stop::Ready);
}

#[test]
fn a_refused_mail_decides_about_every_recipient() {
    let mut peer = Peer::open(&[
        (EHLO, PIPELINING),
        (
            "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nDATA\r\n",
            "550 5.7.1 not you\r\n503 no mail\r\n503 no mail\r\n",
        ),
    ]);
    assert_eq!(peer.begin(&["x@b.example"]), Stop::Done(vec![replied(Stage::Mail, 550, "5.7.1 not you")]));
    assert_eq!(peer.run(), Stop::Ready);
}

#[test]
fn a_refused_data_decides_about_those_accepted() {
    let mut peer = Peer::open(&[
        (EHLO, PIPELINING),
        (
            "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\n",
            "250 ok\r\n550 no\r\n250 ok\r\n451 full\r\n",
        ),
    ]);
    let found = vec![replied(Stage::Recipient, 550, "no"), replied(Stage::Data, 451, "full")];
    assert_eq!(peer.begin(&["x@b.example", "y@b.example"]), Stop::Done(found));
}

#[test]
fn what_is_needed_and_not_offered_is_never_sent() {
    let mut peer = Peer::open(&[(EHLO, "250-hub.example\r\n250 SIZE 1000\r\n")]);
    let failed = |fault| Stop::Done(vec![Found::Failed(fault)]);
    assert_eq!(peer.begin_needing(&["x@b.example"], true, false), failed(Fault::NeedsEightBit));
    assert_eq!(peer.begin_needing(&["x@b.example"], false, true), failed(Fault::NeedsSmtputf8));
    assert_eq!(peer.begin(&["x@b.example"]), failed(Fault::TooLarge(1000)));
    assert_eq!(peer.run(), Stop::Ready);
}

#[test]
fn parameters_are_said_only_where_they_are_needed() {
    let offered = "250-hub.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE\r\n";
    let mut peer = Peer::open(&[
        (EHLO, offered),
        ("MAIL FROM:<s@a.example> SIZE=1234\r\n", "250 ok\r\n"),
        ("RCPT TO:<x@b.example>\r\n", "550 no\r\n"),
        ("RSET\r\n", "250 ok\r\n"),
        ("MAIL FROM:<s@a.example> SIZE=1234 BODY=8BITMIME SMTPUTF8\r\n", "250 ok\r\n"),
        ("RCPT TO:<ü@b.example>\r\n", "250 ok\r\n"),
        ("DATA\r\n", "354 go\r\n"),
    ]);
    assert!(matches!(peer.begin(&["x@b.example"]), Stop::Done(_)));
    assert_eq!(peer.begin_needing(&["ü@b.example"], true, true), Stop::Content);
}

#[test]
fn tls_begins_with_a_new_ehlo_and_forgets_what_was_offered_in_the_clear() {
    let mut peer = Peer::new(
        Tls::Required,
        "220-hello\r\n220 there\r\n",
        &[
            (EHLO, "250-hub.example\r\n250-SMTPUTF8\r\n250 STARTTLS\r\n"),
            ("STARTTLS\r\n", "220 go\r\n"),
            (EHLO, "250-hub.example\r\n250 PIPELINING\r\n"),
        ],
    );
    assert_eq!(peer.run(), Stop::StartTls);
    peer.conversation.on_tls();
    assert_eq!(peer.run(), Stop::Ready);
    assert!(peer.conversation.capabilities().pipelining && !peer.conversation.capabilities().smtputf8);
}

#[test]
fn words_behind_starttls_end_it() {
    for tls in [Tls::Required, Tls::Opportunistic] {
        let script = [(EHLO, "250-hub\r\n250 STARTTLS\r\n"), ("STARTTLS\r\n", "220 go\r\n250 injected\r\n")];
        let mut peer = Peer::new(tls, "220 hub\r\n", &script);
        assert!(matches!(peer.run(), Stop::Refused(Found::Failed(Fault::Tls(_)))));
        assert_eq!(peer.run(), Stop::Close);
    }
}

#[test]
fn required_tls_does_not_do_without() {
    for script in [
        vec![(EHLO, "250 hub\r\n")],
        vec![(EHLO, "500 what?\r\n"), ("HELO relay.example\r\n", "250 hub\r\n")],
        vec![(EHLO, "250-hub\r\n250 STARTTLS\r\n"), ("STARTTLS\r\n", "502 no\r\n")],
    ] {
        let mut peer = Peer::new(Tls::Required, "220 hub\r\n", &script);
        assert!(matches!(peer.run(), Stop::Refused(Found::Failed(Fault::Tls(_)))), "{script:?}");
    }
    let script = [(EHLO, "250-hub\r\n250 STARTTLS\r\n"), ("STARTTLS\r\n", "454 not now\r\n")];
    let mut peer = Peer::new(Tls::Required, "220 hub\r\n", &script);
    assert!(matches!(peer.run(), Stop::Refused(Found::Failed(Fault::TlsForNow(_)))));
}

#[test]
fn opportunistic_tls_goes_on_without_and_says_why() {
    let script = [(EHLO, "250-hub\r\n250 STARTTLS\r\n"), ("STARTTLS\r\n", "454 4.7.0 not now\r\n")];
    let mut peer = Peer::new(Tls::Opportunistic, "220 hub\r\n", &script);
    assert_eq!(peer.run(), Stop::Ready);
    assert_eq!(peer.conversation.tls_refusal(), Some("454 4.7.0 not now"));
    let mut peer = Peer::new(Tls::Never, "220 hub\r\n", &script[..1]);
    assert_eq!(peer.run(), Stop::Ready);
}

#[test]
fn helo_is_said_where_ehlo_is_unknown() {
    let mut peer = Peer::open(&[
        (EHLO, "502 unknown\r\n"),
        ("HELO relay.example\r\n", "250 PIPELINING\r\n"),
        ("MAIL FROM:<s@a.example>\r\n", ""),
    ]);
    assert_eq!(peer.conversation.capabilities(), &Capabilities::default());
    assert_eq!(peer.begin(&["x@b.example"]), Stop::Silence);
}

#[test]
fn openings_are_refused_with_their_reply() {
    let refused = |greeting: &str, script: &[(&str, &str)]| {
        let mut peer = Peer::new(Tls::Opportunistic, greeting, script);
        let stop = peer.run();
        assert_eq!(peer.run(), Stop::Close);
        stop
    };
    let stop = refused("554 5.7.1 go away\r\n", &[]);
    assert_eq!(stop, Stop::Refused(replied(Stage::Greeting, 554, "5.7.1 go away")));
    let stop = refused("220 hub\r\n", &[(EHLO, "421 busy\r\n")]);
    assert_eq!(stop, Stop::Refused(replied(Stage::Hello, 421, "busy")));
    let script = [(EHLO, "550 no\r\n"), ("HELO relay.example\r\n", "550 no means no\r\n")];
    let stop = refused("220 hub\r\n", &script);
    assert_eq!(stop, Stop::Refused(replied(Stage::Hello, 550, "no means no")));
    for greeting in ["SSH-2.0-OpenSSH\r\n", "354 go\r\n", "\r\n"] {
        let stop = refused(greeting, &[]);
        assert!(matches!(&stop, Stop::Refused(found) if is_protocol_fault(found)), "{greeting}");
    }
}

#[test]
fn an_endless_banner_ends() {
    let banner = "220-welcome\r\n".repeat(10_000);
    let mut peer = Peer::new(Tls::Never, &banner, &[]);
    peer.piece = 1000;
    assert!(matches!(peer.run(), Stop::Refused(found) if is_protocol_fault(&found)));
    assert!(peer.input.len() < 70_000);
}

#[test]
fn closing_counts_for_everybody_not_yet_refused() {
    let commands = "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\n";
    for (replies, stage) in [
        ("421 bye\r\n", Stage::Mail),
        ("250 ok\r\n550 no\r\n421 bye\r\n", Stage::Recipient),
        ("250 ok\r\n550 no\r\n250 ok\r\n421 bye\r\n", Stage::Data),
    ] {
        let mut peer = Peer::open(&[(EHLO, PIPELINING), (commands, replies)]);
        let Stop::Done(found) = peer.begin(&["x@b.example", "y@b.example"]) else { panic!("{replies}") };
        assert_eq!(found[1], replied(stage, 421, "bye"));
        assert_eq!(
            found[0],
            if stage == Stage::Mail { found[1].clone() } else { replied(Stage::Recipient, 550, "no") }
        );
        assert_eq!(peer.run(), Stop::Close);
        assert!(!peer.conversation.may_begin());
    }
}

fn at_content() -> Peer {
    let commands = "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nDATA\r\n";
    let mut peer = Peer::open(&[(EHLO, PIPELINING), (commands, "250 ok\r\n250 ok\r\n354 go\r\n")]);
    assert_eq!(peer.begin(&["x@b.example"]), Stop::Content);
    peer
}

#[test]
fn a_refusal_in_the_midst_of_content_counts_and_praise_does_not() {
    let mut peer = at_content();
    peer.input.extend_from_slice(b"552 too big\r\n");
    assert_eq!(peer.run(), Stop::Done(vec![replied(Stage::Content, 552, "too big")]));
    assert_eq!(peer.run(), Stop::Close);

    let mut peer = at_content();
    peer.input.extend_from_slice(b"250 taken\r\n");
    assert!(matches!(peer.run(), Stop::Done(found) if is_protocol_fault(&found[0])));
    assert_eq!(peer.run(), Stop::Close);
}

#[test]
fn the_end_of_content_may_be_refused_or_nonsense() {
    assert_eq!(at_content().content("421 bye\r\n"), Stop::Done(vec![replied(Stage::Content, 421, "bye")]));
    assert!(matches!(at_content().content("354 more\r\n"), Stop::Done(found) if is_protocol_fault(&found[0])));
    assert!(matches!(at_content().content("what\r\n"), Stop::Done(found) if is_protocol_fault(&found[0])));
}

#[test]
fn only_the_wait_for_the_final_reply_is_in_doubt() {
    let mut peer = at_content();
    assert!(!peer.conversation.is_in_doubt());
    assert_eq!(peer.conversation.patience(), Patience::STANDARD.block);
    assert_eq!(peer.content(""), Stop::Silence);
    assert!(peer.conversation.is_in_doubt());
    assert_eq!(peer.conversation.patience(), Patience::STANDARD.end);
    peer.conversation.lost("it broke");
    assert_eq!(peer.run(), Stop::Done(vec![Found::Failed(Fault::Lost("it broke".into()))]));
    assert_eq!(peer.run(), Stop::Close);
}

#[test]
fn a_loss_leaves_refusals_as_they_are() {
    let commands = "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\n";
    let mut peer = Peer::open(&[(EHLO, PIPELINING), (commands, "250 ok\r\n550 no\r\n250 o")]);
    assert_eq!(peer.begin(&["x@b.example", "y@b.example"]), Stop::Silence);
    peer.conversation.lost("it broke");
    let found = vec![replied(Stage::Recipient, 550, "no"), Found::Failed(Fault::Lost("it broke".into()))];
    assert_eq!(peer.run(), Stop::Done(found));
}

#[test]
fn replies_out_of_turn_never_deliver() {
    // one reply too many early on shifts all others: DATA then gets RCPT's 250
    let mut peer = Peer::open(&[
        (EHLO, PIPELINING),
        (
            "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nDATA\r\n",
            "250 unasked\r\n250 ok\r\n250 ok\r\n354 go\r\n",
        ),
    ]);
    assert!(matches!(peer.begin(&["x@b.example"]), Stop::Done(found) if is_protocol_fault(&found[0])));
    assert_eq!(peer.run(), Stop::Close);
}

#[test]
fn words_while_idle_end_the_conversation() {
    let mut peer = Peer::open(&[(EHLO, PIPELINING)]);
    peer.input.extend_from_slice(b"421 4.4.2 idle for too long\r\n");
    assert_eq!(peer.run(), Stop::Close);
}

#[test]
fn limits_of_the_next_hop_are_kept() {
    let mut peer = Peer::open(&[
        (EHLO, "250-hub\r\n250 LIMITS MAILMAX=1\r\n"),
        ("MAIL FROM:<s@a.example>\r\n", "450 no\r\n"),
        ("QUIT\r\n", "221 bye\r\n"),
    ]);
    assert!(peer.conversation.may_begin());
    assert!(matches!(peer.begin(&["x@b.example"]), Stop::Done(_)));
    assert_eq!(peer.run(), Stop::Ready);
    assert!(!peer.conversation.may_begin());
    peer.conversation.quit();
    assert_eq!(peer.run(), Stop::Close);
}

proptest! {
    #[test]
    fn any_split_of_the_replies_ends_alike(piece in 1usize..40, refused in 0u8..8) {
        let say = |place: u8| if refused & 1 << place != 0 { "550-5.1.1 no\r\n550 5.1.1 one\r\n" } else { "250 ok\r\n" };
        let replies = format!("250 ok\r\n{}{}{}354 go\r\n", say(0), say(1), say(2));
        let commands = "MAIL FROM:<s@a.example>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\n\
                        RCPT TO:<z@b.example>\r\nDATA\r\n";
        let script =
            [(EHLO, PIPELINING), (commands, replies.as_str()), (".\r\n", "554 nobody\r\n"), ("QUIT\r\n", "221 bye\r\n")];
        let script = if refused == 7 { script.to_vec() } else { [&script[..2], &script[3..]].concat() };
        let mut peer = Peer::new(Tls::Opportunistic, "220-a\r\n220 b\r\n", &script);
        peer.piece = piece;
        prop_assert_eq!(peer.run(), Stop::Ready);
        let mut stop = peer.begin(&["x@b.example", "y@b.example", "z@b.example"]);
        if refused != 7 {
            prop_assert_eq!(stop, Stop::Content);
            stop = peer.content("250-well\r\n250 done\r\n");
        }
        let Stop::Done(found) = stop else { panic!("{stop:?}") };
        for (place, found) in found.iter().enumerate() {
            let expected = if refused & 1 << place != 0 { (Stage::Recipient, 550) } else { (Stage::Content, 250) };
            prop_assert!(matches!(found, Found::Replied(stage, reply) if (*stage, reply.code) == expected));
        }
        peer.conversation.quit();
        prop_assert_eq!(peer.run(), Stop::Close);
    }

    #[test]
    fn garbage_never_delivers_nor_hangs(garbage in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..50) {
        let mut peer = at_content();
        peer.piece = piece;
        peer.said.extend_from_slice(&garbage);
        peer.conversation.content_sent();
        match peer.run() {
            Stop::Silence => {}
            Stop::Done(found) => {
                let delivered = matches!(&found[0], Found::Replied(Stage::Content, reply) if reply.code < 300);
                prop_assert!(!delivered || garbage.starts_with(b"2"));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn what_is_asked_about_notifications_is_passed_on_where_the_next_hop_lists_dsn() {
    let notify = crate::dsn::Notify::parse("FAILURE,SUCCESS");
    let asked = RcptParameters { notify, orcpt: Some("utf-8;\u{f8}+2B@b.example".into()) };
    let rest = "RCPT TO:<y@b.example>\r\nDATA\r\n";
    for (keywords, mail, recipient, needs_smtputf8) in [
        ("250 DSN\r\n", " RET=HDRS ENVID=Q+2B1", " NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;\\x{F8}+2B@b.example", false),
        (
            "250-SMTPUTF8\r\n250 dsn\r\n",
            " SMTPUTF8 RET=HDRS ENVID=Q+2B1",
            " NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;\u{f8}+2B@b.example",
            true,
        ),
        ("250 SIZE\r\n", " SIZE=1234", "", false),
        ("250 MT-PRIORITY MIXER\r\n", " MT-PRIORITY=-4", "", false),
    ] {
        let hello = format!("250-hub.example\r\n250-PIPELINING\r\n{keywords}");
        let wire = format!("MAIL FROM:<s@a.example>{mail}\r\nRCPT TO:<x@b.example>{recipient}\r\n{rest}");
        let mut peer = Peer::open(&[(EHLO, &hello), (&wire, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")]);
        assert_eq!(peer.begin_asking(&asked, needs_smtputf8), Stop::Content, "{keywords}");
    }
}

#[test]
fn requiretls_is_said_where_it_is_listed_under_tls_and_else_nothing_that_needs_it_goes_out() {
    const LISTED: &str = "250-hub.example\r\n250-PIPELINING\r\n250 RequireTLS\r\n";
    let commands = |mail: &str| format!("MAIL FROM:<>{mail}\r\nRCPT TO:<x@b.example>\r\nDATA\r\n");
    let go = "250 ok\r\n250 ok\r\n354 go\r\n";
    let lacking = || Stop::Done(vec![Found::Failed(Fault::NeedsRequireTls)]);
    for (tls, hello, require_tls, said) in [
        (Tls::Implicit, LISTED, RequireTls::Always, Some(" REQUIRETLS")),
        (Tls::Implicit, LISTED, RequireTls::IfOffered, Some(" REQUIRETLS")),
        (Tls::Implicit, LISTED, RequireTls::No, Some("")),
        (Tls::Implicit, PIPELINING, RequireTls::Always, None),
        (Tls::Implicit, PIPELINING, RequireTls::IfOffered, Some("")),
        // what is listed in the clear does not count
        (Tls::Never, LISTED, RequireTls::Always, None),
        (Tls::Never, LISTED, RequireTls::IfOffered, Some("")),
    ] {
        let wire = said.map(commands);
        let script: Vec<(&str, &str)> =
            std::iter::once((EHLO, hello)).chain(wire.as_deref().map(|wire| (wire, go))).collect();
        let mut peer = Peer::new(tls, "220 hub.example\r\n", &script);
        assert_eq!(peer.run(), Stop::Ready);
        let expected = if said.is_some() { Stop::Content } else { lacking() };
        assert_eq!(peer.begin_requiring(require_tls), expected, "{tls:?} {require_tls:?}");
    }
}
