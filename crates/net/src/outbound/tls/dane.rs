//! The certificates of a host with TLSA records, judged by these alone (RFC 7672 §3): no other authority is asked.

use relay::dane::{self, Dane, Parts};
use relay::tls_report::ResultType;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::sync::Arc;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Takes the certificates that the records of one host speak of.
#[derive(Debug)]
pub(super) struct ByDane {
    pub(super) dane: Arc<Dane>,
    pub(super) provider: Arc<CryptoProvider>,
}

/// Why a certificate was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("its certificate is not one that they speak of")]
    Unknown,
    #[error("its certificate does not come from the authority that they name: {0}")]
    Astray(webpki::Error),
    #[error("its certificate is not for {0}")]
    Elsewhere(String),
    #[error("its certificate cannot be understood: {0}")]
    Odd(webpki::Error),
}

impl Unfit {
    /// What it is called in reports (RFC 8460 §4.3).
    pub(super) fn result(&self) -> ResultType {
        match self {
            Unfit::Unknown => ResultType::TlsaInvalid,
            Unfit::Astray(webpki::Error::CertExpired { .. }) => ResultType::CertificateExpired,
            Unfit::Astray(_) | Unfit::Odd(_) => ResultType::CertificateNotTrusted,
            Unfit::Elsewhere(_) => ResultType::CertificateHostMismatch,
        }
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(unfit))))
    }
}

impl ByDane {
    /// Whether the chain leads to an authority that a record speaks of, and has one of the right names.
    fn is_anchored(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Unfit> {
        let given: Vec<CertificateDer<'_>> = self.dane.anchor_certificates().map(CertificateDer::from).collect();
        let trusted = intermediates.iter().chain(&given).filter(|certificate| self.dane.trusts(certificate));
        let mut anchors: Vec<TrustAnchor<'_>> = trusted.filter_map(|one| anchor_from_trusted_cert(one).ok()).collect();
        anchors.extend(self.bare_anchors(end_entity, intermediates));
        if anchors.is_empty() {
            return Err(Unfit::Unknown);
        }
        let certificate = EndEntityCert::try_from(end_entity).map_err(Unfit::Odd)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        certificate
            .verify_for_usage(algorithms, &anchors, intermediates, now, KeyUsage::server_auth(), None, None)
            .map_err(Unfit::Astray)?;
        let is_for = |name: &str| {
            ServerName::try_from(name).is_ok_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok())
        };
        if self.dane.names().any(is_for) {
            return Ok(());
        }
        Err(Unfit::Elsewhere(self.dane.names().collect::<Vec<_>>().join(" or ")))
    }

    /// Authorities of which DNS has the key alone: whoever issued a certificate of the chain may be one.
    fn bare_anchors<'a>(
        &'a self,
        end_entity: &'a CertificateDer<'_>,
        intermediates: &'a [CertificateDer<'_>],
    ) -> impl Iterator<Item = TrustAnchor<'a>> {
        self.dane.anchor_keys().filter_map(dane::inside).flat_map(move |key| {
            let chain = std::iter::once(end_entity).chain(intermediates);
            let issuers = chain.filter_map(|certificate| Parts::of(certificate)).map(|parts| parts.issuer);
            issuers.map(move |issuer| TrustAnchor {
                subject: issuer.into(),
                subject_public_key_info: key.into(),
                name_constraints: None,
            })
        })
    }
}

impl ServerCertVerifier for ByDane {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // neither names nor dates matter of a certificate that DNS itself names (RFC 7672 §3.1.1)
        if !self.dane.knows(end_entity) {
            self.is_anchored(end_entity, intermediates, now)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    /// By the key alone, so that an odd certificate that DNS names does no harm.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let parts = Parts::of(certificate).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let key = SubjectPublicKeyInfoDer::from(parts.key);
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
