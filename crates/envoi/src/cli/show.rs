//! Answers as people read them.

use super::table::{cut, pairs, printable, table};
use super::{api_key, inbox, member, plan, statistics, suppression, webhook};
use crate::moment::{of_day, short};
use relay::service::operation::{Answer, Health};
use relay::service::view::{
    AccountView, ActivityDetailView, ActivityView, AuthenticationView, BlockView, CertificateView, ConnectionView,
    ContactView, ContactsView, CredentialView, DnsRecordView, DomainView, ErasureView, EventView, MessageView,
    PlanChangeView, QueueView, SmtpUserView, UnknownReplyView,
};

/// The answer as a table or as lines.
pub(super) fn text(answer: &Answer) -> String {
    match answer {
        Answer::Account(found) => account(found),
        Answer::Accounts(accounts) => table(
            &["id", "name", "state", "plan", "used", "quota", "renews", "made"],
            accounts.iter().map(|a| {
                let quota = a.quota.map_or_else(|| "unlimited".to_owned(), |quota| quota.to_string());
                let (id, used, renews) = (a.id.to_string(), a.used.to_string(), a.renews_at.clone());
                let plan = a.plan.as_ref().map_or("none", |plan| &plan.name).to_owned();
                vec![id, a.name.clone(), a.state.clone(), plan, used, quota, renews, short(&a.created_at)]
            }),
            "There is no account yet: `envoi account add --name NAME` makes one.",
        ),
        Answer::Contacts(found) => contacts(found),
        Answer::Plan(found) => plan::one(found),
        Answer::Plans(plans) => plan::list(plans),
        Answer::PlanRequest(found) => plan::request(found),
        Answer::PlanRequests(all) => plan::requests(all),
        Answer::Domain(found) => domain(found),
        Answer::Domains(domains) => table(
            &["id", "domain", "account", "state", "added"],
            domains.iter().map(|d| {
                vec![d.id.to_string(), d.name.clone(), d.account.to_string(), d.state.clone(), short(&d.created_at)]
            }),
            "There is no domain: `envoi domain add --account ID example.com` adds one.",
        ),
        Answer::DmarcReported(found) => super::dmarc::reported(found),
        Answer::DomainHealth(found) => super::dmarc::health(found),
        Answer::SmtpUser(user) => smtp_user(user),
        Answer::SmtpUsers(users) => smtp_users(users),
        Answer::Credential(credential_of) => credential(credential_of),
        Answer::Suppressions(all) => suppression::list_of(all),
        Answer::SuppressionsImported(imported) => suppression::imported(imported),
        Answer::Activity(rows) => activity(rows),
        Answer::ActivityChanges(changes) => activity(&changes.rows),
        Answer::ActivityDetail(found) => detail(found),
        Answer::Statistics(found) => statistics::text(found),
        Answer::Connections(rows) => connections(rows),
        Answer::Queue(messages) => queue(messages),
        Answer::QueuePart(part) => super::orders::counted(part),
        Answer::Message(found) => message(found),
        Answer::Submission(view) => super::message::submission(view),
        Answer::Inbox(found) => inbox::list(found),
        Answer::Captured(found) => inbox::one(found),
        // written out as octets elsewhere
        Answer::Source(found) => String::from_utf8_lossy(&found.source.0).into_owned(),
        Answer::Certificates(found) => certificates(found),
        Answer::UnknownReplies(all) => unknown_replies(all),
        Answer::Sites(all) => super::site::list(all),
        Answer::SendingSources(all) => super::source::list(all),
        Answer::TlsSessions(all) => super::tls_report::counted(all),
        Answer::TlsReports(all) => super::tls_report::sent(all),
        Answer::Blocks(all) => blocks(all),
        Answer::Brakes(all) => super::brake::list(all),
        Answer::ApiKeys(keys) => api_key::list(keys),
        Answer::ApiKeySecret(made) => api_key::secret(made),
        Answer::Webhook(found) => webhook::one(found),
        Answer::Webhooks(webhooks) => webhook::list(webhooks),
        Answer::WebhookSecret(made) => webhook::secret(made),
        Answer::WebhookCall(found) => webhook::call(found),
        Answer::WebhookCalls(calls) => webhook::calls(calls),
        Answer::Member(found) => member::one(found),
        Answer::Members(members) => member::list(members),
        Answer::MemberLink(made) => member::link(made),
        Answer::SignIns(found) => member::sign_ins(found),
        Answer::Audit(lines) => table(
            &["at", "who", "from", "what", "on", "account"],
            lines.iter().map(|line| {
                let account = line.account.map(|account| account.to_string()).unwrap_or_default();
                let (at, action) = (short(&line.at), line.action.clone());
                vec![at, line.actor.clone(), line.from.clone(), action, line.subject.clone(), account]
            }),
            "Nothing was done yet.",
        ),
        Answer::Zone(found) => found.lines.join("\n"),
        Answer::Health(found) => health(found),
        Answer::Checks(found) => crate::doctor::text(found),
        Answer::Backup(made) => crate::archive::done(made),
        Answer::Backups(all) => crate::archive::list(all),
        Answer::KeptBackup(checked) => crate::archive::checked(checked),
        Answer::Erasure(erased) => erasure(erased),
        Answer::Done(done) => done.done.clone(),
    }
}

