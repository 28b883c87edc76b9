//! Gets an operation done: by the running relay where one answers, else by opening the data folder itself.

use relay::service::operation::{Answer, Operation};
use relay::service::{Fault, Identity};
use std::sync::Arc;
use std::time::{Duration, Instant};

use net::clock::{Clock, SystemClock};

use crate::config::Config;
use crate::control;
use crate::data;
use crate::execute::Executor;

/// How long a relay that is starting or stopping is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Carries out one operation.
///
/// # Errors
/// What happened, what it means, what to do.
pub(crate) async fn ask(config: &Config, operation: Operation) -> Result<Answer, Fault> {
    let begun = Instant::now();
    loop {
        if let Some(client) = connect(config, operation.clone()).await? {
            let answer = client.answer().await?;
            return answer.ok_or_else(|| {
                Fault::unavailable(
                    "The relay ended the conversation without an answer.",
                    "It is probably stopping: see whether the change was made, then try again.",
                )
            });
        }
        match without_server(config, operation.clone()).await {
            Err(Unopened::Held(_)) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(Unopened::Held(fault) | Unopened::Failed(fault)) => return Err(fault),
            Ok(answer) => return answer,
        }
    }
}

/// A conversation with the running relay, where one runs.
pub(crate) async fn connect(config: &Config, operation: Operation) -> Result<Option<control::Client>, Fault> {
    control::ask(&config.data_dir, operation).await.map_err(|error| {
        let folder = config.data_dir.display();
        let remedy = if error.kind() == std::io::ErrorKind::PermissionDenied {
            format!("Run this as the user that owns {folder} (for example `sudo -u envoi envoi …`).")
        } else {
            "See whether the relay runs; `envoi doctor` helps.".to_owned()
        };
        Fault::unavailable(format!("The control socket in {folder} cannot be used: {error}."), remedy)
    })
}

enum Unopened {
    Held(Fault),
    Failed(Fault),
}

async fn without_server(config: &Config, operation: Operation) -> Result<Result<Answer, Fault>, Unopened> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (opening, opened_by) = (config.clone(), Arc::clone(&clock));
    let opened = tokio::task::spawn_blocking(move || data::open(&opening, opened_by)).await;
    let store = match opened {
        Ok(Ok(store)) => Arc::new(store),
        Ok(Err(error)) if data::is_held(&error) => return Err(Unopened::Held(data::fault(&error, config))),
        Ok(Err(error)) => return Err(Unopened::Failed(data::fault(&error, config))),
        Err(_) => {
            return Err(Unopened::Failed(Fault::unavailable(
                "Opening the data folder broke off.",
                "The log says more.",
            )));
        }
    };
    let executor = Executor::new(Arc::clone(&store), config, clock, None);
    let answer = executor.carry_out(operation, Identity::operator("cli")).await;
    // closing writes what waits: not on a thread that others need
    drop(executor);
    let _ = tokio::task::spawn_blocking(move || drop(store)).await;
    Ok(answer)
}
