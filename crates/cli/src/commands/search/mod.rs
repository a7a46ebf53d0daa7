//! `atelier search`.

mod evaluate;
mod thumbnails;

use atelier_app::library::picture_file;
use atelier_app::views::{HitView, SearchView};
use atelier_app::{AppError, AppResult, code};
use atelier_search::{FILTER_KEYS, Match, SearchExplanation, StageScores, attributes_of, parse_filters, rgb};
use atelier_studio::search::{ImageSearch, IndexStatus, Scope, SearchRequest};

use super::library::in_background;
use crate::args::{Fields, SearchCommand, SearchImages};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, thousands};
use crate::out::{excerpt, table};
use crate::progress::StepProgress;

pub(super) async fn run(context: &Context, command: SearchImages) -> AppResult<Exit> {
    if let Some(SearchCommand::Eval(command)) = command.command {
        return evaluate::run(context, command).await;
    }
    let began = context.app.clock().now();
    let request = SearchRequest {
        words: Some(command.query.join(" ")),
        picture: command.image.as_deref().map(picture_file).transpose()?,
        like: command.like,
        color: command.color.as_deref().map(color).transpose()?,
        filters: parse_filters(&command.filter, &command.collection)?,
        scope: scope(command.fields),
        limit: command.limit as usize,
        explain: command.explain,
    };
    // Before models are loaded for nothing.
    request.check()?;
    let search = context.app.image_search().await?;
    let standing = catch_up(context, &search).await?;
    let attributes = attributes_of(&request.filters);
    let found = context.app.search(&search, request, began).await?;
    if found.hits.is_empty() {
        context.app.check_collections(&command.collection).await?;
        if !attributes.is_empty() {
            let (names, known) = (attributes.join(", "), FILTER_KEYS.join(", "));
            context.out.note(format!("{names}: attributes of images, as any key is but {known}"));
        }
    }
    context.out.result(&found, || text(&found, standing))?;
    if !context.out.is_json() {
        thumbnails::show(context.out, search.library(), &found, command.thumbnails).await;
    }
    if let Some(explanation) = found.explanation.as_ref().filter(|_| !context.out.is_json()) {
        context.out.text(&explain(&found, explanation))?;
    }
    if standing.behind > 0 {
        context.out.note(format!(
            "{} of the library are not in the index yet: another process is at it",
            count(standing.behind, "change")
        ));
    }
    if let Some(reason) = &found.words_only {
        context.out.note(format!("found by words alone, not by meaning and look: {reason}"));
    }
    in_background(context, &search).await;
    Ok(Exit::Success)
}

/// Applies what has changed since the last search.
async fn catch_up(context: &Context, search: &ImageSearch) -> AppResult<IndexStatus> {
    let mut progress = StepProgress::new(context.out, context.app.clock(), "change");
    let standing = search.catch_up(|done| progress.at(done, None, " of the library taken into the index")).await;
    progress.finish();
    Ok(standing?)
}

fn scope(fields: Fields) -> Scope {
    match fields {
        Fields::All => Scope::All,
        Fields::Lexical => Scope::Lexical,
        Fields::Text => Scope::Text,
        Fields::Look => Scope::Look,
    }
}

fn color(text: &str) -> AppResult<[u8; 3]> {
    rgb(text).ok_or_else(|| {
        AppError::new(code!("color-invalid"), format!("'{}' is no colour", excerpt(text, 40)))
            .hint("give six hexadecimal digits, or three, such as '#a0c4ff' (in quotes: # begins a comment in a shell)")
    })
}

fn text(found: &SearchView, standing: IndexStatus) -> String {
    let nothing = match standing.images {
        0 => return "the library has no images; import some with 'atelier library import FOLDER'".to_owned(),
        images => format!("nothing matches among {}", count(images, "image")),
    };
    let waited = format!("{:.0} ms, {:.1} ms of it in the index", found.took_ms, found.search_ms);
    let nearest = if found.nearest.is_empty() {
        String::new()
    } else {
        format!("\n\nnearest, though it may not be what was asked for:\n{}", rows(&found.nearest))
    };
    if found.hits.is_empty() {
        return format!("{nothing}; {waited}{nearest}");
    }
    let shown = found.hits.len();
    let of = if found.total > shown { format!(" of {}", thousands(found.total as u64)) } else { String::new() };
    format!("{}\n{}{of}; {waited}{nearest}", rows(&found.hits), count(shown as u64, "image"))
}

