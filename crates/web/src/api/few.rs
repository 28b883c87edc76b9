//! Lists in a body that may be long: read one by one, and no further than there may be, so that the memory that they take
//! has something to do with the octets that came.

use relay::service::Mailbox;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use utoipa::ToSchema;

/// The most of a list.
const MOST: usize = 1_000;

/// An address, with a name or without.
#[derive(serde::Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what is read by hand")]
pub(super) enum MailboxNew {
    /// `local@domain` or `Name <local@domain>`
    Text(String),
    /// In parts.
    Parts {
        /// `local@domain`
        address: String,
        /// What its owner is called.
        name: Option<String>,
    },
}

/// One address or several.
#[derive(serde::Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what is read by hand")]
pub(super) enum MailboxesNew {
    /// One.
    One(MailboxNew),
    /// Several.
    Several(Vec<MailboxNew>),
}

/// Some of something.
pub(super) struct Few<T>(pub(super) Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Few(Vec::new())
    }
}

struct FewVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FewVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {MOST} at most")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(one) = list.next_element()? {
            if found.len() == MOST {
                return Err(A::Error::custom(format!("a list has more than {MOST} entries")));
            }
            found.push(one);
        }
        Ok(found)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FewVisitor(PhantomData)).map(Few)
    }
}

/// Names and their values, in their order.
#[derive(Default)]
pub(super) struct FewFields(pub(super) Vec<(String, String)>);

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = FewFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of {MOST} texts at most")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<FewFields, A::Error> {
        let mut found = Vec::new();
        while let Some(field) = fields.next_entry()? {
            if found.len() == MOST {
                return Err(A::Error::custom(format!("more than {MOST} fields are given")));
            }
            found.push(field);
        }
        Ok(FewFields(found))
    }
}

impl<'de> Deserialize<'de> for FewFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// As [`MailboxNew`] says.
pub(super) struct OneMailbox(pub(super) Mailbox);

/// A mailbox in parts.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    address: String,
    name: Option<String>,
}

struct MailboxVisitor;

impl<'de> Visitor<'de> for MailboxVisitor {
    type Value = Mailbox;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, or an object with `address` and `name`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Mailbox, E> {
        Ok(Mailbox::parse(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<Mailbox, A::Error> {
        let Parts { address, name } = Parts::deserialize(MapAccessDeserializer::new(parts))?;
        Ok(Mailbox { address, name })
    }
}

impl<'de> Deserialize<'de> for OneMailbox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MailboxVisitor).map(OneMailbox)
    }
}

/// As [`MailboxesNew`] says; none where there is `null`.
#[derive(Default)]
pub(super) struct Mailboxes(pub(super) Vec<Mailbox>);

struct MailboxesVisitor;

impl<'de> Visitor<'de> for MailboxesVisitor {
    type Value = Vec<Mailbox>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an address, or a list of {MOST} at most")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<Mailbox>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<Mailbox>, E> {
        MailboxVisitor.visit_str(text).map(|one| vec![one])
    }

    fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<Vec<Mailbox>, A::Error> {
        MailboxVisitor.visit_map(parts).map(|one| vec![one])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<Mailbox>, A::Error> {
        let several: Vec<OneMailbox> = FewVisitor(PhantomData).visit_seq(list)?;
        Ok(several.into_iter().map(|one| one.0).collect())
    }
}

impl<'de> Deserialize<'de> for Mailboxes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MailboxesVisitor).map(Mailboxes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn addresses(given: serde_json::Value) -> Result<Vec<String>, String> {
        let read = from_value::<Mailboxes>(given).map_err(|error| error.to_string())?;
        Ok(read.0.into_iter().map(|mailbox| mailbox.address).collect())
    }

    #[test]
    fn one_address_or_several_are_read_in_each_form() {
        let parts = json!({"address": "b@x.example", "name": "B"});
        assert_eq!(addresses(json!("A <a@x.example>")).unwrap(), ["a@x.example"]);
        assert_eq!(addresses(parts.clone()).unwrap(), ["b@x.example"]);
        assert_eq!(addresses(json!(["a@x.example", parts])).unwrap(), ["a@x.example", "b@x.example"]);
        assert!(addresses(json!(null)).unwrap().is_empty());
        for wrong in [json!(7), json!([["a@x.example"]]), json!({"name": "B"}), json!({"address": "a", "more": 1})] {
            assert!(addresses(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_list_is_read_further_than_it_may_be() {
        let many = vec!["a@x.example"; MOST + 1];
        assert!(addresses(json!(many)).unwrap_err().contains("more than 1000"));
        assert_eq!(addresses(json!(many[1..])).unwrap().len(), MOST);
        assert!(from_value::<Few<String>>(json!(many)).is_err());
        let fields: serde_json::Map<_, _> = (0..=MOST).map(|number| (number.to_string(), json!(""))).collect();
        assert!(from_value::<FewFields>(json!(fields)).is_err());
    }
}
