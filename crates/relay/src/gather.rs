//! Gathers refusals before they reach the store: alike ones become a count, and a looping client a cap.
//!
//! The first of its kind goes out at once; what follows within the fold is counted and goes out as one
//! notice now and then, whose count the store adds to the row of the first.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::activity::{Notice, NoticeKind};
use crate::clock::Timestamp;
use crate::id::{Id, SessionId};
use crate::limits::Limits;
use crate::site::Site;
use crate::smtp_user::SmtpUser;

/// Rows being folded at once, over all users and addresses; past it each refusal is a row of its own.
const ROWS_MAX: usize = 20_000;

/// Users and addresses whose new rows are counted in a minute; past it the others are counted together.
const CAUSES_MAX: usize = 20_000;

/// Who caused a refusal, as the cap counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cause {
    /// Somebody that logged in, or whose username was sent.
    User(Id<SmtpUser>),
    /// An address of which no more is known.
    Site(Site),
    /// All for whom there was no room.
    Rest,
}

impl Cause {
    fn of(notice: &Notice) -> Cause {
        match notice.user {
            Some(user) => Cause::User(user),
            None => Cause::Site(Site::of(notice.remote)),
        }
    }
}

/// What makes refusals alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: NoticeKind,
    cause: Cause,
    /// Of a connection's trouble: what fails at several addresses, or under several names, is several rows.
    login: Option<(IpAddr, String)>,
    recipient: String,
    reference: String,
}

#[derive(Debug)]
struct Row {
    since: Timestamp,
    /// The last one, standing for all since the last flush; none where nothing came.
    pending: Option<Notice>,
}

#[derive(Debug)]
struct Minute {
    since: Timestamp,
    rows: u64,
    over: Option<Notice>,
}

/// The gatherer.
#[derive(Debug)]
pub struct Gather {
    fold: Duration,
    rows_per_minute: u64,
    rows: HashMap<Key, Row>,
    minutes: HashMap<Cause, Minute>,
}

impl Gather {
    /// With the numbers of the limits.
    pub fn new(limits: &Limits) -> Self {
        Gather {
            fold: Duration::from_secs(limits.notice_fold_seconds),
            rows_per_minute: limits.notices_per_minute_max,
            rows: HashMap::new(),
            minutes: HashMap::new(),
        }
    }

    /// Takes a refusal; gives it back where it must be noted now, because it is the first of its kind.
    pub fn on(&mut self, notice: Notice) -> Option<Notice> {
        let (now, cause) = (notice.at, Cause::of(&notice));
        let key = Key {
            kind: notice.kind,
            cause,
            login: (notice.kind == NoticeKind::Connection).then(|| (notice.remote, notice.username.clone())),
            recipient: notice.recipient.to_ascii_lowercase(),
            reference: notice.reference.clone(),
        };
        if let Some(row) = self.rows.get_mut(&key)
            && now.since(row.since) < self.fold
        {
            add(&mut row.pending, notice);
            return None;
        }
        let crowded = self.minutes.len() >= CAUSES_MAX && !self.minutes.contains_key(&cause);
        let rows_per_minute = self.rows_per_minute;
        let minute = self.minute(if crowded { Cause::Rest } else { cause }, now);
        minute.rows += 1;
        if minute.rows > rows_per_minute {
            minute.over = Some(match minute.over.take() {
                Some(before) => both(before, notice),
                None => notice,
            });
            return None;
        }
        if self.rows.len() >= ROWS_MAX && !self.rows.contains_key(&key) {
            // no room to fold it with what may follow: a row of its own, as fast as the cap lets
            return Some(notice);
        }
        let last = self.rows.insert(key, Row { since: now, pending: None });
        // what the last fold of this row had not handed out yet belongs to nobody else
        match last.and_then(|row| row.pending) {
            Some(pending) => Some(Notice { count: notice.count.saturating_add(pending.count), ..notice }),
            None => Some(notice),
        }
    }

