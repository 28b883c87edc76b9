//! What a DSN says to people, in plain words, and the folding of lines.

use std::fmt::Write as _;

use super::{Action, Language, Notification, ReportedRecipient, one_line};
use crate::date;
use crate::header::fields;

/// Characters of a line for people.
const LINE_CHARACTERS_MAX: usize = 72;

/// Characters of a word before it is cut: a stranger's reply must not make a line too long for 7-bit.
const WORD_CHARACTERS_MAX: usize = 200;

/// The words that go with an action.
struct Words {
    subject: &'static str,
    /// What happened, in front of everything.
    first: &'static str,
    /// In front of the addresses.
    whom: &'static str,
}

fn words_of(language: Language, action: Action) -> Words {
    match language {
        Language::English => english(action),
        Language::French => french(action),
    }
}

fn french(action: Action) -> Words {
    match action {
        Action::Failed => Words {
            subject: "Votre message n’a pas pu être remis",
            first: "Votre message n’a pas pu être remis.",
            whom: "Il n’est pas parvenu à\u{a0}:",
        },
        Action::Delayed { .. } => Words {
            subject: "Votre message est retardé",
            first: "Votre message est retardé\u{a0}: il n’a pas encore été remis.",
            whom: "Il n’est pas encore parvenu à\u{a0}:",
        },
        Action::Delivered => Words {
            subject: "Votre message a été remis",
            first: "Votre message a été remis, comme vous avez demandé à le savoir.",
            whom: "Il a été remis à\u{a0}:",
        },
        Action::Relayed => Words {
            subject: "Votre message a été transmis",
            first: "Votre message a été transmis à un autre serveur, comme vous avez demandé à le savoir.",
            whom: "Ce serveur l’a pris en charge pour\u{a0}:",
        },
    }
}

fn english(action: Action) -> Words {
    match action {
        Action::Failed => Words {
            subject: "Your message could not be delivered",
            first: "Your message could not be delivered.",
            whom: "It did not reach:",
        },
        Action::Delayed { .. } => Words {
            subject: "Your message is delayed",
            first: "Your message is delayed: it has not been delivered yet.",
            whom: "It has not reached so far:",
        },
        Action::Delivered => Words {
            subject: "Your message was delivered",
            first: "Your message was delivered, as you asked to be told.",
            whom: "It was delivered to:",
        },
        Action::Relayed => Words {
            subject: "Your message was handed on",
            first: "Your message was handed on to another server, as you asked to be told.",
            whom: "It was taken there for:",
        },
    }
}

/// The subject of a notification.
pub(super) fn subject_of(language: Language, action: Action) -> &'static str {
    words_of(language, action).subject
}

/// What follows for the sender.
fn consequence(language: Language, action: Action, count: usize) -> String {
    match language {
        Language::English => english_consequence(action, count),
        Language::French => french_consequence(action, count),
    }
}

fn french_consequence(action: Action, count: usize) -> String {
    let those = if count == 1 { "cette adresse" } else { "ces adresses" };
    match action {
        Action::Failed => format!(
            "Nous avons cessé nos tentatives vers {those}. Les autres destinataires du message ne sont pas touchés. \
             S’il est toujours utile, corrigez ce qui est indiqué ci-dessus, puis envoyez-le de nouveau."
        ),
        Action::Delayed { until_seconds } => format!(
            "Nos tentatives vers {those} se poursuivent jusqu’au {}. Il est inutile d’envoyer le message de nouveau.",
            date::french(until_seconds)
        ),
        Action::Delivered => String::new(),
        Action::Relayed => {
            "Ce serveur en est désormais responsable. Il ne peut pas vous informer de la remise.".to_owned()
        }
    }
}

fn english_consequence(action: Action, count: usize) -> String {
    let those = if count == 1 { "this address" } else { "these addresses" };
    match action {
        Action::Failed => format!(
            "We have stopped trying for {those}. Any other recipient of the message is not affected. \
             If it still matters, correct what is said above and send the message again."
        ),
        Action::Delayed { until_seconds } => format!(
            "We go on trying for {those} until {}. You need not send the message again.",
            date::rfc5322(until_seconds)
        ),
        Action::Delivered => String::new(),
        Action::Relayed => {
            "That server has taken responsibility for it. It cannot be asked to tell you of the delivery.".to_owned()
        }
    }
}