fn account(account: &AccountView) -> String {
    pairs(&[
        ("Account", account.id.to_string()),
        ("Name", account.name.clone()),
        ("State", account.state.clone()),
        ("Plan", plan_words(account)),
        ("Follows", change_words(account)),
        ("Asks for", request_words(account)),
        ("Quota", quota(account)),
        ("Renews", format!("{} (day {} of the month, {})", account.renews_at, account.renews_on, account.time_zone)),
        (
            "Activity",
            account.activity_days.map_or("kept as long as any".to_owned(), |days| format!("kept for {days} days")),
        ),
        ("Made", short(&account.created_at)),
    ])
}

fn erasure(erased: &ErasureView) -> String {
    pairs(&[
        ("Rows", erased.rows.to_string()),
        ("Connections", erased.connections.to_string()),
        ("Calls", erased.calls.to_string()),
        ("Test mail", erased.messages.to_string()),
        ("Suppression", if erased.suppression { "lifted: mail to it may go again" } else { "as it was" }.to_owned()),
        ("Left", format!("{} rows, whose mail is in the queue", erased.waiting)),
    ])
}

fn plan_words(account: &AccountView) -> String {
    match (&account.plan, account.no_plan.as_deref()) {
        (Some(plan), _) => format!("{} ({})", plan.name, plan.id),
        (None, Some("cancelled")) => "none: it was cancelled, and logins are refused".to_owned(),
        (None, _) => "none: none was approved yet, and logins are refused".to_owned(),
    }
}

fn change_words(account: &AccountView) -> String {
    let words = |change: &PlanChangeView| {
        let what = change.plan.as_ref().map_or("nothing: it is cancelled", |plan| plan.name.as_str());
        format!("{what}, from {}", change.begins_at)
    };
    account.plan_change.as_ref().map(words).unwrap_or_default()
}

fn request_words(account: &AccountView) -> String {
    let request = account.plan_request.as_ref();
    let words = request.map(|request| format!("{}: {}", plan::wish(request), request.state));
    words.unwrap_or_default()
}

fn contacts(contacts: &ContactsView) -> String {
    let one = |contact: &Option<ContactView>| {
        contact.as_ref().map_or_else(|| "none".to_owned(), |contact| format!("{} <{}>", contact.name, contact.email))
    };
    pairs(&[("Primary", one(&contacts.primary)), ("Billing", one(&contacts.billing))])
}

fn quota(account: &AccountView) -> String {
    match account.quota {
        Some(quota) if account.own_quota.is_some() => {
            format!("{} of {quota} recipients used (a limit of its own)", account.used)
        }
        Some(quota) => format!("{} of {quota} recipients used", account.used),
        None => format!("unlimited ({} recipients in this period)", account.used),
    }
}

