//! A line of the audit log in words: what was done, to what, what changed, by whom and from where.

use relay::audit::{Field, Form};
use relay::language::Language;
use relay::service::view::{AuditAboutView, AuditChangeView, AuditView};

use crate::console::page::slug;
use crate::console::rules::retry_text;
use crate::console::webhooks::event_name;
use crate::console::words::Words;

/// Values of a list that a page shows; the rest is `…`.
const VALUES_SHOWN: usize = 4;
/// Letters of a name, or of what something was or is, that a page shows: with fifty long lines it stays below 100 KB.
const LETTERS_SHOWN: usize = 100;

/// What a line is about.
pub(super) struct Subject {
    /// What kind of thing.
    pub(super) kind: String,
    /// Its name, or its number where it has none.
    pub(super) name: String,
}

/// A line, as a page shows it.
pub(super) struct Row {
    pub(super) line: AuditView,
    pub(super) what: String,
    pub(super) at: String,
    /// None in a line of an earlier version, which has its English sentence alone.
    pub(super) about: Option<Subject>,
    pub(super) changes: Vec<String>,
    pub(super) who: String,
    pub(super) place: String,
}

impl Row {
    pub(super) fn new(words: &Words, line: AuditView) -> Row {
        Row {
            what: known(words, format!("action-{}", slug(&line.action))).unwrap_or_else(|| line.action.clone()),
            at: words.moment(&line.at),
            about: line.about.as_ref().map(|about| subject(words, about)),
            changes: line.changes.iter().map(|change| said(words, change)).collect(),
            who: who(words, &line.actor),
            place: place(words, &line.from),
            line,
        }
    }
}

/// The message of this name, where there is one.
fn known(words: &Words, name: String) -> Option<String> {
    words.has(&name).then(|| words.t(&name))
}

fn subject(words: &Words, about: &AuditAboutView) -> Subject {
    let AuditAboutView { kind, id, name, french } = about;
    let name = match words.language {
        Language::French => french.as_ref().or(name.as_ref()),
        Language::English => name.as_ref(),
    };
    let name = name.or(id.as_ref()).map(|name| cut(name)).unwrap_or_default();
    Subject { kind: known(words, format!("audit-kind-{}", slug(kind))).unwrap_or_else(|| kind.clone()), name }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LETTERS_SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn said(words: &Words, change: &AuditChangeView) -> String {
    let name = known(words, format!("audit-field-{}", slug(&change.field))).unwrap_or_else(|| change.field.clone());
    let field = Field::ALL.iter().find(|field| relay::service::view::word(*field) == change.field);
    let of = |values: &[String]| match field {
        Some(field) => values_of(words, *field, values),
        None => values.join(", "),
    };
    match &change.from {
        Some(from) => words.filled("audit-changed", &[("field", &name), ("from", &of(from)), ("to", &of(&change.to))]),
        None => words.filled("audit-made", &[("field", &name), ("to", &of(&change.to))]),
    }
}

fn values_of(words: &Words, field: Field, values: &[String]) -> String {
    if values.is_empty() {
        return words.t(nothing(field));
    }
    if field.form() == Form::Wording {
        // in English, then in French where that is another
        let place = usize::from(words.language == Language::French).min(values.len() - 1);
        return cut(&values[place]);
    }
    let mut shown: Vec<_> = values.iter().take(VALUES_SHOWN).map(|value| value_of(words, field, value)).collect();
    if values.len() > VALUES_SHOWN {
        shown.push("…".to_owned());
    }
    cut(&shown.join(", "))
}

/// The message that says what it means that nothing is set.
fn nothing(field: Field) -> &'static str {
    match field {
        Field::ExpiresAt => "audit-none-end",
        Field::Networks | Field::Senders | Field::RecipientDomains => "audit-none-any",
        Field::Quota => "audit-none-quota",
        Field::PlanRecipients => "account-unlimited",
        Field::ActivityDays | Field::RetrySeconds | Field::RepeatSeconds | Field::Route => "audit-none-usual",
        Field::AskedPlan => "audit-none-asked",
        _ => "audit-none",
    }
}

fn value_of(words: &Words, field: Field, value: &str) -> String {
    let number = || value.parse::<u64>().ok();
    let found = match field.form() {
        Form::Word => match field {
            Field::Events => Some(words.t(event_name(value))),
            Field::Role => known(words, format!("role-{}", slug(value))),
            Field::State => known(words, format!("domain-state-{}", slug(value))),
            Field::Powers => known(words, format!("power-{}", slug(value))),
            _ => known(words, format!("audit-word-{}", slug(value))),
        },
        Form::Number => number().map(|number| words.number(number)),
        Form::Seconds => number().map(|seconds| match seconds % 60 {
            0 => retry_text(words, seconds),
            _ => words.count("audit-seconds", seconds),
        }),
        Form::Flag => known(words, format!("audit-flag-{value}")),
        Form::Moment => Some(words.moment(value)),
        Form::Text | Form::Wording => None,
    };
    found.unwrap_or_else(|| value.to_owned())
}

