//! The records of a domain on its page: what to publish, and in the visitor's words what DNS has of each.

use relay::service::view::{DmarcView, DnsRecordView, DomainView, SpfView};

use crate::console::words::Words;

/// One record to publish.
pub(super) struct Record {
    pub(super) title: String,
    pub(super) about: String,
    pub(super) form: String,
    /// The name without the domain, which many providers add by themselves.
    pub(super) name: String,
    pub(super) whole_name: String,
    pub(super) value: String,
    pub(super) slug: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: String,
    /// What that means, a sentence each.
    pub(super) more: Vec<String>,
    pub(super) signs: bool,
    /// Whether there is something to compare.
    pub(super) is_told: bool,
    /// What is there instead.
    pub(super) found: Vec<String>,
    /// What the name leads to, and who said so.
    pub(super) alias: Option<String>,
    pub(super) server: Option<String>,
}

/// What is to be published, in a sentence.
pub(super) fn about(words: &Words, domain: &DomainView) -> String {
    let is_led = domain.records.iter().any(|record| record.form == "CNAME");
    words.with(if is_led { "domain-records-aliases" } else { "domain-records-what" }, "domain", domain.name.as_str())
}

/// Every record, in the order of the page.
pub(super) fn of(words: &Words, domain: &DomainView) -> Vec<Record> {
    let mut number = 0;
    let records = domain.records.iter();
    records
        .map(|record| {
            number += u64::from(record.purpose == "dkim");
            one(words, domain, record, number)
        })
        .collect()
}

fn one(words: &Words, domain: &DomainView, record: &DnsRecordView, number: u64) -> Record {
    let key = record.selector.as_ref().and_then(|selector| domain.keys.iter().find(|key| key.selector == *selector));
    // a key made in the place of an earlier one, which is to sign once its record is there
    let is_next = key.is_some_and(|key| key.made_at.is_some() && key.seen_at.is_none() && !key.active);
    let is_optional = !record.required && !is_next && record.finding.as_deref() == Some("absent");
    let (slug, icon) = match record.finding.as_deref() {
        Some("right") => ("found", "delivered"),
        Some("absent") if is_optional => ("unused", "search"),
        Some("absent") => ("absent", "search"),
        Some("wrong") => ("wrong", "hard"),
        Some(_) => ("unknown", "info"),
        None => ("pending", "pending"),
    };
    let (title, about) = match (record.purpose.as_str(), key) {
        ("return_path", _) => (words.t("record-return-path"), words.t("record-return-path-what")),
        ("dmarc", _) => ("DMARC".to_owned(), words.t("record-dmarc")),
        (_, key) => {
            let need = match (is_next, record.required) {
                (true, _) => "record-next",
                (false, true) => "record-required",
                (false, false) => "record-optional",
            };
            let kind = if key.is_some_and(|key| key.algorithm == "ed25519") { "Ed25519" } else { "RSA" };
            (words.with("record-signature", "number", words.number(number)), words.with(need, "kind", kind))
        }
    };
    let fault = key.and_then(|key| key.fault.as_deref());
    let more = match record.purpose.as_str() {
        "return_path" => of_return_path(words, domain, record, slug),
        "dmarc" => {
            let missing = domain.dmarc_address.as_ref().filter(|_| domain.dmarc_reported == Some(false));
            let missing = missing.filter(|_| domain.dmarc.as_ref().is_some_and(|found| found.at.is_some()));
            let advice = missing.map(|address| words.with("dmarc-add", "address", address.as_str()));
            of_policy(words, domain.dmarc.as_ref()).into_iter().chain(advice).collect()
        }
        _ => vec![match fault {
            Some(fault) => words.with("record-unknown-why", "fault", fault),
            None if slug == "absent" && record.alias.as_ref() == Some(&record.value) => words.t("record-zone-lacks"),
            None => words.t(&format!("record-{slug}-what")),
        }],
    };
    Record {
        title,
        about,
        form: record.form.clone(),
        name: record.name.strip_suffix(&format!(".{}", domain.name)).unwrap_or(&record.name).to_owned(),
        whole_name: record.name.clone(),
        value: record.value.clone(),
        // what may be missing alarms nobody
        slug: if slug == "unused" { "unknown" } else { slug },
        icon,
        word: words.t(&format!("record-{slug}")),
        more,
        signs: key.is_some_and(|key| key.active && key.seen_at.is_some()),
        is_told: matches!(slug, "absent" | "wrong" | "unknown"),
        found: record.found.clone(),
        alias: record.alias.clone().filter(|alias| *alias != record.value),
        server: record.server.clone(),
    }
}

