//! The catalogue of every reply this server gives; no reply text lives anywhere else.
//!
//! Each entry makes a function of its name, and a row of [`CATALOGUE`] from which the manual is
//! rendered. The reference is the name with hyphens; it is stable: activity, API and pages show it.

use std::borrow::Cow;

use crate::reply::{Enhanced, Reply};

/// One row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stable name, shown in activity beside the reply.
    pub reference: &'static str,
    /// The reply code.
    pub code: u16,
    /// The enhanced status; none where RFC 2034 §4 wants none.
    pub enhanced: Option<Enhanced>,
    /// The text, with `{names}` where values stand.
    pub text: &'static str,
    /// When it is given.
    pub when: &'static str,
    /// What to do about it; empty where all is well.
    pub remedy: &'static str,
}

macro_rules! enhanced {
    () => {
        None
    };
    ($class:literal $subject:literal $detail:literal) => {
        Some(Enhanced($class, $subject, $detail))
    };
}

macro_rules! text {
    ($text:literal) => {
        Cow::Borrowed($text)
    };
    ($text:literal $($argument:ident)+) => {
        Cow::Owned(format!($text))
    };
}

/// `name(arguments) code [status] "text" "when" "remedy";` makes the function and the row.
macro_rules! catalogue {
    ($($name:ident($($argument:ident: $kind:ty),*) $reference:literal $code:literal [$($status:literal)*]
        $text:literal $when:literal $remedy:literal;)+) => {
        $(
            #[doc = $when]
            pub fn $name($($argument: $kind),*) -> Reply {
                Reply {
                    code: $code,
                    enhanced: enhanced!($($status)*),
                    lines: vec![text!($text $($argument)*)],
                    reference: Some($reference),
                }
            }
        )+

        /// Every reply, in the order of a session.
        pub const CATALOGUE: &[Entry] = &[$(Entry {
            reference: $reference,
            code: $code,
            enhanced: enhanced!($($status)*),
            text: $text,
            when: $when,
            remedy: $remedy,
        }),+];
    };
}

