//! Every limit of the relay: its value, the floor and ceiling that the configuration may move it between, its unit and its words.
//!
//! The table renders its own page of the manual ([`markdown`]).

use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::time::Duration;

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its value unless configured.
    pub value: u64,
    /// The lowest value that the configuration may give.
    pub floor: u64,
    /// The highest.
    pub ceiling: u64,
    /// What is counted.
    pub unit: &'static str,
    /// What it limits, in words.
    pub about: &'static str,
    /// The reference of the reply past it; empty where there is none.
    pub reply: &'static str,
}

/// A configured value outside its floor and ceiling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} = {value} is outside {} to {} {}", limit.name, limit.floor, limit.ceiling, limit.unit)]
pub struct LimitError {
    /// Which limit.
    pub limit: Limit,
    /// The value given.
    pub value: u64,
}

/// `field CONSTANT value floor..=ceiling "unit" "reply reference" "about";`
macro_rules! limits {
    ($($field:ident $constant:ident $value:literal $floor:literal..=$ceiling:literal $unit:literal $reply:literal
        $about:literal;)+) => {
        $(
            #[doc = $about]
            pub const $constant: Limit = Limit {
                name: stringify!($field),
                value: $value,
                floor: $floor,
                ceiling: $ceiling,
                unit: $unit,
                about: $about,
                reply: $reply,
            };
        )+

        /// Every limit, in the order of the manual.
        pub const TABLE: &[Limit] = &[$($constant),+];

        /// The limits in force.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $(
                #[doc = $about]
                pub $field: u64,
            )+
        }

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($field: $constant.value),+ }
            }
        }

        impl Limits {
            /// Each limit with the value in force.
            pub fn values(&self) -> Vec<(Limit, u64)> {
                vec![$(($constant, self.$field)),+]
            }
        }
    };
}

