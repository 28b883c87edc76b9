//! How an attempt was encrypted, for people: what the relay writes down, in the reader's language.

use crate::console::words::Words;

/// The words for what an attempt says of its TLS: `TLS 1.3, DANE`, `none (…)`, …
pub(super) fn told(words: &Words, tls: &str) -> String {
    for (wish, id) in [(", REQUIRETLS", "timeline-wish-required"), (", TLS-Required: No", "timeline-wish-waived")] {
        if let Some(rest) = tls.strip_suffix(wish) {
            return words.with(id, "encryption", connection(words, rest));
        }
    }
    connection(words, tls)
}

/// The same without what the sender wanted.
fn connection(words: &Words, tls: &str) -> String {
    let (shown, trial) = match tls.split_once(", MTA-STS testing") {
        Some((shown, rest)) => {
            (shown, Some(within(rest.trim_start()).and_then(|rest| rest.strip_prefix("would fail: "))))
        }
        None => (tls, None),
    };
    if let Some(rest) = shown.strip_prefix("none") {
        return match (trial, within(rest.trim_start())) {
            (Some(_), _) => words.t("timeline-clear-tested"),
            (None, Some(why)) => words.with("timeline-clear-why", "why", why),
            (None, None) => words.t("timeline-clear"),
        };
    }
    let (version, id) = match (trial, shown.split_once(", ")) {
        (Some(Some(why)), _) => {
            return words.filled("timeline-encrypted-doubted", &[("version", shown), ("why", why)]);
        }
        (Some(None), _) => (shown, "timeline-encrypted-tested"),
        (None, Some((version, "DANE"))) => (version, "timeline-encrypted-dane"),
        (None, Some((version, "DANE without usable records"))) => (version, "timeline-encrypted-dane-unusable"),
        (None, Some((version, "MTA-STS"))) => (version, "timeline-encrypted-sts"),
        (None, _) => (shown, "timeline-encrypted"),
    };
    words.with(id, "version", version)
}

/// What is in parentheses.
fn within(text: &str) -> Option<&str> {
    text.strip_prefix('(')?.strip_suffix(')')
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::language::Language;

    #[test]
    fn everything_that_the_relay_writes_down_has_its_words() {
        let (en, fr) = (Words::new(Language::English), Words::new(Language::French));
        for (tls, english, french) in [
            ("TLS 1.3", "TLS 1.3", "par TLS 1.3"),
            ("TLS 1.3, DANE", "TLS 1.3, the certificate checked by DANE", "par TLS 1.3, certificat vérifié par DANE"),
            (
                "TLS 1.2, DANE without usable records",
                "TLS 1.2, demanded by DANE, the certificate not checked",
                "par TLS 1.2, exigé par DANE, certificat non vérifié",
            ),
            (
                "TLS 1.3, MTA-STS",
                "TLS 1.3, the certificate checked as the MTA-STS policy of the domain demands",
                "par TLS 1.3, certificat vérifié comme l’exige la politique MTA-STS du domaine",
            ),
            (
                "TLS 1.3, MTA-STS testing",
                "TLS 1.3, as the MTA-STS policy of the domain, on trial, demands",
                "par TLS 1.3, comme le demande la politique MTA-STS du domaine, encore à l’essai",
            ),
            (
                "TLS 1.3, MTA-STS testing (would fail: expired (yesterday))",
                "TLS 1.3, which the MTA-STS policy of the domain would refuse if it were not on trial (expired (yesterday))",
                "par TLS 1.3, ce que la politique MTA-STS du domaine refuserait si elle n’était pas à l’essai (expired (yesterday))",
            ),
            (
                "none (TLS failed: broken), MTA-STS testing (would fail: the server has no TLS)",
                "not encrypted, which the MTA-STS policy of the domain would refuse if it were not on trial",
                "sans chiffrement, ce que la politique MTA-STS du domaine refuserait si elle n’était pas à l’essai",
            ),
            ("none", "not encrypted", "sans chiffrement"),
            (
                "TLS 1.3, DANE, REQUIRETLS",
                "TLS 1.3, the certificate checked by DANE, as the sender requires (REQUIRETLS)",
                "par TLS 1.3, certificat vérifié par DANE, comme l’expéditeur l’exige (REQUIRETLS)",
            ),
            (
                "none, TLS-Required: No",
                "not encrypted; the sender set that no policy keeps it from arriving (TLS-Required: No)",
                "sans chiffrement\u{a0}; l’expéditeur a demandé qu’aucune politique n’empêche la remise (TLS-Required: No)",
            ),
            (
                "none (STARTTLS was refused: 454)",
                "not encrypted (STARTTLS was refused: 454)",
                "sans chiffrement (STARTTLS was refused: 454)",
            ),
        ] {
            assert_eq!((told(&en, tls).as_str(), told(&fr, tls).as_str()), (english, french));
        }
    }
}
