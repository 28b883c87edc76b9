//! The manual's page of bounce classes, rendered from what decides.

use std::fmt::Write;

use super::class::{Class, SiteAction};
use super::rules::Rules;
use crate::language::Language;

/// The classes and the order of our rules, as Markdown.
pub fn markdown() -> String {
    let mut text = String::from(
        "Why a recipient was deferred or bounced, as `class` in Activity, the API and webhooks. A reply that may come right later \
         (4xx) is tried again whatever its class. A permanent one (5xx) ends the recipient: as a **soft** bounce where the class \
         passes, as a **hard** one otherwise. An address is **bad** where it is itself the reason of a hard bounce: no other class \
         is ever a reason to send nothing there again. What is said before a recipient was named (greeting, EHLO, STARTTLS, MAIL) is never \
         of such a class. `example.com` stands for the recipient's domain.\n\n\
         | class | permanent | bad address | the site | meaning | what to do |\n|---|---|---|---|---|---|\n",
    );
    for class in Class::ALL {
        // writing to a String cannot fail
        let _ = writeln!(
            text,
            "| `{class}` | {} | {} | {} | {} | {} |",
            if class.passes() { "soft" } else { "hard" },
            if class.suppresses() { "yes" } else { "no" },
            action(class.site_action()),
            class.words(Language::English, "example.com"),
            class.next_step(Language::English),
        );
    }
    text.push_str(
        "\nThe site is what shaping does with the server: it comes again sooner, opens fewer connections, sends slower, or leaves \
         it alone for a while.\n\n## Rules\n\nThe first that fits decides. They stand in `crates/relay/src/outcome/rules.toml`, and \
         are tested by replies that people were really given (`crates/relay/tests/corpus/replies.toml`). An operator's own come \
         before them (`[bounces] rules`).\n\n| rule | class |\n|---|---|\n",
    );
    for rule in Rules::ours().summaries() {
        let _ = writeln!(text, "| `{}` | `{}` |", rule.name, rule.class);
    }
    text
}

fn action(action: SiteAction) -> &'static str {
    match action {
        SiteAction::Nothing => "nothing",
        SiteAction::WaitShorter => "sooner again",
        SiteAction::FewerConnections => "fewer connections",
        SiteAction::SendSlower => "slower",
        SiteAction::Suspend => "left alone for a while",
    }
}
