//! Debian's Postfix with Dovecot's login, set up to do what the relay does: the same ports, certificate and next hop.

use anyhow::{Context, ensure};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::measure::Peer;
use crate::relay::{address, free_ports};
use crate::source::{Seat, User};
use crate::watch::{Group, Watch};
use crate::work::{Port, Work};

const PACKAGES: [&str; 2] = ["postfix", "dovecot-core"];
const USERNAME: &str = "load";
const PASSWORD: &str = "secret";
const SENDER: &str = "app@load.test";
/// Sessions from one address, as with the relay.
const ADDRESS_SESSIONS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);
/// Files and sockets that its processes may open.
const FILES_MAX: &str = "ulimit -n 20000";

/// A running Postfix; stopped when dropped.
pub(crate) struct Postfix {
    etc: PathBuf,
    dovecot: Child,
    master: u32,
    tls: SocketAddr,
    starttls: SocketAddr,
    sink: SocketAddr,
    group: Group,
}

impl Postfix {
    /// Installs it where it is not, sets it up in `folder`, and starts it. Needs root, as Postfix does.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Postfix> {
        install()?;
        let [tls, starttls, sink] = free_ports()?;
        lay_out(folder)?;
        let etc = folder.join("etc");
        std::fs::write(etc.join("main.cf"), main_cf(folder, sink))?;
        let services = std::fs::read_to_string("/usr/share/postfix/master.cf.dist")
            .or_else(|_| std::fs::read_to_string("/etc/postfix/master.cf"))
            .context("Debian's master.cf")?;
        std::fs::write(etc.join("master.cf"), master_cf(&services, tls, starttls))?;
        std::fs::write(folder.join("dovecot/dovecot.conf"), dovecot_conf(folder))?;
        std::fs::write(folder.join("dovecot/users"), format!("{USERNAME}:{{PLAIN}}{PASSWORD}\n"))?;
        let group = Group::new("postfix");
        postfix(&group, &etc, "check")?;
        postfix(&group, &etc, "start")?;
        let shell = Path::new("sh");
        let dovecot = group
            .command(shell)
            .arg("-c")
            .arg(format!("{FILES_MAX}; exec dovecot -F -c \"$0\""))
            .arg(folder.join("dovecot/dovecot.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut started = Postfix { etc, dovecot, master: 0, tls, starttls, sink, group };
        started.wait_until_ready(folder)?;
        Ok(started)
    }

    fn wait_until_ready(&mut self, folder: &Path) -> anyhow::Result<()> {
        let begun = Instant::now();
        let socket = folder.join("spool/private/auth");
        while !socket.exists() || TcpStream::connect(self.tls).is_err() {
            ensure!(begun.elapsed() < PATIENCE, "Postfix did not start: see {}", folder.join("log").display());
            std::thread::park_timeout(LOOK);
        }
        let pid = std::fs::read_to_string(folder.join("spool/pid/master.pid"))?;
        self.master = pid.trim().parse().context("the number of Postfix's master")?;
        Ok(())
    }

    /// As what is measured.
    pub(crate) fn peer(&self, work: &Work) -> Peer<'_> {
        let (username, password, sender) = (USERNAME.to_owned(), PASSWORD.to_owned(), SENDER.to_owned());
        let user = Arc::new(User { username, password, sender });
        let seat = |session| Seat { user: Arc::clone(&user), address: Some(address(session / ADDRESS_SESSIONS)) };
        Peer {
            name: "postfix",
            server: if work.port == Port::Tls { self.tls } else { self.starttls },
            watch: Watch::new(vec![self.master, self.dovecot.id()], self.group.folder()),
            seats: (0..work.sessions).map(seat).collect(),
            lag: None,
            sink: self.sink,
        }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // what does not stop was stopped already
        let _ = postfix(&self.group, &self.etc, "stop");
        let _ = Command::new("kill").arg(self.dovecot.id().to_string()).status();
        let _ = self.dovecot.wait();
    }
}

