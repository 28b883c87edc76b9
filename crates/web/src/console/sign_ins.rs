//! Sign-ins of a member, in words: where they came from, and what failed.

use relay::service::view::SignInView;

use super::page::slug;
use super::words::Words;

/// Sign-ins alike.
pub(super) struct Row {
    pub(super) result: String,
    /// The badge: what it looks like, its picture.
    pub(super) badge: (&'static str, &'static str),
    pub(super) from: String,
    /// How often, where it failed more than once.
    pub(super) times: String,
    pub(super) stamp: String,
    pub(super) time: String,
}

/// What is shown of sign-ins.
pub(super) fn rows(words: &Words, found: &[SignInView]) -> Vec<Row> {
    found.iter().map(|alike| row(words, alike)).collect()
}

fn row(words: &Words, alike: &SignInView) -> Row {
    let badge = match alike.result.as_str() {
        "signed_in" => ("delivered", "delivered"),
        "wrong_password" => ("warning", "alert"),
        // whoever it was knows the password
        _ => ("failed", "cross"),
    };
    let times = match (alike.count, &alike.first_at) {
        (Some(count), Some(first)) if count > 1 => {
            words.count_with("sign-ins-times", count, "since", &words.minute(first))
        }
        _ => String::new(),
    };
    Row {
        result: words.t(&format!("sign-ins-result-{}", slug(&alike.result))),
        badge,
        from: alike.from.clone().unwrap_or_else(|| words.t("sign-ins-further")),
        times,
        stamp: words.stamp(&alike.last_at),
        time: words.minute(&alike.last_at),
    }
}
