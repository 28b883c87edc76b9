//! What each verb of the members makes of people, their sign-ins and their links.

use std::sync::Arc;

use relay::account::Account;
use relay::audit::{About, Details, Field, Word};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::member::{Link, Member, MemberChange, NewMember, SignIn};
use relay::power::Role;
use relay::site::Site;
use relay::store::{Actor, StoreError};

use super::{Decided, Draft, Register, Write};

impl Draft {
    fn put_member(&mut self, member: Member) -> Arc<Member> {
        let member = Arc::new(member);
        self.next.member_emails.insert(Member::key_of(&member.email), member.id);
        self.next.members.insert(member.id, Arc::clone(&member));
        self.writes.push(Write::Member(Arc::clone(&member)));
        member
    }
}

impl Register {
    fn member(&self, id: Id<Member>) -> Result<&Arc<Member>, StoreError> {
        self.directory.members.get(&id).ok_or_else(|| StoreError::NotFound(format!("member {id}")))
    }

    pub(crate) fn member_add(&self, new: NewMember, by: &Actor, now: Timestamp) -> Decided<Arc<Member>> {
        if let Some(account) = new.account {
            self.account(account)?;
        }
        if self.directory.member_of(&new.email).is_some() {
            return Err(StoreError::Conflict(format!("{} is the address of a member already", new.email)));
        }
        let mut draft = self.draft();
        draft.numbers.member += 1;
        let member = draft.put_member(Member {
            id: Id::new(draft.numbers.member),
            account: new.account,
            email: new.email,
            name: new.name,
            role: new.role,
            language: new.language,
            password: None,
            totp: None,
            recovery: Vec::new(),
            created_at: now,
        });
        let told = Details::from(About::from(&*member))
            .with(Field::Role, &Word(member.role))
            .with(Field::Language, &Word(member.language));
        draft.note(by, now, "member.add", told, member.account);
        Ok(draft.done(member))
    }

    pub(crate) fn member_change(
        &self,
        id: Id<Member>,
        change: MemberChange,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Member>> {
        let kept = self.member(id)?;
        let mut member = (**kept).clone();
        let mut draft = self.draft();
        let action = match change {
            MemberChange::While { member: was, change } => {
                self.is_as(&was)?;
                return self.member_change(id, *change, by, now);
            }
            MemberChange::Profile { name, language } => {
                (member.name, member.language) = (name, language);
                "member.profile".to_owned()
            }
            MemberChange::Role(role) => {
                self.somebody_administers(&member, Some(role))?;
                member.role = role;
                format!("member.role_{}", word(role))
            }
            MemberChange::Password { password, keep } => {
                member.password = Some(password);
                draft.writes.push(Write::LinksGone(id));
                draft.writes.push(Write::SignInsGone { member: id, keep });
                "member.password".to_owned()
            }
            MemberChange::Totp(Some((seed, recovery))) => {
                (member.totp, member.recovery) = (Some(seed), recovery);
                "member.totp_on".to_owned()
            }
            MemberChange::Totp(None) => {
                (member.totp, member.recovery) = (None, Vec::new());
                "member.totp_off".to_owned()
            }
            MemberChange::RecoveryUsed(code) => {
                let before = member.recovery.len();
                member.recovery.retain(|kept| *kept != code);
                if member.recovery.len() == before {
                    return Err(StoreError::NotFound("recovery code of this kind any more".to_owned()));
                }
                "member.recovery_used".to_owned()
            }
        };
        let member = draft.put_member(member);
        let told = Details::from(About::from(&*member))
            .changed(Field::Name, &kept.name, &member.name)
            .changed(Field::Language, &Word(kept.language), &Word(member.language))
            .changed(Field::Role, &Word(kept.role), &Word(member.role));
        draft.note(by, now, &action, told, member.account);
        Ok(draft.done(member))
    }

    /// A member's password and one-time codes are those that were checked.
    fn is_as(&self, was: &Member) -> Result<(), StoreError> {
        let member = self.member(was.id)?;
        if (&member.password, &member.totp) == (&was.password, &was.totp) {
            return Ok(());
        }
        Err(StoreError::Conflict(format!("password or one-time codes of {} are others by now", member.email)))
    }

    /// The last administrator of an account, or of the operator, can neither go nor become something else. Those who have not
    /// joined stand for nobody who has.
    fn somebody_administers(&self, member: &Member, role: Option<Role>) -> Result<(), StoreError> {
        let administers = |other: &&Arc<Member>| {
            let stands = other.password.is_some() || member.password.is_none();
            other.account == member.account && other.role == Role::Administrator && stands
        };
        let others = self.directory.members.values().filter(administers).any(|other| other.id != member.id);
        if member.role != Role::Administrator || role == Some(Role::Administrator) || others {
            return Ok(());
        }
        let of = member.account.map_or("the operator".to_owned(), |account| format!("account {account}"));
        Err(StoreError::Conflict(format!("{} is the last administrator of {of}: name another first", member.email)))
    }

    pub(crate) fn member_remove(&self, id: Id<Member>, by: &Actor, now: Timestamp) -> Decided<()> {
        let member = self.member(id)?;
        self.somebody_administers(member, None)?;
        let mut draft = self.draft();
        draft.next.members.remove(&id);
        draft.next.member_emails.remove(&Member::key_of(&member.email));
        draft.writes.push(Write::MemberGone(id));
        draft.note(by, now, "member.remove", About::from(&**member), member.account);
        Ok(draft.done(()))
    }

    pub(crate) fn sign_in_add(&self, sign_in: SignIn, of: &Member, by: &Actor) -> Decided<()> {
        let member = self.member(sign_in.member)?;
        self.is_as(of)?;
        let mut draft = self.draft();
        let action = if sign_in.confirmed { "member.sign_in" } else { "member.sign_in_half" };
        draft.note(by, sign_in.created_at, action, About::from(&**member), member.account);
        if sign_in.confirmed {
            let (member, site, at) = (member.id, Site::of(sign_in.from).address(), sign_in.created_at);
            draft.writes.push(Write::MemberSite { member, site, at });
        }
        draft.writes.push(Write::SignIn(sign_in));
        Ok(draft.done(()))
    }

    pub(crate) fn sign_in_act(
        &self,
        sign_in: &SignIn,
        acting_for: Option<Id<Account>>,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<()> {
        let member = self.member(sign_in.member)?;
        let mut draft = self.draft();
        if acting_for == sign_in.acting_for {
            return Ok(draft.done(()));
        }
        if let Some(left) = sign_in.acting_for {
            draft.note(by, now, "member.leave_account", About::from(&**member), Some(left));
        }
        if let Some(entered) = acting_for {
            draft.note(by, now, "member.sign_in_as", About::from(&**member), Some(entered));
        }
        draft.writes.push(Write::SignInActs { token: sign_in.token, acting_for });
        Ok(draft.done(()))
    }

    pub(crate) fn link_put(&self, link: Link, alone: bool, by: &Actor, now: Timestamp) -> Decided<()> {
        let member = self.member(link.member)?;
        let mut draft = self.draft();
        draft.note(by, now, "member.link", About::from(&**member), member.account);
        if alone {
            draft.writes.push(Write::LinksGone(link.member));
        }
        draft.writes.push(Write::Link(link));
        Ok(draft.done(()))
    }
}

/// What the audit log calls a role.
fn word(role: Role) -> &'static str {
    match role {
        Role::Administrator => "administrator",
        Role::Regular => "regular",
        Role::Custom => "custom",
        Role::CustomWithActivity => "custom_with_activity",
    }
}
