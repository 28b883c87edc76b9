//! Of what a sender is notified by a DSN, and under which id, so that none is lost or sent twice.
//!
//! A notification is committed before the outcome that it tells is settled: a crash in between loses
//! nothing. Its id follows from the message and the recipients it tells of, so that the repeated attempt
//! after such a crash finds the notification that is there already.
//!
//! What the sender asked (RFC 3461) decides. Where it asked nothing it hears of failures alone.

use aws_lc_rs::digest;
use smtp::address::{Address, ReversePath};
use smtp::dsn::{Notify, Ret};
use smtp::envelope::RcptParameters;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::queue::{Envelope, Origin};

/// What a client asked about notifications (RFC 3461 §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// How much of the message a notification of failure brings back.
    pub ret: Option<Ret>,
    /// The client's own name for the envelope, as it was sent.
    pub envid: Option<Box<str>>,
    /// What was asked about each recipient of the envelope, up to the last about whom anything was.
    pub recipients: Vec<RcptParameters>,
    /// The same of those that were suppressed.
    pub suppressed: Vec<RcptParameters>,
}

impl Requests {
    /// As the envelope keeps it: nothing where nothing was asked.
    pub(crate) fn kept(&self) -> Option<Box<Requests>> {
        (*self != Requests::default()).then(|| Box::new(self.clone()))
    }

    /// Whether the sender asked to be told of anything about a recipient of the envelope, by its number (RFC 3461 §4.1).
    pub fn asks_to_be_told_of(&self, recipient: u16) -> bool {
        let notify = self.recipients.get(usize::from(recipient)).and_then(|asked| asked.notify);
        notify.is_some_and(|notify| notify != Notify::NEVER)
    }
}

/// Notes what was asked about the recipient at this place of its list.
pub(crate) fn ask(requests: &mut Vec<RcptParameters>, place: usize, asked: &RcptParameters) {
    if *asked != RcptParameters::default() {
        requests.resize(place, RcptParameters::default());
        requests.push(asked.clone());
    }
}

/// To whom the outcomes of a message are told; nobody where its reverse-path is null, where it is a
/// notification itself, or where the domain has switched bounce mails off.
pub fn addressee(envelope: &Envelope, bounce_mails: bool) -> Option<&Address> {
    match (&envelope.origin, &envelope.reverse_path) {
        (Origin::Submission, ReversePath::Mailbox(address)) if bounce_mails => Some(address),
        _ => None,
    }
}

/// What a notification tells of its recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// They failed.
    Failed,
    /// They were not delivered to, because the account suppressed them.
    Suppressed,
    /// They have not been delivered to for long, and are tried further.
    Delayed,
    /// They were delivered to, or handed on to where no notification can be asked for.
    Delivered,
}

impl About {
    /// Part of the ids: never changed.
    fn code(self) -> u8 {
        match self {
            About::Failed => 0,
            About::Suppressed => 1,
            About::Delayed => 2,
            About::Delivered => 3,
        }
    }

    /// Whether a sender that asked so of a recipient is told (RFC 3461 §5.2). Without NOTIFY it is told of failures;
    /// whoever wants to hear of a delay has to say so.
    pub fn is_told(self, asked: Option<&RcptParameters>) -> bool {
        let what = match self {
            About::Failed | About::Suppressed => Notify::FAILURE,
            About::Delayed => Notify::DELAY,
            About::Delivered => Notify::SUCCESS,
        };
        asked.and_then(|asked| asked.notify).map_or(what == Notify::FAILURE, |notify| notify.has(what))
    }
}

/// The id of the notification that tells this of these recipients, by their numbers.
pub fn id(original: MessageId, about: About, recipients: impl IntoIterator<Item = u16>) -> MessageId {
    let mut recipients: Vec<u16> = recipients.into_iter().collect();
    recipients.sort_unstable();
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"notification");
    context.update(&[about.code()]);
    context.update(&original.0.to_be_bytes());
    for recipient in recipients {
        context.update(&recipient.to_be_bytes());
    }
    // the time of the original stays in front: ids sort by age
    let mut octets = original.0.to_be_bytes();
    octets[6..].copy_from_slice(&context.finish().as_ref()[..10]);
    MessageId(u128::from_be_bytes(octets))
}

/// From when on a message counts as delayed, and which of its deferrals tells of that.
///
/// Both follow from moments that are kept: when an attempt was due, and when the next one is. Nothing has to remember
/// that the delay was told, and no restart tells it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay(Timestamp);

impl Delay {
    /// Of a message accepted then, which counts as delayed `after` so long.
    pub fn of(accepted_at: Timestamp, after: Duration) -> Delay {
        Delay(accepted_at.after(after))
    }

    /// When a recipient whose sender wants to hear of the delay is attempted again that was deferred until `until`: that
    /// moment is not passed over, so that an attempt is made at it.
    pub fn until(self, now: Timestamp, until: Timestamp) -> Timestamp {
        if now < self.0 { until.min(self.0) } else { until }
    }

