//! Ctrl-C and SIGTERM: the first lets paid calls finish, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use atelier_app::{AppError, AppResult, code};
use atelier_engine::{Stop, StopHandle};
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::out::Out;

/// Which signal came, if one did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signalled(Arc<AtomicU8>);

impl Signalled {
    /// The exit code that the signal asks for.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self.0.load(Ordering::Relaxed) {
            130 => Some(Exit::INTERRUPTED),
            143 => Some(Exit::Terminated),
            _ => None,
        }
    }
}

/// Listens from now on. `out`: where to say what the first signal does, if that wants saying.
pub(crate) fn listen(out: Option<Out>) -> AppResult<(Stop, Signalled)> {
    let (handle, stop) = StopHandle::new();
    let signalled = Signalled::default();
    let failed = |error| AppError::new(code!("signals"), format!("the program can't listen for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let seen = signalled.clone();
    tokio::spawn(async move {
        loop {
            let exit = tokio::select! {
                _ = interrupt.recv() => Exit::INTERRUPTED,
                _ = terminate.recv() => Exit::Terminated,
            };
            if seen.0.swap(exit.code(), Ordering::Relaxed) != 0 {
                end_at_once(exit);
            }
            if let Some(out) = out {
                out.note("stopping: calls in flight are finished and saved; once more to end at once");
            }
            handle.stop();
        }
    });
    Ok((stop, signalled))
}

/// A write beyond the file size that the process may have ("ulimit -f") is then an error that can be told,
/// and not the end of the process.
pub(crate) fn outlive_large_files() {
    const SIGXFSZ: i32 = 25;
    // Registering a handler takes the place of the signal's default action; nothing more is wanted of it.
    if signal(SignalKind::from_raw(SIGXFSZ)).is_err() {
        tracing::warn!("the signal for files that grow too large can't be handled");
    }
}

#[expect(clippy::disallowed_methods, reason = "the user asked twice: nothing may run any more")]
fn end_at_once(exit: Exit) -> ! {
    std::process::exit(i32::from(exit.code()))
}
