//! AUTH PLAIN and AUTH LOGIN, the client's side (RFC 4954, RFC 4616).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;

use super::Capabilities;
use crate::reply::Reply;
use crate::sasl::Mechanism;
use crate::secret::Secret;

/// Octets that a command line may have, its end included (RFC 5321 §4.5.3.1.4): a longer response waits for the challenge.
const COMMAND_OCTETS_MAX: usize = 512;

/// Whom a next hop is to take us for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The username.
    pub username: String,
    /// What proves it.
    pub password: Secret,
    /// Whether it may be sent without TLS. Else a next hop without TLS never hears it.
    pub in_clear: bool,
}

/// A login under way.
#[derive(Debug)]
pub(super) struct Authentication {
    mechanism: Mechanism,
    /// Responses sent.
    sent: usize,
}

impl Authentication {
    /// Says AUTH, by the best of the mechanisms that are offered.
    ///
    /// # Errors
    /// Why nothing was said, in words.
    pub(super) fn begin(
        login: &Login,
        offered: &Capabilities,
        secured: bool,
        out: &mut BytesMut,
    ) -> Result<Authentication, String> {
        if !secured && !login.in_clear {
            return Err("the connection is not encrypted, and the password is not sent in the clear".into());
        }
        let mechanism = match offered {
            Capabilities { auth_plain: true, .. } => Mechanism::Plain,
            Capabilities { auth_login: true, .. } => Mechanism::Login,
            _ => return Err("the next hop offers neither AUTH PLAIN nor AUTH LOGIN".into()),
        };
        Ok(Authentication::by(mechanism, login, out))
    }

    fn by(mechanism: Mechanism, login: &Login, out: &mut BytesMut) -> Authentication {
        let mut authentication = Authentication { mechanism, sent: 0 };
        match (mechanism, authentication.response(login)) {
            (Mechanism::Plain, Some(initial)) if "AUTH PLAIN \r\n".len() + initial.len() <= COMMAND_OCTETS_MAX => {
                authentication.sent = 1;
                say(out, &["AUTH PLAIN ", &initial]);
            }
            (Mechanism::Plain, _) => say(out, &["AUTH PLAIN"]),
            (Mechanism::Login, _) => say(out, &["AUTH LOGIN"]),
        }
        authentication
    }

    /// The next response; none where all were sent.
    fn response(&self, login: &Login) -> Option<String> {
        match (self.mechanism, self.sent) {
            (Mechanism::Plain, 0) => {
                let parts = [b"".as_slice(), login.username.as_bytes(), login.password.expose()];
                Some(STANDARD.encode(parts.join(&0)))
            }
            (Mechanism::Login, 0) => Some(STANDARD.encode(&login.username)),
            (Mechanism::Login, 1) => Some(STANDARD.encode(login.password.expose())),
            _ => None,
        }
    }

    /// Takes the next reply; whether that is the end of it, or why there can be no login, in words.
    pub(super) fn on_reply(
        &mut self,
        reply: &Reply,
        login: &Login,
        offered: &Capabilities,
        out: &mut BytesMut,
    ) -> Result<bool, String> {
        let response = self.response(login);
        match (reply.code, response) {
            (200..=299, None) => Ok(true),
            (300..=399, Some(response)) => {
                self.sent += 1;
                say(out, &[&response]);
                Ok(false)
            }
            // offered and not known: some say so of PLAIN alone
            (504, _) if self.mechanism == Mechanism::Plain && offered.auth_login => {
                *self = Authentication::by(Mechanism::Login, login, out);
                Ok(false)
            }
            (400.., _) => Err(format!("the next hop refused it: {reply}")),
            _ => Err(format!("the next hop answered out of turn: {reply}")),
        }
    }
}

fn say(out: &mut BytesMut, words: &[&str]) {
    words.iter().for_each(|word| out.extend_from_slice(word.as_bytes()));
    out.extend_from_slice(b"\r\n");
}
