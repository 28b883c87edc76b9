//! Content on its way from the client into the store's draft, in bounded memory.

use bytes::Bytes;
use message::admission::{Admission, AdmissionError, Inspection, Recall, Stamp};
use relay::store::{Draft, StoreError};

/// Content being received. Dropped, it leaves nothing behind.
pub(super) enum Receiving<D> {
    /// It may still be accepted.
    Going(Box<Admission>, D),
    /// It cannot be: what still comes is read on and thrown away.
    Failed(Failure),
}

/// Why content cannot be accepted, whoever sent it.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Because of what it is.
    Inadmissible(AdmissionError),
    /// Because the store has no room or does not work.
    Store(StoreError),
}

impl<D: Draft> Receiving<D> {
    /// Begins; `recall` finds what it may be once more.
    pub(super) fn new(stamp: Stamp, recall: Option<Recall>, draft: D) -> Self {
        Receiving::Going(Box::new(Admission::new(stamp).recalling(recall)), draft)
    }

    /// Takes the next octets; waits where the store is behind, and so does the client then.
    pub(super) async fn take(&mut self, octets: Bytes) {
        let Receiving::Going(admission, draft) = self else { return };
        let taken = match admission.on_content(octets) {
            Ok(ready) => append(draft, ready).await.map_err(Failure::Store),
            Err(error) => Err(Failure::Inadmissible(error)),
        };
        if let Err(failure) = taken {
            *self = Receiving::Failed(failure);
        }
    }

    /// The content ended: the whole draft, and what was read of it.
    ///
    /// # Errors
    /// It cannot be accepted.
    pub(super) async fn finish(self) -> Result<(D, Inspection), Failure> {
        match self {
            Receiving::Failed(failure) => Err(failure),
            Receiving::Going(admission, mut draft) => {
                let (ready, inspection) = admission.finish().map_err(Failure::Inadmissible)?;
                append(&mut draft, ready).await.map_err(Failure::Store)?;
                Ok((draft, inspection))
            }
        }
    }
}

async fn append<D: Draft>(draft: &mut D, pieces: Vec<Bytes>) -> Result<(), StoreError> {
    for piece in pieces {
        draft.append(piece).await?;
    }
    Ok(())
}
