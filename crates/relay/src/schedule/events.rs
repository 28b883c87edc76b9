//! What the scheduler is told and what it answers: conversations, parcels, events and actions.

use std::sync::Arc;

use super::chosen::Order;
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::{Id, MessageId};
use crate::outcome::{Class, Ending, Finding, SiteAction};
use crate::priority;
use crate::queue::{Attempt, HoldReason, RecipientState};
use crate::route::Destination;
use crate::source::{PoolId, Source, SourceId};
use crate::warm_up;

/// One conversation, from its opening to [`Event::Ended`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationId(pub u64);

/// A parcel in flight, from the action that hands it out to the event that takes it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParcelId(pub(super) u32);

/// What goes in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// To be named in [`Event::Settled`].
    pub id: ParcelId,
    /// The message.
    pub message: MessageId,
    /// Which of its recipients.
    pub recipients: Vec<u16>,
    /// Attempts made so far.
    pub attempts: u32,
    /// When it was due, as its last settlement said; at its arrival, when that was.
    pub due: Timestamp,
    /// Recipients in one transaction at the most; 0: as many as every transaction may have.
    pub transaction_recipients: u32,
}

/// Why a site could not be reached: said of the mail that waits for it, without dialling again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was found.
    pub finding: Finding,
    /// The attempt that found it.
    pub attempt: Attempt,
}

impl Fault {
    /// The same as it is kept with a site: without the other servers that were tried, for sites are many.
    pub(super) fn kept(self: &Arc<Self>) -> Arc<Fault> {
        if self.attempt.others.is_empty() {
            return Arc::clone(self);
        }
        Arc::new(Fault { finding: self.finding.clone(), attempt: self.attempt.alone() })
    }
}

/// What a site said about us rather than about a message or a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What it should do.
    pub action: SiteAction,
    /// Of which class the reply is.
    pub class: Class,
    /// Whether it was said before a sender was named.
    pub at_the_door: bool,
    /// Whose mail it was said to.
    pub account: Id<Account>,
    /// The reply, without addresses of people.
    pub said: String,
    /// The source that it was said to, as attempts name it. Whatever else the attempt was is not shown to mail of others.
    pub source: Option<String>,
}

