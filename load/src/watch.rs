//! What the server's processes cost: CPU time of all of them, those that ended included, and memory.

use anyhow::{Context, ensure};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The kernel's tick in /proc, by its contract with user space.
const TICKS_A_SECOND: u64 = 100;
const PAGE_OCTETS: u64 = 4096;

/// Where control groups of the second version are, alone or beside the first.
const GROUPS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// A control group for the processes of one server: the kernel adds up what they use, to the microsecond. Removed when
/// dropped, by when they have to have ended.
#[derive(Debug)]
pub(crate) struct Group(Option<PathBuf>);

impl Group {
    /// A new one; an empty place holder where there are none, or not for this user.
    pub(crate) fn new(name: &str) -> Group {
        let root = GROUPS.into_iter().map(Path::new).find(|root| root.join("cgroup.controllers").exists());
        let folder = root.map(|root| root.join(format!("load-{name}-{}", std::process::id())));
        Group(folder.filter(|folder| std::fs::create_dir(folder).is_ok()))
    }

    /// A command that runs in it, and whatever it starts.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Some(folder) = &self.0 else { return Command::new(program) };
        let mut command = Command::new("sh");
        command.arg("-c").arg("echo $$ > \"$0\"; exec \"$@\"").arg(folder.join("cgroup.procs")).arg(program);
        command
    }

    /// The folder that says what was used.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.0.clone()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            // one that is not empty yet stays behind, and costs nothing
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// The processes of a server: these and all that came from them.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    roots: Vec<u32>,
    group: Option<PathBuf>,
}

/// User and system time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }

    pub(crate) fn since(self, before: Cpu) -> Cpu {
        Cpu { user: self.user.saturating_sub(before.user), system: self.system.saturating_sub(before.system) }
    }
}

/// What one line of /proc/PID/stat says.
struct Stat {
    parent: u32,
    user: u64,
    system: u64,
}

impl Watch {
    /// Processes by number, and their control group where there is one.
    pub(crate) fn new(roots: Vec<u32>, group: Option<PathBuf>) -> Watch {
        Watch { roots, group }
    }

    /// CPU time of every process of it so far; of those that ended as far as they were waited for.
    ///
    /// # Errors
    /// The server is gone.
    pub(crate) fn cpu(&self) -> anyhow::Result<Cpu> {
        if let Some(group) = &self.group {
            ensure!(self.roots.iter().all(|root| stat(*root).is_some()), "the server is gone");
            return used(&std::fs::read_to_string(group.join("cpu.stat"))?).context("cpu.stat");
        }
        let mut cpu = Cpu::default();
        for stat in self.processes()?.values() {
            cpu.user += ticks(stat.user);
            cpu.system += ticks(stat.system);
        }
        Ok(cpu)
    }

    /// Resident memory in octets; of several processes each one's share of what they share.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        if let [process] = self.roots.as_slice() {
            return resident(*process);
        }
        let processes = self.processes()?;
        // a process may end meanwhile: then it holds nothing
        Ok(processes.keys().filter_map(|process| proportional(*process)).sum())
    }

    fn processes(&self) -> anyhow::Result<HashMap<u32, Stat>> {
        let mut found = HashMap::new();
        if let [process] = self.roots.as_slice() {
            let stat = stat(*process).context("the server is gone")?;
            found.insert(*process, stat);
            return Ok(found);
        }
        let mut all = HashMap::new();
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            if let Some(process) = name.to_str().and_then(|name| name.parse().ok())
                && let Some(stat) = stat(process)
            {
                all.insert(process, stat);
            }
        }
        let mut ours = self.roots.clone();
        while let Some(process) = ours.pop() {
            ours.extend(all.iter().filter(|(_, stat)| stat.parent == process).map(|(child, _)| *child));
            if let Some(stat) = all.remove(&process) {
                found.insert(process, stat);
            }
        }
        Ok(found)
    }
}

/// What `cpu.stat` of a control group says.
fn used(text: &str) -> Option<Cpu> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Some(Duration::from_micros(line?.parse().ok()?))
    };
    Some(Cpu { user: field("user_usec")?, system: field("system_usec")? })
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1000 / TICKS_A_SECOND)
}

/// None where there is no such process any more.
fn stat(process: u32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

fn parse(line: &str) -> Option<Stat> {
    // the name in front may hold anything, brackets too
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // its own and that of its children that it has waited for
    let (user, system) = (number(11)? + number(13)?, number(12)? + number(14)?);
    Some(Stat { parent: fields.get(1)?.parse().ok()?, user, system })
}

fn resident(process: u32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).context("the server is gone")?;
    let pages: u64 = text.split(' ').nth(1).context("/proc/PID/statm")?.parse()?;
    Ok(pages * PAGE_OCTETS)
}

fn proportional(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().context("/proc/thread-self/schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::{Watch, parse, used};
    use std::time::Duration;

    #[test]
    fn a_line_of_stat_is_read_behind_any_name() {
        let line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7";
        let stat = parse(line).unwrap();
        assert_eq!((stat.parent, stat.user, stat.system), (7, 103, 24));
        assert!(parse("42 (a").is_none());
    }

    #[test]
    fn what_a_group_used_is_read() {
        let cpu = used("usage_usec 30\nuser_usec 10\nsystem_usec 20\n").unwrap();
        assert_eq!((cpu.user, cpu.total()), (Duration::from_micros(10), Duration::from_micros(30)));
        assert!(used("usage_usec 30\n").is_none());
    }

    #[test]
    fn this_process_has_memory_and_no_other_has_its_number() {
        let watch = Watch::new(vec![std::process::id()], None);
        assert!(watch.memory().unwrap() > 100_000 && watch.cpu().is_ok());
        let nobody = Watch::new(vec![u32::MAX], None);
        assert!(nobody.cpu().is_err());
    }
}
