//! What the relay writes to people, in their language.

use relay::brake::Cause;
use relay::certificate::Alarm;
use relay::language::Language;
use relay::service::view::PlanView;

use crate::console::words::Words;

/// A Subject and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The Subject.
    pub subject: String,
    /// The text, its lines ended by LF.
    pub text: String,
}

/// Why somebody gets a link to choose a password by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFor {
    /// They were added.
    Invitation,
    /// Somebody asked for it with their address.
    Forgotten,
    /// An administrator made it for them.
    Given,
}

/// The letter with a link to choose a password by; `place` is the account, or the relay, with its time zone.
pub fn link(
    language: Language,
    why: LinkFor,
    name: &str,
    (place, zone): (&str, &str),
    url: &str,
    until_rfc3339: &str,
) -> Letter {
    let words = Words::in_zone(language, zone);
    let until = words.minute(until_rfc3339);
    // what people call themselves is not made into a link in a letter of ours
    let (name, place) = (harmless(name), harmless(place));
    let values = [
        ("name", name.as_str()),
        ("place", place.as_str()),
        ("url", url),
        ("until", until.as_str()),
        ("zone", words.zone()),
    ];
    let (subject, opening) = match why {
        LinkFor::Invitation => ("letter-invitation-subject", "letter-invitation"),
        LinkFor::Forgotten => ("letter-forgotten-subject", "letter-forgotten"),
        LinkFor::Given => ("letter-forgotten-subject", "letter-given"),
    };
    let parts = ["letter-greeting", opening, "letter-link", "letter-unexpected", "letter-signature"];
    let text: Vec<_> = parts.iter().map(|part| words.filled(part, &values)).collect();
    Letter { subject: words.filled(subject, &values), text: text.join("\n\n") + "\n" }
}

/// A name without what a mail program could make a link of: addresses of the web and of mail, with a scheme or without.
fn harmless(name: &str) -> String {
    let is_host = |word: &str| {
        let mut parts = word.split('.').skip(1);
        parts.any(|part| part.starts_with(char::is_alphanumeric))
    };
    let is_link = |word: &&str| word.contains(['/', '@', ':']) || is_host(word);
    let kept = name.split_whitespace().filter(|word| !is_link(word)).collect::<Vec<_>>().join(" ");
    // or there would be nothing to greet
    if kept.is_empty() { name.replace(['.', '/', '@', ':'], " ") } else { kept }
}

/// The letter of a test: sent as the SMTP user `user`, from `domain`.
pub(crate) fn test(language: Language, name: &str, domain: &str, user: &str) -> Letter {
    let words = Words::new(language);
    let (name, user) = (harmless(name), harmless(user));
    let values = [("name", name.as_str()), ("domain", domain), ("user", user.as_str())];
    let parts = ["letter-greeting", "letter-test", "letter-test-seen", "letter-signature"];
    let text: Vec<_> = parts.iter().map(|part| words.filled(part, &values)).collect();
    Letter { subject: words.filled("letter-test-subject", &values), text: text.join("\n\n") + "\n" }
}

/// The letter that a step of a quota is reached: `step` per cent, `used` of `quota` recipients, until a day in the account's
/// time zone.
pub fn quota(
    language: Language,
    name: &str,
    account: &str,
    step: u8,
    (used, quota): (u64, u64),
    (renews_iso, zone): (&str, &str),
) -> Letter {
    let words = Words::new(language);
    // contacts are no members: nobody makes us send a link to a stranger by a name
    let (name, account) = (&harmless(name), &harmless(account));
    let (percent, day) = (words.whole_percent(step), words.day(renews_iso));
    let (used, quota) = (words.number(used), words.number(quota));
    let values = [
        ("name", name.as_str()),
        ("account", account.as_str()),
        ("percent", percent.as_str()),
        ("used", used.as_str()),
        ("quota", quota.as_str()),
        ("day", day.as_str()),
        ("zone", zone),
    ];
    let (subject, what) = if step >= 100 {
        ("letter-quota-full-subject", "letter-quota-full")
    } else {
        ("letter-quota-subject", "letter-quota-near")
    };
    let parts = ["letter-greeting", "letter-quota", what, "letter-signature"];
    let text: Vec<_> = parts.iter().map(|part| words.filled(part, &values)).collect();
    Letter { subject: words.filled(subject, &values), text: text.join("\n\n") + "\n" }
}

