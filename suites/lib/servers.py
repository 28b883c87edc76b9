"""Mail servers as clients of the relay: Postfix and Exim, unpacked into a folder, with the relay as their smarthost."""

import contextlib
import os
import pathlib
import pwd
import smtplib
import subprocess
import time

from ports import free_ports

# Recipients at these domains leave by this port.
BY_DOMAIN = {"starttls": "starttls.example.net", "tls": "tls.example.net"}


class Postfix:
    """Postfix, listening on a port of loopback, without a trace outside its folder."""

    def __init__(self, root, relay):
        self.root = root
        (self.port,) = free_ports(1)
        self.configuration = root / "etc/postfix"
        for name in ("spool", "data", "log"):
            (root / name).mkdir()
        self.log = root / "log" / "maillog"
        self._configure(relay)
        self.environment = {
            **os.environ, "LD_LIBRARY_PATH": str(root / "usr/lib/postfix"), "MAIL_CONFIG": str(self.configuration)
        }
        os.chmod(root / "data", 0o700)
        os.chown(root / "data", pwd.getpwnam("mail").pw_uid, -1)
        check = subprocess.run([root / "usr/sbin/postfix", "check"], env=self.environment, capture_output=True, text=True)
        assert check.returncode == 0, f"postfix check: {check.stdout}{check.stderr}"
        self.process = subprocess.Popen(
            [root / "usr/lib/postfix/sbin/master", "-c", self.configuration, "-d"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,  # its end is the end of its process group
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _configure(self, relay):
        root, login = self.root, f"{relay.username}:{relay.password}"
        logins = " ".join(f"{{ [localhost]:{port} = {login} }}" for port in relay.ports.values())
        routes = " ".join(
            f"{{ {BY_DOMAIN[tls]} = by-{tls}:[localhost]:{port} }}" for tls, port in relay.ports.items()
        )
        (self.configuration / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {root}/spool
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
data_directory = {root}/data
meta_directory = {self.configuration}
# accounts that every Debian has
mail_owner = mail
setgid_group = news
maillog_file = {self.log}
maillog_file_prefixes = {root}/log
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME LD_LIBRARY_PATH
myhostname = postfix.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
transport_maps = inline:{{ {routes} }}
smtp_host_lookup = native
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = inline:{{ {logins} }}
smtp_sasl_security_options = noanonymous
smtp_sasl_tls_security_options = noanonymous
smtp_tls_security_level = verify
smtp_tls_CAfile = {relay.certificate_authority}
""")
        services = [
            f"127.0.0.1:{self.port} inet n - n - - smtpd",
            "postlog unix-dgram n - n - 1 postlogd",
            "cleanup unix n - n - 0 cleanup",
            "qmgr unix n - n 300 1 qmgr",
            "rewrite unix - - n - - trivial-rewrite",
            "tlsmgr unix - - n 1000? 1 tlsmgr",
            "by-starttls unix - - n - - smtp",
            "by-tls unix - - n - - smtp -o smtp_tls_wrappermode=yes",
        ]
        services += [f"{name} unix - - n - 0 bounce" for name in ("bounce", "defer", "trace")]
        services += [f"{name} unix - - n - - {name}" for name in ("error", "anvil", "scache", "proxymap")]
        (self.configuration / "master.cf").write_text("\n".join(services) + "\n")

    def _wait(self):
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtplib.SMTP("127.0.0.1", self.port, timeout=2).quit()
                return
            assert self.process.poll() is None and time.monotonic() < deadline, f"Postfix did not start: {self.said()}"
            time.sleep(0.05)

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send(self, sender, recipients, message):
        """Hands it the message; what its log says once each recipient was taken by the relay."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as server:
            server.sendmail(sender, recipients, message)
        deadline = time.monotonic() + 30
        while True:
            lines = [line for line in self.said().splitlines() if any(f"to=<{one}>" in line for one in recipients)]
            refused = [line for line in lines if "status=sent" not in line]
            assert not refused, refused[0]
            if len(lines) == len(recipients):
                return "\n".join(lines)
            assert time.monotonic() < deadline, f"Postfix did not send: {self.said()}"
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        (self.root / "spool/pid/master.pid").unlink(missing_ok=True)


class Exim:
    """Exim, run once for each message. Its own user is made up for it by libnss-wrapper."""

    def __init__(self, root, relay):
        self.root = root
        for name in ("spool", "log"):
            (root / name).mkdir()
            os.chmod(root / name, 0o777)
        # with its set-user-id bit the loader would refuse it the library
        os.chmod(root / "usr/sbin/exim4", 0o755)
        made_up = "Debian-exim:x:8:8::/nonexistent:/usr/sbin/nologin\n"
        (root / "passwd").write_text(pathlib.Path("/etc/passwd").read_text() + made_up)
        (root / "group").write_text(pathlib.Path("/etc/group").read_text() + "Debian-exim:x:8:\n")
        self.environment = {
            **os.environ,
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_PASSWD": str(root / "passwd"),
            "NSS_WRAPPER_GROUP": str(root / "group"),
        }
        transports = "".join(
            f"""
by_{tls}:
  driver = smtp
  port = {port}
  protocol = {"smtps" if tls == "tls" else "smtp"}
  hosts_require_tls = *
  hosts_require_auth = *
  tls_verify_certificates = {relay.certificate_authority}
  tls_verify_hosts = *
  tls_verify_cert_hostnames = *
"""
            for tls, port in relay.ports.items()
        )
        routers = "".join(
            f"""
to_{tls}:
  driver = manualroute
  domains = {BY_DOMAIN[tls]}
  route_list = * localhost byname
  transport = by_{tls}
  self = send
"""
            for tls in relay.ports
        )
        (root / "exim.conf").write_text(f"""
exim_path = {root}/usr/sbin/exim4
spool_directory = {root}/spool
log_file_path = {root}/log/%slog
primary_hostname = exim.example.org
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
disable_ipv6
begin routers
{routers}
begin transports
{transports}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^{relay.username}^{relay.password}
""")
        os.chmod(root / "exim.conf", 0o644)

    def send(self, sender, recipients, message):
        """Hands it the message; what its log says once each recipient was taken by the relay."""
        lines = message.replace(b"\r\n", b"\n")
        done = subprocess.run(
            [self.root / "usr/sbin/exim4", "-C", self.root / "exim.conf", "-odf", "-oi", "-f", sender, *recipients],
            input=lines, env=self.environment, capture_output=True, timeout=60,
        )
        assert done.returncode == 0, f"exim: {done.stdout}{done.stderr}{self.said()}"
        deadline = time.monotonic() + 30
        while True:
            lines = [line for line in self.said().splitlines() if any(f" {one} R=" in line for one in recipients)]
            refused = [line for line in lines if "=> " not in line and "-> " not in line]
            assert not refused, refused[0]
            if len(lines) == len(recipients):
                # K: by CHUNKING, as it does wherever that is offered
                assert " K " in lines[0], f"without CHUNKING: {lines[0]}"
                return "\n".join(lines)
            assert time.monotonic() < deadline, f"Exim did not send: {done.stderr}{self.said()}"
            time.sleep(0.05)

    def said(self):
        return "".join(log.read_text(errors="replace") for log in (self.root / "log").iterdir())

    def stop(self):
        """Nothing of it runs between messages."""
