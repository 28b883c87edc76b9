//! File descriptors: the system's soft bound is raised, and where even the hard one is too low, fewer connections are
//! taken. Without one left the spool could not go on in its next file.

use relay::limits::{Limits, SESSIONS_MAX};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open beside connections: files of the spool and the ledger, listeners, the control socket, name servers.
const HOUSE: u64 = 256;
/// A connection has a socket, and a file where large content comes or goes.
const EACH: u64 = 2;

/// Raises the soft bound to the hard one, and lowers `sessions_max` where that is too little, with a warning.
pub(crate) fn fit(limits: &mut Limits) {
    let mut bound = getrlimit(Resource::Nofile);
    if bound.current != bound.maximum {
        let raised = Rlimit { current: bound.maximum, maximum: bound.maximum };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => bound = raised,
            Err(error) => tracing::warn!(%error, "the bound of open files cannot be raised"),
        }
    }
    // none: without bound
    let Some(descriptors) = bound.current else { return };
    let most = sessions(descriptors, limits);
    if most < limits.sessions_max {
        tracing::warn!(
            open_files_max = descriptors,
            sessions_max = most,
            "fewer connections are taken than `sessions_max` says: raise the bound of open files (LimitNOFILE= in a \
             systemd unit)"
        );
        limits.sessions_max = most;
    }
}

/// So many connections so many descriptors are enough for.
fn sessions(descriptors: u64, limits: &Limits) -> u64 {
    let rest = descriptors.saturating_sub(HOUSE + EACH * limits.conversations_max);
    (rest / EACH).clamp(SESSIONS_MAX.floor, limits.sessions_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_never_take_the_descriptors_of_the_store() {
        let limits = Limits::default();
        assert_eq!(sessions(1 << 20, &limits), limits.sessions_max);
        for descriptors in [1_024, 4_096, 20_000] {
            let taken = EACH * (sessions(descriptors, &limits) + limits.conversations_max);
            assert!(taken + HOUSE <= descriptors, "{descriptors}");
        }
        assert_eq!(sessions(0, &limits), SESSIONS_MAX.floor);
    }
}