fn domain(domain: &DomainView) -> String {
    let head = pairs(&[
        ("Domain", domain.name.clone()),
        ("Id", domain.id.to_string()),
        ("Account", domain.account.to_string()),
        ("State", domain.state.clone()),
        ("Bounce mails", if domain.bounce_mails { "on" } else { "off" }.to_owned()),
        ("Added", short(&domain.created_at)),
        ("DNS asked", domain.checked_at.as_deref().map_or_else(|| "not yet".to_owned(), short)),
        ("Fails", domain.fails_at.as_deref().map(short).unwrap_or_default()),
    ]);
    let mut lines = vec![head, String::new(), "Records to publish:".to_owned()];
    lines.extend(domain.records.iter().map(|record| dns_record(domain, record)));
    if !domain.rotations.is_empty() {
        lines.push("\nSigning keys:".to_owned());
        lines.extend(
            domain.rotations.iter().map(|rotation| format!("  {}: {}", rotation.algorithm, rotation.explanation)),
        );
    }
    if !domain.reason.is_empty() {
        lines.push(format!("\nNot as it should be:\n{}", printable(&domain.reason)));
    }
    lines.join("\n")
}

fn dns_record(domain: &DomainView, record: &DnsRecordView) -> String {
    let key = record.selector.as_ref().and_then(|selector| domain.keys.iter().find(|key| key.selector == *selector));
    let of_key = key.map(|key| {
        let seen = key.seen_at.as_deref().map_or("not seen in DNS yet".to_owned(), |at| format!("seen {}", short(at)));
        format!("{}, {}, {seen}", key.algorithm, if key.active { "signs" } else { "spare" })
    });
    let what = match record.purpose.as_str() {
        "return_path" => "return-path".to_owned(),
        "dmarc" => "DMARC, as we advise where there is none".to_owned(),
        _ => of_key.unwrap_or_default(),
    };
    let need = if record.required { "" } else { ", optional" };
    let finding = record.finding.as_deref().map(|finding| format!(", DNS: {finding}")).unwrap_or_default();
    // what is required is told below, for all records together
    let told = if record.purpose == "dkim" { "" } else { record.explanation.as_str() };
    let told = if told.is_empty() { String::new() } else { format!("\n    {}", printable(told)) };
    format!("\n  {} {} ({what}{need}{finding})\n    {}{told}", record.name, record.form, record.value)
}

/// How many passwords work, and when each was last used, the older first.
fn passwords(user: &SmtpUserView) -> String {
    let used = |at: &Option<String>| {
        at.as_deref().map_or_else(|| "not used yet".to_owned(), |at| format!("used {}", short(at)))
    };
    let uses: Vec<_> = user.passwords_used_at.iter().map(used).collect();
    format!("{} ({})", user.passwords, uses.join(", "))
}

fn smtp_user(user: &SmtpUserView) -> String {
    let on = |flag: bool| if flag { "on".to_owned() } else { String::new() };
    let retry = user.retry_seconds.map(|seconds| format!("{seconds} seconds")).unwrap_or_default();
    let login = match (&user.last_login_at, &user.last_login_from) {
        (Some(at), Some(from)) => format!("{} from {from}", short(at)),
        _ => "none in the last 30 days".to_owned(),
    };
    pairs(&[
        ("SMTP user", user.username.clone()),
        ("Id", user.id.to_string()),
        ("Name", user.name.clone()),
        ("Domain", user.domain.clone()),
        ("Account", user.account.to_string()),
        ("State", if user.enabled { "enabled" } else { "disabled" }.to_owned()),
        ("Passwords", passwords(user)),
        ("Expires", user.expires_at.as_deref().map(short).unwrap_or_default()),
        ("Networks", user.networks.join(", ")),
        ("All or nothing", on(user.all_or_nothing)),
        ("Sandbox", on(user.sandbox)),
        ("Retries for", retry),
        ("Senders", user.senders.join(", ")),
        ("Recipient domains", user.recipient_domains.join(", ")),
        ("Refuses suppressed", on(user.refuse_suppressed)),
        ("Priority", user.priority.clone()),
        ("One-click unsubscribe", on(user.one_click_unsubscribe)),
        ("Knows repeats for", user.repeat_seconds.map(|seconds| format!("{seconds} seconds")).unwrap_or_default()),
        ("Last login", login),
        ("Sent today", format!("{} recipients", user.sent_today)),
        ("In 30 days", format!("{} recipients", user.sent_30_days)),
        ("Made", short(&user.created_at)),
    ])
}

