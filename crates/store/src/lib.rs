//! Remembers: the spool of live mail and the ledger of accounts and activity.
//!
//! [`memory::Memory`] is the model: simple, and lost with the process. [`embedded`] is the store of a data
//! folder. Both obey one conformance suite (`tests/conformance.rs`).

mod book;
mod counters;
pub mod embedded;
pub mod memory;
mod reports;
mod rows;
