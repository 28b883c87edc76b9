//! The classes of failures: whether the address is bad, whether it passes, what the site should do, and the words for people.

use serde::{Deserialize, Serialize};
use smtp::reply::Enhanced;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::language::Language;

/// The classes, as a text: the one place where they are described.
const CLASSES: &str = include_str!("classes.toml");

/// Why something could not be delivered, as one of a closed list.
///
/// The numbers stand on the disk: one is never given to another class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Class {
    /// The mailbox does not exist.
    NoSuchMailbox = 1,
    /// The domain does not exist, or has neither MX nor address.
    NoSuchDomain = 2,
    /// The domain says that it takes no mail (RFC 7505).
    DomainTakesNoMail = 3,
    /// The mailbox is there, and takes nothing any more.
    MailboxDisabled = 4,
    /// The mailbox has no room.
    MailboxFull = 5,
    /// The mailbox takes nothing for now.
    MailboxUnavailable = 6,
    /// The address is refused, and it is not said why.
    RecipientRefused = 7,
    /// The address takes mail from chosen senders alone.
    RecipientRestricted = 8,
    /// The address is malformed for the other server.
    AddressSyntax = 9,
    /// The message is too large.
    MessageTooLarge = 10,
    /// The content is taken for spam, or a filter refuses it.
    Content = 11,
    /// A virus, or a kind of file that is not taken.
    Malware = 12,
    /// The message does not follow the standards.
    ContentFormat = 13,
    /// A rule of the other side that is not said more closely.
    Policy = 14,
    /// A blocklist, or a bad name, of the relay's address or the domain.
    Reputation = 15,
    /// The relay's address lacks a name in DNS, or its EHLO name is not liked.
    RelayName = 16,
    /// SPF, DKIM or DMARC.
    Authentication = 17,
    /// Encryption was required and could not be had.
    Tls = 18,
    /// The server does not answer for the domain, or to its own users alone.
    RelayDenied = 19,
    /// The sender's address is not accepted.
    SenderRefused = 20,
    /// Too much mail in a time.
    Rate = 21,
    /// New senders have to come again.
    Greylisting = 22,
    /// Too many connections at a time.
    Connections = 23,
    /// Too many recipients in one transaction.
    TooManyRecipients = 24,
    /// Refused at the greeting or EHLO, and it is not said why.
    NotAdmitted = 25,
    /// The host never takes mail (RFC 7504).
    HostTakesNoMail = 26,
    /// Trouble of the other server's own.
    ServerFault = 27,
    /// The other server does not know where to bring it.
    Routing = 28,
    /// It runs in a circle.
    Loop = 29,
    /// One side did not understand the other.
    Protocol = 30,
    /// The next hop lacks an extension that the message needs.
    Unsupported = 31,
    /// DNS gave no usable answer.
    Dns = 32,
    /// No connection, or one that broke.
    Network = 33,
    /// A server further on gave up after long.
    Expired = 34,
    /// No rule knows the reply.
    Unknown = 35,
    /// The next hop of a route did not let this relay log in.
    RelayLogin = 36,
    /// The sender requires TLS on the whole way (REQUIRETLS), and the next hop does not promise or have it.
    RequireTls = 37,
    /// The relay cannot send from its own address for now.
    RelaySource = 38,
    /// The relay's address is new to the provider, which gets only so much from it today.
    RelayWarmUp = 39,
}

/// What shaping should do with a site whose reply was of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteAction {
    /// Nothing: it concerns a recipient or a message.
    Nothing,
    /// Come again sooner than the retry schedule says.
    WaitShorter,
    /// Fewer connections at a time.
    FewerConnections,
    /// Fewer messages in a time.
    SendSlower,
    /// Leave the site alone for a while, and try it again carefully.
    Suspend,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Permanence {
    Soft,
    Hard,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    permanent: Permanence,
    #[serde(default)]
    suppresses: bool,
    status: String,
    site: SiteAction,
    english: String,
    french: String,
    next_english: String,
    next_french: String,
}

/// Read once; a text that cannot be read leaves it empty, which the tests of this file would tell.
static DESCRIBED: LazyLock<HashMap<Class, Described>> = LazyLock::new(|| toml::from_str(CLASSES).unwrap_or_default());

