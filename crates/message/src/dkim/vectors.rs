//! The published example of RFC 8463 appendix A, which both algorithms sign in relaxed form.

use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::canonical::{Form, signed_octets};
use super::{BodyHash, SigningKey, record};

const HEADER: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
    To: Suzie Q <suzie@shopping.example.net>\r\n\
    Subject: Is dinner ready?\r\n\
    Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
    Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n";
const BODY: &str = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
const NAMES: [&str; 8] = ["from", "to", "subject", "date", "message-id", "from", "subject", "date"];
const BODY_HASH: &str = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=";

fn ed25519() -> Vec<u8> {
    let seed = BASE64.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend(seed);
    der
}

fn field(algorithm: &str, selector: &str, names: &str) -> String {
    format!(
        "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n \
         q=dns/txt; s={selector}; t=1528637909; {names};\r\n bh={BODY_HASH};\r\n b="
    )
}

#[test]
fn the_body_hash_is_the_published_one() {
    let mut body = BodyHash::default();
    body.update(BODY.as_bytes());
    assert_eq!(BASE64.encode(body.finish()), BODY_HASH);
}

const ED25519_NAMES: &str = "h=from : to :\r\n subject : date : message-id : from : subject : date";
const ED25519_SIGNATURE: &str =
    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";
const RSA_NAMES: &str = "h=from : to : subject :\r\n date : message-id : from : subject : date";
const RSA_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byY\
                       zCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
const RSA_SIGNATURE: &str = "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGs\
                             geefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=";

/// The published message with both signatures in front, and the records of their selectors.
pub(super) fn signed() -> (String, [(&'static str, String); 2]) {
    let ed25519 = (field("ed25519-sha256", "brisbane", ED25519_NAMES), ED25519_SIGNATURE);
    let rsa = (field("rsa-sha256", "test", RSA_NAMES), RSA_SIGNATURE);
    let signatures: String = [ed25519, rsa].iter().map(|(field, code)| format!("{field}{code}\r\n")).collect();
    let keys = [("brisbane", record(&self::ed25519()).unwrap()), ("test", format!("v=DKIM1; k=rsa; p={RSA_KEY}"))];
    (format!("{signatures}{HEADER}{BODY}"), keys)
}

#[test]
fn ed25519_makes_the_published_signature() {
    assert_eq!(record(&ed25519()).unwrap(), "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    let field = field("ed25519-sha256", "brisbane", ED25519_NAMES);
    let octets = signed_octets(Form::Relaxed, HEADER.as_bytes(), NAMES, field.as_bytes());
    let signature = SigningKey::from_pkcs8(&ed25519()).unwrap().sign(&octets).unwrap();
    assert_eq!(BASE64.encode(signature), ED25519_SIGNATURE);
}

/// The published key has 1024 bits, fewer than we sign with: what it signed must be what we would sign.
#[test]
fn the_published_rsa_signature_is_over_our_octets() {
    let field = field("rsa-sha256", "test", RSA_NAMES);
    let octets = signed_octets(Form::Relaxed, HEADER.as_bytes(), NAMES, field.as_bytes());
    let key = BASE64.decode(RSA_KEY).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key);
    public.verify(&octets, &BASE64.decode(RSA_SIGNATURE).unwrap()).unwrap();
}
