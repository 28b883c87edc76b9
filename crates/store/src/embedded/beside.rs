//! What the forms of before have no field for, kept behind a text of theirs: where an attempt was made from and which other
//! servers it tried behind the name of the host that it led to, how long a submission took behind its version of TLS, who
//! vouches for a report behind the words of its server.
//!
//! An earlier version reads the whole as the text. None of these texts has a control character of its own.

use std::borrow::Cow;
use std::fmt::Write as _;

use relay::outcome::Class;
use relay::queue::{Attempt, SessionFacts, TriedHost};

/// Between a text and what is kept beside it, and between the parts of a server.
const BETWEEN: char = '\u{1f}';

/// Before each of the other servers.
const SERVER: char = '\u{1e}';

/// The host of an attempt, with where it was made from and the other servers that it tried; the host alone where there is
/// nothing beside it.
pub(crate) fn host_out(attempt: &Attempt) -> Cow<'_, str> {
    if attempt.source.is_none() && attempt.others.is_empty() {
        return Cow::Borrowed(&attempt.host);
    }
    let mut text = attempt.host.clone();
    if let Some(source) = &attempt.source {
        text.push(BETWEEN);
        text.push_str(source);
    }
    for other in &attempt.others {
        let remote = other.remote.map(|remote| remote.to_string()).unwrap_or_default();
        let class = other.class.map_or(0, Class::number);
        // into memory: this cannot fail
        let _ = write!(text, "{SERVER}{}{BETWEEN}{remote}{BETWEEN}{class}{BETWEEN}{}", other.host, other.said);
    }
    Cow::Owned(text)
}

/// The host, the source and the other servers of such a text.
pub(crate) fn host_in(text: &str) -> (&str, Option<&str>, Vec<TriedHost>) {
    let mut parts = text.split(SERVER);
    let own = parts.next().unwrap_or_default();
    let (host, source) = match own.split_once(BETWEEN) {
        Some((host, source)) => (host, Some(source)),
        None => (own, None),
    };
    (host, source, parts.map(server).collect())
}

fn server(text: &str) -> TriedHost {
    let mut parts = text.splitn(4, BETWEEN);
    let mut part = || parts.next().unwrap_or_default();
    let (host, remote, class, said) = (part(), part(), part(), part());
    TriedHost {
        host: host.to_owned(),
        remote: remote.parse().ok(),
        class: class.parse().ok().and_then(Class::of_number),
        said: said.to_owned(),
    }
}

/// The version of TLS, with how long the submission took where that is known.
pub(crate) fn tls_out(session: &SessionFacts) -> Cow<'_, str> {
    match session.milliseconds {
        None => Cow::Borrowed(&session.tls),
        Some(milliseconds) => Cow::Owned(format!("{}{BETWEEN}{milliseconds}", session.tls)),
    }
}

/// The version of TLS and how long the submission took, of such a text.
pub(crate) fn tls_in(text: &str) -> (&str, Option<u64>) {
    match text.split_once(BETWEEN) {
        Some((tls, milliseconds)) => (tls, milliseconds.parse().ok()),
        None => (text, None),
    }
}

/// The words of another server in a report, with who vouches for it where that was looked for.
pub(crate) fn reply_out<'a>(reply: &'a str, authentication: Option<&str>) -> Cow<'a, str> {
    match authentication {
        None => Cow::Borrowed(reply),
        Some(authentication) => Cow::Owned(format!("{reply}{BETWEEN}{authentication}")),
    }
}

/// The words, and who vouches for them, of such a text.
pub(crate) fn reply_in(text: &str) -> (&str, Option<&str>) {
    match text.split_once(BETWEEN) {
        Some((reply, authentication)) => (reply, Some(authentication)),
        None => (text, None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::clock::Timestamp;
    use relay::id::SessionId;

    fn other(host: &str, remote: Option<&str>, class: Option<Class>, said: &str) -> TriedHost {
        TriedHost { host: host.into(), remote: remote.map(|text| text.parse().unwrap()), class, said: said.into() }
    }

    #[test]
    fn what_is_beside_a_host_comes_back_and_one_of_before_has_nothing_beside_it() {
        let replied = other("mx1.example", Some("192.0.2.1:25"), None, "421 4.3.2 busy");
        let without_address = other("mx2.example", None, Some(Class::NoSuchDomain), "It has no address.");
        let six = other("mx3.example", Some("[2001:db8::1]:25"), Some(Class::Network), "");
        let others = [vec![], vec![replied.clone()], vec![replied, without_address, six]];
        for (host, source) in
            [("mx.example", Some("out1 (192.0.2.1)")), ("", Some("out1")), ("mx.example", None), ("", None)]
        {
            for others in others.clone() {
                let attempt = Attempt {
                    at: Timestamp(1),
                    milliseconds: 2,
                    host: host.into(),
                    remote: None,
                    tls: "none".into(),
                    source: source.map(str::to_owned),
                    others,
                };
                let text = host_out(&attempt);
                assert_eq!(host_in(&text), (host, source, attempt.others.clone()));
                let has_nothing_beside = source.is_none() && attempt.others.is_empty();
                assert_eq!(text == host, has_nothing_beside, "{text:?}");
            }
        }
        // as it was written before there were other servers
        assert_eq!(host_in("mx.example\u{1f}out1"), ("mx.example", Some("out1"), Vec::new()));
    }

    #[test]
    fn what_is_beside_tls_comes_back_and_one_of_before_has_nothing_beside_it() {
        for milliseconds in [None, Some(0), Some(u64::MAX)] {
            let session = SessionFacts {
                session: SessionId(1),
                remote: [192, 0, 2, 1].into(),
                client_name: String::new(),
                tls: "TLS 1.3".into(),
                milliseconds,
            };
            assert_eq!(tls_in(&tls_out(&session)), ("TLS 1.3", milliseconds));
        }
        assert_eq!(tls_in("TLS 1.3"), ("TLS 1.3", None));
    }

    #[test]
    fn what_is_beside_a_reply_comes_back_and_one_of_before_has_nothing_beside_it() {
        for (reply, authentication) in
            [("550 5.1.1 no", Some("spf=none; dkim=none")), ("", Some("spf=none")), ("no", None)]
        {
            assert_eq!(reply_in(&reply_out(reply, authentication)), (reply, authentication));
        }
        assert_eq!(reply_out("550 no", None), "550 no");
    }
}