fn smtp_users(users: &[SmtpUserView]) -> String {
    table(
        &["id", "username", "name", "domain", "state", "last login", "from", "sent today", "30 days"],
        users.iter().map(|user| {
            vec![
                user.id.to_string(),
                user.username.clone(),
                user.name.clone(),
                user.domain.clone(),
                if user.enabled { "enabled" } else { "disabled" }.to_owned(),
                user.last_login_at.as_deref().map(short).unwrap_or_default(),
                user.last_login_from.clone().unwrap_or_default(),
                user.sent_today.to_string(),
                user.sent_30_days.to_string(),
            ]
        }),
        "There is no SMTP user: `envoi smtp-user add --domain example.com --name NAME` makes one.",
    )
}

/// The five settings, and that the password is shown this once.
pub(crate) fn credential(credential: &CredentialView) -> String {
    let list = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let mut ports = Vec::new();
    if !credential.ports.starttls.is_empty() {
        ports.push(format!("{} (STARTTLS)", list(&credential.ports.starttls)));
    }
    if !credential.ports.tls.is_empty() {
        ports.push(format!("{} (SSL/TLS)", list(&credential.ports.tls)));
    }
    let settings = pairs(&[
        ("SMTP user", format!("{} (id {}, {})", credential.name, credential.id, credential.domain)),
        ("Server", credential.server.clone()),
        ("Port", ports.join(" or ")),
        ("Username", credential.username.clone()),
        ("Password", credential.password.expose().to_owned()),
    ]);
    format!("{settings}\n\nThe password is shown this once: it is kept nowhere.")
}

fn activity(rows: &[ActivityView]) -> String {
    table(
        &["row", "begun", "changed", "status", "recipient", "sender", "subject", "reason"],
        rows.iter().map(|row| {
            vec![
                row.row.to_string(),
                short(&row.at),
                short(&row.updated_at),
                status_words(row),
                row.recipient.clone(),
                row.sender.clone(),
                cut(&row.subject, 40),
                cut(&row.reason, 80),
            ]
        }),
        "No recipient matches.",
    )
}

fn status_words(row: &ActivityView) -> String {
    let mut words = row.status.replace('_', " ");
    if row.sandbox {
        words.push_str(" (sandbox)");
    }
    if row.held.is_some() {
        words.push_str(" (held)");
    }
    if row.delayed == Some(true) {
        words.push_str(" (delayed)");
    }
    if row.count > 1 {
        words.push_str(&format!(" ×{}", row.count));
    }
    words
}

/// One line for one change, as it happens.
pub(crate) fn follow_line(row: &ActivityView) -> String {
    let mut line = format!("{}  {:<11} {}", of_day(&row.updated_at), status_words(row), row.recipient);
    if let Some(attempt) = row.last_attempt.as_ref().filter(|_| row.status == "delivered") {
        let tls = if attempt.tls == "none" { "without TLS" } else { &attempt.tls };
        line.push_str(&format!("  by {} in {} ms, {tls}", attempt.host, attempt.milliseconds));
    }
    if !row.reason.is_empty() {
        line.push_str(&format!("  {}", row.reason));
    }
    if !row.subject.is_empty() {
        line.push_str(&format!("  \"{}\"", cut(&row.subject, 50)));
    }
    printable(&line)
}

