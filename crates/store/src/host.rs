//! Which process this is, so that others can tell whether it lives.

use std::sync::OnceLock;

/// A process, told from all others: numbers of processes come again, on other machines and after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// The machine, as long as it runs, and the room of processes on it; empty for no process at all.
    pub(crate) host: String,
    pub(crate) pid: u32,
    /// When it began, in the system's own count; 0 where that is not known.
    pub(crate) started: i64,
}

impl Process {
    /// Whether it lives; `None` if that can't be seen from here.
    pub(crate) fn is_alive(&self) -> Option<bool> {
        if self.host.is_empty() {
            return Some(false);
        }
        if self.host != this_process().host {
            return None;
        }
        Some(started(self.pid).is_some_and(|started| started == self.started))
    }
}

/// This process.
pub(crate) fn this_process() -> &'static Process {
    static THIS: OnceLock<Process> = OnceLock::new();
    THIS.get_or_init(|| {
        let pid = std::process::id();
        Process { host: host(), pid, started: started(pid).unwrap_or(0) }
    })
}

/// The machine's name, which start of it this is, and which of its processes are seen from here: containers on one
/// machine count their own.
fn host() -> String {
    let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    let seen = std::fs::read_link("/proc/self/ns/pid").map(|path| path.display().to_string()).unwrap_or_default();
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{name} {} {seen}", read("/proc/sys/kernel/random/boot_id"))
}

/// When the process of this number began, if there is one; 0 where the system does not say.
fn started(pid: u32) -> Option<i64> {
    if std::path::Path::new("/proc/self/stat").exists() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Its name, in brackets, may hold anything; the start is the twentieth field after it.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        // A process that has ended and was not asked for yet does nothing any more.
        return (fields.next()? != "Z").then(|| fields.nth(18)?.parse().ok()).flatten();
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    rustix::process::test_kill_process(pid).is_ok().then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_of_its_number_that_began_before_does_not() {
        let this = this_process();
        assert_eq!(this.is_alive(), Some(true));
        let before = Process { started: this.started - 1, ..this.clone() };
        assert_eq!(before.is_alive(), Some(false));
    }

    #[test]
    fn of_a_process_elsewhere_nothing_is_seen() {
        let elsewhere = Process { host: "elsewhere".into(), ..this_process().clone() };
        assert_eq!(elsewhere.is_alive(), None);
    }
}
