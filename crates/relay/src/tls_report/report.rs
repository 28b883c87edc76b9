//! One report about one domain and day: the JSON, and how it is named (RFC 8460 §4.4, §5.1, §5.3).

use aws_lc_rs::digest;
use serde::Serialize;
use std::fmt::Write;

use super::{Applied, Counted, Detail, ResultType};
use crate::clock::{Day, Timestamp};

/// Who reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// What it is called.
    pub organization: String,
    /// The address for questions.
    pub contact: String,
    /// The domain that reports: the sender's, which signs what goes by mail.
    pub submitter: String,
}

/// One report.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Who reports.
    pub author: &'a Author,
    /// About which domain.
    pub domain: &'a str,
    /// About which day.
    pub day: Day,
    /// What was counted.
    pub counted: &'a Counted,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Page<'a> {
    organization_name: &'a str,
    date_range: Range,
    contact_info: &'a str,
    report_id: String,
    policies: Vec<Part<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Range {
    start_datetime: String,
    end_datetime: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Part<'a> {
    policy: &'a Applied,
    summary: Summary,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failure_details: Vec<Failure<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    total_successful_session_count: u64,
    total_failure_session_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Failure<'a> {
    result_type: ResultType,
    #[serde(skip_serializing_if = "Option::is_none")]
    sending_mta_ip: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    receiving_mx_hostname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiving_ip: Option<String>,
    failed_session_count: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    failure_reason_code: &'a str,
}

impl Report<'_> {
    /// The id: the same whenever the report is made, so that one that comes twice is known for it.
    pub fn id(&self) -> String {
        format!("{}.{}@{}", self.day, self.mark(), self.author.submitter)
    }

    /// Tells reports apart that are about different domains.
    fn mark(&self) -> String {
        let digest = digest::digest(&digest::SHA256, self.domain.as_bytes());
        digest.as_ref()[..8].iter().fold(String::new(), |mut mark, octet| {
            // writing to a String cannot fail
            let _ = write!(mark, "{octet:02x}");
            mark
        })
    }

    /// The name of the file with it, compressed.
    pub fn file_name(&self) -> String {
        let (begin, end) = (self.day.0 * 86_400, self.day.0 * 86_400 + 86_399);
        format!("{}!{}!{begin}!{end}!{}.json.gz", self.author.submitter, self.domain, self.mark())
    }

    /// The Subject of the mail that brings it.
    pub fn subject(&self) -> String {
        format!("Report Domain: {} Submitter: {} Report-ID: <{}>", self.domain, self.author.submitter, self.id())
    }

    /// The report itself.
    ///
    /// # Errors
    /// The library could not write it.
    pub fn json(&self) -> serde_json::Result<Vec<u8>> {
        let moment = |seconds: u64| crate::moment::text(Timestamp(seconds * 1000)).replace(".000Z", "Z");
        let part = |policy: &'_ super::PolicyCount| -> Summary {
            Summary { total_successful_session_count: policy.successes, total_failure_session_count: policy.failures }
        };
        let policies = self.counted.policies.iter().map(|policy| Part {
            policy: &policy.applied,
            summary: part(policy),
            failure_details: policy.details.iter().map(failure).collect(),
        });
        serde_json::to_vec(&Page {
            organization_name: &self.author.organization,
            date_range: Range {
                start_datetime: moment(self.day.0 * 86_400),
                end_datetime: moment(self.day.0 * 86_400 + 86_399),
            },
            contact_info: &self.author.contact,
            report_id: self.id(),
            policies: policies.collect(),
        })
    }
}

fn failure(detail: &Detail) -> Failure<'_> {
    Failure {
        result_type: detail.result,
        sending_mta_ip: detail.sending.map(|address| address.to_string()),
        receiving_mx_hostname: &detail.host,
        receiving_ip: detail.receiving.map(|address| address.to_string()),
        failed_session_count: detail.sessions,
        failure_reason_code: &detail.reason,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Bounds, Failed, Session, Tally};
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_report_is_what_the_rfc_asks() {
        let author = Author {
            organization: "A relay".into(),
            contact: "tls@relay.example".into(),
            submitter: "relay.example".into(),
        };
        let day = Day(20_787);
        let mut tally = Tally::of(day);
        let (applied, bounds) = (Applied::none("b.example"), Bounds { domains_max: 1, rows_max: 9 });
        let failed = Failed::new(ResultType::CertificateExpired, "expired");
        for failed in [None, Some(&failed)] {
            let receiving = "192.0.2.7".parse().ok();
            let session = Session {
                domain: "b.example",
                applied: &applied,
                host: "mx.b.example",
                receiving,
                sending: None,
                failed,
            };
            tally.count(&session, &bounds);
        }
        let report = Report { author: &author, domain: "b.example", day, counted: &tally.domains["b.example"] };
        let read: Value = serde_json::from_slice(&report.json().unwrap()).unwrap();
        assert_eq!(
            read,
            json!({
                "organization-name": "A relay",
                "date-range": {"start-datetime": "2026-11-30T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"},
                "contact-info": "tls@relay.example",
                "report-id": report.id(),
                "policies": [{
                    "policy": {"policy-type": "no-policy-found", "policy-domain": "b.example"},
                    "summary": {"total-successful-session-count": 1, "total-failure-session-count": 1},
                    "failure-details": [{
                        "result-type": "certificate-expired",
                        "receiving-mx-hostname": "mx.b.example",
                        "receiving-ip": "192.0.2.7",
                        "failed-session-count": 1,
                        "failure-reason-code": "expired",
                    }],
                }],
            })
        );
        assert!(report.id().starts_with("2026-11-30.") && report.id().ends_with("@relay.example"));
        let name = report.file_name();
        assert!(
            name.starts_with("relay.example!b.example!1795996800!1796083199!") && name.ends_with(".json.gz"),
            "{name}"
        );
        let subject = format!("Report Domain: b.example Submitter: relay.example Report-ID: <{}>", report.id());
        assert_eq!(report.subject(), subject);
        let other = Report { domain: "c.example", ..report };
        assert_ne!(other.id(), report.id());
    }
}
