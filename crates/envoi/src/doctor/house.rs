//! What `doctor` looks at inside: data folder, ports, certificates, clock, disk.

use relay::clock::Timestamp;
use relay::service::FaultKind;
use relay::service::operation::{Answer, Health, Operation};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use net::acme::AcmeSettings;
use net::tls::Certificates;

use super::{Said, Sheet};
use crate::cli::ask;
use crate::config::Config;
use crate::wire::listen_fault;

/// 2026-01-01: a clock before it is wrong, for this was written later.
const BUILT_AFTER: Timestamp = Timestamp(1_767_225_600_000);
const LAG_OCTETS_MAX: u64 = 64 << 20;
/// With fewer connections than this, one address with most of them says nothing.
const CROWD_MIN: u64 = 20;
const DAMAGE_REMEDY: &str = "The rest goes on. Look at the disk, then stop the relay: `envoi doctor --repair` says what can be \
                             done, and does it.";
const DIAL: Duration = Duration::from_secs(3);

/// The data folder, through the running relay or by opening it.
pub(super) async fn data(config: &Config, sheet: &mut Sheet) -> Option<Health> {
    let health = match ask(config, Operation::Health).await {
        Ok(Answer::Health(health)) => health,
        Ok(_) => return None,
        Err(fault) => {
            let remedy = if fault.kind == FaultKind::NotFound { String::new() } else { fault.remedy.clone() };
            sheet.fail("data folder", Said::plain(fault.what), remedy);
            return None;
        }
    };
    relay(&health, sheet);
    Some(health)
}

/// How it says that it is.
pub(super) fn relay(health: &Health, sheet: &mut Sheet) {
    if health.running {
        let (count, unit) = period(health.up_seconds);
        let found = said!("relay-runs", "running for {count} {unit}", count = count, unit = unit);
        sheet.ok("relay", found);
    } else {
        // nobody can read this in the console
        let found = Said::plain("not running; the data folder was opened by this command");
        sheet.warn("relay", found, "Start it: `envoi serve`.");
    }
    store(health, sheet);
    match health.blocks {
        0 => sheet.ok("blocks", said!("blocks-none", "no address is blocked")),
        count => {
            let found = said!("blocks-some", "{count} blocked after failed logins", count = count);
            sheet.warn("blocks", found, "The list of blocks says why.");
        }
    }
    if let Some(name) = &health.overdue_key {
        sheet.warn(
            "keys",
            said!(
                "keys-overdue",
                "{count} domains sign on with a key whose time is over: the next one's record is missing, first {name}",
                count = health.overdue_keys,
                name = name,
            ),
            "Mail is not concerned. The page of the domain shows the record to publish; in a zone that the relay does not \
             serve itself it is yours: `envoi zone show`.",
        );
    }
    if let Some((address, count)) = health.busiest_address
        && health.connections >= CROWD_MIN
        && count * 10 >= health.connections * 9
    {
        sheet.warn(
            "addresses",
            said!(
                "addresses-crowd",
                "{address} carries {count} of {all} connections",
                address = address,
                count = count,
                all = health.connections,
            ),
            "If it is a load balancer, let it send PROXY headers and name it in `proxy_networks`; if it is a gateway, \
             name it in `shared_networks`. Else one mistake there could block everybody behind it.",
        );
    }
}

fn store(health: &Health, sheet: &mut Sheet) {
    let store = &health.store;
    if let Some(why) = &store.latched {
        sheet.fail(
            "store",
            said!("store-latched", "stopped after a failed write: {why}", why = why),
            "Nothing is taken or delivered. Look at the disk, then restart: the start checks everything.",
        );
    } else if store.full {
        sheet.fail(
            "store",
            said!("store-full", "no room for new mail"),
            "Make room on the disk, or raise `spool_max` below [store].",
        );
    } else {
        let (messages, recipients) = (store.messages, store.recipients);
        let found = said!(
            "store-waits",
            "{messages} messages wait, for {recipients} recipients",
            messages = messages,
            recipients = recipients,
        );
        sheet.ok("store", found);
    }
    for damage in &store.damage {
        sheet.fail("store", said!("store-damage", "{damage}", damage = damage), DAMAGE_REMEDY);
    }
    if let Some(why) = &store.activity_stopped {
        sheet.fail(
            "activity",
            said!("activity-stopped", "{why}", why = why),
            "Mail goes on. Look at the disk, then restart: activity is read from where it stopped.",
        );
    }
    if store.activity_lag_octets > LAG_OCTETS_MAX {
        let found =
            said!("activity-behind", "activity is {megabytes} MB behind", megabytes = store.activity_lag_octets >> 20);
        sheet.warn("store", found, "The disk is too slow for its work, or something else keeps it busy.");
    }
}

/// So long: a number and its unit.
fn period(seconds: u64) -> (u64, &'static str) {
    match seconds {
        0..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3600, "hours"),
        _ => (seconds / 86_400, "days"),
    }
}

