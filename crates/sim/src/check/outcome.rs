//! At the end: every acknowledged recipient has one outcome, activity tells the truth about it, failures were told.

use std::collections::{BTreeMap, BTreeSet};

use relay::id::MessageId;
use relay::notification::{self, About};
use relay::queue::{HoldReason, Origin, Outcome, Settlement, Verdict};
use smtp::address::ReversePath;
use store::embedded::spool::Event;

use crate::ledger::Ledger;
use crate::mail::{Answer, CANCELLED, Mail, Message, Wanted};
use crate::world::World;
use crate::world::pipe::Mark;

/// What activity says of one message.
#[derive(Default)]
struct Told<'a> {
    accepted: usize,
    settled: Vec<&'a Settlement>,
    /// Holds, each with its reason, and releases; of which recipients, or of all.
    held: Vec<Change>,
}

/// A hold for a reason, or a release, of these recipients or of all.
type Change = (Option<HoldReason>, Option<Vec<u16>>);

fn all_told(ledger: &Ledger) -> BTreeMap<MessageId, Told<'_>> {
    let mut all: BTreeMap<MessageId, Told<'_>> = BTreeMap::new();
    for (_, event) in &ledger.events {
        match event {
            Event::Committed(envelope) => all.entry(envelope.message).or_default().accepted += 1,
            Event::Settled(settlement) => all.entry(settlement.message).or_default().settled.push(settlement),
            Event::Held { message, recipients, reason, .. } => {
                all.entry(*message).or_default().held.push((Some(*reason), recipients.clone()));
            }
            Event::Released { message, recipients, .. } => {
                all.entry(*message).or_default().held.push((None, recipients.clone()));
            }
            Event::Noticed(_) | Event::Reported(_) => {}
        }
    }
    all
}

/// Compares what activity says with what is true.
pub fn check(world: &World, ledger: &Ledger) {
    let told = all_told(ledger);
    let nothing = Told::default();
    let mail = world.mail();
    let mut faults = Vec::new();
    for id in told.keys().filter(|id| !mail.messages.contains_key(id)) {
        faults.push(format!("{id}: activity tells of it, and nobody handed it in"));
    }
    for (id, message) in &mail.messages {
        let of = told.get(id).unwrap_or(&nothing);
        faults.extend(
            check_message(world, &mail, message, of).err().map(|fault| format!("{id} ({}): {fault}", message.token)),
        );
    }
    for (token, attempt) in &mail.attempts {
        if let (Some(code @ 400..), Some(id)) = (attempt.code, mail.by_token.get(token))
            && mail.messages[id].commit == Answer::Refused
            && told.contains_key(id)
        {
            faults.push(format!("{id} ({token}): refused with {code}, and in activity"));
        }
    }
    drop(mail);
    faults.into_iter().take(5).for_each(|fault| world.violation(fault));
}

fn check_message(world: &World, mail: &Mail, message: &Message, told: &Told<'_>) -> Result<(), String> {
    let excuse = message.excuse;
    match message.commit {
        Answer::Kept => {}
        Answer::Refused | Answer::Gone | Answer::Asked | Answer::Latched if told.accepted > 0 => {
            return Err(format!("activity says accepted, and it was not kept: {:?}", message.commit));
        }
        _ => return Ok(()),
    }
    if told.accepted != 1 && !excuse.lost {
        return Err(format!("accepted {} times, says activity", told.accepted));
    }
    for (place, recipient) in message.envelope.recipients.iter().enumerate() {
        let verdicts: Vec<&Verdict> = verdicts(&told.settled, place);
        let finals = verdicts.iter().filter(|verdict| verdict.outcome.is_final()).count();
        if finals != 1 && !(excuse.lost || excuse.outcome || (excuse.unreadable && finals == 0)) {
            return Err(format!("{recipient} has {finals} outcomes"));
        }
        if !excuse.lost && !excuse.outcome {
            check_order(message, place, &verdicts).map_err(|fault| format!("{recipient}: {fault}"))?;
        }
        for verdict in verdicts {
            check_truth(world, mail, message, recipient.to_string(), verdict)
                .map_err(|fault| format!("{recipient}: {fault}"))?;
        }
    }
    if excuse.lost || excuse.outcome {
        return Ok(());
    }
    check_holds(message, told)?;
    check_notifications(mail, message)
}

/// Each hold and release that changed something and was kept is told once, and none that nobody asked for.
fn check_holds(message: &Message, told: &Told<'_>) -> Result<(), String> {
    // how often each was kept for sure, and may have been at the most
    let mut asked: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for ask in &message.asks {
        let change: Change = match &ask.wanted {
            Wanted::Hold(reason, some) => (Some(*reason), some.clone()),
            Wanted::Release(_, some) => (None, some.clone()),
            Wanted::Settle(_) => continue,
        };
        let (least, most) = asked.entry(format!("{change:?}")).or_default();
        *least += usize::from(ask.answer == Answer::Kept && ask.has_changed);
        *most += usize::from(ask.answer != Answer::Refused);
    }
    for change in &told.held {
        asked.entry(format!("{change:?}")).or_default();
    }
    for (change, (least, most)) in asked {
        let count = told.held.iter().filter(|told| format!("{told:?}") == change).count();
        if count < least || count > most {
            return Err(format!("{change}: told {count} times, kept {least} times, and {most} at the most"));
        }
    }
    Ok(())
}

