//! The model's members, sign-ins and links.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::member::{Link, Member, MemberChange, NewMember, SignIn};
use relay::smtp_user::PasswordHash;
use relay::store::{Actor, Members, StoreError};

use super::{Memory, State};
use crate::book::Write;

impl State {
    /// Keeps one row of a change.
    pub(super) fn keep_member_row(&mut self, write: &Write) {
        match write {
            Write::MemberGone(member) => {
                self.sign_ins.retain(|_, sign_in| sign_in.member != *member);
                self.links.retain(|_, link| link.member != *member);
                self.member_sites.retain(|(who, _), _| who != member);
            }
            Write::SignIn(sign_in) => drop(self.sign_ins.insert(sign_in.token, sign_in.clone())),
            Write::SignInActs { token, acting_for } => {
                if let Some(sign_in) = self.sign_ins.get_mut(token) {
                    sign_in.acting_for = *acting_for;
                }
            }
            Write::MemberSite { member, site, at } => {
                let last = self.member_sites.entry((*member, *site)).or_insert(*at);
                *last = (*last).max(*at);
            }
            Write::SignInsGone { member, keep } => {
                self.sign_ins.retain(|token, sign_in| sign_in.member != *member || Some(*token) == *keep);
            }
            Write::Link(link) => drop(self.links.insert(link.token, link.clone())),
            Write::LinksGone(member) => self.links.retain(|_, link| link.member != *member),
            _ => {}
        }
    }
}

impl Members for Memory {
    fn member_add(&self, member: NewMember, by: &Actor, now: Timestamp) -> Result<Arc<Member>, StoreError> {
        self.book(|register| register.member_add(member, by, now))
    }

    fn member_change(
        &self,
        member: Id<Member>,
        change: MemberChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Member>, StoreError> {
        self.book(|register| register.member_change(member, change, by, now))
    }

    fn member_remove(&self, member: Id<Member>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.book(|register| register.member_remove(member, by, now))
    }

    fn sign_in_add(&self, sign_in: SignIn, by: &Actor) -> Result<(), StoreError> {
        self.book(|register| register.sign_in_add(sign_in, by))
    }

    fn sign_in_act(
        &self,
        sign_in: &SignIn,
        acting_for: Option<Id<Account>>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.book(|register| register.sign_in_act(sign_in, acting_for, by, now))
    }

    fn sites(&self, member: Id<Member>) -> Result<Vec<IpAddr>, StoreError> {
        let state = self.state();
        let mut sites: Vec<_> =
            state.member_sites.keys().filter(|(who, _)| *who == member).map(|(_, site)| *site).collect();
        sites.sort_by_key(ToString::to_string);
        Ok(sites)
    }

    fn sign_in(&self, token: &PasswordHash) -> Result<Option<SignIn>, StoreError> {
        Ok(self.state().sign_ins.get(token).cloned())
    }

    fn sign_ins(&self, member: Id<Member>) -> Result<Vec<SignIn>, StoreError> {
        let state = self.state();
        let mut found: Vec<_> = state.sign_ins.values().filter(|found| found.member == member).cloned().collect();
        found.sort_by_key(|sign_in| (Reverse(sign_in.seen_at), sign_in.token.0));
        Ok(found)
    }

    fn sign_in_end(&self, token: &PasswordHash) -> Result<(), StoreError> {
        self.state().sign_ins.remove(token);
        Ok(())
    }

    fn sign_ins_seen(&self, seen: &[(PasswordHash, Timestamp)]) -> Result<(), StoreError> {
        let mut state = self.state();
        for (token, at) in seen {
            if let Some(sign_in) = state.sign_ins.get_mut(token) {
                sign_in.seen_at = sign_in.seen_at.max(*at);
            }
        }
        Ok(())
    }

    fn sign_ins_prune(
        &self,
        unused_since: Timestamp,
        made_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        state.sign_ins.retain(|_, kept| kept.seen_at >= unused_since && kept.created_at >= made_before);
        state.member_sites.retain(|_, at| *at >= made_before);
        state.links.retain(|_, link| link.expires_at > now);
        Ok(())
    }

    fn link_put(&self, link: Link, alone: bool, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.book(|register| register.link_put(link, alone, by, now))
    }

    fn link(&self, token: &PasswordHash) -> Result<Option<Link>, StoreError> {
        Ok(self.state().links.get(token).cloned())
    }
}
