//! `atelier images list`, `show` and `export`.

use atelier_app::views::{GeneratedImageView, GenerationView};
use atelier_app::{AppError, AppResult, code};
use atelier_engine::{Timestamp, Usd};
use atelier_search::days;
use atelier_store::{GeneratedFilter, GeneratedState};
use atelier_studio::generate::{Provenance, Reference};
use serde_json::json;

use super::images;
use crate::args::{ExportGenerated, GeneratedSelection, ListGenerated};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{dollars, moment_of};
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: &ListGenerated) -> AppResult<Exit> {
    let after = command.after.as_deref().map(str::parse).transpose()?;
    let filter = filter(&command.selection)?;
    let list = context.app.generated_images(&filter, after.as_ref(), command.limit as usize).await?;
    context.out.result(&list, || {
        if list.images.is_empty() {
            return "there are no such images; 'atelier images generate \"what is to be seen\"' makes some".to_owned();
        }
        let row = |image: &GeneratedImageView| {
            let liked = if image.liked { "liked" } else { "" };
            vec![
                image.id.clone(),
                image.state.clone(),
                excerpt(&image.model, 32),
                liked.to_owned(),
                excerpt(&image.prompt, 56),
            ]
        };
        let cells: Vec<Vec<String>> = list.images.iter().map(row).collect();
        let more = list.next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        table(&["image", "state", "model", "", "prompt"], &[false; 5], &cells) + &more
    })?;
    Ok(Exit::Success)
}

pub(super) async fn export(context: &Context, command: &ExportGenerated) -> AppResult<Exit> {
    let filter = GeneratedFilter { state: Some(GeneratedState::Done), ..filter(&command.selection)? };
    let written = context.app.export_images(&filter, &command.ids, &command.file).await?;
    let json = json!({ "file": command.file, "images": written });
    context.out.result(&json, || format!("{} written to {}", images(written), command.file.display()))?;
    Ok(Exit::Success)
}

fn filter(flags: &GeneratedSelection) -> AppResult<GeneratedFilter> {
    let range = flags.date.as_deref().map(|text| {
        days(text).ok_or_else(|| {
            AppError::new(code!("date-invalid"), format!("'{}' is no day", excerpt(text, 40)))
                .hint("give a day as YYYY-MM-DD, or FROM..UNTIL with the earlier one first")
        })
    });
    let range = range.transpose()?;
    Ok(GeneratedFilter {
        words: flags.word.clone(),
        model: flags.model.clone(),
        project: flags.project.clone(),
        generation: flags.generation.clone(),
        liked: flags.liked,
        shared: true,
        state: flags.state.as_deref().map(GeneratedState::from_name).transpose()?,
        from: range.as_ref().map(|range| Timestamp::from_micros(*range.start())),
        before: range.as_ref().map(|range| Timestamp::from_micros(range.end().saturating_add(1))),
    })
}

pub(super) async fn show(context: &Context, id: &str) -> AppResult<Exit> {
    if let Some(image) = context.app.generated_image(id).await? {
        context.out.result(&image, || describe(&image))?;
        return Ok(Exit::Success);
    }
    let generation = context.app.generation(id).await?;
    context.out.result(&generation, || describe_generation(&generation))?;
    Ok(Exit::Success)
}