/// Who did it: people and keys by name, else in words.
fn who(words: &Words, actor: &str) -> String {
    let key = actor.strip_prefix("API key ");
    match (actor, key, actor.strip_suffix(relay::store::Actor::OF_OPERATOR)) {
        ("operator", ..) => words.t("audit-by-operator"),
        ("system", ..) => words.t("audit-by-relay"),
        ("somebody at the entrance", ..) => words.t("audit-by-somebody"),
        (_, Some(key), _) => words.with("audit-by-key", "name", cut(key)),
        (_, _, Some(member)) => words.with("audit-by-operator-as", "member", cut(member)),
        _ => cut(actor),
    }
}

/// From where: an address, else in words.
fn place(words: &Words, from: &str) -> String {
    match from {
        "cli" => words.t("audit-from-cli"),
        "relay" => words.t("audit-from-relay"),
        "demo" => words.t("audit-from-demo"),
        _ => from.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::console::page::Page;
    use askama::Template as _;
    use relay::audit::{About, Details, Kind, Word};
    use relay::brake::Cause;
    use relay::clock::Timestamp;
    use relay::id::Id;
    use relay::power::{Power, Role};
    use relay::priority::Class;
    use relay::sending_domain::{DomainState, KeyAlgorithm};
    use relay::service::view::word;
    use relay::smtp_user::UserRules;
    use relay::store::{Actor, AuditEntry};
    use relay::webhook::EventKind;

    fn row(language: Language, action: &str, details: impl Into<Details>) -> Row {
        let by = Actor { name: "system".into(), from: "relay".into() };
        let entry = AuditEntry::new(Timestamp(1_795_469_468_123), by, action, details, Some(Id::new(1)));
        Row::new(&Words::in_zone(language, "America/Toronto"), AuditView::from(&(1, entry)))
    }

    /// Every field, each with all words that it can have.
    fn everything() -> Details {
        let about = Details::from(About::named(Kind::SmtpUser, "a"));
        Field::ALL.iter().fold(about, |told, field| {
            let told = match field.form() {
                Form::Number | Form::Seconds => told.with(*field, "7200"),
                Form::Flag => told.changed(*field, &false, &true),
                Form::Moment => told.with(*field, &Timestamp(1_795_469_468_123)),
                Form::Text | Form::Wording => told.with(*field, "x"),
                Form::Word => words_of(told, *field),
            };
            told.with(*field, &None::<String>)
        })
    }

    fn words_of(told: Details, field: Field) -> Details {
        fn all<T: Copy>(told: Details, field: Field, values: &[T]) -> Details
        where
            Word<T>: relay::audit::Told,
        {
            values.iter().fold(told, |told, value| told.with(field, &Word(*value)))
        }
        match field {
            Field::Algorithm => all(told, field, &KeyAlgorithm::ALL),
            Field::Cause => all(told, field, &[Cause::HardBounces, Cause::Complaints, Cause::Volume]),
            Field::Events => all(told, field, &EventKind::CHOICES),
            Field::Language => all(told, field, &Language::ALL),
            Field::Powers => all(told, field, &Power::ALL).with(field, "everything"),
            Field::Priority => all(told, field, &[Class::Low, Class::Normal, Class::High]),
            Field::Role => all(told, field, &Role::ALL),
            Field::State => {
                let both = [DomainState::Pending, DomainState::Validated, DomainState::Warning];
                all(all(told, field, &both), field, &[DomainState::Failed, DomainState::Vouched])
            }
            other => panic!("which words has {other:?}?"),
        }
    }

    /// What reads the same in both languages: names, and words that are alike.
    const SAME: &[&str] = &["Message", "Site", "Source", "Webhook"];

    #[test]
    fn every_action_kind_field_and_word_is_said_in_both_languages() {
        let actions = include_str!("../../../words/en/audit.ftl").lines();
        let actions: Vec<_> = actions.filter_map(|line| line.strip_prefix("action-")?.split(' ').next()).collect();
        assert!(actions.len() > 80, "the file is read rightly");
        for action in actions {
            for kind in Kind::ALL {
                let [english, french] = Language::ALL.map(|language| row(language, action, About::named(kind, "x")));
                assert_ne!(english.what, french.what, "{action}");
                let (said, dit) = (english.about.unwrap().kind, french.about.unwrap().kind);
                assert!(said != dit || SAME.contains(&said.as_str()), "{said}");
                assert!(said != word(&kind) && dit != word(&kind), "{kind:?} has no words");
                assert_ne!((english.who, english.place), (french.who, french.place));
            }
        }
        let [english, french] = Language::ALL.map(|language| row(language, "smtp_user.set", everything()).changes);
        assert!(english.len() > Field::ALL.len() && english.len() == french.len());
        for (said, dit) in english.iter().zip(&french) {
            assert_ne!(said, dit, "a line is said alike in both languages");
            assert!(!said.contains('_') && !dit.contains('_'), "{said} | {dit}");
            let (value, valeur) = (said.split_once(": ").unwrap().1, dit.split_once("\u{a0}: ").unwrap().1);
            let is_plain = value == "x" || value == "RSA-2048" || value == "Ed25519";
            assert!(is_plain || value != valeur, "{said} | {dit}");
        }
    }

    #[test]
    fn a_change_is_told_in_the_readers_language_and_zone() {
        let about = About { french: Some("Petit".into()), ..About::new(Kind::Plan, 3, "Small") };
        let told = Details::from(about)
            .changed(Field::ExpiresAt, &None, &Some(Timestamp(1_795_469_468_123)))
            .changed(Field::RetrySeconds, &Some(7_200), &None::<u64>)
            .with(Field::Plan, &["Small".to_owned(), "Petit".to_owned()][..]);
        let french = row(Language::French, "plan.set", told.clone());
        assert_eq!(french.about.unwrap().name, "Petit");
        assert!(french.changes[0].starts_with("Expiration\u{a0}: sans fin → 23 nov. 2026"), "{:?}", french.changes);
        assert_eq!(french.changes[1], "Réessayer pendant\u{a0}: 2\u{a0}heures → selon le relais");
        assert_eq!(french.changes[2], "Forfait\u{a0}: Petit");
        let english = row(Language::English, "plan.set", told);
        assert_eq!((english.about.unwrap().name.as_str(), english.changes[2].as_str()), ("Small", "Plan: Small"));
    }

    #[test]
    fn a_page_of_the_longest_lines_is_below_a_hundred_kilobytes() {
        let long = |letter: &str| format!("{}@{}.example.com", letter.repeat(60), letter.repeat(60));
        let before = UserRules {
            networks: (0..100)
                .map(|number| format!("2001:db8:1234:5678:9abc:def0:1234:{number:x}/128").parse().unwrap())
                .collect(),
            senders: (0..100).map(|_| long("a")).collect(),
            recipient_domains: (0..100).map(|_| long("b")).collect(),
            ..UserRules::default()
        };
        let after = UserRules {
            expires_at: Some(Timestamp(1_795_469_468_123)),
            networks: before.networks[50..].to_vec(),
            all_or_nothing: true,
            sandbox: true,
            retry_seconds: Some(7_200),
            senders: (0..100).map(|_| long("c")).collect(),
            recipient_domains: (0..100).map(|_| long("d")).collect(),
            refuse_suppressed: true,
            priority: Class::High,
            one_click_unsubscribe: true,
            repeat_seconds: Some(90),
        };
        let about = About::new(Kind::SmtpUser, 1, "n".repeat(200));
        let details = Details::from(about).rules(&before, &after);
        let rows = (0..super::super::ROWS).map(|_| row(Language::French, "smtp_user.set", details.clone())).collect();
        let page = Page::outside(Language::French, "relay.example.com");
        let (newer, older) = (None, Some("/audit?before=1".to_owned()));
        let page = super::super::AuditPage { page, is_operator: true, account: None, rows, newer, older };
        let shown = page.render().unwrap();
        assert!(shown.len() < 100_000, "{} octets", shown.len());
    }

    #[test]
    fn a_line_of_before_has_its_sentence_alone() {
        let by = Actor { name: "API key Reports (7)".into(), from: "cli".into() };
        let entry = AuditEntry::new(Timestamp(0), by, "account.set", About::of(Kind::Queue), None);
        let entry = AuditEntry { details: None, subject: "account 1 as its plan".into(), ..entry };
        let row = Row::new(&Words::new(Language::French), AuditView::from(&(1, entry)));
        assert!(row.about.is_none() && row.changes.is_empty() && row.line.subject == "account 1 as its plan");
        assert_eq!((row.who.as_str(), row.place.as_str()), ("Clé d’API Reports (7)", "ligne de commande"));
    }
}
