//! The driver against the model of the store, a scripted next hop, and a clock that moves only when
//! nobody has anything left to do.

mod asked;
mod commands;
mod deliveries;
mod failures;
mod racing;
mod sandbox;
mod sites;
mod world;
