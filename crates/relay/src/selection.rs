//! Which recipients of the queue somebody means: by account, sending domain, SMTP user, recipient and age.

use serde::{Deserialize, Serialize};
use smtp::address::Address;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::queue::{Envelope, RecipientState};
use crate::sending_domain::SendingDomain;
use crate::smtp_user::SmtpUser;
use crate::store::QueueEntry;

/// What recipients of the queue have in common; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Their account.
    pub account: Option<Id<Account>>,
    /// Their sending domain.
    pub domain: Option<Id<SendingDomain>>,
    /// The SMTP user that sent to them.
    pub user: Option<Id<SmtpUser>>,
    /// Who they are.
    pub recipient: Option<Whom>,
    /// Accepted at or after.
    pub since: Option<Timestamp>,
    /// Accepted before.
    pub until: Option<Timestamp>,
}

/// One address, or all of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// The local part, as written; none: all of the domain.
    local: Option<String>,
    /// The domain in A-labels.
    ascii: String,
    /// The domain in its Unicode form.
    unicode: String,
}

impl Whom {
    /// The address `local@domain`, or all of `@domain` or `domain`; none where that is no domain.
    pub fn parse(given: &str) -> Option<Whom> {
        let (local, domain) = given.trim().rsplit_once('@').unwrap_or(("", given.trim()));
        let ascii = idna::domain_to_ascii(domain).ok().filter(|ascii| !ascii.is_empty() && !ascii.contains(' '))?;
        let (unicode, _) = idna::domain_to_unicode(&ascii);
        Some(Whom { local: (!local.is_empty()).then(|| local.to_owned()), ascii, unicode })
    }

    /// Whether a recipient's domain, in whichever form it is kept, is the one.
    fn is_at(&self, domain: &str) -> bool {
        domain.eq_ignore_ascii_case(&self.ascii) || domain.eq_ignore_ascii_case(&self.unicode)
    }

    /// Local parts are compared loosely: whoever names an address means its owner.
    fn is(&self, address: &Address) -> bool {
        let is_local = |local: &String| local.eq_ignore_ascii_case(address.local());
        self.is_at(address.domain()) && self.local.as_ref().is_none_or(is_local)
    }
}

impl Filter {
    /// Whether it names nothing: then it means the whole queue.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// The recipients of a message that it means as far as the index of the queue says, of those whose state is wanted.
    /// Where [`Filter::needs_envelope`], not all of them may be.
    pub fn of_entry(&self, entry: &QueueEntry, wants: impl Fn(&RecipientState) -> bool) -> Vec<u16> {
        if !self.means(entry.account, entry.domain, entry.accepted_at) {
            return Vec::new();
        }
        let is_meant = |domain: &str| self.recipient.as_ref().is_none_or(|whom| whom.is_at(domain));
        let wanted = entry.recipients.iter().filter(|(_, domain, state)| is_meant(domain) && wants(state));
        wanted.map(|(number, ..)| *number).collect()
    }

    fn means(&self, account: Id<Account>, domain: Option<Id<SendingDomain>>, accepted_at: Timestamp) -> bool {
        self.account.is_none_or(|one| one == account)
            && (self.domain.is_none() || self.domain == domain)
            && self.since.is_none_or(|since| accepted_at >= since)
            && self.until.is_none_or(|until| accepted_at < until)
    }

    /// Whether the envelope has to be read to know: the index has no addresses and no SMTP users.
    pub fn needs_envelope(&self) -> bool {
        self.user.is_some() || self.recipient.as_ref().is_some_and(|whom| whom.local.is_some())
    }

    /// Whether it means this recipient of a message.
    pub fn is_of(&self, envelope: &Envelope, recipient: u16) -> bool {
        self.means(envelope.account, envelope.domain, envelope.accepted_at)
            && !self.of_envelope(envelope, vec![recipient]).is_empty()
    }

    /// Those of these recipients that it means.
    pub fn of_envelope(&self, envelope: &Envelope, numbers: Vec<u16>) -> Vec<u16> {
        if self.user.is_some() && self.user != envelope.user {
            return Vec::new();
        }
        let Some(whom) = &self.recipient else { return numbers };
        let is_meant = |number: &u16| envelope.recipients.get(usize::from(*number)).is_some_and(|one| whom.is(one));
        numbers.into_iter().filter(is_meant).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::id::MessageId;
    use crate::queue::HoldReason;
    use std::sync::Arc;

    fn entry() -> QueueEntry {
        let waiting = RecipientState::Waiting { due: Timestamp(9), attempts: 1 };
        let held = RecipientState::Held { reason: HoldReason::Operator, attempts: 0 };
        QueueEntry {
            message: MessageId(1),
            account: Id::new(3),
            domain: Some(Id::new(4)),
            accepted_at: Timestamp(1_000),
            class: crate::priority::Class::Normal,
            waives_tls: false,
            recipients: vec![
                (0, Arc::from("One.example"), waiting.clone()),
                (2, Arc::from("two.example"), held),
                (5, Arc::from("bücher.example"), waiting),
            ],
        }
    }

    fn any(_: &RecipientState) -> bool {
        true
    }

    #[test]
    fn what_is_not_named_does_not_matter() {
        assert_eq!(Filter::default().of_entry(&entry(), any), [0, 2, 5]);
        let of_account = |number| Filter { account: Some(Id::new(number)), ..Filter::default() };
        assert_eq!(of_account(3).of_entry(&entry(), any), [0, 2, 5]);
        assert!(of_account(4).of_entry(&entry(), any).is_empty());
        let of_domain = |number| Filter { domain: Some(Id::new(number)), ..Filter::default() };
        assert_eq!(of_domain(4).of_entry(&entry(), any).len(), 3);
        assert!(of_domain(3).of_entry(&entry(), any).is_empty());
        let held = |state: &RecipientState| matches!(state, RecipientState::Held { .. });
        assert_eq!(Filter::default().of_entry(&entry(), held), [2]);
    }

    #[test]
    fn age_is_from_its_beginning_to_before_its_end() {
        let aged = |since, until| {
            let filter = Filter { since: Some(Timestamp(since)), until: Some(Timestamp(until)), ..Filter::default() };
            !filter.of_entry(&entry(), any).is_empty()
        };
        assert!(aged(1_000, 1_001) && aged(0, 2_000));
        assert!(!aged(1_001, 2_000) && !aged(0, 1_000));
    }

    #[test]
    fn a_domain_is_known_in_each_of_its_forms() {
        let to = |given: &str| Filter { recipient: Whom::parse(given), ..Filter::default() };
        assert_eq!(to("@one.EXAMPLE").of_entry(&entry(), any), [0]);
        assert_eq!(to("xn--bcher-kva.example").of_entry(&entry(), any), [5]);
        assert_eq!(to("@Bücher.example").of_entry(&entry(), any), [5]);
        assert!(to("ne.example").of_entry(&entry(), any).is_empty(), "a neighbour");
        assert!(Whom::parse("").is_none() && Whom::parse("a@").is_none() && Whom::parse("two words").is_none());
    }

    #[test]
    fn an_address_needs_the_envelope() {
        let to = Filter { recipient: Whom::parse("Anna@one.example"), ..Filter::default() };
        assert!(to.needs_envelope());
        assert!(!Filter { recipient: Whom::parse("one.example"), ..Filter::default() }.needs_envelope());
        assert!(Filter { user: Some(Id::new(1)), ..Filter::default() }.needs_envelope());
    }
}
