//! Why something was refused, in the language of the page or in the relay's own words.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};
use relay::service::Fault;

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
    pub(super) fn parts(fault: &Fault) -> Vec<Refusal> {
        let parts = [&fault.what, &fault.meaning, &fault.remedy].into_iter().filter(|part| !part.is_empty());
        parts.cloned().map(Refusal::Relay).collect()
    }
}

impl From<&Fault> for Refusal {
    /// A fault in one line, to be shown beside the form that led to it.
    fn from(fault: &Fault) -> Refusal {
        let parts = [&fault.what, &fault.meaning, &fault.remedy].map(String::as_str);
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Refusal::Relay(parts.join(" "))
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

    use super::Refusal;

    #[derive(Template)]
    #[template(source = "{{ words }}", ext = "html")]
    struct Shown {
        words: Refusal,
    }

    #[test]
    fn the_relay_is_heard_in_english_and_nothing_is_markup() {
        let shown = |words| Shown { words }.render().unwrap();
        let fault = Fault::invalid("<b> is no name.", "Choose another.");
        let said = shown(Refusal::from(&fault));
        assert!(said.starts_with("<span lang=\"en\">&#60;b&#62; is no name."), "{said}");
        assert!(said.ends_with("Choose another.</span>"), "{said}");
        assert_eq!(Refusal::parts(&fault).len(), 2);
        assert_eq!(shown(Refusal::Ours("Nom & adresse".to_owned())), "Nom &#38; adresse");
    }
}