/// What is told about an automatic brake.
#[derive(Clone, Copy, Debug)]
pub struct BrakeNews<'a> {
    /// What people call the account.
    pub account: &'a str,
    /// What they call the SMTP user; none: it is on for the whole account.
    pub user: Option<&'a str>,
    /// Its reference.
    pub reference: &'a str,
    /// Why it went on.
    pub cause: Cause,
    /// How many recipients bounced, complained, or were sent to.
    pub counted: u64,
    /// Of how many; of a volume, how many there may be.
    pub of: u64,
    /// Where it is released; none: the relay has no console.
    pub url: Option<&'a str>,
}

/// The letter that an automatic brake went on.
pub fn brake(language: Language, name: &str, news: BrakeNews<'_>) -> Letter {
    let words = Words::new(language);
    // contacts are no members: nobody makes us send a link to a stranger by a name
    let (name, account, user) = (harmless(name), harmless(news.account), news.user.map(harmless));
    let (counted, of) = (words.number(news.counted), words.number(news.of));
    let values = [
        ("name", name.as_str()),
        ("account", account.as_str()),
        ("user", user.as_deref().unwrap_or_default()),
        ("reference", news.reference),
        ("counted", counted.as_str()),
        ("of", of.as_str()),
        ("url", news.url.unwrap_or_default()),
    ];
    let what = if news.user.is_some() { "letter-brake-user" } else { "letter-brake-account" };
    let cause = match news.cause {
        Cause::HardBounces => "brake-hard-bounces",
        Cause::Complaints => "brake-complaints",
        Cause::Volume => "brake-volume",
    };
    let release = if news.url.is_some() { "letter-brake-release" } else { "letter-brake-release-operator" };
    let optional = [(true, cause), (true, "letter-brake-then"), (true, release)];
    letter(language, "letter-brake-subject", what, &optional, &values)
}

/// What is told about a certificate.
#[derive(Clone, Copy, Debug)]
pub struct CertificateNews<'a> {
    /// The names that it is for.
    pub names: &'a str,
    /// When it ends.
    pub ends_rfc3339: &'a str,
    /// How near that is.
    pub alarm: Alarm,
    /// Why the last order of another failed, in English; none where none did.
    pub fault: Option<&'a str>,
}

/// The letter that the certificate of the relay `host` is about to end, or of no use any more.
pub fn certificate(language: Language, name: &str, host: &str, news: CertificateNews<'_>) -> Letter {
    let ends = Words::new(language).minute(news.ends_rfc3339);
    let values = [
        ("name", name),
        ("host", host),
        ("names", news.names),
        ("ends", ends.as_str()),
        ("fault", news.fault.unwrap_or_default()),
    ];
    let (subject, what) = match news.alarm {
        Alarm::Ended => ("letter-certificate-ended-subject", "letter-certificate-ended"),
        Alarm::Near | Alarm::Soon => ("letter-certificate-subject", "letter-certificate"),
    };
    let optional =
        [(news.fault.is_some(), "letter-certificate-fault"), (news.fault.is_none(), "letter-certificate-renew")];
    letter(language, subject, what, &optional, &values)
}

/// What is told of a blocklist.
#[derive(Clone, Copy, Debug)]
pub struct BlocklistNews<'a> {
    /// The account whose domains it is about; none: it is for the operator's people.
    pub account: Option<&'a str>,
    /// The list: its zone in DNS.
    pub list: &'a str,
    /// What it has now.
    pub listed: &'a [String],
    /// What it has no more.
    pub gone: &'a [String],
}

