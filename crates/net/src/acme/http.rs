//! How an authority is spoken to: one connection a request, over TLS alone, with a bound on time and octets.

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::{CertificateDer, ServerName};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::outbound::checking_tls;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most of an answer that is read, octets; a chain of certificates has some thousand.
const ANSWER_MAX: usize = 256 * 1024;

/// Carries requests. It dials what the operator's configuration and the authority named there say, so any address.
#[derive(Clone)]
pub(super) struct Courier {
    tls: TlsConnector,
}

impl Courier {
    /// One that trusts the system's authorities, or these where there are any.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(super) fn new(authorities: &[CertificateDer<'static>]) -> Result<Courier, rustls::Error> {
        let config = checking_tls(authorities.is_empty(), authorities)?;
        Ok(Courier { tls: Arc::new(config).into() })
    }

    async fn carry(self, mut request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Trouble> {
        let uri = request.uri();
        let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(io::Error::other(format!("{uri} is no address that begins with https://")).into());
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(443);
        let named = HeaderValue::from_str(authority.as_str())?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
        request.headers_mut().insert(HOST, named);
        *request.uri_mut() = path;
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        let stream = self.tls.connect(ServerName::try_from(host)?, stream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let asking = async move {
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
            Ok(BytesResponse { parts, body: Box::new(body) })
        };
        tokio::select! {
            answer = asking => answer,
            // it ends by itself only where it breaks, or with the answer
            ended = async { connection.await?; std::future::pending().await } => ended,
        }
    }
}

/// Whatever may be the matter on the way.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

impl HttpClient for Courier {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let carrying = self.clone().carry(request);
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, carrying).await {
                Ok(answer) => answer.map_err(Error::Other),
                Err(_) => Err(Error::Other(format!("no answer within {} seconds", PATIENCE.as_secs()).into())),
            }
        })
    }
}
