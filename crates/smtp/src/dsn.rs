//! What a client asks about delivery status notifications (RFC 3461 §4, RFC 6533 §3): parameters as values.
//!
//! ENVID and ORCPT are kept as they were sent, because they are passed on unchanged (§5.2.1); they are decoded only where a
//! notification repeats them.

use std::borrow::Cow;
use std::fmt;

use crate::xtext;

/// Characters of an ENVID (§4.4).
const ENVID_CHARACTERS_MAX: usize = 100;

/// Octets of an ORCPT (§4.2).
const ORCPT_OCTETS_MAX: usize = 500;

/// The type of an address beyond ASCII (RFC 6533 §3).
const UTF8: &str = "utf-8";

/// How much of the message a notification of failure brings back (§4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// All of it.
    Full,
    /// Its header section.
    Headers,
}

impl Ret {
    /// Reads the value of RET; none where it is none.
    pub fn parse(text: &str) -> Option<Ret> {
        [Ret::Full, Ret::Headers].into_iter().find(|ret| ret.keyword().eq_ignore_ascii_case(text))
    }

    /// As RET says it.
    pub fn keyword(self) -> &'static str {
        match self {
            Ret::Full => "FULL",
            Ret::Headers => "HDRS",
        }
    }
}

/// Of what a sender wants to hear about one recipient (§4.1). [`Notify::NEVER`] is of nothing; a sender that says nothing
/// has no `Notify` at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Notify(u8);

/// The keywords of the list, each with its bit.
const KEYWORDS: [(&str, Notify); 3] =
    [("SUCCESS", Notify::SUCCESS), ("FAILURE", Notify::FAILURE), ("DELAY", Notify::DELAY)];

impl Notify {
    /// Of nothing, whatever happens.
    pub const NEVER: Notify = Notify(0);
    /// Of delivery, or of being handed on to where no notification can be asked for.
    pub const SUCCESS: Notify = Notify(1);
    /// Of failure.
    pub const FAILURE: Notify = Notify(2);
    /// Of delay.
    pub const DELAY: Notify = Notify(4);

    /// Reads the value of NOTIFY: `NEVER` alone, or any of the others separated by commas, in any letter case.
    pub fn parse(text: &str) -> Option<Notify> {
        if text.eq_ignore_ascii_case("NEVER") {
            return Some(Notify::NEVER);
        }
        text.split(',').try_fold(Notify::NEVER, |all, word| {
            let (_, one) = KEYWORDS.iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case(word))?;
            Some(Notify(all.0 | one.0))
        })
    }

    /// Whether all of `what` is in it.
    pub fn has(self, what: Notify) -> bool {
        self.0 & what.0 == what.0
    }

    /// As a number that may be kept: the same in every version.
    pub fn code(self) -> u8 {
        self.0
    }

    /// Reads such a number; none where it is none.
    pub fn of_code(code: u8) -> Option<Notify> {
        (code < 8).then_some(Notify(code))
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Notify::NEVER {
            return f.write_str("NEVER");
        }
        let words = KEYWORDS.iter().filter(|(_, one)| self.has(*one));
        words.enumerate().try_for_each(|(place, (word, _))| write!(f, "{}{word}", if place == 0 { "" } else { "," }))
    }
}

/// Reads the value of ENVID, as it is kept.
pub fn envid(text: &str) -> Option<Box<str>> {
    let is_sound = (1..=ENVID_CHARACTERS_MAX).contains(&text.len()) && xtext::decode(text).is_some();
    is_sound.then(|| text.into())
}

/// Reads the value of ORCPT, as it is kept: `type;address`. An address beyond ASCII may stand in it as it is only where its
/// type says so and the client asked for SMTPUTF8 (RFC 6533 §3).
pub fn orcpt(text: &str, smtputf8: bool) -> Option<Box<str>> {
    let (kind, address) = text.split_once(';')?;
    let may_be_raw = smtputf8 && kind.eq_ignore_ascii_case(UTF8);
    let is_sound = text.len() <= ORCPT_OCTETS_MAX
        && is_atom(kind)
        && (text.is_ascii() || may_be_raw)
        && !address.chars().any(char::is_control)
        && plain(address).is_some();
    is_sound.then(|| text.into())
}

/// An original recipient as a notification names it: its type and its address, decoded.
pub fn original_recipient(orcpt: &str) -> Option<(&str, String)> {
    let (kind, address) = orcpt.split_once(';')?;
    Some((kind, plain(address)?))
}

/// An original recipient for a transaction that takes ASCII alone; none where that would be too long.
pub fn ascii_orcpt(orcpt: &str) -> Option<Cow<'_, str>> {
    if orcpt.is_ascii() {
        return Some(orcpt.into());
    }
    let escape = |letter: char| match letter {
        letter if letter.is_ascii() => letter.to_string(),
        letter => format!("\\x{{{:X}}}", u32::from(letter)),
    };
    let escaped: String = orcpt.chars().map(escape).collect();
    (escaped.len() <= ORCPT_OCTETS_MAX).then(|| escaped.into())
}

