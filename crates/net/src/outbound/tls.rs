//! TLS towards next hops: one configuration that believes everybody, one that checks, and one for each host with DANE.

mod dane;
mod testing;

use relay::route::RouteTls;
use relay::tls_report::{Failed, ResultType};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, ProtocolVersion, RootCertStore, SignatureScheme,
};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::OutboundSettings;
use super::dial::Transport;
use super::shield::Shield;

/// The configurations.
pub(super) struct TlsClients {
    provider: Arc<CryptoProvider>,
    believing: TlsConnector,
    checking: TlsConnector,
    /// Who is trusted by the checking one.
    roots: Arc<RootCertStore>,
}

impl TlsClients {
    /// The configurations, the checking one with the authorities of the settings.
    ///
    /// # Errors
    /// The cryptography is unusable, which no configuration can mend.
    pub(super) fn new(settings: &OutboundSettings) -> Result<TlsClients, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let believing = judged_by(&provider, Arc::new(Believing(Arc::clone(&provider))))?;
        let roots = Arc::new(authorities(settings.system_authorities, &settings.authorities));
        let checking = trusting(&provider, Arc::clone(&roots))?;
        Ok(TlsClients { provider, believing: Arc::new(believing).into(), checking: Arc::new(checking).into(), roots })
    }

    /// Does the handshake with `host`, whose certificate must be what the shield asks for. Where the shield only asks what
    /// would be wrong with it, that comes back, too.
    ///
    /// # Errors
    /// Why there is no TLS.
    pub(super) async fn handshake<T: Transport>(
        &self,
        stream: T,
        host: &str,
        address: IpAddr,
        shield: &Shield,
    ) -> Result<(TlsStream<T>, Option<Failed>), Failed> {
        let named = ServerName::try_from(host.to_owned());
        // such a name cannot be asked for; without checking that does not matter
        let nameless = || ServerName::IpAddress(address.into());
        let unfit = || {
            let why = format!("no certificate can be valid for the name {host}");
            Failed::new(ResultType::CertificateHostMismatch, why)
        };
        let broken = |error: rustls::Error| Failed::new(ResultType::ValidationFailure, error.to_string());
        let stream = match shield {
            Shield::Route(RouteTls::Required) | Shield::Sts(_) | Shield::Demanded => {
                self.checking.connect(named.map_err(|_| unfit())?, stream).await
            }
            Shield::StsTesting { .. } => {
                let noting = Arc::new(testing::Noting::new(Arc::clone(&self.roots), Arc::clone(&self.provider)));
                let config = judged_by(&self.provider, Arc::clone(&noting) as _).map_err(broken)?;
                let connector = TlsConnector::from(Arc::new(config));
                let stream = connector.connect(named.unwrap_or_else(|_| nameless()), stream).await;
                return Ok((stream.map_err(|error| failed(&error))?, noting.doubt().as_ref().map(doubted)));
            }
            Shield::Route(_) | Shield::Encrypted => {
                self.believing.connect(named.unwrap_or_else(|_| nameless()), stream).await
            }
            Shield::Dane(dane) => {
                let base = ServerName::try_from(dane.base.clone()).unwrap_or_else(|_| nameless());
                let verifier = dane::ByDane { dane: Arc::clone(dane), provider: Arc::clone(&self.provider) };
                let config = judged_by(&self.provider, Arc::new(verifier)).map_err(broken)?;
                TlsConnector::from(Arc::new(config)).connect(base, stream).await
            }
        };
        Ok((stream.map_err(|error| failed(&error))?, None))
    }
}

/// A configuration with this judge of certificates.
fn judged_by(
    provider: &Arc<CryptoProvider>,
    judge: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(judge)
        .with_no_client_auth())
}

/// Why a handshake failed: in the words of the judge, where that is who stopped it.
fn failed(error: &io::Error) -> Failed {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(inner @ rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(judged)))) => {
            Failed::new(result_of(inner), judged.to_string())
        }
        Some(inner) => Failed::new(result_of(inner), error.to_string()),
        None => Failed::new(ResultType::ValidationFailure, error.to_string()),
    }
}

/// What would have been wrong with a certificate that was taken.
fn doubted(error: &rustls::Error) -> Failed {
    Failed::new(result_of(error), error.to_string())
}

/// Whether it is the certificate that a handshake failed for.
pub(crate) fn is_about_certificate(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented))
}

/// What a failure of TLS is called in reports (RFC 8460 §4.3.1, §4.3.2).
fn result_of(error: &rustls::Error) -> ResultType {
    use CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => ResultType::CertificateExpired,
        rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            ResultType::CertificateHostMismatch
        }
        rustls::Error::InvalidCertificate(C::Other(OtherError(judged))) => {
            judged.downcast_ref::<dane::Unfit>().map_or(ResultType::CertificateNotTrusted, dane::Unfit::result)
        }
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            ResultType::CertificateNotTrusted
        }
        _ => ResultType::ValidationFailure,
    }
}

/// A configuration that checks certificates, against the system's authorities where those are trusted, and these.
///
/// # Errors
/// The cryptography is unusable, which no configuration can mend.
pub(crate) fn checking(
    system_authorities: bool,
    further: &[CertificateDer<'static>],
) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    trusting(&provider, Arc::new(authorities(system_authorities, further)))
}

/// A configuration that trusts these authorities.
fn trusting(provider: &Arc<CryptoProvider>, roots: Arc<RootCertStore>) -> Result<ClientConfig, rustls::Error> {
    let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider)).with_protocol_versions(versions)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The authorities that are trusted where certificates are checked.
fn authorities(system_authorities: bool, further: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    if system_authorities {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some of the system's certificate authorities could not be read");
        }
        roots.add_parsable_certificates(found.certs);
    }
    for authority in further {
        if let Err(error) = roots.add(authority.clone()) {
            tracing::warn!(%error, "a configured certificate authority was not understood and is not trusted");
        }
    }
    if roots.is_empty() {
        tracing::warn!(
            "no certificate authorities are trusted: routes and policies that require TLS and webhooks will not work"
        );
    }
    roots
}

/// The words for what was agreed: `TLS 1.3`.
pub(super) fn version_name<T>(stream: &TlsStream<T>) -> &'static str {
    match stream.get_ref().1.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    }
}

/// Takes any certificate: opportunistic TLS hides mail from those who listen, and promises no more
/// (RFC 7435). What a certificate's key signed is not checked either, since nothing hangs on the key;
/// so odd certificates do not push mail back into the clear.
#[derive(Debug)]
struct Believing(Arc<CryptoProvider>);

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