impl Class {
    /// Every class, in the order of their numbers.
    pub const ALL: [Class; 39] = [
        Class::NoSuchMailbox,
        Class::NoSuchDomain,
        Class::DomainTakesNoMail,
        Class::MailboxDisabled,
        Class::MailboxFull,
        Class::MailboxUnavailable,
        Class::RecipientRefused,
        Class::RecipientRestricted,
        Class::AddressSyntax,
        Class::MessageTooLarge,
        Class::Content,
        Class::Malware,
        Class::ContentFormat,
        Class::Policy,
        Class::Reputation,
        Class::RelayName,
        Class::Authentication,
        Class::Tls,
        Class::RelayDenied,
        Class::SenderRefused,
        Class::Rate,
        Class::Greylisting,
        Class::Connections,
        Class::TooManyRecipients,
        Class::NotAdmitted,
        Class::HostTakesNoMail,
        Class::ServerFault,
        Class::Routing,
        Class::Loop,
        Class::Protocol,
        Class::Unsupported,
        Class::Dns,
        Class::Network,
        Class::Expired,
        Class::Unknown,
        Class::RelayLogin,
        Class::RequireTls,
        Class::RelaySource,
        Class::RelayWarmUp,
    ];

    /// The number that stands for it on the disk; never 0.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The class that a number stands for; none of 0, and of one that a later version knows.
    pub fn of_number(number: u8) -> Option<Class> {
        Class::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    fn described(self) -> Option<&'static Described> {
        DESCRIBED.get(&self)
    }

    /// Whether a permanent reply of it may yet pass: the recipient ends as a soft bounce.
    pub fn passes(self) -> bool {
        self.described().is_some_and(|described| described.permanent == Permanence::Soft)
    }

    /// Whether the address itself is bad, so that a hard bounce of it is a reason to send nothing there again.
    ///
    /// Never of a class that speaks of the relay, the sender, the message, or of a reply that no rule knows.
    pub fn suppresses(self) -> bool {
        self.described().is_some_and(|described| described.suppresses)
    }

    /// What shaping should do with the site.
    pub fn site_action(self) -> SiteAction {
        self.described().map_or(SiteAction::Nothing, |described| described.site)
    }

    /// Subject and detail of the status that a DSN gives where the other server gave none (RFC 3463).
    pub fn status(self) -> (u16, u16) {
        let parse = |described: &Described| Enhanced::parse(&format!("5.{}", described.status));
        self.described().and_then(parse).map_or((0, 0), |Enhanced(_, subject, detail)| (subject, detail))
    }

    /// What it means, in words that a non-expert understands, of a recipient at this domain.
    pub fn words(self, language: Language, domain: &str) -> String {
        let pattern = self.described().map(|described| match language {
            Language::English => &described.english,
            Language::French => &described.french,
        });
        pattern.map(|pattern| pattern.replace("{domain}", domain)).unwrap_or_default()
    }

    /// What to do about it once nothing is tried any more.
    pub fn next_step(self, language: Language) -> &'static str {
        self.described().map_or("", |described| match language {
            Language::English => &described.next_english,
            Language::French => &described.next_french,
        })
    }

    /// Its stable name: `no_such_mailbox`.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.number()) - 1).map_or("", String::as_str)
    }
}

/// The names, as serde writes them, in the order of [`Class::ALL`].
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let name = |class: &Class| serde_json::to_value(class).ok()?.as_str().map(str::to_owned);
    Class::ALL.iter().map(|class| name(class).unwrap_or_default()).collect()
});

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is the name of no class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no class of this name")]
pub struct NoSuchClass;

impl FromStr for Class {
    type Err = NoSuchClass;

    fn from_str(name: &str) -> Result<Class, NoSuchClass> {
        Class::ALL.into_iter().find(|class| class.name() == name).ok_or(NoSuchClass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_described_in_both_languages() {
        let read: Result<HashMap<Class, Described>, _> = toml::from_str(CLASSES);
        assert!(read.is_ok(), "{read:?}");
        for class in Class::ALL {
            assert_eq!(Class::of_number(class.number()), Some(class));
            assert_eq!(class.name().parse(), Ok(class));
            let (english, french) =
                (class.words(Language::English, "example.com"), class.words(Language::French, "example.com"));
            for text in [&english, &french, class.next_step(Language::English), class.next_step(Language::French)] {
                assert!(text.len() > 10, "{class}: {text}");
                assert!(!text.contains(['{', '}']), "{class}: {text}");
                assert!(text.ends_with('.'), "{class}: {text}");
            }
            assert_ne!(english, french, "{class}");
            assert_ne!(class.next_step(Language::English), class.next_step(Language::French), "{class}");
            assert!(class == Class::Unknown || class.status() != (0, 0), "{class}");
        }
        assert_eq!(Class::of_number(0), None);
        assert_eq!(Class::of_number(200), None);
    }

    #[test]
    fn only_bad_addresses_are_suppressed() {
        let suppressing: Vec<_> = Class::ALL.into_iter().filter(|class| class.suppresses()).collect();
        let bad = [Class::NoSuchMailbox, Class::NoSuchDomain, Class::DomainTakesNoMail, Class::MailboxDisabled];
        assert_eq!(suppressing, bad);
        assert!(bad.iter().all(|class| !class.passes()));
    }
}