fn install() -> anyhow::Result<()> {
    let is_there = |name: &str| Path::new("/usr/sbin").join(name).exists();
    if is_there("postfix") && is_there("dovecot") {
        return Ok(());
    }
    for arguments in [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends"]] {
        let packages = if arguments[0] == "install" { &PACKAGES[..] } else { &[] };
        let status = Command::new("apt-get")
            .args(arguments)
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // so that the packages start nothing
            .env("RUNLEVEL", "1")
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "apt-get could not install {}", PACKAGES.join(" and "));
    }
    Ok(())
}

fn postfix(group: &Group, etc: &Path, verb: &str) -> anyhow::Result<()> {
    let status = group
        .command(Path::new("sh"))
        .arg("-c")
        .arg(format!("{FILES_MAX}; exec postfix -c \"$0\" {verb}"))
        .arg(etc)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    // it finds fault with folders that are not Debian's own, and does its work
    ensure!(status.success() || verb == "check", "postfix {verb} failed");
    Ok(())
}

/// The folders, with the owners that Postfix asks for.
fn lay_out(folder: &Path) -> anyhow::Result<()> {
    for name in ["", "etc", "spool", "spool/pid", "data", "dovecot"] {
        let path = folder.join(name);
        std::fs::create_dir_all(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    let status = Command::new("chown").arg("postfix").arg(folder.join("data")).status()?;
    ensure!(status.success(), "Postfix can be set up by root alone");
    if !folder.join("cert.pem").exists() {
        crate::relay::certificate(folder)?;
    }
    Ok(())
}

fn main_cf(folder: &Path, sink: SocketAddr) -> String {
    let home = folder.display();
    format!(
        "compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
maillog_file_prefixes = {home}
maillog_file = {home}/log
multi_instance_name = postfix-beside
myhostname = localhost
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [{}]:{}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtpd_tls_cert_file = {home}/cert.pem
smtpd_tls_key_file = {home}/key.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
alias_maps =
alias_database =
",
        sink.ip(),
        sink.port()
    )
}

/// Debian's services, outside of a chroot, without its listeners and its other ways of delivery; with our two ports.
fn master_cf(services: &str, tls: SocketAddr, starttls: SocketAddr) -> String {
    let mut text = String::new();
    for line in services.lines().filter(|line| !line.starts_with(['#', ' ', '\t'])) {
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() >= 8 && fields[1] != "inet" && fields[7] != "pipe" {
            fields[4] = "n";
            text.push_str(&fields.join(" "));
            text.push('\n');
        }
    }
    text + &format!(
        "{tls} inet n - n - 1100 smtpd\n  -o smtpd_tls_wrappermode=yes\n{starttls} inet n - n - 1100 smtpd\n"
    )
}

fn dovecot_conf(folder: &Path) -> String {
    let home = folder.display();
    format!(
        "protocols =
base_dir = {home}/dovecot/run
state_dir = {home}/dovecot/run
log_path = {home}/dovecot/log
ssl = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = {home}/dovecot/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/
}}
service auth {{
  client_limit = 4096
  unix_listener {home}/spool/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::master_cf;

    #[test]
    fn services_stay_and_other_doors_close() {
        let debian = "# comment\nsmtp      inet  n       -       y       -       -       smtpd\n  -o x=y\n\
                      qmgr      unix  n       -       n       300     1       qmgr\n\
                      smtp      unix  -       -       y       -       -       smtp\n\
                      maildrop  unix  -       n       n       -       -       pipe\n  flags=DRXhu\n";
        let text = master_cf(debian, "127.0.0.1:1465".parse().unwrap(), "127.0.0.1:1587".parse().unwrap());
        let expected = "qmgr unix n - n 300 1 qmgr\nsmtp unix - - n - - smtp\n\
                        127.0.0.1:1465 inet n - n - 1100 smtpd\n  -o smtpd_tls_wrappermode=yes\n\
                        127.0.0.1:1587 inet n - n - 1100 smtpd\n";
        assert_eq!(text, expected);
    }
}
