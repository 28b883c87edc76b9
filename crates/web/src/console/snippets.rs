//! Ready pieces of configuration for the applications that people send from, filled in.
//!
//! Each is a file in `snippets/`, with `{{host}}` and the like where something is put in. A line that begins with
//! `{{starttls}}` or `{{tls}}` stands only where the application connects in that way, one that begins with `{{own}}` only
//! where the relay has a certificate of its own authority, and one with `{{known}}` only where everybody knows that.

use relay::service::view::SmtpUserView;

use super::Demonstration;
use super::connect::Connection;
use super::words::Words;

/// One piece, ready to be copied.
pub(super) struct Snippet {
    pub(super) application: &'static str,
    /// The file that it goes into, or what runs it.
    pub(super) place: String,
    /// What else is to be known.
    pub(super) note: Option<String>,
    /// A command that tries it.
    pub(super) then: Option<String>,
    pub(super) text: String,
}

/// One application: what it is called, where its piece goes (a file, or a message that begins with `snippet-`), a note,
/// a command to try it, the piece.
struct Application {
    name: &'static str,
    place: &'static str,
    note: Option<&'static str>,
    then: Option<&'static str>,
    text: &'static str,
}

macro_rules! application {
    ($name:literal, $place:literal, $note:expr, $then:expr, $file:literal) => {
        Application {
            name: $name,
            place: $place,
            note: $note,
            then: $then,
            text: include_str!(concat!("../../snippets/", $file)),
        }
    };
}

const MSMTP_TRY: &str = r"printf 'From: {{from}}\nTo: {{to}}\nSubject: {{subject}}\n\n{{body}}\n' | msmtp {{to}}";

const APPLICATIONS: [Application; 11] = [
    application!("WordPress", "wp-content/mu-plugins/envoi.php", Some("snippet-wordpress"), None, "wordpress.php"),
    application!("PHPMailer", "send.php", None, None, "phpmailer.php"),
    application!("Nodemailer", "send.mjs", None, None, "nodemailer.mjs"),
    application!(
        "Django",
        "settings.py",
        Some("snippet-django"),
        Some("python manage.py sendtestemail {{to}}"),
        "django.py"
    ),
    application!("Rails", "config/environments/production.rb", None, None, "rails.rb"),
    application!("Laravel", ".env", Some("snippet-laravel"), Some("php artisan config:clear"), "laravel.env"),
    application!("Spring", "application.properties", Some("snippet-spring"), None, "spring.properties"),
    application!("msmtp", "~/.msmtprc", Some("snippet-msmtp"), Some(MSMTP_TRY), "msmtprc"),
    application!("Postfix", "snippet-root-shell", Some("snippet-postfix"), None, "postfix.sh"),
    application!("swaks", "snippet-shell", Some("snippet-swaks"), None, "swaks.sh"),
    application!("curl", "snippet-shell", None, None, "curl.sh"),
];