    /// Whether the deferral until `until`, of an attempt that was due at `due`, tells of the delay: the first that leads
    /// beyond that moment.
    pub fn is_told(self, due: Timestamp, until: Timestamp) -> bool {
        due <= self.0 && self.0 < until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::queue::ContentFacts;
    use crate::retry::{Jitter, Period, RETRY_FOR};
    use proptest::prelude::*;

    const ORIGINAL: MessageId = MessageId(0x0199_0000_0000_1234_5678_9abc_def0_1234);

    fn envelope(origin: Origin, reverse_path: &str) -> Envelope {
        Envelope {
            message: ORIGINAL,
            account: Id::new(1),
            user: None,
            domain: None,
            origin,
            reverse_path: match reverse_path {
                "" => ReversePath::Null,
                address => ReversePath::Mailbox(Address::parse(address, false).unwrap()),
            },
            recipients: Vec::new(),
            suppressed: Vec::new(),
            header_needs_smtputf8: false,
            needs_eight_bit: false,
            accepted_at: Timestamp(0),
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
    fn failures_are_told_to_the_reverse_path_and_to_nobody_else() {
        let told =
            |origin, path, bounce_mails| addressee(&envelope(origin, path), bounce_mails).map(ToString::to_string);
        assert_eq!(told(Origin::Submission, "app@shop.example", true).as_deref(), Some("app@shop.example"));
        assert_eq!(told(Origin::Submission, "app@shop.example", false), None);
        assert_eq!(told(Origin::Submission, "", true), None);
        assert_eq!(told(Origin::Notification(ORIGINAL), "app@shop.example", true), None);
    }

    #[test]
    fn the_id_follows_from_message_and_recipients_in_any_order() {
        let one = id(ORIGINAL, About::Failed, [1, 2]);
        assert_eq!(one, id(ORIGINAL, About::Failed, [2, 1]));
        assert_ne!(one, id(ORIGINAL, About::Failed, [1]));
        assert_ne!(one, id(ORIGINAL, About::Suppressed, [1, 2]));
        assert_ne!(one, id(MessageId(ORIGINAL.0 + 1), About::Failed, [1, 2]));
        assert_eq!(one.0 >> 80, ORIGINAL.0 >> 80);
    }

    fn asked(notify: &str) -> RcptParameters {
        RcptParameters { notify: Notify::parse(notify), orcpt: None }
    }

    #[test]
    fn who_asks_nothing_hears_of_failures_and_who_asks_hears_of_that_alone() {
        let all = [About::Failed, About::Suppressed, About::Delayed, About::Delivered];
        let told = |asked: Option<&RcptParameters>| all.map(|about| about.is_told(asked));
        assert_eq!(told(None), [true, true, false, false]);
        // ORCPT alone asks for nothing
        assert_eq!(told(Some(&RcptParameters::default())), [true, true, false, false]);
        assert_eq!(told(Some(&asked("NEVER"))), [false; 4]);
        assert_eq!(told(Some(&asked("FAILURE"))), [true, true, false, false]);
        assert_eq!(told(Some(&asked("SUCCESS,DELAY"))), [false, false, true, true]);
        assert_eq!(told(Some(&asked("SUCCESS,FAILURE,DELAY"))), [true; 4]);
    }

    #[test]
    fn nothing_is_kept_where_nothing_was_asked() {
        let mut requests = Requests::default();
        ask(&mut requests.recipients, 0, &RcptParameters::default());
        assert_eq!(requests.kept(), None);
        ask(&mut requests.recipients, 2, &asked("NEVER"));
        ask(&mut requests.recipients, 3, &RcptParameters::default());
        let kept = requests.kept().unwrap();
        assert_eq!(kept.recipients, [RcptParameters::default(), RcptParameters::default(), asked("NEVER")]);
    }

    #[test]
    fn to_be_told_is_asked_recipient_by_recipient() {
        let recipients = vec![RcptParameters::default(), asked("NEVER"), asked("SUCCESS"), asked("FAILURE,DELAY")];
        let requests = Requests { recipients, ..Requests::default() };
        let told = [0, 1, 2, 3, 4].map(|recipient| requests.asks_to_be_told_of(recipient));
        assert_eq!(told, [false, false, true, true, false]);
    }

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const AFTER: Duration = Duration::from_secs(4 * 3600);

    /// Attempts from acceptance to the end of the retry period, each failing after it took so many seconds: when the delay
    /// was told.
    fn told_at(lasts: Duration, after: Duration, jitter: Jitter, takes: u64) -> Vec<Timestamp> {
        let (delay, period) = (Delay::of(NOW, after), Period { accepted_at: NOW, lasts });
        let (mut due, mut attempts, mut told) = (NOW, 0, Vec::new());
        loop {
            let now = due.after(Duration::from_secs(takes));
            attempts += 1;
            let Some(until) = period.next(now, attempts, jitter) else { return told };
            let until = delay.until(now, until);
            assert!(until > now || until == NOW.after(after));
            told.extend(delay.is_told(due, until).then_some(now));
            due = until;
        }
    }

    #[test]
    fn a_delay_is_told_by_the_attempt_at_its_moment() {
        assert_eq!(told_at(RETRY_FOR, AFTER, Jitter::default(), 0), [NOW.after(AFTER)]);
    }

    #[test]
    fn what_ends_before_is_never_delayed() {
        assert_eq!(told_at(Duration::from_secs(3600), AFTER, Jitter::default(), 0), []);
    }

    proptest! {
        #[test]
        fn a_delay_is_told_once_and_in_time(after in 60u64..86_400, roll in any::<u64>(), takes in 0u64..3_600) {
            let jitter = Jitter::roll(&mut crate::dice::Seeded::new(roll));
            let told = told_at(RETRY_FOR, Duration::from_secs(after), jitter, takes);
            prop_assert_eq!(told.len(), 1);
            let late = told[0].since(NOW).as_secs() - after;
            prop_assert!(late <= takes, "{} s late", late);
        }
    }
}
