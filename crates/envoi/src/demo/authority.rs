//! A certificate authority and a certificate for this machine, made for the demonstration alone.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use relay::clock::Timestamp;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// How long both are good for: nobody should come to rely on them.
const DAYS: i64 = 30;

/// The files that were made.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// The authority's certificate: what clients have to trust.
    pub(super) authority: PathBuf,
    /// The server's certificate.
    pub(super) certificate: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
}

/// Makes them in a folder; the authority's own key is thrown away.
pub(super) fn make(folder: &Path, now: Timestamp) -> anyhow::Result<Files> {
    let begin = OffsetDateTime::from_unix_timestamp(i64::try_from(now.0 / 1000)?)?;
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Envoi demonstration authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // a clock that is a little behind must not refuse it
    (authority.not_before, authority.not_after) = (begin - Duration::days(1), begin + Duration::days(DAYS));
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    (server.not_before, server.not_after) = (begin - Duration::days(1), begin + Duration::days(DAYS));
    let certificate = server.signed_by(&key, &issuer)?;

    let files =
        Files { authority: folder.join("ca.pem"), certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    write(&files.authority, &authority_certificate.pem(), 0o644)?;
    write(&files.certificate, &certificate.pem(), 0o644)?;
    write(&files.key, &key.serialize_pem(), 0o600)?;
    Ok(files)
}

fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())
}
