//! `atelier replies review`.

use atelier_replies::review::{ReviewDecision, decide};
use serde_json::json;

use crate::args::{Review, ReviewAction};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::count;

pub(super) async fn run(context: &Context, command: Review) -> CliResult<Exit> {
    if command.reason.is_some() && command.action != ReviewAction::Reject {
        return Err(CliError::usage("reason-unused", "--reason goes with reject").hint("leave --reason out"));
    }
    let (decision, done) = match command.action {
        ReviewAction::Approve => (ReviewDecision::Approve, "approved"),
        ReviewAction::Reject => (ReviewDecision::Reject { reason: command.reason }, "rejected"),
        ReviewAction::Posted => (ReviewDecision::Posted, "marked as posted"),
        ReviewAction::Skipped => (ReviewDecision::Skipped, "marked as skipped"),
    };
    let changed = decide(&context.store()?, &command.ids, decision, context.clock.now()).await?;
    let already = command.ids.len() - changed.len();
    context.out.result(&json!({ "changed": changed, "already": already }), || {
        let stood = if already > 0 { format!("; {already} stood so already") } else { String::new() };
        format!("{} {done}{stood}", count(changed.len() as u64, "draft"))
    })?;
    Ok(Exit::Success)
}
