//! What an operator looks after: the queue, blocks, the audit log, backups, health.

use relay::id::MessageId;
use relay::service::operation::{Health, Operation};
use relay::service::view::{
    AuditView, BackupView, BackupsView, BlockView, CertificateView, CheckView, DoneView, KeptBackupView, MessageView,
    QueueView, SendingSourceView, SiteView, TlsReportView, TlsSessionsView, UnknownReplyView, ZoneView,
};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use utoipa::{IntoParams, ToSchema};

use super::activity::cursor;
use super::asking::{Asking, Body, Outcome, Path, Query};
use super::page::{Page, limit};
use super::problem::Problem;

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Waiting {
    /// Of this account alone.
    account: Option<u64>,
    /// Messages of a page; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

/// Which part of the zone.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Domains of a part; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the part before gave as `next`.
    cursor: Option<u64>,
}

/// The message of a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path, names("message"))]
pub(super) struct Named(
    /// Its id.
    pub(super) String,
);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupOrder {
    /// The folder to make, on the relay's machine, by its whole path.
    target: String,
    /// Copy the master key too: whoever has the backup then has every secret.
    #[serde(default)]
    with_master_key: bool,
}

pub(super) fn id(given: &str) -> Result<MessageId, Problem> {
    given.parse().map_err(|_| Problem::unreadable("This is not the id of a message."))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Lines {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
    /// At most so many; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    #[param(maximum = 9_223_372_036_854_775_807_u64)]
    cursor: Option<u64>,
}

/// Reads the audit log, the last line first.
#[utoipa::path(get, path = "/audit", operation_id = "Audit", tag = "Audit", params(Lines),
    responses((status = 200, body = Page<AuditView>)))]
pub(super) async fn audit(asking: Asking, Query(lines): Query<Lines>) -> Outcome<Page<AuditView>> {
    let (before, limit) = (cursor(lines.cursor)?, limit(lines.limit)?);
    let page = |found: Vec<AuditView>| Page::new(found, limit, |line| line.line.to_string());
    asking.shown(Operation::Audit { account: lines.account, before, limit }, page).await
}

/// Shows what is to be in the relay's zone, a part at a time: lines of a zone file.
#[utoipa::path(get, path = "/zone", operation_id = "ZoneShow", tag = "Zone", params(Part),
    responses((status = 200, body = ZoneView)))]
pub(super) async fn zone_show(asking: Asking, Query(part): Query<Part>) -> Outcome<ZoneView> {
    asking.run(Operation::ZoneShow { after: cursor(part.cursor)?, limit: limit(part.limit)? }).await
}

/// Lists blocked addresses.
#[utoipa::path(get, path = "/blocks", operation_id = "Blocks", tag = "Blocks",
    responses((status = 200, body = Vec<BlockView>)))]
pub(super) async fn blocks(asking: Asking) -> Outcome<Vec<BlockView>> {
    asking.run(Operation::Blocks).await
}

/// Lifts the block of an address.
#[utoipa::path(delete, path = "/blocks/{address}", operation_id = "BlockLift", tag = "Blocks",
    params(("address" = String, Path, description = "The address.")), responses((status = 200, body = DoneView)))]
pub(super) async fn block_lift(asking: Asking, Path(address): Path<IpAddr>) -> Outcome<DoneView> {
    asking.run(Operation::BlockLift { address }).await
}

/// Lists the queue, the oldest message first.
#[utoipa::path(get, path = "/queue", operation_id = "QueueList", tag = "Queue", params(Waiting),
    responses((status = 200, body = Page<QueueView>)))]
pub(super) async fn queue_list(asking: Asking, Query(waiting): Query<Waiting>) -> Outcome<Page<QueueView>> {
    let (account, limit) = (waiting.account, limit(waiting.limit)?);
    let after = waiting.cursor.as_deref().map(id).transpose()?;
    let page = |rows: Vec<QueueView>| Page::new(rows, limit, |row| row.message.clone());
    asking.shown(Operation::QueueList { account, after, limit }, page).await
}

/// Lists the replies of other servers that no rule knows, by their shape, since the relay started; the most frequent first.
#[utoipa::path(get, path = "/unknown-replies", operation_id = "UnknownReplies", tag = "Queue",
    responses((status = 200, body = Vec<UnknownReplyView>)))]
pub(super) async fn unknown_replies(asking: Asking) -> Outcome<Vec<UnknownReplyView>> {
    asking.run(Operation::UnknownReplies).await
}

/// Which sites.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Sites {
    /// Those alone where something is in force.
    #[serde(default)]
    troubled: bool,
    /// Rows of a page; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

/// Lists the sites that mail goes to, in the order of their names, with what is in force at each and why.
#[utoipa::path(get, path = "/sites", operation_id = "SiteList", tag = "Queue", params(Sites),
    responses((status = 200, body = Page<SiteView>)))]
