//! What is shown of how a domain fares.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ViewPage;
use crate::health::{self, Finding};
use crate::sending_domain::SendingDomain;
use crate::statistics::Period;

views! {
    /// How a domain fares with those who receive its mail.
    DomainHealthView {
        /// The domain.
        domain: String,
        /// The first day of what is counted, in the time zone of the account.
        since: String,
        /// The last day.
        until: String,
        /// The worst verdict: `good`, `unknown`, `watch` or `bad`.
        verdict: String,
        /// What was looked at.
        findings: Vec<HealthFindingView>,
    }
    /// One thing that was looked at.
    HealthFindingView {
        /// What was found, as a name that stays: `records-right`, `bounces-watch`, ….
        code: String,
        /// `good`, `unknown` (too little is known), `watch` or `bad`.
        verdict: String,
        /// How many, where something is counted.
        count: u64,
        /// Of how many.
        of: u64,
        /// What part that is, 0 to 1; none where nothing is counted.
        rate: Option<f64>,
        /// The published rate that it is held against, 0 to 1.
        published_rate: Option<f64>,
        /// Who published that.
        published_by: Option<String>,
        /// Where.
        published_at: Option<String>,
        /// The address or domain that is in a list.
        listed: Option<String>,
        /// That list: its zone in DNS.
        list: Option<String>,
        /// What was found, in words.
        found: String,
        /// What to do next; empty where there is nothing to do.
        advice: String,
    }
}

impl DomainHealthView {
    /// What was found of a domain.
    pub fn new(domain: &SendingDomain, period: Period, findings: &[Finding]) -> Self {
        DomainHealthView {
            domain: domain.name.clone(),
            since: period.since.to_string(),
            until: period.until.to_string(),
            verdict: health::verdict(findings).name().to_owned(),
            findings: findings.iter().map(HealthFindingView::from).collect(),
        }
    }
}

impl From<&Finding> for HealthFindingView {
    fn from(finding: &Finding) -> Self {
        let published = finding.published.as_ref();
        let (listed, list) = finding.listed.clone().unzip();
        HealthFindingView {
            code: finding.code.to_owned(),
            verdict: finding.verdict.name().to_owned(),
            count: finding.count,
            of: finding.of,
            rate: finding.rate(),
            published_rate: published.map(|published| published.rate),
            published_by: published.map(|published| published.provider.to_owned()),
            published_at: published.map(|published| published.source.to_owned()),
            listed,
            list,
            found: finding.found(),
            advice: finding.advice().to_owned(),
        }
    }
}
