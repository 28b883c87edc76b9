//! One request over HTTPS to a host that a stranger named: its addresses are checked before they are dialled, no redirection is
//! followed, and what it answers is read in bounded room. Whoever asks sees to the time.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod testing;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::dns::Resolver;
use crate::outbound::{Dialer as _, TcpDialer, checking_tls, is_about_certificate};
use crate::reach::admitted;

/// Addresses of a host that are dialled.
pub(crate) const ADDRESSES_MAX: u32 = 4;

/// Who is trusted, and who may be dialled.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// Whether the system's certificate authorities are trusted.
    pub(crate) system_authorities: bool,
    /// Those trusted besides.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    /// Dial loopback, private and other special addresses.
    pub(crate) allow_private: bool,
    /// Addresses that we listen on, which are not dialled either.
    pub(crate) own: Vec<IpAddr>,
}

/// Whoever asks.
pub(crate) struct Https {
    resolver: Arc<dyn Resolver>,
    tls: TlsConnector,
    allow_private: bool,
    own: Vec<IpAddr>,
    /// How long one dial may take, so that each address has its turn.
    dial_max: Duration,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// A name to be asked for in DNS.
    pub(crate) host: &'a str,
    /// The address, where the host is one.
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}

/// Why there is no answer, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The host's certificate is not valid for it.
    pub(crate) is_certificate: bool,
    pub(crate) why: String,
}

impl From<String> for Trouble {
    fn from(why: String) -> Trouble {
        Trouble { is_certificate: false, why }
    }
}

impl Https {
    /// One that gives all dials of a request so long together.
    ///
    /// # Errors
    /// The cryptography is unusable, which no configuration can mend.
    pub(crate) fn new(trust: Trust, resolver: Arc<dyn Resolver>, dials_max: Duration) -> Result<Https, rustls::Error> {
        let Trust { system_authorities, authorities, allow_private, own } = trust;
        let mut tls = checking_tls(system_authorities, &authorities)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let dial_max = dials_max / ADDRESSES_MAX;
        Ok(Https { resolver, tls: Arc::new(tls).into(), allow_private, own, dial_max })
    }

    /// Sends a request and reads the body of the answer that `accepts` takes, at most so many octets of it.
    ///
    /// # Errors
    /// [`Trouble`]; what `accepts` says among it.
    pub(crate) async fn ask(
        &self,
        place: Place<'_>,
        request: Request<Full<Bytes>>,
        accepts: impl FnOnce(&Response<()>) -> Result<(), String>,
        octets_max: usize,
    ) -> Result<Bytes, Trouble> {
        let host = place.host;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no name of a host"))?;
        let stream = self.dial(place).await?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| Trouble {
            is_certificate: is_about_certificate(&error),
            why: format!("TLS with {host} failed: {error}"),
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| format!("HTTP with {host} cannot begin: {error}"))?;
        let asking = async move {
            let broken = |error: hyper::Error| format!("the conversation broke off: {error}");
            let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
            accepts(&Response::from_parts(head, ()))?;
            let body = Limited::new(body, octets_max).collect().await;
            Ok(body.map_err(|error| format!("the answer did not come whole: {error}"))?.to_bytes())
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
        Ok(octets?)
    }

    async fn dial(&self, Place { host, address, port }: Place<'_>) -> Result<TcpStream, String> {
        let found = match address {
            Some(address) => vec![address],
            None => self.resolver.addresses(host).await.map_err(|error| format!("{host}: {error}"))?,
        };
        let (admitted, refused) = admitted(found, &self.own, self.allow_private);
        let mut last = match refused {
            Some((address, why)) => format!("{host} is {address}, {why}"),
            None => format!("{host} has no address"),
        };
        for address in admitted.into_iter().take(ADDRESSES_MAX as usize) {
            let remote = SocketAddr::new(address, port);
            match timeout(self.dial_max, TcpDialer.dial(remote, None)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = format!("{remote} cannot be reached: {error}"),
                Err(_) => last = format!("{remote} does not answer"),
            }
        }
        Err(last)
    }
}
