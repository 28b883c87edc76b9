//! One policy, over HTTPS: from the host that the domain's name gives, with a certificate for it, without redirections.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use relay::mta_sts::{POLICY_OCTETS_MAX, Policy};
use relay::tls_report::{Failed, ResultType};
use std::sync::Arc;

use super::Settings;
use crate::dns::Resolver;
use crate::https::{Https, Place, Trouble, Trust};

const PATH: &str = "/.well-known/mta-sts.txt";

/// Whoever fetches.
pub(super) struct Fetcher {
    https: Https,
    port: u16,
}

impl Fetcher {
    pub(super) fn new(settings: &Settings, resolver: Arc<dyn Resolver>) -> Result<Fetcher, rustls::Error> {
        let trust = Trust {
            system_authorities: settings.system_authorities,
            authorities: settings.authorities.clone(),
            allow_private: settings.allow_private,
            own: settings.own.clone(),
        };
        Ok(Fetcher { https: Https::new(trust, resolver, settings.fetch_max)?, port: settings.port })
    }

    /// Fetches the policy of a domain (RFC 8461 §3.3). Whoever calls sees to the time.
    ///
    /// # Errors
    /// Why there is none that can be used, as the domain is told of it (RFC 8460 §4.3.2.2).
    pub(super) async fn fetch(&self, domain: &str) -> Result<Policy, Failed> {
        let host = format!("mta-sts.{domain}");
        let request = Request::get(PATH)
            .header(HOST, &host)
            .header(USER_AGENT, concat!("Envoi/", env!("CARGO_PKG_VERSION"), " (MTA-STS)"))
            .body(Full::<Bytes>::default())
            .map_err(|error| unfetched(error.to_string().into()))?;
        let place = Place { host: &host, address: None, port: self.port };
        let octets = self.https.ask(place, request, accepted, POLICY_OCTETS_MAX).await.map_err(unfetched)?;
        Policy::parse(&octets)
            .map_err(|error| Failed::new(ResultType::StsPolicyInvalid, format!("the policy cannot be used: {error}")))
    }
}

fn unfetched(Trouble { is_certificate, why }: Trouble) -> Failed {
    Failed::new(if is_certificate { ResultType::StsWebpkiInvalid } else { ResultType::StsPolicyFetchError }, why)
}

/// Whether an answer is one with a policy.
fn accepted(response: &Response<()>) -> Result<(), String> {
    if response.status() != StatusCode::OK {
        return Err(format!("its server answered {}", response.status().as_u16()));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|field| field.to_str().ok()).unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("text/plain") { Ok(()) } else { Err(format!("it came as {kind}, not as text/plain")) }
}
