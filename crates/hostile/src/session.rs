//! Any octets, cut anywhere, to the server's machine: it always ends, keeps its order, and says the same however they are cut.

use bytes::BytesMut;
use smtp::line::AUTH_OCTETS_MAX;
use smtp::replies;
use smtp::reply::{LINE_OCTETS_MAX, Reply};
use smtp::server::{Answer, Question, Security, Session, Settings, Step, When};

use crate::phrases::{self, spoken};

const RECIPIENTS_MAX: usize = 3;
const MESSAGE_OCTETS_MAX: u64 = 200;
const MESSAGES_MAX: u32 = 3;
/// Steps between two reads that no dialogue over so few octets needs.
const STEPS_MAX: usize = 100_000;
/// The bit of the second octet that begins in the clear.
const CLEAR: u8 = 0x80;

/// Plays the octets behind the first two, as phrases of SMTP, twice: whole, and cut as the first octet says. The
/// second says whether the port begins in the clear, and what the relay answers.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some(([cut, answers], octets)) = data.split_first_chunk::<2>() else { return };
    let octets = spoken(octets, phrases::SMTP);
    let whole = Dialogue::play(&octets, octets.len().max(1), *answers);
    let parts = Dialogue::play(&octets, usize::from(cut % 7) + 1, *answers);
    assert_eq!(whole.heard, parts.heard, "the dialogue depends on how the octets were cut");
    // content over the limit is thrown away, and where that begins depends on the cuts
    let (short, long) = if whole.content.len() < parts.content.len() { (whole, parts) } else { (parts, whole) };
    assert!(long.content.starts_with(&short.content));
}

/// One session with the relay's part in it.
struct Dialogue {
    session: Session,
    input: BytesMut,
    answers: u8,
    questions: u32,
    secure: bool,
    authenticated: bool,
    recipients: Option<usize>,
    receiving: bool,
    messages: u32,
    heard: Vec<String>,
    content: Vec<u8>,
}

impl Dialogue {
    fn play(octets: &[u8], piece_octets: usize, answers: u8) -> Dialogue {
        let settings = Settings {
            service: smtp::server::Service::Submission,
            hostname: "relay.test".into(),
            recipients_max: RECIPIENTS_MAX,
            message_octets_max: MESSAGE_OCTETS_MAX,
            messages_max: MESSAGES_MAX,
            errors_max: 5,
            authentication_failures_max: 3,
        };
        let secure = answers & CLEAR == 0;
        let security = if secure { Security::Tls } else { Security::Clear };
        let mut dialogue = Dialogue {
            session: Session::new(settings, security),
            input: BytesMut::new(),
            answers,
            questions: 0,
            secure,
            authenticated: false,
            recipients: None,
            receiving: false,
            messages: 0,
            heard: Vec::new(),
            content: Vec::new(),
        };
        let mut pieces = octets.chunks(piece_octets);
        while dialogue.drain() {
            // what waits for more is never more than a line
            assert!(dialogue.input.len() <= AUTH_OCTETS_MAX, "{} octets are held", dialogue.input.len());
            match pieces.next() {
                Some(piece) => dialogue.input.extend_from_slice(piece),
                None => break,
            }
        }
        dialogue
    }

    /// Carries out steps until the machine wants more; false where it ended.
    fn drain(&mut self) -> bool {
        for _ in 0..STEPS_MAX {
            match self.session.step(&mut self.input) {
                Step::Read => return true,
                Step::Close | Step::StartTls => return false,
                Step::Send { reply, .. } => self.hear(&reply),
                Step::Content(octets) => {
                    assert!(self.receiving && !octets.is_empty());
                    self.content.extend_from_slice(&octets);
                }
                Step::Abandon => {
                    (self.recipients, self.receiving) = (None, false);
                    self.heard.push("abandoned".to_owned());
                    self.content.clear();
                }
                Step::Ask(question) => self.answer(&question),
            }
        }
        panic!("the machine never asks for more input");
    }