limits! {
    recipients_max RECIPIENTS_MAX 50 1..=1_000 "recipients" "recipients-max"
        "Recipients of one message; each further one is refused, the first stay accepted.";
    message_octets_max MESSAGE_OCTETS_MAX 20_971_520 65_536..=157_286_400 "octets" "too-large"
        "Size of a message as sent, attachments included.";
    messages_max MESSAGES_MAX 1_000 1..=100_000 "messages" "messages-max"
        "Messages on one connection.";
    user_sessions_max USER_SESSIONS_MAX 10 1..=1_000 "sessions" "sessions-user"
        "Simultaneous sessions of one SMTP user.";
    account_sessions_max ACCOUNT_SESSIONS_MAX 20 1..=10_000 "sessions" "sessions-account"
        "Simultaneous sessions of one account.";
    address_sessions_max ADDRESS_SESSIONS_MAX 100 1..=10_000 "sessions" "sessions-address"
        "Simultaneous connections from one IP address (IPv6: from one /64), logged in or not.";
    address_refusals_per_minute ADDRESS_REFUSALS_PER_MINUTE 60 1..=10_000 "refusals a minute" "sessions-address"
        "Refused connections from one IP address (IPv6: /64) that still get a handshake and a reply; faster ones are dropped before it.";
    sessions_max SESSIONS_MAX 10_000 10..=1_000_000 "sessions" "sessions-total"
        "Simultaneous connections in all.";
    login_pairs_max LOGIN_PAIRS_MAX 5 2..=100 "wrong pairs" "auth-blocked"
        "Distinct wrong pairs of username and password from one IP address (IPv6: /64) within the window: then it is blocked.";
    login_failures_max LOGIN_FAILURES_MAX 20 3..=200 "failed logins" "auth-blocked"
        "Failed logins of any kind from one IP address (IPv6: /64) within the window: then it is blocked.";
    login_window_seconds LOGIN_WINDOW_SECONDS 600 60..=86_400 "seconds" ""
        "The window in which failed logins are counted; what was tried is forgotten after it.";
    block_seconds_min BLOCK_SECONDS_MIN 900 60..=86_400 "seconds" "address-blocked"
        "The first block of an address; each further one is twice as long.";
    block_seconds_max BLOCK_SECONDS_MAX 86_400 900..=604_800 "seconds" "address-blocked"
        "The longest block of an address; a new block within as long after the end of the last is a further one.";
    session_failures_max SESSION_FAILURES_MAX 3 1..=10 "failed logins" "auth-failures-max"
        "Failed logins in one session, which then ends.";
    session_errors_max SESSION_ERRORS_MAX 20 5..=1_000 "errors" "errors-max"
        "Errors of the client in one session, which then ends. Refusals by policy are none.";
    known_login_days KNOWN_LOGIN_DAYS 30 1..=30 "days" ""
        "How long a login keeps its pair of SMTP user and address from being stopped by a block.";
    user_messages_per_minute USER_MESSAGES_PER_MINUTE 0 0..=1_000_000 "messages a minute" "rate-limited"
        "Messages of one SMTP user a minute, evenly; 0: no such limit.";
    user_messages_burst USER_MESSAGES_BURST 60 1..=1_000_000 "messages" "rate-limited"
        "Messages of one SMTP user at once, before the rate a minute holds.";
    brake_bounce_percent BRAKE_BOUNCE_PERCENT 10 0..=100 "percent" "brake-on"
        "Part of the recipients that bounce for good within an hour at which the automatic brake of an SMTP user or account goes on; 0: never for that.";
    brake_bounce_recipients_min BRAKE_BOUNCE_RECIPIENTS_MIN 200 10..=1_000_000 "recipients" ""
        "Recipients that have to come to their end within the hour before that part counts.";
    brake_complaints_per_ten_thousand BRAKE_COMPLAINTS_PER_TEN_THOUSAND 30 0..=10_000 "complaints" "brake-on"
        "Complaints for ten thousand recipients delivered to, on two successive days of the last week, at which the automatic brake goes on; 0: never for that.";
    brake_complaint_recipients_min BRAKE_COMPLAINT_RECIPIENTS_MIN 1_000 10..=10_000_000 "recipients" ""
        "Recipients that have to be delivered to before that number counts.";
    brake_volume_factor BRAKE_VOLUME_FACTOR 10 0..=10_000 "times" "brake-on"
        "How many times the busiest of its last seven days an SMTP user or account sends on one day before the automatic brake goes on; 0: never for that.";
    brake_volume_recipients_min BRAKE_VOLUME_RECIPIENTS_MIN 5_000 10..=1_000_000_000 "recipients" ""
        "Recipients on one day that are no sudden volume for anybody: what is new may begin with so many.";
    handshake_seconds HANDSHAKE_SECONDS 30 1..=300 "seconds" ""
        "The time a client has for the TLS handshake.";
    proxy_seconds PROXY_SECONDS 5 1..=60 "seconds" ""
        "The time a load balancer has to send its PROXY header.";
    shutdown_seconds SHUTDOWN_SECONDS 60 1..=3_600 "seconds" "shutting-down"
        "The time that running transactions have to finish when the server stops.";
    account_domains_max ACCOUNT_DOMAINS_MAX 1_000 1..=100_000 "domains" ""
        "Sending domains of one account; a deleted one counts until its mail has left the queue.";
    account_users_max ACCOUNT_USERS_MAX 10_000 1..=100_000 "SMTP users" ""
        "SMTP users of one account.";
    user_rules_max USER_RULES_MAX 100 1..=10_000 "entries" ""
        "Entries of each list in the rules of an SMTP user: its networks, senders and recipient domains.";
    account_suppressions_max ACCOUNT_SUPPRESSIONS_MAX 100_000 1..=1_000_000 "suppressed addresses" ""
        "Addresses that one account suppresses, those whose time is over counted until they go: past it no more are added, but those that complain, as many again.";
    suppression_bounce_days SUPPRESSION_BOUNCE_DAYS 180 1..=3_650 "days" ""
        "How long an address is suppressed after its server said that it does not exist.";
    suppression_complaint_days SUPPRESSION_COMPLAINT_DAYS 1_825 30..=3_650 "days" ""
        "How long an address is suppressed after its owner called mail of the account spam.";
    reason_octets_max REASON_OCTETS_MAX 500 50..=5_000 "octets" ""
        "Length of a text that is kept: the reason of a suppression or of an answer to a request for a plan, and what is said with such a request.";
    account_members_max ACCOUNT_MEMBERS_MAX 100 1..=10_000 "members" ""
        "Members of one account, or of the operator.";
    plans_max PLANS_MAX 100 1..=1_000 "plans" ""
        "Plans of the operator, retired ones counted.";
    api_keys_max API_KEYS_MAX 100 1..=10_000 "API keys" ""
        "API keys of one account, or of the operator.";
    notice_fold_seconds NOTICE_FOLD_SECONDS 3_600 60..=86_400 "seconds" ""
        "Refusals of the same user, recipient and reason within this time are one row with a count.";
    api_requests_per_minute API_REQUESTS_PER_MINUTE 600 0..=1_000_000 "requests a minute" ""
        "Requests to the API with one key, evenly, after a burst of a tenth of them; 0: as many as it likes.";
    console_requests_per_minute CONSOLE_REQUESTS_PER_MINUTE 600 0..=1_000_000 "requests a minute" ""
        "Pages and forms of the console for one member, evenly, after a burst of a third of them; 0: as many as they like.";
    sign_in_failures_burst SIGN_IN_FAILURES_BURST 10 3..=1_000 "failed sign-ins" ""
        "Failed sign-ins to the console in one name from one IP address (IPv6: /64) at once; then one a minute. In all names \
         ten times as many.";
    sign_in_idle_seconds SIGN_IN_IDLE_SECONDS 43_200 300..=2_592_000 "seconds" ""
        "How long a sign-in to the console lasts without being used.";
    sign_in_days SIGN_IN_DAYS 30 1..=90 "days" ""
        "How long a sign-in to the console lasts at the most.";
    api_waits_max API_WAITS_MAX 500 1..=100_000 "requests" ""
        "Requests to the API that wait at once for a change.";
    api_key_waits_max API_KEY_WAITS_MAX 10 1..=10_000 "requests" ""
        "Requests to the API with one key that wait at once for a change.";
    account_idempotency_keys_max ACCOUNT_IDEMPOTENCY_KEYS_MAX 100_000 100..=10_000_000 "keys" ""
        "Idempotency keys of one account, or of the operator, that are remembered; each is for 24 hours.";
    account_idempotency_octets_max ACCOUNT_IDEMPOTENCY_OCTETS_MAX 67_108_864 1_048_576..=17_179_869_184 "octets" ""
        "Answers that are remembered under the idempotency keys of one account, or of the operator.";
    idempotency_key_octets_max IDEMPOTENCY_KEY_OCTETS_MAX 255 36..=4_096 "octets" ""
        "Length of an idempotency key.";
    api_held_octets_max API_HELD_OCTETS_MAX 134_217_728 1_048_576..=17_179_869_184 "octets" ""
        "Messages handed in over HTTP that are held at once, as their bodies came; each takes up to three times as much memory for a moment.";
    api_key_held_octets_max API_KEY_HELD_OCTETS_MAX 67_108_864 1_048_576..=17_179_869_184 "octets" ""
        "Those that are handed in with one key; no body is larger.";
    web_connections_max WEB_CONNECTIONS_MAX 1_000 10..=100_000 "connections" ""
        "Simultaneous connections over HTTP: to the API, to the console, and to metrics and health, each in all.";
    web_address_connections_max WEB_ADDRESS_CONNECTIONS_MAX 100 1..=100_000 "connections" ""
        "Those from one IP address (IPv6: from one /64). From this machine, where a proxy may stand for all, there is no such limit.";
    web_handshake_seconds WEB_HANDSHAKE_SECONDS 10 1..=300 "seconds" ""
        "The time a client over HTTP has for the TLS handshake.";
    web_head_seconds WEB_HEAD_SECONDS 30 1..=300 "seconds" ""
        "The time a client over HTTP has for the head of a request, from the answer before: one that asks for nothing is let go.";
    web_body_seconds WEB_BODY_SECONDS 30 1..=300 "seconds" ""
        "The time a client over HTTP has for the body of a request.";
    web_body_octets_per_second WEB_BODY_OCTETS_PER_SECOND 65_536 1_024..=1_000_000_000 "octets a second" ""
        "A message handed in over HTTP has a second more than other bodies for each of so many octets.";
    web_write_seconds WEB_WRITE_SECONDS 30 1..=300 "seconds" ""
        "How long a client over HTTP may take nothing of its answer, before it is let go.";
    notices_per_minute_max NOTICES_PER_MINUTE_MAX 60 1..=10_000 "rows" ""
        "New rows of refusals for one SMTP user (or, before a login, one address) a minute; further ones are counted in one row.";
    remembered_addresses_max REMEMBERED_ADDRESSES_MAX 16_384 1_024..=1_048_576 "addresses" ""
        "Addresses with failed logins that are remembered at once; past it the longest silent ones are forgotten.";
    activity_days ACTIVITY_DAYS 30 1..=30 "days" ""
        "How long rows of Activity and Connections are kept.";
    statistics_months STATISTICS_MONTHS 25 1..=25 "months" ""
        "How long daily counters are kept, in months of 31 days.";
    dial_seconds DIAL_SECONDS 30 1..=300 "seconds" ""
        "The time that a next hop has to take our connection.";
    opening_seconds OPENING_SECONDS 600 10..=3_600 "seconds" ""
        "The time that all next hops of one delivery attempt have together, until one of them is ready for the message.";
    attempt_seconds ATTEMPT_SECONDS 3_600 60..=14_400 "seconds" ""
        "The time of one delivery attempt in all.";
    mail_hosts_max MAIL_HOSTS_MAX 10 1..=100 "hosts" ""
        "Mail servers of a domain that are looked at in one attempt, the preferred ones first.";
    mail_addresses_max MAIL_ADDRESSES_MAX 20 1..=100 "addresses" ""
        "Addresses that are dialled in one attempt.";
    tried_hosts_max TRIED_HOSTS_MAX 5 0..=20 "servers" ""
        "Other servers that an attempt is shown with in Activity, with what each said: those that were tried besides the one that decided.";
    sts_policies_max STS_POLICIES_MAX 20_000 100..=1_000_000 "domains" ""
        "Domains whose policy (MTA-STS) is kept; past it those go whose time ends first.";
    sts_fetch_seconds STS_FETCH_SECONDS 10 5..=300 "seconds" ""
        "The time in which a domain's policy (MTA-STS) has to come. Mail waits for it where none is known.";
    sts_fetches_max STS_FETCHES_MAX 256 1..=10_000 "policies" ""
        "Policies (MTA-STS) that are fetched at once.";
    tls_report_domains_max TLS_REPORT_DOMAINS_MAX 50_000 100..=1_000_000 "domains" ""
        "Domains whose TLS sessions are counted in one day, for reports to them (TLS-RPT); those of further ones are not.";
    tls_report_rows_max TLS_REPORT_ROWS_MAX 100 10..=10_000 "rows" ""
        "Rows about TLS sessions that failed in a report about one domain; further ones are told by their kind alone.";
    tls_reports_kept_max TLS_REPORTS_KEPT_MAX 1_000 10..=100_000 "reports" ""
        "Reports on TLS that the list of those that were sent has: the oldest go.";
    tls_reports_at_once TLS_REPORTS_AT_ONCE 16 1..=1_000 "reports" ""
        "Reports on TLS that are under way over HTTPS at once.";
    tlsa_records_max TLSA_RECORDS_MAX 32 4..=256 "records" ""
        "TLSA records of one mail server that are looked at (DANE); of more the first ones count.";
    transaction_recipients_max TRANSACTION_RECIPIENTS_MAX 100 1..=1_000 "recipients" ""
        "Recipients that a next hop is given in one transaction, unless it asks for fewer.";
    conversations_max CONVERSATIONS_MAX 200 1..=10_000 "conversations" ""
        "Conversations with other servers at once, in total.";
    site_conversations_max SITE_CONVERSATIONS_MAX 20 1..=1_000 "conversations" ""
        "Conversations at once with one site: the mail servers that one domain or many share, or the next hop of a route.";
    site_suspension_seconds_min SITE_SUSPENSION_SECONDS_MIN 300 60..=3_600 "seconds" ""
        "The first time that a site is left alone that says it blocks the relay; each further one is twice as long.";
    site_suspension_seconds_max SITE_SUSPENSION_SECONDS_MAX 14_400 300..=86_400 "seconds" ""
        "The longest time that such a site is left alone before one message tries whether it takes mail again.";
    site_pause_seconds_min SITE_PAUSE_SECONDS_MIN 30 5..=600 "seconds" ""
        "The first pause of a site that finds the relay too fast; each further one is twice as long.";
    site_pause_seconds_max SITE_PAUSE_SECONDS_MAX 1_200 30..=14_400 "seconds" ""
        "The longest pause of such a site.";
    site_messages_per_minute_min SITE_MESSAGES_PER_MINUTE_MIN 6 1..=1_000 "messages a minute" ""
        "The slowest pace that such a site gets its mail at.";
    site_recovery_seconds SITE_RECOVERY_SECONDS 60 10..=3_600 "seconds" ""
        "How long a site has to take mail without a complaint before it gets one more connection, or a quarter more messages a minute.";
    domain_looks_max DOMAIN_LOOKS_MAX 32 1..=1_000 "domains" ""
        "Sending domains whose records are looked at in DNS at once.";
    account_domain_looks_max ACCOUNT_DOMAIN_LOOKS_MAX 4 1..=1_000 "domains" ""
        "Those of one account: its slow name servers delay nobody else.";
    dkim_rotation_days DKIM_ROTATION_DAYS 180 0..=3_650 "days" ""
        "How long a DKIM key of a sending domain signs before the other selector's takes its place by itself; 0: never.";
    zone_queries_per_minute ZONE_QUERIES_PER_MINUTE 6_000 0..=10_000_000 "queries a minute" ""
        "Questions about the zone over UDP from one IP address (IPv6: /64), evenly, after a burst of a twentieth of them; of further ones every other is told to come over TCP, the rest get nothing. 0: as many as it likes.";
    zone_connections_max ZONE_CONNECTIONS_MAX 100 1..=10_000 "connections" ""
        "Simultaneous connections over TCP with questions about the zone.";
    zone_address_connections_max ZONE_ADDRESS_CONNECTIONS_MAX 10 1..=10_000 "connections" ""
        "Those from one IP address (IPv6: /64).";
    zone_connection_seconds ZONE_CONNECTION_SECONDS 10 1..=300 "seconds" ""
        "How long a connection with questions about the zone lasts at the most.";
    repeat_seconds REPEAT_SECONDS 3_600 0..=86_400 "seconds" ""
        "How long a message is remembered whose client may never have read that it was taken: the same once more is answered with the first id. 0: not at all.";
    user_repeats_max USER_REPEATS_MAX 1_000 1..=100_000 "messages" ""
        "Messages of one SMTP user that are remembered for that: the oldest go.";
    repeats_max REPEATS_MAX 100_000 100..=10_000_000 "messages" ""
        "Those of all SMTP users; beyond it the messages of further ones are not remembered.";
    unsubscribe_requests_per_minute UNSUBSCRIBE_REQUESTS_PER_MINUTE 600 10..=1_000_000 "requests a minute" ""
        "Requests from one IP address (IPv6: /64) for the page on which recipients unsubscribe, evenly, after a burst of as many. Mailbox providers ask there for all their people.";
    return_path_days RETURN_PATH_DAYS 30 7..=180 "days" ""
        "How long reports of other servers are taken at the address that mail went out with.";
    recipient_reports_max RECIPIENT_REPORTS_MAX 5 1..=100 "reports" ""
        "Reports of one recipient, and of none that is named in one message, that are shown; further ones are heard and shown no more. A first bounce and a first complaint always are.";
    report_octets_max REPORT_OCTETS_MAX 1_048_576 65_536..=20_971_520 "octets" "too-large"
        "Octets of one report of another server, as sent.";
    report_connections_max REPORT_CONNECTIONS_MAX 100 1..=10_000 "connections" "sessions-total"
        "Simultaneous connections with reports.";
    report_address_connections_max REPORT_ADDRESS_CONNECTIONS_MAX 10 1..=10_000 "connections" "sessions-address"
        "Those from one IP address (IPv6: /64).";
    reports_at_once_max REPORTS_AT_ONCE_MAX 16 1..=1_000 "reports" "reports-hurried"
        "Reports whose content is taken in at once: each is held in memory until it is read.";
    report_address_at_once_max REPORT_ADDRESS_AT_ONCE_MAX 4 1..=1_000 "reports" "reports-hurried"
        "Those from one IP address (IPv6: /64).";
    report_content_seconds REPORT_CONTENT_SECONDS 60 10..=600 "seconds" ""
        "How long the content of a report takes at the most, from the answer to DATA to its end.";
    report_check_seconds REPORT_CHECK_SECONDS 10 1..=60 "seconds" ""
        "How long DNS is asked for SPF and DKIM of one report; what it has not said by then is a temporary error, and the report is taken.";
    reports_per_minute REPORTS_PER_MINUTE 600 0..=1_000_000 "reports a minute" "reports-hurried"
        "Recipients that one IP address (IPv6: /64) may name where reports are taken, evenly, after a burst of a tenth of them. 0: as many as it likes.";
    report_connection_seconds REPORT_CONNECTION_SECONDS 600 10..=3_600 "seconds" ""
        "How long a connection with reports lasts at the most.";
    dmarc_opened_octets_max DMARC_OPENED_OCTETS_MAX 10_485_760 65_536..=209_715_200 "octets" ""
        "Octets of a report on DMARC once its attachment is opened; it is read as it is opened, and never held.";
    dmarc_days DMARC_DAYS 90 7..=400 "days" ""
        "How long reports on DMARC are kept.";
    dmarc_reports_max DMARC_REPORTS_MAX 200 10..=10_000 "reports" ""
        "Reports on DMARC about one domain and day that are kept; further ones are taken and not counted.";
    dmarc_rows_max DMARC_ROWS_MAX 500 10..=10_000 "rows" ""
        "Rows of one domain and day that reports on DMARC are counted in, one for each source and result; what further sources sent is counted together.";
    dmarc_total_max DMARC_TOTAL_MAX 1_000_000 10_000..=100_000_000 "rows" ""
        "Reports on DMARC and rows of them that are kept in all: beyond it the oldest days go.";
    webhooks_max WEBHOOKS_MAX 10 0..=1_000 "webhooks" ""
        "Webhooks of one account.";
    webhook_waiting_max WEBHOOK_WAITING_MAX 10_000 100..=1_000_000 "calls" ""
        "Calls of one webhook that wait for its receiver; further events are counted as dropped.";
    webhook_log_max WEBHOOK_LOG_MAX 5_000 100..=1_000_000 "calls" ""
        "Calls in the log of one webhook, delivered or given up: the oldest go.";
    webhook_requests_max WEBHOOK_REQUESTS_MAX 64 1..=10_000 "conversations" ""
        "Conversations with the receivers of webhooks at once, in total.";
    account_webhook_requests_max ACCOUNT_WEBHOOK_REQUESTS_MAX 8 1..=1_000 "conversations" ""
        "Those with the receivers of one account.";
    one_webhook_requests_max ONE_WEBHOOK_REQUESTS_MAX 4 1..=1_000 "conversations" ""
        "Those with one receiver; with one that does not take what it is sent, one.";
    webhook_seconds WEBHOOK_SECONDS 15 1..=120 "seconds" ""
        "The time that a receiver has to take a call, from the dial to the end of its answer.";
    inbox_messages_max INBOX_MESSAGES_MAX 200 1..=100_000 "messages" ""
        "Messages in the test inbox of one account: the oldest go.";
    inbox_octets_max INBOX_OCTETS_MAX 52_428_800 1_048_576..=17_179_869_184 "octets" ""
        "Octets of the messages in the test inbox of one account: the oldest go. A message that is larger by itself is not kept.";
    inbox_octets_total_max INBOX_OCTETS_TOTAL_MAX 1_073_741_824 1_048_576..=1_099_511_627_776 "octets" ""
        "Octets of the messages in all test inboxes: the oldest go.";
    inbox_days INBOX_DAYS 7 1..=30 "days" ""
        "How long a message stays in a test inbox.";
    unknown_replies_max UNKNOWN_REPLIES_MAX 500 10..=10_000 "replies" ""
        "Shapes of replies that no rule knows, kept since the start for the operator: the rarest go.";
    client_priority_max CLIENT_PRIORITY_MAX 0 0..=9 "priority" "priority-changed"
        "The highest priority that an application may ask for with MT-PRIORITY; 0: none above that of its SMTP user.";
    delayed_seconds DELAYED_SECONDS 14_400 600..=432_000 "seconds" ""
        "How long after its acceptance a message counts as delayed: a sender that asked for it (NOTIFY=DELAY) is told once.";
    notification_content_octets_max NOTIFICATION_CONTENT_OCTETS_MAX 102_400 0..=10_485_760 "octets" ""
        "Size of a message that a notification of its failure brings back whole, where the sender asked for that (RET=FULL); of a larger one it brings back the header.";
    line_messages_max LINE_MESSAGES_MAX 100 1..=10_000 "messages" ""
        "Messages carried to a next hop on one connection.";
    line_idle_seconds LINE_IDLE_SECONDS 5 0..=240 "seconds" ""
        "How long a connection to a next hop may wait for further mail.";
    line_age_seconds LINE_AGE_SECONDS 300 0..=3_600 "seconds" ""
        "How old a connection to a next hop may grow before it is used no more.";
}

