//! Wires the rooms into one binary: configuration, command line, control socket, server, demonstration.

pub mod cli;
pub mod config;
pub mod control;
pub mod data;
pub mod demo;
pub mod doctor;
pub mod execute;
pub mod metrics;
pub mod moment;
pub mod operation;
pub mod reference;
pub mod serve;
pub mod telemetry;
pub mod view;
pub mod wire;
