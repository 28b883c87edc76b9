//! Certificates read, chosen by name and key, reloaded.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};
use std::path::Path;

use super::*;

fn write(folder: &Path, name: &str, names: &[&str], algorithm: &'static SignatureAlgorithm) -> CertificateFiles {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let pair = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&pair).unwrap();
    let files =
        CertificateFiles { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    std::fs::write(&files.key, pair.serialize_pem()).unwrap();
    files
}

/// The certificate shown to a client that asks for `name` with these signature schemes.
fn shown(certificates: &Certificates, name: &str, rsa_only: bool) -> Vec<u8> {
    handshake(certificates.config(), name, rsa_only, &[]).unwrap().0
}

/// The certificate that a client is shown that offers these protocols, and the one that is spoken then; none where the
/// server refuses it.
fn handshake(
    server: Arc<ServerConfig>,
    name: &str,
    rsa_only: bool,
    protocols: &[&[u8]],
) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let provider = aws_lc_rs::default_provider();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.dangerous().set_certificate_verifier(Arc::new(Trusting(rsa_only)));
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    while client.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &wire[..]).unwrap();
        server.process_new_packets().ok()?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut wire = &wire[..];
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    Some((client.peer_certificates().unwrap()[0].to_vec(), client.alpn_protocol().map(<[u8]>::to_vec)))
}

#[test]
fn an_authority_is_shown_the_proof_that_it_asks_for_and_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), "own", &["relay.example.com"], &PKCS_ECDSA_P256_SHA256);
    let certificates = Certificates::load(vec![files]).unwrap();
    let pages = certificates.config_of_http();
    let ask = |name: &str, protocols: &[&[u8]]| handshake(Arc::clone(&pages), name, false, protocols);
    assert!(ask("relay.example.com", &[ACME_TLS]).is_none(), "nobody asked for it yet");
    let proof = crate::acme::proof_of("relay.example.com", &[7; 32]).unwrap();
    let proof_shown = proof.cert[0].to_vec();
    certificates.proofs().answer_tls("relay.example.com".into(), Arc::new(proof));
    let (shown, spoken) = ask("relay.example.com", &[ACME_TLS]).unwrap();
    assert_eq!((shown, spoken.as_deref()), (proof_shown.clone(), Some(ACME_TLS)));
    assert!(ask("other.example.com", &[ACME_TLS]).is_none());
    for protocols in [&[][..], &[&b"h2"[..], b"http/1.1"], &[b"http/1.1", ACME_TLS]] {
        let (shown, spoken) = ask("relay.example.com", protocols).unwrap();
        assert!(shown != proof_shown && spoken.as_deref() != Some(ACME_TLS), "{protocols:?}");
    }
    let submission = handshake(certificates.config(), "relay.example.com", false, &[b"anything"]).unwrap();
    assert_eq!(submission.1, None, "what mailers offer is no reason to refuse them");
    certificates.proofs().clear();
    assert!(ask("relay.example.com", &[ACME_TLS]).is_none());
}

fn is_rsa(scheme: rustls::SignatureScheme) -> bool {
    format!("{scheme:?}").starts_with("RSA")
}

/// Trusts everybody, and offers RSA alone where told so.
#[derive(Debug)]
struct Trusting(bool);

impl rustls::client::danger::ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        let all = aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes();
        all.into_iter().filter(|scheme| !self.0 || is_rsa(*scheme)).collect()
    }
}

fn der(files: &CertificateFiles) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_file(&files.certificate).unwrap().to_vec()
}

