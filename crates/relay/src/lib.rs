//! Decides: accounts, limits, policy, schedule, routes and outcomes, without IO or clock.
//!
//! Time and randomness are passed in ([`clock::Timestamp`], [`dice::Dice`]). The nouns of the
//! product live here, with their judge; `store::Store` says what has to be remembered.

pub mod account;
pub mod activity;
pub mod api_key;
pub mod certificate;
pub mod clock;
mod covered;
pub mod credential;
pub mod cursor;
pub mod dane;
pub mod dice;
pub mod directory;
pub mod gather;
pub mod guard;
pub mod id;
pub mod idempotency;
pub mod inspection;
pub mod language;
pub mod limits;
pub mod member;
pub mod moment;
pub mod mta_sts;
pub mod notification;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod power;
pub mod queue;
pub mod quota;
pub mod rate;
pub mod reachable;
pub mod repeat;
pub mod report;
pub mod retry;
pub mod return_path;
pub mod route;
pub mod sandbox;
pub mod schedule;
pub mod sending_domain;
pub mod service;
pub mod shaping;
pub mod sharded;
pub mod signing;
pub mod site;
pub mod slots;
pub mod smtp_user;
pub mod statistics;
pub mod store;
pub mod submission;
pub mod suppression;
pub mod unsubscribe;
pub mod verification;
pub mod webhook;
pub mod zone;
