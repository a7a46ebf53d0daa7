//! `atelier library embed`.

use std::time::Duration;

use atelier_embed::EmbedError;
use atelier_engine::Stop;
use atelier_store::StoreError;
use atelier_studio::StudioError;
use atelier_studio::library::decode::{DecodeLimits, PictureReader};
use atelier_studio::library::{EmbedProgress, Embedded, Embedders, Embedding, Library, Missing};
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
    let library = open(context)?;
    let (stop, signalled) = signals::listen(None)?;
    let connected = embedders::of_images(context, library.store(), &stop).await?;
    let embedders = connected.embedders.clone();
    let Some(embedding) = hold(context, &library, &embedders, background, &stop).await? else {
        return Ok(signalled.exit().unwrap_or(Exit::Success));
    };
    if background {
        background::began(context);
    }
    let which = if background { Missing::New } else { Missing::All };
    let made = missing(context, &embedding, which, &stop).await?;
    let pruned = if prune && !made.stopped { embedding.prune().await? } else { 0 };
    ImageSearch::new(library, embedders).catch_up(|_| {}).await?;
    match (background, made.stopped, made.failed) {
        (true, true, _) => background::ended(context, "it was stopped by a signal"),
        (true, false, 1..) => background::ended(context, &format!("{} could not be embedded", images(made.failed))),
        _ => background::succeeded(context),
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
        return Ok(signalled.exit().unwrap_or(Exit::Interrupted));
    }
    Ok(if made.failed > 0 { Exit::ItemsFailed } else { Exit::Success })
}

/// The right to make vectors, once whoever has it is done; none if it was stopped meanwhile. In the background nobody
/// waits.
async fn hold(
    context: &Context,
    library: &Library,
    embedders: &Embedders,
    background: bool,
    stop: &Stop,
) -> CliResult<Option<Embedding>> {
    let mut told = false;
    loop {
        match take(library, embedders)? {
            Ok(embedding) => return Ok(Some(embedding)),
            Err(_) if background || stop.is_requested() => return Ok(None),
            Err(by) => {
                if !told {
                    context.out.note(format!("{by} is making vectors already; waiting for it"));
                    told = true;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// The right to make vectors, or who has it.
fn take(library: &Library, embedders: &Embedders) -> CliResult<Result<Embedding, String>> {
    match library.embedding(embedders.clone()) {
        Ok(embedding) => Ok(Ok(embedding)),
        Err(StudioError::Store(StoreError::Held { by, .. })) => Ok(Err(background::process(by))),
        Err(error) => Err(error.into()),
    }
}

/// After an import: what has changed gets its vectors, unless another process makes vectors already.
pub(super) async fn new(
    context: &Context,
    library: &Library,
    embedders: &Embedders,
    stop: &Stop,
) -> CliResult<Embedded> {
    match take(library, embedders)? {
        Ok(embedding) => missing(context, &embedding, Missing::New, stop).await,
        Err(by) => {
            context.out.note(format!("{by} is making vectors already; what it leaves, the next search has made"));
            Ok(Embedded::default())
        }
    }
}

/// Makes vectors, and shows how far it is.
async fn missing(context: &Context, embedding: &Embedding, which: Missing, stop: &Stop) -> CliResult<Embedded> {
    let reader = PictureReader::new(DecodeLimits::default());
    let mut meter = Meter::new(context.out, context.clock, "vector");
    let made = embedding
        .run(which, &reader, embedders::threads(), stop, |progress: EmbedProgress| {
            meter.at(progress.made + progress.failed, None, " made for images that had none");
        })
        .await;
    meter.finish();
    match made {
        Err(StudioError::Embed(EmbedError::Remote { code: "interrupted", .. })) if stop.is_requested() => {
            Ok(Embedded { stopped: true, ..Embedded::default() })
        }
        made => Ok(made?),
    }
}
