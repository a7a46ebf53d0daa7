//! `atelier images generate`, `preview`, `edit`, `again`, `resume` and `retry`.

use std::time::Duration;

use atelier_app::images::{Classify, KeptPlan, MakeImages, choice, sides, size};
use atelier_app::library::picture_file;
use atelier_app::views::PlanView;
use atelier_app::{AppError, AppResult, code};
use atelier_engine::{JobId, RunEnd};
use atelier_studio::generate::{Camera, EditRequest, GenerationRequest, Mode, Plan, Reference, SideRequest};

use crate::args::{
    AgainImages, CameraFlags, EditImage, GenerateImages, ImageRequestFlags, MakeFlags, PreviewImages, ReferenceMode,
    ResumeImages, RetryImages, RunFlags,
};
use crate::commands::outcome::summarize_generation;
use crate::commands::work::Work;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{dollars, duration};

pub(super) async fn run(context: &Context, command: GenerateImages) -> AppResult<Exit> {
    if command.dry_run {
        let (id, plan) = match command.plan {
            Some(id) => (id.clone(), context.app.studio()?.generation(&id).await?.1),
            None => {
                let mut request = command.request;
                if request.references.classify.take().is_some() {
                    context
                        .out
                        .note("a forecast pays for nothing: the category is chosen by its words, without --classify");
                }
                let kept = plan(context, &request, &command.make.run).await?;
                (kept.id, kept.plan)
            }
        };
        return show(context, id, plan, &command.make.run).await;
    }
    let mut make = make(&command.make);
    let plan = match command.plan {
        Some(plan) => plan,
        None => {
            let kept = plan(context, &command.request, &command.make.run).await?;
            note_references(context, &kept.plan);
            make.spent = kept.spent;
            kept.id
        }
    };
    submit(context, &plan, &make).await
}

pub(super) async fn preview(context: &Context, command: PreviewImages) -> AppResult<Exit> {
    let KeptPlan { id, plan, .. } = plan(context, &command.request, &command.run).await?;
    show(context, id, plan, &command.run).await
}

/// Prints a plan and what it would take.
async fn show(context: &Context, id: String, plan: Plan, run: &RunFlags) -> AppResult<Exit> {
    let forecast = context.app.forecast_images(&plan, &run.change()).await?;
    let view = PlanView { plan: id, content: plan, forecast };
    context.out.result(&view, || describe(&view))?;
    Ok(Exit::Success)
}

pub(super) async fn edit(context: &Context, command: EditImage) -> AppResult<Exit> {
    let app = &context.app;
    let (of, picture) = app.picture_to_edit(&command.image).await?;
    let replacement = match &command.replacement {
        Some(text) => Some(app.pick(text).await?),
        None => None,
    };
    let (name, whole) = (command.image.clone(), command.whole);
    let edit = EditRequest { of, name, whole, picture, mask: picture_file(&command.mask)?, replacement };
    let model = app.image_model(command.make.run.model.as_deref())?;
    let first = SideRequest { model, mode: Mode::Off, tone: Default::default(), angle: Default::default() };
    let request = GenerationRequest {
        prompt: command.prompt,
        project: command.sides.project,
        count: command.sides.count,
        sides: sides(first, command.sides.compare, None),
        picks: Vec::new(),
        collection: None,
        category: None,
        camera: Default::default(),
        palette: Vec::new(),
        size: (1024, 1024),
        seed: None,
        reference_seed: None,
    };
    let plan = app.plan_edit(&request, &edit).await?;
    if command.dry_run {
        return show(context, plan.id, plan.plan, &command.make.run).await;
    }
    submit(context, &plan.id, &make(&command.make)).await
}

pub(super) async fn again(context: &Context, command: AgainImages) -> AppResult<Exit> {
    let plan = context.app.studio()?.plan_again(&command.generation, command.seed).await?;
    if command.dry_run {
        let content = context.app.studio()?.generation(&plan).await?.1;
        return show(context, plan, content, &command.make.run).await;
    }
    submit(context, &plan, &make(&command.make)).await
}

pub(super) async fn resume(context: &Context, command: ResumeImages) -> AppResult<Exit> {
    let jobs = context.app.open_jobs(&command.generation, command.make.out.as_deref()).await?;
    work(context, &command.generation, &jobs, &command.make).await
}

pub(super) async fn retry(context: &Context, command: RetryImages) -> AppResult<Exit> {
    let app = &context.app;
    let (generation, which) = app.which_images(&command.id, command.side).await?;
    let make = make(&command.make);
    match app.retry_images(&generation, &which, command.prompt.as_deref(), &make).await? {
        Some((job, _)) => work(context, &generation, &[job], &command.make).await,
        None => {
            context.out.note("no image there was blocked, failed or given up");
            let jobs = app.open_jobs(&generation, command.make.out.as_deref()).await?;
            work(context, &generation, &jobs, &command.make).await
        }
    }
}

