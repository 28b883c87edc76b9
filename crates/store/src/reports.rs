//! What a report makes of a recipient: the rule that every store obeys.

use relay::activity::Status;
use relay::report::{Acted, Report, ReportKind};

/// How many reports of one recipient are taken, unless the operator says otherwise.
pub(crate) const REPORTS_MAX: u64 = relay::limits::RECIPIENT_REPORTS_MAX.value;

/// What was reported of one recipient so far, also where its row is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// How many reports were heard.
    pub(crate) count: u64,
    /// One of them was a bounce.
    pub(crate) bounced: bool,
    /// One of them was a complaint that counts.
    pub(crate) complained: bool,
    /// What they brought about beyond the history.
    pub(crate) acted: Acted,
}

/// What follows from a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it is one too many, says what is known, or comes for mail that is in the queue.
    Nothing,
    /// It is shown, and changes nothing.
    Remark,
    /// The recipient comes from the first status into the second.
    Becomes(Status, Status),
}

impl Heard {
    /// Takes a report of a recipient in this status; none: its row is gone.
    pub(crate) fn take(&mut self, report: &Report, status: Option<Status>, max: u64) -> Effect {
        let before = status.unwrap_or(match (self.bounced, self.complained) {
            (true, _) => Status::HardBounce,
            (false, true) => Status::Complaint,
            (false, false) => Status::Delivered,
        });
        let is_news = self.acted.note(report);
        if matches!(before, Status::Rejected | Status::Accepted | Status::Pending | Status::Deferred) {
            return Effect::Nothing;
        }
        // what changes a recipient comes once of each kind: no remarks before it may crowd it out
        let is_known = match report.kind {
            ReportKind::SoftBounce | ReportKind::HardBounce => std::mem::replace(&mut self.bounced, true),
            ReportKind::Complaint if report.is_doubted() => !is_news && self.count >= max,
            ReportKind::Complaint => std::mem::replace(&mut self.complained, true),
            ReportKind::Remark => self.count >= max,
        };
        self.count += u64::from(!is_known);
        match report.status() {
            _ if is_known => Effect::Nothing,
            Some(after) if matches!(before, Status::Delivered | Status::Complaint) => Effect::Becomes(before, after),
            // it failed already, and is not delivered by a complaint either
            Some(_) | None if status.is_some() => Effect::Remark,
            Some(_) | None => Effect::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::clock::Timestamp;
    use relay::id::{Id, MessageId};
    use relay::report::ReportKind;

    fn report(kind: ReportKind) -> Report {
        Report {
            message: MessageId(1),
            account: Id::new(1),
            domain: None,
            user: None,
            days_ahead: 0,
            recipient: Some(0),
            at: Timestamp(1),
            kind,
            class: None,
            reason: String::new(),
            reply: String::new(),
            authentication: None,
        }
    }

    #[test]
    fn a_complaint_that_nobody_vouches_for_is_a_remark_and_a_later_one_counts() {
        let mut heard = Heard::default();
        let known = |text: &str| Report { authentication: text.parse().ok(), ..report(ReportKind::Complaint) };
        let doubted = known("spf=none smtp.helo=x.example; dkim=none");
        assert_eq!(heard.take(&doubted, Some(Status::Delivered), 5), Effect::Remark);
        assert_eq!(heard.take(&doubted, None, 5), Effect::Nothing);
        let vouched = known("spf=none smtp.helo=x.example; dkim=pass header.d=isp.example");
        let became = Effect::Becomes(Status::Delivered, Status::Complaint);
        assert_eq!(heard.take(&vouched, Some(Status::Delivered), 5), became);
    }

    #[test]
    fn a_delivered_recipient_bounces_once_also_where_its_row_is_gone() {
        for status in [Some(Status::Delivered), None] {
            let mut heard = Heard::default();
            let bounce = report(ReportKind::HardBounce);
            let became = Effect::Becomes(Status::Delivered, Status::HardBounce);
            assert_eq!(heard.take(&bounce, status, 5), became);
            assert_eq!(heard.take(&bounce, status.map(|_| Status::HardBounce), 5), Effect::Nothing);
        }
    }

    #[test]
    fn a_complaint_takes_nothing_from_what_was_delivered_and_a_bounce_after_it_does() {
        let mut heard = Heard::default();
        let complained = heard.take(&report(ReportKind::Complaint), None, 5);
        assert_eq!(complained, Effect::Becomes(Status::Delivered, Status::Complaint));
        let bounced = heard.take(&report(ReportKind::SoftBounce), None, 5);
        assert_eq!(bounced, Effect::Becomes(Status::Complaint, Status::SoftBounce));
        assert_eq!(heard.take(&report(ReportKind::Complaint), None, 5), Effect::Nothing);
    }

    #[test]
    fn mail_in_the_queue_is_not_touched_and_what_comes_too_often_is_not_heard() {
        let mut heard = Heard::default();
        let bounce = report(ReportKind::HardBounce);
        for status in [Status::Accepted, Status::Pending, Status::Deferred, Status::Rejected] {
            assert_eq!(heard.take(&bounce, Some(status), 5), Effect::Nothing);
        }
        for _ in 0..5 {
            assert_eq!(heard.take(&report(ReportKind::Remark), Some(Status::Delivered), 5), Effect::Remark);
        }
        assert_eq!(heard.take(&report(ReportKind::Remark), Some(Status::Delivered), 5), Effect::Nothing);
    }

    #[test]
    fn a_bounce_and_a_complaint_are_heard_after_whatever_remarks() {
        let (mut heard, delivered) = (Heard::default(), Some(Status::Delivered));
        for _ in 0..9 {
            heard.take(&report(ReportKind::Remark), delivered, 5);
        }
        let complained = heard.take(&report(ReportKind::Complaint), delivered, 5);
        assert_eq!(complained, Effect::Becomes(Status::Delivered, Status::Complaint));
        let bounced = heard.take(&report(ReportKind::HardBounce), Some(Status::Complaint), 5);
        assert_eq!(bounced, Effect::Becomes(Status::Complaint, Status::HardBounce));
    }
}
