//! The commands, one file each.

mod backup;
mod cost;
mod events;
mod images;
mod jobs;
mod library;
mod outcome;
mod posts;
mod prices;
mod projects;
mod quota;
mod replies;
mod run;
mod sandbox;
mod search;
mod serve;
mod tokens;
mod trash;
mod users;
mod work;

use atelier_app::AppResult;

use crate::args::{Cli, Command};
use crate::context::Context;
use crate::exit::Exit;
use crate::out::Out;
use crate::reference;
use crate::signals;

/// Runs one command.
pub(crate) async fn run(cli: Cli, out: &Out) -> AppResult<Exit> {
    signals::outlive_large_files();
    if let Command::Sandbox(command) = cli.command {
        // Needs no data and no configuration.
        return sandbox::run(command, *out).await;
    }
    if let Command::Reference = cli.command {
        out.text(&reference::markdown()?)?;
        return Ok(Exit::Success);
    }
    if let Command::Openapi = cli.command {
        out.text(&format!("{}\n", atelier_server::document()))?;
        return Ok(Exit::Success);
    }
    let context = Context::new(&cli.global, *out)?;
    match cli.command {
        Command::Projects(command) => projects::run(&context, command).await,
        Command::Posts(command) => posts::run(&context, command).await,
        Command::Replies(command) => replies::run(&context, command).await,
        Command::Library(command) => library::run(&context, command).await,
        Command::Search(command) => search::run(&context, *command).await,
        Command::Images(command) => images::run(&context, *command).await,
        Command::Run(command) => run::run(&context, *command).await,
        Command::Jobs(command) => jobs::run(&context, command).await,
        Command::Cost(command) => cost::run(&context, &command).await,
        Command::Prices(command) => prices::run(&context, &command),
        Command::Quota { command } => quota::run(&context, command).await,
        Command::Trash { command } => trash::run(&context, command).await,
        Command::Events { after } => events::run(&context, after).await,
        Command::Serve(command) => serve::run(&context, command).await,
        Command::Users(command) => users::run(&context, command).await,
        Command::Tokens(command) => tokens::run(&context, command).await,
        Command::Backup { file } => backup::run(&context, &file).await,
        Command::Sandbox(_) | Command::Reference | Command::Openapi => Ok(Exit::Success),
    }
}

/// How much others go before a process that nobody waits for: the least that the system knows is 19.
const NICENESS: i32 = 10;

/// Lets all other processes go first. Threads that are started later are as polite.
pub(crate) fn yield_to_others() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!("this process has the priority of any other: {error}");
    }
}