catalogue! {
    // the session
    greeting(hostname: &str) "greeting" 220 [] "{hostname} ESMTP Envoi"
        "A connection was made." "";
    hello(hostname: &str) "hello" 250 [] "{hostname}"
        "HELO, or the first line of the reply to EHLO; the keywords follow it." "";
    tls_ready() "tls-ready" 220 [2 0 0] "Ready to start TLS"
        "STARTTLS: the handshake begins after this line." "";
    done() "done" 250 [2 0 0] "Ok"
        "NOOP or RSET." "";
    help() "help" 214 [2 0 0] "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT"
        "HELP: the commands of this server." "";
    vrfy() "vrfy" 252 [2 0 0] "Addresses are not looked up; send the mail and it will be tried"
        "VRFY: no address is ever confirmed or denied." "";
    bye() "bye" 221 [2 0 0] "Bye"
        "QUIT." "";
    shutting_down() "shutting-down" 421 [4 3 2] "The relay is restarting; please connect again"
        "The server is being stopped; transactions under way were finished." "Connect again: it is back in a moment.";
    idle() "idle" 421 [4 4 2] "Nothing was heard for too long"
        "The client was silent for longer than RFC 5321 §4.5.3.2 asks a server to wait."
        "Close connections that are not in use, and connect again for the next message.";
    errors_max() "errors-max" 421 [4 7 0] "Too many errors"
        "The client made too many errors in one session." "Look at the earlier replies: each says what was wrong.";
    messages_max(max: u32) "messages-max" 421 [4 7 0] "{max} messages were sent on this connection; please connect again"
        "More messages on one connection than the limit." "Connect again and go on.";
    not_http() "not-http" 421 [4 7 0] "This is a mail server"
        "The first line was a request of a web browser." "Use an SMTP client.";
    not_tls() "not-tls" 421 [4 7 0] "This port begins in the clear: choose STARTTLS, or connect to the TLS port"
        "A TLS handshake on the port that begins in the clear."
        "Choose STARTTLS for this port in the application, or port 465 with \"SSL/TLS\".";
    session_revoked() "session-revoked" 421 [4 7 0] "This login is no longer valid; please connect again"
        "The SMTP user was deleted, disabled or got a new password, or its account was suspended, while it was logged in."
        "Log in again with the current password; the administrator of the account sees why it changed.";

    // connections that are refused
    sessions_address() "sessions-address" 421 [4 7 0] "Too many active sessions for IP address. Please retry later."
        "In place of the greeting: more connections at once from one address than the limit."
        "Close connections that are not in use, or send over fewer at once.";
    sessions_total() "sessions-total" 421 [4 3 2] "Too many active sessions on this server. Please retry later."
        "In place of the greeting: the server holds as many connections as it can." "Try again in a minute.";
    address_blocked(minutes: u64) "address-blocked" 421 [4 7 0]
        "Too many failed logins from this IP address. Please retry in {minutes} minutes."
        "In place of the greeting: the address is blocked after failed logins."
        "Correct the username or password in the application, and wait; or have the block lifted.";

    // commands
    command_unknown() "command-unknown" 500 [5 5 1] "Command not recognized"
        "A verb that this server does not know." "";
    command_not_implemented() "command-not-implemented" 502 [5 5 1] "Command not implemented"
        "EXPN: there are no lists to expand. AUTH where reports of other servers are taken: nobody logs in there." "";
    line_too_long() "line-too-long" 500 [5 5 2] "Line too long"
        "A command line over the limit." "Check the application; content belongs after DATA.";
    line_malformed() "line-malformed" 500 [5 5 2] "Command line has control characters"
        "A command line with NUL, a bare CR or another control character." "Check the application.";
    bare_line_feed() "bare-line-feed" 500 [5 5 2] "Lines must end with CR LF"
        "A command line that ends with LF alone; the connection is closed, so that nothing can be smuggled."
        "Make the application end its lines with CR LF.";
    argument_invalid(form: &str) "argument-invalid" 501 [5 5 4] "Syntax: {form}"
        "A command whose argument is missing or malformed; the right form is shown." "";
    parameter_unknown(name: &str) "parameter-unknown" 555 [5 5 4] "Parameter {name} is not implemented"
        "A parameter of MAIL or RCPT that EHLO did not list." "Switch the feature off in the application.";
    parameter_invalid(name: &str) "parameter-invalid" 501 [5 5 4] "Bad value of parameter {name}"
        "A parameter of MAIL or RCPT whose value is malformed, or that is given twice." "";
    wrong_order(hint: &str) "wrong-order" 503 [5 5 1] "Bad sequence of commands: {hint}"
        "A command that cannot come now; the text says what is missing." "";
    tls_required() "tls-required" 530 [5 7 0] "Must issue a STARTTLS command first"
        "Any command but EHLO, HELO, NOOP, RSET, STARTTLS, HELP and QUIT before TLS."
        "Choose STARTTLS (or \"TLS\") for this port in the application, or port 465 with \"SSL/TLS\".";
    tls_active() "tls-active" 503 [5 5 1] "TLS is already active"
        "STARTTLS inside TLS." "On port 465 choose \"SSL/TLS\", not STARTTLS.";

    // logging in
    auth_done() "auth-done" 235 [2 7 0] "Authentication successful"
        "The username and password are right." "";
    auth_continue(challenge: &str) "auth-continue" 334 [] "{challenge}"
        "AUTH: the next line of the exchange is awaited." "";
    auth_invalid() "auth-invalid" 535 [5 7 8] "Authentication credentials invalid"
        "Unknown username, wrong password, or (the pages of the account say so) a network that the SMTP user may not log in from."
        "Copy username and password again; if the password is lost, reset it.";
    user_disabled() "user-disabled" 525 [5 7 13] "This SMTP user is disabled"
        "The right password of an SMTP user that was disabled." "An administrator of the account can enable it.";
    user_expired() "user-expired" 525 [5 7 13] "This SMTP user has expired"
        "The right password of an SMTP user past its expiry." "An administrator of the account can move the date.";
    account_suspended() "account-suspended" 525 [5 7 13] "The account of this SMTP user is suspended"
        "The right password, in a suspended account." "Write to the operator of the relay.";
    network_not_allowed(address: &str) "network-not-allowed" 550 [5 7 1] "This SMTP user may not send from {address}"
        "Over HTTP: the caller's address is not in a network that the SMTP user may log in from."
        "Send from one of its networks, or let an administrator of the account change them.";
    account_without_plan() "account-without-plan" 525 [5 7 13] "The account of this SMTP user has no plan"
        "The right password, in an account whose plan was cancelled, or which has none that was approved."
        "An administrator of the account can ask for a plan.";
    auth_unavailable() "auth-unavailable" 454 [4 7 0] "Temporary authentication failure. Please retry later."
        "The relay could not look at its records." "Try again; the operator has been told.";
    auth_blocked(minutes: u64) "auth-blocked" 454 [4 7 0]
        "Too many failed logins from this IP address. Please retry in {minutes} minutes."
        "AUTH from a blocked address; the password was not looked at."
        "Correct the username or password in the application, and wait; or have the block lifted.";
    auth_failures_max() "auth-failures-max" 421 [4 7 0] "Too many failed logins in this session"
        "After the last failed login that one session may have." "Correct the username or password in the application.";
    sessions_user() "sessions-user" 454 [4 7 0] "Too many active sessions for user. Please retry later."
        "The right password, but the SMTP user has as many sessions as the limit."
        "Close connections that are not in use, or make another SMTP user.";
    sessions_account() "sessions-account" 454 [4 7 0] "Too many active sessions for account. Please retry later."
        "The right password, but the account has as many sessions as the limit."
        "Close connections that are not in use.";
    sessions_again() "sessions-again" 421 [4 7 0] "Too many active sessions; please connect again later"
        "The one command that may follow the refusal of a login for too many sessions."
        "Close connections that are not in use.";
    auth_base64() "auth-base64" 501 [5 5 2] "Cannot decode the credentials"
        "AUTH with what is not base64, or not of the mechanism's form." "";
    auth_cancelled() "auth-cancelled" 501 [5 7 0] "Authentication cancelled"
        "The client cancelled the exchange with an asterisk." "";
    auth_line_too_long() "auth-line-too-long" 500 [5 5 6] "Authentication exchange line is too long"
        "A line inside AUTH over the limit of RFC 4954 §4." "";
    auth_mechanism_unknown() "auth-mechanism-unknown" 504 [5 5 4] "Only AUTH PLAIN and AUTH LOGIN are known here"
        "AUTH with another mechanism." "Choose PLAIN or LOGIN (\"normal password\") in the application.";
    auth_twice() "auth-twice" 503 [5 5 1] "Already authenticated"
        "AUTH after a successful one." "";
    auth_in_transaction() "auth-in-transaction" 503 [5 5 1] "AUTH is not permitted inside a transaction"
        "AUTH between MAIL and the end of data." "";
    auth_encryption() "auth-encryption" 538 [5 7 11] "Encryption required for requested authentication mechanism"
        "AUTH before TLS; the password was thrown away unread, but it did travel in the clear."
        "Choose STARTTLS in the application, then reset the password.";
    auth_required() "auth-required" 530 [5 7 0] "Authentication required"
        "MAIL before AUTH." "Switch authentication on in the application and enter username and password.";

    // the sender
    sender_done() "sender-done" 250 [2 1 0] "Ok"
        "MAIL." "";
    priority_changed(priority: i8) "priority-changed" 250 [2 3 6] "{priority} is the priority that this message gets here"
        "MAIL with MT-PRIORITY, where more was asked for than the message gets: the priority of its SMTP user, or the highest that applications may ask for (RFC 6710)."
        "An administrator of the account can change the priority of the SMTP user.";
    sender_syntax(reason: &str) "sender-syntax" 501 [5 1 7] "Bad sender address: {reason}"
        "The address of MAIL is not one." "Correct the sender's address in the application.";
    sender_not_ascii() "sender-not-ascii" 553 [5 6 7] "The sender address has non-ASCII characters; SMTPUTF8 is needed"
        "A sender's address beyond ASCII without SMTPUTF8." "Use an ASCII address, or an application that knows SMTPUTF8.";
    sender_domain_foreign(domain: &str, own: &str) "sender-domain-foreign" 550 [5 7 1]
        "This SMTP user sends from {own}, not from {domain}"
        "The domain of MAIL is not the SMTP user's."
        "Use a sender of the user's domain, or an SMTP user of the sender's domain; a subdomain is a domain of its own.";
    sender_domain_unauthenticated(domain: &str) "sender-domain-unauthenticated" 550 [5 7 1]
        "The domain {domain} is not authenticated"
        "The records of the sending domain have not been seen in DNS, or are gone."
        "Publish the records that the Domains page shows, then verify.";
    sender_not_allowed(address: &str) "sender-not-allowed" 550 [5 7 1] "This SMTP user may not send from {address}"
        "The SMTP user has a list of From addresses, and this is none of them." "An administrator of the account can change the list.";
    rate_limited(seconds: u64) "rate-limited" 450 [4 7 1] "Too much mail at once; retry after {seconds} s"
        "More mail in a short time than the operator allows." "Applications with a queue try again by themselves.";
    brake_on(reference: &str, seconds: u64) "brake-on" 450 [4 7 1]
        "The automatic brake is on (reference {reference}); retry after {seconds} s"
        "Too much bounced, too many complained, or far more is sent than usual: new mail of the SMTP user or account is put off until somebody releases the brake."
        "Look at the reason, put it right, then release the brake: an administrator of the account can, and the operator. Applications with a queue try again by themselves.";
    too_large(max: u64) "too-large" 552 [5 3 4] "Message size exceeds the limit of {max} octets"
        "SIZE= of MAIL, or the content itself, is over the limit; above twice the limit the connection is closed."
        "Send about 15 MB of files at most: encoded they grow by a third. Or send a link.";
    store_full() "store-full" 452 [4 3 1] "Insufficient system storage; please retry later"
        "The disk of the relay is low." "Applications with a queue try again by themselves; it ends by itself.";
    store_failed() "store-failed" 451 [4 3 0] "The message could not be kept; please retry later"
        "The queue could not be written; nothing was accepted." "Send it again later; the operator has been told.";

    // recipients
    recipient_done() "recipient-done" 250 [2 1 5] "Ok"
        "RCPT." "";
    recipient_syntax(reason: &str) "recipient-syntax" 501 [5 1 3] "Bad recipient address: {reason}"
        "The address of RCPT is not one, or its domain has no dot." "Correct the recipient's address.";
    recipient_literal() "recipient-literal" 550 [5 1 2] "Mail to address literals is not relayed"
        "A recipient at an IP address." "Use a recipient at a domain.";
    recipient_not_ascii() "recipient-not-ascii" 553 [5 6 7] "The recipient address has non-ASCII characters; SMTPUTF8 is needed"
        "A recipient's address beyond ASCII without SMTPUTF8." "Use an application that knows SMTPUTF8.";
    recipients_max(max: usize) "recipients-max" 452 [4 5 3] "Too many recipients: {max} per message"
        "Each recipient past the limit; those before it stay accepted." "Split the mailing: one message per recipient is best.";
    recipients_one() "recipients-one" 452 [4 5 3] "Too many recipients: 1 per message with one-click unsubscribe"
        "A second recipient, where the SMTP user sends with one-click unsubscribe: a link names one recipient. The first stays accepted."
        "Send one message per recipient, or switch one-click unsubscribe off for this SMTP user.";
    recipient_suppressed() "recipient-suppressed" 550 [5 7 1] "This recipient is on the suppression list of the account"
        "A suppressed recipient, where the SMTP user asks to be told." "An administrator of the account can lift the suppression.";
    recipient_not_allowed(domain: &str) "recipient-not-allowed" 550 [5 7 1] "This SMTP user may not send to {domain}"
        "The SMTP user has a list of recipient domains, and this is none of them." "An administrator of the account can change the list.";
    quota_reached(recipients: u64, moment: &str) "quota-reached" 452 [4 7 1]
        "The monthly quota of {recipients} recipients is reached; it renews on {moment}"
        "Each recipient past the quota of the account; those that fit stay accepted. The same at the end of data, where the quota changed or the period ended meanwhile."
        "Send again after that moment, at which a day begins in the time zone of the account, or ask the operator of the relay for a larger quota.";
    recipient_not_ours() "recipient-not-ours" 550 [5 7 1] "Only reports on mail of this relay are taken here"
        "Where reports of other servers are taken: a recipient that is none of the relay's own addresses for them, or one whose time is over."
        "Mail for people goes to the mail server of their own domain.";
    report_early() "report-early" 451 [4 3 0] "What became of this mail is not known here yet; please report again later"
        "Where reports of other servers are taken: a report about a recipient whose mail is in the queue still."
        "Report it again, as after any temporary refusal: it is taken once the outcome is kept.";
    all_or_nothing() "all-or-nothing" 554 [5 5 1] "A recipient of this message was refused, so the whole message is"
        "In all-or-nothing mode: every RCPT and DATA after the first refused recipient." "Correct the refused recipient and send again.";

    // content
    data_start() "data-start" 354 [] "End data with <CR><LF>.<CR><LF>"
        "DATA." "";
    chunk_done(octets: u64) "chunk-done" 250 [2 0 0] "{octets} octets received"
        "BDAT without LAST." "";
    no_recipients() "no-recipients" 554 [5 5 1] "No valid recipients"
        "DATA or BDAT after every recipient was refused." "The replies to RCPT say what was wrong with each.";
    reports_hurried(seconds: u64) "reports-hurried" 450 [4 7 1] "Too many reports at once; retry after {seconds} s"
        "Where reports of other servers are taken: more from one address, or more at a time, than the limits." "Mail servers try again by themselves.";
    accepted(id: &str) "accepted" 250 [2 0 0] "Ok: queued as {id}"
        "The message is on disk and ours to deliver." "";
    from_domain_foreign(domain: &str, own: &str) "from-domain-foreign" 550 [5 7 1]
        "The From address is at {domain}; this SMTP user sends from {own}"
        "At the end of data: the domain of the From field is not the SMTP user's."
        "Use a From address of the user's domain; put another address into Reply-To.";
    from_domain_unauthenticated(domain: &str) "from-domain-unauthenticated" 550 [5 7 1]
        "The domain {domain} of the From address is not authenticated"
        "At the end of data: the records of the domain are not in DNS."
        "Publish the records that the Domains page shows, then verify.";
    from_not_allowed(address: &str) "from-not-allowed" 550 [5 7 1] "This SMTP user may not send with From {address}"
        "At the end of data: the SMTP user has a list of From addresses, and this is none of them."
        "An administrator of the account can change the list.";
    from_missing() "from-missing" 550 [5 6 0] "The message has no From field"
        "At the end of data." "Set the sender in the application.";
    from_several() "from-several" 550 [5 6 0] "The message needs one From field with one address"
        "At the end of data: several From fields, several addresses in it, or none that can be read." "Use one From address.";
    content_nul() "content-nul" 550 [5 6 0] "The message contains a NUL octet"
        "At the end of data." "Encode binary parts in base64.";
    content_loop() "content-loop" 554 [5 4 6] "Too many Received fields: the message is going round in a loop"
        "More than 100 Received fields." "Look for two servers that send each other's mail here.";
    header_too_long() "header-too-long" 552 [5 3 4] "The header section is too long"
        "The fields before the first empty line are longer than the relay holds." "Send to fewer addresses per message, or drop fields.";
}

