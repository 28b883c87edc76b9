//! What a finding says in English, and what to do next. The console has the same in its languages, by the code.

use super::Finding;

impl Finding {
    /// What was found.
    pub fn found(&self) -> String {
        let (count, of) = (self.count, self.of);
        let percent = self.rate().map_or_else(|| "–".to_owned(), |rate| format!("{:.2} %", rate * 100.0));
        let (name, list) = self.listed.clone().unwrap_or_default();
        match self.code {
            "records-right" => "Every required record is there, and mail is signed.".to_owned(),
            "records-unsigned" => {
                "The operator vouches for the domain, but its records are not all there: mail goes out unsigned."
                    .to_owned()
            }
            "records-lost" => {
                "A required record is missing that was there before: mail is taken for 72 hours.".to_owned()
            }
            "records-missing" => "Required records are missing: mail is refused.".to_owned(),
            "return-path-right" => {
                "The return-path host is right: later bounces and reports come to the relay.".to_owned()
            }
            "return-path-missing" => {
                "The return-path host is not right: later bounces and reports do not come to the relay.".to_owned()
            }
            "policy-unknown" => "It is not known yet what DMARC policy there is.".to_owned(),
            "policy-broken" => "The DMARC record has a mistake.".to_owned(),
            "policy-absent" => "There is no DMARC policy: large providers refuse bulk mail without one.".to_owned(),
            "policy-open" => "The DMARC policy asks for nothing yet (p=none).".to_owned(),
            "policy-strict" => "The DMARC policy keeps off mail that fails.".to_owned(),
            "alignment-unknown" => format!("Receivers reported on {of} messages: too few to say something."),
            "alignment-own" => format!("{count} messages that this relay sent did not pass DMARC."),
            "alignment-others" => format!("{count} of {of} messages with the domain's name did not pass DMARC."),
            "alignment-good" => format!("{count} of {of} messages with the domain's name passed DMARC."),
            "bounces-few" => format!("{of} recipients came to their end: too few for a rate."),
            "bounces-good" | "bounces-watch" | "bounces-bad" => {
                format!("{count} of {of} recipients bounced for good: {percent}.")
            }
            "complaints-few" => format!("{of} recipients were delivered to: too few for a rate; complaints: {count}."),
            "complaints-good" | "complaints-watch" | "complaints-bad" => {
                format!("{count} of {of} recipients delivered to complained: {percent}.")
            }
            "blocklist-listed" => format!("{name} is in the list {list}."),
            "blocklist-clean" => {
                format!("None of the lists that were asked has an address of the relay or the domain ({of} answers).")
            }
            other => other.to_owned(),
        }
    }

    /// The next step; empty where there is none.
    pub fn advice(&self) -> &'static str {
        match self.code {
            "records-unsigned" | "records-lost" | "records-missing" => {
                "Publish the records that the page of the domain shows, then let it be verified."
            }
            "return-path-missing" => "Publish the return-path record that the page of the domain shows.",
            "policy-unknown" => "Let the domain be verified now.",
            "policy-broken" => "Mend what the page of the domain says of it.",
            "policy-absent" => "Publish the DMARC record that the page of the domain advises.",
            "policy-open" => "Once all your mail passes, ask for more: p=quarantine, then p=reject.",
            "alignment-unknown" => "Have reports sent to the address that the page of DMARC reports shows (rua).",
            "alignment-own" => "See that every record of the domain is found; look at the page of DMARC reports.",
            "alignment-others" => {
                "Look on the page of DMARC reports where they came from: let your own services sign with the domain; where somebody \
                 forges it, ask for a stricter policy."
            }
            "bounces-watch" | "bounces-bad" => {
                "Send only to addresses that their owners gave you, and take those out that bounced."
            }
            "complaints-watch" | "complaints-bad" => {
                "Send only what people asked for, and let them unsubscribe with one click."
            }
            "blocklist-listed" => "Find the cause first; then ask the keeper of the list to take it out.",
            _ => "",
        }
    }
}
