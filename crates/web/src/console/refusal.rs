//! What the relay itself says, why something was refused above all: in the language of the page or in its own words.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};
use relay::service::Fault;
use relay::service::view::CheckView;

use super::words::Words;

/// Why something was refused. The relay speaks English alone: what it says is marked as that, so that a screen reader does
/// not pronounce it as French.
pub(super) enum Refusal {
    /// In the language of the page.
    Ours(String),
    /// In the relay's words.
    Relay(String),
}

impl Refusal {
    /// Each part of a fault that says something.
    pub(super) fn parts(words: &Words, fault: &Fault) -> Vec<Refusal> {
        if let Some(said) = translated(words, fault) {
            return vec![Refusal::Ours(said)];
        }
        let parts = [&fault.what, &fault.meaning, &fault.remedy].into_iter().filter(|part| !part.is_empty());
        parts.cloned().map(Refusal::Relay).collect()
    }

    /// A fault in one line, to be shown beside the form that led to it.
    pub(super) fn of(words: &Words, fault: &Fault) -> Refusal {
        if let Some(said) = translated(words, fault) {
            return Refusal::Ours(said);
        }
        let parts = [&fault.what, &fault.meaning, &fault.remedy].map(String::as_str);
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Refusal::Relay(parts.join(" "))
    }
}

/// A fault that has a name in the words of a language that has some for it; the relay's own are English already.
fn translated(words: &Words, fault: &Fault) -> Option<String> {
    let named = fault.named.as_ref()?;
    let values: Vec<_> = named.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    said(words, &format!("fault-{}", named.code), &values)
}

fn said(words: &Words, message: &str, values: &[(&str, &str)]) -> Option<String> {
    words.has(message).then(|| words.filled(message, values))
}

/// What a check found, and what to do about it, where that is said.
pub(super) fn of_check(words: &Words, check: &CheckView) -> (Refusal, Option<Refusal>) {
    let shown: Vec<_> =
        check.values.iter().map(|(name, value)| (name, value, for_people(words, name, value))).collect();
    let values: Vec<_> = shown.iter().map(|(name, _, shown)| (name.as_str(), shown.as_str())).collect();
    let in_place =
        |english: &str| shown.iter().fold(english.to_owned(), |text, (_, raw, shown)| swapped(&text, raw, shown));
    let code = check.code.as_deref().unwrap_or_default();
    let in_words = |part: &str, english: &str| match said(words, &format!("{part}-{code}"), &values) {
        Some(said) => Refusal::Ours(said),
        None => Refusal::Relay(in_place(english)),
    };
    let remedy = Some(&check.remedy).filter(|remedy| !remedy.is_empty());
    (in_words("found", &check.found), remedy.map(|remedy| in_words("remedy", remedy)))
}

/// A value of a check as people of the language write it: moments and numbers.
fn for_people(words: &Words, name: &str, value: &str) -> String {
    match (name, value.parse()) {
        ("time", _) => words.minute(value),
        ("all" | "count" | "days" | "free" | "megabytes" | "messages" | "needed" | "recipients", Ok(number)) => {
            words.number(number)
        }
        _ => value.to_owned(),
    }
}

/// A text with the first place of a word swapped for another one.
fn swapped(text: &str, word: &str, by: &str) -> String {
    let is_apart = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    let stands_alone =
        |at: &usize| is_apart(text[..*at].chars().next_back()) && is_apart(text[at + word.len()..].chars().next());
    match text.match_indices(word).map(|(at, _)| at).find(stands_alone) {
        Some(at) if word != by && !word.is_empty() => format!("{}{by}{}", &text[..at], &text[at + word.len()..]),
        _ => text.to_owned(),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(words) = match self {
            Refusal::Ours(words) | Refusal::Relay(words) => escape(words, Html),
        };
        match self {
            Refusal::Ours(_) => write!(out, "{words}"),
            Refusal::Relay(_) => write!(out, "<span lang=\"en\">{words}</span>"),
        }
    }
}

// what it writes is escaped already
impl HtmlSafe for Refusal {}

#[cfg(test)]
mod tests {
    use askama::Template;
    use relay::service::Fault;

    use relay::language::Language;
    use relay::service::view::CheckView;

    use super::{Refusal, of_check};
    use crate::console::words::Words;

    #[derive(Template)]
    #[template(source = "{{ words }}", ext = "html")]
    struct Shown {
        words: Refusal,
    }

    #[test]
    fn the_relay_is_heard_in_english_and_nothing_is_markup() {
        let shown = |words| Shown { words }.render().unwrap();
        let fault = Fault::invalid("<b> is no name.", "Choose another.");
        let (english, french) = (Words::new(Language::English), Words::new(Language::French));
        let said = shown(Refusal::of(&french, &fault));
        assert!(said.starts_with("<span lang=\"en\">&#60;b&#62; is no name."), "{said}");
        assert!(said.ends_with("Choose another.</span>"), "{said}");
        assert_eq!(Refusal::parts(&english, &fault).len(), 2);
        assert_eq!(shown(Refusal::Ours("Nom & adresse".to_owned())), "Nom &#38; adresse");
        let fault = fault.named("domain-wrong", &[("domain", &"<b>")]);
        let said = shown(Refusal::of(&french, &fault));
        assert!(said.starts_with("«\u{a0}&#60;b&#62;\u{a0}» n’est pas un nom de domaine"), "{said}");
        assert!(
            shown(Refusal::of(&english, &fault))
                .contains("<b> is no name.".replace('<', "&#60;").replace('>', "&#62;").as_str())
        );
    }

    #[test]
    fn what_a_check_found_is_written_as_people_write() {
        let check = |code: &str, found: &str, remedy: &str, values: &[(&str, &str)]| CheckView {
            check: "disk".into(),
            result: "warn".into(),
            found: found.into(),
            remedy: remedy.into(),
            code: Some(code.into()),
            values: values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let said = |language, check: &CheckView| {
            let (found, remedy) = of_check(&Words::new(language), check);
            [Some(found), remedy].map(|part| match part {
                Some(Refusal::Ours(said) | Refusal::Relay(said)) => said,
                None => String::new(),
            })
        };
        let values = [("free", "49200"), ("needed", "49200"), ("folder", "/data49200")];
        let short = check("disk-short", "49200 MB free at /data49200", "At least 49200 MB are needed.", &values);
        let english = ["49,200 MB free at /data49200", "At least 49,200 MB are needed."];
        assert_eq!(said(Language::English, &short), english);
        let [french, _] = said(Language::French, &short);
        assert!(french.contains("49\u{a0}200") && french.contains("/data49200"), "{french}");
        let at = "2026-11-30T15:25:18.870Z";
        let clock = check("clock-is", at, "", &[("time", at)]);
        for language in [Language::English, Language::French] {
            let [found, _] = said(language, &clock);
            assert!(found.contains("2026") && found.contains("25") && !found.contains('Z'), "{found}");
        }
    }
}
