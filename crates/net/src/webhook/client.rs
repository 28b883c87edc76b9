//! One call to one receiver: HTTP/1.1, under TLS, to addresses that were checked before they are dialled.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::reach::admitted;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use relay::clock::Timestamp;
use relay::webhook::{NewCall, Reply, Target, Try, retry_after, signature};
use rustls::pki_types::ServerName;
use smtp::server::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Settings;
use crate::dns::{LookupError, Resolver};
use crate::outbound::{Dialer as _, TcpDialer, checking_tls};

/// Addresses of a receiver that are dialled.
const ADDRESSES_MAX: usize = 4;
/// Octets of an answer that are read; a connection that brings more is not used again.
const ANSWER_OCTETS_MAX: usize = 16 * 1024;
/// Characters of an answer that are kept.
const ANSWER_CHARACTERS_MAX: usize = 1_000;
/// Octets of an answer's head.
const HEAD_OCTETS_MAX: usize = 16 * 1024;

const USER_AGENT: &str = concat!("Envoi/", env!("CARGO_PKG_VERSION"), " (webhooks)");

/// Whoever calls.
pub(super) struct Client {
    resolver: Arc<dyn Resolver>,
    tls: TlsConnector,
    settings: Settings,
    /// The time of one call in all.
    patience: Duration,
}

/// A connection to a receiver, which ends with it.
pub(super) struct Line {
    sender: SendRequest<String>,
    connection: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// What came of a call.
pub(super) struct Exchange {
    pub(super) reply: Reply,
    fault: String,
    answer: String,
}

impl Exchange {
    /// There was no answer.
    pub(super) fn failed(fault: String) -> Exchange {
        Exchange { reply: Reply::default(), fault, answer: String::new() }
    }

    /// It as it is kept.
    pub(super) fn tried(&self, at: Timestamp, milliseconds: u64) -> Try {
        let (fault, answer) = (self.fault.clone(), self.answer.clone());
        Try { at, milliseconds, status: self.reply.status, fault, answer }
    }
}

impl Client {
    pub(super) fn new(settings: Settings, resolver: Arc<dyn Resolver>) -> Result<Client, rustls::Error> {
        let mut tls = checking_tls(settings.system_authorities, &settings.authorities)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let patience = Duration::from_secs(settings.limits.webhook_seconds);
        Ok(Client { resolver, tls: Arc::new(tls).into(), settings, patience })
    }

    /// Whether receivers may be in private networks, and without TLS.
    pub(super) fn allows_private(&self) -> bool {
        self.settings.allow_private
    }

    /// Sends a call, on the line where there is one; leaves there what can be used again.
    pub(super) async fn send(
        &self,
        line: &mut Option<Line>,
        target: &Target,
        call: &NewCall,
        secrets: &[Secret],
        now: Timestamp,
    ) -> Exchange {
        let exchange = timeout(self.patience, self.exchange(line, target, call, secrets, now)).await;
        let seconds = self.patience.as_secs();
        match exchange {
            Ok(Ok(exchange)) => exchange,
            Ok(Err(fault)) => {
                *line = None;
                Exchange::failed(fault)
            }
            Err(_) => {
                *line = None;
                Exchange::failed(format!("There was no whole answer within {seconds} seconds."))
            }
        }
    }

    async fn exchange(
        &self,
        line: &mut Option<Line>,
        target: &Target,
        call: &NewCall,
        secrets: &[Secret],
        now: Timestamp,
    ) -> Result<Exchange, String> {
        let request = || request(target, call, secrets, now);
        // one that was used before may have been closed meanwhile, which is no fault of the receiver's
        if let Some(mut used) = line.take().filter(|line| !line.sender.is_closed())
            && used.sender.ready().await.is_ok()
            && let Ok(response) = used.sender.send_request(request()?).await
        {
            return read(used, line, response, now).await;
        }
        let mut fresh = self.connect(target).await?;
        let response = fresh.sender.send_request(request()?).await;
        let response = response.map_err(|error| format!("The conversation broke off: {}.", told(&error)))?;
        read(fresh, line, response, now).await
    }