/// The text that stands in an xtext, in which what is beyond ASCII stands for itself.
fn plain(text: &str) -> Option<String> {
    let is_beyond = |letter: char| !letter.is_ascii();
    let mut plain = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_beyond) {
        let ascii = piece.trim_end_matches(is_beyond);
        plain.push_str(&xtext::decode(ascii)?);
        plain.push_str(&piece[ascii.len()..]);
    }
    Some(plain)
}

/// RFC 822 §3.3.
fn is_atom(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic() && !b"()<>@,;:\\\".[]".contains(&octet))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ret_in_any_letter_case() {
        assert_eq!(Ret::parse("full"), Some(Ret::Full));
        assert_eq!(Ret::parse("HDRS"), Some(Ret::Headers));
        assert_eq!((Ret::parse("BODY"), Ret::parse("")), (None, None));
    }

    #[test]
    fn notify_is_a_set_or_never() {
        let all = Notify::parse("delay,Success,FAILURE").unwrap();
        assert!(all.has(Notify::SUCCESS) && all.has(Notify::FAILURE) && all.has(Notify::DELAY));
        assert_eq!(all.to_string(), "SUCCESS,FAILURE,DELAY");
        assert_eq!(Notify::parse("never"), Some(Notify::NEVER));
        assert_eq!(Notify::NEVER.to_string(), "NEVER");
        assert!(!Notify::NEVER.has(Notify::FAILURE));
        for bad in ["", "NEVER,SUCCESS", "SUCCESS,NEVER", "SUCCESS,", ",", "SUCCESS FAILURE", "YES"] {
            assert_eq!(Notify::parse(bad), None, "{bad}");
        }
        for code in 0..8 {
            let notify = Notify::of_code(code).unwrap();
            assert_eq!(Notify::parse(&notify.to_string()), Some(notify));
        }
        assert_eq!(Notify::of_code(8), None);
    }

    #[test]
    fn envelope_ids_are_printable_and_short() {
        assert_eq!(envid("QQ+2B314159").as_deref(), Some("QQ+2B314159"));
        assert!(envid(&"x".repeat(100)).is_some());
        for bad in ["", "a b", "a=b", "+0D+0A", "+2", &"x".repeat(101)] {
            assert_eq!(envid(bad), None, "{bad}");
        }
    }

    #[test]
    fn original_recipients_are_kept_as_sent_and_decoded_to_be_shown() {
        let kept = orcpt("rfc822;Bob+2Bshop@Example.com", false).unwrap();
        assert_eq!(&*kept, "rfc822;Bob+2Bshop@Example.com");
        assert_eq!(original_recipient(&kept), Some(("rfc822", "Bob+shop@Example.com".to_owned())));
        assert!(orcpt(&format!("x400;{}", "a".repeat(495)), false).is_some());
        for bad in ["", "bob@example.com", ";bob", "a b;c", "rfc822;a=b", "rfc822;+00", "rfc822;+", "rfc@822;a"] {
            assert_eq!(orcpt(bad, true), None, "{bad}");
        }
        assert_eq!(orcpt(&format!("x400;{}", "a".repeat(496)), false), None);
    }

    #[test]
    fn beyond_ascii_only_by_smtputf8_and_under_its_own_type() {
        let kept = orcpt("utf-8;b\u{f8}b+2Bx@example.net", true).unwrap();
        assert_eq!(original_recipient(&kept), Some(("utf-8", "b\u{f8}b+x@example.net".to_owned())));
        assert_eq!(ascii_orcpt(&kept).as_deref(), Some("utf-8;b\\x{F8}b+2Bx@example.net"));
        assert_eq!(orcpt("utf-8;b\u{f8}b@example.net", false), None);
        assert_eq!(orcpt("rfc822;b\u{f8}b@example.net", true), None);
        assert_eq!(orcpt("utf-8;b\u{85}b@example.net", true), None);
        assert_eq!(ascii_orcpt(&format!("utf-8;{}", "\u{f8}".repeat(200))), None);
    }

    proptest! {
        #[test]
        fn whatever_is_taken_can_be_shown_and_passed_on(text in "(rfc822|utf-8|x);[!-~\u{e9}\u{4e2d}]{0,40}") {
            if let Some(kept) = orcpt(&text, true) {
                let (_, shown) = original_recipient(&kept).unwrap();
                prop_assert!(!shown.chars().any(|letter| letter.is_control() && letter != '\t'));
                let ascii = ascii_orcpt(&kept).unwrap();
                prop_assert!(orcpt(&ascii, false).is_some());
            }
        }
    }
}
