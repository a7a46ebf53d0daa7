//! `atelier library list` and `show`.

use atelier_store::{Image, ImageFilter};
use serde_json::{Value, json};

use super::{check_collections, filter, images, open};
use crate::args::ListImages;
use crate::context::Context;
use crate::error::CliResult;
use crate::exit::Exit;
use crate::money::{moment, thousands};
use crate::out::{excerpt, table};

pub(super) async fn list(context: &Context, command: ListImages) -> CliResult<Exit> {
    let library = open(context)?;
    check_collections(&library, &command.selection.collection).await?;
    let after = command.after.as_deref().map(str::parse).transpose()?;
    let (filter, limit) = (filter(&command.selection), command.limit as usize);
    let page = library.list(&filter, after.as_ref(), limit).await?;
    let total = library.store().image_count(&filter).await?;
    let next = page.last().filter(|_| page.len() == limit).map(|image| image.cursor().to_string());
    let rows: Vec<Value> = page.iter().map(to_json).collect();
    context.out.result(&json!({ "total": total, "images": rows, "next": next }), || {
        if page.is_empty() && (filter != ImageFilter::default() || command.after.is_some()) {
            return "no image is like that; 'atelier library collections' and 'tags' show what there is".to_owned();
        }
        if page.is_empty() {
            return "there are no images here; import some with 'atelier library import FOLDER'".to_owned();
        }
        let cells: Vec<Vec<String>> = page
            .iter()
            .map(|image| {
                let size = format!("{}×{}", image.width, image.height);
                let caption = excerpt(image.caption.as_deref().unwrap_or_default(), 60);
                vec![excerpt(&image.id, 40), moment(image.added_at), size, excerpt(&image.filename, 32), caption]
            })
            .collect();
        let more = next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        let headers = ["id", "added", "size", "file", "caption"];
        table(&headers, &[false, false, true, false, false], &cells) + &format!("\n{} in all", images(total)) + &more
    })?;
    Ok(Exit::Success)
}

pub(super) async fn show(context: &Context, id: &str) -> CliResult<Exit> {
    let image = open(context)?.show(id).await?;
    context.out.result(&to_json(&image), || describe(&image))?;
    Ok(Exit::Success)
}

/// All that is known of an image, as `--json` gives it.
pub(in crate::commands) fn to_json(image: &Image) -> Value {
    json!({
        "id": image.id,
        "filename": image.filename,
        "caption": image.caption,
        "labels": image.tags,
        "category": image.category,
        "collections": image.collections,
        "tone_score": image.tone_score,
        "angle_score": image.angle_score,
        "attributes": image.attributes,
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "bytes": image.bytes,
        "palette": image.palette,
        "hash": image.hash,
        "phash": format!("{:016x}", image.phash),
        "taken_at": image.taken_at.map(|at| at.to_string()),
        "added_at": image.added_at.to_string(),
        "updated_at": image.updated_at.to_string(),
        "uploader": image.uploader,
        "source": image.source,
        "provenance": image.provenance,
    })
}

fn describe(image: &Image) -> String {
    let text = |text: &Option<String>| text.as_deref().map(|text| excerpt(text, 400));
    let score = |score: Option<f64>| score.map(|score| format!("{score:.2}"));
    let list = |names: &[String]| (!names.is_empty()).then(|| excerpt(&names.join(", "), 400));
    let mut rows = vec![
        ("file", Some(excerpt(&image.filename, 120))),
        ("caption", text(&image.caption)),
        ("category", text(&image.category)),
        ("tags", list(&image.tags)),
        ("collections", list(&image.collections)),
        ("tone score", score(image.tone_score)),
        ("angle score", score(image.angle_score)),
    ];
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let attributes: Vec<(String, String)> =
        image.attributes.iter().map(|(name, value)| (excerpt(name, 40), excerpt(&plain(value), 200))).collect();
    rows.extend([
        (
            "size",
            Some(format!("{} × {}, {} bytes, {}", image.width, image.height, thousands(image.bytes), image.format)),
        ),
        ("palette", list(&image.palette)),
        ("taken", image.taken_at.map(moment)),
        ("added", Some(moment(image.added_at))),
        ("by", text(&image.uploader)),
        ("from", text(&image.source)),
        ("hash", Some(image.hash.clone())),
    ]);
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let rows: Vec<(String, String)> = rows.chain(attributes).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, value)| format!("{name:<width$}  {value}"));
    std::iter::once(image.id.clone()).chain(lines).collect::<Vec<_>>().join("\n")
}
