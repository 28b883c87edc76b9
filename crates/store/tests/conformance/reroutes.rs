//! Orders to send waiting mail another way: kept in their order, few.

use relay::reroute::{REROUTES_MAX, Reroute, Via};
use relay::selection::{Filter, Whom};
use relay::store::{Store, StoreError};

use crate::world::*;

fn order(to: &str, until: u64, via: Via) -> Reroute {
    let filter = Filter { recipient: Whom::parse(to), until: Some(later(until)), ..Filter::default() };
    Reroute { filter, via }
}

pub(crate) async fn the_same_part_is_sent_another_way_as_often_as_one_likes(store: &impl Store) {
    let first = order("@one.example", 0, Via::Mx);
    store.reroute(first.clone(), None).unwrap();
    let mut last = first.clone();
    for (number, via) in (0..).zip([Via::Usual, Via::Mx].into_iter().cycle().take(REROUTES_MAX + 1)) {
        last = order("@two.example", number, via);
        store.reroute(last.clone(), None).unwrap();
    }
    assert_eq!(*store.directory().reroutes, [first, last]);
    for number in 2..REROUTES_MAX {
        store.reroute(order(&format!("@{number}.example"), 0, Via::Mx), None).unwrap();
    }
    let full = store.reroute(order("@more.example", 0, Via::Mx), None);
    assert!(matches!(full, Err(StoreError::Conflict(_))), "{full:?}");
}