pub(super) async fn site_list(asking: Asking, Query(sites): Query<Sites>) -> Outcome<Page<SiteView>> {
    let limit = limit(sites.limit)?;
    let page = |rows: Vec<SiteView>| Page::new(rows, limit, |row| row.site.clone());
    asking.shown(Operation::SiteList { after: sites.cursor, limit, troubled: sites.troubled }, page).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteOrder {
    /// The name of the site.
    site: String,
}

/// Lists the sources that mail is sent from, with what is in force for each; none where the relay has but one without a name.
#[utoipa::path(get, path = "/sources", operation_id = "SourceList", tag = "Queue",
    responses((status = 200, body = Vec<SendingSourceView>)))]
pub(super) async fn source_list(asking: Asking) -> Outcome<Vec<SendingSourceView>> {
    asking.run(Operation::SourceList).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceOrder {
    /// The name of the source.
    source: String,
}

/// Has a source tried now that is set aside.
#[utoipa::path(post, path = "/sources/resume", operation_id = "SourceResume", tag = "Queue", request_body = SourceOrder,
    responses((status = 200, body = DoneView)))]
pub(super) async fn source_resume(asking: Asking, Body(order): Body<SourceOrder>) -> Outcome<DoneView> {
    asking.run(Operation::SourceResume { source: order.source }).await
}

/// Stops the warm-up of a source: it is treated as warm from now on.
#[utoipa::path(post, path = "/sources/warm-up/stop", operation_id = "SourceWarmUpStop", tag = "Queue",
    request_body = SourceOrder, responses((status = 200, body = DoneView)))]
pub(super) async fn source_warm_up_stop(asking: Asking, Body(order): Body<SourceOrder>) -> Outcome<DoneView> {
    asking.run(Operation::SourceWarmUpStop { source: order.source }).await
}

/// Begins the warm-up of a source again, with the first rung at every provider.
#[utoipa::path(post, path = "/sources/warm-up/start", operation_id = "SourceWarmUpStart", tag = "Queue",
    request_body = SourceOrder, responses((status = 200, body = DoneView)))]
pub(super) async fn source_warm_up_start(asking: Asking, Body(order): Body<SourceOrder>) -> Outcome<DoneView> {
    asking.run(Operation::SourceWarmUpStart { source: order.source }).await
}

/// Has a site tried now that is left alone or slowed.
#[utoipa::path(post, path = "/sites/resume", operation_id = "SiteResume", tag = "Queue", request_body = SiteOrder,
    responses((status = 200, body = DoneView)))]
pub(super) async fn site_resume(asking: Asking, Body(order): Body<SiteOrder>) -> Outcome<DoneView> {
    asking.run(Operation::SiteResume { site: order.site }).await
}

/// Which part of what is counted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TlsSessions {
    /// Rows of a page; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

/// Lists how TLS went with the mail servers of domains, as it is counted for reports to them (RFC 8460), in the order of days and
/// names: on the present day (UTC), and on those whose reports are still to go out.
#[utoipa::path(get, path = "/tls-sessions", operation_id = "TlsSessionList", tag = "Queue", params(TlsSessions),
    responses((status = 200, body = Page<TlsSessionsView>)))]
pub(super) async fn tls_session_list(
    asking: Asking,
    Query(asked): Query<TlsSessions>,
) -> Outcome<Page<TlsSessionsView>> {
    let limit = limit(asked.limit)?;
    let page = |rows: Vec<TlsSessionsView>| Page::new(rows, limit, |row| format!("{}/{}", row.day, row.domain));
    asking.shown(Operation::TlsSessionList { after: asked.cursor, limit }, page).await
}

/// How many reports.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TlsReports {
    /// How many at the most; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Lists the reports on TLS that were sent to domains, or given up, the newest first.
#[utoipa::path(get, path = "/tls-reports", operation_id = "TlsReportList", tag = "Queue", params(TlsReports),
    responses((status = 200, body = Vec<TlsReportView>)))]
pub(super) async fn tls_report_list(asking: Asking, Query(asked): Query<TlsReports>) -> Outcome<Vec<TlsReportView>> {
    asking.run(Operation::TlsReportList { limit: limit(asked.limit)? }).await
}

/// Shows a message of the queue.
#[utoipa::path(get, path = "/queue/{message}", operation_id = "QueueShow", tag = "Queue",
    params(Named), responses((status = 200, body = MessageView)))]
pub(super) async fn queue_show(asking: Asking, Path(Named(message)): Path<Named>) -> Outcome<MessageView> {
    asking.run(Operation::QueueShow { message: id(&message)? }).await
}

/// Gives a message up. It cannot be undone.
#[utoipa::path(delete, path = "/queue/{message}", operation_id = "QueueCancel", tag = "Queue",
    params(Named), responses((status = 200, body = DoneView)))]
pub(super) async fn queue_cancel(asking: Asking, Path(Named(message)): Path<Named>) -> Outcome<DoneView> {
    asking.run(Operation::QueueCancel { message: id(&message)? }).await
}

