//! The members of the data folder: decided by the book's rules, kept by the ledger.

use std::net::IpAddr;
use std::sync::Arc;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::member::failures::FailedSignIns;
use relay::member::{Link, Member, MemberChange, NewMember, SignIn};
use relay::smtp_user::PasswordHash;
use relay::store::{Actor, Members, StoreError};

use super::Embedded;

impl Members for Embedded {
    fn member_add(&self, member: NewMember, by: &Actor, now: Timestamp) -> Result<Arc<Member>, StoreError> {
        self.ledger.book(|register| register.member_add(member, by, now))
    }

    fn member_change(
        &self,
        member: Id<Member>,
        change: MemberChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Member>, StoreError> {
        self.ledger.book(|register| register.member_change(member, change, by, now))
    }

    fn member_remove(&self, member: Id<Member>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.book(|register| register.member_remove(member, by, now))
    }

    fn sign_in_add(&self, sign_in: SignIn, of: &Member, by: &Actor) -> Result<(), StoreError> {
        self.ledger.book(|register| register.sign_in_add(sign_in, of, by))
    }

    fn sign_in_act(
        &self,
        sign_in: &SignIn,
        acting_for: Option<Id<Account>>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ledger.book(|register| register.sign_in_act(sign_in, acting_for, by, now))
    }

    fn sites(&self, member: Id<Member>) -> Result<Vec<(IpAddr, Timestamp)>, StoreError> {
        self.ledger.sites(member)
    }

    fn sign_ins_failed(&self, failed: &[FailedSignIns]) -> Result<(), StoreError> {
        self.ledger.sign_ins_failed(failed)
    }

    fn failed_sign_ins(&self, member: Id<Member>) -> Result<Vec<FailedSignIns>, StoreError> {
        self.ledger.failed_sign_ins(member)
    }

    fn sign_in(&self, token: &PasswordHash) -> Result<Option<SignIn>, StoreError> {
        self.ledger.sign_in(token)
    }

    fn sign_ins(&self, member: Id<Member>) -> Result<Vec<SignIn>, StoreError> {
        self.ledger.sign_ins(member)
    }

    fn sign_in_end(&self, token: &PasswordHash) -> Result<(), StoreError> {
        self.ledger.sign_in_end(token)
    }

    fn sign_ins_seen(&self, seen: &[(PasswordHash, Timestamp)]) -> Result<(), StoreError> {
        self.ledger.sign_ins_seen(seen)
    }

    fn sign_ins_prune(
        &self,
        unused_since: Timestamp,
        made_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ledger.sign_ins_prune(unused_since, made_before, now)
    }

    fn link_put(&self, link: Link, alone: bool, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.book(|register| register.link_put(link, alone, by, now))
    }

    fn link(&self, token: &PasswordHash) -> Result<Option<Link>, StoreError> {
        self.ledger.link(token)
    }
}
