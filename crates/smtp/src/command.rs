//! Command lines as values (RFC 5321 §4.1.1, and the devices that never read it).

use crate::dsn::{self, Notify, Ret};
use crate::envelope::{Body, MailParameters, RcptParameters};
use crate::replies;
use crate::reply::Reply;
use crate::xtext::is_xtext;

/// The verbs of this server, and those it wants to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// EHLO
    Ehlo,
    /// HELO
    Helo,
    /// STARTTLS (RFC 3207)
    StartTls,
    /// AUTH (RFC 4954)
    Auth,
    /// MAIL
    Mail,
    /// RCPT
    Rcpt,
    /// DATA
    Data,
    /// BDAT (RFC 3030)
    Bdat,
    /// RSET
    Rset,
    /// NOOP
    Noop,
    /// VRFY
    Vrfy,
    /// EXPN
    Expn,
    /// HELP
    Help,
    /// QUIT
    Quit,
    /// A method of HTTP: a browser was made to speak to us.
    Http,
    /// Anything else.
    Unknown,
}

const VERBS: [(&str, Verb); 23] = [
    ("MAIL", Verb::Mail),
    ("RCPT", Verb::Rcpt),
    ("DATA", Verb::Data),
    ("EHLO", Verb::Ehlo),
    ("AUTH", Verb::Auth),
    ("RSET", Verb::Rset),
    ("QUIT", Verb::Quit),
    ("BDAT", Verb::Bdat),
    ("STARTTLS", Verb::StartTls),
    ("HELO", Verb::Helo),
    ("NOOP", Verb::Noop),
    ("VRFY", Verb::Vrfy),
    ("EXPN", Verb::Expn),
    ("HELP", Verb::Help),
    ("GET", Verb::Http),
    ("POST", Verb::Http),
    ("PUT", Verb::Http),
    ("HEAD", Verb::Http),
    ("OPTIONS", Verb::Http),
    ("DELETE", Verb::Http),
    ("PATCH", Verb::Http),
    ("CONNECT", Verb::Http),
    ("TRACE", Verb::Http),
];

impl Verb {
    /// The verb of a line, in any letter case, and its argument without the spaces around it.
    pub fn split(line: &str) -> (Verb, &str) {
        let line = line.trim_matches([' ', '\t']);
        let (word, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let known = VERBS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        // RFC 5321 has `MAIL FROM:` as one phrase; `MAIL` alone is the verb
        (known.map_or(Verb::Unknown, |(_, verb)| *verb), argument.trim_start_matches([' ', '\t']))
    }
}

/// A path as it stood in MAIL or RCPT, and the parameters behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathArgument<'a> {
    /// What stood between the brackets, source route removed; the text alone where there were none.
    pub path: &'a str,
    /// The rest, `KEY=VALUE` separated by spaces.
    pub parameters: &'a str,
}

/// Why the argument of MAIL or RCPT has no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// `FROM:` or `TO:` is missing, or nothing follows it.
    Argument,
    /// A bracket does not close, or something sticks to it.
    Path,
}

impl<'a> PathArgument<'a> {
    /// Reads `FROM:<path> parameters` after the verb; `keyword` is `FROM:` or `TO:`. A space after
    /// the colon and missing brackets are forgiven, a source route is ignored (RFC 5321 §4.1.1.3).
    ///
    /// # Errors
    /// [`PathFault`]
    pub fn parse(argument: &'a str, keyword: &str) -> Result<PathArgument<'a>, PathFault> {
        let (head, rest) = argument.split_at_checked(keyword.len()).ok_or(PathFault::Argument)?;
        let rest = rest.trim_start_matches([' ', '\t']);
        if !head.eq_ignore_ascii_case(keyword) || rest.is_empty() {
            return Err(PathFault::Argument);
        }
        let (path, parameters) = match rest.strip_prefix('<') {
            Some(inside) => {
                let end = end_of_path(inside, |c| c == '>').ok_or(PathFault::Path)?;
                (inside[..end].trim_matches(' '), &inside[end + 1..])
            }
            None => rest.split_at(end_of_path(rest, |c| matches!(c, ' ' | '\t')).unwrap_or(rest.len())),
        };
        if !parameters.is_empty() && !parameters.starts_with([' ', '\t']) {
            return Err(PathFault::Path);
        }
        Ok(PathArgument { path: without_route(path), parameters })
    }
}

/// Where the first character that `ends` stands outside a quoted string.
fn end_of_path(text: &str, ends: impl Fn(char) -> bool) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && ends(character) => return Some(at),
            _ => {}
        }
    }
    None
}

