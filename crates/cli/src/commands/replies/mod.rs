//! `atelier replies`.

mod embedder;
mod export;
mod generate;
mod list;
mod review;
pub(super) mod work;

use crate::args::RepliesCommand;
use crate::context::Context;
use crate::error::CliResult;
use crate::exit::Exit;

pub(super) async fn run(context: &Context, command: RepliesCommand) -> CliResult<Exit> {
    match command {
        RepliesCommand::Generate(command) => generate::run(context, *command).await,
        RepliesCommand::List(command) => list::run(context, command).await,
        RepliesCommand::Review(command) => review::run(context, command).await,
        RepliesCommand::Export(command) => export::run(context, command).await,
    }
}
