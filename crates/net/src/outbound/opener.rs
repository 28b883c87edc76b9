//! Finds a next hop that lets us begin: hop after hop, TLS before clear, within the time for it all.

use relay::outcome::{Failure, Finding};
use relay::queue::TlsWish;
use relay::reachable::Forbidden;
use relay::route::Destination;
use relay::source::Source;
use relay::tls_report::{Failed, ResultType, Session};
use smtp::client::{Fault, Found, Tls};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::{Instant, timeout, timeout_at};

use super::dial::{Dialer, SourceUnusable};
use super::hops::{Hops, Next, Origin, Sources};
use super::line::{Line, OpenError, Peer, Terms};
use super::tried::Tried;
use super::{Outbound, finding};

/// The search for a next hop in one attempt.
pub(super) struct Opener<'a, D: Dialer> {
    outbound: &'a Outbound<D>,
    destination: &'a Destination,
    wish: TlsWish,
    /// Where it is dialled from; none: from the nameless source.
    source: Option<&'a Arc<Source>>,
    hops: Option<Hops<'a>>,
    /// The hop to dial again before any other.
    again: Option<Next>,
    last: Option<Next>,
    deadline: Instant,
}

impl<'a, D: Dialer> Opener<'a, D> {
    pub(super) fn new(
        outbound: &'a Outbound<D>,
        destination: &'a Destination,
        wish: TlsWish,
        source: Option<&'a Arc<Source>>,
    ) -> Self {
        let deadline = Instant::now() + outbound.settings.opening_max;
        Opener { outbound, destination, wish, source, hops: None, again: None, last: None, deadline }
    }

    /// The next open line is to lead to the same hop as the last.
    pub(super) fn stay(&mut self) {
        self.again = self.last.clone();
    }

    /// A line on which a transaction may begin. The hops that are no way there become part of `tried`; none: no hop is left.
    pub(super) async fn open(&mut self, tried: &mut Vec<Tried>) -> Option<Line<D::Stream>> {
        loop {
            let deadline = self.deadline;
            let next = match timeout_at(deadline, self.next(tried)).await {
                Ok(Ok(next)) => next?,
                Ok(Err(finding)) => {
                    tried.push(Tried::without_hop(finding));
                    return None;
                }
                Err(_) => {
                    tried.push(self.late());
                    return None;
                }
            };
            self.last = Some(next.clone());
            match timeout_at(deadline, self.reach(&next)).await {
                Ok(Ok(mut line)) => {
                    line.tls.push_str(match self.wish {
                        TlsWish::AsAsked => "",
                        TlsWish::Required => ", REQUIRETLS",
                        TlsWish::Waived => ", TLS-Required: No",
                    });
                    return Some(line);
                }
                Ok(Err((finding, tls))) => {
                    tried.push(Tried { host: next.host, remote: Some(next.remote), tls, finding });
                }
                Err(_) => {
                    tried.push(self.late());
                    return None;
                }
            }
        }
    }

    fn is_strict(&self) -> bool {
        self.wish == TlsWish::Required
    }

    fn late(&self) -> Tried {
        let why = Failure::Lost("no next hop was ready in time".into());
        let (host, remote) = self.last.clone().map(|next| (next.host, Some(next.remote))).unwrap_or_default();
        Tried { host, remote, tls: "none".into(), finding: Finding::Failed(why) }
    }

    async fn next(&mut self, tried: &mut Vec<Tried>) -> Result<Option<Next>, Finding> {
        if let Some(again) = self.again.take() {
            return Ok(Some(again));
        }
        let outbound = self.outbound;
        if self.hops.is_none() {
            let origin = match (self.destination, outbound.routes.route(self.destination)) {
                (_, Some(route)) => Origin::Route(route),
                (Destination::Mx { domain } | Destination::Waiving { domain }, None) => Origin::Mx(domain),
                (Destination::Route { .. }, None) => {
                    return Err(Finding::Failed(Failure::Connect("this route is no longer configured".into())));
                }
            };
            let sources = Sources::of(outbound, self.wish, self.source);
            let hops = Hops::find(sources, origin).await?;
            self.hops = Some(hops);
        }
        let mut fault = |host: &str, finding| {
            tried.push(Tried { host: host.to_owned(), remote: None, tls: "none".into(), finding });
        };
        match &mut self.hops {
            Some(hops) => Ok(hops.next(&mut fault).await),
            None => Ok(None),
        }
    }

