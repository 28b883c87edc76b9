//! Finds out who vouches for a report: asks DNS what SPF and DKIM need, in bounded time. A report is never lost by it.

use bytes::Bytes;
use relay::authentication::{Authentication, Bringer, Method, signatures};
use relay::inspection::{Answer, Answers, Question, Said};
use relay::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Desk;
use crate::dns::Witness;
use crate::offload::Offload;

impl<S: Store> Desk<S> {
    /// What SPF and DKIM say of a report, within `report_check_seconds`: what DNS has not said by then it could not say.
    pub(super) async fn authenticate(&self, bringer: Bringer, content: Bytes) -> Authentication {
        let until = Instant::now() + Duration::from_secs(self.limits.report_check_seconds);
        let (spf, dkim) = tokio::join!(self.spf(&bringer, until), self.dkim(content, until));
        let known = match dkim {
            Some(dkim) => bringer.with(spf, dkim),
            None => bringer.unknown(),
        };
        self.metrics.checked(&known);
        known
    }

    /// It ends: the questions are bounded, and one that is not answered is the last.
    async fn spf(&self, bringer: &Bringer, until: Instant) -> Method {
        let mut answers = Answers::default();
        loop {
            match bringer.spf(&answers) {
                Ok(spf) => return spf,
                Err(question) => {
                    let answer = ask(self.witness.as_ref(), &question, until).await;
                    answers.put(question, answer);
                }
            }
        }
    }

    /// None: the work broke off.
    async fn dkim(&self, content: Bytes, until: Instant) -> Option<Method> {
        let now = self.clock.now();
        let octets = content.clone();
        let open = match Offload::Threads.run(move || signatures(&octets, now, &Answers::default())).await.ok()? {
            Ok(dkim) => return Some(dkim),
            Err(open) => open,
        };
        let mut asking = JoinSet::new();
        for question in open {
            let witness = Arc::clone(&self.witness);
            asking.spawn(async move {
                let answer = ask(witness.as_ref(), &question, until).await;
                (question, answer)
            });
        }
        let mut answers = Answers::default();
        while let Some(asked) = asking.join_next().await {
            let (question, answer) = asked.ok()?;
            answers.put(question, answer);
        }
        // every key that is asked for was asked for now
        Offload::Threads.run(move || signatures(&content, now, &answers)).await.ok()?.ok()
    }
}

/// What is said to a question until then.
async fn ask(witness: &dyn Witness, question: &Question, until: Instant) -> Answer {
    let late = || Answer { said: Said::Fault("the name servers did not answer in time".to_owned()), server: None };
    tokio::time::timeout_at(until, witness.ask(question)).await.unwrap_or_else(|_| late())
}