fn describe_generation(generation: &GenerationView) -> String {
    let mut lines = vec![
        format!("{}, {}", generation.generation, moment_of(&generation.created_at)),
        format!("project {}: {}", generation.project, excerpt(&generation.prompt, 200)),
    ];
    if generation.submitted_at.is_none() {
        lines.push(format!("a plan; 'atelier images generate --plan {}' sends it", generation.generation));
    }
    for side in &generation.plan.sides {
        let of_side: Vec<&GeneratedImageView> =
            generation.images.iter().filter(|image| image.side == side.name).collect();
        let pending = |image: &&GeneratedImageView| ["pending", "running"].contains(&image.state.as_str());
        let ready = if of_side.is_empty() || of_side.iter().any(pending) { "not ready" } else { "ready" };
        lines.push(format!("side {}: {}, {ready}", side.name, side.model));
        lines.extend(side.references.iter().map(|one| format!("  {}", reference(one))));
        for image in of_side {
            let what = match (image.width, image.height, &image.message) {
                (Some(width), Some(height), _) => {
                    format!("{width} x {height} {}", image.format.as_deref().unwrap_or_default())
                }
                (_, _, Some(message)) => excerpt(message, 120),
                _ => String::new(),
            };
            let seed = image.came_about().and_then(|provenance| provenance.seed);
            let seed = seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
            let cost = if image.provenance.is_some() { format!(", {}", cost(image)) } else { String::new() };
            lines.push(format!("  {} {} {what}{seed}{cost}", image.id, image.state).trim_end().to_owned());
            if image.prompt != generation.prompt {
                lines.push(format!("    prompt: {}", excerpt(&image.prompt, 120)));
            }
        }
    }
    if let Some(edit) = &generation.plan.edit {
        lines.push(format!("an edit of {}", edit.in_words()));
    }
    let paid: Vec<&GeneratedImageView> = generation.images.iter().filter(|image| image.provenance.is_some()).collect();
    let real = |image: &&&GeneratedImageView| image.came_about().is_some_and(|provenance| !provenance.sandbox);
    if paid.iter().any(|image| real(&image)) {
        let known = paid.iter().filter(real).map(|image| image.cost_usd).sum::<Option<f64>>();
        let known = known.map_or_else(|| "cost unknown".to_owned(), |sum| format!("cost {}", dollars(sum)));
        lines.push(format!("{known} for the images that are there"));
    }
    lines.join("\n")
}

fn describe(image: &GeneratedImageView) -> String {
    let mut lines = vec![
        format!("{}: {}{}", image.id, image.state, if image.liked { ", liked" } else { "" }),
        format!("of {}, side {}, project {}", image.generation, image.side, image.project),
        format!("model {}", image.model),
    ];
    if let (Some(kind), Some(message)) = (&image.kind, &image.message) {
        lines.push(format!("{kind}: {message}"));
    }
    let provenance = image.came_about();
    if let Some(provenance) = &provenance {
        lines.extend(came_about(image, provenance));
    }
    lines.extend(image.note.as_ref().map(|note| format!("note: {note}")));
    lines.extend(image.library_image.as_ref().map(|id| format!("in the library as {id}")));
    lines.push(format!("prompt: {}", image.prompt));
    lines.extend(provenance.map(|provenance| format!("as it was sent:\n\n{}", provenance.sent)));
    lines.join("\n")
}

fn came_about(image: &GeneratedImageView, provenance: &Provenance) -> Vec<String> {
    let (width, height) = (image.width.unwrap_or_default(), image.height.unwrap_or_default());
    let asked = format!("{} x {}", provenance.asked.width, provenance.asked.height);
    let format = image.format.as_deref().unwrap_or_default();
    let cost = cost(image);
    let seed = provenance.seed.map_or_else(|| "none sent".to_owned(), |seed| seed.to_string());
    let made = moment_of(&provenance.made_at);
    let mut lines =
        vec![format!("{width} x {height} {format} (asked for: {asked})"), format!("seed {seed}; {cost}; made {made}")];
    lines.extend(provenance.edit.as_ref().map(|edit| format!("an edit of {}", edit.in_words())));
    lines.extend(provenance.references.iter().map(reference));
    lines
}

/// What an image that is there cost, in words.
fn cost(image: &GeneratedImageView) -> String {
    let sandbox = image.came_about().is_some_and(|provenance| provenance.sandbox);
    match image.cost_usd.and_then(Usd::from_dollars) {
        Some(cost) if sandbox && cost > Usd::ZERO => format!("{cost} if the model were real; nothing was paid"),
        _ if sandbox => "nothing was paid: the sandbox made it".to_owned(),
        Some(cost) => format!("{}{cost}", if image.cost_estimated { "about " } else { "" }),
        None => "cost unknown".to_owned(),
    }
}

fn reference(reference: &Reference) -> String {
    let name = reference.image.as_deref().unwrap_or(&reference.name);
    let how = reference.drawn.as_ref().map_or_else(
        || "picked".to_owned(),
        |drawn| format!("place {} of {} by {}, seed {}", drawn.rank, drawn.pool, drawn.by, drawn.seed),
    );
    format!("{} {name} ({how})", reference.role.name())
}
