//! Tells the operator's people by mail that a certificate is about to end.

use relay::certificate::Told;
use relay::store::Store;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use net::own_mail::OwnMailError;
use net::shutdown::Shutdown;
use net::tls::CertificateFacts;
use web::letters::CertificateNews;

use crate::execute::{Executor, certificates};
use crate::people;

/// How often the certificates are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What was told since the start, by file: what could not be noted is not told again every minute.
type Sent = HashMap<String, Told>;

/// Looks at the certificates until shutdown.
pub(crate) async fn watch<S: Store>(executor: Arc<Executor<S>>, shutdown: Shutdown) {
    let mut sent = Sent::new();
    loop {
        if let Err(error) = look(&executor, &mut sent).await {
            tracing::warn!(%error, "the end of a certificate could not be told by mail");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.begun() => return,
        }
    }
}

async fn look<S: Store>(executor: &Arc<Executor<S>>, sent: &mut Sent) -> anyhow::Result<()> {
    let Some(running) = &executor.running else { return Ok(()) };
    if running.mail.is_ready().is_err() {
        return Ok(());
    }
    let store = Arc::clone(&executor.store);
    let told = tokio::task::spawn_blocking(move || store.certificates_told()).await??;
    let acme = running.kept.acme.as_deref();
    for facts in running.kept.certificates.facts() {
        let Some(alarm) = certificates::alarm(&facts, acme, executor.clock.now()) else { continue };
        let news = Told { ends: facts.validity.ends, alarm };
        let file = facts.files.certificate.display().to_string();
        if told.get(&file).into_iter().chain(sent.get(&file)).any(|before| before.covers(news)) {
            continue;
        }
        tracing::warn!(names = ?facts.names, ?alarm, "a certificate is about to end");
        let fault = acme.filter(|acme| acme.keeps(&facts)).and_then(|acme| acme.shown().fault);
        tell(executor, &facts, news, fault.as_deref()).await?;
        sent.insert(file.clone(), news);
        let store = Arc::clone(&executor.store);
        tokio::task::spawn_blocking(move || store.certificate_told(&file, news)).await??;
    }
    Ok(())
}

/// Writes to each person of the operator's, in their language.
async fn tell<S: Store>(
    executor: &Arc<Executor<S>>,
    facts: &CertificateFacts,
    news: Told,
    fault: Option<&str>,
) -> anyhow::Result<()> {
    let Some(running) = &executor.running else { return Ok(()) };
    let (names, ends) = (facts.names.join(", "), relay::moment::text(news.ends));
    let directory = executor.store.directory();
    for person in people::of_operator(&directory) {
        let about = CertificateNews { names: &names, ends_rfc3339: &ends, alarm: news.alarm, fault };
        let letter = web::letters::certificate(person.language, &person.name, &executor.hostname, about);
        match running.mail.send(&person.note(letter)).await {
            Ok(message) => tracing::info!(message_id = %message, "the end of a certificate was told by mail"),
            // an address that cannot be written to keeps nobody else from being told
            Err(error @ OwnMailError::NoAddress(_)) => {
                tracing::warn!(%error, "the end of a certificate was not told to one address")
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