fn make(flags: &MakeFlags) -> MakeImages {
    MakeImages { out: flags.out.clone(), run: flags.run.change(), ..MakeImages::default() }
}

async fn submit(context: &Context, plan: &str, make: &MakeImages) -> AppResult<Exit> {
    let job = context.app.submit_images(plan, make).await?;
    // They are kept with the job.
    let work = Work::new(context, Default::default())?;
    context.out.note(format!("generation {job}"));
    work.run(&job).await
}

/// Works on jobs of a generation, one after the other, and says what came of it.
async fn work(context: &Context, generation: &str, jobs: &[JobId], make: &MakeFlags) -> AppResult<Exit> {
    let work = Work::new(context, make.run.change())?;
    context.out.note(format!("generation {generation}"));
    if jobs.is_empty() {
        context.out.note("there is nothing left to make");
    }
    let mut worked = Vec::with_capacity(jobs.len());
    for job in jobs {
        worked.push(work.work(job).await?);
        // One that waits for its model's limit, or whose model can't be asked, holds up no other.
        if worked.last().is_some_and(|one| one.end == RunEnd::Interrupted) {
            break;
        }
    }
    if let Some(folder) = &make.out {
        context.app.write_images(generation, folder).await?;
    }
    summarize_generation(context, generation, &worked).await?;
    let unfinished = worked.iter().rev().find(|one| one.end != RunEnd::Done);
    if let Some(unfinished) = unfinished {
        return work.exit(unfinished);
    }
    let run = context.app.generation_run(generation).await?;
    // What the provider refuses is an answer.
    Ok(if run.failed + run.broken > 0 { Exit::ITEMS_FAILED } else { Exit::Success })
}

async fn plan(context: &Context, flags: &ImageRequestFlags, run: &RunFlags) -> AppResult<KeptPlan> {
    let request = request(context, flags, run).await?;
    let classify = match flags.references.classify.as_deref() {
        None => Classify::No,
        Some("") => Classify::Usual,
        Some(model) => Classify::By(model.to_owned()),
    };
    context.app.plan_images(&request, &classify, &run.change()).await
}

/// From flags to what the studio is asked for.
async fn request(context: &Context, flags: &ImageRequestFlags, run: &RunFlags) -> AppResult<GenerationRequest> {
    let prompt = flags.prompt.clone().ok_or_else(|| {
        AppError::new(code!("prompt-empty"), "there is no prompt")
            .hint("say what is to be seen, such as \"a lighthouse keeper reading\"")
    })?;
    let references = &flags.references;
    let first = SideRequest {
        model: context.app.image_model(run.model.as_deref())?,
        mode: mode(references.references),
        tone: choice(references.tone.as_deref()),
        angle: choice(references.angle.as_deref()),
    };
    let mut picks = Vec::with_capacity(references.reference.len());
    for text in &references.reference {
        picks.push(context.app.pick(text).await?);
    }
    let CameraFlags { shot, view, lens, light, palette } = flags.camera.clone();
    Ok(GenerationRequest {
        prompt,
        project: flags.sides.project.clone(),
        count: flags.sides.count,
        sides: sides(first, flags.sides.compare.clone(), references.compare_references.map(mode)),
        picks,
        collection: references.collection.clone(),
        category: references.category.clone(),
        camera: Camera { shot, view, lens, light },
        palette: palette.iter().map(|color| color.trim().to_owned()).collect(),
        size: size(&flags.size)?,
        seed: flags.seed,
        reference_seed: references.reference_seed,
    })
}

const fn mode(mode: ReferenceMode) -> Mode {
    match mode {
        ReferenceMode::Auto => Mode::Auto,
        ReferenceMode::PaletteOnly => Mode::PaletteOnly,
        ReferenceMode::Off => Mode::Off,
    }
}

/// Says which references were chosen, and how.
fn note_references(context: &Context, plan: &Plan) {
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

fn describe(view: &PlanView) -> String {
    let PlanView { plan: id, content: plan, forecast } = view;
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
    let takes = forecast.seconds.map(Duration::from_secs_f64);
    let takes = takes.map_or_else(|| "never, by its limits".to_owned(), |takes| format!("about {}", duration(takes)));
    let cost = match (forecast.cost_usd, forecast.worst_cost_usd) {
        (Some(0.0), Some(0.0)) if forecast.sandbox => "nothing: the sandbox makes them".to_owned(),
        (Some(cost), Some(worst)) => {
            let as_one = if forecast.sandbox { ", if it were no sandbox" } else { "" };
            format!("about {}, {} at most{as_one}", dollars(cost), dollars(worst))
        }
        _ => {
            let unknown = forecast.sides.iter().find(|side| side.cost_usd.is_none());
            let model = unknown.map_or("the model", |side| &side.model);
            format!("unknown: {model} is not in the price table; say what it costs with --price IN/OUT")
        }
    };
    lines.push(format!("would take {takes}; cost: {cost}"));
    lines.push(format!("nothing was sent; 'atelier images generate --plan {id}' sends it as it stands"));
    lines.join("\n")
}