fn detail(detail: &ActivityDetailView) -> String {
    let row = &detail.row;
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let head = pairs(&[
        ("Row", row.row.to_string()),
        ("Status", status_words(row)),
        ("Recipient", row.recipient.clone()),
        ("Sender", row.sender.clone()),
        ("Subject", row.subject.clone()),
        ("Class", row.class.clone().unwrap_or_default()),
        ("Reason", row.reason.clone()),
        ("Reply", row.reply.clone()),
        ("Reference", row.reference.clone()),
        ("Message", row.message.clone().unwrap_or_default()),
        ("Message-ID", detail.message_id.clone().unwrap_or_default()),
        ("Octets", number(detail.octets)),
        ("Priority", detail.priority.map(|priority| priority.to_string()).unwrap_or_default()),
        ("SHA-256", detail.sha256.clone().unwrap_or_default()),
        ("As delivered", detail.delivered_sha256.clone().unwrap_or_default()),
        ("Account", row.account.to_string()),
        ("SMTP user", number(row.user)),
        ("Session", row.session.clone().unwrap_or_default()),
        ("From address", detail.remote.clone().unwrap_or_default()),
        ("EHLO", detail.client_name.clone().unwrap_or_default()),
        ("TLS", detail.tls.clone().unwrap_or_default()),
        ("Submission", detail.submission_milliseconds.map(|took| format!("{took} ms")).unwrap_or_default()),
    ]);
    let events = table(
        &["at", "status", "host", "from", "tls", "ms", "reason", "reply", "vouched for"],
        detail.events.iter().map(|event| {
            let attempt = event.attempt.as_ref();
            vec![
                short(&event.at),
                event.status.replace('_', " "),
                attempt.map(|attempt| attempt.host.clone()).unwrap_or_default(),
                attempt.and_then(|attempt| attempt.source.clone()).unwrap_or_default(),
                attempt.map(|attempt| attempt.tls.clone()).unwrap_or_default(),
                attempt.map(|attempt| attempt.milliseconds.to_string()).unwrap_or_default(),
                event.reason.clone(),
                event.reply.clone(),
                event.authentication.as_ref().map(vouched).unwrap_or_default(),
            ]
        }),
        "No events.",
    );
    format!("{head}\n\n{events}{}", others(&detail.events))
}

/// The other servers that attempts tried, below what they came to; nothing where there are none.
fn others(events: &[EventView]) -> String {
    let of_event = |event: &EventView| {
        let attempt = event.attempt.as_ref();
        let others = attempt.map(|attempt| attempt.others.clone()).unwrap_or_default();
        let at = short(&event.at);
        others.into_iter().map(move |tried| vec![at.clone(), tried.host, tried.remote.unwrap_or_default(), tried.said])
    };
    let rows: Vec<_> = events.iter().flat_map(of_event).collect();
    if rows.is_empty() {
        return String::new();
    }
    let tried = table(&["at", "tried as well", "address", "said"], rows, "");
    format!("\n\n{tried}")
}

/// What SPF and DKIM say of a report: `by example.org`, or nobody and why.
pub(super) fn vouched(known: &AuthenticationView) -> String {
    let said = |name: &str, result: &str, domain: &Option<String>| match domain {
        Some(domain) => format!("{name} {result} for {domain}"),
        None => format!("{name} {result}"),
    };
    match &known.vouched_by {
        Some(domain) => format!("by {domain}"),
        None => {
            let spf = said("SPF", &known.spf, &known.spf_domain);
            format!("by nobody: {spf}, {}", said("DKIM", &known.dkim, &known.dkim_domain))
        }
    }
}

fn connections(rows: &[ConnectionView]) -> String {
    table(
        &["last seen", "count", "from", "username", "tls", "what", "reason"],
        rows.iter().map(|row| {
            vec![
                short(&row.updated_at),
                row.count.to_string(),
                row.remote.clone(),
                cut(&row.username, 40),
                row.tls.clone(),
                row.reference.clone(),
                row.reason.clone(),
            ]
        }),
        "Nothing went wrong with a connection.",
    )
}

