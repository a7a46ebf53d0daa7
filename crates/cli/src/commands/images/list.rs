//! `atelier images list`, `show` and `export`.

use atelier_engine::Timestamp;
use atelier_store::{Generation, MadeFilter, MadeImage, MadeState};
use atelier_studio::generate::{ImageStudio, Plan, described};
use serde_json::{Value, json};

use super::{images, open, usage};
use crate::args::{ExportMade, ListMade, MadeSelection};
use crate::commands::search::days;
use crate::context::Context;
use crate::error::CliResult;
use crate::exit::Exit;
use crate::money::moment;
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: &ListMade) -> CliResult<Exit> {
    let studio = open(context)?;
    let after = command.after.as_deref().map(str::parse).transpose()?;
    let limit = command.limit as usize;
    let made = studio.store().made_images(&filter(&command.selection)?, after.as_ref(), limit).await?;
    let next = made.last().filter(|_| made.len() == limit).map(|image| image.cursor().to_string());
    let made = standing(&studio, made)?;
    let rows: Vec<Value> = made.iter().map(|(image, standing)| described(image, standing, None)).collect();
    context.out.result(&json!({ "images": rows, "next": next }), || {
        if made.is_empty() {
            return "there are no such images; 'atelier images generate \"what is to be seen\"' makes some".to_owned();
        }
        let row = |(image, standing): &(MadeImage, &str)| {
            let liked = if image.liked { "liked" } else { "" };
            vec![
                image.id.clone(),
                (*standing).to_owned(),
                excerpt(&image.model, 32),
                liked.to_owned(),
                excerpt(&image.prompt, 56),
            ]
        };
        let cells: Vec<Vec<String>> = made.iter().map(row).collect();
        let more = next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        table(&["image", "state", "model", "", "prompt"], &[false; 5], &cells) + &more
    })?;
    Ok(Exit::Success)
}

pub(super) async fn export(context: &Context, command: &ExportMade) -> CliResult<Exit> {
    let studio = open(context)?;
    let filter = MadeFilter { state: Some(MadeState::Done), ..filter(&command.selection)? };
    let written = studio.export(&filter, &command.ids, &command.file).await?;
    let json = json!({ "file": command.file, "images": written });
    context.out.result(&json, || format!("{} written to {}", images(written), command.file.display()))?;
    Ok(Exit::Success)
}

/// Images, each with where it stands.
fn standing(studio: &ImageStudio, made: Vec<MadeImage>) -> CliResult<Vec<(MadeImage, &'static str)>> {
    let standing = |image: MadeImage| {
        let standing = studio.standing(&image)?;
        Ok((image, standing))
    };
    made.into_iter().map(standing).collect()
}

fn filter(flags: &MadeSelection) -> CliResult<MadeFilter> {
    let state = |name: &String| {
        [MadeState::Pending, MadeState::Done, MadeState::Blocked, MadeState::Failed, MadeState::Cancelled]
            .into_iter()
            .find(|state| state.name() == name)
    };
    let range = flags.date.as_deref().map(|text| {
        days(text).ok_or_else(|| {
            let message = format!("'{}' is no day", excerpt(text, 40));
            usage("date-invalid", message, "give a day as YYYY-MM-DD, or FROM..UNTIL with the earlier one first")
        })
    });
    let range = range.transpose()?;
    Ok(MadeFilter {
        words: flags.word.clone(),
        model: flags.model.clone(),
        project: flags.project.clone(),
        generation: flags.generation.clone(),
        liked: flags.liked,
        state: flags.state.as_ref().and_then(state),
        from: range.as_ref().map(|range| Timestamp::from_micros(*range.start())),
        before: range.as_ref().map(|range| Timestamp::from_micros(range.end().saturating_add(1))),
    })
}

