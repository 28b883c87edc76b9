//! Reports of failures that are written for people alone: those of programs that are known by their words, and of any that
//! come from the mail system and quote a refusal.

use super::automatic::is_from_the_system;
use super::{Header, RECIPIENTS_MAX, Told, address, one_line};

/// Lines that are looked at.
const LINES_MAX: usize = 400;
/// Lines behind an address that tell of it.
const REASON_LINES_MAX: usize = 12;

/// How qmail, and those that came after it, begin.
const QMAIL: [&str; 3] =
    ["this is the qmail-send program", "this is the machine generated message from", "hi. this is the "];
/// How Exim begins.
const EXIM: &str = "this message was created automatically by mail delivery software";
/// What subjects of failures have, in small letters.
const SUBJECTS: [&str; 20] = [
    "undeliverable",
    "undelivered mail",
    "delivery status notification",
    "delivery failure",
    "delivery failed",
    "delivery has failed",
    "mail delivery failed",
    "mail delivery failure",
    "mail system error",
    "failure notice",
    "returned mail",
    "returned to sender",
    "message not delivered",
    "could not be delivered",
    "mail could not be delivered",
    "non remis",
    "échec de la remise",
    "non distribué",
    "unzustellbar",
    "nicht zugestellt",
];
/// What says that it is not over yet, in small letters.
const WAITING: [&str; 6] = [
    "will be retried",
    "you do not need to resend",
    "this is a warning message only",
    "no action is required on your part",
    "delivery attempts will continue",
    "still being retried",
];

/// Reports of programs that are known by their words; none where it is none of these.
pub(super) fn of_known_programs(header: &Header<'_>, text: &str) -> Option<Vec<Told>> {
    let small = text.get(..text.floor_char_boundary(2_000)).unwrap_or_default().to_lowercase();
    if is_waiting(&small) {
        return None;
    }
    let failed = header.value("X-Failed-Recipients");
    if !failed.is_empty() {
        let named = failed.split(',').filter_map(address).take(RECIPIENTS_MAX);
        return Some(named.map(|named| about(text, named)).collect()).filter(|told: &Vec<Told>| !told.is_empty());
    }
    if QMAIL.iter().any(|begin| small.contains(begin)) {
        let named = lines(text).filter(|line| line.starts_with('<') && line.trim_end().ends_with(">:"));
        let told: Vec<Told> = named.filter_map(address).take(RECIPIENTS_MAX).map(|named| about(text, named)).collect();
        return Some(told).filter(|told| !told.is_empty());
    }
    if small.contains(EXIM) {
        let named = lines(text).filter(|line| line.starts_with(' ') && line.contains('@'));
        let told: Vec<Told> = named.filter_map(address).take(1).map(|named| about(text, named)).collect();
        return Some(told).filter(|told| !told.is_empty());
    }
    None
}

/// Reports of any mail system: it comes from there, or from nobody, and it is about a failure by its subject or quotes a
/// refusal. Nobody is named by these: it is too easily the wrong one.
pub(super) fn of_others(header: &Header<'_>, text: &str, is_null: bool) -> Option<Vec<Told>> {
    let subject = header.small("Subject");
    let is_about_failure = SUBJECTS.iter().any(|known| subject.contains(known));
    if !(is_null || is_from_the_system(header)) || is_waiting(&text.to_lowercase()) {
        return None;
    }
    let quoted = lines(text).find(|line| quotes_refusal(line));
    match quoted {
        Some(line) if is_about_failure || is_from_the_system(header) => Some(vec![Told::failed(None, one_line(line))]),
        None if is_about_failure => {
            let said = lines(text).map(str::trim).filter(|line| !line.is_empty()).take(3);
            Some(vec![Told::failed(None, one_line(&said.collect::<Vec<_>>().join(" ")))])
        }
        _ => None,
    }
}

fn is_waiting(small: &str) -> bool {
    WAITING.iter().any(|words| small.contains(words))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take(LINES_MAX)
}

/// What a text says of an address: the lines behind it, or of those the one that quotes a refusal.
fn about(text: &str, named: String) -> Told {
    let mut behind = lines(text).skip_while(|line| !line.contains(named.as_str()));
    let first = behind.next().unwrap_or_default();
    let same = first.split_once(named.as_str()).map_or("", |(_, rest)| rest).trim_start_matches(['>', ':', ' ']);
    let said: Vec<&str> = std::iter::once(same)
        .chain(behind.take(REASON_LINES_MAX).take_while(|line| !is_end(line)))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let at = said.iter().position(|line| quotes_refusal(line)).unwrap_or(0);
    Told::failed(Some(named), one_line(&said.get(at..).unwrap_or_default().join(" ")))
}

/// Where the text about one address ends: the returned mail, or the next address.
fn is_end(line: &str) -> bool {
    line.starts_with("---") || (line.starts_with('<') && line.trim_end().ends_with(">:"))
}

/// Whether a line has a reply of SMTP that refuses, or a status of that kind.
fn quotes_refusal(line: &str) -> bool {
    status_in(line).is_some() || code_in(line).is_some()
}

/// The code of a refusal: `550 …`, `550-5.1.1`.
pub(super) fn code_in(text: &str) -> Option<u16> {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    words.find_map(|word| {
        let is_code =
            word.len() == 3 && matches!(word.as_bytes()[0], b'4' | b'5') && matches!(word.as_bytes()[1], b'0'..=b'5');
        is_code.then(|| word.parse().ok()).flatten()
    })
}

/// The first status of a failure in a text.
pub(super) fn status_in(text: &str) -> Option<String> {
    let words = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    words.map(|word| word.trim_matches('.')).find(|word| is_status(word) && !word.starts_with('2')).map(str::to_owned)
}

/// `class.subject.detail` (RFC 3463 §2).
pub(super) fn is_status(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
    parts.len() == 3 && matches!(parts[0], "2" | "4" | "5") && parts[1..].iter().all(number)
}

/// HTML without its marks, each of which ends a line: enough to find a refusal in.
pub(super) fn without_marks(html: &str) -> String {
    let (mut text, mut is_mark) = (String::with_capacity(html.len()), false);
    for letter in html.chars() {
        match letter {
            '<' => is_mark = true,
            '>' if is_mark => {
                is_mark = false;
                text.push('\n');
            }
            letter if !is_mark => text.push(letter),
            _ => {}
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
}
