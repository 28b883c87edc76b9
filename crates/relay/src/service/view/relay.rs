//! What is shown of the relay itself: what it stands on, its certificates, what it did not understand.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::ViewPage;

views! {
    /// One finding of `doctor`.
    CheckView {
        /// What was looked at.
        check: String,
        /// `ok`, `warn` or `fail`.
        result: String,
        /// What was found.
        found: String,
        /// What to do.
        remedy: String,
        /// A name for what was found, such as `spf-none`, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// What is put into its words, by name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        values: BTreeMap<String, String>,
    }
    /// A certificate that clients are shown.
    CertificateView {
        /// The file that it is in.
        file: String,
        /// The names that it is for.
        names: Vec<String>,
        /// Whether it vouches for itself, so that no client that checks takes it.
        self_signed: bool,
        /// When it begins.
        begins_at: String,
        /// When it ends.
        ends_at: String,
        /// Whole days until then; 0 where it is over.
        days_left: u64,
        /// `soon`, `near` or `ended` where somebody has to look after it.
        alarm: Option<String>,
        /// Whether it comes and renews by itself (ACME).
        automatic: bool,
        /// When it is ordered next, where it renews by itself.
        renews_at: Option<String>,
        /// Whether an order is under way.
        ordering: bool,
        /// Orders in a row that failed.
        failures: u64,
        /// Why the last of them failed.
        fault: Option<String>,
    }
    /// Replies of other servers that no rule knows and that differ only in addresses, numbers, names and ids.
    UnknownReplyView {
        /// What they have in common.
        shape: String,
        /// The last of them, without addresses of people.
        example: String,
        /// The domain of the recipient that it came for.
        domain: String,
        /// How often they came since the relay started.
        count: u64,
        /// When the first came.
        first_at: String,
        /// When the last came.
        last_at: String,
    }
}
