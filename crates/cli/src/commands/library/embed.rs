//! `atelier library embed`, and the process that a search starts for it.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use atelier_app::AppResult;
use atelier_app::background::{Background, MOST};
use atelier_app::library::{EmbedEvent, EmbedScope, LibraryEmbedded};
use atelier_store::Holder;
use atelier_studio::library::MissingVectors;
use atelier_studio::search::ImageSearch;
use serde_json::json;

use super::images;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::count;
use crate::out::excerpt;
use crate::progress::StepProgress;
use crate::signals;

/// Makes the vectors that images lack. In the background, only what nobody has tried to embed yet, and only if
/// nobody is at it.
pub(super) async fn run(context: &Context, prune: bool, background: bool) -> AppResult<Exit> {
    let app = &context.app;
    let (stop, signalled) = signals::listen(None)?;
    let scope = if background { EmbedScope::Untried } else { EmbedScope::All };
    let mut progress = EmbedReport::new(context, if background { Busy::Silent } else { Busy::Waited });
    let embedded = app
        .embed_library(scope, prune, &stop, |event| {
            if background && matches!(event, EmbedEvent::Began) {
                app.background_began();
            }
            progress.on(event);
        })
        .await;
    progress.finish();
    let Some(LibraryEmbedded { made, pruned }) = embedded? else {
        return Ok(signalled.exit().unwrap_or(Exit::Success));
    };
    match (background, made.stopped, made.failed) {
        (true, true, _) => app.background_ended("it was stopped by a signal"),
        (true, false, 1..) => app.background_ended(&format!("{} could not be embedded", images(made.failed))),
        _ => app.background_succeeded(),
    }
    let json = json!({ "text": made.text, "look": made.look, "failed": made.failed, "pruned": pruned });
    context.out.result(&json, || {
        let failed =
            if made.failed > 0 { format!("; {} could not be embedded", images(made.failed)) } else { String::new() };
        let gone =
            if prune { format!("; {} of other embedders forgotten", count(pruned, "vector")) } else { String::new() };
        let stopped = if made.stopped { "; stopped: run it again to go on" } else { "" };
        format!("{} by their words, {} by their look{failed}{gone}{stopped}", images(made.text), images(made.look))
    })?;
    if made.stopped {
        return Ok(signalled.exit().unwrap_or(Exit::INTERRUPTED));
    }
    Ok(if made.failed > 0 { Exit::ITEMS_FAILED } else { Exit::Success })
}

/// What is said where another process makes vectors already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Busy {
    Silent,
    Waited,
    Left,
}

/// Shows how vectors are made.
pub(super) struct EmbedReport<'a> {
    context: &'a Context,
    progress: StepProgress,
    busy: Busy,
}

impl<'a> EmbedReport<'a> {
    pub(super) fn new(context: &'a Context, busy: Busy) -> Self {
        Self { context, progress: StepProgress::new(context.out, context.app.clock(), "vector"), busy }
    }

    pub(super) fn on(&mut self, event: EmbedEvent) {
        match event {
            EmbedEvent::Busy(by) => {
                let and = match self.busy {
                    Busy::Silent => return,
                    Busy::Waited => "waiting for it",
                    Busy::Left => "what it leaves, the next search has made",
                };
                self.context.out.note(format!("{} is making vectors already; {and}", process(by)));
            }
            EmbedEvent::Began => {}
            EmbedEvent::Progress(made) => {
                self.progress.at(made.made + made.failed, None, " made for images that had none");
            }
        }
    }

    pub(super) fn finish(&self) {
        self.progress.finish();
    }
}

/// Has vectors that images lack made by a process of its own, and says so.
pub(in crate::commands) async fn in_background(context: &Context, search: &ImageSearch) {
    let Some((missing, how)) = context.app.embed_in_background(search, |log| start(context, log)).await else { return };
    let again = "'atelier library embed'";
    let line = match (how, missing.images) {
        (Background::Failed(reason), 0) => {
            return context
                .out
                .note(format!("vectors in the background: {}; {again} tries again", excerpt(&reason, 200)));
        }
        (Background::Failed(reason), _) => {
            format!("making them in the background ended: {}; {again} goes on", excerpt(&reason, 200))
        }
        (Background::Underway, _) => format!("{} is making them", process(missing.by.clone())),
        (Background::Off, _) => format!("{again} makes them"),
        (Background::Starting, _) => "a process that makes them is starting".to_owned(),
        (Background::Started(process), _) => format!("they are being made in the background, by process {process}"),
        (Background::Unstartable(error), _) => {
            format!("no process can be started for them: {error}; {again} makes them")
        }
    };
    context.out.note(format!("{}: {line}", described(&missing)));
}

/// Starts the process; its number. It outlives this one, and an interrupt at the terminal does not reach it.
fn start(context: &Context, log: File) -> std::io::Result<u32> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["library", "embed", "--background"]).arg("--data-dir").arg(context.app.data_dir());
    if let Some(config) = context.app.config_file() {
        command.arg("--config").arg(config);
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0).spawn()?;
    Ok(child.id())
}

/// `process 42`.
fn process(by: Option<Holder>) -> String {
    by.map_or_else(|| "another process".to_owned(), |by| format!("process {}", by.pid))
}

/// `170 images have no vectors of clip-x/1 yet`.
fn described(missing: &MissingVectors) -> String {
    let most = MOST as u64;
    let number = match missing.images {
        1 => return format!("1 image has no vector of {} yet", missing.embedders.join(" and ")),
        number if number >= most => format!("{} and more", images(most)),
        number => images(number),
    };
    format!("{number} have no vectors of {} yet", missing.embedders.join(" and "))
}
