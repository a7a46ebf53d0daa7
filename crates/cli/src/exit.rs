//! Exit codes: the one place that says what each stands for.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done. Items that the provider refused count as done.
    Success,
    /// Some items failed.
    ItemsFailed,
    /// The command line can't be understood, or names what is not there.
    Usage,
    /// The configuration or a credential is missing or wrong.
    Configuration,
    /// Something on this machine is in the way: the disk, the database, a job that is running.
    LocalState,
    /// Stopped because the next call could pass `--max-cost`.
    OverBudget,
    /// Parked until a limit resets.
    Parked,
    /// Ended by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
}

impl Exit {
    /// Every exit code, for the documentation.
    pub(crate) const ALL: [Self; 9] = [
        Self::Success,
        Self::ItemsFailed,
        Self::Usage,
        Self::Configuration,
        Self::LocalState,
        Self::OverBudget,
        Self::Parked,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::ItemsFailed => 1,
            Self::Usage => 2,
            Self::Configuration => 3,
            Self::LocalState => 4,
            Self::OverBudget => 5,
            Self::Parked => 75,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What it stands for.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "all done; items that the provider refused (blocked) count as done",
            Self::ItemsFailed => "some items failed",
            Self::Usage => "usage: the command line can't be understood, or names or holds what can't be used",
            Self::Configuration => "configuration or credentials",
            Self::LocalState => "local state: the disk, the database, or a job that another process is running",
            Self::OverBudget => "stopped at `--max-cost`",
            Self::Parked => "parked until a limit resets",
            Self::Interrupted => "interrupted by SIGINT (Ctrl-C)",
            Self::Terminated => "ended by SIGTERM",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
