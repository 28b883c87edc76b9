//! The deciding snapshot: all that a session or a delivery asks of accounts, domains and users, in memory.
//!
//! The store swaps in a new one after each ledger commit and before the command that caused it is
//! answered, so that "stops that instant" is true.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::account::{Account, Leaving};
use crate::api_key::ApiKey;
use crate::brake::Brakes;
use crate::clock::{Day, Timestamp};
use crate::id::Id;
use crate::member::Member;
use crate::plan::{Plan, Plans};
use crate::reroute::Reroute;
use crate::sending_domain::SendingDomain;
use crate::sharded::Sharded;
use crate::smtp_user::{PasswordHash, SmtpUser};
use crate::suppression::Suppressions;
use crate::webhook::Webhook;

/// Everything that decides, as of one ledger commit. Immutable once shared; the next one shares what did not change.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Grows by one with each commit.
    pub generation: u64,
    /// Every account.
    pub accounts: Sharded<Id<Account>, Arc<Account>>,
    /// Accounts that are deleted, as long as something of them is left.
    pub leaving: BTreeMap<Id<Account>, Leaving>,
    /// Every plan.
    pub plans: Plans,
    /// Every domain, also deleted ones that still have mail.
    pub domains: Sharded<Id<SendingDomain>, Arc<SendingDomain>>,
    /// Every SMTP user.
    pub users: Sharded<Id<SmtpUser>, Arc<SmtpUser>>,
    /// The same by username.
    pub usernames: Sharded<String, Id<SmtpUser>>,
    /// The automatic brakes that are on, and of each subject the last that was.
    pub brakes: Arc<Brakes>,
    /// Orders of the operator to send waiting mail another way, the newest last.
    pub reroutes: Arc<Vec<Reroute>>,
    /// Suppressed addresses by account.
    pub suppressions: Sharded<Id<Account>, Arc<Suppressions>>,
    /// Every API key.
    pub api_keys: Sharded<Id<ApiKey>, Arc<ApiKey>>,
    /// The same by the hash of its secret.
    pub api_key_hashes: Sharded<PasswordHash, Id<ApiKey>>,
    /// Every member.
    pub members: Sharded<Id<Member>, Arc<Member>>,
    /// The same by [`Member::key_of`] their address.
    pub member_emails: Sharded<String, Id<Member>>,
    /// Every webhook, by account: each event asks for those of its own.
    pub webhooks: BTreeMap<(Id<Account>, Id<Webhook>), Arc<Webhook>>,
    /// Whose each of them is.
    pub webhook_accounts: Sharded<Id<Webhook>, Id<Account>>,
}

impl Directory {
    /// Which day a moment is for an account: the date in its time zone, or in UTC where it is gone.
    pub fn day_of(&self, account: Id<Account>, at: Timestamp) -> Day {
        self.accounts.get(&account).map_or_else(|| at.day(), |account| account.day(at))
    }

    /// The plan that accounts begin on which the operator makes.
    pub fn default_plan(&self) -> Option<&Arc<Plan>> {
        self.plans.values().find(|plan| plan.is_default)
    }

    /// The SMTP user of this username.
    pub fn user_named(&self, username: &str) -> Option<&Arc<SmtpUser>> {
        self.users.get(self.usernames.get(username)?)
    }

    /// The member with this address, whatever the case of its letters.
    pub fn member_of(&self, email: &str) -> Option<&Arc<Member>> {
        self.members.get(self.member_emails.get(&Member::key_of(email))?)
    }

    /// The API key whose secret has this hash. The hash is keyed, so what a look-up takes tells nothing of the secret.
    pub fn api_key_of(&self, hash: &PasswordHash) -> Option<&Arc<ApiKey>> {
        self.api_keys.get(self.api_key_hashes.get(hash)?)
    }

    /// The webhooks of an account, by number.
    pub fn webhooks_of(&self, account: Id<Account>) -> impl Iterator<Item = &Arc<Webhook>> {
        let all = (account, Id::new(0))..=(account, Id::new(u64::MAX));
        self.webhooks.range(all).map(|(_, webhook)| webhook)
    }

    /// The webhook with this number.
    pub fn webhook(&self, id: Id<Webhook>) -> Option<&Arc<Webhook>> {
        self.webhooks.get(&(*self.webhook_accounts.get(&id)?, id))
    }
}
