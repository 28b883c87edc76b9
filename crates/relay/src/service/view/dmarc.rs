//! What is shown of the reports that receivers send about mail with a domain's name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AuthenticationView, ViewPage};
use crate::dmarc_report::{Kept, Listed, Reporter, Standing, Summary, Tally};
use crate::moment;
use crate::sending_domain::SendingDomain;
use crate::statistics::Period;
use crate::zone::Publisher;

/// Sources, reporters and reports that are listed, each; those of most messages, or the newest.
const LISTED_MAX: usize = 100;

views! {
    /// What receivers reported of mail with a domain's name in From (DMARC aggregate reports), in a period.
    DmarcReportedView {
        /// The domain.
        domain: String,
        /// The address where the relay takes such reports; none: it takes none.
        address: Option<String>,
        /// The first day, in UTC.
        since: String,
        /// The last day.
        until: String,
        /// In all, of reports that count.
        total: DmarcTallyView,
        /// Each day that was reported on.
        days: Vec<DmarcDayView>,
        /// The addresses that mail came from, those of most messages first; a hundred at the most.
        sources: Vec<DmarcSourceView>,
        /// Those who report, those of most messages first, behind them those that do not count; a hundred at the most.
        reporters: Vec<DmarcReporterView>,
        /// The newest reports; a hundred at the most.
        reports: Vec<DmarcReportView>,
    }
    /// Messages, by what receivers made of them.
    DmarcTallyView {
        /// All of them.
        messages: u64,
        /// Of these, those that passed DMARC: by signature or source.
        passed: u64,
        /// Of these, those with a right signature of the domain (DKIM, aligned).
        dkim: u64,
        /// Of these, those whose source may send for the domain (SPF, aligned).
        spf: u64,
        /// Of these, those that were put aside.
        quarantined: u64,
        /// Of these, those that were refused.
        rejected: u64,
        /// What part passed, 0 to 1; none where there are no messages.
        pass_rate: Option<f64>,
    }
    /// One day of the reports.
    DmarcDayView {
        /// The day, in UTC, as the reporters count it.
        day: String,
        /// What was seen.
        tally: DmarcTallyView,
    }
    /// One address that mail with the domain's name came from.
    DmarcSourceView {
        /// The address; none: those beyond the bound, together.
        source: Option<String>,
        /// Whether it is one that this relay sends from; none: it is not configured which these are (`[zone] addresses`).
        own: Option<bool>,
        /// What was seen.
        tally: DmarcTallyView,
    }
    /// One that reports.
    DmarcReporterView {
        /// What it calls itself.
        name: String,
        /// The domain that vouches for its reports (SPF, DKIM); none: nobody does, or it was not checked.
        vouched_by: Option<String>,
        /// Whether its reports are in the sums: not where nobody vouches for them.
        counted: bool,
        /// Its reports.
        reports: u64,
        /// The messages in them.
        messages: u64,
    }
    /// One report.
    DmarcReportView {
        /// Who reports.
        reporter: String,
        /// Its own name for the report.
        id: String,
        /// The day that it is about.
        day: String,
        /// When it came.
        received_at: String,
        /// The policy that the reporter found: `none`, `quarantine` or `reject`.
        policy: String,
        /// How many messages it is about.
        messages: u64,
        /// Whether they are in the sums: not where nobody vouches for the report.
        counted: bool,
        /// What SPF and DKIM say of it; none: that was not checked.
        authentication: Option<AuthenticationView>,
    }
}

impl DmarcReportedView {
    /// What is kept of a domain's period.
    pub fn new(domain: &SendingDomain, publisher: &Publisher, period: Period, kept: &Kept) -> Self {
        let summary = Summary::of(kept);
        let source = |(source, tally): &(Option<std::net::IpAddr>, Tally)| DmarcSourceView {
            source: source.map(|source| source.to_string()),
            own: source.filter(|_| !publisher.addresses.is_empty()).map(|source| publisher.addresses.contains(&source)),
            tally: DmarcTallyView::from(tally),
        };
        let day = |(day, tally): (&crate::clock::Day, &Tally)| DmarcDayView {
            day: day.to_string(),
            tally: DmarcTallyView::from(tally),
        };
        DmarcReportedView {
            domain: domain.name.clone(),
            address: publisher.dmarc_address(domain),
            since: period.since.to_string(),
            until: period.until.to_string(),
            total: DmarcTallyView::from(&summary.total),
            days: summary.days.iter().map(day).collect(),
            sources: summary.sources.iter().take(LISTED_MAX).map(source).collect(),
            reporters: summary.reporters.iter().take(LISTED_MAX).map(DmarcReporterView::from).collect(),
            reports: kept.reports.iter().take(LISTED_MAX).map(DmarcReportView::from).collect(),
        }
    }
}

impl From<&Tally> for DmarcTallyView {
    fn from(tally: &Tally) -> Self {
        let Tally { messages, passed, dkim, spf, quarantined, rejected } = *tally;
        DmarcTallyView { messages, passed, dkim, spf, quarantined, rejected, pass_rate: tally.rate(passed) }
    }
}

impl From<&Reporter> for DmarcReporterView {
    fn from(reporter: &Reporter) -> Self {
        let vouched_by = match &reporter.standing {
            Standing::Vouched(domain) => Some(domain.clone()),
            Standing::Unchecked | Standing::Nobody | Standing::Unknown => None,
        };
        DmarcReporterView {
            name: reporter.name.clone(),
            vouched_by,
            counted: reporter.standing.counts(),
            reports: reporter.reports,
            messages: reporter.messages,
        }
    }
}

impl From<&Listed> for DmarcReportView {
    fn from(listed: &Listed) -> Self {
        DmarcReportView {
            reporter: listed.reporter.clone(),
            id: listed.id.clone(),
            day: listed.day.to_string(),
            received_at: moment::text(listed.at),
            policy: listed.policy.clone(),
            messages: listed.messages,
            counted: listed.counts(),
            authentication: listed.authentication.as_ref().map(AuthenticationView::from),
        }
    }
}
