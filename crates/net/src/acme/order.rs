//! One order of a certificate, from the account to the chain (RFC 8555 §7).

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::http::Courier;
use super::{AcmeError, AcmeSettings, Challenge, kept};
use crate::tls::Proofs;

/// How long an authority is waited for while it looks, and while it signs.
const PATIENCE: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(Duration::from_secs(120));

/// A key with its chain, PEM, as it is written to the file.
pub(super) struct Issued {
    pub(super) pem: String,
}

/// Orders a certificate for the names of the settings. The proofs stay until whoever called takes them back.
///
/// # Errors
/// Whatever the authority, or the way to it, has against it.
pub(super) async fn order(settings: &AcmeSettings, proofs: &Proofs) -> Result<Issued, AcmeError> {
    let account = account(settings).await?;
    let names: Vec<_> = settings.names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        prove(authorization?, settings.challenge, proofs).await?;
    }
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) | Err(instant_acme::Error::Api(_)) => return Err(why_refused(&mut order).await),
        Err(error) => return Err(error.into()),
    }
    let key = KeyPair::generate()?;
    let mut wanted = CertificateParams::new(settings.names.clone())?;
    // the names stand in the extension alone: a common name may have no more than 64 octets
    wanted.distinguished_name = DistinguishedName::new();
    order.finalize_csr(wanted.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(Issued { pem: key.serialize_pem() + &chain })
}

/// The account that was kept, or a new one; one of another authority is left beside.
async fn account(settings: &AcmeSettings) -> Result<Account, AcmeError> {
    let courier = || Courier::new(&settings.authorities).map(|courier| Account::builder_with_http(Box::new(courier)));
    let file = settings.account_file();
    if let Some(kept) = read(&file)? {
        return Ok(courier()?.from_credentials(serde_json::from_slice(&kept)?).await?);
    }
    let contact: Vec<_> = settings.contact.iter().map(|address| format!("mailto:{address}")).collect();
    let contact: Vec<_> = contact.iter().map(String::as_str).collect();
    let wanted = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = courier()?.create(&wanted, settings.directory.clone(), None).await?;
    kept::write(&file, &serde_json::to_vec(&credentials)?)?;
    tracing::info!(directory = settings.directory, "an account was made with the certificate authority");
    Ok(account)
}

fn read(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(kept) => Ok(Some(kept)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the proof for one name, and tells the authority to look.
async fn prove(
    mut authorization: AuthorizationHandle<'_>,
    challenge: Challenge,
    proofs: &Proofs,
) -> Result<(), AcmeError> {
    if authorization.status == AuthorizationStatus::Valid {
        return Ok(());
    }
    let name = authorization.identifier().to_string();
    let kind = match challenge {
        Challenge::Http => ChallengeType::Http01,
        Challenge::TlsAlpn => ChallengeType::TlsAlpn01,
    };
    let Some(mut asked) = authorization.challenge(kind) else {
        return Err(AcmeError::NoChallenge { name, challenge });
    };
    let answer = asked.key_authorization();
    match challenge {
        Challenge::Http => proofs.answer_http(asked.token.clone(), answer.as_str().to_owned()),
        Challenge::TlsAlpn => {
            let key = proof_of(&name, answer.digest().as_ref())?;
            proofs.answer_tls(name, Arc::new(key));
        }
    }
    Ok(asked.set_ready().await?)
}

/// The certificate that proves a name within a handshake (RFC 8737 §3).
pub(crate) fn proof_of(name: &str, digest: &[u8]) -> Result<CertifiedKey, AcmeError> {
    let key = KeyPair::generate()?;
    let mut shown = CertificateParams::new(vec![name.to_owned()])?;
    shown.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = shown.self_signed(&key)?;
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = rustls::crypto::aws_lc_rs::default_provider().key_provider.load_private_key(private)?;
    // not compared with one another: the library that reads certificates refuses the extension
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// What the authority found wrong, name by name.
async fn why_refused(order: &mut Order) -> AcmeError {
    let mut told = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let name = state.identifier().to_string();
        let problems = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        told.extend(problems.filter_map(|problem| problem.detail.as_ref()).map(|detail| format!("{name}: {detail}")));
    }
    if told.is_empty() {
        told.extend(order.state().error.as_ref().and_then(|problem| problem.detail.clone()));
    }
    AcmeError::Refused(if told.is_empty() { "the authority does not say why".to_owned() } else { told.join("; ") })
}
