//! What is shown of members, their links and their sign-ins.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

use super::{ViewPage, word};
use crate::clock::Timestamp;
use crate::credential::SecretText;
use crate::member::Member;
use crate::member::failures::FailedSignIns;
use crate::moment;
use crate::site::Site;

views! {
    /// A member: somebody who signs in to the console.
    MemberView {
        /// Their number.
        id: u64,
        /// The number of the account; none: of the operator.
        account: Option<u64>,
        /// The address they sign in with.
        email: String,
        /// What people call them.
        name: String,
        /// `administrator`, `regular`, `custom` or `custom_with_activity`.
        role: String,
        /// What they are spoken to in: `en` or `fr`.
        language: String,
        /// Whether they have chosen a password.
        joined: bool,
        /// Whether they give a one-time code when they sign in.
        one_time_codes: bool,
        /// When they were added.
        created_at: String,
    }
    /// A link by which a member chooses a password, shown once.
    MemberLinkView {
        /// The member.
        member: MemberView,
        /// Where the console is, with the link's path; none where there is no console.
        #[schema(value_type = Option<String>)]
        url: Option<SecretText>,
        /// What the link carries; it is kept nowhere and never shown again.
        #[schema(value_type = String)]
        token: SecretText,
        /// From when on it works no more.
        expires_at: String,
        /// Whether the relay has sent it to the member by mail.
        mailed: bool,
    }
    /// Sign-ins of a member alike: from one place, with the same result.
    SignInView {
        /// `signed_in`, or what failed: `wrong_password`; `wrong_code` or `no_code`, where the password was right.
        result: String,
        /// From where: an IPv4 address or the /64 of an IPv6 address; none: from places that are no longer kept apart.
        from: Option<String>,
        /// How many failed; none of those that did not.
        count: Option<u64>,
        /// When the first of those that failed was.
        first_at: Option<String>,
        /// When the last was.
        last_at: String,
    }
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        MemberView {
            id: member.id.number(),
            account: member.account.map(|account| account.number()),
            email: member.email.clone(),
            name: member.name.clone(),
            role: word(&member.role),
            language: member.language.tag().to_owned(),
            joined: member.password.is_some(),
            one_time_codes: member.totp.is_some(),
            created_at: moment::text(member.created_at),
        }
    }
}

impl From<&FailedSignIns> for SignInView {
    fn from(failed: &FailedSignIns) -> Self {
        SignInView {
            result: word(&failed.failure),
            from: failed.place.map(|place| Site::of(place).to_string()),
            count: Some(failed.count),
            first_at: Some(moment::text(failed.first_at)),
            last_at: moment::text(failed.last_at),
        }
    }
}

impl SignInView {
    /// A place that somebody has signed in from.
    pub fn of_place(place: IpAddr, at: Timestamp) -> SignInView {
        SignInView {
            result: "signed_in".to_owned(),
            from: Some(Site::of(place).to_string()),
            count: None,
            first_at: None,
            last_at: moment::text(at),
        }
    }
}