/// Names that a letter has at the most; of more it says that there are more.
const NAMES_MAX: usize = 50;

/// The letter that a blocklist has names, or has them no more; at least one of either. `host` is the relay.
pub fn blocklist(language: Language, name: &str, host: &str, news: BlocklistNews<'_>) -> Letter {
    let lines = |names: &[String]| {
        let more = (names.len() > NAMES_MAX).then_some("…");
        names.iter().take(NAMES_MAX).map(String::as_str).chain(more).collect::<Vec<_>>().join("\n")
    };
    // contacts are no members: nobody makes us send a link to a stranger by a name
    let (name, account) = (harmless(name), news.account.map(harmless));
    let (listed, gone) = (lines(news.listed), lines(news.gone));
    let values = [
        ("name", name.as_str()),
        ("place", account.as_deref().unwrap_or(host)),
        ("list", news.list),
        ("names", listed.as_str()),
        ("gone", gone.as_str()),
    ];
    if news.listed.is_empty() {
        return letter(language, "letter-blocklist-gone-subject", "letter-blocklist-gone", &[], &values);
    }
    let advice = if account.is_some() { "letter-blocklist-account" } else { "letter-blocklist-operator" };
    let optional = [(true, advice), (!news.gone.is_empty(), "letter-blocklist-gone")];
    letter(language, "letter-blocklist-subject", "letter-blocklist-listed", &optional, &values)
}

/// What an account asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    /// The plan of this name.
    Plan(&'a str),
    /// To cancel the plan that it is on.
    Cancellation,
}

/// What a plan is called in a language.
pub fn name_of(language: Language, plan: &PlanView) -> &str {
    match language {
        Language::English => &plan.name,
        Language::French => &plan.name_fr,
    }
}

/// What a plan costs, in the words of a language.
pub(crate) fn price_of(language: Language, plan: &PlanView) -> &str {
    match language {
        Language::English => &plan.price,
        Language::French => &plan.price_fr,
    }
}

impl<'a> Wish<'a> {
    fn plan(self) -> &'a str {
        match self {
            Wish::Plan(name) => name,
            Wish::Cancellation => "",
        }
    }
}

/// The letter to one of the operator's people that an account asks for a plan: `who` asked, in which words; `url` is
/// where it is answered, empty where there is no console.
pub fn plan_asked(
    language: Language,
    name: &str,
    account: &str,
    wish: Wish<'_>,
    (who, message): (&str, &str),
    url: &str,
) -> Letter {
    let (subject, what) = match wish {
        Wish::Plan(_) => ("letter-plan-asked-subject", "letter-plan-asked"),
        Wish::Cancellation => ("letter-plan-cancel-asked-subject", "letter-plan-cancel-asked"),
    };
    let (name, account, who) = (harmless(name), harmless(account), Words::new(language).person(who));
    let values = [
        ("name", name.as_str()),
        ("account", account.as_str()),
        ("plan", wish.plan()),
        ("who", who.as_str()),
        ("message", message),
        ("url", url),
    ];
    let optional = [(!message.is_empty(), "letter-plan-message"), (!url.is_empty(), "letter-plan-answer-here")];
    letter(language, subject, what, &optional, &values)
}