impl Limits {
    /// Checks each value against its floor and ceiling, and the shortest block, suspension and pause against the longest.
    ///
    /// # Errors
    /// Every value that is outside; the configuration must not be used.
    pub fn check(&self) -> Result<(), Vec<LimitError>> {
        let mut errors: Vec<_> = self
            .values()
            .into_iter()
            .filter(|(limit, value)| !(limit.floor..=limit.ceiling).contains(value))
            .map(|(limit, value)| LimitError { limit, value })
            .collect();
        let pairs = [
            (self.block_seconds_min, self.block_seconds_max, BLOCK_SECONDS_MAX),
            (self.site_suspension_seconds_min, self.site_suspension_seconds_max, SITE_SUSPENSION_SECONDS_MAX),
            (self.site_pause_seconds_min, self.site_pause_seconds_max, SITE_PAUSE_SECONDS_MAX),
        ];
        let crossed = pairs.into_iter().filter(|(shortest, longest, _)| shortest > longest);
        if errors.is_empty() {
            errors
                .extend(crossed.map(|(floor, value, longest)| LimitError { limit: Limit { floor, ..longest }, value }));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// What one session of the server machine is held to.
    pub fn session(&self, hostname: &str) -> smtp::server::Settings {
        smtp::server::Settings {
            service: smtp::server::Service::Submission,
            hostname: hostname.to_owned(),
            recipients_max: usize::try_from(self.recipients_max).unwrap_or(usize::MAX),
            message_octets_max: self.message_octets_max,
            messages_max: u32::try_from(self.messages_max).unwrap_or(u32::MAX),
            errors_max: u32::try_from(self.session_errors_max).unwrap_or(u32::MAX),
            authentication_failures_max: u32::try_from(self.session_failures_max).unwrap_or(u32::MAX),
        }
    }

    /// What a session is held to that brings reports.
    pub fn report_session(&self, hostname: &str) -> smtp::server::Settings {
        smtp::server::Settings {
            service: smtp::server::Service::Reports,
            recipients_max: 1,
            message_octets_max: self.report_octets_max,
            ..self.session(hostname)
        }
    }

    /// How long a message is remembered that may come once more.
    pub fn repeat(&self) -> Duration {
        Duration::from_secs(self.repeat_seconds)
    }

    /// How long reports are taken at an address.
    pub fn return_path(&self) -> Duration {
        Duration::from_secs(self.return_path_days * 86_400)
    }

    /// How much is kept of reports on DMARC.
    pub fn dmarc_bounds(&self) -> crate::dmarc_report::Bounds {
        crate::dmarc_report::Bounds {
            reports_max: self.dmarc_reports_max,
            rows_max: self.dmarc_rows_max,
            total_max: self.dmarc_total_max,
        }
    }

    /// The window in which failed logins are counted.
    pub fn login_window(&self) -> Duration {
        Duration::from_secs(self.login_window_seconds)
    }

    /// How much is remembered of requests with an idempotency key.
    pub fn requests(&self) -> crate::store::RequestBounds {
        crate::store::RequestBounds {
            keys: self.account_idempotency_keys_max,
            octets: self.account_idempotency_octets_max,
        }
    }

    /// How long rows of Activity and Connections are kept.
    pub fn activity(&self) -> Duration {
        Duration::from_secs(self.activity_days * 86_400)
    }

    /// How long daily counters are kept.
    pub fn statistics(&self) -> Duration {
        Duration::from_secs(self.statistics_months * 31 * 86_400)
    }

    /// How long a message stays in a test inbox.
    pub fn inbox(&self) -> Duration {
        Duration::from_secs(self.inbox_days * 86_400)
    }

    /// How much test inboxes hold.
    pub fn inbox_bounds(&self) -> crate::sandbox::Bounds {
        crate::sandbox::Bounds {
            messages_max: self.inbox_messages_max,
            octets_max: self.inbox_octets_max,
            octets_total_max: self.inbox_octets_total_max,
        }
    }

    /// How long a login keeps its pair of SMTP user and address open.
    pub fn known_login(&self) -> Duration {
        Duration::from_secs(self.known_login_days * 86_400)
    }
}

/// The table as a page of the manual.
pub fn markdown() -> String {
    let mut page = String::from(
        "| limit | value | may be set from | to | unit | reply past it | what it limits |\n|---|---|---|---|---|---|---|\n",
    );
    for limit in TABLE {
        let reply = match smtp::replies::entry(limit.reply) {
            Some(entry) => match entry.enhanced {
                Some(enhanced) => format!("`{} {enhanced}` ({})", entry.code, entry.reference),
                None => format!("`{}` ({})", entry.code, entry.reference),
            },
            None => String::from("–"),
        };
        let Limit { name, value, floor, ceiling, unit, about, .. } = limit;
        // writing to a String cannot fail
        let _ = writeln!(page, "| `{name}` | {value} | {floor} | {ceiling} | {unit} | {reply} | {about} |");
    }
    page
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_between_floor_and_ceiling() {
        Limits::default().check().unwrap();
        for limit in TABLE {
            assert!(limit.floor <= limit.value && limit.value <= limit.ceiling, "{}", limit.name);
        }
    }

    #[test]
    fn the_numbers_of_the_product_stand() {
        let limits = Limits::default();
        assert_eq!(limits.recipients_max, 50);
        assert_eq!(limits.message_octets_max, 20 * 1024 * 1024);
        assert_eq!(limits.messages_max, 1_000);
        assert_eq!((limits.user_sessions_max, limits.account_sessions_max, limits.address_sessions_max), (10, 20, 100));
        assert_eq!((limits.login_pairs_max, limits.login_failures_max, limits.session_failures_max), (5, 20, 3));
        assert_eq!(
            (limits.login_window_seconds, limits.block_seconds_min, limits.block_seconds_max),
            (600, 900, 86_400)
        );
    }

    #[test]
    fn a_value_outside_is_named() {
        let limits = Limits { recipients_max: 0, sessions_max: 2_000_000, ..Limits::default() };
        let errors = limits.check().unwrap_err();
        assert_eq!(errors.iter().map(|error| error.limit.name).collect::<Vec<_>>(), ["recipients_max", "sessions_max"]);
        assert_eq!(errors[0].to_string(), "recipients_max = 0 is outside 1 to 1000 recipients");
    }

    #[test]
    fn the_shortest_block_is_not_longer_than_the_longest() {
        let limits = Limits { block_seconds_min: 2_000, block_seconds_max: 1_000, ..Limits::default() };
        assert_eq!(limits.check().unwrap_err()[0].limit.name, "block_seconds_max");
        let limits = Limits { site_pause_seconds_min: 600, site_pause_seconds_max: 60, ..Limits::default() };
        assert_eq!(limits.check().unwrap_err()[0].limit.name, "site_pause_seconds_max");
    }

    #[test]
    fn each_reply_is_in_the_catalogue_and_on_the_page() {
        let page = markdown();
        for limit in TABLE {
            assert!(limit.reply.is_empty() || smtp::replies::entry(limit.reply).is_some(), "{}", limit.reply);
            assert!(page.contains(&format!("| `{}` | {} |", limit.name, limit.value)));
        }
        assert!(page.contains("`452 4.5.3` (recipients-max)"));
    }
}
