//! The faults by name, and how often each fired.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! faults {
    ($($name:ident $text:literal;)+) => {
        /// What may go wrong, as the contract of this crate lists it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $(#[doc = $text] $name,)+
        }

        impl Fault {
            /// All of them, in the order of the contract.
            pub const ALL: &[Fault] = &[$(Fault::$name),+];

            /// In words, as a report shows it.
            pub fn text(self) -> &'static str {
                match self {
                    $(Fault::$name => $text,)+
                }
            }
        }
    };
}

faults! {
    PowerCut "the power goes";
    Kill "the process is killed";
    Restart "a graceful stop and start";
    WriteCutShort "a write is cut short";
    UnsyncedLost "unsynced data is lost";
    UnsyncedReordered "unsynced data is kept out of order";
    NoRoom "a write or allocation finds no room";
    WriteFails "EIO on a write";
    SyncFails "EIO on a sync";
    FlippedHeader "a bit of a record's header flips";
    FlippedLength "a bit of a record's length flips";
    FlippedMeta "a bit of a record's envelope or outcome flips";
    FlippedContent "a bit of a message's content flips";
    FlippedSegmentHeader "a bit of one of a segment's two headers flips";
    EarlierLife "a start finds remains of an earlier life in a segment of the log";
    LedgerLosesBatches "the ledger loses unsynced batches";
    ClientLostSending "a client's connection breaks while it sends";
    ClientLostHearing "a client's connection breaks while it hears";
    ClientFallsSilent "a client falls silent in the middle";
    ClientAbandons "a client hangs up in the middle of a transaction";
    ReplyLost "the reply to a client's message is lost";
    HopUnreachable "a next hop cannot be dialled";
    HopLostHearing "a next hop's connection breaks while it hears";
    HopLostSpeaking "a next hop's connection breaks while it speaks";
    HopReplyLost "a next hop takes the content and its reply is lost";
    HopTransient "a next hop says 4xx";
    HopPermanent "a next hop says 5xx";
    HopCloses "a next hop says 421 and closes";
    HopGarbage "a next hop says what is not SMTP";
    HopOverlong "a next hop says far too much";
    HopSilent "a next hop falls silent";
    HopSlow "a next hop is slow";
    HopSpeaksOutOfTurn "a next hop replies before the content has ended";
    NoSuchName "DNS says that a name does not exist";
    DnsFails "DNS fails";
    DnsSilent "DNS does not answer";
    Ordered "the operator orders about mail of the queue";
    OrderedInFlight "the operator orders about what is in flight";
    ClockAhead "the clock jumps ahead";
    ClockBack "the clock goes back over a restart";
}

/// How often each fault fired.
#[derive(Debug)]
pub struct Tally(Vec<AtomicU64>);

impl Default for Tally {
    fn default() -> Self {
        Tally(Fault::ALL.iter().map(|_| AtomicU64::new(0)).collect())
    }
}

impl Tally {
    /// One fired.
    pub fn on(&self, fault: Fault) {
        self.0[fault as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often this one did.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize].load(Ordering::Relaxed)
    }
}
