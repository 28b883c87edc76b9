//! xtext: printable ASCII in which `+` begins two digits of hexadecimal (RFC 3461 §4, used by RFC 4954 §5 as well).

/// Whether a text is xtext, and not empty. The digits may be of either letter case.
pub fn is_xtext(text: &str) -> bool {
    !text.is_empty() && octets(text).all(|octet| octet.is_some())
}

/// What stands encoded in an xtext, where that is printable ASCII, spaces and tabs included: the only kind of text that
/// ENVID and ORCPT may carry. None for anything else.
pub fn decode(text: &str) -> Option<String> {
    let printable = |octet: Option<u8>| octet.filter(|octet| matches!(octet, b'\t' | b' '..=b'~')).map(char::from);
    octets(text).map(printable).collect()
}

/// The octets that an xtext stands for; none in the place of what is no xtext.
fn octets(text: &str) -> impl Iterator<Item = Option<u8>> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (first, after) = rest.split_first()?;
        rest = after;
        Some(match (*first, after) {
            (b'+', [high, low, tail @ ..]) => {
                rest = tail;
                nibble(*high).zip(nibble(*low)).map(|(high, low)| high << 4 | low)
            }
            (b'+' | b'=', _) => None,
            (octet, _) => Some(octet).filter(u8::is_ascii_graphic),
        })
    })
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_and_encoded_octets() {
        assert_eq!(decode("QQ314159").as_deref(), Some("QQ314159"));
        assert_eq!(decode("a+2Bb+3dc+20d").as_deref(), Some("a+b=c d"));
        assert_eq!(decode("").as_deref(), Some(""));
        for bad in ["a b", "a=b", "+", "+2", "+2G", "caf\u{e9}", "\x7f"] {
            assert!(!is_xtext(bad) && decode(bad).is_none(), "{bad}");
        }
        assert!(!is_xtext(""));
    }

    #[test]
    fn what_is_not_printable_may_be_xtext_and_is_never_decoded() {
        for text in ["+00", "a+0D+0A", "+E9", "+7F"] {
            assert!(is_xtext(text) && decode(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_comes_back(text in "[ -~\t]{0,40}", always in any::<bool>()) {
            let encode = |letter: char| match letter {
                '!'..='~' if !always && !matches!(letter, '+' | '=') => letter.to_string(),
                letter => format!("+{:02X}", u32::from(letter)),
            };
            let encoded: String = text.chars().map(encode).collect();
            prop_assert_eq!(decode(&encoded), Some(text));
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,30}|[+0-9A-Fa-f=é]{0,20}") {
            if decode(&text).is_some_and(|decoded| !decoded.is_empty()) {
                prop_assert!(is_xtext(&text));
            }
        }
    }
}