/// `@a,@b:user@c` is `user@c`.
fn without_route(path: &str) -> &str {
    if path.starts_with('@') { path.split_once(':').map_or(path, |(_, path)| path) } else { path }
}

/// Reads the parameters of MAIL.
///
/// # Errors
/// The reply: an unknown parameter, or a bad or repeated one.
pub fn mail_parameters(text: &str) -> Result<MailParameters, Reply> {
    let mut parameters = MailParameters::default();
    let mut body = None;
    for word in words(text) {
        let (name, value) = split_parameter(word);
        let bad = || replies::parameter_invalid(name);
        let fresh = if name.eq_ignore_ascii_case("SIZE") {
            parameters.size.replace(value.and_then(octets).ok_or_else(bad)?).is_none()
        } else if name.eq_ignore_ascii_case("BODY") {
            body.replace(value.and_then(body_value).ok_or_else(bad)?).is_none()
        } else if name.eq_ignore_ascii_case("SMTPUTF8") {
            value.is_none() && !std::mem::replace(&mut parameters.smtputf8, true)
        } else if name.eq_ignore_ascii_case("REQUIRETLS") {
            value.is_none() && !std::mem::replace(&mut parameters.require_tls, true)
        } else if name.eq_ignore_ascii_case("AUTH") {
            value.is_some_and(is_xtext) && !std::mem::replace(&mut parameters.auth, true)
        } else if name.eq_ignore_ascii_case("RET") {
            parameters.ret.replace(value.and_then(Ret::parse).ok_or_else(bad)?).is_none()
        } else if name.eq_ignore_ascii_case("ENVID") {
            parameters.envid.replace(value.and_then(dsn::envid).ok_or_else(bad)?).is_none()
        } else if name.eq_ignore_ascii_case("MT-PRIORITY") {
            parameters.priority.replace(value.and_then(priority).ok_or_else(bad)?).is_none()
        } else {
            return Err(replies::parameter_unknown(name));
        };
        if !fresh {
            return Err(bad());
        }
    }
    parameters.body = body.unwrap_or_default();
    Ok(parameters)
}

/// Reads the parameters of RCPT. `smtputf8`: the client asked for it in this transaction.
///
/// # Errors
/// The reply: an unknown parameter, or a bad or repeated one.
pub fn rcpt_parameters(text: &str, smtputf8: bool) -> Result<RcptParameters, Reply> {
    let mut parameters = RcptParameters::default();
    for word in words(text) {
        let (name, value) = split_parameter(word);
        let bad = || replies::parameter_invalid(name);
        let fresh = if name.eq_ignore_ascii_case("NOTIFY") {
            parameters.notify.replace(value.and_then(Notify::parse).ok_or_else(bad)?).is_none()
        } else if name.eq_ignore_ascii_case("ORCPT") {
            let orcpt = value.and_then(|value| dsn::orcpt(value, smtputf8));
            parameters.orcpt.replace(orcpt.ok_or_else(bad)?).is_none()
        } else {
            return Err(replies::parameter_unknown(name));
        };
        if !fresh {
            return Err(bad());
        }
    }
    Ok(parameters)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t']).filter(|word| !word.is_empty())
}

fn split_parameter(word: &str) -> (&str, Option<&str>) {
    word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)))
}

/// A number of octets; one that no computer can hold is as good as the greatest.
fn octets(text: &str) -> Option<u64> {
    let digits = (1..=20).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A priority: one digit, with a minus in front of it where it is below zero (RFC 6710 §6).
fn priority(text: &str) -> Option<i8> {
    let (sign, digit) = text.strip_prefix('-').map_or((1, text), |digit| (-1, digit));
    match digit.as_bytes() {
        [b'0'] if sign < 0 => None,
        [digit @ b'0'..=b'9'] => i8::try_from(digit - b'0').ok().map(|value| sign * value),
        _ => None,
    }
}

fn body_value(text: &str) -> Option<Body> {
    if text.eq_ignore_ascii_case("7BIT") {
        Some(Body::SevenBit)
    } else if text.eq_ignore_ascii_case("8BITMIME") {
        Some(Body::EightBitMime)
    } else {
        None
    }
}

/// The argument of BDAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Octets that follow the command line.
    pub octets: u64,
    /// What follows the number: it is the last chunk, it is not, or it makes no sense.
    pub last: Option<bool>,
}