    /// Dials and opens one hop; where TLS is a wish and the handshake fails, once more in the clear.
    async fn reach(&self, next: &Next) -> Result<Line<D::Stream>, (Finding, String)> {
        let (shield, none) = (&next.shield, || "none".to_owned());
        let why = match self.try_open(next, shield.tls()).await {
            Ok(line) => return Ok(line),
            // a certificate that is not the right one, or none at all, is no promise (RFC 8689 §4.2.1)
            Err(OpenError::Handshake(failed)) if self.is_strict() && failed.result != ResultType::ValidationFailure => {
                return Err((Finding::Failed(Failure::NeedsRequireTls(failed.why)), none()));
            }
            Err(OpenError::Found(Found::Failed(Fault::Tls(why)))) if self.is_strict() => {
                return Err((Finding::Failed(Failure::NeedsRequireTls(why)), none()));
            }
            Err(OpenError::Handshake(failed)) => failed.why,
            // 4yz: what it refuses now it may have the next time (RFC 3207 §4)
            Err(OpenError::Found(Found::Failed(Fault::TlsForNow(why)))) if self.is_strict() => why,
            Err(OpenError::Found(found)) => return Err((shield.blame(&next.host, finding(found)), none())),
            Err(OpenError::Dial(failure)) => return Err((Finding::Failed(failure), none())),
        };
        // no verdict about the host: mail that asks for less may be carried there meanwhile
        if self.is_strict() {
            return Err((Finding::Failed(Failure::SenderTls(why)), none()));
        }
        if shield.tls() == Tls::Required {
            return Err((shield.blame(&next.host, Finding::Failed(Failure::Tls(why))), none()));
        }
        let shown = shield.shown_clear(Some(&format!("TLS failed: {why}")));
        tracing::info!(host = %next.host, remote = %next.remote, %why, "TLS failed, going on in the clear");
        match self.try_open(next, Tls::Never).await {
            Ok(mut line) => {
                line.tls = shown;
                Ok(line)
            }
            Err(OpenError::Handshake(failed)) => Err((Finding::Failed(Failure::Tls(failed.why)), shown)),
            Err(OpenError::Found(found)) => Err((finding(found), shown)),
            Err(OpenError::Dial(failure)) => Err((Finding::Failed(failure), shown)),
        }
    }

    async fn try_open(&self, next: &Next, tls: Tls) -> Result<Line<D::Stream>, OpenError> {
        let outbound = self.outbound;
        let route = outbound.routes.route(self.destination);
        let tls = if route.is_some_and(|route| route.implicit_tls) { Tls::Implicit } else { tls };
        let login = route.and_then(|route| route.login_at(next.remote.ip()));
        let stream = self.dial(next).await?;
        let local = outbound.dialer.local(&stream);
        let (destination, host) = (self.destination.clone(), next.host.clone());
        let peer =
            Peer { destination, wish: self.wish, host, remote: next.remote, source: self.source.cloned(), local };
        let terms = Terms { tls, login, shield: &next.shield };
        let opened = Line::open(stream, peer, terms, &outbound.tls, &outbound.settings).await;
        // once more without TLS is no session of its own
        if tls != Tls::Never {
            self.count(next, local, &opened);
        }
        if let Err(OpenError::Found(Found::Failed(Fault::Login(why)))) = &opened {
            let site = outbound.routes.site(self.destination);
            tracing::error!(%site, remote = %next.remote, %why, "the next hop of a route does not let this relay log in: its mail waits");
        }
        opened
    }

    /// Counts a session, where it is one of those that are counted and came so far that TLS was spoken of.
    fn count(&self, next: &Next, sending: Option<IpAddr>, opened: &Result<Line<D::Stream>, OpenError>) {
        let (Some(sessions), Some(account)) = (&self.outbound.sessions, &next.account) else { return };
        let failed = match opened {
            Ok(line) => line.failed(),
            Err(OpenError::Handshake(failed)) => Some(failed.clone()),
            Err(OpenError::Found(Found::Failed(Fault::Tls(why) | Fault::TlsForNow(why)))) => {
                Some(Failed::new(ResultType::StarttlsNotSupported, why.as_str()))
            }
            Err(_) => return,
        };
        sessions.count(&Session {
            domain: &account.domain,
            applied: &account.applied,
            host: &next.host,
            receiving: Some(next.remote.ip()),
            sending,
            failed: failed.as_ref().or(account.trouble.as_ref()),
        });
    }

    async fn dial(&self, next: &Next) -> Result<D::Stream, OpenError> {
        let settings = &self.outbound.settings;
        let failed = |why: String| OpenError::Dial(Failure::Connect(format!("{} ({}): {why}", next.host, next.remote)));
        let source = match self.source {
            Some(source) => source.toward(next.remote.ip()),
            None => settings.sources.iter().find(|source| source.is_ipv4() == next.remote.is_ipv4()).copied(),
        };
        let dialling = self.outbound.dialer.dial(next.remote, source);
        let stream = match timeout(settings.dial_max, dialling).await {
            Ok(Ok(stream)) => stream,
            // the nameless source has no other in its place: its fault is as that of any dial
            Ok(Err(error)) if self.source.is_some() && is_own_fault(&error) => {
                return Err(OpenError::Dial(Failure::Source(error.to_string())));
            }
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("no answer".into())),
        };
        self.refuse_self(next, &stream)?;
        Ok(stream)
    }

    /// A connection from an address to itself leads to this machine, whatever the configuration knows of its addresses.
    fn refuse_self(&self, next: &Next, stream: &D::Stream) -> Result<(), OpenError> {
        let guarded = !matches!(self.destination, Destination::Route { .. }) && !self.outbound.settings.allow_private;
        match self.outbound.dialer.local(stream) {
            Some(local) if guarded && local == next.remote.ip() => {
                let text = format!("{} is {}, {}", next.host, next.remote.ip(), Forbidden::Own);
                Err(OpenError::Dial(Failure::ForbiddenAddress(text)))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a dial failed for the address that it was made from.
fn is_own_fault(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<SourceUnusable>())
}