/// The text, CRLF line ends. `is_whole`: all of the message comes with it.
pub(super) fn compose(notification: &Notification<'_>, is_whole: bool) -> String {
    let Notification { hostname, original, recipients, action, language, .. } = notification;
    let Words { first, whom, .. } = words_of(*language, *action);
    let Frame { subject: about, sent, attached, signature, .. } = frame(*language, is_whole);
    let subject = subject(notification.header);
    let mut text = format!("{}\r\n", paragraph("", first));
    if !subject.is_empty() {
        text.push_str(&paragraph("", &format!("{about} {subject}")));
    }
    let arrived = match language {
        Language::English => date::rfc5322(notification.arrived_seconds),
        Language::French => date::french(notification.arrived_seconds),
    };
    let _ = write!(text, "{sent} {arrived}\r\n\r\n");
    let _ = write!(text, "{whom}\r\n");
    for recipient in *recipients {
        text.push_str(&told(*language, recipient));
    }
    text.push_str("\r\n");
    for words in [consequence(*language, *action, recipients.len()), attached.to_owned()] {
        if !words.is_empty() {
            let _ = write!(text, "{}\r\n", paragraph("", &words));
        }
    }
    let _ = write!(text, "{signature} {hostname}\r\nMessage {original}\r\n");
    text
}

/// What stands around the words of an action.
struct Frame {
    subject: &'static str,
    sent: &'static str,
    attached: &'static str,
    signature: &'static str,
    /// A named server, and one whose name is not known.
    server: (&'static str, &'static str),
    answered: &'static str,
}

fn frame(language: Language, is_whole: bool) -> Frame {
    match language {
        Language::English => Frame {
            subject: "Subject:",
            sent: "Sent:",
            attached: match is_whole {
                true => "Details for your administrator and your message are attached.",
                false => "Details for your administrator and the header of your message are attached.",
            },
            signature: "The mail relay at",
            server: ("The server", "The other server"),
            answered: "answered:",
        },
        Language::French => Frame {
            subject: "Objet\u{a0}:",
            sent: "Envoyé\u{a0}:",
            attached: match is_whole {
                true => "Des précisions pour votre administrateur et votre message sont joints.",
                false => "Des précisions pour votre administrateur et l’en-tête de votre message sont joints.",
            },
            signature: "Le relais de courriel",
            server: ("Le serveur", "L’autre serveur"),
            answered: "a répondu\u{a0}:",
        },
    }
}

fn subject(header: &[u8]) -> String {
    let field = fields(header).find(|field| field.is("Subject"));
    field.map(|field| field.text()).unwrap_or_default()
}

fn told(language: Language, reported: &ReportedRecipient) -> String {
    let clean = |text: &str| one_line(text, true);
    let mut text = format!("\r\n  {}\r\n", clean(&reported.address));
    text.push_str(&paragraph("    ", &clean(&reported.reason)));
    if let Some(reply) = &reported.remote_reply {
        let Frame { server: (named, unnamed), answered, .. } = frame(language, false);
        let who = match reported.remote_host.as_deref().filter(|host| !host.is_empty()) {
            Some(host) => format!("{named} {}", clean(host)),
            None => unnamed.to_owned(),
        };
        text.push_str(&paragraph("    ", &format!("{who} {answered} {}", clean(reply))));
    }
    text
}

/// Words on lines of bearable length, each line after `indent`; nothing for no words.
fn paragraph(indent: &str, words: &str) -> String {
    let lines = wrap(words, LINE_CHARACTERS_MAX - indent.len(), LINE_CHARACTERS_MAX - indent.len());
    lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{indent}{line}\r\n")).collect()
}

/// A field folded at its spaces, without the last line end.
pub(super) fn fold(name: &str, value: &str) -> String {
    let first = LINE_CHARACTERS_MAX.saturating_sub(name.len() + 1);
    format!("{name} {}", wrap(value, first, LINE_CHARACTERS_MAX).join("\r\n\t"))
}

fn wrap(words: &str, first_max: usize, next_max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let letters: Vec<char> = word.chars().collect();
        for word in letters.chunks(WORD_CHARACTERS_MAX) {
            let max = if lines.len() == 1 { first_max } else { next_max };
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.extend(word),
                Some(line) if line.chars().count() + 1 + word.len() <= max => {
                    line.push(' ');
                    line.extend(word);
                }
                _ => lines.push(word.iter().collect()),
            }
        }
    }
    lines
}