impl Chunk {
    /// Reads `size [LAST]`; none where the size cannot be read, and so nobody knows what follows.
    pub fn parse(argument: &str) -> Option<Chunk> {
        let mut words = words(argument);
        let octets = octets(words.next()?)?;
        let last = match (words.next(), words.next()) {
            (None, _) => Some(false),
            (Some(word), None) if word.eq_ignore_ascii_case("LAST") => Some(true),
            _ => None,
        };
        Some(Chunk { octets, last })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from(argument: &str) -> Result<(&str, &str), PathFault> {
        PathArgument::parse(argument, "FROM:").map(|found| (found.path, found.parameters.trim()))
    }

    #[test]
    fn verbs_in_any_case_with_stray_spaces() {
        assert_eq!(Verb::split("mail FROM:<a@b.c>"), (Verb::Mail, "FROM:<a@b.c>"));
        assert_eq!(Verb::split("  QUIT  "), (Verb::Quit, ""));
        assert_eq!(Verb::split("AUTH\tlogin  x "), (Verb::Auth, "login  x"));
        assert_eq!(Verb::split(""), (Verb::Unknown, ""));
        assert_eq!(Verb::split("MAILX"), (Verb::Unknown, ""));
        assert_eq!(Verb::split("GET / HTTP/1.1"), (Verb::Http, "/ HTTP/1.1"));
    }

    #[test]
    fn paths_as_clients_write_them() {
        assert_eq!(from("FROM:<a@b.c> SIZE=1"), Ok(("a@b.c", "SIZE=1")));
        assert_eq!(from("from: <a@b.c>"), Ok(("a@b.c", "")));
        assert_eq!(from("FROM:a@b.c size=1"), Ok(("a@b.c", "size=1")));
        assert_eq!(from("FROM: a@b.c "), Ok(("a@b.c", "")));
        assert_eq!(from("FROM:<>"), Ok(("", "")));
        assert_eq!(from("FROM:<@x.y,@z.w:a@b.c>"), Ok(("a@b.c", "")));
        assert_eq!(from("FROM:<\"a> b\"@b.c> X"), Ok(("\"a> b\"@b.c", "X")));
        assert_eq!(from("FROM:< a@b.c >"), Ok(("a@b.c", "")));
        for bad in ["", "FROM", "FROM:", "FROM: ", "TO:<a@b.c>", "FROM <a@b.c>"] {
            assert_eq!(from(bad), Err(PathFault::Argument), "{bad}");
        }
        for bad in ["FROM:<a@b.c", "FROM:<a@b.c>SIZE=1", "FROM:<\"a@b.c>"] {
            assert_eq!(from(bad), Err(PathFault::Path), "{bad}");
        }
    }

    #[test]
    fn parameters_of_mail() {
        let found = mail_parameters(" size=10  BODY=8bitmime SMTPUTF8 AUTH=a+40b.c").unwrap();
        let all = MailParameters {
            size: Some(10),
            body: Body::EightBitMime,
            smtputf8: true,
            auth: true,
            ..MailParameters::default()
        };
        assert_eq!(found, all);
        assert_eq!(mail_parameters("SIZE=99999999999999999999").unwrap().size, Some(u64::MAX));
        assert!(mail_parameters("AUTH=<>").unwrap().auth);
        for bad in ["SIZE", "SIZE=", "SIZE=x", "SIZE=-1", "SIZE=1 SIZE=1", "BODY=BINARYMIME", "BODY=7BIT BODY=7BIT"] {
            assert_eq!(mail_parameters(bad).unwrap_err().code, 501, "{bad}");
        }
        for bad in ["SMTPUTF8=1", "SMTPUTF8 SMTPUTF8", "AUTH", "AUTH=", "AUTH=+4", "AUTH=a=b", "AUTH=<> AUTH=<>"] {
            assert_eq!(mail_parameters(bad).unwrap_err().code, 501, "{bad}");
        }
        assert!(mail_parameters("requiretls").unwrap().require_tls);
        for bad in ["REQUIRETLS=1", "REQUIRETLS REQUIRETLS"] {
            assert_eq!(mail_parameters(bad).unwrap_err().code, 501, "{bad}");
        }
        for unknown in ["XFOO", "REQUIRE-TLS", "NOTIFY=NEVER", "=", "SIZE=1 XFOO=1"] {
            assert_eq!(mail_parameters(unknown).unwrap_err().code, 555, "{unknown}");
        }
    }

    #[test]
    fn priorities() {
        for (text, value) in [("MT-PRIORITY=3", 3), ("mt-priority=-9", -9), ("MT-PRIORITY=0", 0), ("MT-PRIORITY=9", 9)]
        {
            assert_eq!(mail_parameters(text).unwrap().priority, Some(value), "{text}");
        }
        for bad in [
            "MT-PRIORITY",
            "MT-PRIORITY=",
            "MT-PRIORITY=10",
            "MT-PRIORITY=+3",
            "MT-PRIORITY=--3",
            "MT-PRIORITY=-",
            "MT-PRIORITY=-0",
        ] {
            assert_eq!(mail_parameters(bad).unwrap_err().code, 501, "{bad}");
        }
        assert_eq!(mail_parameters("MT-PRIORITY=1 MT-PRIORITY=1").unwrap_err().code, 501);
    }

    #[test]
    fn what_is_asked_about_notifications() {
        let found = mail_parameters("ret=full ENVID=Order+2B7").unwrap();
        assert_eq!((found.ret, found.envid.as_deref()), (Some(Ret::Full), Some("Order+2B7")));
        for bad in
            ["RET", "RET=", "RET=BODY", "RET=FULL RET=HDRS", "ENVID", "ENVID=", "ENVID=a=b", "ENVID=+", "ENVID=+0A"]
        {
            let refused = mail_parameters(bad).unwrap_err();
            assert_eq!((refused.code, refused.enhanced), (501, Some(crate::reply::Enhanced(5, 5, 4))), "{bad}");
        }
        assert_eq!(mail_parameters("ENVID=1 ENVID=1").unwrap_err().code, 501);
        let found = rcpt_parameters(" notify=success,DELAY  ORCPT=rfc822;Bob+2B@X.example", false).unwrap();
        let notify = found.notify.unwrap();
        assert!(notify.has(Notify::SUCCESS) && notify.has(Notify::DELAY) && !notify.has(Notify::FAILURE));
        assert_eq!(found.orcpt.as_deref(), Some("rfc822;Bob+2B@X.example"));
        assert_eq!(rcpt_parameters("NOTIFY=NEVER", false).unwrap().notify, Some(Notify::NEVER));
        assert_eq!(rcpt_parameters("  ", false), Ok(RcptParameters::default()));
        for bad in ["NOTIFY", "NOTIFY=", "NOTIFY=NEVER,FAILURE", "NOTIFY=SOON", "NOTIFY=NEVER NOTIFY=NEVER", "ORCPT"] {
            assert_eq!(rcpt_parameters(bad, true).unwrap_err().code, 501, "{bad}");
        }
        for bad in ["ORCPT=", "ORCPT=a@b.c", "ORCPT=rfc822;a=b", "ORCPT=rfc822;a ORCPT=rfc822;a", "ORCPT=utf-8;\u{e9}"]
        {
            assert_eq!(rcpt_parameters(bad, false).unwrap_err().code, 501, "{bad}");
        }
        assert!(rcpt_parameters("ORCPT=utf-8;\u{e9}", true).is_ok());
        for unknown in ["RET=FULL", "SIZE=1", "XFOO", "NOTIFY=NEVER X"] {
            assert_eq!(rcpt_parameters(unknown, true).unwrap_err().code, 555, "{unknown}");
        }
    }

    #[test]
    fn chunks() {
        assert_eq!(Chunk::parse("10"), Some(Chunk { octets: 10, last: Some(false) }));
        assert_eq!(Chunk::parse("0  last"), Some(Chunk { octets: 0, last: Some(true) }));
        assert_eq!(Chunk::parse("5 FIRST"), Some(Chunk { octets: 5, last: None }));
        assert_eq!(Chunk::parse("5 LAST x"), Some(Chunk { octets: 5, last: None }));
        for bad in ["", "LAST", "-1", "1x", "123456789012345678901"] {
            assert_eq!(Chunk::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(line in "\\PC{0,60}|(FROM|TO): ?<?[\"\\\\a@:,. >=]{0,20}") {
            let (_, argument) = Verb::split(&line);
            if let Ok(found) = PathArgument::parse(argument, "FROM:").or(PathArgument::parse(&line, "FROM:")) {
                let _ = mail_parameters(found.parameters);
            }
            let _ = (Chunk::parse(argument), mail_parameters(argument), rcpt_parameters(argument, true));
        }
    }
}
