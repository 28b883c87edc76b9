//! Any octets as what stands on the spool's disk: understood or refused, and what is understood comes back.

use store::embedded::spool::fuzzing;

/// Reads the octets as header, meta part and checkpoint.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    fuzzing::decode(data);
}