fn queue(messages: &[QueueView]) -> String {
    table(
        &["message", "account", "accepted", "priority", "recipients", "next", "attempts", "held"],
        messages.iter().map(|message| {
            let due = message.recipients.iter().filter_map(|recipient| recipient.due_at.as_deref()).min();
            let attempts = message.recipients.iter().filter_map(|recipient| recipient.attempts).max();
            let held = message.recipients.iter().find_map(|recipient| recipient.held.clone());
            vec![
                message.message.clone(),
                message.account.to_string(),
                short(&message.accepted_at),
                message.priority.clone(),
                message.recipients.len().to_string(),
                due.map(short).unwrap_or_default(),
                attempts.map(|attempts| attempts.to_string()).unwrap_or_default(),
                held.unwrap_or_default(),
            ]
        }),
        "The queue is empty.",
    )
}

fn unknown_replies(replies: &[UnknownReplyView]) -> String {
    table(
        &["count", "first", "last", "domain", "reply"],
        replies.iter().map(|reply| {
            vec![
                reply.count.to_string(),
                short(&reply.first_at),
                short(&reply.last_at),
                reply.domain.clone(),
                reply.shape.clone(),
            ]
        }),
        "Every reply since the relay started is known to a rule.",
    )
}

fn message(message: &MessageView) -> String {
    let head = pairs(&[
        ("Message", message.message.clone()),
        ("Subject", message.subject.clone()),
        ("Sender", if message.reverse_path.is_empty() { "<>".into() } else { message.reverse_path.clone() }),
        ("Accepted", short(&message.accepted_at)),
        ("Priority", message.priority.to_string()),
        ("Octets", message.octets.to_string()),
        ("SHA-256", message.sha256.clone()),
        ("Message-ID", message.message_id.clone()),
        ("Account", message.account.to_string()),
        ("SMTP user", message.user.map(|user| user.to_string()).unwrap_or_default()),
        ("Session", message.session.clone().unwrap_or_default()),
        ("From address", message.remote.clone().unwrap_or_default()),
    ]);
    let recipients = table(
        &["number", "recipient", "state", "next", "attempts", "held"],
        message.recipients.iter().map(|recipient| {
            vec![
                recipient.number.to_string(),
                recipient.recipient.clone(),
                recipient.state.clone(),
                recipient.due_at.as_deref().map(short).unwrap_or_default(),
                recipient.attempts.map(|attempts| attempts.to_string()).unwrap_or_default(),
                recipient.held.clone().unwrap_or_default(),
            ]
        }),
        "No recipients.",
    );
    format!("{head}\n\n{recipients}")
}

fn blocks(blocks: &[BlockView]) -> String {
    table(
        &["address", "since", "until", "cause"],
        blocks
            .iter()
            .map(|block| vec![block.address.clone(), short(&block.since), short(&block.until), block.cause.clone()]),
        "No address is blocked.",
    )
}

fn certificates(certificates: &[CertificateView]) -> String {
    let state = |certificate: &CertificateView| match (&certificate.alarm, certificate.self_signed) {
        (_, true) => "self-signed".to_owned(),
        (Some(alarm), _) => alarm.clone(),
        (None, _) => "good".to_owned(),
    };
    let rows = certificates.iter().map(|certificate| {
        vec![
            certificate.names.join(" "),
            state(certificate),
            short(&certificate.ends_at),
            certificate.days_left.to_string(),
            certificate.renews_at.as_deref().map(short).unwrap_or_default(),
            certificate.fault.clone().unwrap_or_default(),
        ]
    });
    let heads = ["names", "state", "ends", "days left", "ordered next", "last fault"];
    table(&heads, rows, "No certificate is configured that can be read.")
}

fn health(health: &Health) -> String {
    pairs(&[
        ("Running", health.running.to_string()),
        ("Messages", health.store.messages.to_string()),
        ("Recipients", health.store.recipients.to_string()),
        ("Spool octets", health.store.spool_octets.to_string()),
    ])
}
