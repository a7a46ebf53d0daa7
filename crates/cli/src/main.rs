//! The atelier command: reads the arguments, runs one command, and says how it went.
#![forbid(unsafe_code)]
#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "the flags' comments are help texts: their brackets are no links"
)]

mod args;
mod commands;
mod config;
mod context;
mod error;
mod exit;
mod money;
mod out;
mod pools;
mod progress;
mod reference;
mod signals;
mod snapshot;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use exit::Exit;
use out::Out;

fn main() -> ExitCode {
    let cli = Cli::parse();
    out::start_log(cli.global.verbose);
    let out = Out::new(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out.error(&error::CliError::local("runtime", format!("the program can't start its threads: {error}")));
            return Exit::LocalState.into();
        }
    };
    let exit = match runtime.block_on(commands::run(cli, &out)) {
        Ok(exit) => exit,
        Err(error) => {
            out.error(&error);
            error.exit
        }
    };
    // A hanging connection must not hold up the end: what had to be saved has been.
    runtime.shutdown_background();
    exit.into()
}
