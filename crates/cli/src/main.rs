//! The atelier command: reads the arguments, runs one command, and says how it went.
#![forbid(unsafe_code)]
#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::bare_urls,
    rustdoc::invalid_html_tags,
    reason = "the flags' comments are help texts: their brackets are no links"
)]

mod args;
mod commands;
mod context;
mod error;
mod exit;
mod money;
mod out;
mod progress;
mod reference;
mod signals;
mod telemetry;

use std::process::ExitCode;

use atelier_app::{AppError, ErrorClass, code};
use clap::Parser;
use mimalloc::MiMalloc;

use args::Cli;
use exit::Exit;
use out::Out;
use telemetry::Telemetry;

/// A call makes some two hundred small allocations, on one thread or the other: glibc's take a tenth of its time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.is_background() {
        // Before there are other threads: each has a priority of its own, which it takes from the one that starts it.
        commands::yield_to_others();
    }
    // It lives as long as the program.
    let out: &'static Out = Box::leak(Box::new(Out::new(cli.global.json)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = AppError::new(code!("runtime"), format!("the program can't start its threads: {error}"));
            out.error(&error);
            return Exit::from(&error).into();
        }
    };
    let telemetry = Telemetry::start(cli.global.verbose, runtime.handle());
    // Beside its calls, and not on this thread: each step of a run would cost a switch from one to the other.
    let exit = match runtime.block_on(runtime.spawn(commands::run(cli, out))) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            out.error(&error);
            Exit::from(&error)
        }
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Exit::Failed(ErrorClass::Defect),
        },
    };
    telemetry.end();
    // A hanging connection must not hold up the end: what had to be saved has been.
    runtime.shutdown_background();
    exit.into()
}
