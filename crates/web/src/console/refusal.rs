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
    let values: Vec<_> = check.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let code = check.code.as_deref().unwrap_or_default();
    let in_words = |part: &str, english: &str| match said(words, &format!("{part}-{code}"), &values) {
        Some(said) => Refusal::Ours(said),
        None => Refusal::Relay(english.to_owned()),
    };
    let remedy = Some(&check.remedy).filter(|remedy| !remedy.is_empty());
    (in_words("found", &check.found), remedy.map(|remedy| in_words("remedy", remedy)))
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

    use super::Refusal;
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
        assert!(said.starts_with("« &#60;b&#62; » n’est pas un nom de domaine"), "{said}");
        assert!(
            shown(Refusal::of(&english, &fault))
                .contains("<b> is no name.".replace('<', "&#60;").replace('>', "&#62;").as_str())
        );
    }
}
