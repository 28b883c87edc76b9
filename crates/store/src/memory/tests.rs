//! What only the model has: its faults.

use bytes::Bytes;
use relay::store::{Draft as _, Spool as _, StoreError};

use super::{Memory, Verb};

#[tokio::test]
async fn a_fault_comes_once_and_a_latch_stays() {
    let memory = Memory::new();
    memory.fail_next(Verb::Append, StoreError::NoRoom("full".into()));
    let mut draft = memory.draft().unwrap();
    assert_eq!(draft.append(Bytes::from_static(b"x")).await, Err(StoreError::NoRoom("full".into())));
    assert_eq!(draft.append(Bytes::from_static(b"x")).await, Ok(()));
    memory.fail_next(Verb::Draft, StoreError::Latched("EIO".into()));
    assert!(memory.draft().is_err());
    assert_eq!(draft.append(Bytes::from_static(b"x")).await, Err(StoreError::Latched("EIO".into())));
    assert_eq!(memory.health().latched.as_deref(), Some("EIO"));
    assert!(memory.is_latched());
}