/// The reply to EHLO: our name, then one keyword a line.
pub fn extended_hello(hostname: &str, keywords: Vec<Cow<'static, str>>) -> Reply {
    let mut reply = hello(hostname);
    reply.lines.extend(keywords);
    reply
}

/// The catalogue's row of a reference.
pub fn entry(reference: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.reference == reference)
}

/// The catalogue as a page of the manual.
pub fn markdown() -> String {
    let mut page = String::from("| reply | reference | when | what to do |\n|---|---|---|---|\n");
    for Entry { reference, code, enhanced, text, when, remedy } in CATALOGUE {
        let status = enhanced.map(|enhanced| format!(" {enhanced}")).unwrap_or_default();
        page.push_str(&format!("| `{code}{status} {text}` | `{reference}` | {when} | {remedy} |\n"));
    }
    page
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn references_are_unique_and_plain() {
        let mut seen = HashSet::new();
        for entry in CATALOGUE {
            assert!(seen.insert(entry.reference), "{} twice", entry.reference);
            assert!(
                entry
                    .reference
                    .bytes()
                    .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
            );
            assert!(!entry.when.is_empty());
        }
    }

    #[test]
    fn every_refusal_has_the_class_of_its_code_and_a_status() {
        for entry in CATALOGUE {
            if let Some(Enhanced(class, ..)) = entry.enhanced {
                assert_eq!(u16::from(class), entry.code / 100, "{}", entry.reference);
            } else {
                // RFC 2034 §4: the greeting, HELO and EHLO have none; 3xx is no status either
                assert!(["greeting", "hello"].contains(&entry.reference) || entry.code / 100 == 3);
            }
            assert!((200..600).contains(&entry.code));
        }
    }

    #[test]
    fn replies_are_those_of_their_rows() {
        let replies = [
            (greeting("H"), "H ESMTP Envoi"),
            (auth_invalid(), "Authentication credentials invalid"),
            (accepted("ID"), "Ok: queued as ID"),
            (
                sender_domain_foreign("a.example", "b.example"),
                "This SMTP user sends from b.example, not from a.example",
            ),
            (recipients_max(50), "Too many recipients: 50 per message"),
        ];
        for (reply, text) in replies {
            let row = entry(reply.reference.unwrap()).unwrap();
            assert_eq!((reply.code, reply.enhanced), (row.code, row.enhanced));
            assert_eq!(reply.text(), text);
            assert_eq!(row.text.contains('{'), row.text != text, "{}", row.reference);
        }
    }

    #[test]
    fn the_page_has_a_row_for_each() {
        let page = markdown();
        assert_eq!(page.lines().count(), CATALOGUE.len() + 2);
        assert!(page.contains("| `535 5.7.8 Authentication credentials invalid` | `auth-invalid` |"));
        // a bar in a text would break the table
        assert!(page.lines().all(|line| line.matches('|').count() == 5));
    }

    #[test]
    fn lines_fit_the_limit() {
        for entry in CATALOGUE {
            assert!(entry.text.len() < 400, "{}", entry.reference);
        }
    }
}