    fn hear(&mut self, reply: &Reply) {
        let mut octets = BytesMut::new();
        reply.render(&mut octets);
        let text = String::from_utf8(octets.to_vec());
        let Ok(text) = text else { panic!("{octets:?} is no text") };
        let Some(lines) = text.strip_suffix("\r\n") else { panic!("{text:?} ends no line") };
        for line in lines.split("\r\n") {
            let is_reply = line.len() >= 3 && line[..3].bytes().all(|octet| octet.is_ascii_digit());
            assert!(is_reply && line.len() + 2 <= LINE_OCTETS_MAX, "{line:?} is no line of a reply");
            assert!(!line.chars().any(|letter| letter.is_ascii_control()), "{line:?} carries controls");
        }
        self.heard.push(text);
    }

    /// What the relay answers: mostly yes, and no where the bits of the session say so.
    fn answer(&mut self, question: &Question) {
        self.heard.push(format!("{question:?}"));
        self.in_order(question);
        let no = (self.answers & 0x7F) >> (self.questions % 7) & 1 == 1;
        self.questions += 1;
        if !no {
            self.agreed(question);
            let queued = matches!(question, Question::Accept { .. });
            return self.session.answer(if queued { Answer::Queued("ID".to_owned()) } else { Answer::Yes });
        }
        if matches!(question, Question::Accept { .. }) {
            self.receiving = false;
        }
        match self.questions % 5 {
            0 => self.session.answer(Answer::Close(replies::store_failed())),
            1 => {
                self.session.answer(Answer::No { reply: replies::store_failed(), error: false });
                self.session.end(replies::shutting_down(), When::NextCommand);
            }
            2 => {
                self.session.answer(Answer::No { reply: replies::store_failed(), error: false });
                self.session.refuse_rest();
            }
            3 => {
                self.session.answer(Answer::No { reply: replies::store_failed(), error: true });
                self.session.end(replies::shutting_down(), When::BetweenTransactions);
            }
            _ => self.session.answer(Answer::No { reply: replies::auth_invalid(), error: true }),
        }
    }

    /// Nothing is asked before its time.
    fn in_order(&mut self, question: &Question) {
        assert!(self.secure, "{question:?} before TLS");
        match question {
            Question::Authenticate { .. } => assert!(!self.authenticated && self.recipients.is_none()),
            Question::ReversePath { .. } => assert!(self.authenticated && self.recipients.is_none()),
            Question::ForwardPath { .. } => {
                assert!(self.recipients.is_some_and(|count| count < RECIPIENTS_MAX), "one recipient too many");
            }
            Question::Begin => assert!(self.recipients.is_some_and(|count| count > 0) && !self.receiving),
            Question::Accept { octets } => {
                assert!(self.receiving && *octets <= MESSAGE_OCTETS_MAX && self.messages < MESSAGES_MAX);
                lines_are_whole(&self.content);
                self.heard.push(format!("message {:?}", self.content));
                self.content.clear();
            }
        }
    }

    fn agreed(&mut self, question: &Question) {
        match question {
            Question::Authenticate { .. } => self.authenticated = true,
            Question::ReversePath { .. } => self.recipients = Some(0),
            Question::ForwardPath { .. } => self.recipients = self.recipients.map(|count| count + 1),
            Question::Begin => self.receiving = true,
            Question::Accept { .. } => {
                (self.recipients, self.receiving) = (None, false);
                self.messages += 1;
            }
        }
    }
}

/// Content that can be accepted has no bare CR and no bare LF, and its last line has an end.
fn lines_are_whole(content: &[u8]) {
    for (place, octet) in content.iter().enumerate() {
        match octet {
            b'\n' => assert!(place > 0 && content[place - 1] == b'\r', "bare LF"),
            b'\r' => assert!(content.get(place + 1) == Some(&b'\n'), "bare CR"),
            _ => {}
        }
    }
    assert!(content.is_empty() || content.ends_with(b"\r\n"));
}
