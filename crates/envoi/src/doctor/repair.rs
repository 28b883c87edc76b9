//! `envoi doctor --repair`: says what it would do about damage, asks, and does it. No relay may run meanwhile.

use relay::audit::{About, Kind};
use relay::outcome::{self, Ending};
use relay::queue::{Settlement, Verdict};
use relay::service::view::{RepairStepView, RepairView};
use relay::service::{Fault, SYSTEM_ACCOUNT};
use relay::store::{Actor, AuditEntry, Book as _, Spool as _, StoreError};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use store::embedded::repair::{self, DamagedMail, Mend};
use store::embedded::{Embedded, OpenError};

use net::clock::{Clock, SystemClock};
use net::dispatch;
use relay::id::MessageId;

use crate::cli::{Failure, agreed, eprint, print, print_json};
use crate::config::{self, Config};
use crate::data;

/// Looks, says what it would do, and does it where it is told to.
pub(super) async fn run(file: &Path, yes: bool, json: bool) -> Result<(), Failure> {
    let config = config::load(file).map_err(Failure::Config)?;
    let mut told = Told { steps: Vec::new(), json, yes };
    if config.data_dir.exists() {
        mend(&config, &mut told).await?;
        let store = open(&config).await?;
        let repaired = mail(&config, &store, &mut told).await;
        // closing writes what waits: not on a thread that others need
        let _ = tokio::task::spawn_blocking(move || drop(store)).await;
        repaired?;
    }
    told.end();
    Ok(())
}

/// What is told, at once or in the end.
struct Told {
    steps: Vec<RepairStepView>,
    json: bool,
    yes: bool,
}

impl Told {
    /// Says what is to be done, and whether to do it.
    async fn plan(&mut self, steps: Vec<RepairStepView>) -> Result<(), Failure> {
        if !self.json {
            print("To be done:");
            steps.iter().for_each(|step| print(&format!("  - {}", step.what)));
        }
        self.steps.extend(steps);
        let is_agreed = self.yes || (std::io::stdin().is_terminal() && agreed("Do it?").await);
        if is_agreed {
            return Ok(());
        }
        if self.json {
            print_json(&json!(RepairView { steps: std::mem::take(&mut self.steps), done: false }));
        } else {
            eprint("Nothing was done. `envoi doctor --repair --yes` does it without asking.");
        }
        Err(Failure::Told)
    }

    fn end(self) {
        if self.json {
            print_json(&json!(RepairView { steps: self.steps, done: true }));
        } else if self.steps.is_empty() {
            print("Nothing is damaged.");
        } else {
            print("Done. `envoi doctor` looks at everything else.");
        }
    }
}

fn step(action: &str, message: Option<MessageId>, what: String) -> RepairStepView {
    RepairStepView { action: action.to_owned(), message: message.map(|id| id.to_string()), what }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Fault::unavailable("The repair broke off inside.", "Run it again: it goes on where it was."))
}

async fn open(config: &Config) -> Result<Arc<Embedded>, Fault> {
    let opening = config.clone();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let opened = blocking(move || data::open(&opening, clock)).await?;
    opened.map(Arc::new).map_err(|error| fault(&error, config))
}

fn fault(error: &OpenError, config: &Config) -> Fault {
    if data::is_held(error) {
        let what = format!("The data folder {} is in use: {error}.", config.data_dir.display());
        return Fault::conflict(what, "Stop the relay first: a repair needs the folder for itself.");
    }
    data::fault(error, config)
}

/// First what keeps the folder from being opened.
async fn mend(config: &Config, told: &mut Told) -> Result<(), Failure> {
    let (folder, key) = (config.data_dir.clone(), config.store.master_key.clone());
    let looked = blocking(move || repair::examine(&folder, key.as_deref())).await?;
    let condition = looked.map_err(|error| fault(&error, config))?;
    if let Some(why) = condition.ledger {
        let what = format!("{} is damaged: {why}.", config.data_dir.join("ledger.db").display());
        let remedy = "Move the data folder away and restore a backup: `envoi restore`. Keep the old folder: its spool \
                      has the mail that came since.";
        return Err(Fault::unavailable(what, remedy)
            .meaning("Accounts, domains and SMTP users are in it, and nothing else has them. Nothing was changed.")
            .into());
    }
    if condition.mends.is_empty() {
        return Ok(());
    }
    told.plan(condition.mends.iter().map(mend_step).collect()).await?;
    for wanted in condition.mends {
        let folder = config.data_dir.clone();
        let mended = blocking(move || repair::mend(&folder, &wanted)).await?;
        mended.map_err(|error| fault(&error, config))?;
    }
    Ok(())
}

fn mend_step(mend: &Mend) -> RepairStepView {
    match mend {
        Mend::KeyMode { path, mode } => step(
            "key_mode",
            None,
            format!("Close the master key {} to others: its mode is {mode:03o} and becomes 600.", path.display()),
        ),
        Mend::Activity { path, why, to } => step(
            "activity",
            None,
            format!(
                "Set {} aside as {} ({why}), and read activity anew, as far back as the spool still tells it. Older rows and \
                 counters are gone; a backup has them.",
                path.display(),
                to.display()
            ),
        ),
    }
}

