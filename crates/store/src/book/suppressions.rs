//! Addresses that an account does not send to: added, lifted, forgotten when their time is over.

use relay::account::Account;
use relay::audit::{About, Details, Field, Kind};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::smtp_user::SmtpUser;
use relay::store::{Actor, StoreError};
use relay::suppression::Suppression;
use std::sync::Arc;

use super::{Decided, Draft, Register, Write};

impl Draft {
    fn put_suppression(&mut self, account: Id<Account>, address: &str, suppression: &Suppression) {
        if !self.next.suppressions.contains_key(&account) {
            self.next.suppressions.insert(account, Arc::default());
        }
        if let Some(all) = self.next.suppressions.get_mut(&account) {
            Arc::make_mut(all).insert(address.to_owned(), suppression.clone());
        }
        let (address, suppression) = (address.to_owned(), suppression.clone());
        self.writes.push(Write::Suppression { account, address, suppression });
    }

    /// Whether it was there.
    fn drop_suppression(&mut self, account: Id<Account>, address: &str, stream: Option<Id<SmtpUser>>) -> bool {
        let all = self.next.suppressions.get_mut(&account).map(Arc::make_mut);
        let was_there = all.is_some_and(|all| all.remove(address, stream).is_some());
        if was_there {
            self.writes.push(Write::SuppressionGone { account, address: address.to_owned(), stream });
        }
        was_there
    }
}

impl Register {
    pub(crate) fn suppress(
        &self,
        account: Id<Account>,
        added: &[(String, Suppression)],
        replace: bool,
        by: Option<&Actor>,
        now: Timestamp,
    ) -> Decided<u64> {
        self.account(account)?;
        let mut draft = self.draft();
        let mut changed = 0;
        for (address, suppression) in added {
            let address = address.trim().to_lowercase();
            let known = draft.next.suppressions.get(&account).and_then(|all| all.of(&address, suppression.stream));
            if !replace && known.is_some_and(|known| known.outlasts(suppression)) {
                continue;
            }
            draft.put_suppression(account, &address, suppression);
            changed += 1;
        }
        match (by, added) {
            (None, _) | (_, []) => {}
            (Some(by), [(address, suppression)]) => {
                let address = address.trim().to_lowercase();
                let told = self.suppressed(&address, suppression.stream);
                draft.note(by, now, "suppression.add", told, Some(account));
            }
            (Some(by), _) => {
                let told = Details::from(About::of(Kind::Suppressions)).with(Field::Addresses, &changed);
                draft.note(by, now, "suppression.import", told, Some(account));
            }
        }
        Ok(draft.done(changed))
    }

    pub(crate) fn suppressions_expire(&self, now: Timestamp) -> super::Change<u64> {
        let over: Vec<_> = self
            .directory
            .suppressions
            .iter()
            .flat_map(|(account, all)| all.iter().map(move |(address, one)| (*account, address, one)))
            .filter(|(.., one)| !one.holds(now))
            .map(|(account, address, one)| (account, address.clone(), one.stream))
            .collect();
        let mut draft = self.draft();
        for (account, address, stream) in &over {
            draft.drop_suppression(*account, address, *stream);
        }
        draft.done(over.len() as u64)
    }

    pub(crate) fn unsuppress(
        &self,
        account: Id<Account>,
        address: &str,
        stream: Option<Id<SmtpUser>>,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<()> {
        let address = address.trim().to_lowercase();
        let mut draft = self.draft();
        if !draft.drop_suppression(account, &address, stream) {
            return Err(StoreError::NotFound(format!("suppression of {address} in account {account}")));
        }
        draft.note(by, now, "suppression.lift", self.suppressed(&address, stream), Some(account));
        Ok(draft.done(()))
    }

    /// A suppression as the audit log tells of it.
    fn suppressed(&self, address: &str, stream: Option<Id<SmtpUser>>) -> Details {
        // the stream outlives its user
        let user = stream.map(|id| self.user_named(id));
        Details::from(About::named(Kind::Suppression, address)).with_any(Field::SmtpUser, user.as_ref())
    }

    /// Lifts every suppression of an address; the audit log says that, and not of which address.
    pub(crate) fn suppression_erase(
        &self,
        account: Id<Account>,
        address: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<bool> {
        let address = address.trim().to_lowercase();
        let mut draft = self.draft();
        let streams = self.directory.suppressions.get(&account).map(|all| all.streams_of(&address)).unwrap_or_default();
        let mut was_there = draft.drop_suppression(account, &address, None);
        for stream in streams {
            was_there |= draft.drop_suppression(account, &address, Some(stream));
        }
        if was_there {
            draft.note(by, now, "suppression.erase", About::of(Kind::Suppression), Some(account));
        }
        Ok(draft.done(was_there))
    }
}
