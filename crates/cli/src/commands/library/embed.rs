//! `atelier library embed`.

use std::time::Duration;

use atelier_engine::Stop;
use atelier_store::{Holder, StoreError};
use atelier_studio::StudioError;
use atelier_studio::library::decode::{Limits, Reader};
use atelier_studio::library::{EmbedProgress, Embedded, Embedders, Library, Missing};
use atelier_studio::search::ImageSearch;
use serde_json::json;

use super::{images, open};
use crate::background;
use crate::context::Context;
use crate::embedders;
use crate::error::CliResult;
use crate::exit::Exit;
use crate::money::count;
use crate::progress::Meter;
use crate::signals;

/// How often it is looked whether another process that makes vectors is done.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Makes the vectors that images lack. In the background, only what nobody has tried to embed yet, and only if
/// nobody is at it.
pub(super) async fn run(context: &Context, prune: bool, background: bool) -> CliResult<Exit> {
    if background {
        background::yield_to_others();
    }
    let library = open(context)?;
    let (stop, signalled) = signals::listen(None)?;
    let connected = embedders::of_images(context, library.store(), &stop).await?;
    let embedders = connected.embedders.clone();
    let made = if background {
        missing(context, &library, &embedders, Missing::New, &stop).await?.unwrap_or_default()
    } else {
        all(context, &library, &embedders, &stop).await?
    };
    let pruned = if prune && !made.stopped { library.prune_vectors(&embedders).await? } else { 0 };
    ImageSearch::new(library, embedders).catch_up(|_| {}).await?;
    background::succeeded(context)?;
    let json = json!({ "text": made.text, "look": made.look, "failed": made.failed, "pruned": pruned });
    context.out.result(&json, || {
        let failed =
            if made.failed > 0 { format!("; {} could not be embedded", images(made.failed)) } else { String::new() };
        let gone =
            if prune { format!("; {} of other embedders forgotten", count(pruned, "vector")) } else { String::new() };
        format!("{} by their words, {} by their look{failed}{gone}", images(made.text), images(made.look))
    })?;
    if made.stopped {
        return Ok(signalled.exit().unwrap_or(Exit::Interrupted));
    }
    Ok(Exit::Success)
}

/// All of them, once whoever makes them now is done.
async fn all(context: &Context, library: &Library, embedders: &Embedders, stop: &Stop) -> CliResult<Embedded> {
    let mut told = false;
    loop {
        match missing(context, library, embedders, Missing::All, stop).await? {
            Ok(made) => return Ok(made),
            Err(_) if stop.is_requested() => return Ok(Embedded { stopped: true, ..Embedded::default() }),
            Err(by) => {
                if !told {
                    context.out.note(format!("{} is making vectors already; waiting for it", process(by)));
                    told = true;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// Makes vectors, and shows how far it is; or who is at it already.
pub(super) async fn missing(
    context: &Context,
    library: &Library,
    embedders: &Embedders,
    which: Missing,
    stop: &Stop,
) -> CliResult<Result<Embedded, Option<Holder>>> {
    let reader = Reader::new(Limits::default());
    let mut meter = Meter::new(context.out, context.clock, "vector");
    let made = library
        .embed_missing(embedders, which, &reader, embedders::threads(), stop, |progress: EmbedProgress| {
            meter.at(progress.made + progress.failed, None, " made for images that had none");
        })
        .await;
    meter.finish();
    match made {
        Ok(made) => Ok(Ok(made)),
        Err(StudioError::Store(StoreError::Held { by, .. })) => Ok(Err(by)),
        Err(error) => Err(error.into()),
    }
}

/// `process 42`.
pub(super) fn process(by: Option<Holder>) -> String {
    by.map_or_else(|| "another process".to_owned(), |by| format!("process {}", by.pid))
}
