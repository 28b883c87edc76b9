//! Every operation that there is, about what belongs to one account.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use relay::activity::ActivityFilter;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::language::Language;
use relay::power::Role;
use relay::service::operation::{Operation, Part};
use relay::service::{QueueOrder, RulesChange, Selection, Setting, TermsChange, WebhookWish};
use relay::webhook::EventKind;

use super::Party;

/// A webhook to be.
pub(super) fn hook(name: &str) -> WebhookWish {
    let (url, events) = (Some("https://hooks.example/in".to_owned()), Some(vec![EventKind::Delivered]));
    WebhookWish { name: Some(name.to_owned()), url, events, ..WebhookWish::default() }
}

/// All of an account's queue.
fn part(account: u64) -> Selection {
    Selection { account: Some(account), ..Selection::default() }
}

/// Every operation, about what belongs to `of`.
pub(super) fn operations(of: &Party) -> Vec<Operation> {
    let mut all = of_account(of);
    all.extend(of_plans(of));
    all.extend([&of.domain, &of.domain_number].into_iter().flat_map(|domain| of_domain(domain)));
    all.extend([&of.user, &of.user_number].into_iter().flat_map(|user| of_user(user)));
    all
}

fn of_account(of: &Party) -> Vec<Operation> {
    use Operation as O;
    let (account, some) = (of.account, Some(of.account));
    let message = MessageId(1);
    let filter = ActivityFilter { account: Some(Id::new(account)), ..ActivityFilter::default() };
    vec![
        O::AccountAdd { name: "Another".into(), without_plan: false, time_zone: None, language: None },
        O::AccountList { search: None, part: Part::WHOLE },
        O::AccountShow { account },
        O::AccountSuspend { account },
        O::AccountResume { account },
        O::AccountSet {
            account,
            name: None,
            time_zone: Some("Europe/Paris".into()),
            language: None,
            activity_days: Setting::Keep,
        },
        O::AccountDelete { account, cancel_mail: false },
        O::AccountQuota { account, recipients: Setting::Keep, renews_on: Some(2) },
        O::DomainAdd { account, name: "further.example".into() },
        O::DomainList { account: some, part: Part::WHOLE },
        O::SmtpUserList { account: some, domain: None, part: Part::WHOLE },
        O::SuppressionAdd { account, address: "a@b.example".into(), reason: String::new(), until: None },
        O::SuppressionImport { account, list: "a@b.example".into() },
        O::SuppressionList { account: some, search: String::new(), cause: None, after: None, limit: 0 },
        O::SuppressionRemove { account, address: "a@b.example".into(), smtp_user: None },
        O::ActivityErase { account, recipient: "a@b.example".into(), suppression: false },
        O::Activity { filter: filter.clone() },
        O::ActivityShow { row: of.row },
        O::ActivitySince { cursor: Some(of.cursor.clone()), filter, seconds: 0 },
        O::Statistics { account: some, domain: None, user: None, since: None, until: None },
        O::Connections { account: some, before: None, limit: 0 },
        O::InboxList { account: some, recipient: None, before: None, limit: 0 },
        O::InboxShow { message: of.captured },
        O::InboxSource { message: of.captured },
        O::InboxDelete { message: of.captured },
        O::InboxEmpty { account },
        O::QueueList { account: some, after: None, limit: 0 },
        O::QueueShow { message },
        O::QueueRetry { message },
        O::QueueHold { message },
        O::QueueRelease { message },
        O::QueueCancel { message },
        O::QueueCount { selection: part(account), after: None },
        O::QueueOrder { order: QueueOrder::Hold, selection: part(account), after: None },
        O::QueueReleaseAll,
        O::QueueCancelAll,
        O::UnknownReplies,
        O::SiteList { after: None, limit: 0, troubled: false },
        O::SiteResume { site: "example.net".into() },
        O::SourceList,
        O::SourceResume { source: "out1".into() },
        O::SourceWarmUpStop { source: "out1".into() },
        O::SourceWarmUpStart { source: "out1".into() },
        O::TlsSessionList { after: None, limit: 0 },
        O::TlsReportList { limit: 0 },
        O::BrakeList { account: some },
        O::BrakeRelease { brake: format!("U{}", of.user_number) },
        O::Blocks,
        O::BlockLift { address: IpAddr::V4(Ipv4Addr::LOCALHOST) },
        O::Audit { account: some, before: None, limit: 0 },
        O::ApiKeyAdd {
            account: some,
            name: "Another".into(),
            powers: Role::Regular.powers(),
            read_only: true,
            expires_at: None,
        },
        O::ApiKeyList { account: some },
        O::ApiKeyDelete { key: of.key },
        O::WebhookAdd { account, wish: hook("Another") },
        O::WebhookList { account: some },
        O::WebhookShow { webhook: of.webhook },
        O::WebhookSet { webhook: of.webhook, wish: WebhookWish { enabled: Some(false), ..WebhookWish::default() } },
        O::WebhookRotate { webhook: of.webhook },
        O::WebhookTest { webhook: of.webhook },
        O::WebhookLog { webhook: of.webhook, before: None, limit: 0 },
        O::WebhookCall { webhook: of.webhook, call: of.call },
        O::WebhookReplay { webhook: of.webhook, call: None, since: Some(Timestamp(0)) },
        O::WebhookDelete { webhook: of.webhook },
        O::MemberAdd {
            account: some,
            email: "another@example.com".into(),
            name: "Another".into(),
            role: Role::Regular,
            language: Language::French,
        },
        O::MemberList { account: some },
        O::MemberSet { member: of.member, role: Some(Role::Regular), name: None, language: None },
        O::MemberLink { member: of.member },
        O::MemberSignIns { member: of.member },
        O::MemberRemove { member: of.member },
        O::Backup { target: PathBuf::from("/nowhere"), with_master_key: true },
        O::BackupList,
        O::BackupCheck { backup: 1 },
        O::CertificateList,
        O::CertificateRenew,
        O::ZoneShow { after: None, limit: 0 },
        O::Health,
        O::Checks,
    ]
}

