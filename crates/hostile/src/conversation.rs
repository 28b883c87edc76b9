//! Any octets from a next hop, cut anywhere: the client's machine always ends, and finds one thing for each recipient.

use bytes::BytesMut;
use smtp::address::{Address, ReversePath};
use smtp::client::{Asked, Conversation, Found, Login, Patience, RequireTls, Settings, Stage, Step, Tls, Transaction};
use smtp::dsn::{Notify, Ret};
use smtp::envelope::RcptParameters;
use smtp::secret::Secret;

/// Steps that no conversation over so few octets needs.
const STEPS_MAX: usize = 10_000;

/// Plays the octets behind the first as what the next hop says.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((&cut, octets)) = data.split_first() else { return };
    let login = Login { username: "u".into(), password: Secret::new(b"p".to_vec()), in_clear: true };
    let settings = Settings {
        hostname: "relay.test".into(),
        tls: Tls::Opportunistic,
        login: (cut >= 128).then_some(login),
        patience: Patience::STANDARD,
    };
    let mut conversation = Conversation::new(settings);
    let mut peer = Peer { octets, piece_octets: usize::from(cut % 7) + 1, input: BytesMut::new() };
    let recipients: Vec<Address> =
        ["a@example.com", "b@example.com"].iter().filter_map(|text| Address::parse(text, false).ok()).collect();
    let asked = RcptParameters { notify: Some(Notify::NEVER), orcpt: Some("rfc822;a@example.com".into()) };
    let (mut begun, mut over) = (0, 0);
    for _ in 0..STEPS_MAX {
        match conversation.step(&mut peer.input) {
            Step::Read if !peer.read() => conversation.lost("end of input"),
            Step::Read | Step::Write(_) => {}
            Step::StartTls => conversation.on_tls(),
            Step::Ready if begun < 5 && conversation.may_begin() => {
                begun += 1;
                conversation.begin(&Transaction {
                    reverse_path: &ReversePath::Null,
                    recipients: &recipients,
                    octets: 100,
                    needs_eight_bit: begun % 2 == 0,
                    needs_smtputf8: false,
                    require_tls: if begun % 3 == 0 { RequireTls::Always } else { RequireTls::IfOffered },
                    asked: Asked { ret: Some(Ret::Full), envid: Some("Q1"), recipients: &[&asked] },
                    priority: -4,
                });
            }
            Step::Ready => conversation.quit(),
            Step::Content => conversation.content_sent(),
            Step::Done(found) => {
                over += 1;
                assert!(over <= begun);
                assert_eq!(found.len(), recipients.len());
                for one in &found {
                    if let Found::Replied(stage, reply) = one {
                        assert!(
                            !reply.is_positive() || *stage == Stage::Content,
                            "delivered by {reply:?} at {stage:?}"
                        );
                    }
                }
            }
            Step::Refused(_) => {}
            Step::Close => return assert_eq!(begun, over, "a transaction was forgotten"),
        }
    }
    panic!("the conversation never ends");
}

/// What the next hop says, piece by piece.
struct Peer<'a> {
    octets: &'a [u8],
    piece_octets: usize,
    input: BytesMut,
}

impl Peer<'_> {
    /// The next piece arrives; false where there is none.
    fn read(&mut self) -> bool {
        let (piece, rest) = self.octets.split_at(self.piece_octets.min(self.octets.len()));
        self.input.extend_from_slice(piece);
        self.octets = rest;
        !piece.is_empty()
    }
}
