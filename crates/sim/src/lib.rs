//! The relay in a seeded world: what may go wrong there, and what must hold nevertheless. Never ships.
//!
//! A run is a seed. It drives the relay's own code (sessions, judges, scheduler, delivery driver, conversations, the
//! spool's log with its committer and upkeep as steps) on one thread, in a runtime whose time stands still while
//! anything can be done, over a disk, a network, DNS, next hops and clients that are made here. Nothing in it asks the
//! machine for time, dice or order: the same seed of the same commit does the same to the last octet (`digest`).
//!
//! # The contract of faults
//! What the world may do. What it does beyond this would be a fault of the simulator, and what the relay does not
//! survive of this is a fault of the relay.
//!
//! **The process** may end at any change of the disk (a write, a sync, a name made, changed or removed), at any moment
//! besides, or gracefully, and it may end while it starts or stops. Whatever it held in memory is gone. Every connection
//! breaks. Nothing that it did after its end is seen by anybody.
//!
//! **The disk** keeps what was synced. When the process is killed, everything written stays. When the power goes, each
//! sector (512 octets) of each unsynced write is old or new, independently of the order of writes; names that were not
//! synced are a prefix, in their order, of what was done. The change at which the process or the power ends is done not
//! at all, in part (a write is cut short at any octet) or whole. A write may fail (EIO), some of it done. A sync may
//! fail (EIO): each unsynced sector is then on the medium or lost for good, reads go on to show it until the power goes,
//! and no later sync brings it there. There may be no room, from any moment to any other. A recycled segment holds what
//! its earlier life left there.
//!
//! **The medium** may flip a bit between two lives of the process: in the header (its length among it), the meta part or
//! the content of one record, in one of the two headers of a segment, in a content file. It does so only in a record
//! that a later one proves to have been synced: the last write of a log cannot be told from a torn one, and no store
//! that keeps no second copy could. One bit flips before a start, and one start's damage may meet the next's.
//!
//! **The network** may lose any connection at any octet in either direction, with both ends told or with neither; bring
//! octets in pieces of any size; let a reply be lost that was said. **Clients** come several at once, pipeline or do not,
//! use DATA or BDAT, hang up in the middle, fall silent, lose the reply, and send again what they heard no reply to.
//!
//! **DNS** may deny a name that exists, fail, or not answer. **Next hops** may refuse or ignore the dial, say 4xx or 5xx
//! or 421 at every stage, say what is not SMTP, say too much, fall silent, be slow, answer in many lines, speak before
//! the content has ended, take the content and lose the reply, and lack any extension.
//!
//! **The clock** may jump ahead by seconds to days at any moment, and go back by hours between two lives. It never goes
//! back within one: `net::clock` sees to that.
//!
//! **The operator** has two people who give orders at any moment, more often than not about what is in flight: one holds,
//! releases, retries and cancels messages, suspends and resumes accounts, pulls and releases brakes; the other does the like by
//! account, SMTP user, domain, address and age, and sends mail another way (`operator`). Each gives one order at a time, as the
//! relay lets them.
//!
//! **The ledger** is a model: it consumes the log in batches, each with its position, and a power cut takes any number of
//! the batches that it had not synced. Accounts and SMTP users are kept by another file, which no fault here touches.
//!
//! # What faults excuse
//! Every excuse is for one message, and only once the relay has said so (`StoreHealth::damage`), by file and offset:
//! - A flipped bit in the header or meta part of a record that holds a message: that message may be lost, or stay
//!   unreadable in the queue.
//! - In its content, or in its content file: it stays in the queue and is not delivered.
//! - In a record of an outcome, a hold or a release: that may be forgotten, and so an attempt be made or an event be told
//!   again; where the content was overwritten meanwhile, the message stays unreadable in the queue. A copied message
//!   carries its outcomes with it: both.
//! - In any other record, in one header of a segment: nothing.
//!
//! Damage that is reported where none was done fails the run.
//!
//! A failed write or sync latches the store; a client that heard `451` then may find its message delivered nevertheless,
//! since nobody can know what a failed sync left behind. After any other refusal the message never appears.
//!
//! # What must hold
//! - Nobody hears `250` before the store has answered that the message is kept, nor for other recipients, nor for content
//!   whose end was not read (`mail`).
//! - After every start: what was kept and not settled is in the queue, in the state that was last kept; nothing else is;
//!   its content is what was sent (`check::recovery`).
//! - At the end each kept recipient has exactly one outcome; what was delivered a next hop said that it took, and the
//!   words in activity are words that were said (`check::outcome`).
//! - A recipient gets a message again only where no reply to the content reached the relay, or its outcome was not kept
//!   when the process ended (`mail`, when a next hop takes it). Nothing is carried twice at once (`carrier`).
//! - Activity tells every kept change once, outcomes in order, and nothing else (`check::outcome`).
//! - Failures are told: no failed recipient is settled without its notification being kept, unless its sender did not want
//!   to hear of it (`check::outcome`). No next hop hears parameters that it does not list (`world::hop`).
//! - No quota is exceeded, and none is said to be reached that is not (`mail`).
//! - What the operator was told holds, from the answer on (`mail::promises`): what is held is not attempted before somebody asks
//!   for its release; what is cancelled is not attempted again, and counted only where it ended; what is to go another way goes
//!   there alone, and that next hop takes it; what is to be tried is tried. One attempt is excused that had begun by then and had
//!   not come to its next hop. All of it is durable: over a kill and a power cut too, holds, releases and other ways stand, and
//!   what was cancelled in flight is held. A retry is not: after a start its recipients wait for their time. An order that was
//!   not answered, or failed, may have come about for some of its recipients.
//! - What an account, a brake or the operator holds is not attempted; nothing is held longer than its cause lasts (`mail`,
//!   `check::held`).
//! - No recipient waits past its due time, or the order to try it, while a conversation could be had (`check::due`).
//! - Conversations, claims, drafts, disk and memory stay within their bounds, and at the end nothing is left of any, nor of
//!   what the scheduler knows (`check::bounds`, `carrier`).
//! - Once the world is kind, everything comes to an end (`life`).

pub mod carrier;
pub mod check;
pub mod client;
pub mod damage;
pub mod fault;
pub mod ledger;
pub mod life;
pub mod mail;
pub mod operator;
pub mod plan;
pub mod report;
pub mod rng;
pub mod run;
pub mod store;
pub mod trace;
pub mod world;
