//! AUTH PLAIN and AUTH LOGIN, the server's side, in all the forms that clients send (RFC 4954, RFC 4616).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::replies;
use crate::reply::Reply;
use crate::secret::Secret;

/// `Username:` in base64.
const USERNAME_PROMPT: &str = "VXNlcm5hbWU6";
/// `Password:` in base64.
const PASSWORD_PROMPT: &str = "UGFzc3dvcmQ6";

/// Devices leave the padding out, or send bits behind the last octet.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How credentials are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// All in one message (RFC 4616).
    Plain,
    /// Username, then password.
    Login,
}

/// An exchange that awaits the client's next line.
#[derive(Debug)]
pub enum Exchange {
    /// PLAIN without initial response.
    Plain,
    /// LOGIN without a username.
    LoginUsername,
    /// LOGIN: the password is awaited.
    LoginPassword {
        /// The username, as sent.
        username: String,
    },
}

/// Where an exchange has come to.
#[derive(Debug)]
pub enum Progress {
    /// Send `334` with this text and await a line.
    Challenge(&'static str, Exchange),
    /// It is complete.
    Credentials {
        /// The username, as sent.
        username: String,
        /// What proves it.
        secret: Secret,
        /// How they were sent.
        mechanism: Mechanism,
    },
    /// It ended with this refusal; the username is known where it could be read.
    Refused(Reply, Option<String>),
}

/// Begins an exchange with the argument of AUTH: a mechanism, and perhaps an initial response.
pub fn begin(argument: &str) -> Progress {
    let mut words = argument.split([' ', '\t']).filter(|word| !word.is_empty());
    let (mechanism, initial) = (words.next().unwrap_or_default(), words.next());
    if mechanism.is_empty() || words.next().is_some() {
        return Progress::Refused(replies::argument_invalid("AUTH mechanism [initial-response]"), None);
    }
    let (exchange, prompt) = if mechanism.eq_ignore_ascii_case("PLAIN") {
        (Exchange::Plain, "")
    } else if mechanism.eq_ignore_ascii_case("LOGIN") {
        (Exchange::LoginUsername, USERNAME_PROMPT)
    } else {
        return Progress::Refused(replies::auth_mechanism_unknown(), None);
    };
    match initial {
        None => Progress::Challenge(prompt, exchange),
        // RFC 4954 §4: a lone equals sign is an initial response of no octets
        Some("=") => exchange.with(&[]),
        Some(initial) => exchange.on_line(initial),
    }
}

impl Exchange {
    /// Takes the client's next line.
    pub fn on_line(self, line: &str) -> Progress {
        let line = line.trim_matches([' ', '\t']);
        if line == "*" {
            return Progress::Refused(replies::auth_cancelled(), self.username());
        }
        match FORGIVING.decode(line) {
            Ok(octets) => self.with(&octets),
            Err(_) => Progress::Refused(replies::auth_base64(), self.username()),
        }
    }

    /// The username, where it was sent already.
    pub fn username(self) -> Option<String> {
        match self {
            Exchange::LoginPassword { username } => Some(username),
            Exchange::Plain | Exchange::LoginUsername => None,
        }
    }

