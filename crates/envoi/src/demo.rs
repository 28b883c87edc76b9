//! `envoi demo`: the whole way of a message on this machine, with everything that it takes made for it.

mod authority;
pub mod capture;
mod client;
mod folder;
mod house;
mod lines;

use relay::service::Fault;
use relay::service::operation::{Answer, Operation};
use relay::service::view::ActivityView;
use serde_json::json;
use std::time::{Duration, Instant};

use crate::cli::{DemoArgs, Failure, print, print_json};
use crate::config::Log;
use crate::serve::Signals;
use crate::telemetry;
use capture::Captured;
use client::{Encryption, Letter};
use house::House;

const SENDER: &str = "app@demo.example";
const RECIPIENT: &str = "you@example.net";
const STARTTLS_PORT: u16 = 2587;
const TLS_PORT: u16 = 2465;
/// How long one message may take from end to end before something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the demonstration.
pub(crate) async fn run(arguments: &DemoArgs, json: bool) -> Result<(), Failure> {
    telemetry::start(&Log { json: false, level: "warn".into() });
    let mut signals = Signals::new()?;
    let (starttls, tls) = if arguments.smoke { (0, 0) } else { (STARTTLS_PORT, TLS_PORT) };
    let ports = (arguments.starttls_port.unwrap_or(starttls), arguments.tls_port.unwrap_or(tls));
    let house = tokio::select! {
        house = House::open(arguments.dir.as_deref(), ports) => house?,
        () = signals.stop() => return Ok(()),
    };
    let shown = tokio::select! {
        shown = show(&house, arguments.smoke, json) => shown,
        () = signals.stop() => Ok(()),
    };
    house.close().await;
    shown.map_err(Failure::from)
}

async fn show(house: &House, smoke: bool, json: bool) -> Result<(), Fault> {
    if !json {
        print(&lines::welcome(house));
    }
    let mut passed = Vec::new();
    for encryption in [Encryption::StartTls, Encryption::Tls] {
        let way = send_one(house, encryption).await?;
        if !json {
            print(&lines::way(&way));
        }
        passed.push(way);
    }
    if smoke {
        if json {
            let ways: Vec<_> = passed
                .iter()
                .map(|way| json!({"port": way.port, "queued": way.queued, "milliseconds": way.milliseconds}))
                .collect();
            print_json(&json!({"ok": true, "messages": ways}));
        } else {
            print("\nBoth messages arrived whole and signed. Everything works.");
        }
        return Ok(());
    }
    if !json {
        print(&lines::try_it(house));
    }
    follow(house, json).await
}

/// What one message went through.
struct Way {
    encryption: Encryption,
    port: u16,
    queued: String,
    reply_milliseconds: u128,
    milliseconds: u128,
    row: ActivityView,
    signatures: usize,
}

/// Sends one message through a port and follows it to the other end, where it has to arrive whole.
async fn send_one(house: &House, encryption: Encryption) -> Result<Way, Fault> {
    let server = house.address(encryption);
    let name = if encryption == Encryption::Tls { "TLS" } else { "STARTTLS" };
    let mark = format!("{:016x}", fastmark());
    let body = format!("This went through port {} ({name}).\r\n\r\nÀ bientôt — mark {mark}\r\n", server.port());
    let content = format!(
        "From: Demonstration <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: Hello through {name}\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}"
    );
    let credential = &house.credential;
    let letter = Letter {
        username: &credential.username,
        password: credential.password.expose(),
        sender: SENDER,
        recipient: RECIPIENT,
        content: &content,
    };
    let begun = Instant::now();
    let queued = client::send(server, encryption, &house.files.authority, &letter)
        .await
        .map_err(|error| wrong(format!("The message through {server} ({name}) was not taken: {error:#}.")))?;
    let reply_milliseconds = begun.elapsed().as_millis();
    let message = queued.rsplit(' ').next().unwrap_or_default().to_owned();
    let arrived = house.capture.wait(PATIENCE, |captured| holds(&captured.content, mark.as_bytes())).await;
    let Some(captured) = arrived else {
        return Err(wrong(format!("Message {message} was accepted and did not arrive within {PATIENCE:?}.")));
    };
    let milliseconds = begun.elapsed().as_millis();
    let signatures = intact(&captured, &content).map_err(|what| wrong(format!("Message {message} {what}.")))?;
    let row = delivered(house, &message).await?;
    Ok(Way { encryption, port: server.port(), queued, reply_milliseconds, milliseconds, row, signatures })
}