/// What is put into the pieces.
pub(super) struct Filled<'a> {
    words: &'a Words,
    is_starttls: bool,
    /// The file of the authority that applications have to be told of.
    authority: Option<String>,
    values: [(&'static str, String); 9],
}

impl<'a> Filled<'a> {
    /// For an SMTP user, with its password where that is known.
    pub(super) fn of_user(
        words: &'a Words,
        connection: &Connection,
        user: &SmtpUserView,
        password: Option<&str>,
    ) -> Filled<'a> {
        // it stands between quotes of many languages: one that could end them is not used
        let is_plain = |address: &&String| address.bytes().all(|o| o.is_ascii_alphanumeric() || b"@.-_+".contains(&o));
        let from = user.senders.iter().find(is_plain).cloned();
        let from = from.unwrap_or_else(|| format!("noreply@{}", user.domain));
        Filled::new(words, connection, user.username.clone(), from, &user.domain, password)
    }

    /// For one who has no SMTP user yet.
    pub(super) fn of_nobody(words: &'a Words, connection: &Connection) -> Filled<'a> {
        let (username, domain) = (words.t("snippet-your-username"), "example.com");
        Filled::new(words, connection, username, format!("noreply@{domain}"), domain, None)
    }

    fn new(
        words: &'a Words,
        connection: &Connection,
        username: String,
        from: String,
        domain: &str,
        password: Option<&str>,
    ) -> Filled<'a> {
        let password = password.map_or_else(|| words.t("snippet-your-password"), str::to_owned);
        let values = [
            ("host", connection.server.clone()),
            ("port", connection.port.to_string()),
            ("user", username),
            ("password", password),
            ("from", from),
            ("domain", domain.to_owned()),
            ("to", words.t("snippet-to")),
            ("subject", words.t("snippet-subject")),
            ("body", words.t("snippet-body")),
        ];
        Filled { words, is_starttls: connection.is_starttls, authority: None, values }
    }

    /// The same for a relay whose certificate is of its own authority: what applications have to trust is in this file.
    pub(super) fn trusting(self, demonstration: Option<&Demonstration>) -> Filled<'a> {
        // it stands between quotes of many languages: where it could end them, whoever downloads the file has it beside
        let is_plain = |path: &str| path.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"/._-".contains(&octet));
        let file = |path: &str| if is_plain(path) { path.to_owned() } else { "ca.pem".to_owned() };
        Filled { authority: demonstration.map(|demonstration| file(&demonstration.authority)), ..self }
    }

    /// Every piece.
    pub(super) fn all(&self) -> Vec<Snippet> {
        let place = |place: &str| match place {
            place if place.starts_with("snippet-") => self.words.t(place),
            place => place.to_owned(),
        };
        let one = |application: &Application| Snippet {
            application: application.name,
            place: place(application.place),
            note: application.note.map(|note| self.words.t(note)),
            then: application.then.map(|then| self.fill(then)),
            text: self.fill(application.text),
        };
        APPLICATIONS.iter().map(one).collect()
    }

    fn fill(&self, text: &'static str) -> String {
        let conditions = [
            ("{{starttls}}", self.is_starttls),
            ("{{tls}}", !self.is_starttls),
            ("{{own}}", self.authority.is_some()),
            ("{{known}}", self.authority.is_none()),
        ];
        let line = |line: &'static str| match conditions.iter().find(|(condition, _)| line.starts_with(condition)) {
            Some((condition, holds)) => holds.then(|| &line[condition.len()..]),
            None => Some(line),
        };
        let mut filled = text.lines().filter_map(line).collect::<Vec<_>>().join("\n");
        for (name, value) in &self.values {
            filled = filled.replace(&format!("{{{{{name}}}}}"), value);
        }
        filled.replace("{{authority}}", self.authority.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::language::Language;
    use relay::service::view::PortsView;

    #[test]
    fn pieces_name_the_authority_of_a_demonstration_and_no_other() {
        let words = Words::new(Language::English);
        let connection = Connection::new("localhost", &PortsView { starttls: vec![2587], tls: vec![2465] });
        let demo = |path: &str| Demonstration { authority: path.into(), pem: String::new(), mail: String::new() };
        let pieces = |demo: Option<&Demonstration>| {
            let all = Filled::of_nobody(&words, &connection).trusting(demo).all();
            all.into_iter().map(|piece| (piece.application, piece.text)).collect::<Vec<_>>()
        };
        let of = |all: &[(&str, String)], name: &str| all.iter().find(|(its, _)| *its == name).unwrap().1.clone();
        let named = pieces(Some(&demo("/tmp/demo-1/ca.pem")));
        assert!(of(&named, "curl").contains("--cacert /tmp/demo-1/ca.pem"), "{}", of(&named, "curl"));
        for application in ["PHPMailer", "Nodemailer", "Django", "Rails", "msmtp", "Postfix", "WordPress"] {
            let text = of(&named, application);
            assert!(text.contains("/tmp/demo-1/ca.pem") && !text.contains("/etc/ssl"), "{text}");
        }
        assert!(pieces(None).iter().all(|(_, text)| !text.contains("ca.pem")));
        assert!(of(&pieces(Some(&demo("/tmp/it's/ca.pem"))), "curl").contains("--cacert ca.pem"));
    }

    #[test]
    fn every_piece_is_filled_whichever_way_it_connects() {
        let words = Words::new(Language::French);
        for (starttls, tls, port) in [(vec![2525, 587], vec![465], "587"), (vec![], vec![2465, 465], "465")] {
            let connection = Connection::new("relay.example.com", &PortsView { starttls, tls });
            let all = Filled::of_nobody(&words, &connection).all();
            assert_eq!(all.len(), 11);
            for snippet in all {
                let text = format!("{}{}", snippet.text, snippet.then.unwrap_or_default());
                assert!(!text.contains("{{"), "{}: {text}", snippet.application);
                assert!(text.contains("relay.example.com") && text.contains(port), "{}: {text}", snippet.application);
            }
        }
    }
}