#[test]
fn the_name_asked_for_decides_then_the_key_the_client_can_check() {
    let folder = tempfile::tempdir().unwrap();
    let rsa = write(folder.path(), "rsa", &["relay.example.net"], &PKCS_RSA_SHA256);
    let p256 = write(folder.path(), "p256", &["relay.example.net"], &PKCS_ECDSA_P256_SHA256);
    let other = write(folder.path(), "other", &["Mail.example.com", "*.example.org"], &PKCS_ECDSA_P256_SHA256);
    let certificates = Certificates::load(vec![rsa.clone(), p256.clone(), other.clone()]).unwrap();
    assert_eq!(shown(&certificates, "relay.example.net", false), der(&p256));
    assert_eq!(shown(&certificates, "relay.example.net", true), der(&rsa));
    assert_eq!(shown(&certificates, "mail.EXAMPLE.com", false), der(&other));
    assert_eq!(shown(&certificates, "a.example.org", false), der(&other));
    for unknown in ["a.b.example.org", "example.org", "nobody.example", "192.0.2.1"] {
        assert_eq!(shown(&certificates, unknown, false), der(&p256), "{unknown}");
    }
    assert_eq!(shown(&certificates, "mail.example.com", true), der(&rsa));
    let facts = certificates.facts();
    assert_eq!(facts.iter().map(|facts| facts.rsa).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(facts[2].names, ["mail.example.com", "*.example.org"]);
    assert!(facts[0].validity.ends.0 > 1_700_000_000_000);
}

#[test]
fn a_change_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), "one", &["relay.example.net"], &PKCS_ECDSA_P256_SHA256);
    let certificates = Certificates::load(vec![files.clone()]).unwrap();
    let old = der(&files);
    assert!(!certificates.reload().unwrap());

    std::fs::write(&files.certificate, "nothing").unwrap();
    let error = certificates.reload().unwrap_err();
    assert!(error.to_string().contains("one.pem"), "{error}");
    assert_eq!(shown(&certificates, "relay.example.net", false), old);
    assert!(!certificates.reload().unwrap(), "a fault is told once");

    write(folder.path(), "one", &["relay.example.net"], &PKCS_ECDSA_P256_SHA256);
    assert!(certificates.reload().unwrap());
    assert_eq!(shown(&certificates, "relay.example.net", false), der(&files));
    assert_ne!(der(&files), old);
}

#[tokio::test]
async fn the_watch_takes_a_change_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), "one", &["old.example.net"], &PKCS_ECDSA_P256_SHA256);
    let certificates = Certificates::load(vec![files]).unwrap();
    let shutdown = Shutdown::new();
    let watch = tokio::spawn(Arc::clone(&certificates).watch(Duration::from_millis(5), shutdown.clone()));
    write(folder.path(), "one", &["new.example.net"], &PKCS_ECDSA_P256_SHA256);
    while certificates.facts()[0].names != ["new.example.net"] {
        tokio::task::yield_now().await;
    }
    shutdown.begin();
    watch.await.unwrap();
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let one = write(folder.path(), "one", &["a.example"], &PKCS_ECDSA_P256_SHA256);
    let two = write(folder.path(), "two", &["b.example"], &PKCS_ECDSA_P256_SHA256);
    let missing = CertificateFiles { certificate: folder.path().join("missing.pem"), key: one.key.clone() };
    let mixed = CertificateFiles { certificate: one.certificate.clone(), key: two.key.clone() };
    let swapped = CertificateFiles { certificate: one.key.clone(), key: one.certificate.clone() };
    for (files, expected) in [
        (vec![], "no certificate is configured"),
        (vec![missing], "missing.pem: "),
        (vec![mixed], "two.key: the key is not that of the certificate"),
        (vec![swapped], "one.key: there is no certificate in it"),
    ] {
        let error = Certificates::load(files).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn tickets_outlive_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), "one", &["relay.example.net"], &PKCS_ECDSA_P256_SHA256);
    let certificates = Certificates::load(vec![files]).unwrap();
    let before = certificates.config();
    write(folder.path(), "one", &["relay.example.net"], &PKCS_ECDSA_P256_SHA256);
    assert!(certificates.reload().unwrap());
    assert!(Arc::ptr_eq(&before, &certificates.config()));
    assert!(before.ticketer.enabled());
}