/// A table of images that were found.
fn rows(hits: &[HitView]) -> String {
    let row = |(rank, hit): (usize, &HitView)| {
        let caption = hit.caption.as_deref().unwrap_or_default();
        let (id, file) = (excerpt(&hit.id, 36), excerpt(&hit.filename, 36));
        let shown = if file.starts_with(&id) { file } else { format!("{id}  {file}") };
        vec![(rank + 1).to_string(), format!("{:.2}", hit.score), shown, excerpt(caption, 64), stages(&hit.stages)]
    };
    let mut rows: Vec<Vec<String>> = hits.iter().enumerate().map(row).collect();
    let mut headers = vec!["", "score", "image", "caption", "found by"];
    let mut right = vec![true, true, false, false, false];
    if hits.iter().all(|hit| hit.stages == StageScores::default()) {
        // Filters alone rank nothing.
        for row in &mut rows {
            row.truncate(4);
            row.remove(1);
        }
        (headers, right) = (vec!["", "image", "caption"], vec![true, false, false]);
    }
    table(&headers, &right, &rows)
}

/// `words 1, look 3`: the stages that vouch for a hit, and its rank in each.
fn stages(stages: &StageScores) -> String {
    let named = [
        ("words", stages.lexical),
        ("meaning", stages.text),
        ("look", stages.look),
        ("likeness", stages.appearance),
        ("colour", stages.color),
    ];
    let found = named.iter().filter_map(|(name, stage)| stage.map(|stage| format!("{name} {}", stage.rank)));
    found.collect::<Vec<_>>().join(", ")
}

/// What each word and each stage came to, and the scores of each hit.
fn explain(found: &SearchView, explanation: &SearchExplanation) -> String {
    let mut text = format!(
        "\n{} in the index, {} left by the filters\n",
        count(explanation.images as u64, "image"),
        thousands(explanation.filtered as u64)
    );
    if !explanation.words.is_empty() {
        let rows: Vec<Vec<String>> = explanation
            .words
            .iter()
            .map(|word| {
                let terms = word.terms.iter().map(|term| {
                    let how = match term.matches {
                        Match::Exact => "",
                        Match::Prefix => " (begins so)",
                        Match::Typo => " (spelt nearly so)",
                    };
                    format!("{}{how} in {}", excerpt(&term.term, 30), thousands(term.images))
                });
                let terms = terms.collect::<Vec<_>>().join(", ");
                vec![excerpt(&word.word, 30), format!("{:.2}", word.weight), excerpt(&terms, 120)]
            })
            .collect();
        text += &format!("\n{}\n", table(&["word", "weight", "looked for as"], &[false, true, false], &rows));
    }
    let number = |number: Option<f32>| number.map(|number| format!("{number:.3}")).unwrap_or_default();
    let rows: Vec<Vec<String>> = explanation
        .stages
        .iter()
        .map(|stage| {
            let scanned = stage.scanned.map(|scanned| thousands(scanned as u64)).unwrap_or_default();
            vec![
                stage.stage.to_owned(),
                format!("{:.2}", stage.weight),
                number(Some(stage.cut_off)),
                number(stage.best),
                scanned,
                thousands(stage.ranked as u64),
                thousands(stage.passed as u64),
            ]
        })
        .collect();
    let headers = ["stage", "weight", "cut-off", "best", "compared", "ranked", "passed"];
    text += &format!("\n{}\n", table(&headers, &[false, true, true, true, true, true, true], &rows));
    let rows: Vec<Vec<String>> = found
        .hits
        .iter()
        .chain(&found.nearest)
        .map(|hit| {
            let StageScores { lexical, text, look, appearance, color } = hit.stages;
            let scores = [lexical, text, look, appearance, color];
            let scores = scores.map(|stage| stage.map(|stage| format!("{:.3}", stage.score)).unwrap_or_default());
            std::iter::once(excerpt(&hit.id, 36)).chain(scores).collect()
        })
        .collect();
    if !rows.is_empty() {
        let headers = ["image", "lexical", "text", "look", "appearance", "color"];
        text += &format!("\n{}\n", table(&headers, &[false, true, true, true, true, true], &rows));
    }
    text
}
