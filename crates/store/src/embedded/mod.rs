//! The store of a data folder, owned by one process: live mail in a log, everything else in a ledger that reads it.

pub mod spool;