fn verdicts<'a>(settlements: &[&'a Settlement], place: usize) -> Vec<&'a Verdict> {
    let all = settlements.iter().flat_map(|settlement| &settlement.verdicts);
    all.filter(|verdict| usize::from(verdict.recipient) == place).collect()
}

/// All that the store kept is told, in its order, and nothing but what it was asked to keep.
fn check_order(message: &Message, place: usize, told: &[&Verdict]) -> Result<(), String> {
    let asked = message.asks.iter().filter_map(|ask| match &ask.wanted {
        Wanted::Settle(settlement) => Some((settlement, ask.answer)),
        Wanted::Hold(..) | Wanted::Release(..) => None,
    });
    // how much of what is told may be told by now: what was not answered may be part of it, or not
    let mut reached = BTreeSet::from([0]);
    for (settlement, answer) in asked {
        for verdict in settlement.verdicts.iter().filter(|verdict| usize::from(verdict.recipient) == place) {
            let is_told = |at: &&usize| told.get(**at).is_some_and(|next| *next == verdict);
            let mut further: BTreeSet<usize> = reached.iter().filter(is_told).map(|at| at + 1).collect();
            if answer != Answer::Kept {
                further.extend(&reached);
            }
            if further.is_empty() {
                return Err(format!("{:?} was kept, and activity does not say so", verdict.outcome));
            }
            reached = further;
        }
    }
    match told.len() {
        all if reached.contains(&all) => Ok(()),
        _ => Err(format!("activity says what nobody asked to keep, among {told:?}")),
    }
}

/// An outcome agrees with what the world knows.
fn check_truth(
    world: &World,
    mail: &Mail,
    message: &Message,
    recipient: String,
    verdict: &Verdict,
) -> Result<(), String> {
    let id = message.envelope.message;
    let serial = verdict.remote_reply.as_deref().and_then(|reply| reply.rsplit('#').next()?.trim().parse().ok());
    let said = serial.and_then(|serial| world.hops.was_said(serial));
    match verdict.outcome {
        Outcome::Delivered { .. } => {
            let takings = mail.takings.get(&(message.token.clone(), recipient));
            let is_heard = |reply: &Option<Mark>| reply.as_ref().is_some_and(Mark::is_read);
            if !takings.is_some_and(|takings| takings.iter().any(|taking| is_heard(&taking.reply))) {
                return Err("delivered, and no next hop said that it took it".to_owned());
            }
            if said != Some(true) {
                return Err(format!("delivered by a reply that nobody gave: {:?}", verdict.remote_reply));
            }
        }
        Outcome::HardBounced if verdict.reason.starts_with(CANCELLED) => {
            if !mail.cancelled.contains(&(id, verdict.recipient)) {
                return Err("cancelled, and nobody did that".to_owned());
            }
        }
        Outcome::HardBounced if verdict.remote_reply.as_ref().is_some_and(|reply| reply.starts_with('4')) => {
            return Err(format!("bounced for good by what passes: {:?}", verdict.remote_reply));
        }
        Outcome::HardBounced | Outcome::SoftBounced | Outcome::Deferred { .. } => {
            if said == Some(true) {
                return Err(format!("{:?} by a positive reply: {:?}", verdict.outcome, verdict.remote_reply));
            }
        }
    }
    Ok(())
}

/// Every failure that was kept was told to the sender first, where it wants to hear of it, and else never.
fn check_notifications(mail: &Mail, message: &Message) -> Result<(), String> {
    let ReversePath::Mailbox(_) = message.envelope.reverse_path else { return Ok(()) };
    if message.envelope.origin != Origin::Submission {
        return Ok(());
    }
    let mut failed = BTreeSet::new();
    for ask in message.asks.iter().filter(|ask| ask.answer == Answer::Kept) {
        let Wanted::Settle(settlement) = &ask.wanted else { continue };
        // of what was cancelled without a word the sender may hear, where it was cancelled with one, too
        let is_untold = |verdict: &Verdict| {
            let key = (settlement.message, verdict.recipient);
            verdict.reason.starts_with(CANCELLED) && mail.untold.contains(&key)
        };
        let is_failure = |verdict: &&Verdict| {
            matches!(verdict.outcome, Outcome::SoftBounced | Outcome::HardBounced) && !is_untold(verdict)
        };
        let numbers = settlement.verdicts.iter().filter(is_failure).map(|verdict| verdict.recipient);
        let is_wanted = |number: &u16| About::Failed.is_told(message.envelope.asked(*number));
        let (numbers, unwanted): (Vec<u16>, Vec<u16>) = numbers.partition(is_wanted);
        let id = notification::id(message.envelope.message, About::Failed, unwanted.iter().copied());
        if !unwanted.is_empty() && mail.messages.contains_key(&id) {
            return Err(format!("the sender did not want to hear of its failure, and was told by {id}"));
        }
        if numbers.is_empty() || numbers.iter().any(|number| !failed.insert(*number)) {
            continue;
        }
        let id = notification::id(message.envelope.message, About::Failed, numbers);
        if !mail.messages.get(&id).is_some_and(|told| told.commit == Answer::Kept || told.excuse.lost) {
            return Err(format!("its failure was settled, and the notification {id} is not kept"));
        }
    }
    Ok(())
}
