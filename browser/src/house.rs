//! The relay under the browser: `envoi demo`, as somebody would try it out.

use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running demonstration; ended when dropped.
pub(crate) struct House {
    /// Where the first member of the operator comes in.
    pub(crate) first_link: String,
    /// Its folder.
    pub(crate) folder: TempDir,
    process: Child,
}

impl House {
    /// Starts one, and reads from what it prints where its console is.
    pub(crate) fn start(binary: &Path) -> Result<House> {
        let folder = tempfile::tempdir()?;
        let mut process = Command::new(binary)
            .args(["demo", "--starttls-port", "0", "--tls-port", "0", "--dir"])
            .arg(folder.path().join("demo"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let output = process.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let link = loop {
            let line = lines.next().context("it ended before it said where its console is")??;
            if let Some(rest) = line.strip_prefix("Console: ") {
                break rest.split_whitespace().next().unwrap_or_default().to_owned();
            }
        };
        // what it prints later is read, so that it never waits for a reader
        std::thread::spawn(move || lines.for_each(drop));
        Ok(House { first_link: link, folder, process })
    }

    /// Where the console is.
    pub(crate) fn console(&self) -> &str {
        self.first_link.split("/first-start").next().unwrap_or_default()
    }

    /// The authority that signed its certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("demo/ca.pem")
    }

    /// Sends a message as an application written in Python would, with what the page has shown; what the relay said where it
    /// refused.
    pub(crate) fn send(&self, settings: &Settings, subject: &str) -> Result<Option<String>> {
        self.send_as("text/plain", settings, subject)
    }

    /// The same, of this type.
    pub(crate) fn send_as(&self, kind: &str, settings: &Settings, subject: &str) -> Result<Option<String>> {
        let script = "import smtplib, ssl, sys\n\
            server, port, user, password, sender, subject, kind, authority = sys.argv[1:]\n\
            context = ssl.create_default_context(cafile=authority)\n\
            try:\n\
            \x20   with smtplib.SMTP(server, int(port)) as smtp:\n\
            \x20       smtp.starttls(context=context)\n\
            \x20       smtp.login(user, password)\n\
            \x20       smtp.sendmail(sender, ['somebody@example.net'], f'From: {sender}\\nSubject: {subject}\\nContent-Type: {kind}\\n\\nHello.\\n')\n\
            except smtplib.SMTPException as error:\n\
            \x20   print(error)\n";
        let Settings { server, port, username, password, sender } = settings;
        let authority = self.authority();
        let done = Command::new("python3")
            .args(["-c", script, server, port, username, password, sender, subject, kind])
            .arg(authority)
            .output()?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        Ok(Some(said).filter(|said| !said.is_empty()))
    }
}

/// What an application is told by the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) server: String,
    pub(crate) port: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) sender: String,
}

impl Drop for House {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
