//! The checkers: what must hold whatever goes wrong.

pub mod bounds;
pub mod due;
pub mod held;
pub mod outcome;
pub mod recovery;
