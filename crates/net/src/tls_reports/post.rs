//! One report to one receiver over HTTPS (RFC 8460 §5.4).

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use relay::webhook::Target;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

use crate::dns::Resolver;
use crate::https::{Https, Place, Trust};

/// How long one may take in all.
const POST_MAX: Duration = Duration::from_secs(60);
/// Octets of an answer that are read; it is not looked at.
const ANSWER_OCTETS_MAX: usize = 16 * 1024;

/// Whoever posts.
pub(super) struct Poster {
    https: Https,
}

impl Poster {
    pub(super) fn new(trust: Trust, resolver: Arc<dyn Resolver>) -> Result<Poster, rustls::Error> {
        Ok(Poster { https: Https::new(trust, resolver, POST_MAX / 2)? })
    }

    /// Posts a report, compressed by gzip. Whoever answers that it was taken has it, whatever else it says.
    ///
    /// # Errors
    /// Why it was not taken, in words.
    pub(super) async fn post(&self, target: &Target, gzip: Bytes) -> Result<(), String> {
        let request = Request::post(target.path.as_str())
            .header(HOST, target.authority())
            .header(USER_AGENT, concat!("Envoi/", env!("CARGO_PKG_VERSION"), " (TLS-RPT)"))
            .header(CONTENT_TYPE, "application/tlsrpt+gzip")
            .body(Full::new(gzip))
            .map_err(|error| format!("it cannot be called: {error}"))?;
        let host = target.name.clone().or_else(|| target.address.map(|address| address.to_string()));
        let host = host.unwrap_or_default();
        let place = Place { host: &host, address: target.address, port: target.port };
        let mut is_taken = false;
        let asking = self.https.ask(
            place,
            request,
            |response| match response.status() {
                status if status.is_success() => {
                    is_taken = true;
                    Ok(())
                }
                status => Err(format!("it answered {}", status.as_u16())),
            },
            ANSWER_OCTETS_MAX,
        );
        let asked = timeout(POST_MAX, asking).await;
        match asked {
            _ if is_taken => Ok(()),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(trouble)) => Err(trouble.why),
            Err(_) => Err(format!("there was no answer within {} seconds", POST_MAX.as_secs())),
        }
    }
}
