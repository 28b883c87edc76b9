//! One policy, over HTTPS: from the host that the domain's name gives, with a certificate for it, without redirections.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use relay::mta_sts::{POLICY_OCTETS_MAX, Policy};
use rustls::pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Settings;
use crate::dns::Resolver;
use crate::outbound::{Dialer as _, TcpDialer, checking_tls};
use crate::reach::admitted;

/// Addresses of a policy server that are dialled.
const ADDRESSES_MAX: usize = 4;
const PATH: &str = "/.well-known/mta-sts.txt";

/// Whoever fetches.
pub(super) struct Fetcher {
    resolver: Arc<dyn Resolver>,
    tls: TlsConnector,
    port: u16,
    allow_private: bool,
    own: Vec<IpAddr>,
    /// How long one dial may take, so that each address has its turn.
    dial_max: Duration,
}

impl Fetcher {
    pub(super) fn new(settings: &Settings, resolver: Arc<dyn Resolver>) -> Result<Fetcher, rustls::Error> {
        let mut tls = checking_tls(settings.system_authorities, &settings.authorities)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let Settings { port, allow_private, ref own, fetch_max, .. } = *settings;
        let dial_max = fetch_max / u32::try_from(ADDRESSES_MAX).unwrap_or(1);
        Ok(Fetcher { resolver, tls: Arc::new(tls).into(), port, allow_private, own: own.clone(), dial_max })
    }

    /// Fetches the policy of a domain (RFC 8461 §3.3). Whoever calls sees to the time.
    ///
    /// # Errors
    /// Why there is none that can be used, in words.
    pub(super) async fn fetch(&self, domain: &str) -> Result<Policy, String> {
        let host = format!("mta-sts.{domain}");
        let name = ServerName::try_from(host.clone()).map_err(|_| format!("{host} is no name of a host"))?;
        let stream = self.dial(&host).await?;
        let stream =
            self.tls.connect(name, stream).await.map_err(|error| format!("TLS with {host} failed: {error}"))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| format!("HTTP with {host} cannot begin: {error}"))?;
        let request = Request::get(PATH)
            .header(HOST, &host)
            .header(USER_AGENT, concat!("Envoi/", env!("CARGO_PKG_VERSION"), " (MTA-STS)"))
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let asking = async move {
            let broken = |error: hyper::Error| format!("the conversation broke off: {error}");
            let response = sender.send_request(request).await.map_err(broken)?;
            let body = Limited::new(accepted(response)?, POLICY_OCTETS_MAX).collect().await;
            Ok(body.map_err(|error| format!("the policy did not come whole: {error}"))?.to_bytes())
        };
        let ended = async {
            match connection.await {
                // with the answer, which is read to its end
                Ok(()) => std::future::pending().await,
                Err(error) => format!("the connection broke: {error}"),
            }
        };
        let octets: Result<Bytes, String> = tokio::select! {
            biased;
            octets = asking => octets,
            broken = ended => Err(broken),
        };
        Policy::parse(&octets?).map_err(|error| format!("the policy cannot be used: {error}"))
    }

    async fn dial(&self, host: &str) -> Result<TcpStream, String> {
        let found = self.resolver.addresses(host).await.map_err(|error| format!("{host}: {error}"))?;
        let (admitted, refused) = admitted(found, &self.own, self.allow_private);
        let mut last = match refused {
            Some((address, why)) => format!("{host} is {address}, {why}"),
            None => format!("{host} has no address"),
        };
        for address in admitted.into_iter().take(ADDRESSES_MAX) {
            let remote = SocketAddr::new(address, self.port);
            match timeout(self.dial_max, TcpDialer.dial(remote, None)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = format!("{remote} cannot be reached: {error}"),
                Err(_) => last = format!("{remote} does not answer"),
            }
        }
        Err(last)
    }
}

/// The body of an answer that is a policy.
fn accepted<T>(response: Response<T>) -> Result<T, String> {
    if response.status() != StatusCode::OK {
        return Err(format!("its server answered {}", response.status().as_u16()));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|field| field.to_str().ok()).unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("text/plain") {
        Ok(response.into_body())
    } else {
        Err(format!("it came as {kind}, not as text/plain"))
    }
}