fn wrong(what: String) -> Fault {
    Fault::unavailable(what, "The lines above and `RUST_BACKTRACE=1` may say more; please report it.")
        .meaning("The demonstration failed: on this machine something is not as it should be.")
}

fn fastmark() -> u64 {
    use relay::dice::Dice;
    net::clock::SystemDice.below(u64::MAX)
}

fn holds(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

/// Whether what arrived is what was sent, behind what the relay put in front; how many signatures that has.
fn intact(captured: &Captured, sent: &str) -> Result<usize, String> {
    if !captured.content.ends_with(sent.as_bytes()) {
        return Err("arrived changed".to_owned());
    }
    if captured.sender != SENDER || captured.recipients != [RECIPIENT] {
        return Err(format!("arrived with another envelope: {} to {:?}", captured.sender, captured.recipients));
    }
    let front = &captured.content[..captured.content.len() - sent.len()];
    let front = String::from_utf8_lossy(front).to_lowercase();
    let count = |field: &str| front.lines().filter(|line| line.starts_with(field)).count();
    match (count("dkim-signature:"), count("received:")) {
        (0, _) => Err("arrived without a DKIM signature".to_owned()),
        (_, 0) => Err("arrived without a Received field".to_owned()),
        (signatures, _) => Ok(signatures),
    }
}

/// Waits until Activity says that the message is delivered.
async fn delivered(house: &House, message: &str) -> Result<ActivityView, Fault> {
    let begun = Instant::now();
    let mut last = String::from("no row");
    while begun.elapsed() < PATIENCE {
        let filter = relay::activity::ActivityFilter { message: message.parse().ok(), ..Default::default() };
        if let Answer::Activity(rows) = house.ask(Operation::Activity { filter }).await?
            && let Some(row) = rows.into_iter().next()
        {
            if row.status == "delivered" {
                return Ok(row);
            }
            last = format!("{} {}", row.status, row.reason);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(wrong(format!("Message {message} arrived, and Activity says: {last}.")))
}

async fn follow(house: &House, json: bool) -> Result<(), Fault> {
    use relay::store::History;
    let store = house.store();
    let mut cursor = store.activity_cursor()?;
    loop {
        store.activity_changed(cursor, None, Duration::from_secs(60)).await;
        let reading = std::sync::Arc::clone(&store);
        let filter = relay::activity::ActivityFilter::default();
        let read = tokio::task::spawn_blocking(move || reading.activity_since(cursor, &filter)).await;
        let (rows, next) = read.map_err(|_| wrong("Reading activity broke off.".into()))??;
        cursor = next;
        for row in rows.iter().map(ActivityView::from) {
            if json {
                print(&serde_json::to_string(&row).unwrap_or_default());
            } else {
                print(&crate::cli::follow_line(&row));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_changed_is_found() {
        let sent = "Subject: t\r\n\r\nbody\r\n";
        let mut captured = Captured {
            sender: SENDER.into(),
            recipients: vec![RECIPIENT.into()],
            content: format!("DKIM-Signature: v=1\r\nReceived: x\r\n{sent}").into_bytes(),
        };
        assert_eq!(intact(&captured, sent), Ok(1));
        captured.content.pop();
        assert!(intact(&captured, sent).is_err());
        captured.content = format!("Received: x\r\n{sent}").into_bytes();
        assert!(intact(&captured, sent).unwrap_err().contains("DKIM"));
        captured.content = format!("DKIM-Signature: v=1\r\nReceived: x\r\n{sent}").into_bytes();
        captured.recipients.clear();
        assert!(intact(&captured, sent).unwrap_err().contains("envelope"));
    }
}