/// A recipient that is not settled, as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// Its number in the envelope.
    pub recipient: u16,
    /// Where its mail goes.
    pub destination: Destination,
    /// Its state.
    pub state: RecipientState,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message came, new or from an earlier life of the process. One that is known already is left alone.
    Arrived {
        /// The message.
        message: MessageId,
        /// Whose it is.
        account: Id<Account>,
        /// How urgent it is.
        class: priority::Class,
        /// The sources that it may go from.
        pool: PoolId,
        /// Those of its recipients that are not settled.
        recipients: Vec<Addressed>,
    },
    /// A parcel came back: what is left of it. Empty where every recipient is settled.
    Settled {
        /// Which.
        parcel: ParcelId,
        /// Each recipient that is not settled, with its new state.
        left: Vec<(u16, RecipientState)>,
    },
    /// Which mail servers take the mail of this conversation's destination, the most preferred first, before any of them is
    /// dialled. Where they have no room for it, the answer is [`Action::Withdraw`].
    Found {
        /// Which conversation.
        conversation: ConversationId,
        /// What it is to carry.
        parcel: ParcelId,
        /// The names of the servers, in lower case.
        hosts: Vec<String>,
    },
    /// The site refused recipients of a parcel for good because of the source that it was sent from. To be told after
    /// [`Event::Complained`] and before [`Event::Settled`]. Where they go from another one next, the answer is
    /// [`Action::Elsewhere`]: they are to be settled as deferred until now.
    Blocked {
        /// Over which conversation.
        conversation: ConversationId,
        /// The parcel.
        parcel: ParcelId,
        /// Which of its recipients.
        recipients: Vec<u16>,
    },
    /// A conversation came to this mail server. To be told where it is another one than was told of it last, and before whatever
    /// else is told of the same attempt: that is said of the site which the server belongs to.
    CameTo {
        /// Which conversation.
        conversation: ConversationId,
        /// The server's name, in lower case.
        host: String,
    },
    /// The site of this conversation took part in a dialogue.
    Reached(ConversationId),
    /// The site said something about us rather than about a message. To be told before [`Event::Reached`] or
    /// [`Event::Unreached`] of the same attempt.
    Complained {
        /// Over which conversation.
        conversation: ConversationId,
        /// What.
        complaint: Box<Complaint>,
    },
    /// The dialogue broke in the middle.
    Broke(ConversationId),
    /// The site could not be reached; the conversation has ended. The parcel comes back in an action.
    Unreached {
        /// Which conversation.
        conversation: ConversationId,
        /// What it should have carried.
        parcel: ParcelId,
        /// Why it could not.
        fault: Arc<Fault>,
    },
    /// The conversation can carry another parcel. `open`: it has a connection, worth being kept for a while.
    Free {
        /// Which.
        conversation: ConversationId,
        /// Whether it has a connection.
        open: bool,
    },
    /// The conversation is over.
    Ended(ConversationId),
    /// A message is held: nothing of it is attempted until it is released.
    Held(MessageId, HoldReason),
    /// A message is released: what was held of it is due now.
    Released(MessageId),
    /// Someone wants a message tried now: what waits of it is due, and its sites are asked again.
    Retried(MessageId),
    /// Someone wants this of recipients that they chose; of those in flight when they come back.
    Chosen {
        /// Whose recipients.
        message: MessageId,
        /// Their numbers.
        recipients: Vec<u16>,
        /// What is wanted.
        order: Order,
    },
    /// The operator wants the site of this name asked now, whatever is in force there.
    Resumed(String),
    /// The operator wants a source tried now that is set aside.
    SourceResumed(SourceId),
    /// The operator wants this of the warm-up of a source.
    WarmUp {
        /// Which.
        source: SourceId,
        /// What.
        order: warm_up::Order,
    },
    /// A message is to end without further attempts.
    GivenUp(MessageId, Arc<Ending>),
    /// Time passed.
    Tick,
    /// Nothing is begun from now on.
    Stopped,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Begin a conversation with this parcel.
    Open {
        /// Its name from now on.
        conversation: ConversationId,
        /// With whom.
        destination: Destination,
        /// From which source; none where there is but the nameless one.
        source: Option<SourceId>,
        /// What it carries first.
        parcel: Parcel,
        /// Whether its mail servers have to be found and told first ([`Event::Found`]).
        find: bool,
    },
    /// The conversation is not to be: its parcel is not attempted, and taken back already. Says [`Event::Ended`] at most.
    Withdraw(ConversationId),
    /// Those recipients of a parcel that [`Event::Blocked`] named go from another source next.
    Elsewhere(ParcelId),
    /// A site that says it blocks us is left alone: for the operator to be told.
    Suspended {
        /// Its name.
        site: Arc<str>,
        /// Which source it blocks; none where there is but the nameless one.
        source: Option<Arc<Source>>,
        /// Until when.
        until: Timestamp,
        /// What it said, without addresses of people.
        said: String,
    },
    /// Nothing gets through from a source: for the operator to be told.
    SetAside {
        /// Which.
        source: Arc<Source>,
        /// Nothing is sent from it until then.
        until: Timestamp,
        /// Why, in words for the operator.
        why: String,
    },
    /// A source that was set aside gets through again.
    Restored(Arc<Source>),
    /// Carry this parcel over a conversation that said [`Event::Free`].
    Carry {
        /// Which.
        conversation: ConversationId,
        /// What.
        parcel: Parcel,
    },
    /// End a conversation that said [`Event::Free`], then say [`Event::Ended`].
    Close(ConversationId),
    /// Settle this parcel by what was found about its site, then say [`Event::Settled`].
    Fail {
        /// Which.
        parcel: Parcel,
        /// What was found.
        fault: Arc<Fault>,
        /// Whether the attempt was for this very parcel.
        attempted: bool,
        /// The site is left alone until then.
        not_before: Timestamp,
    },
    /// Settle this parcel as ended, then say [`Event::Settled`].
    End {
        /// Which.
        parcel: Parcel,
        /// Why.
        ending: Arc<Ending>,
    },
}
