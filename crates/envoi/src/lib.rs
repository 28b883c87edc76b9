//! Wires the rooms into one binary.