    /// What was counted since the last flush. To be called every few seconds, and at the end.
    pub fn flush(&mut self, now: Timestamp) -> Vec<Notice> {
        let mut notices: Vec<_> = self.rows.values_mut().filter_map(|row| row.pending.take()).collect();
        let fold = self.fold;
        self.rows.retain(|_, row| now.since(row.since) < fold);
        notices.extend(self.minutes.values_mut().filter_map(|minute| minute.over.take()).map(summary));
        self.minutes.retain(|_, minute| now.since(minute.since) < Duration::from_secs(60));
        // in the order in which they came, not that of a map
        notices.sort_by(|one, other| order(one).cmp(&order(other)));
        notices
    }

    fn minute(&mut self, cause: Cause, now: Timestamp) -> &mut Minute {
        let minute = self.minutes.entry(cause).or_insert(Minute { since: now, rows: 0, over: None });
        if now.since(minute.since) >= Duration::from_secs(60) {
            minute.since = now;
            minute.rows = 0;
        }
        minute
    }
}

fn order(notice: &Notice) -> (Timestamp, SessionId, &str, &str) {
    (notice.at, notice.session, &notice.recipient, &notice.reference)
}

fn add(pending: &mut Option<Notice>, notice: Notice) {
    let before = pending.as_ref().map_or(0, |pending| pending.count);
    *pending = Some(Notice { count: notice.count.saturating_add(before), ..notice });
}

/// Stands for two that are not listed; for nobody in particular where they are not of the same.
fn both(before: Notice, notice: Notice) -> Notice {
    let count = notice.count.saturating_add(before.count);
    if (before.user, before.account) == (notice.user, notice.account) {
        return Notice { count, ..notice };
    }
    let (reply, username) = (String::from("several"), String::new());
    Notice { count, account: None, user: None, domain: None, username, reply, ..notice }
}

