//! The spool over a disk that forgets and fails, and over a real one.
#![allow(clippy::unwrap_used)]

mod damage;
mod fake_disk;
mod faults;
mod further;
mod model;
mod rig;
mod snapshot;
mod through_the_door;