    fn with(self, octets: &[u8]) -> Progress {
        match self {
            Exchange::Plain => plain(octets),
            Exchange::LoginUsername => {
                Progress::Challenge(PASSWORD_PROMPT, Exchange::LoginPassword { username: text(octets) })
            }
            Exchange::LoginPassword { username } => {
                Progress::Credentials { username, secret: Secret::new(octets.to_vec()), mechanism: Mechanism::Login }
            }
        }
    }
}

/// `authzid NUL authcid NUL password`; acting for somebody else is not possible here.
fn plain(octets: &[u8]) -> Progress {
    let mut parts = octets.splitn(3, |octet| *octet == 0);
    let (Some(authzid), Some(authcid), Some(password)) = (parts.next(), parts.next(), parts.next()) else {
        return Progress::Refused(replies::auth_base64(), None);
    };
    if password.contains(&0) {
        return Progress::Refused(replies::auth_base64(), Some(text(authcid)));
    }
    if !authzid.is_empty() && authzid != authcid {
        return Progress::Refused(replies::auth_invalid(), Some(text(authcid)));
    }
    Progress::Credentials {
        username: text(authcid),
        secret: Secret::new(password.to_vec()),
        mechanism: Mechanism::Plain,
    }
}

/// The username that an AUTH command in the clear named; its secret is dropped unread.
pub fn username_in(argument: &str) -> Option<String> {
    match begin(argument) {
        Progress::Credentials { username, .. } => Some(username),
        Progress::Challenge(_, exchange) => exchange.username(),
        Progress::Refused(_, username) => username,
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD as B64, STANDARD_NO_PAD};

    fn refusal(progress: Progress) -> (u16, Option<String>) {
        match progress {
            Progress::Refused(reply, username) => (reply.code, username),
            other => panic!("{other:?}"),
        }
    }

    fn credentials(progress: Progress) -> (String, Vec<u8>) {
        match progress {
            Progress::Credentials { username, secret, .. } => (username, secret.expose().to_vec()),
            other => panic!("{other:?}"),
        }
    }

    fn challenge(progress: Progress) -> (&'static str, Exchange) {
        match progress {
            Progress::Challenge(text, exchange) => (text, exchange),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_in_its_forms() {
        let good = ("user".to_owned(), b"pass".to_vec());
        for message in ["\0user\0pass", "user\0user\0pass"] {
            assert_eq!(credentials(begin(&format!("PLAIN {}", B64.encode(message)))), good);
            assert_eq!(credentials(begin(&format!("plain  {} ", STANDARD_NO_PAD.encode(message)))), good);
            let (prompt, exchange) = challenge(begin("Plain"));
            assert_eq!(prompt, "");
            assert_eq!(credentials(exchange.on_line(&B64.encode(message))), good);
        }
        assert_eq!(credentials(begin(&format!("PLAIN {}", B64.encode("\0u\0")))), ("u".to_owned(), Vec::new()));
    }

    #[test]
    fn login_in_its_forms() {
        let good = ("user".to_owned(), b"pass".to_vec());
        let (prompt, exchange) = challenge(begin("LOGIN"));
        assert_eq!(prompt, "VXNlcm5hbWU6");
        let (prompt, exchange) = challenge(exchange.on_line("dXNlcg=="));
        assert_eq!(prompt, "UGFzc3dvcmQ6");
        assert_eq!(credentials(exchange.on_line("cGFzcw")), good);
        let (prompt, exchange) = challenge(begin("login dXNlcg=="));
        assert_eq!(prompt, "UGFzc3dvcmQ6");
        assert_eq!(credentials(exchange.on_line("cGFzcw==")), good);
    }

    #[test]
    fn refusals() {
        assert_eq!(refusal(begin("")), (501, None));
        assert_eq!(refusal(begin("PLAIN a b")), (501, None));
        assert_eq!(refusal(begin("CRAM-MD5")), (504, None));
        assert_eq!(refusal(begin("PLAIN !!!")), (501, None));
        assert_eq!(refusal(begin("PLAIN =")), (501, None));
        assert_eq!(refusal(begin(&format!("PLAIN {}", B64.encode("user\0pass")))), (501, None));
        assert_eq!(refusal(begin(&format!("PLAIN {}", B64.encode("\0u\0p\0x")))).0, 501);
        assert_eq!(refusal(begin(&format!("PLAIN {}", B64.encode("boss\0u\0p")))), (535, Some("u".to_owned())));
        assert_eq!(refusal(challenge(begin("PLAIN")).1.on_line("*")), (501, None));
        let (_, exchange) = challenge(begin("LOGIN dXNlcg=="));
        assert_eq!(refusal(exchange.on_line("*")), (501, Some("user".to_owned())));
        let (_, exchange) = challenge(begin("LOGIN dXNlcg=="));
        assert_eq!(refusal(exchange.on_line("\u{fffd}")), (501, Some("user".to_owned())));
    }

    #[test]
    fn in_the_clear_only_the_name_is_read() {
        assert_eq!(username_in(&format!("PLAIN {}", B64.encode("\0user\0pass"))).unwrap(), "user");
        assert_eq!(username_in("LOGIN dXNlcg==").unwrap(), "user");
        assert_eq!(username_in("LOGIN"), None);
        assert_eq!(username_in("GSSAPI x"), None);
    }
}
