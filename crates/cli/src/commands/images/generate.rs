//! `atelier images generate`, `preview`, `edit`, `again`, `resume` and `retry`.

use std::sync::Arc;

use atelier_engine::{Engine, Stop};
use atelier_providers::ModelRef;
use atelier_store::{JobRunner, NewItem, NewJob};
use atelier_studio::generate::{
    CategoryChoice, ClassifyTask, EditWish, Helpers, ImageStudio, Mode, Plan, Reference, SideWish, Which, Wish,
    categories,
};
use atelier_studio::search::ImageSearch;
use serde_json::json;

use super::make::{Making, connect};
use super::{open, usage, wish};
use crate::args::{
    AgainImages, EditImage, GenerateImages, ImageWish, PreviewImages, ResumeImages, RetryImages, RunFlags,
};
use crate::commands::library::{check_collections, picture_file};
use crate::context::Context;
use crate::embedders;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::snapshot::RunSnapshot;

/// Who makes images where neither a flag nor the configuration says so.
const DEFAULT_MODEL: &str = "gemini:gemini-3.1-flash-image";
/// Who chooses a category where neither a flag nor the configuration says so.
const DEFAULT_CLASSIFIER: &str = "gemini:gemini-3.5-flash-lite";

pub(super) async fn run(context: &Context, command: GenerateImages) -> CliResult<Exit> {
    let studio = open(context)?;
    let plan = match &command.plan {
        Some(plan) => plan.clone(),
        None => {
            let plan = plan(context, &studio, &command.wish, &command.make.run).await?;
            tell_references(context, &plan);
            studio.keep_plan(&plan).await?
        }
    };
    Making { context, studio: &studio, flags: &command.make }.submit(&plan).await
}

pub(super) async fn preview(context: &Context, command: PreviewImages) -> CliResult<Exit> {
    let studio = open(context)?;
    let plan = plan(context, &studio, &command.wish, &command.run).await?;
    let id = studio.keep_plan(&plan).await?;
    let json = json!({ "plan": id, "content": plan });
    context.out.result(&json, || describe(&plan, &id))?;
    Ok(Exit::Success)
}

pub(super) async fn edit(context: &Context, command: EditImage) -> CliResult<Exit> {
    let studio = open(context)?;
    let (of, picture) = picture(&studio, &command.image).await?;
    let replacement = match &command.replacement {
        Some(text) => Some(wish::pick(text, studio.library()).await?),
        None => None,
    };
    let edit = EditWish { of, picture, mask: picture_file(&command.mask)?, replacement };
    let models = std::iter::once(model(context, &command.make.run)?).chain(command.sides.compare.clone());
    let side = |model| SideWish { model, mode: Mode::Off, tone: Default::default(), angle: Default::default() };
    let wish = Wish {
        prompt: command.prompt,
        project: command.sides.project,
        count: command.sides.count,
        sides: models.map(side).collect(),
        picks: Vec::new(),
        collection: None,
        category: None,
        camera: Default::default(),
        palette: Vec::new(),
        size: (1024, 1024),
        seed: None,
        reference_seed: None,
    };
    let search = ImageSearch::new(studio.library().clone(), Default::default());
    let helpers = Helpers { search: &search, categories: &[], text: None, classified: None };
    let plan = studio.plan_edit(&wish, &edit, &helpers).await?;
    let plan = studio.keep_plan(&plan).await?;
    Making { context, studio: &studio, flags: &command.make }.submit(&plan).await
}

pub(super) async fn again(context: &Context, command: AgainImages) -> CliResult<Exit> {
    let studio = open(context)?;
    let plan = studio.plan_again(&command.generation, command.seed).await?;
    Making { context, studio: &studio, flags: &command.make }.submit(&plan).await
}

pub(super) async fn resume(context: &Context, command: ResumeImages) -> CliResult<Exit> {
    let studio = open(context)?;
    let (generation, _) = studio.generation(&command.generation).await?;
    if generation.submitted_at.is_none() {
        let message = format!("{} is a plan, and was not submitted yet", generation.id);
        let hint = format!("'atelier images generate --plan {}' sends it", generation.id);
        return Err(usage("not-submitted", message, &hint));
    }
    Making { context, studio: &studio, flags: &command.make }.run(&command.generation).await
}

pub(super) async fn retry(context: &Context, command: RetryImages) -> CliResult<Exit> {
    let studio = open(context)?;
    let (generation, which) = match (studio.store().made_image(&command.id).await?, command.side) {
        (Some(image), None) => (image.generation, Which::One(image.id)),
        (Some(image), Some(_)) => {
            return Err(usage(
                "side-of-image",
                format!("{} is one image and has no sides", image.id),
                "leave --side out",
            ));
        }
        (None, Some(side)) => (command.id, Which::Side(side)),
        (None, None) => (command.id, Which::All),
    };
    let retried = studio.retry(&generation, &which, command.prompt.as_deref()).await?;
    if retried == 0 {
        context.out.note("no image there was blocked, failed or given up");
    }
    Making { context, studio: &studio, flags: &command.make }.run(&generation).await
}

/// The model of the flags, else the configured one for images.
fn model(context: &Context, flags: &RunFlags) -> CliResult<String> {
    let model = flags.model.clone().or_else(|| context.config.images.model.clone());
    let model = model.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    // A model that can't be one is better known before anything is planned.
    model.parse::<ModelRef>()?;
    Ok(model)
}

