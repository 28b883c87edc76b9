//! `envoi activity --follow`: what has happened last, then what happens, until somebody stops it.

use relay::activity::ActivityFilter;
use relay::service::Fault;
use relay::service::operation::{Answer, Operation};
use relay::service::view::ActivityView;

use super::run::{Failure, eprint, print};
use super::{ask, show};
use crate::config::Config;

/// How long the relay waits for something to happen before it answers that nothing has.
const SECONDS: u32 = 15;

/// Shows the last `filter.limit` rows, then each change.
pub(super) async fn follow(config: &Config, filter: ActivityFilter, json: bool) -> Result<(), Failure> {
    // the cursor first: what happens between the two is shown twice rather than not at all
    let begin = Operation::ActivitySince { cursor: None, filter: filter.clone(), seconds: 0 };
    let Some(Answer::ActivityChanges(changes)) = asked(config, begin).await? else {
        let fault = Fault::unavailable(
            "No relay runs on this data folder, so nothing can happen there.",
            "Start it with `envoi serve`; without `--follow` what has happened is shown.",
        );
        return Err(fault.into());
    };
    let mut cursor = changes.cursor;
    if filter.limit > 0
        && let Some(Answer::Activity(mut rows)) = asked(config, Operation::Activity { filter: filter.clone() }).await?
    {
        rows.reverse();
        show_all(&rows, json);
    }
    loop {
        let next = Operation::ActivitySince { cursor: Some(cursor), filter: filter.clone(), seconds: SECONDS };
        let answer = tokio::select! {
            answer = asked(config, next) => answer?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let Some(Answer::ActivityChanges(changes)) = answer else {
            eprint("The relay has stopped.");
            return Ok(());
        };
        show_all(&changes.rows, json);
        cursor = changes.cursor;
    }
}

/// Asks a running relay; none where none runs, or it stops.
async fn asked(config: &Config, operation: Operation) -> Result<Option<Answer>, Fault> {
    match ask::connect(config, operation).await? {
        Some(client) => client.answer().await,
        None => Ok(None),
    }
}

fn show_all(rows: &[ActivityView], json: bool) {
    for row in rows {
        if json {
            print(&serde_json::to_string(row).unwrap_or_default());
        } else {
            print(&show::follow_line(row));
        }
    }
}
