//! Who vouches for a report that came in about a recipient, in words.

use relay::service::view::AuthenticationView;

use crate::console::words::Words;

/// In one sentence.
pub(super) fn told(words: &Words, known: &AuthenticationView) -> String {
    let of_spf = known.spf_domain.as_deref().unwrap_or_default();
    let could_not_say = known.spf == "temperror" || known.dkim == "temperror";
    match &known.vouched_by {
        Some(domain) if known.dkim == "pass" => words.with("timeline-vouched-dkim", "domain", domain.as_str()),
        Some(domain) => words.with("timeline-vouched-spf", "domain", domain.as_str()),
        None if known.disowned => words.with("timeline-disowned", "domain", of_spf),
        None if could_not_say => words.t("timeline-vouched-unknown"),
        None => words.filled("timeline-unvouched", &[("spf", known.spf.as_str()), ("dkim", known.dkim.as_str())]),
    }
}