    async fn connect(&self, target: &Target) -> Result<Line, String> {
        let mut last = String::new();
        for address in self.addresses(target).await? {
            let remote = SocketAddr::new(address, target.port);
            let dialled = timeout(self.patience / 3, TcpDialer.dial(remote, None)).await;
            match dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) if target.is_tls => {
                    let name = ServerName::try_from(target.name.clone().unwrap_or_else(|| address.to_string()));
                    let name = name.map_err(|_| format!("No certificate can be valid for {}.", target.host()))?;
                    let stream = self.tls.connect(name, stream).await;
                    return line(stream.map_err(|error| format!("TLS with {} failed: {error}.", target.host()))?).await;
                }
                Ok(stream) => return line(stream).await,
                Err(error) => last = format!("{remote} cannot be reached: {error}."),
            }
        }
        Err(last)
    }

    /// The addresses of a receiver that may be dialled: what is dialled is what was checked, whatever DNS says later.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, String> {
        let host = target.host();
        let found = match (&target.name, target.address) {
            (None, Some(address)) => vec![address],
            // names that mean this machine are in no DNS
            (Some(name), _) if name == "localhost" && self.settings.allow_private => {
                vec![IpAddr::from([127, 0, 0, 1]), std::net::Ipv6Addr::LOCALHOST.into()]
            }
            (Some(name), _) => self.resolver.addresses(name).await.map_err(|error| match error {
                LookupError::Fault(fault) => format!("DNS does not say where {host} is: {fault}."),
                none => format!("{host} has no address: {none}."),
            })?,
            (None, None) => Vec::new(),
        };
        let (mut admitted, refused) = admitted(found, &self.settings.own, self.settings.allow_private);
        admitted.truncate(ADDRESSES_MAX);
        match refused {
            _ if !admitted.is_empty() => Ok(admitted),
            Some((address, why)) => Err(format!("{host} is {address}, {why}, which is not called.")),
            None => Err(format!("{host} has no address.")),
        }
    }
}

async fn line<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: T) -> Result<Line, String> {
    let mut builder = Builder::new();
    builder.max_buf_size(HEAD_OCTETS_MAX);
    let (sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| format!("HTTP cannot begin: {error}."))?;
    // what breaks it off is told by the request under way
    let connection = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok(Line { sender, connection })
}

fn request(target: &Target, call: &NewCall, secrets: &[Secret], now: Timestamp) -> Result<Request<String>, String> {
    Request::post(target.path.as_str())
        .header(header::HOST, target.authority())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", call.call.to_string())
        .header("webhook-timestamp", (now.0 / 1000).to_string())
        .header("webhook-signature", signature(secrets, call.call, now, &call.body))
        .body(call.body.clone())
        .map_err(|error| format!("The URL cannot be called: {error}."))
}

/// Reads an answer; the line it came on goes back where that can be used again.
async fn read(
    used: Line,
    line: &mut Option<Line>,
    response: Response<Incoming>,
    now: Timestamp,
) -> Result<Exchange, String> {
    let status = response.status();
    let wait = response.headers().get(header::RETRY_AFTER).and_then(|field| field.to_str().ok());
    let reply = Reply { status: Some(status.as_u16()), retry_after: wait.and_then(|field| retry_after(field, now)) };
    let (octets, is_whole) = body(response.into_body()).await.unwrap_or_default();
    if is_whole {
        *line = Some(used);
    }
    let fault = match status.as_u16() {
        200..=299 => String::new(),
        code @ 300..=399 => format!("The receiver answered {code}: redirections are not followed."),
        code @ 410 => format!("The receiver answered {code}: it wants no more calls."),
        code => format!("The receiver answered {code}."),
    };
    let answer = String::from_utf8_lossy(&octets).chars().take(ANSWER_CHARACTERS_MAX).collect();
    Ok(Exchange { reply, fault, answer })
}

/// The beginning of a body, and whether it is all of it. One that breaks off says nothing against the status before it.
async fn body(mut body: Incoming) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = ANSWER_OCTETS_MAX - octets.len();
        octets.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() >= room {
            return Ok((octets, false));
        }
    }
    Ok((octets, true))
}

/// An error with what it came from.
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
