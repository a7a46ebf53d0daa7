//! `atelier library duplicates`.

use atelier_app::AppResult;
use atelier_app::views::DuplicateView;
use serde_json::json;

use super::images;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, thousands};
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, keep_largest: &[String], keep_both: &[String]) -> AppResult<Exit> {
    let (app, out) = (&context.app, &context.out);
    if !keep_largest.is_empty() {
        let gone = app.keep_largest(keep_largest).await?;
        let text = || format!("{} removed; to be restored from 'atelier trash' for 30 days", images(gone.len() as u64));
        out.result(&json!({ "removed": gone }), text)?;
        return Ok(Exit::Success);
    }
    if !keep_both.is_empty() {
        let kept = app.keep_both(keep_both).await?;
        out.result(&json!({ "kept": kept }), || format!("{} kept, and listed as duplicates no more", images(kept)))?;
        return Ok(Exit::Success);
    }
    let duplicates = app.duplicates().await?;
    out.result(&duplicates, || {
        if duplicates.groups.is_empty() {
            return "no two images show nearly the same".to_owned();
        }
        let mut rows = Vec::new();
        for (number, group) in (1..).zip(&duplicates.groups) {
            rows.extend(group.iter().enumerate().map(|(place, image)| cells(number, place, image)));
        }
        let headers = ["group", "", "image", "size", "bytes", "file"];
        let table = table(&headers, &[true, false, false, true, true, false], &rows);
        let groups = count(duplicates.groups.len() as u64, "group");
        format!("{table}\n{groups}; --keep-largest ID or --keep-both ID decides on the group of an image")
    })?;
    Ok(Exit::Success)
}

fn cells(number: usize, place: usize, image: &DuplicateView) -> Vec<String> {
    vec![
        if place == 0 { number.to_string() } else { String::new() },
        if place == 0 { "largest".to_owned() } else { String::new() },
        excerpt(&image.id, 36),
        format!("{} x {}", image.width, image.height),
        thousands(image.bytes),
        excerpt(image.path.as_deref().unwrap_or(&image.filename), 80),
    ]
}
