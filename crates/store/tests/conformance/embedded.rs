//! What only a data folder has.
