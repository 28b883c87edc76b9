//! What became of a recipient in the language of whoever is written to. It is kept as an English sentence.

use super::Class;
use crate::language::Language;
use crate::queue::Verdict;
use crate::store::Actor;

/// What is said of a recipient that the account suppressed.
const SUPPRESSED: (&str, &str) = (
    "This address is suppressed in your account: mail to it failed before, or it asked for no more.",
    "Cette adresse est exclue dans votre compte : un envoi y a déjà échoué, ou la personne ne voulait plus rien recevoir.",
);

/// The sentences that the ends and faults of our own are told by, and the same in French; `{}` is whoever it was.
const SENTENCES: &[(&str, &str)] = &[
    ("Cancelled by {}.", "Annulé par {}."),
    (
        "The sending domain was deleted before this could be delivered.",
        "Le domaine d’envoi a été supprimé avant que ce message puisse être livré.",
    ),
    (
        "The account was deleted before this could be delivered.",
        "Le compte a été supprimé avant que ce message puisse être livré.",
    ),
    (
        "The sending domain lost its validation and did not get it back in time.",
        "Le domaine d’envoi a perdu sa validation et ne l’a pas retrouvée à temps.",
    ),
    (
        "The relay accepted this message, and a fault of its disk damaged it before it could be delivered. Send it again.",
        "Le relais a accepté ce message, puis un défaut de son disque l’a endommagé avant la livraison.",
    ),
    ("The message could not be signed by the relay.", "Le relais n’a pas pu signer le message."),
    (
        "The test inbox cannot keep the message at the moment.",
        "La boîte d’essai ne peut pas garder le message pour l’instant.",
    ),
];

/// Why a verdict is as it is, for a recipient at `domain`: in English as it is kept, in French as far as it is known.
pub fn reason_in(language: Language, verdict: &Verdict, domain: &str) -> String {
    match language {
        Language::English => verdict.reason.clone(),
        Language::French => french(&verdict.reason, verdict.class, domain).unwrap_or_else(|| verdict.reason.clone()),
    }
}

/// What is said of a recipient that the account suppressed.
pub fn suppressed_in(language: Language) -> &'static str {
    match language {
        Language::English => SUPPRESSED.0,
        Language::French => SUPPRESSED.1,
    }
}

fn french(reason: &str, class: Option<Class>, domain: &str) -> Option<String> {
    if reason.is_empty() {
        return Some(String::new());
    }
    if let Some((span, last)) =
        reason.strip_prefix("Given up after ").and_then(|rest| rest.split_once(". The last attempt: "))
    {
        let last = french(last, class, domain)?;
        return Some(format!("Abandonné après {}. Dernière tentative : {last}", span_in_french(span)?));
    }
    if let Some(class) = class {
        return Some(class.words(Language::French, domain));
    }
    SENTENCES.iter().find_map(|(english, french)| match english.split_once("{}") {
        Some((before, after)) => {
            let who = reason.strip_prefix(before)?.strip_suffix(after)?;
            let who = match who.strip_suffix(Actor::OF_OPERATOR) {
                Some(name) => format!("{name} (exploitant)"),
                None => who.to_owned(),
            };
            Some(french.replace("{}", &who))
        }
        None => (reason == *english).then(|| (*french).to_owned()),
    })
}

fn span_in_french(span: &str) -> Option<String> {
    let (count, unit) = span.split_once(' ')?;
    let is_one = count == "1";
    let unit = match unit.trim_end_matches('s') {
        "day" => "jour",
        "hour" => "heure",
        "minute" => "minute",
        "second" => "seconde",
        _ => return None,
    };
    let article = if unit == "jour" { "un" } else { "une" };
    Some(if is_one { format!("{article} {unit}") } else { format!("{count} {unit}s") })
}
