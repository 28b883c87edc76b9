//! Who may do what: the powers of members and API keys, the roles that give them, and how far a caller reaches.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::id::Id;

/// One thing that a member or an API key of an account may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// See Activity, its export, Connections, and what the dashboard makes of them.
    Activity,
    /// Manage domains, SMTP users and the settings of the account; send test mails.
    Domains,
    /// Ask for another plan.
    Plan,
    /// Manage members, API keys, webhooks and suppressions; read the audit log; lift blocks.
    Administration,
    /// Hand in messages by HTTP.
    Submit,
}

impl Power {
    /// Every one.
    pub const ALL: [Power; 5] = [Power::Activity, Power::Domains, Power::Plan, Power::Administration, Power::Submit];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of powers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Power>", into = "Vec<Power>")]
pub struct Powers(u8);

impl Powers {
    /// None at all.
    pub const NONE: Powers = Powers(0);

    /// Every one.
    pub const ALL: Powers = Powers((1 << Power::ALL.len()) - 1);

    /// Whether this one is among them.
    pub fn has(self, power: Power) -> bool {
        self.0 & power.bit() != 0
    }

    /// Whether all of `others` are among them.
    pub fn cover(self, others: Powers) -> bool {
        self.0 & others.0 == others.0
    }

    /// Each, in the order of [`Power::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Power> {
        Power::ALL.into_iter().filter(move |power| self.has(*power))
    }
}

impl FromIterator<Power> for Powers {
    fn from_iter<T: IntoIterator<Item = Power>>(powers: T) -> Self {
        Powers(powers.into_iter().fold(0, |bits, power| bits | power.bit()))
    }
}

impl From<Vec<Power>> for Powers {
    fn from(powers: Vec<Power>) -> Self {
        powers.into_iter().collect()
    }
}

impl From<Powers> for Vec<Power> {
    fn from(powers: Powers) -> Self {
        powers.iter().collect()
    }
}

/// What a member is in an account (product: accounts, members, roles).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May everything.
    Administrator,
    /// Sees the dashboard and Activity whole.
    Regular,
    /// Sees the dashboard without what Activity knows.
    Custom,
    /// The same with "Access SMTP activities".
    CustomWithActivity,
}

impl Role {
    /// Every one.
    pub const ALL: [Role; 4] = [Role::Administrator, Role::Regular, Role::Custom, Role::CustomWithActivity];

    /// What it gives.
    pub fn powers(self) -> Powers {
        match self {
            Role::Administrator => Powers::ALL,
            Role::Regular | Role::CustomWithActivity => Powers::from_iter([Power::Activity]),
            Role::Custom => Powers::NONE,
        }
    }
}

/// How far a caller reaches: the whole relay, or one account with some powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The operator: everything of everybody.
    Operator,
    /// A member or an API key: what belongs to the account, as far as the powers go. Nothing else exists for it.
    Account(Id<Account>, Powers),
}

impl Scope {
    /// Whether what belongs to this account exists for the caller.
    pub fn sees(self, account: Id<Account>) -> bool {
        match self {
            Scope::Operator => true,
            Scope::Account(own, _) => own == account,
        }
    }

    /// Whether the caller may do what needs this.
    pub fn meets(self, need: Need) -> bool {
        match (self, need) {
            (Scope::Operator, _) | (Scope::Account(..), Need::Member) => true,
            (Scope::Account(..), Need::Operator) => false,
            (Scope::Account(_, powers), Need::Power(power)) => powers.has(power),
        }
    }
}

/// What an operation asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To be the operator.
    Operator,
    /// To belong to the account.
    Member,
    /// To belong to the account, with this power.
    Power(Power),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let some = Powers::from_iter([Power::Submit, Power::Activity]);
        assert!(some.has(Power::Activity) && some.has(Power::Submit) && !some.has(Power::Domains));
        assert_eq!(Vec::from(some), [Power::Activity, Power::Submit]);
        assert_eq!(Vec::from(Powers::ALL), Power::ALL);
        assert!(Role::Administrator.powers().cover(some) && !some.cover(Role::Administrator.powers()));
        assert!(some.cover(Powers::NONE));
    }

    #[test]
    fn powers_are_written_as_words() {
        let words = serde_json::to_string(&Role::Regular.powers()).unwrap_or_default();
        assert_eq!(words, r#"["activity"]"#);
        assert_eq!(serde_json::from_str::<Powers>(&words).ok(), Some(Role::Regular.powers()));
        assert!(serde_json::from_str::<Powers>(r#"["everything"]"#).is_err());
    }

    /// The table of product section 3, cell by cell.
    #[test]
    fn roles_are_as_the_product_says() {
        let table = [
            (Role::Administrator, [true, true, true, true]),
            (Role::Regular, [true, false, false, false]),
            (Role::Custom, [false, false, false, false]),
            (Role::CustomWithActivity, [true, false, false, false]),
        ];
        for (role, cells) in table {
            let powers = [Power::Activity, Power::Domains, Power::Plan, Power::Administration];
            assert_eq!(powers.map(|power| role.powers().has(power)), cells, "{role:?}");
        }
    }

    #[test]
    fn a_scope_ends_at_its_account() {
        let (own, other) = (Id::new(1), Id::new(2));
        let member = Scope::Account(own, Role::Custom.powers());
        assert!(member.sees(own) && !member.sees(other) && Scope::Operator.sees(other));
        assert!(member.meets(Need::Member) && !member.meets(Need::Power(Power::Activity)));
        let administrator = Scope::Account(own, Role::Administrator.powers());
        assert!(!administrator.meets(Need::Operator) && Scope::Operator.meets(Need::Operator));
    }
}
