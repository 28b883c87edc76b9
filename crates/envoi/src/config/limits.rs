//! The limits' keys, made from the table of the relay's limits.

use relay::limits::{Limits, TABLE};
use std::borrow::Cow;

use super::keys::{Absent, Key, Kind};

/// One key for each limit.
pub(super) fn keys() -> Vec<Key> {
    TABLE
        .iter()
        .map(|limit| Key {
            section: "limits",
            name: Cow::Borrowed(limit.name),
            kind: Kind::Count { floor: limit.floor, ceiling: limit.ceiling },
            absent: Absent::Means(Cow::Owned(limit.value.to_string())),
            example: Cow::Owned(limit.value.to_string()),
            help: Cow::Owned(format!("{} In {}.", limit.about, limit.unit)),
        })
        .collect()
}

/// The limits with these values in place of their own.
pub(super) fn limits(values: impl Fn(&str) -> Option<u64>) -> Limits {
    let number = |value: u64| toml::Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    let given: toml::Table =
        TABLE.iter().filter_map(|limit| Some((limit.name.to_owned(), number(values(limit.name)?)))).collect();
    // the names are those of the fields and the values are in range: this cannot fail
    toml::Value::Table(given).try_into().unwrap_or_default()
}
