//! Exit codes: the one place that says what each stands for.

use std::process::ExitCode;

use atelier_app::{AppError, ErrorClass};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done. Items that the provider refused count as done.
    Success,
    /// Ended by SIGTERM.
    Terminated,
    /// In an error of this class.
    Failed(ErrorClass),
}

impl Exit {
    /// Some items failed.
    pub(crate) const ITEMS_FAILED: Self = Self::Failed(ErrorClass::Incomplete);
    /// Stopped because the next call could pass `--max-cost`.
    pub(crate) const OVER_BUDGET: Self = Self::Failed(ErrorClass::OverBudget);
    /// Parked until a limit resets.
    pub(crate) const PARKED: Self = Self::Failed(ErrorClass::Parked);
    /// Ended by SIGINT.
    pub(crate) const INTERRUPTED: Self = Self::Failed(ErrorClass::Interrupted);

    /// Every number with what it stands for, for the documentation.
    pub(crate) const MEANINGS: [(u8, &'static str); 10] = [
        (Self::Success.code(), "all done; items that the provider refused (blocked) count as done"),
        (Self::ITEMS_FAILED.code(), "some items failed, or a provider did"),
        (
            ErrorClass::Usage.exit_code(),
            "usage: the command line can't be understood, or names or holds what can't be used",
        ),
        (ErrorClass::Configuration.exit_code(), "configuration or credentials"),
        (
            ErrorClass::LocalState.exit_code(),
            "local state: the disk, the database, or a job that another process is running",
        ),
        (Self::OVER_BUDGET.code(), "stopped at `--max-cost`"),
        (ErrorClass::Defect.exit_code(), "a defect of the program"),
        (Self::PARKED.code(), "parked until a limit resets"),
        (Self::INTERRUPTED.code(), "interrupted by SIGINT (Ctrl-C)"),
        (Self::Terminated.code(), "ended by SIGTERM"),
    ];

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Terminated => 143,
            Self::Failed(class) => class.exit_code(),
        }
    }
}

impl From<&AppError> for Exit {
    fn from(error: &AppError) -> Self {
        Self::Failed(error.class())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
