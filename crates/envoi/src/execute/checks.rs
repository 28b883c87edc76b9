//! What a relay stands on, looked at by the relay itself: one look at a time, kept for a moment.

use relay::clock::Timestamp;
use relay::service::Fault;
use relay::service::operation::Answer;
use relay::service::view::CheckView;
use relay::store::Store;
use std::time::Duration;
use tokio::sync::Mutex;

use super::Executor;

/// How long a look answers for those that follow: whoever asks by the second makes us dial others no more often.
const KEPT: Duration = Duration::from_secs(10);

/// The last look; held while one is under way.
pub(super) type Last = Mutex<Option<(Timestamp, Vec<CheckView>)>>;

impl<S: Store> Executor<S> {
    pub(super) async fn look_around(&self) -> Result<Answer, Fault> {
        let mut last = self.checks.lock().await;
        let now = self.clock.now();
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| *at <= now && now.since(*at) < KEPT) {
            return Ok(Answer::Checks(found.clone()));
        }
        if let Some(running) = &self.running {
            // what is put right is seen at once; where nobody can tell, what was found before stands
            let _ = running.dns.look_at_dnssec(crate::doctor::DNS_PATIENCE).await;
        }
        let health = self.health(now)?;
        let found = crate::doctor::look(&self.config, &health, now).await;
        *last = Some((self.clock.now(), found.clone()));
        Ok(Answer::Checks(found))
    }
}
