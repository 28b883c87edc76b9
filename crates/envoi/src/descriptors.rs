//! File descriptors: the system's soft bound is raised, and where even the hard one is too low, fewer connections are
//! taken. Without one left the spool could not go on in its next file.

use relay::limits::{Limits, SESSIONS_MAX, WEB_CONNECTIONS_MAX};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open beside connections: files of the spool and the ledger, listeners, the control socket, name servers.
const HOUSE: u64 = 256;
/// A connection has a socket, and a file where large content comes or goes.
const EACH: u64 = 2;
/// What is shown over HTTP, each with connections of its own: the API, metrics and health, the console.
const FACES: u64 = 3;
/// The part of all descriptors that connections to one of them may have.
const FACE_SHARE: u64 = 16;

/// Raises the soft bound to the hard one, and lowers `sessions_max` and `web_connections_max` where that is too little,
/// with a warning.
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
    limits.web_connections_max = web(descriptors, limits);
    let most = sessions(descriptors, limits);
    if most < limits.sessions_max {
        tracing::warn!(
            open_files_max = descriptors,
            sessions_max = most,
            web_connections_max = limits.web_connections_max,
            "fewer connections are taken than the limits say: raise the bound of open files (LimitNOFILE= in a \
             systemd unit)"
        );
        limits.sessions_max = most;
    }
}

/// So many connections over HTTP so many descriptors are enough for.
fn web(descriptors: u64, limits: &Limits) -> u64 {
    (descriptors / FACE_SHARE).clamp(WEB_CONNECTIONS_MAX.floor, limits.web_connections_max)
}

/// So many connections so many descriptors are enough for.
fn sessions(descriptors: u64, limits: &Limits) -> u64 {
    let others = HOUSE + EACH * limits.conversations_max + FACES * web(descriptors, limits);
    (descriptors.saturating_sub(others) / EACH).clamp(SESSIONS_MAX.floor, limits.sessions_max)
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
            let taken = taken + FACES * web(descriptors, &limits);
            assert!(taken + HOUSE <= descriptors, "{descriptors}");
        }
        assert_eq!((sessions(0, &limits), web(0, &limits)), (SESSIONS_MAX.floor, WEB_CONNECTIONS_MAX.floor));
        assert_eq!(
            (sessions(32_768, &limits), web(32_768, &limits)),
            (limits.sessions_max, limits.web_connections_max)
        );
    }
}