pub(super) async fn show(context: &Context, id: &str) -> CliResult<Exit> {
    let studio = open(context)?;
    if let Some(image) = studio.store().made_image(id).await? {
        let standing = studio.standing(&image)?;
        context.out.result(&described(&image, standing, None), || tell(&image, standing))?;
        return Ok(Exit::Success);
    }
    let (generation, plan) = studio.generation(id).await?;
    let made = standing(&studio, studio.store().made_of(id).await?)?;
    let rows: Vec<Value> = made.iter().map(|(image, standing)| described(image, standing, None)).collect();
    let json = json!({
        "generation": generation.id,
        "project": generation.project,
        "prompt": generation.prompt,
        "created_at": generation.created_at.to_string(),
        "submitted_at": generation.submitted_at.map(|at| at.to_string()),
        "plan": plan,
        "images": rows,
    });
    context.out.result(&json, || tell_generation(&generation, &plan, &made))?;
    Ok(Exit::Success)
}

fn tell_generation(generation: &Generation, plan: &Plan, made: &[(MadeImage, &str)]) -> String {
    let mut lines = vec![
        format!("{}, {}", generation.id, moment(generation.created_at)),
        format!("project {}: {}", generation.project, excerpt(&generation.prompt, 200)),
    ];
    if generation.submitted_at.is_none() {
        lines.push(format!("a plan; 'atelier images generate --plan {}' sends it", generation.id));
    }
    for side in &plan.sides {
        let of_side: Vec<&(MadeImage, &str)> = made.iter().filter(|(image, _)| image.side == side.name).collect();
        let ready = of_side.iter().all(|(image, _)| image.state != MadeState::Pending) && !of_side.is_empty();
        let standing = if ready { "ready" } else { "not ready" };
        lines.push(format!("side {}: {}, {standing}", side.name, side.model));
        for (image, standing) in of_side {
            let what = match (&image.result, &image.message) {
                (Some(result), _) => format!("{} x {} {}", result.width, result.height, result.format),
                (None, Some(message)) => excerpt(message, 120),
                (None, None) => String::new(),
            };
            lines.push(format!("  {} {standing} {what}", image.id).trim_end().to_owned());
        }
    }
    lines.join("\n")
}

fn tell(image: &MadeImage, standing: &str) -> String {
    let mut lines = vec![
        format!("{}: {standing}{}", image.id, if image.liked { ", liked" } else { "" }),
        format!("of {}, side {}, project {}", image.generation, image.side, image.project),
        format!("model {}", image.model),
    ];
    if let (Some(kind), Some(message)) = (&image.kind, &image.message) {
        lines.push(format!("{kind}: {message}"));
    }
    if let Some(result) = &image.result {
        let provenance = &result.provenance;
        let asked = format!("{} x {}", provenance["asked"]["width"], provenance["asked"]["height"]);
        lines.push(format!("{} x {} {} (asked for: {asked})", result.width, result.height, result.format));
        let cost = match result.cost {
            _ if provenance["sandbox"] == true => "nothing was paid: the sandbox made it".to_owned(),
            Some(cost) => format!("{}{cost}", if result.cost_estimated { "about " } else { "" }),
            None => "cost unknown".to_owned(),
        };
        let seed = provenance["seed"].as_i64().map_or_else(|| "none sent".to_owned(), |seed| seed.to_string());
        lines.push(format!("seed {seed}; {}; made {}", cost, moment(result.made_at)));
        for reference in provenance["references"].as_array().into_iter().flatten() {
            let name = reference["image"].as_str().or(reference["name"].as_str()).unwrap_or_default();
            let drawn = &reference["drawn"];
            let how = if drawn.is_null() {
                "picked".to_owned()
            } else {
                format!(
                    "place {} of {} by {}, seed {}",
                    drawn["rank"],
                    drawn["pool"],
                    drawn["by"].as_str().unwrap_or_default(),
                    drawn["seed"]
                )
            };
            lines.push(format!("{} {name} ({how})", reference["role"].as_str().unwrap_or_default()));
        }
    }
    lines.extend(image.note.as_ref().map(|note| format!("note: {note}")));
    lines.extend(image.promoted.as_ref().map(|id| format!("in the library as {id}")));
    lines.push(format!("prompt: {}", image.prompt));
    if let Some(sent) = image.result.as_ref().and_then(|result| result.provenance["sent"].as_str()) {
        lines.push(format!("as it was sent:\n\n{sent}"));
    }
    lines.join("\n")
}
