//! The people who sign in: what has to be remembered of them, and the verbs that change it.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Actor, StoreError};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::member::failures::FailedSignIns;
use crate::member::{Link, Member, MemberChange, NewMember, SignIn};
use crate::smtp_user::PasswordHash;

/// Members, the browsers that they are signed in with, and their links. Verbs block on the disk: call them off the
/// async threads. A change of a member is in the audit log and in [`super::Book::directory`] before it returns.
pub trait Members: Send + Sync + 'static {
    /// Adds a member, without a password.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody has the address, [`StoreError::NotFound`] without the account.
    fn member_add(&self, member: NewMember, by: &Actor, now: Timestamp) -> Result<Arc<Member>, StoreError>;

    /// Changes a member.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where nobody would be left who administers, and where the member is
    /// not as they were any more ([`MemberChange::While`]).
    fn member_change(
        &self,
        member: Id<Member>,
        change: MemberChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Member>, StoreError>;

    /// Removes a member: their sign-ins and links end that instant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where nobody would be left who administers.
    fn member_remove(&self, member: Id<Member>, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// Keeps a new sign-in, and where it came from ([`Members::sites`]). Of those that wait for a one-time code the oldest go
    /// where they are too many ([`crate::member::failures::WAITING_MAX`]), and are failures from then on.
    /// `of` is the member as they were when they were let in.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the member; [`StoreError::Conflict`] where their password or one-time codes are others
    /// by now.
    fn sign_in_add(&self, sign_in: SignIn, of: &Member, by: &Actor) -> Result<(), StoreError>;

    /// Lets a sign-in look in an account's place, or no more; one that has ended stays ended.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the member.
    fn sign_in_act(
        &self,
        sign_in: &SignIn,
        acting_for: Option<Id<Account>>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The places that a member has signed in from, and when last, as far as they are remembered
    /// ([`Members::sign_ins_prune`]).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sites(&self, member: Id<Member>) -> Result<Vec<(IpAddr, Timestamp)>, StoreError>;

    /// The sign-in of this token.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sign_in(&self, token: &PasswordHash) -> Result<Option<SignIn>, StoreError>;

    /// Where a member is signed in, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sign_ins(&self, member: Id<Member>) -> Result<Vec<SignIn>, StoreError>;

    /// Ends a sign-in; it may have ended already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sign_in_end(&self, token: &PasswordHash) -> Result<(), StoreError>;

    /// Adds failures to those that are kept ([`crate::member::failures::add`]); those of members that are gone are nobody's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sign_ins_failed(&self, failed: &[FailedSignIns]) -> Result<(), StoreError>;

    /// The failures that are kept of a member, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn failed_sign_ins(&self, member: Id<Member>) -> Result<Vec<FailedSignIns>, StoreError>;

    /// Last uses of sign-ins, gathered.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sign_ins_seen(&self, seen: &[(PasswordHash, Timestamp)]) -> Result<(), StoreError>;

    /// Forgets sign-ins that were not used since `unused_since` or are older than `made_before`, places that nobody has
    /// signed in from since then, failures from before then, and links that have expired by `now`. Sign-ins that wait too
    /// long for their one-time code become failures.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sign_ins_prune(&self, unused_since: Timestamp, made_before: Timestamp, now: Timestamp)
    -> Result<(), StoreError>;

    /// Keeps a link; `alone`: others of the member are void.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the member.
    fn link_put(&self, link: Link, alone: bool, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// The link of this token.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn link(&self, token: &PasswordHash) -> Result<Option<Link>, StoreError>;
}
