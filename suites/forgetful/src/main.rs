//! `forgetful FOLDER OCTETS SEED`: mounts a disk of so much room, and takes commands from standard input, one a line.
//!
//! Each is answered by one line, `ok …` or `error …`:
//!
//! ```text
//! freeze                           whatever is asked of the disk waits
//! cut whole|part|reordered|nothing the power goes, with so much of the unsynced: what waits is refused
//! mount                            the power comes back, and the disk is mounted again
//! free OCTETS                      so much room is left
//! fail write|sync|read_only PATH   of whatever begins with PATH
//! mend                             no fault any more
//! slow MILLISECONDS                each sync takes so long
//! lie                              syncs are answered, and keep nothing
//! refused                          how many operations were refused by a fault or for want of room
//! ```
//!
//! When standard input ends, it is unmounted. What the disk keeps is only ever in memory.

mod dice;
mod disk;
mod mount;
mod power;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use fuser::BackgroundSession;

use dice::Dice;
use disk::{Cut, Disk};
use power::{Fault, FaultKind, Power};

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forgetful: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [folder, capacity, seed] = arguments else { return Err("usage: forgetful FOLDER OCTETS SEED".into()) };
    let folder = Path::new(folder);
    let power = Arc::new(Power::new(Disk::new(capacity.parse()?, Dice::new(seed.parse()?))));
    let session = mount::mount(&power, folder).map_err(|error| {
        format!("{} cannot be mounted (/dev/fuse, and the right to mount): {error}", folder.display())
    })?;
    let mut mounted = Mount { power, session: Some(session) };
    tell("ok mounted")?;
    for line in std::io::stdin().lock().lines() {
        match mounted.obey(&line?, folder) {
            Ok(answer) => tell(&format!("ok {answer}"))?,
            Err(error) => tell(&format!("error {error}"))?,
        }
    }
    mounted.unmount()
}

fn tell(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

struct Mount {
    power: Arc<Power>,
    session: Option<BackgroundSession>,
}

impl Mount {
    fn obey(&mut self, line: &str, folder: &Path) -> Result<String, Box<dyn Error>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["freeze"] => self.power.freeze(),
            ["cut", left] => return self.cut(left),
            ["mount"] => {
                self.unmount()?;
                self.power.restore();
                self.session = Some(mount::mount(&self.power, folder)?);
            }
            ["free", octets] => self.power.set_free(octets.parse()?),
            ["fail", kind, ..] => {
                let kind = match kind {
                    "write" => FaultKind::Write,
                    "sync" => FaultKind::Sync,
                    "read_only" => FaultKind::ReadOnly,
                    _ => return Err(format!("no fault is called {kind}").into()),
                };
                let prefix = words.get(2).copied().unwrap_or_default().to_owned();
                self.power.set_fault(Some(Fault { kind, prefix }));
            }
            ["mend"] => self.power.set_fault(None),
            ["slow", milliseconds] => self.power.set_sync_delay(Duration::from_millis(milliseconds.parse()?)),
            ["lie"] => self.power.lie(),
            ["refused"] => return Ok(self.power.refused().to_string()),
            _ => return Err(format!("not understood: {line}").into()),
        }
        Ok(String::new())
    }

    fn cut(&self, left: &str) -> Result<String, Box<dyn Error>> {
        let cut = match left {
            "whole" => Cut::Whole,
            "part" => Cut::Part,
            "reordered" => Cut::Reordered,
            "nothing" => Cut::Nothing,
            _ => return Err(format!("no cut is called {left}").into()),
        };
        let loss = self.power.cut(cut);
        Ok(format!("{} {} {} {}", loss.writes, loss.writes_lost, loss.names, loss.names_lost))
    }

    fn unmount(&mut self) -> Result<(), Box<dyn Error>> {
        match self.session.take() {
            Some(session) => Ok(session.umount_and_join()?),
            None => Ok(()),
        }
    }
}