/// Tries a message now.
#[utoipa::path(post, path = "/queue/{message}/retry", operation_id = "QueueRetry", tag = "Queue",
    params(Named), responses((status = 200, body = DoneView)))]
pub(super) async fn queue_retry(asking: Asking, Path(Named(message)): Path<Named>) -> Outcome<DoneView> {
    asking.run(Operation::QueueRetry { message: id(&message)? }).await
}

/// Holds a message.
#[utoipa::path(post, path = "/queue/{message}/hold", operation_id = "QueueHold", tag = "Queue",
    params(Named), responses((status = 200, body = DoneView)))]
pub(super) async fn queue_hold(asking: Asking, Path(Named(message)): Path<Named>) -> Outcome<DoneView> {
    asking.run(Operation::QueueHold { message: id(&message)? }).await
}

/// Releases a held message.
#[utoipa::path(post, path = "/queue/{message}/release", operation_id = "QueueRelease", tag = "Queue",
    params(Named), responses((status = 200, body = DoneView)))]
pub(super) async fn queue_release(asking: Asking, Path(Named(message)): Path<Named>) -> Outcome<DoneView> {
    asking.run(Operation::QueueRelease { message: id(&message)? }).await
}

/// Releases every message that the operator holds.
#[utoipa::path(post, path = "/queue/release-all", operation_id = "QueueReleaseAll", tag = "Queue",
    responses((status = 200, body = DoneView)))]
pub(super) async fn queue_release_all(asking: Asking) -> Outcome<DoneView> {
    asking.run(Operation::QueueReleaseAll).await
}

/// Gives every message up that the operator holds. It cannot be undone.
#[utoipa::path(post, path = "/queue/cancel-all", operation_id = "QueueCancelAll", tag = "Queue",
    responses((status = 200, body = DoneView)))]
pub(super) async fn queue_cancel_all(asking: Asking) -> Outcome<DoneView> {
    asking.run(Operation::QueueCancelAll).await
}

/// Copies everything into a new folder, as of one moment, while mail flows.
#[utoipa::path(post, path = "/backups", operation_id = "Backup", tag = "Relay", request_body = BackupOrder,
    responses((status = 200, body = BackupView)))]
pub(super) async fn backup(asking: Asking, Body(order): Body<BackupOrder>) -> Outcome<BackupView> {
    let target = PathBuf::from(order.target);
    if !target.is_absolute() {
        return Err(Problem::unreadable("`target` has to be a whole path: it begins with a slash."));
    }
    asking.run(Operation::Backup { target, with_master_key: order.with_master_key }).await
}

/// Lists the backups that were made lately, the latest first, and says whether one is being made or checked.
#[utoipa::path(get, path = "/backups", operation_id = "BackupList", tag = "Relay",
    responses((status = 200, body = BackupsView)))]
pub(super) async fn backup_list(asking: Asking) -> Outcome<BackupsView> {
    asking.run(Operation::BackupList).await
}

/// Compares every file of a backup of the list with its manifest. Takes as long as reading them does.
#[utoipa::path(post, path = "/backups/{backup}/check", operation_id = "BackupCheck", tag = "Relay",
    params(("backup" = u64, Path, description = "Its number in the list.")), responses((status = 200, body = KeptBackupView)))]
pub(super) async fn backup_check(asking: Asking, Path(backup): Path<u64>) -> Outcome<KeptBackupView> {
    asking.run(Operation::BackupCheck { backup }).await
}

/// Lists the certificates that clients are shown.
#[utoipa::path(get, path = "/certificates", operation_id = "CertificateList", tag = "Relay",
    responses((status = 200, body = Vec<CertificateView>)))]
pub(super) async fn certificate_list(asking: Asking) -> Outcome<Vec<CertificateView>> {
    asking.run(Operation::CertificateList).await
}

/// Orders the certificate now that comes by itself, whatever is there.
#[utoipa::path(post, path = "/certificates/renew", operation_id = "CertificateRenew", tag = "Relay",
    responses((status = 200, body = DoneView)))]
pub(super) async fn certificate_renew(asking: Asking) -> Outcome<DoneView> {
    asking.run(Operation::CertificateRenew).await
}

/// Says how the relay is.
#[utoipa::path(get, path = "/health", operation_id = "Health", tag = "Relay",
    responses((status = 200, body = Health)))]
pub(super) async fn health(asking: Asking) -> Outcome<Health> {
    asking.run(Operation::Health).await
}

/// Looks at what the relay stands on: ports, certificates, clock, disk, DNS, its name, the way out. Takes some seconds.
#[utoipa::path(get, path = "/checks", operation_id = "Checks", tag = "Relay",
    responses((status = 200, body = Vec<CheckView>)))]
pub(super) async fn checks(asking: Asking) -> Outcome<Vec<CheckView>> {
    asking.run(Operation::Checks).await
}