/// The letter to an account's people that the operator has answered: `answer` none where it was declined, else the day in
/// the account's time zone from which it holds, none where that is at once.
pub fn plan_answered(
    language: Language,
    name: &str,
    (account, zone): (&str, &str),
    wish: Wish<'_>,
    answer: Option<Option<String>>,
    reason: &str,
    url: &str,
) -> Letter {
    let (subject, what) = match (wish, &answer) {
        (Wish::Plan(_), Some(None)) => ("letter-plan-approved-subject", "letter-plan-approved"),
        (Wish::Plan(_), Some(Some(_))) => ("letter-plan-approved-subject", "letter-plan-approved-later"),
        (Wish::Plan(_), None) => ("letter-plan-declined-subject", "letter-plan-declined"),
        (Wish::Cancellation, Some(_)) => ("letter-plan-cancel-approved-subject", "letter-plan-cancel-approved"),
        (Wish::Cancellation, None) => ("letter-plan-cancel-declined-subject", "letter-plan-cancel-declined"),
    };
    let day = answer.flatten().map(|iso| Words::new(language).day(&iso)).unwrap_or_default();
    let (name, account) = (harmless(name), harmless(account));
    let values = [
        ("name", name.as_str()),
        ("account", account.as_str()),
        ("plan", wish.plan()),
        ("day", day.as_str()),
        ("zone", zone),
        ("reason", reason),
        ("url", url),
    ];
    let optional = [(!reason.is_empty(), "letter-plan-reason"), (!url.is_empty(), "letter-plan-page")];
    letter(language, subject, what, &optional, &values)
}

