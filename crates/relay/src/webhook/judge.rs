//! What the receiver's answer, or its absence, makes of a call.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::retry::Jitter;

/// How long a call is tried.
pub const RETRY_FOR: Duration = Duration::from_secs(24 * 3600);

/// The wait after the first, second, … failed attempt; the last of them from then on.
const DELAYS: [Duration; 9] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(4 * 3600),
];

/// The longest wait that a receiver may ask for with Retry-After.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(4 * 3600);

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status; none: no answer.
    pub status: Option<u16>,
    /// For how long the receiver wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// What becomes of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Delivered,
    /// The receiver wants no more calls at all: 410 Gone.
    Gone,
    /// It is sent again then.
    Again(Timestamp),
    /// It is given up.
    Failed,
}

/// What a reply means after so many attempts, this one included, for a call that is given up at `until`. Redirections are
/// not followed: they are failures like any other.
pub fn judge(reply: Reply, attempts: u32, until: Timestamp, now: Timestamp, dice: &mut dyn Dice) -> Verdict {
    match reply.status {
        Some(200..=299) => return Verdict::Delivered,
        Some(410) => return Verdict::Gone,
        _ => {}
    }
    if now >= until {
        return Verdict::Failed;
    }
    let place = (attempts.max(1) as usize - 1).min(DELAYS.len() - 1);
    let asked = reply.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    let wait = Jitter::roll(dice).stretch(DELAYS[place]).max(asked);
    // the last attempt falls on the end rather than hours after it
    Verdict::Again(now.after(wait).min(until))
}

/// What a field Retry-After asks for (RFC 9110 §10.2.3): so many seconds, or until a date.
pub fn retry_after(field: &str, now: Timestamp) -> Option<Duration> {
    let field = field.trim();
    if let Ok(seconds) = field.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // an HTTP date is an Internet date but for the name of its zone
    let date = OffsetDateTime::parse(&field.replace("GMT", "+0000"), &Rfc2822).ok()?;
    let at = u64::try_from(date.unix_timestamp()).ok()?.checked_mul(1000)?;
    Some(Timestamp(at).since(now))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dice::Seeded;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn judged(status: Option<u16>, attempts: u32, until: Timestamp) -> Verdict {
        judge(Reply { status, retry_after: None }, attempts, until, NOW, &mut Seeded::new(1))
    }

    #[test]
    fn success_ends_it_and_gone_ends_all() {
        let until = NOW.after(RETRY_FOR);
        for status in [200, 202, 204, 299] {
            assert_eq!(judged(Some(status), 1, until), Verdict::Delivered, "{status}");
        }
        assert_eq!(judged(Some(410), 1, until), Verdict::Gone);
        // whatever else is answered, a receiver that is put right takes it later
        for status in [Some(199), Some(301), Some(307), Some(400), Some(404), Some(500), Some(503), None] {
            assert!(matches!(judged(status, 1, until), Verdict::Again(due) if due > NOW), "{status:?}");
        }
        // also when it comes too late
        assert_eq!(judged(Some(200), 9, NOW), Verdict::Delivered);
    }

    #[test]
    fn waits_grow_for_a_day_and_then_it_is_given_up() {
        let (until, mut now, mut attempts, mut last) = (NOW.after(RETRY_FOR), NOW, 0, Duration::ZERO);
        let mut dice = Seeded::new(7);
        loop {
            attempts += 1;
            let verdict = judge(Reply::default(), attempts, until, now, &mut dice);
            let Verdict::Again(due) = verdict else {
                assert_eq!(verdict, Verdict::Failed);
                break;
            };
            let wait = due.since(now);
            assert!(wait >= Duration::from_secs(10) || due == until, "{wait:?}");
            assert!(attempts > 8 || wait > last, "attempt {attempts}: {wait:?} after {last:?}");
            (last, now) = (wait, due);
        }
        assert_eq!(now, until, "the last attempt is at the end");
        assert!((12..=16).contains(&attempts), "{attempts}");
    }

    #[test]
    fn calls_that_failed_together_do_not_come_back_together() {
        let until = NOW.after(RETRY_FOR);
        let mut dice = Seeded::new(3);
        let due: std::collections::HashSet<_> =
            (0..20).map(|_| format!("{:?}", judge(Reply::default(), 5, until, NOW, &mut dice))).collect();
        assert!(due.len() > 5, "{due:?}");
    }

    #[test]
    fn the_receivers_wish_to_be_left_alone_is_heard_within_bounds() {
        let until = NOW.after(RETRY_FOR);
        let after = |seconds: u64| {
            let reply = Reply { status: Some(429), retry_after: Some(Duration::from_secs(seconds)) };
            match judge(reply, 1, until, NOW, &mut Seeded::new(1)) {
                Verdict::Again(due) => due.since(NOW).as_secs(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(after(600), 600);
        assert!((10..=13).contains(&after(0)), "not sooner than by itself");
        assert_eq!(after(999_999), 4 * 3600);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        // 1_800_000_000 is 2027-01-15 08:00:00
        for (field, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Fri, 15 Jan 2027 08:01:30 GMT", Some(90)),
            ("Fri, 15 Jan 2027 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            assert_eq!(retry_after(field, NOW).map(|wait| wait.as_secs()), seconds, "{field}");
        }
    }
}
