//! Why something asked for was not done, in words for people and with a name for programs.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::operation::Operation;
use crate::store::StoreError;

/// Why something asked for was not done: what happened, what it means, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}")]
pub struct Fault {
    /// Its kind, for programs.
    pub kind: FaultKind,
    /// What happened.
    pub what: String,
    /// What that means; empty where that goes without saying.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub meaning: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// The operation that shows more, by its name ([`Operation::NAMES`]): each face calls it in its own way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub see: Option<String>,
    /// What it is whatever the language, where it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<Box<Named>>,
}

/// What a [`Fault`] is, for programs and for other languages than English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name, such as `api-key-name-taken`: it stays what it is when the words change.
    pub code: String,
    /// What is put into its words, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
}

/// The kinds of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// What was asked for cannot be: a value is wrong.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// It would contradict what is there.
    Conflict,
    /// Whoever asks may not.
    Forbidden,
    /// The store or a system that it needs does not do its work now.
    Unavailable,
}

impl Fault {
    fn new(kind: FaultKind, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault { kind, what: what.into(), meaning: String::new(), remedy: remedy.into(), see: None, named: None }
    }

    /// A value is wrong.
    pub fn invalid(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault::new(FaultKind::Invalid, what, remedy)
    }

    /// There is no such thing.
    pub fn not_found(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault::new(FaultKind::NotFound, what, remedy)
    }

    /// It would contradict what is there.
    pub fn conflict(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault::new(FaultKind::Conflict, what, remedy)
    }

    /// Whoever asks may not.
    pub fn forbidden(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault::new(FaultKind::Forbidden, what, remedy)
    }

    /// Something that is needed does not do its work now.
    pub fn unavailable(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault::new(FaultKind::Unavailable, what, remedy)
    }

    /// So many messages are read whole at once that there is no place for a further one.
    pub fn read_by_many() -> Self {
        Fault::unavailable("Many messages are being read already.", "Try again in a moment.")
            .named("messages-read-many", &[])
    }

    /// The same with what it means.
    #[must_use]
    pub fn meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = meaning.into();
        self
    }

    /// The same with the operation that shows more.
    #[must_use]
    pub fn see(mut self, operation: &'static str) -> Self {
        debug_assert!(Operation::NAMES.contains(&operation), "{operation} is no operation");
        self.see = Some(operation.to_owned());
        self
    }

    /// The same with a name, and what is put into its words: what people read in another language is found by it.
    #[must_use]
    pub fn named(mut self, code: &str, values: &[(&str, &dyn fmt::Display)]) -> Self {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
        self.named = Some(Box::new(Named { code: code.to_owned(), values }));
        self
    }
}

impl Fault {
    /// What the store refused; a conflict is named.
    pub(super) fn of_store(error: StoreError, conflict: &str, values: &[(&str, &dyn fmt::Display)]) -> Fault {
        let told = Fault::from(error);
        if told.kind == FaultKind::Conflict { told.named(conflict, values) } else { told }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let what = error.to_string();
        match error {
            StoreError::NoRoom(_) => {
                Fault::unavailable(what, "The operator has to make room on the disk that holds the data folder.")
                    .meaning("Nothing was changed; mail is answered 452 until there is room.")
                    .named("store-full", &[])
            }
            StoreError::Latched(_) => Fault::unavailable(
                what,
                "The operator has to look at the disk, then restart the relay: the start checks everything.",
            )
            .meaning("Nothing was changed; nothing is taken or delivered until then.")
            .named("store-latched", &[]),
            StoreError::Unavailable(_) => {
                Fault::unavailable(what, "Try again; if it stays, the operator finds more in the log.")
                    .meaning("Nothing was changed.")
                    .named("store-unavailable", &[])
                    .see("Health")
            }
            StoreError::Damaged(_) => Fault::unavailable(
                what,
                "The operator has to look at the disk, then stop the relay: a repair by its doctor says what can be \
                 done, and does it.",
            )
            .meaning("Nothing was changed.")
            .named("store-damaged", &[])
            .see("Health"),
            StoreError::NotFound(_) => Fault::not_found(what, "The list shows what there is.").named("not-there", &[]),
            StoreError::Conflict(_) => Fault::conflict(what, ""),
        }
    }
}