/// A letter of a greeting, what it is about, further parts where there is something in them, and a signature.
fn letter(
    language: Language,
    subject: &str,
    what: &'static str,
    optional: &[(bool, &'static str)],
    values: &[(&str, &str)],
) -> Letter {
    let words = Words::new(language);
    let further = optional.iter().filter(|(is, _)| *is).map(|(_, part)| *part);
    let parts = ["letter-greeting", what].into_iter().chain(further).chain(["letter-signature"]);
    let text: Vec<_> = parts.map(|part| words.filled(part, values)).collect();
    Letter { subject: words.filled(subject, values), text: text.join("\n\n") + "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_its_answer_are_told_whole() {
        for language in Language::ALL {
            for wish in [Wish::Plan("Large"), Wish::Cancellation] {
                let is_told = |letter: &Letter, parts: &[&str]| {
                    let said = format!("{}\n{}", letter.subject, letter.text);
                    assert!(!said.contains("letter-") && !said.contains('{'), "{said}");
                    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
                    assert_eq!(said.contains("Large"), wish != Wish::Cancellation, "{said}");
                };
                let (who, url) = (("jane@example.com", "We grow."), "https://console.example.com/operator/requests");
                let asked = plan_asked(language, "Op", "Acme", wish, who, url);
                is_told(&asked, &["Op", "Acme", "jane@example.com", "We grow.", url]);
                let later = Some(Some("2027-01-20".to_owned()));
                let granted =
                    plan_answered(language, "Jane", ("Acme www.evil.example", "Europe/Paris"), wish, later, "", "");
                is_told(&granted, &["Jane", "Acme", "2027", "(Europe/Paris)"]);
                assert!(!granted.text.contains("evil"));
                let declined = plan_answered(language, "Jane", ("Acme", "UTC"), wish, None, "Not yet.", "");
                is_told(&declined, &["Jane", "Acme", "Not yet."]);
            }
            let at_once = plan_answered(language, "Jane", ("Acme", "UTC"), Wish::Plan("Large"), Some(None), "", "");
            assert!(at_once.text.contains("Large") && !at_once.text.contains("20"), "{}", at_once.text);
        }
    }

    #[test]
    fn a_name_is_no_link() {
        assert_eq!(harmless("Win now https://evil.example/win Éloïse www.evil.example a.example/b"), "Win now Éloïse");
        assert_eq!(harmless("Prize at evil.com?claim=1 or jane@evil.com"), "Prize at or");
        assert_eq!(harmless("J. Doe, Boutique inc."), "J. Doe, Boutique inc.");
        assert_eq!(harmless("evil.com"), "evil com");
    }

    #[test]
    fn a_quota_is_told_in_numbers() {
        for language in Language::ALL {
            for step in [80, 90, 100] {
                let letter = quota(language, "Jane", "Acme", step, (40_001, 50_000), ("2026-12-14", "Europe/Paris"));
                let digits: String = letter.text.chars().filter(char::is_ascii_digit).collect();
                assert!(
                    digits.contains("40001") && digits.contains("50000") && digits.contains("2026"),
                    "{}",
                    letter.text
                );
                assert!(letter.text.contains("(Europe/Paris)"), "{}", letter.text);
                assert!(letter.subject.contains("Acme") && !letter.text.contains("letter-"), "{}", letter.text);
            }
        }
    }

    #[test]
    fn a_test_says_where_it_comes_from() {
        for language in Language::ALL {
            let letter = test(language, "Éloïse", "example.com", "Web shop");
            assert!(letter.text.contains("Éloïse") && letter.text.contains("Web shop"), "{}", letter.text);
            assert!(letter.subject.contains("example.com") && !letter.text.contains("letter-"), "{}", letter.text);
        }
    }

    #[test]
    fn the_end_of_a_certificate_is_told_with_its_names_its_day_and_what_is_in_the_way() {
        for language in Language::ALL {
            for alarm in [Alarm::Soon, Alarm::Near, Alarm::Ended] {
                for fault in [None, Some("no route to host")] {
                    let ends_rfc3339 = "2026-12-14T08:30:00.000Z";
                    let news = CertificateNews { names: "a.example, b.example", ends_rfc3339, alarm, fault };
                    let Letter { subject, text } = certificate(language, "Éloïse", "relay.example", news);
                    assert!(subject.contains("relay.example") && !subject.contains("letter-"), "{subject}");
                    assert!(text.contains("a.example, b.example") && text.contains("2026"), "{text}");
                    assert!(fault.is_none_or(|fault| text.contains(fault)) && !text.contains("letter-"), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_blocklist_is_told_with_the_names_that_it_has_and_has_no_more() {
        let names = |prefix: &str, count: usize| (0..count).map(|n| format!("{prefix}{n}.example")).collect::<Vec<_>>();
        for language in Language::ALL {
            for account in [None, Some("Acme")] {
                for (listed, gone) in [(2, 0), (0, 2), (60, 1)] {
                    let (listed, gone) = (names("in", listed), names("out", gone));
                    let news = BlocklistNews { account, list: "bl.test", listed: &listed, gone: &gone };
                    let Letter { subject, text } = blocklist(language, "Éloïse", "relay.example", news);
                    assert!(subject.contains(account.unwrap_or("relay.example")), "{subject}");
                    assert!(subject.contains("bl.test") && !subject.contains("letter-"), "{subject}");
                    let told = |names: &[String]| text.lines().filter(|line| names.iter().any(|n| n == line)).count();
                    assert_eq!((told(&listed), told(&gone)), (listed.len().min(NAMES_MAX), gone.len()), "{text}");
                    assert_eq!(text.lines().any(|line| line == "…"), listed.len() > NAMES_MAX, "{text}");
                    assert!(!text.contains("letter-") && !text.contains('{'), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_letter_has_the_link_on_a_line_of_its_own() {
        for language in Language::ALL {
            for why in [LinkFor::Invitation, LinkFor::Forgotten, LinkFor::Given] {
                let url = "https://console.example.com/choose-password?token=abc";
                let letter =
                    link(language, why, "Éloïse", ("Acme", "America/Toronto"), url, "2026-11-29T20:00:00.000Z");
                // five hours earlier than in UTC
                let is_local = letter.text.contains("(America/Toronto)") && letter.text.contains("29");
                assert!(is_local && !letter.text.contains("20:00") && !letter.text.contains("8:00"), "{}", letter.text);
                assert!(letter.text.lines().any(|line| line == url), "{}", letter.text);
                assert!(letter.text.contains("Éloïse") && !letter.subject.is_empty());
                assert!(!letter.text.contains("letter-") && !letter.subject.contains("letter-"), "{}", letter.text);
            }
        }
    }
}
