//! Replies that no rule knows, gathered by their shape for the operator, who may write a rule for them.

use smtp::address::Address;
use smtp::reply::Reply;
use std::collections::HashMap;

use crate::clock::Timestamp;

/// The characters of a shape, and of its example.
const CHARACTERS_MAX: usize = 300;

/// So many letters and digits mixed are an id.
const ID_CHARACTERS_MIN: usize = 8;

/// One shape, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownReply {
    /// The reply without what differs from one to the next: `550 5.0.0 <address> go away <id>`.
    pub shape: String,
    /// The last reply of this shape, without addresses of people.
    pub example: String,
    /// The domain of the recipient that it came for.
    pub domain: String,
    /// How often it came.
    pub count: u64,
    /// When it came first.
    pub first: Timestamp,
    /// When it came last.
    pub last: Timestamp,
}

/// The shapes that came since the relay started, so many at the most.
#[derive(Debug)]
pub struct UnknownReplies {
    max: usize,
    by_shape: HashMap<String, UnknownReply>,
}

impl UnknownReplies {
    /// A table of so many shapes. Past that a new one takes the place of the one that came least often, of those the one
    /// that did not come for longest: what comes often stays, whatever strangers invent.
    pub fn new(max: usize) -> UnknownReplies {
        UnknownReplies { max, by_shape: HashMap::new() }
    }

    /// Counts a reply that no rule knows.
    pub fn count(&mut self, reply: &Reply, recipient: &Address, now: Timestamp) {
        let (shape, example) = (shape(reply, recipient), example(reply, recipient));
        if let Some(known) = self.by_shape.get_mut(&shape) {
            (known.count, known.last, known.example) = (known.count.saturating_add(1), now, example);
            recipient.domain().clone_into(&mut known.domain);
            return;
        }
        if self.by_shape.len() >= self.max {
            let rarest = self.by_shape.values().min_by_key(|known| (known.count, known.last));
            let Some(rarest) = rarest.map(|known| known.shape.clone()) else { return };
            self.by_shape.remove(&rarest);
        }
        let domain = recipient.domain().to_owned();
        let new = UnknownReply { shape: shape.clone(), example, domain, count: 1, first: now, last: now };
        self.by_shape.insert(shape, new);
    }

    /// Every shape, those that came most often first.
    pub fn list(&self) -> Vec<UnknownReply> {
        let mut all: Vec<_> = self.by_shape.values().cloned().collect();
        all.sort_unstable_by(|one, other| {
            (other.count, other.last, &one.shape).cmp(&(one.count, one.last, &other.shape))
        });
        all
    }
}

/// A reply without what differs from one to the next of its kind: numbers, addresses, names of hosts, URLs and ids.
pub fn shape(reply: &Reply, recipient: &Address) -> String {
    told(reply, |word| replaced(word, recipient))
}

/// A reply without the addresses of people, of bounded length.
pub fn example(reply: &Reply, recipient: &Address) -> String {
    told(reply, |word| names_somebody(word, recipient).then_some("<address>"))
}

/// Code, status and text on one line, each word as it is or as something else.
fn told(reply: &Reply, other: impl Fn(&str) -> Option<&'static str>) -> String {
    let mut text = reply.code.to_string();
    if let Some(status) = reply.enhanced {
        text.push_str(&format!(" {status}"));
    }
    let mut room = CHARACTERS_MAX.saturating_sub(text.len());
    let mut last = "";
    for word in reply.lines.iter().flat_map(|line| line.split(|c: char| c.is_whitespace() || c.is_control())) {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '@' | '[' | ']' | ':' | '/'));
        let replacement = other(core);
        if core.is_empty() || (replacement == Some(last) && !last.is_empty()) {
            continue;
        }
        last = replacement.unwrap_or_default();
        let shown = replacement.unwrap_or(word);
        let taken: String = std::iter::once(' ').chain(shown.chars()).take(room).collect();
        room -= taken.chars().count();
        text.push_str(&taken);
        if room == 0 {
            break;
        }
    }
    text
}

/// Whether a word is an address, or the recipient's name before the `@`.
fn names_somebody(word: &str, recipient: &Address) -> bool {
    let local = recipient.local();
    word.contains('@') || (!local.is_empty() && word.eq_ignore_ascii_case(local))
}

