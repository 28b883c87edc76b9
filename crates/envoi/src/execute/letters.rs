//! How often the relay writes to people at somebody's wish: an account must not make it a sender of its own.

use relay::clock::Timestamp;
use relay::rate::Pace;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Letters to one address: so many at once, then one in this time.
const ADDRESS_BURST: u64 = 3;
const ADDRESS_EVERY: Duration = Duration::from_secs(1200);
/// Letters of one account, or of the operator.
const ACCOUNT_BURST: u64 = 20;
const ACCOUNT_EVERY: Duration = Duration::from_secs(3600);

/// What was written lately.
pub(super) struct Letters {
    addresses: Mutex<Pace<String>>,
    accounts: Mutex<Pace<Option<u64>>>,
}

impl Default for Letters {
    fn default() -> Self {
        Letters {
            addresses: Mutex::new(Pace::every(ADDRESS_EVERY, ADDRESS_BURST)),
            accounts: Mutex::new(Pace::every(ACCOUNT_EVERY, ACCOUNT_BURST)),
        }
    }
}

impl Letters {
    /// Whether another letter may go to this address for this account (none: the operator); it counts then.
    pub(super) fn may_write(&self, address: &str, account: Option<u64>, now: Timestamp) -> bool {
        let addressed = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).on(address.to_lowercase(), now);
        addressed.is_ok() && self.accounts.lock().unwrap_or_else(PoisonError::into_inner).on(account, now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_an_account_get_only_so_many() {
        let (letters, now) = (Letters::default(), Timestamp(1_800_000_000_000));
        assert_eq!((0..9).filter(|_| letters.may_write("A@example.com", Some(1), now)).count(), 3);
        assert!(!letters.may_write("a@EXAMPLE.com", Some(2), now), "an address is one whoever writes");
        let others = (0..50).filter(|number| letters.may_write(&format!("{number}@example.com"), Some(1), now)).count();
        assert_eq!(others, 17);
        assert!(letters.may_write("z@example.com", None, now));
        assert!(letters.may_write("a@example.com", Some(2), now.after(ADDRESS_EVERY)));
    }
}
