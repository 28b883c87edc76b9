//! Members: added, listed, changed, given a link, removed.

use std::sync::Arc;

use net::clock::SystemDice;
use net::own_mail::Note;
use relay::credential::SecretText;
use relay::id::Id;
use relay::language::Language;
use relay::member::{Member, NewMember};
use relay::moment;
use relay::power::Scope;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{DoneView, MemberLinkView, MemberView};
use relay::service::{self, Caller, Fault, IssuedLink};
use relay::store::{Actor, Store};
use smtp::server::Secret;
use web::letters::LinkFor;

use super::{Executor, broke_off, misplaced};

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
            Operation::MemberSet { member, role, name, language } => {
                let member = service::member_set(store, &find(member)?, role, name.as_deref(), language, caller)?;
                Answer::Member(MemberView::from(member.as_ref()))
            }
            Operation::MemberLink { member } => {
                self.link(&service::member_link(store, &find(member)?, true, &mut SystemDice, caller)?)
            }
            Operation::MemberSignIns { member } => Answer::SignIns(self.sign_ins_of(find(member)?.id)?),
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
        Answer::MemberLink(self.link_view(issued))
    }

    fn link_view(&self, issued: &IssuedLink) -> MemberLinkView {
        let token = SecretText::from(&issued.token);
        let address = |console: &String| format!("{console}/choose-password?token={}", token.expose());
        let url = self.console.as_ref().map(|console| SecretText::from(&Secret::new(address(console).into_bytes())));
        let (member, expires_at) = (MemberView::from(issued.member.as_ref()), moment::text(issued.expires_at));
        MemberLinkView { member, url, token, expires_at, mailed: false }
    }

    /// Makes a link for a member, and sends it to them.
    pub(super) async fn link_by_mail(
        self: &Arc<Self>,
        member: Arc<Member>,
        actor: Actor,
        why: LinkFor,
    ) -> Result<(), Fault> {
        let here = Arc::clone(self);
        let issued = tokio::task::spawn_blocking(move || {
            let (now, limits, scope) = (here.clock.now(), &here.limits, Scope::Operator);
            let caller = Caller { actor: &actor, now, scope, ends_at: None, limits };
            // whoever asks at the entrance voids nobody's invitation
            service::member_link(here.store.as_ref(), &member, false, &mut SystemDice, caller)
        });
        let mut view = self.link_view(&issued.await.map_err(broke_off)??);
        self.mail_link(&mut view, why).await;
        Ok(())
    }

    /// Sends a member their link, where the relay can write and the console is served; the view says whether it was.
    pub(super) async fn mail_link(&self, view: &mut MemberLinkView, why: LinkFor) {
        let (Some(running), Some(url)) = (&self.running, &view.url) else { return };
        if running.mail.is_ready().is_err() {
            return;
        }
        let member = &view.member;
        if !self.letters.may_write(&member.email, member.account, self.clock.now()) {
            tracing::warn!(
                member = member.id,
                "a link was not sent: that address or account had enough letters lately"
            );
            return;
        }
        let language = Language::of_tag(&member.language).unwrap_or_default();
        let directory = self.store.directory();
        let account = member.account.and_then(|account| directory.accounts.get(&Id::new(account)));
        let place =
            account.map_or((self.hostname.as_str(), "UTC"), |account| (&account.name, account.time_zone.name()));
        let letter = web::letters::link(language, why, &member.name, place, url.expose(), &view.expires_at);
        let (name, address) = (member.name.clone(), member.email.clone());
        let note = Note { name, address, subject: letter.subject, text: letter.text, language };
        match running.mail.send(&note).await {
            Ok(message) => {
                tracing::info!(message_id = %message, member = member.id, "a link was sent to a member");
                view.mailed = true;
            }
            Err(error) => tracing::warn!(%error, member = member.id, "a link could not be sent to a member"),
        }
    }
}
