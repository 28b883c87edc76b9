//! `envoi doctor`: looks at everything a relay stands on, and says what to do about what is not well.

mod repair;

/// What was found, in English and by name: a code, what is put into its words, and what other languages put in besides.
macro_rules! said {
    ($code:literal, $text:literal $(, $name:ident = $value:expr)* $(; $($more:ident = $other:expr),+)? $(,)?) => {
        $crate::doctor::Said::new(
            $code,
            format!($text, $($name = $value),*),
            [$((stringify!($name), ($value).to_string()),)* $($((stringify!($more), ($other).to_string())),+)?],
        )
    };
}

mod around;
mod house;

pub(crate) use around::DNS_PATIENCE;

use relay::clock::Timestamp;
use relay::service::operation::Health;
use relay::service::view::CheckView;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::{DoctorArgs, Failure, print, print_json, table};
use crate::config::{self, Config};

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Ok,
    Warn,
    Fail,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Mark::Ok => "ok",
            Mark::Warn => "warn",
            Mark::Fail => "fail",
        }
    }
}

/// What was found.
struct Said {
    /// Its name whatever the language; empty where a system said it.
    code: &'static str,
    text: String,
    values: BTreeMap<String, String>,
}

impl Said {
    fn new<const N: usize>(code: &'static str, text: String, values: [(&str, String); N]) -> Said {
        Said { code, text, values: values.map(|(name, value)| (name.to_owned(), value)).into() }
    }

    /// In words that have no name.
    fn plain(text: impl Into<String>) -> Said {
        Said { code: "", text: text.into(), values: BTreeMap::new() }
    }
}

/// Collects findings.
#[derive(Debug, Default)]
struct Sheet {
    checks: Vec<CheckView>,
}

impl Sheet {
    fn add(&mut self, mark: Mark, check: &str, found: Said, remedy: impl Into<String>) {
        let (check, result) = (check.to_owned(), mark.word().to_owned());
        let code = Some(found.code.to_owned()).filter(|code| !code.is_empty());
        let (found, values) = (found.text, found.values);
        self.checks.push(CheckView { check, result, found, remedy: remedy.into(), code, values });
    }

    fn ok(&mut self, check: &str, found: Said) {
        self.add(Mark::Ok, check, found, "");
    }

    fn warn(&mut self, check: &str, found: Said, remedy: impl Into<String>) {
        self.add(Mark::Warn, check, found, remedy);
    }

    fn fail(&mut self, check: &str, found: Said, remedy: impl Into<String>) {
        self.add(Mark::Fail, check, found, remedy);
    }

    fn has_failed(&self) -> bool {
        self.checks.iter().any(|check| check.result == Mark::Fail.word())
    }
}

/// Looks, tells, and fails where something is not well enough to send mail.
pub(crate) async fn run(file: &Path, arguments: &DoctorArgs, json: bool) -> Result<(), Failure> {
    if arguments.repair {
        return repair::run(file, arguments.yes, json).await;
    }
    let now = net::clock::Clock::now(&net::clock::SystemClock::new());
    let mut sheet = Sheet::default();
    let findings = config::check(file, now);
    for problem in &findings.problems {
        let mark = if problem.warning { Mark::Warn } else { Mark::Fail };
        let found = Said::plain(format!("line {}: {}: {}", problem.line, problem.key, problem.what));
        sheet.add(mark, "configuration", found, &problem.remedy);
    }
    if let Ok(config) = config::load(file) {
        if findings.problems.is_empty() {
            sheet.ok("configuration", Said::plain(findings.file.display().to_string()));
        }
        let health = house::data(&config, &mut sheet).await;
        stand(&config, health.as_ref(), now, true, &mut sheet).await;
    }
    tell(&sheet, json);
    if sheet.has_failed() { Err(Failure::Told) } else { Ok(()) }
}

/// What a relay that runs stands on, and how it is itself: as it would be told here, without the configuration's check.
pub(crate) async fn look(config: &Config, health: &Health, now: Timestamp) -> Vec<CheckView> {
    let mut sheet = Sheet::default();
    house::relay(health, &mut sheet);
    stand(config, Some(health), now, false, &mut sheet).await;
    sheet.checks
}

/// `checked`: what the configuration's check says of its files is told already.
async fn stand(config: &Config, health: Option<&Health>, now: Timestamp, checked: bool, sheet: &mut Sheet) {
    house::ports(config, health, sheet).await;
    house::certificates(config, now, checked, sheet);
    house::clock(now, config, sheet);
    house::disk(config, sheet);
    around::look(config, health.and_then(|health| health.dnssec), sheet).await;
}

fn tell(sheet: &Sheet, json: bool) {
    if json {
        return print_json(&json!(sheet.checks));
    }
    print(&text(&sheet.checks));
}

/// Findings for people to read.
pub(crate) fn text(checks: &[CheckView]) -> String {
    let mut lines = Vec::new();
    for check in checks {
        lines.push(table::printable(&format!("{:<5} {:<14} {}", check.result, check.check, check.found)));
        if !check.remedy.is_empty() {
            lines.push(format!("{:21}→ {}", "", table::printable(&check.remedy)));
        }
    }
    lines.join("\n")
}
