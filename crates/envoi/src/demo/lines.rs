//! What the demonstration prints: settings, the way of a message, and lines to paste.

use super::client::Encryption;
use super::house::House;
use super::{RECIPIENT, SENDER, Way};
use crate::moment::of_day;

/// Where everything is, and the five settings.
pub(super) fn welcome(house: &House) -> String {
    let credential = &house.credential;
    let (starttls, tls) = (house.address(Encryption::StartTls).port(), house.address(Encryption::Tls).port());
    let folder = house.folder.path().display();
    let fate = if house.folder.is_temporary() { "removed at the end" } else { "kept" };
    let mut text = format!(
        "Envoi runs in {folder} ({fate}).\n\n\
         The five settings of an application:\n\
         \x20 Server       {}\n\
         \x20 Port         {starttls}  (or {tls})\n\
         \x20 Encryption   STARTTLS  (or SSL/TLS)\n\
         \x20 Username     {}\n\
         \x20 Password     {}\n\n\
         It sends from any address of {}; whatever the recipient, the mail goes to a\n\
         receiving server of this demonstration ({}). The certificate was made for it: {}\n",
        credential.server,
        credential.username,
        credential.password.expose(),
        credential.domain,
        house.capture.address(),
        house.files.authority.display(),
    );
    if let Some(http) = house.http() {
        text.push_str(&format!("Metrics: http://{http}/metrics   Health: http://{http}/health/ready\n"));
    }
    if let Some(link) = house.console() {
        text.push_str(&format!("Console: {link}   (works once: choose a password)\n"));
    }
    if let Some(api) = house.api() {
        text.push_str(&format!("API: http://{api}/api/v1/   (`api-key add` makes a key)\n"));
    }
    text.push_str("\nOne message through each port:");
    text
}

/// One message, live.
pub(super) fn way(way: &Way) -> String {
    let name = if way.encryption == Encryption::Tls { "TLS" } else { "STARTTLS" };
    let attempt = way.row.last_attempt.as_ref();
    let took = attempt.map(|attempt| format!(" in {} ms", attempt.milliseconds)).unwrap_or_default();
    let plural = if way.signatures == 1 { "signature" } else { "signatures" };
    format!(
        "  {} {name}\n\
         \x20   {}  accepted    {} ({} ms after the dial, login and TLS included)\n\
         \x20   {}  delivered   to {RECIPIENT}{took}; arrived whole, with {} DKIM {plural}, {} ms after the dial",
        way.port,
        of_day(&way.row.at),
        way.queued.trim(),
        way.reply_milliseconds,
        of_day(&way.row.updated_at),
        way.signatures,
        way.milliseconds,
    )
}

/// Lines to paste into another terminal.
pub(super) fn try_it(house: &House) -> String {
    let credential = &house.credential;
    let (server, user, password) = (&credential.server, &credential.username, credential.password.expose());
    let (starttls, tls) = (house.address(Encryption::StartTls).port(), house.address(Encryption::Tls).port());
    let authority = quoted(&house.files.authority.display().to_string());
    let authority_in_python = format!("{:?}", house.files.authority.display().to_string()).replace('\'', "\\x27");
    let envoi = std::env::current_exe().map_or_else(|_| "envoi".to_owned(), |path| quoted(&path.display().to_string()));
    let config = quoted(&house.folder.path().join("envoi.toml").display().to_string());
    format!(
        "\nPaste one of these into another terminal, and watch here:\n\n\
         swaks --server {server} --port {starttls} --tls --tls-verify --tls-ca-path {authority} --auth PLAIN --auth-user {user} --auth-password {password} --from {SENDER} --to {RECIPIENT} --header 'Subject: Hello from swaks'\n\n\
         printf 'From: {SENDER}\\r\\nTo: {RECIPIENT}\\r\\nSubject: Hello from curl\\r\\n\\r\\nHello.\\r\\n' | curl --silent --show-error --url smtps://{server}:{tls} --cacert {authority} --user {user}:{password} --mail-from {SENDER} --mail-rcpt {RECIPIENT} --upload-file -\n\n\
         python3 -c 'import smtplib, ssl; s = smtplib.SMTP(\"{server}\", {starttls}); s.starttls(context=ssl.create_default_context(cafile={authority_in_python})); s.login(\"{user}\", \"{password}\"); s.sendmail(\"{SENDER}\", [\"{RECIPIENT}\"], \"From: {SENDER}\\r\\nTo: {RECIPIENT}\\r\\nSubject: Hello from Python\\r\\n\\r\\nHello.\\r\\n\"); s.quit()'\n\n\
         The commands work meanwhile too, such as:\n\
         {envoi} --config {config} activity\n\n\
         Activity, as it happens (Ctrl-C ends the demonstration):"
    )
}

/// A word for the shell.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+,:@%".contains(letter);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn paths_survive_the_shell() {
        assert_eq!(quoted("/tmp/envoi-demo-1/ca.pem"), "/tmp/envoi-demo-1/ca.pem");
        assert_eq!(quoted("/tmp/it's here/ca.pem"), r"'/tmp/it'\''s here/ca.pem'");
    }
}
