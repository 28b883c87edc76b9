//! Remembers: the spool of live mail and the ledger of accounts and activity.