async fn plan(context: &Context, studio: &ImageStudio, flags: &ImageWish, run: &RunFlags) -> CliResult<Plan> {
    let wish = wish::wish(flags, &model(context, run)?, studio.library()).await?;
    for side in &wish.sides {
        side.model.parse::<ModelRef>()?;
    }
    wish.check()?;
    check_collections(studio.library(), wish.collection.as_slice()).await?;
    let connected = embedders::of_images(context, studio.store(), &Stop::never()).await?;
    let search = ImageSearch::new(studio.library().clone(), connected.embedders.clone());
    search.catch_up(|_| {}).await?;
    let own = context.config.images.categories.iter();
    let own: Vec<_> = own
        .map(|(name, words)| atelier_studio::generate::Category { name: name.clone(), words: words.clone() })
        .collect();
    let categories = categories(&own);
    let classified = match &flags.references.classify {
        Some(model) => Some(classify(context, studio, &categories, &wish.prompt, model, run).await?),
        None => None,
    };
    let text = connected.embedders.text.clone();
    let helpers = Helpers { search: &search, categories: &categories, text, classified };
    Ok(studio.plan(&wish, &helpers).await?)
}

/// Asks a text model for the category of a prompt.
async fn classify(
    context: &Context,
    studio: &ImageStudio,
    categories: &[atelier_studio::generate::Category],
    prompt: &str,
    model: &str,
    flags: &RunFlags,
) -> CliResult<CategoryChoice> {
    let model = match (model, &context.config.model) {
        ("", Some(configured)) => configured.as_str(),
        ("", None) => DEFAULT_CLASSIFIER,
        (model, _) => model,
    };
    let pools = connect(context, model, flags).await?;
    let now = context.clock.now();
    let store = studio.store().clone();
    let mut options = RunSnapshot::new(model.to_owned(), flags).options(now.as_micros().unsigned_abs());
    options.urgency = atelier_engine::Urgency::Interactive;
    let runner = JobRunner {
        engine: Engine::new(store.journal(), context.clock),
        store,
        clock: context.clock,
        pools: pools.pools.clone(),
        options,
        stop: Stop::never(),
    };
    let payload = serde_json::Value::String(prompt.to_owned()).to_string();
    let job = NewJob {
        id: atelier_store::job_id("classify", now),
        kind: "classification".into(),
        settings: json!({ "model": model }),
        items: vec![NewItem { key: "prompt".into(), lane: "classification".into(), payload: payload.into() }],
        claims: Vec::new(),
        created_at: now,
    };
    let answers = runner.run(job, Arc::new(ClassifyTask { categories: categories.to_vec() })).await?;
    let choice = answers.results().next().flatten().and_then(ClassifyTask::choice);
    choice.ok_or_else(|| {
        let stopped = answers.stopped().map(|(_, reason)| reason);
        let reason =
            stopped.or_else(|| answers.problem().map(str::to_owned)).unwrap_or_else(|| "it said nothing".into());
        CliError::new(Exit::ItemsFailed, "not-classified", format!("{model} did not say which category fits: {reason}"))
            .hint("name one with --category, or leave --classify out")
    })
}

/// The picture of an edit: one that was made, one of the library, or a file.
async fn picture(studio: &ImageStudio, text: &str) -> CliResult<(Option<String>, bytes::Bytes)> {
    if let Some(image) = studio.store().made_image(text).await? {
        let (_, content) = studio.file(&image).await?;
        return Ok((Some(image.id), content));
    }
    match wish::pick(text, studio.library()).await? {
        atelier_studio::generate::Pick::Image(id) => {
            let image = studio.library().show(&id).await?;
            Ok((None, studio.library().original(&image).await?))
        }
        atelier_studio::generate::Pick::File { content, .. } => Ok((None, content)),
    }
}

/// Says which references were chosen, and how.
fn tell_references(context: &Context, plan: &Plan) {
    let several = plan.sides.len() > 1;
    for side in &plan.sides {
        for reference in &side.references {
            let of = if several { format!("side {}: ", side.name) } else { String::new() };
            context.out.note(format!("{of}{}", in_words(reference)));
        }
    }
}

fn in_words(reference: &Reference) -> String {
    let name = reference.image.as_deref().unwrap_or(&reference.name);
    let how = match &reference.drawn {
        None => "picked".to_owned(),
        Some(drawn) => {
            let ranked = if drawn.by == "search" { "that fit" } else { "by their scores" };
            format!("place {} of {} {ranked}, drawn from the best {}", drawn.rank, drawn.pool, drawn.best)
        }
    };
    let colors = if reference.sent.is_none() { "; its colours only" } else { "" };
    format!("{} {name} ({how}{colors})", reference.role.name())
}

fn describe(plan: &Plan, id: &str) -> String {
    let mut lines = Vec::new();
    if let Some(category) = &plan.category {
        let by = match category.by.as_str() {
            "user" => "as you said",
            "model" => "chosen by a model",
            _ => "the nearest in meaning",
        };
        lines.push(format!("tone: {} ({by})", category.name));
    }
    for side in &plan.sides {
        lines.push(format!("side {}: {} x {}, seed {}", side.name, plan.count, side.model, plan.seed));
        lines.extend(side.references.iter().map(|reference| format!("  {}", in_words(reference))));
        lines.push(String::new());
        lines.push(side.prompt.clone());
        lines.push(String::new());
    }
    lines.push(format!("nothing was sent; 'atelier images generate --plan {id}' sends it as it stands"));
    lines.join("\n")
}
