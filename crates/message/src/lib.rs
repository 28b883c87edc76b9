//! Reads and seals the letter: headers, admission, DKIM, delivery status notifications.
//!
//! Octets in, octets out; no socket, file, clock or dice. Content is never rewritten after admission.

pub mod addressed;
pub mod admission;
pub mod composition;
pub mod date;
pub mod dkim;
pub mod dmarc_report;
pub mod dsn;
pub mod header;
pub mod letter;
pub mod links;
mod mailbox;
mod message_id;
pub mod mime;
mod received;
pub mod report;
pub mod tls_report;
mod words;
