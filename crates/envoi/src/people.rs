//! Who is written to: an account's administrators and contacts, the operator's people; each address once.

use relay::account::{Account, Contact};
use relay::directory::Directory;
use relay::id::Id;
use relay::language::Language;
use relay::member::Member;
use relay::power::Role;
use std::collections::HashSet;

use net::own_mail::Note;
use web::letters::Letter;

/// Somebody with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) language: Language,
}

impl Person {
    /// A letter to them.
    pub(crate) fn note(self, letter: Letter) -> Note {
        let Person { name, address, language } = self;
        Note { name, address, subject: letter.subject, text: letter.text, language }
    }
}

/// The administrators of an account in their language, then its contacts in the account's.
pub(crate) fn of_account(directory: &Directory, account: &Account) -> Vec<Person> {
    let mut people = administrators(directory, Some(account.id));
    let contacts = [&account.contacts.primary, &account.contacts.billing].into_iter().flatten();
    people.extend(contacts.map(|Contact { name, email }| Person {
        name: name.clone(),
        address: email.clone(),
        language: account.language,
    }));
    let mut seen = HashSet::new();
    people.retain(|person| seen.insert(Member::key_of(&person.address)));
    people
}

/// The operator's people.
pub(crate) fn of_operator(directory: &Directory) -> Vec<Person> {
    administrators(directory, None)
}

fn administrators(directory: &Directory, account: Option<Id<Account>>) -> Vec<Person> {
    let whom = |member: &&Member| member.account == account && member.role == Role::Administrator;
    let mut members: Vec<&Member> = directory.members.values().map(AsRef::as_ref).filter(whom).collect();
    members.sort_by_key(|member| member.id);
    let person = |member: &Member| Person {
        name: member.name.clone(),
        address: member.email.clone(),
        language: member.language,
    };
    members.into_iter().map(person).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::account::{AccountState, Contacts};
    use relay::clock::Timestamp;
    use relay::plan::{Plan, Subscription};
    use relay::quota::Quota;
    use std::sync::Arc;

    fn member(number: u64, account: Option<u64>, email: &str, role: Role) -> Member {
        Member {
            id: Id::new(number),
            account: account.map(Id::new),
            email: email.to_owned(),
            name: "Jane".to_owned(),
            role,
            language: Language::English,
            password: None,
            totp: None,
            recovery: Vec::new(),
            created_at: Timestamp(0),
        }
    }

    #[test]
    fn each_address_is_written_to_once() {
        let contact = |email: &str| Some(Contact { name: "Élise".to_owned(), email: email.to_owned() });
        let account = Account {
            id: Id::new(1),
            name: "Acme".to_owned(),
            state: AccountState::Active,
            activity_days: None,
            own_quota: Quota::default(),
            subscription: Subscription::to(Plan::BUILT_IN),
            contacts: Contacts { primary: contact("JANE@example.com"), billing: contact("bills@example.com") },
            time_zone: relay::time_zone::TimeZone::utc(),
            language: Language::French,
            created_at: Timestamp(0),
        };
        let mut directory = Directory::default();
        for member in [
            member(1, Some(1), "jane@example.com", Role::Administrator),
            member(2, Some(1), "john@example.com", Role::Regular),
            member(3, Some(2), "other@example.com", Role::Administrator),
            member(4, None, "op@example.com", Role::Administrator),
        ] {
            directory.members.insert(member.id, Arc::new(member));
        }
        let people = of_account(&directory, &account);
        let told: Vec<_> = people.iter().map(|person| (person.address.as_str(), person.language)).collect();
        assert_eq!(told, [("jane@example.com", Language::English), ("bills@example.com", Language::French)]);
        let people = of_operator(&directory);
        assert_eq!(people.iter().map(|person| person.address.as_str()).collect::<Vec<_>>(), ["op@example.com"]);
    }
}
