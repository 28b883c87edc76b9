//! Members: added, listed, changed, given a link, removed.

use net::clock::SystemDice;
use relay::id::Id;
use relay::member::NewMember;
use relay::moment;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{DoneView, MemberLinkView, MemberView};
use relay::service::{self, Caller, Fault, IssuedLink};
use relay::store::Store;

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn member(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let find = |member| service::member_find(store, Id::new(member), caller.scope);
        Ok(match operation {
            Operation::MemberAdd { account, email, name, role, language } => {
                let wish = NewMember { account: account.map(Id::new), email, name, role, language };
                self.link(&service::member_add(store, wish, &mut SystemDice, caller)?)
            }
            Operation::MemberList { account } => {
                let members = service::members(store, account.map(Id::new), caller.scope);
                Answer::Members(members.iter().map(|member| MemberView::from(member.as_ref())).collect())
            }
            Operation::MemberRole { member, role } => {
                let member = service::member_role(store, &*find(member)?, role, caller)?;
                Answer::Member(MemberView::from(member.as_ref()))
            }
            Operation::MemberLink { member } => {
                self.link(&service::member_link(store, &find(member)?, &mut SystemDice, caller)?)
            }
            Operation::MemberRemove { member } => {
                let member = find(member)?;
                service::member_remove(store, &member, caller)?;
                let done = format!("{} ({}) is removed, and signed out everywhere.", member.name, member.email);
                Answer::Done(DoneView { done })
            }
            _ => return Err(misplaced()),
        })
    }

    fn link(&self, issued: &IssuedLink) -> Answer {
        let token = String::from_utf8_lossy(issued.token.expose()).into_owned();
        let url = self.console.as_ref().map(|console| format!("{console}/choose-password?token={token}"));
        let member = MemberView::from(issued.member.as_ref());
        Answer::MemberLink(MemberLinkView { member, url, token, expires_at: moment::text(issued.expires_at) })
    }
}
