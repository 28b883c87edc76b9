//! The catalogue of every reply this server gives; no reply text lives anywhere else.
