//! Mailboxes in an address field, read to count them and to find their addresses (RFC 5322 §3.4, §4.4).

/// One mailbox: `local@domain`, the local part as spelt, the domain in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox(pub(crate) String);

/// The field's value does not follow the grammar far enough to tell whom it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// The mailboxes of an address list: comments, quoted strings, encoded words, folds and groups
/// understood. Display names are taken more widely than the grammar has them, since writers leave out
/// quotes, but an address of another domain is none without them; addresses are not, and the route
/// of old (`<@one,@two:user@three>`) is no part of one.
///
/// # Errors
/// Where any part cannot be read, so that no reader could take it for another address than we do.
pub(crate) fn mailboxes(value: &[u8]) -> Result<Vec<Mailbox>, Unreadable> {
    let mut parser = Parser { rest: value, found: Vec::new(), named: Vec::new(), in_group: false };
    parser.list()?;
    let Parser { found, named, .. } = parser;
    match &*found {
        [only] if named.iter().any(|domain| domain != only.domain()) => Err(Unreadable),
        _ => Ok(found),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    /// An atom or quoted string, as spelt.
    Word(&'a [u8]),
    /// `[192.0.2.1]`
    Literal(&'a [u8]),
    /// One of `. @ , : ; < >`
    Special(u8),
}

struct Parser<'a> {
    rest: &'a [u8],
    found: Vec<Mailbox>,
    /// Domains of what looks like an address in a display name.
    named: Vec<String>,
    in_group: bool,
}

impl Mailbox {
    fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl<'a> Parser<'a> {
    /// `address *("," address)`, with empty members (RFC 5322 §4.4).
    fn list(&mut self) -> Result<(), Unreadable> {
        let mut phrase = Vec::new();
        while let Some(token) = self.token()? {
            match token {
                Token::Special(b'<') => {
                    self.display_name(&mut phrase)?;
                    self.angle()?;
                    match self.token()? {
                        None => break,
                        Some(Token::Special(b',')) => {}
                        Some(Token::Special(b';')) => self.group_end()?,
                        Some(_) => return Err(Unreadable),
                    }
                }
                Token::Special(b',') => self.member(&mut phrase)?,
                Token::Special(b':') if !self.in_group && !phrase.is_empty() => {
                    self.display_name(&mut phrase)?;
                    self.in_group = true;
                }
                Token::Special(b';') => {
                    self.member(&mut phrase)?;
                    self.group_end()?;
                }
                Token::Special(b'.' | b'@') | Token::Word(_) | Token::Literal(_) => phrase.push(token),
                Token::Special(_) => return Err(Unreadable),
            }
        }
        self.member(&mut phrase)?;
        if self.in_group { Err(Unreadable) } else { Ok(()) }
    }

    /// What stood between commas without angle brackets: an address, or nothing.
    fn member(&mut self, tokens: &mut Vec<Token<'a>>) -> Result<(), Unreadable> {
        if !tokens.is_empty() {
            self.found.push(address(tokens)?);
            tokens.clear();
        }
        Ok(())
    }

    /// What stood before angle brackets or a group. Programs that look for an address first find one there.
    fn display_name(&mut self, tokens: &mut Vec<Token<'a>>) -> Result<(), Unreadable> {
        for (place, pair) in tokens.windows(2).enumerate() {
            if matches!(pair, [Token::Word(_), Token::Special(b'@')])
                && let Some(domain) = leading_domain(&tokens[place + 2..])?
            {
                self.named.push(domain);
            }
        }
        tokens.clear();
        Ok(())
    }

    fn group_end(&mut self) -> Result<(), Unreadable> {
        if std::mem::take(&mut self.in_group) { Ok(()) } else { Err(Unreadable) }
    }

    /// `addr-spec ">"`, after `<`.
    fn angle(&mut self) -> Result<(), Unreadable> {
        let mut tokens = Vec::new();
        loop {
            match self.token()?.ok_or(Unreadable)? {
                Token::Special(b'>') => break,
                Token::Special(b'<' | b';' | b':') => return Err(Unreadable),
                token => tokens.push(token),
            }
        }
        self.found.push(address(&tokens)?);
        Ok(())
    }

    /// The next token, white space and comments skipped.
    fn token(&mut self) -> Result<Option<Token<'a>>, Unreadable> {
        self.skip()?;
        let Some(first) = self.rest.first() else { return Ok(None) };
        let token = match first {
            b'"' => Token::Word(self.take(closing(self.rest, b'"')?)),
            b'[' => Token::Literal(self.take(closing(self.rest, b']')?)),
            b'.' | b'@' | b',' | b':' | b';' | b'<' | b'>' => Token::Special(self.take(1)[0]),
            octet if is_atom(*octet) => {
                Token::Word(self.take(self.rest.iter().take_while(|octet| is_atom(**octet)).count()))
            }
            _ => return Err(Unreadable),
        };
        Ok(Some(token))
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Skips white space and comments, which nest.
    fn skip(&mut self) -> Result<(), Unreadable> {
        let mut depth = 0usize;
        while let Some(octet) = self.rest.first() {
            match octet {
                b'(' => depth += 1,
                b')' if depth == 0 => return Err(Unreadable),
                b')' => depth -= 1,
                b'\\' if depth > 0 && self.rest.len() > 1 => {
                    self.take(1);
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if depth == 0 => return Ok(()),
                _ => {}
            }
            self.take(1);
        }
        if depth == 0 { Ok(()) } else { Err(Unreadable) }
    }
}

/// Any octet of an atom (RFC 5322 §3.2.3), UTF-8 and other 8-bit octets included.
fn is_atom(octet: u8) -> bool {
    octet > 127 || octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

/// The length of what is quoted from the first octet to an unescaped `close`.
fn closing(octets: &[u8], close: u8) -> Result<usize, Unreadable> {
    let mut escaped = false;
    for (position, octet) in octets.iter().enumerate().skip(1) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            octet if *octet == close => return Ok(position + 1),
            _ => {}
        }
    }
    Err(Unreadable)
}

/// Octets of an address beyond which it is none: local part, `@` and domain (RFC 5321 §4.5.3.1).
const ADDRESS_OCTETS_MAX: usize = 320;

/// `word *("." word) "@" (atom *("." atom) / literal)`
fn address(tokens: &[Token<'_>]) -> Result<Mailbox, Unreadable> {
    let at = tokens.iter().rposition(|token| *token == Token::Special(b'@')).ok_or(Unreadable)?;
    let local = dotted(&tokens[..at], true)?;
    let domain = match &tokens[at + 1..] {
        [Token::Literal(literal)] => text(literal)?,
        tokens => dotted(tokens, false)?,
    };
    let address = format!("{local}@{}", domain.to_lowercase());
    if address.len() > ADDRESS_OCTETS_MAX { Err(Unreadable) } else { Ok(Mailbox(address)) }
}

/// The domain that tokens begin with, in lower case: a literal, or a name with a dot.
fn leading_domain(tokens: &[Token<'_>]) -> Result<Option<String>, Unreadable> {
    if let [Token::Literal(literal), ..] = tokens {
        return text(literal).map(|literal| Some(literal.to_lowercase()));
    }
    let is_part = |(place, token): &(usize, &Token<'_>)| match token {
        Token::Word(_) => place % 2 == 0,
        token => place % 2 == 1 && **token == Token::Special(b'.'),
    };
    let length = tokens.iter().enumerate().take_while(is_part).count();
    // a dot at the end is one of the sentence
    let name = &tokens[..length - usize::from(length > 0 && length % 2 == 0)];
    if name.len() < 3 { Ok(None) } else { dotted(name, true).map(|name| Some(name.to_lowercase())) }
}

/// Words with one dot between each two, joined.
fn dotted(tokens: &[Token<'_>], quoted_allowed: bool) -> Result<String, Unreadable> {
    let mut joined = String::new();
    for (position, token) in tokens.iter().enumerate() {
        match (position % 2, token) {
            (0, Token::Word(word)) if quoted_allowed || word[0] != b'"' => joined.push_str(&text(word)?),
            (1, Token::Special(b'.')) => joined.push('.'),
            _ => return Err(Unreadable),
        }
    }
    if tokens.len() % 2 == 1 { Ok(joined) } else { Err(Unreadable) }
}

/// The octets as text without folds; none where they are no UTF-8 or hold controls.
fn text(octets: &[u8]) -> Result<String, Unreadable> {
    let text = std::str::from_utf8(octets).map_err(|_| Unreadable)?.replace("\r\n", "");
    if text.chars().any(char::is_control) { Err(Unreadable) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Vec<String>, Unreadable> {
        mailboxes(value.as_bytes()).map(|found| found.into_iter().map(|mailbox| mailbox.0).collect())
    }

    #[test]
    fn reads_one_mailbox_in_every_dress() {
        for value in [
            "a.b@Example.COM",
            " a.b@example.com\r\n",
            "<a.b@example.com>",
            "Ann Bee <a.b@example.com>",
            "\"Bee, Ann\" <a.b@example.com>",
            "\"x@evil.example\" <a.b@example.com>",
            "\"quote \\\" and \\\\\" <a.b@example.com>",
            "=?utf-8?Q?Caf=C3=A9?= <a.b@example.com>",
            "Café <a.b@example.com>",
            "J. R. \"Bob\" Bee <a.b@example.com>",
            "shop@example.com <a.b@example.com>",
            "Ann (not, <x@y> \\) (nested)) <a.b@example.com> (end)",
            "a.b@example.com (Ann Bee)",
            "(c) a (c) . (c) b (c) @ (c) example (c) . com (c)",
            "Ann\r\n Bee\r\n\t<a.b@example.com>",
            "Team: Ann <a.b@example.com>;",
            "Sales @ Shop <a.b@example.com>",
            "a.b@example.com: Ann <a.b@example.com>;",
            ", a.b@example.com ,",
        ] {
            assert_eq!(read(value), Ok(vec!["a.b@example.com".to_owned()]), "{value}");
        }
    }

    #[test]
    fn reads_unusual_addresses() {
        assert_eq!(read("\"a b\"@example.com"), Ok(vec!["\"a b\"@example.com".to_owned()]));
        assert_eq!(read("\"a@b\"@example.com"), Ok(vec!["\"a@b\"@example.com".to_owned()]));
        assert_eq!(read("A+tag@[192.0.2.1]"), Ok(vec!["A+tag@[192.0.2.1]".to_owned()]));
        assert_eq!(read("bøb@BÜCHER.example"), Ok(vec!["bøb@bücher.example".to_owned()]));
    }

    #[test]
    fn counts_several() {
        assert_eq!(read("a@x.example, B <b@y.example>").map(|found| found.len()), Ok(2));
        assert_eq!(read("G: a@x.example, b@y.example;, c@z.example").map(|found| found.len()), Ok(3));
        assert_eq!(read("undisclosed-recipients:;").map(|found| found.len()), Ok(0));
        assert_eq!(read(" \r\n").map(|found| found.len()), Ok(0));
    }

    #[test]
    fn refuses_what_readers_could_take_differently() {
        for value in [
            "Ann",
            "Doe, John <j@x.example>",
            "a@x.example <",
            "<a@x.example",
            "a@x.example>",
            "<>",
            "Ann <>",
            "<a@x.example> <b@y.example>",
            "<a@x.example> b@y.example",
            "a b@x.example",
            "<a b@x.example>",
            "a..b@x.example",
            ".a@x.example",
            "a.@x.example",
            "a@x.example.",
            "a@",
            "@x.example",
            "a@b@x.example",
            "\"open <a@x.example>",
            "(open a@x.example",
            "a) b@x.example",
            "G: a@x.example",
            "a@x.example;",
            "G: H: a@x.example;;",
            ":a@x.example;",
            "a@\"x.example\"",
            "a\\b@x.example",
            "<a@x.example,b@y.example>",
            // some readers show, or take, the address that stands in front
            "boss@bank.example <a@x.example>",
            "The Boss boss@bank.example <a@x.example>",
            "boss (c) @ bank . example <a@x.example>",
            "boss@bank.example: a@x.example;",
            "boss@bank.example: Ann <a@x.example>;",
            "boss@bank.example:;, a@x.example",
            "boss@[192.0.2.1] <a@x.example>",
            // and the route of old, which nobody else has written for decades
            "<@bank.example:a@x.example>",
            "<@one.example,@bank.example:a@x.example>",
            "a@x y.example",
            "\x07a@x.example",
        ] {
            assert_eq!(read(value), Err(Unreadable), "{value}");
        }
        assert_eq!(mailboxes(b"caf\xe9@x.example"), Err(Unreadable));
        assert_eq!(read(&format!("{}@x.example", "a".repeat(400))), Err(Unreadable));
    }
}