/// What stands for a word that differs from reply to reply; none where it does not.
fn replaced(word: &str, recipient: &Address) -> Option<&'static str> {
    if names_somebody(word, recipient) {
        return Some("<address>");
    }
    if word.contains("://") || word.contains("www.") {
        return Some("<url>");
    }
    let bare = word.trim_matches(['[', ']', ':', '/']);
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return Some("<ip>");
    }
    let (digits, letters) = bare.chars().fold((0, 0), |(digits, letters), c| match c {
        '0'..='9' => (digits + 1, letters),
        c if c.is_alphabetic() => (digits, letters + 1),
        _ => (digits, letters),
    });
    if digits > 0 && letters == 0 {
        return Some("<number>");
    }
    let is_host = bare.contains('.') && letters > 0 && !bare.ends_with('.') && !bare.contains("..");
    if is_host {
        return Some("<host>");
    }
    let is_hex = bare.len() >= ID_CHARACTERS_MIN && bare.bytes().all(|octet| octet.is_ascii_hexdigit());
    (is_hex || (digits > 0 && digits + letters >= ID_CHARACTERS_MIN)).then_some("<id>")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use smtp::reply::Enhanced;

    fn anna() -> Address {
        Address::parse("anna.berg@example.org", false).unwrap()
    }

    fn reply(text: &str) -> Reply {
        let lines = text.lines().map(|line| line.to_owned().into()).collect();
        Reply { code: 550, enhanced: Some(Enhanced(5, 0, 0)), lines, reference: None }
    }

    #[test]
    fn what_differs_is_taken_out() {
        let cases = [
            ("<anna.berg@example.org>: go away 12", "550 5.0.0 <address> go away <number>"),
            ("anna.berg is gone", "550 5.0.0 <address> is gone"),
            ("see https://x.example/y?z=1 now", "550 5.0.0 see <url> now"),
            ("[192.0.2.7] and 2001:db8::1 (mx1.example.net)", "550 5.0.0 <ip> and <ip> <host>"),
            ("id 4XyZ0012ab deadbeefcafe s8si1234567abc", "550 5.0.0 id <id>"),
            ("line one\nline two", "550 5.0.0 line one line two"),
            ("", "550 5.0.0"),
        ];
        for (text, told) in cases {
            assert_eq!(shape(&reply(text), &anna()), told, "{text}");
        }
        let one = shape(&reply("Refused 17 by mx1.example.net for bert@example.org"), &anna());
        assert_eq!(one, shape(&reply("Refused 4 by mail.other.example for carl@example.com"), &anna()));
    }

    #[test]
    fn an_example_names_nobody() {
        let mut table = UnknownReplies::new(3);
        table.count(&reply("<Anna.Berg@example.org> (ANNA.BERG) of bert@example.net: no 7"), &anna(), Timestamp(5));
        let found = table.list().remove(0);
        assert_eq!(found.example, "550 5.0.0 <address> of <address> no 7");
        assert_eq!(found.domain, "example.org");
    }

    #[test]
    fn what_comes_often_stays() {
        let mut table = UnknownReplies::new(3);
        let words = ["often", "twice", "once", "new"];
        for (word, times) in words.iter().zip([5, 2, 1, 1]) {
            for n in 0..times {
                table.count(&reply(word), &anna(), Timestamp(n));
            }
        }
        let told: Vec<_> = table.list().into_iter().map(|known| (known.shape, known.count)).collect();
        let expected = [("550 5.0.0 often", 5), ("550 5.0.0 twice", 2), ("550 5.0.0 new", 1)];
        assert_eq!(told, expected.map(|(shape, count)| (shape.to_owned(), count)));
        assert_eq!((table.list()[0].first, table.list()[0].last), (Timestamp(0), Timestamp(4)));
        let mut none = UnknownReplies::new(0);
        none.count(&reply("x"), &anna(), Timestamp(0));
        assert!(none.list().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,2000}") {
            let shape = shape(&reply(&text), &anna());
            proptest::prop_assert!(shape.chars().count() <= CHARACTERS_MAX && shape.starts_with("550 5.0.0"));
            proptest::prop_assert!(!shape.contains(char::is_control));
        }
    }
}
