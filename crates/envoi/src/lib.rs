//! Wires the rooms into one binary: configuration, command line, control socket, server, demonstration.

mod alerts;
mod archive;
mod blocklist_alarms;
mod bounces;
mod brakes;
mod certificate_alerts;
pub mod cli;
pub mod config;
pub mod control;
pub mod data;
pub mod demo;
mod descriptors;
pub mod doctor;
pub mod execute;
mod expiry;
pub mod metrics;
pub mod moment;
mod people;
pub mod reference;
mod rotation;
mod routes;
mod rule_file;
pub mod serve;
mod shaping;
pub mod telemetry;
mod unsubscribe;
pub mod wire;
