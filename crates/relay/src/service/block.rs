//! Blocked addresses: the operator sees and lifts each, an account those that are its own business.

use std::net::IpAddr;

use super::{Caller, Fault};
use crate::power::Scope;
use crate::site::Site;
use crate::store::{Block, Book, StoreError};

/// A block as a caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The block, without what it says of others.
    pub block: Block,
    /// Whether the caller may lift it: all its failures were aimed at what is the caller's.
    pub liftable: bool,
}

/// The blocks in force that the caller may see, the last to end first: of an account those with a failure aimed at a
/// user of it, without what they say of others.
///
/// # Errors
/// The store's.
pub fn blocks(book: &impl Book, caller: Caller<'_>) -> Result<Vec<Seen>, Fault> {
    let mut blocks = book.blocks()?;
    blocks.retain(|block| block.until > caller.now && is_seen(block, caller));
    blocks.sort_by_key(|block| std::cmp::Reverse(block.until));
    let seen = |mut block: Block| {
        let liftable = is_liftable(&block, caller);
        block.accounts.retain(|account| caller.scope.sees(*account));
        Seen { block, liftable }
    };
    Ok(blocks.into_iter().map(seen).collect())
}

/// Lifts the block of an address; the address that was blocked, an IPv6 one as the first of its /64.
///
/// # Errors
/// It is not blocked, as far as the caller sees, or others than its own users were aimed at from there.
pub fn block_lift(book: &impl Book, address: IpAddr, caller: Caller<'_>) -> Result<IpAddr, Fault> {
    let site = Site::of(address).address();
    let unknown = || {
        let told =
            Fault::not_found(format!("{address} is not blocked."), "The list of blocks shows the addresses that are.");
        told.named("block-none", &[("address", &address)]).see("Blocks")
    };
    let found = book.blocks()?.into_iter().find(|block| block.address == site && is_seen(block, caller));
    let block = found.ok_or_else(unknown)?;
    if !is_liftable(&block, caller) {
        return Err(Fault::forbidden(
            format!("{address} also failed to log in with names that are not of this account."),
            "The operator of the relay can lift the block; it ends by itself.",
        )
        .named("block-not-yours", &[("address", &address)]));
    }
    match book.block_lift(site, caller.actor, caller.now) {
        Ok(()) => Ok(site),
        Err(StoreError::NotFound(_)) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

fn is_liftable(block: &Block, caller: Caller<'_>) -> bool {
    block.accounts.iter().all(|account| caller.scope.sees(*account))
}

fn is_seen(block: &Block, caller: Caller<'_>) -> bool {
    caller.scope == Scope::Operator || block.accounts.iter().any(|account| caller.scope.sees(*account))
}
