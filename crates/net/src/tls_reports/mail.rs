//! Reports by mail: from the relay's own hand, signed by its domain (RFC 8460 §5.3).

use bytes::Bytes;
use message::tls_report::{TlsReport, compose};
use relay::clock::Day;
use relay::store::Store;
use smtp::address::Address;
use std::future::Future;
use std::pin::Pin;

use crate::own_mail::{Frame, OwnMail};

/// A report that is to go to an address.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The address.
    pub to: Address,
    /// The Subject.
    pub subject: String,
    /// The domain that it is about.
    pub domain: String,
    /// The day that it is about.
    pub day: Day,
    /// The name of the file.
    pub file_name: String,
    /// It, compressed by gzip.
    pub gzip: Bytes,
}

/// Takes a report for delivery by mail; it is kept when this returns, or it is said why not.
pub type Mailing = Box<dyn Fn(Outgoing) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// By the relay's own mail. `contact`: the address for questions; `submitter`: the domain that reports.
pub fn by_own_mail<S: Store>(mail: OwnMail<S>, contact: String, submitter: String) -> Mailing {
    let mail = std::sync::Arc::new(mail);
    Box::new(move |outgoing| {
        let (mail, contact, submitter) = (std::sync::Arc::clone(&mail), contact.clone(), submitter.clone());
        Box::pin(async move {
            let day = outgoing.day.to_string();
            let write = |frame: &Frame<'_>| {
                compose(&TlsReport {
                    from: frame.from,
                    to: &outgoing.to.to_string(),
                    subject: &outgoing.subject,
                    domain: &outgoing.domain,
                    submitter: &submitter,
                    day: &day,
                    contact: &contact,
                    file_name: &outgoing.file_name,
                    gzip: &outgoing.gzip,
                    seconds: frame.seconds,
                    message_id: frame.message_id,
                })
            };
            mail.send_report(&outgoing.to, &write).await.map(drop).map_err(|error| error.to_string())
        })
    })
}
