//! What `doctor` looks at inside: data folder, ports, certificates, clock, disk.

use relay::clock::Timestamp;
use relay::service::FaultKind;
use relay::service::operation::{Answer, Health, Operation};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use net::acme::AcmeSettings;
use net::tls::Certificates;

use super::Sheet;
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
            sheet.fail("data folder", fault.what, remedy);
            return None;
        }
    };
    relay(&health, sheet);
    Some(health)
}

/// How it says that it is.
pub(super) fn relay(health: &Health, sheet: &mut Sheet) {
    if health.running {
        sheet.ok("relay", format!("running for {}", period(health.up_seconds)));
    } else {
        sheet.warn("relay", "not running; the data folder was opened by this command", "Start it: `envoi serve`.");
    }
    store(health, sheet);
    match health.blocks {
        0 => sheet.ok("blocks", "no address is blocked"),
        count => sheet.warn("blocks", format!("{count} blocked after failed logins"), "The list of blocks says why."),
    }
    if let Some((address, count)) = health.busiest_address
        && health.connections >= CROWD_MIN
        && count * 10 >= health.connections * 9
    {
        sheet.warn(
            "addresses",
            format!("{address} carries {count} of {} connections", health.connections),
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
            format!("stopped after a failed write: {why}"),
            "Nothing is taken or delivered. Look at the disk, then restart: the start checks everything.",
        );
    } else if store.full {
        sheet.fail("store", "no room for new mail", "Make room on the disk, or raise `spool_max` below [store].");
    } else {
        let found = format!("{} messages wait, for {} recipients", store.messages, store.recipients);
        sheet.ok("store", found);
    }
    for damage in &store.damage {
        sheet.fail("store", damage.to_string(), DAMAGE_REMEDY);
    }
    if let Some(why) = &store.activity_stopped {
        sheet.fail(
            "activity",
            why.clone(),
            "Mail goes on. Look at the disk, then restart: activity is read from where it stopped.",
        );
    }
    if store.activity_lag_octets > LAG_OCTETS_MAX {
        let found = format!("activity is {} MB behind", store.activity_lag_octets >> 20);
        sheet.warn("store", found, "The disk is too slow for its work, or something else keeps it busy.");
    }
}

fn period(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
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
                Ok(Ok(_)) => sheet.ok(&name, format!("{address} answers")),
                _ => sheet.fail(
                    &name,
                    format!("{address} does not answer"),
                    "The log says why; a firewall may be in between.",
                ),
            }
        } else {
            match std::net::TcpListener::bind(address) {
                Ok(_) => sheet.ok(&name, format!("{address} is free")),
                Err(error) => {
                    let fault = listen_fault(*address, &error);
                    sheet.fail(&name, fault.what, fault.remedy);
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
                let found = format!("none has come yet for {names}: one that no client trusts stands in");
                sheet.fail("certificate", found, "`envoi certificate list` says why the last order failed.");
                continue;
            }
            let found = format!("for {names}, {days} days left");
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
        sheet.fail("clock", format!("it is {text} here, which is past"), "Set the clock: `timedatectl set-ntp true`.");
    } else if ahead > Duration::from_secs(300) {
        let found = format!("it is {text} here, and the data folder was written {} later", period(ahead.as_secs()));
        sheet.warn("clock", found, "The clock was set back: see that it is right, `timedatectl` shows it.");
    } else {
        sheet.ok("clock", text);
    }
}

/// Room on the disk of the data folder.
pub(super) fn disk(config: &Config, sheet: &mut Sheet) {
    let Some(folder) = config.data_dir.ancestors().find(|folder| folder.exists()) else { return };
    match rustix::fs::statvfs(folder) {
        Err(error) => sheet.warn("disk", format!("{}: {error}", folder.display()), ""),
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let needed =
                config.store.disk_free_octets_min + 4 * config.store.segment_octets + config.store.reserve_octets;
            let found = format!("{} MB free at {}", free >> 20, folder.display());
            if free < needed {
                let remedy = format!("At least {} MB are needed; beyond that new mail is answered 452.", needed >> 20);
                sheet.fail("disk", found, remedy);
            } else if free < 4 * needed {
                sheet.warn("disk", found, "Make room before it runs out: new mail would be answered 452.");
            } else {
                sheet.ok("disk", found);
            }
        }
    }
}
