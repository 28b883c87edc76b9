//! The model's members, sign-ins and links.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::member::failures::{self, FailedSignIns, WAITING_MAX};
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
                self.failed_sign_ins.remove(member);
            }
            Write::SignIn(sign_in) => {
                self.sign_ins.insert(sign_in.token, sign_in.clone());
                self.bound_waiting(sign_in.member);
            }
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
                self.end_sign_ins(|sign_in| sign_in.member == *member && Some(sign_in.token) != *keep);
            }
            Write::Link(link) => drop(self.links.insert(link.token, link.clone())),
            Write::LinksGone(member) => self.links.retain(|_, link| link.member != *member),
            _ => {}
        }
    }

    /// Ends sign-ins; those that waited for a code are failures.
    fn end_sign_ins(&mut self, is_over: impl Fn(&SignIn) -> bool) {
        let over: Vec<_> =
            self.sign_ins.extract_if(|_, sign_in| is_over(sign_in)).map(|(_, sign_in)| sign_in).collect();
        over.iter().filter(|sign_in| !sign_in.confirmed).for_each(|sign_in| self.add_failed(&sign_in.failed()));
    }

    fn add_failed(&mut self, failed: &FailedSignIns) {
        failures::add(self.failed_sign_ins.entry(failed.member).or_default(), failed);
    }

    /// Of a member's sign-ins that wait for a code the newest stay.
    fn bound_waiting(&mut self, member: Id<Member>) {
        let waiting = self.sign_ins.values().filter(|kept| kept.member == member && !kept.confirmed);
        let mut waiting: Vec<_> = waiting.map(|kept| (Reverse(kept.created_at), kept.token.0)).collect();
        waiting.sort_unstable();
        let beyond: Vec<_> = waiting.into_iter().skip(WAITING_MAX).map(|(_, token)| token).collect();
        self.end_sign_ins(|kept| beyond.contains(&kept.token.0));
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

    fn sign_in_add(&self, sign_in: SignIn, of: &Member, by: &Actor) -> Result<(), StoreError> {
        self.book(|register| register.sign_in_add(sign_in, of, by))
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

    fn sites(&self, member: Id<Member>) -> Result<Vec<(IpAddr, Timestamp)>, StoreError> {
        let state = self.state();
        let own = state.member_sites.iter().filter(|((who, _), _)| *who == member);
        let mut sites: Vec<_> = own.map(|((_, site), at)| (*site, *at)).collect();
        sites.sort_by_key(|(site, _)| site.to_string());
        Ok(sites)
    }

    fn sign_ins_failed(&self, failed: &[FailedSignIns]) -> Result<(), StoreError> {
        let mut state = self.state();
        for failed in failed {
            if state.register.directory.members.contains_key(&failed.member) {
                state.add_failed(failed);
            }
        }
        Ok(())
    }

    fn failed_sign_ins(&self, member: Id<Member>) -> Result<Vec<FailedSignIns>, StoreError> {
        let mut found = self.state().failed_sign_ins.get(&member).cloned().unwrap_or_default();
        found.sort_by_key(failures::order);
        Ok(found)
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
        state
            .end_sign_ins(|kept| kept.seen_at < unused_since || kept.created_at < made_before || kept.has_no_code(now));
        state.member_sites.retain(|_, at| *at >= made_before);
        for failed in state.failed_sign_ins.values_mut() {
            failed.retain(|failed| failed.last_at >= made_before);
        }
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
