//! `atelier library list` and `show`.

use atelier_app::AppResult;
use atelier_app::views::ImageView;
use atelier_store::ImageFilter;
use serde_json::Value;

use super::{filter, images};
use crate::args::ListImages;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{moment_of, thousands};
use crate::out::{excerpt, table};

pub(super) async fn list(context: &Context, command: ListImages) -> AppResult<Exit> {
    let after = command.after.as_deref().map(str::parse).transpose()?;
    let filter = filter(&command.selection);
    let list = context.app.images(&filter, after.as_ref(), command.limit as usize).await?;
    context.out.result(&list, || {
        if list.images.is_empty() && (filter != ImageFilter::default() || command.after.is_some()) {
            return "no image is like that; 'atelier library collections' and 'tags' show what there is".to_owned();
        }
        if list.images.is_empty() {
            return "there are no images here; import some with 'atelier library import FOLDER'".to_owned();
        }
        let cells: Vec<Vec<String>> = list
            .images
            .iter()
            .map(|image| {
                let size = format!("{}×{}", image.width, image.height);
                let caption = excerpt(image.caption.as_deref().unwrap_or_default(), 60);
                vec![excerpt(&image.id, 40), moment_of(&image.added_at), size, excerpt(&image.filename, 32), caption]
            })
            .collect();
        let more = list.next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        let headers = ["id", "added", "size", "file", "caption"];
        table(&headers, &[false, false, true, false, false], &cells)
            + &format!("\n{} in all", images(list.total))
            + &more
    })?;
    Ok(Exit::Success)
}

pub(super) async fn show(context: &Context, id: &str) -> AppResult<Exit> {
    let image = context.app.image(id).await?;
    context.out.result(&image, || describe(&image))?;
    Ok(Exit::Success)
}

fn describe(image: &ImageView) -> String {
    let text = |text: &Option<String>| text.as_deref().map(|text| excerpt(text, 400));
    let score = |score: Option<f64>| score.map(|score| format!("{score:.2}"));
    let list = |names: &[String]| (!names.is_empty()).then(|| excerpt(&names.join(", "), 400));
    let mut rows = vec![
        ("file", Some(excerpt(&image.filename, 120))),
        ("caption", text(&image.caption)),
        ("category", text(&image.category)),
        ("tags", list(&image.labels)),
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
        ("taken", image.taken_at.as_deref().map(moment_of)),
        ("added", Some(moment_of(&image.added_at))),
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
