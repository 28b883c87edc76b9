//! Backups, for the operator: which were made, whether they are right, and making one; how one comes back is said.

use askama::Template;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{BackupFailureView, BackupsView, KeptBackupView};
use relay::service::{Fault, Named};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::form::Signed;
use super::page::{Failure, Page, shown_as};
use super::question::Pressed;
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const HERE: &str = "/operator/backups";

/// How long a page waits for its backup. One that takes longer goes on, and the list shows it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Seconds between two looks of the script while one is made or checked.
const LOOK_SECONDS: u32 = 5;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show(HERE, For::Operator, list_page),
        take(HERE, For::Operator, make),
        take("/operator/backups/{backup}/check", For::Operator, check),
    ]
}

struct Row {
    kept: KeptBackupView,
    moment: String,
    size: String,
    waited: String,
    key: String,
    slug: &'static str,
    icon: &'static str,
    state: String,
    /// When it was looked at, and what was wrong in the relay's words.
    more: String,
    fault: Option<Refusal>,
}

fn row(page: &Page, kept: KeptBackupView) -> Row {
    let words = &page.words;
    let checked = kept.checked_at.as_deref().map(|at| page.with("backup-checked-at", "moment", &words.minute(at)));
    let (slug, icon, state) = match (kept.there, &kept.fault) {
        (false, _) => ("unknown", "info", "backup-gone"),
        (true, Some(_)) => ("failed", "hard", "backup-wrong"),
        (true, None) => ("validated", "delivered", "backup-right"),
    };
    Row {
        moment: words.minute(&kept.backup.moment),
        size: page.with("size-megabytes", "number", &words.number(kept.backup.octets.div_ceil(1_000_000))),
        waited: words.count("backup-waited", kept.backup.messages),
        key: page.t(if kept.backup.master_key { "backup-with-key" } else { "backup-without-key" }),
        slug,
        icon,
        state: page.t(state),
        more: match (kept.there, checked) {
            (false, _) => page.t("backup-gone-what"),
            (true, Some(checked)) => checked,
            (true, None) => page.t("backup-read-back"),
        },
        fault: kept.fault.clone().filter(|_| kept.there).map(Refusal::Relay),
        kept,
    }
}

/// What failed, in the reader's language where there are words for it.
fn failed(page: &Page, failed: BackupFailureView) -> (String, Refusal) {
    let BackupFailureView { folder, begun_at, fault, code, values } = failed;
    let named = code.map(|code| Box::new(Named { code, values: values.into_iter().collect() }));
    let fault = Fault { named, ..Fault::unavailable(fault, "") };
    let begun = page.words.minute(&begun_at);
    let title = page.words.filled("backup-failed", &[("folder", folder.as_str()), ("moment", begun.as_str())]);
    (title, Refusal::of(&page.words, &fault))
}

#[derive(Template)]
#[template(path = "backups.html")]
struct BackupsPage {
    page: Page,
    /// Since when one is made or checked.
    busy: Option<String>,
    poll_seconds: Option<u32>,
    failed: Option<(String, Refusal)>,
    rows: Vec<Row>,
    target: String,
    with_master_key: bool,
    /// How the last of them is brought back.
    command: String,
    refused: Option<Refusal>,
}

#[derive(Default, Deserialize)]
pub(super) struct MakeForm {
    target: String,
    #[serde(default)]
    with_master_key: Option<String>,
}

/// A folder beside the last one, called by the day, that none of those in the list has.
fn beside(visit: &Visit, kept: &[KeptBackupView]) -> String {
    let Some(above) = kept.first().and_then(|last| Path::new(&last.backup.folder).parent()?.to_str()) else {
        return String::new();
    };
    let first = format!("{}/{}", above.trim_end_matches('/'), visit.words().today());
    let further = (2..).map(|number| format!("{first}-{number}"));
    let is_free = |folder: &String| kept.iter().all(|kept| kept.backup.folder != *folder);
    std::iter::once(first.clone()).chain(further).find(is_free).unwrap_or_default()
}

async fn listed(visit: &Visit, form: Option<MakeForm>, refused: Option<Refusal>) -> Result<Response, Failure> {
    let view: BackupsView = visit.ask(Operation::BackupList).await?;
    let page = visit.page();
    let form = form.unwrap_or_else(|| MakeForm { target: beside(visit, &view.backups), with_master_key: None });
    let source = view.backups.first().map_or_else(|| page.t("backup-example"), |last| last.backup.folder.clone());
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = BackupsPage {
        poll_seconds: view.busy_since.as_ref().map(|_| LOOK_SECONDS),
        busy: view.busy_since.map(|since| page.with("backup-busy", "moment", &page.words.minute(&since))),
        failed: view.failed.map(|what| failed(&page, what)),
        rows: view.backups.into_iter().map(|kept| row(&page, kept)).collect(),
        target: form.target,
        with_master_key: form.with_master_key.is_some(),
        command: format!("envoi restore --hold {source}"),
        refused,
        page,
    };
    Ok(shown_as(status, &shown))
}

async fn list_page(visit: Visit) -> Result<Response, Failure> {
    listed(&visit, None, None).await
}

/// Asks for what may take long, and waits a moment for it: none where it goes on behind. It does so whether or not whoever
/// asked is still there.
async fn begun(visit: &Visit, operation: Operation) -> Option<Result<Answer, Fault>> {
    let (door, identity) = (Arc::clone(&visit.console.door), visit.visitor.identity.clone());
    let work = tokio::spawn(async move { door.ask(operation, identity).await });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(answered)) => Some(answered),
        // it broke off, which the log tells, or goes on
        Ok(Err(_)) | Err(_) => None,
    }
}

async fn make(Signed { visit, form }: Signed<MakeForm>) -> Result<Response, Failure> {
    let target = PathBuf::from(form.target.trim());
    if !target.is_absolute() {
        let words = Refusal::Ours(visit.words().t("backup-no-folder"));
        return listed(&visit, Some(form), Some(words)).await;
    }
    let order = Operation::Backup { target, with_master_key: form.with_master_key.is_some() };
    match begun(&visit, order).await {
        Some(Err(fault)) => {
            let words = Refusal::of(visit.words(), &fault);
            listed(&visit, Some(form), Some(words)).await
        }
        _ => Ok(on_to(HERE)),
    }
}

async fn check(
    extract::Path(backup): extract::Path<String>,
    Signed { visit, .. }: Signed<Pressed>,
) -> Result<Response, Failure> {
    let order = Operation::BackupCheck { backup: visit.number(&backup)? };
    match begun(&visit, order).await {
        Some(Err(fault)) => {
            let words = Refusal::of(visit.words(), &fault);
            listed(&visit, None, Some(words)).await
        }
        _ => Ok(on_to(HERE)),
    }
}
