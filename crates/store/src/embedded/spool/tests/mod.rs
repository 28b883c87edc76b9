//! The spool over a disk that forgets and fails, and over a real one.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod fake_disk;
#[allow(dead_code)]
mod rig;
mod through_the_door;