/// Where the keys of each algorithm stand that follow one another, in a sentence or two, and whether that is late.
pub(super) fn rotations(words: &Words, domain: &DomainView) -> Vec<(bool, String)> {
    let told = domain.rotations.iter().map(|rotation| {
        let place = domain.keys.iter().position(|key| key.selector == rotation.next).unwrap_or_default();
        let number = words.number(place as u64 + 1);
        let kind = if rotation.algorithm == "ed25519" { "Ed25519" } else { "RSA" };
        let moment = rotation.at.as_deref().map(|at| words.minute(at)).unwrap_or_default();
        let id = match rotation.stage.as_str() {
            "awaited" if rotation.late => "rotation-late",
            "awaited" => "rotation-awaited",
            "held" => "rotation-held",
            "renewing" => "rotation-renewing",
            "resting" => "rotation-resting",
            "signing" => "rotation-signing",
            _ => "rotation-soon",
        };
        (rotation.late, words.filled(id, &[("kind", kind), ("next", &number), ("moment", &moment)]))
    });
    told.collect()
}

fn of_return_path(words: &Words, domain: &DomainView, record: &DnsRecordView, slug: &str) -> Vec<String> {
    let of_spf = || domain.spf.iter().map(|found| spf(words, found));
    match (slug, record.form.as_str()) {
        ("found", _) => vec![words.t("record-found-what")],
        ("pending", _) => vec![words.t("record-return-path-pending")],
        ("unused", _) => vec![words.t("record-return-path-unused")],
        (_, "TXT") => of_spf().collect(),
        ("wrong", "MX") => vec![words.t("record-mail-elsewhere")],
        ("wrong", _) => {
            let mail = (!record.found.is_empty()).then(|| words.t("record-mail-elsewhere"));
            let passes = domain.spf.as_ref().is_some_and(|found| found.result == "pass");
            mail.into_iter().chain(of_spf().filter(|_| !passes)).collect()
        }
        _ => vec![words.t("record-unknown-what")],
    }
}

/// What SPF says of the relay.
fn spf(words: &Words, found: &SpfView) -> String {
    let of = |field: &Option<String>| field.clone().unwrap_or_default();
    let (address, at, term, fault) = (of(&found.address), of(&found.at), of(&found.term), of(&found.fault));
    let filled = [
        ("name", found.name.as_str()),
        ("address", address.as_str()),
        ("at", at.as_str()),
        ("term", term.as_str()),
        ("fault", fault.as_str()),
    ];
    let key = match (found.result.as_str(), found.problem.as_deref()) {
        ("broken", Some(problem)) => format!("spf-broken-{problem}"),
        ("refused", _) if found.term.is_none() => "spf-refused-unnamed".to_owned(),
        (result, _) => format!("spf-{result}"),
    };
    words.filled(&key, &filled)
}

/// What the policy means, in sentences.
fn of_policy(words: &Words, found: Option<&DmarcView>) -> Vec<String> {
    let Some(found) = found else { return vec![words.t("record-dmarc-what")] };
    if let Some(fault) = &found.fault {
        return vec![words.with("record-unknown-why", "fault", fault.as_str())];
    }
    let problems =
        found.problems.iter().map(|problem| words.t(&format!("dmarc-problem-{}", problem.replace('_', "-"))));
    let Some(at) = &found.at else { return problems.chain([words.t("record-dmarc-what")]).collect() };
    let policy = match &found.policy {
        Some(policy) => words.with(&format!("dmarc-policy-{policy}"), "name", at.as_str()),
        None => words.with("dmarc-policy-missing", "name", at.as_str()),
    };
    let trial = found.trial.then(|| words.t("dmarc-trial"));
    let alignment = words.t(if found.strict_spf { "dmarc-strict" } else { "dmarc-aligned" });
    let reports = match found.reports.as_slice() {
        [] => words.t("dmarc-no-reports"),
        reports => words.with("dmarc-reports", "addresses", reports.join(", ")),
    };
    [policy].into_iter().chain(trial).chain([alignment, reports]).chain(problems).collect()
}
