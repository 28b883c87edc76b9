//! Next hops that misbehave in every way that has a name, combined, under simulated time: no message is lost, and none is sent
//! again after a reply that was read (invariant 3).
#![allow(clippy::unwrap_used)]

#[path = "misbehaving/hop.rs"]
mod hop;
#[path = "misbehaving/world.rs"]
mod world;

use std::sync::LazyLock;

use hop::Fault;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use world::{Certificates, HOSTS, Letter, Mutant, Plan, RECIPIENTS, run};

static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(Certificates::new);

fn letter() -> impl Strategy<Value = Letter> {
    let to = btree_set(0..RECIPIENTS.len(), 1..4).prop_map(|places| places.into_iter().collect());
    (to, 1..60_usize, any::<bool>()).prop_map(|(to, lines, has_eight_bit)| Letter { to, lines, has_eight_bit })
}

/// What a mail server does wrong during each of its first connections: nothing, one thing, or two at once.
fn faults() -> impl Strategy<Value = Vec<Vec<Fault>>> {
    vec(proptest::sample::subsequence(Fault::ALL.to_vec(), 0..=2), 0..6)
}

fn plan() -> impl Strategy<Value = Plan> {
    let faults = [faults(), faults(), faults(), faults()];
    (faults, vec(letter(), 1..5)).prop_map(|(faults, letters)| Plan { faults, letters })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_sent_again_after_a_reply(plan in plan()) {
        prop_assert_eq!(run(&plan, &CERTIFICATES, Mutant::None), Ok(()));
    }
}

/// Everybody does this during the first connections to them.
fn all(faults: &[Fault]) -> Plan {
    let letter = |to: &[usize]| Letter { to: to.to_vec(), lines: 20, has_eight_bit: false };
    Plan { faults: std::array::from_fn(|_| vec![faults.to_vec(); 2]), letters: vec![letter(&[0, 2, 3]), letter(&[1])] }
}

#[test]
fn each_fault_by_itself_is_survived() {
    for fault in Fault::ALL {
        assert_eq!(run(&all(&[fault]), &CERTIFICATES, Mutant::None), Ok(()), "{fault:?}");
    }
    assert_eq!(HOSTS.len(), 4);
}

#[test]
fn a_relay_that_is_wrong_is_found_out() {
    let wrong = [
        (Mutant::ForgetsReplies, Fault::Greylisting, "sent again after a reply that was read"),
        (Mutant::TakesLossForSuccess, Fault::DropAtTheDot, "lost: nobody said that it was taken"),
        (Mutant::TakesBusyForNever, Fault::BusyAtRecipient, "given up without a cause"),
    ];
    for (mutant, fault, words) in wrong {
        let found = run(&all(&[fault]), &CERTIFICATES, mutant).unwrap_err();
        assert!(found.starts_with(words), "{mutant:?}: {found}");
    }
}
