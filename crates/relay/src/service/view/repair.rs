//! What a repair does, or would do, as it is shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ViewPage;

views! {
    /// What `doctor --repair` does, or would do.
    RepairView {
        /// Each step.
        steps: Vec<RepairStepView>,
        /// Whether it was done.
        done: bool,
    }
    /// One step of a repair.
    RepairStepView {
        /// `key_mode`, `activity`, `damaged`, `lost`, `orphans` or `acknowledge`.
        action: String,
        /// The message that it is about.
        message: Option<String>,
        /// What is done, in words.
        what: String,
    }
}