/// Whether the ports answer, or could be had.
pub(super) async fn ports(config: &Config, health: Option<&Health>, sheet: &mut Sheet) {
    let running = health.filter(|health| health.running);
    let (starttls, tls) = match running {
        Some(health) => (&health.starttls, &health.tls),
        None => (&config.submission.starttls, &config.submission.tls),
    };
    for address in starttls.iter().chain(tls) {
        let name = format!("port {}", address.port());
        if running.is_some() {
            match tokio::time::timeout(DIAL, tokio::net::TcpStream::connect(reachable(*address))).await {
                Ok(Ok(_)) => {
                    sheet.ok(&name, said!("port-answers", "{address} answers", address = address));
                }
                _ => sheet.fail(
                    &name,
                    said!("port-silent", "{address} does not answer", address = address),
                    "The log says why; a firewall may be in between.",
                ),
            }
        } else {
            match std::net::TcpListener::bind(address) {
                Ok(_) => sheet.ok(&name, Said::plain(format!("{address} is free"))),
                Err(error) => {
                    let fault = listen_fault(*address, &error);
                    sheet.fail(&name, Said::plain(fault.what), fault.remedy);
                }
            }
        }
    }
}

/// The address to dial for one that stands for all of this machine's.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}

/// How long each certificate is still good; of those from files only that they are, where their end is told already.
pub(super) fn certificates(config: &Config, now: Timestamp, checked: bool, sheet: &mut Sheet) {
    for files in config.certificate_files() {
        let automatic = config.acme.is_some() && files == AcmeSettings::files_in(&config.acme_folder());
        // one that cannot be used was told by the configuration's check; one to come is not there before the first start
        let Ok(loaded) = Certificates::load(vec![files]) else { continue };
        for facts in loaded.facts() {
            let (names, days) = (facts.names.join(", "), facts.validity.ends.since(now).as_secs() / 86_400);
            if automatic && facts.self_signed {
                let found = said!(
                    "certificate-to-come",
                    "none has come yet for {names}: one that no client trusts stands in",
                    names = names
                );
                sheet.fail("certificate", found, "`envoi certificate list` says why the last order failed.");
                continue;
            }
            let found = said!("certificate-days", "for {names}, {days} days left", names = names, days = days);
            match facts.validity.alarm(now) {
                None => sheet.ok("certificate", found),
                Some(_) if checked && !automatic => {}
                Some(_) if automatic => {
                    sheet.fail("certificate", found, "`envoi certificate list` says why it was not renewed.");
                }
                Some(_) => sheet.warn("certificate", found, "Renew it; it is taken up by itself."),
            }
        }
    }
}

/// A clock that is far off breaks TLS, DKIM and every time shown.
pub(super) fn clock(now: Timestamp, config: &Config, sheet: &mut Sheet) {
    let text = crate::moment::text(now);
    let newest = std::fs::metadata(config.data_dir.join("ledger.db")).and_then(|data| data.modified()).ok();
    let newest = newest.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let ahead = newest.map_or(Duration::ZERO, |at| at.saturating_sub(Duration::from_millis(now.0)));
    if now < BUILT_AFTER {
        let found = said!("clock-past", "it is {time} here, which is past", time = text);
        sheet.fail("clock", found, "Set the clock: `timedatectl set-ntp true`.");
    } else if ahead > Duration::from_secs(300) {
        let (count, unit) = period(ahead.as_secs());
        let found = said!(
            "clock-back",
            "it is {time} here, and the data folder was written {count} {unit} later",
            time = text,
            count = count,
            unit = unit,
        );
        sheet.warn("clock", found, "The clock was set back: see that it is right, `timedatectl` shows it.");
    } else {
        sheet.ok("clock", said!("clock-is", "{time}", time = text));
    }
}

/// Room on the disk of the data folder.
pub(super) fn disk(config: &Config, sheet: &mut Sheet) {
    let Some(folder) = config.data_dir.ancestors().find(|folder| folder.exists()) else { return };
    match rustix::fs::statvfs(folder) {
        Err(error) => {
            sheet.warn(
                "disk",
                said!("disk-unknown", "{folder}: {error}", folder = folder.display(), error = error),
                "",
            );
        }
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let needed =
                config.store.disk_free_octets_min + 4 * config.store.segment_octets + config.store.reserve_octets;
            let found = |code| {
                let (free, needed, folder) = (free >> 20, needed >> 20, folder.display());
                let text = format!("{free} MB free at {folder}");
                let values =
                    [("free", free.to_string()), ("needed", needed.to_string()), ("folder", folder.to_string())];
                Said::new(code, text, values)
            };
            if free < needed {
                let remedy = format!("At least {} MB are needed; beyond that new mail is answered 452.", needed >> 20);
                sheet.fail("disk", found("disk-short"), remedy);
            } else if free < 4 * needed {
                sheet.warn("disk", found("disk-low"), "Make room before it runs out: new mail would be answered 452.");
            } else {
                sheet.ok("disk", found("disk-free"));
            }
        }
    }
}
