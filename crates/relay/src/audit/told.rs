//! The nouns of the relay as the audit log names them, and their values as it writes them down.

use ipnet::IpNet;
use serde::Serialize;

use super::{About, Kind};
use crate::account::{Account, Contact};
use crate::api_key::ApiKey;
use crate::brake::Brake;
use crate::clock::Timestamp;
use crate::member::Member;
use crate::moment;
use crate::plan::{Plan, Wording};
use crate::power::Powers;
use crate::sending_domain::SendingDomain;
use crate::service::view::word;
use crate::smtp_user::SmtpUser;
use crate::webhook::Webhook;

/// A value that the audit log can write down.
pub trait Told {
    /// Its values: none where there is nothing, several of a list.
    fn told(&self) -> Vec<String>;
}

/// A value that the relay has a word for ([`word`]).
#[derive(Clone, Copy, Debug)]
pub struct Word<T>(pub T);

impl<T: Serialize> Told for Word<T> {
    fn told(&self) -> Vec<String> {
        vec![word(&self.0)]
    }
}

macro_rules! told_as_text {
    ($($kind:ty),+) => {
        $(impl Told for $kind {
            fn told(&self) -> Vec<String> {
                vec![self.to_string()]
            }
        })+
    };
}

told_as_text!(str, String, bool, u8, u32, u64, i32, IpNet);

impl Told for Timestamp {
    fn told(&self) -> Vec<String> {
        vec![moment::text(*self)]
    }
}

impl<T: Told> Told for Option<T> {
    fn told(&self) -> Vec<String> {
        self.as_ref().map(Told::told).unwrap_or_default()
    }
}

impl<T: Told> Told for [T] {
    fn told(&self) -> Vec<String> {
        self.iter().flat_map(Told::told).collect()
    }
}

impl<T: Told> Told for Vec<T> {
    fn told(&self) -> Vec<String> {
        self.as_slice().told()
    }
}

impl Told for Powers {
    fn told(&self) -> Vec<String> {
        self.iter().map(|power| word(&power)).collect()
    }
}

impl Told for Contact {
    fn told(&self) -> Vec<String> {
        vec![format!("{} <{}>", self.name, self.email)]
    }
}

impl Told for Wording {
    fn told(&self) -> Vec<String> {
        let Wording { english, french } = self;
        [english, french].into_iter().filter(|text| !text.is_empty()).cloned().collect()
    }
}

impl From<&Account> for About {
    fn from(account: &Account) -> About {
        About::new(Kind::Account, account.id, &account.name)
    }
}

impl From<&SendingDomain> for About {
    fn from(domain: &SendingDomain) -> About {
        About::new(Kind::Domain, domain.id, &domain.name)
    }
}

impl From<&SmtpUser> for About {
    fn from(user: &SmtpUser) -> About {
        About::new(Kind::SmtpUser, user.id, format!("{} ({})", user.name, user.username))
    }
}

impl From<&ApiKey> for About {
    fn from(key: &ApiKey) -> About {
        About::new(Kind::ApiKey, key.id, &key.name)
    }
}

impl From<&Member> for About {
    fn from(member: &Member) -> About {
        About::new(Kind::Member, member.id, &member.email)
    }
}

impl From<&Webhook> for About {
    fn from(webhook: &Webhook) -> About {
        About::new(Kind::Webhook, webhook.id, &webhook.name)
    }
}

impl From<&Plan> for About {
    fn from(plan: &Plan) -> About {
        let Wording { english, french } = &plan.terms.name;
        let french = (!french.is_empty() && french != english).then(|| french.clone());
        About { french, ..About::new(Kind::Plan, plan.id, english) }
    }
}

impl From<&Brake> for About {
    fn from(brake: &Brake) -> About {
        About::numbered(Kind::Brake, brake.subject)
    }
}