fn of_plans(of: &Party) -> Vec<Operation> {
    use Operation as O;
    let (account, some) = (of.account, Some(of.account));
    vec![
        O::AccountPlan { account, plan: None },
        O::AccountContacts { account },
        O::AccountContactsSet { account, primary: Setting::Default, billing: Setting::Default },
        O::PlanList { account: some },
        O::PlanAdd { name: "Small".into(), terms: TermsChange::default() },
        O::PlanSet { plan: 1, terms: TermsChange::default() },
        O::PlanDefault { plan: 1 },
        O::PlanRetire { plan: 1, retired: false },
        O::PlanDelete { plan: 1 },
        O::PlanAsk { account, plan: None, message: String::new() },
        O::PlanWithdraw { account },
        O::PlanKeep { account },
        O::PlanRequestList,
        O::PlanApprove { request: 1 },
        O::PlanDecline { request: 1, reason: String::new() },
    ]
}

fn of_domain(domain: &str) -> Vec<Operation> {
    use Operation as O;
    let domain = domain.to_owned();
    vec![
        O::DomainShow { domain: domain.clone() },
        O::DomainDmarc { domain: domain.clone(), days: None },
        O::DomainHealth { domain: domain.clone() },
        O::DomainVerify { domain: domain.clone() },
        O::DomainVouch { domain: domain.clone(), vouched: true },
        O::DomainRotate { domain: domain.clone(), algorithm: None, force: true },
        O::DomainBounceMails { domain: domain.clone(), on: false },
        O::SmtpUserAdd { domain: domain.clone(), name: "Further".into(), rules: RulesChange::default() },
        O::SmtpUserList { account: None, domain: Some(domain.clone()), part: Part::WHOLE },
        O::Statistics { account: None, domain: Some(domain.clone()), user: None, since: None, until: None },
        O::DomainDelete { domain, cancel_mail: false },
    ]
}

fn of_user(user: &str) -> Vec<Operation> {
    use Operation as O;
    let user = user.to_owned();
    let raw = "RnJvbTogYUBiLmV4YW1wbGUNClRvOiBjQGQuZXhhbXBsZQ0KDQp4DQo=";
    let message = serde_json::json!({"user": user, "content": {"raw": raw}});
    vec![
        O::SmtpUserShow { user: user.clone() },
        O::Statistics { account: None, domain: None, user: Some(user.clone()), since: None, until: None },
        O::SmtpUserRename { user: user.clone(), name: "Other".into() },
        O::SmtpUserReset { user: user.clone() },
        O::SmtpUserAddPassword { user: user.clone() },
        O::SmtpUserDropPassword { user: user.clone() },
        O::SmtpUserEnable { user: user.clone() },
        O::SmtpUserDisable { user: user.clone() },
        O::SmtpUserSet { user: user.clone(), rules: RulesChange::default() },
        O::MessageSubmit { message: serde_json::from_value(message).unwrap() },
        O::SmtpUserDelete { user },
    ]
}