/// What is found wrong with mail.
struct Findings {
    damaged: Vec<DamagedMail>,
    lost: BTreeMap<MessageId, Vec<u16>>,
    orphans: Vec<String>,
    reports: usize,
}

impl Findings {
    fn of(store: &Embedded) -> Result<Findings, StoreError> {
        let (damaged, lost) = (store.damaged_mail()?, store.lost_mail()?);
        let reports = store.health().damage.len();
        let orphans = if reports > 0 { store.orphans()? } else { Vec::new() };
        Ok(Findings { damaged, lost, orphans, reports })
    }

    fn steps(&self, store: &Embedded) -> Vec<RepairStepView> {
        let remains = store.remains();
        let remains = remains.display();
        let mut steps: Vec<RepairStepView> = self.damaged.iter().map(|mail| damaged_step(mail, store)).collect();
        steps.extend(self.lost.iter().map(|(message, recipients)| {
            let count = recipients.len();
            let what = format!(
                "Message {message} has no record any more: its {count} waiting recipients become hard bounces in Activity. \
                 Who sent it is not told: the envelope is gone."
            );
            step("lost", Some(*message), what)
        }));
        if !self.orphans.is_empty() {
            let what = format!("Move {} content files that no message names to {remains}.", self.orphans.len());
            steps.push(step("orphans", None, what));
        }
        if self.reports > 0 {
            let what = format!(
                "Take {} reports of damage for seen: they are told no more. What was set aside stays in {remains} until \
                 you remove it.",
                self.reports
            );
            steps.push(step("acknowledge", None, what));
        }
        steps
    }
}

fn damaged_step(mail: &DamagedMail, store: &Embedded) -> RepairStepView {
    let message = mail.entry.message;
    let sender = match &mail.envelope {
        Some(envelope) if relay::notification::addressee(envelope, true).is_some() => {
            format!("{} is told by mail, unless its domain has bounce mails off", envelope.reverse_path)
        }
        Some(_) => "nobody is told by mail: it has no sender to tell".to_owned(),
        None => "the sender cannot be told: the envelope is damaged too".to_owned(),
    };
    let what = format!(
        "Message {message} is damaged: copy what is left of it to {}, and give up its {} waiting recipients as hard \
         bounces; {sender}.",
        store.remains().display(),
        mail.entry.recipients.len()
    );
    step("damaged", Some(message), what)
}

/// Then mail that is damaged or lost.
async fn mail(config: &Config, store: &Arc<Embedded>, told: &mut Told) -> Result<(), Failure> {
    let looking = Arc::clone(store);
    let findings = blocking(move || Findings::of(&looking)).await?.map_err(Fault::from)?;
    let steps = findings.steps(store);
    if steps.is_empty() {
        return Ok(());
    }
    told.plan(steps).await?;
    for mail in &findings.damaged {
        give_up(config, store, mail).await?;
    }
    for (message, recipients) in findings.lost {
        let at = SystemClock::new().now();
        let settlement = Settlement { message, at, attempt: None, verdicts: verdicts(&recipients) };
        let settling = Arc::clone(store);
        blocking(move || settling.settle_lost(settlement)).await?.map_err(Fault::from)?;
        audit(store, message)?;
    }
    let ending = Arc::clone(store);
    let ended = blocking(move || ending.set_orphans_aside().and_then(|()| ending.acknowledge_damage())).await?;
    Ok(ended.map_err(Fault::from)?)
}

fn verdicts(recipients: &[u16]) -> Vec<Verdict> {
    recipients.iter().map(|recipient| outcome::end(*recipient, &Ending::Damaged).verdict).collect()
}

/// What is left of it is kept first, then the sender is told, then it leaves the queue: broken off in between, it is done
/// again, and nobody is told twice.
async fn give_up(config: &Config, store: &Arc<Embedded>, mail: &DamagedMail) -> Result<(), Fault> {
    let message = mail.entry.message;
    let keeping = Arc::clone(store);
    blocking(move || keeping.set_aside(message)).await??;
    let recipients: Vec<u16> = mail.entry.recipients.iter().map(|(number, ..)| *number).collect();
    let at = SystemClock::new().now();
    if let Some(envelope) = &mail.envelope {
        let settings = dispatch::Settings::new(&config.hostname, SYSTEM_ACCOUNT);
        dispatch::tell_damaged(&settings, store, at, envelope, &recipients).await?;
    }
    store.settle(Settlement { message, at, attempt: None, verdicts: verdicts(&recipients) }).await?;
    audit(store, message)
}

fn audit(store: &Embedded, message: MessageId) -> Result<(), Fault> {
    let by = Actor { name: "operator".into(), from: "cli".into() };
    let about = About::numbered(Kind::Message, message);
    Ok(store.audit_note(AuditEntry::new(SystemClock::new().now(), by, "repair.given_up", about, None))?)
}