/// One row for many that are not listed.
fn summary(last: Notice) -> Notice {
    let reason =
        format!("{} further refusals came too fast to be listed one by one; the last: {}", last.count, last.reply);
    Notice { recipient: String::new(), sender: String::new(), subject: String::new(), reason, ..last }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_800_000_000_000);

    fn notice(user: Option<u64>, recipient: &str, reference: &str, seconds: u64) -> Notice {
        Notice {
            at: START.after(Duration::from_secs(seconds)),
            kind: if user.is_some() { NoticeKind::Rejected } else { NoticeKind::Connection },
            account: None,
            user: user.map(Id::new),
            domain: None,
            username: String::new(),
            session: SessionId(1),
            remote: "192.0.2.1".parse().unwrap(),
            tls: "TLS 1.3".into(),
            sender: String::new(),
            recipient: recipient.into(),
            subject: String::new(),
            reference: reference.into(),
            reply: "550 5.7.1 No".into(),
            reason: String::new(),
            count: 1,
        }
    }

    #[test]
    fn alike_refusals_within_an_hour_are_one_row_with_a_count() {
        let mut gather = Gather::new(&Limits::default());
        assert_eq!(gather.on(notice(Some(1), "A@example.com", "r", 0)).unwrap().count, 1);
        for second in 1..=9 {
            assert_eq!(gather.on(notice(Some(1), "a@example.com", "r", second)), None);
        }
        assert!(gather.on(notice(Some(1), "b@example.com", "r", 9)).is_some());
        assert!(gather.on(notice(Some(1), "a@example.com", "other", 9)).is_some());
        assert!(gather.on(notice(Some(2), "a@example.com", "r", 9)).is_some());
        let flushed = gather.flush(START.after(Duration::from_secs(10)));
        assert_eq!(flushed.iter().map(|notice| notice.count).collect::<Vec<_>>(), [9]);
        assert_eq!(gather.flush(START.after(Duration::from_secs(11))), []);
        assert!(gather.on(notice(Some(1), "a@example.com", "r", 3_600)).is_some());
    }

    #[test]
    fn what_was_counted_and_not_handed_out_goes_with_the_next_row() {
        let mut gather = Gather::new(&Limits::default());
        gather.on(notice(Some(1), "a@example.com", "r", 0));
        gather.on(notice(Some(1), "a@example.com", "r", 1));
        assert_eq!(gather.on(notice(Some(1), "a@example.com", "r", 4_000)).unwrap().count, 2);
    }

    #[test]
    fn new_rows_are_capped_per_user_and_minute() {
        let mut gather = Gather::new(&Limits::default());
        let rows = (0..1_000).filter(|n| gather.on(notice(Some(1), &format!("{n}@example.com"), "r", 0)).is_some());
        assert_eq!(rows.count(), 60);
        assert!(gather.on(notice(Some(2), "a@example.com", "r", 0)).is_some());
        let flushed = gather.flush(START.after(Duration::from_secs(1)));
        assert_eq!(flushed.len(), 1);
        assert_eq!((flushed[0].count, flushed[0].recipient.as_str()), (940, ""));
        assert!(flushed[0].reason.starts_with("940 further refusals"), "{}", flushed[0].reason);
        // the count of the minute goes on after a flush, and a new minute begins anew
        assert!(gather.on(notice(Some(1), "x@example.com", "r", 30)).is_none());
        assert!(gather.on(notice(Some(1), "y@example.com", "r", 60)).is_some());
    }

    #[test]
    fn before_a_login_an_address_is_capped() {
        let mut gather = Gather::new(&Limits::default());
        let rows = (0..100).filter(|n| gather.on(notice(None, "", &format!("{n}"), 0)).is_some());
        assert_eq!(rows.count(), 60);
    }

    #[test]
    fn those_who_loop_take_no_row_from_others() {
        let mut gather = Gather::new(&Limits::default());
        for minute in 0..10 {
            for user in 1..100 {
                for number in 0..60 {
                    gather.on(notice(Some(user), &format!("{minute}.{number}@example.com"), "r", minute * 60));
                }
            }
        }
        assert_eq!(gather.rows.len(), ROWS_MAX);
        let own = gather.on(notice(Some(1_000), "a@example.com", "r", 599)).unwrap();
        assert_eq!((own.user, own.recipient.as_str()), (Some(Id::new(1_000)), "a@example.com"));
    }

    #[test]
    fn what_stands_for_several_is_nobodys() {
        let mut gather = Gather::new(&Limits { notices_per_minute_max: 10, ..Limits::default() });
        for user in 0..CAUSES_MAX as u64 {
            gather.on(notice(Some(user), "a@example.com", "r", 0));
        }
        for user in 0..20 {
            let account = Some(Id::new(user));
            let user = Some(Id::new(1_000_000 + user));
            gather.on(Notice { user, account, username: "x".into(), ..notice(None, "a@example.com", "r", 0) });
        }
        let over = gather.flush(START).pop().unwrap();
        assert_eq!((over.count, over.user, over.account, over.username.as_str()), (10, None, None, ""));
    }

    #[test]
    fn memory_is_bounded() {
        let mut gather = Gather::new(&Limits { notices_per_minute_max: 10_000, ..Limits::default() });
        for user in 0..10 {
            for number in 0..5_000 {
                gather.on(notice(Some(user), &format!("{number}@example.com"), "r", 0));
            }
        }
        assert_eq!(gather.rows.len(), ROWS_MAX);
        for user in 0..2 * ROWS_MAX as u64 {
            gather.on(notice(Some(user), "a@example.com", "r", 0));
        }
        assert!(gather.minutes.len() <= CAUSES_MAX + 1);
        gather.flush(START.after(Duration::from_secs(3_600)));
        assert!(gather.rows.is_empty() && gather.minutes.is_empty());
    }
}
