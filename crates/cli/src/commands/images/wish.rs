//! From flags to what the studio is asked for.

use std::path::Path;

use atelier_studio::generate::{Camera, Choice, Mode, Pick, SideWish, Wish};
use atelier_studio::library::Library;

use super::usage;
use crate::args::{CameraFlags, ImageWish, ReferenceMode};
use crate::commands::library::picture_file;
use crate::error::CliResult;
use crate::out::excerpt;

/// The long side of a picture of which only the shape is given.
const LONG_SIDE: f64 = 1536.0;
/// How many times one side of a picture may be as long as the other.
const MOST_SHAPE: f64 = 4.0;

pub(super) async fn wish(flags: &ImageWish, model: &str, library: &Library) -> CliResult<Wish> {
    let prompt = flags.prompt.clone().ok_or_else(|| {
        usage("prompt-empty", "there is no prompt", "say what is to be seen, such as \"a lighthouse keeper reading\"")
    })?;
    let references = &flags.references;
    let mode = mode(references.references);
    let (tone, angle) = (choice(references.tone.as_deref()), choice(references.angle.as_deref()));
    let side = |model: &str, mode| SideWish { model: model.to_owned(), mode, tone: tone.clone(), angle: angle.clone() };
    let mut sides = vec![side(model, mode)];
    let other = references.compare_references.map(self::mode);
    match (&flags.sides.compare, other) {
        (Some(model), other) => sides.push(side(model, other.unwrap_or(mode))),
        // Another way of choosing references is a side of its own, by the same model.
        (None, Some(other)) => sides.push(side(model, other)),
        (None, None) => {}
    }
    let mut picks = Vec::with_capacity(references.reference.len());
    for text in &references.reference {
        picks.push(pick(text, library).await?);
    }
    Ok(Wish {
        prompt,
        project: flags.sides.project.clone(),
        count: flags.sides.count,
        sides,
        picks,
        collection: references.collection.clone(),
        category: references.category.clone(),
        camera: camera(&flags.camera),
        palette: flags.camera.palette.iter().map(|color| color.trim().to_owned()).collect(),
        size: size(&flags.size)?,
        seed: flags.seed,
        reference_seed: references.reference_seed,
    })
}

/// An image of the library, or a file.
pub(super) async fn pick(text: &str, library: &Library) -> CliResult<Pick> {
    if library.store().image(text).await?.is_some() {
        return Ok(Pick::Image(text.to_owned()));
    }
    let path = Path::new(text);
    if !path.is_file() {
        let message = format!("'{}' is neither an image of the library nor a file", excerpt(text, 80));
        return Err(usage("no-such-reference", message, "'atelier library list' shows the images there are"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Pick::File { name, content: picture_file(path)? })
}

const fn mode(mode: ReferenceMode) -> Mode {
    match mode {
        ReferenceMode::Auto => Mode::Auto,
        ReferenceMode::PaletteOnly => Mode::PaletteOnly,
        ReferenceMode::Off => Mode::Off,
    }
}

fn choice(text: Option<&str>) -> Choice {
    match text {
        None => Choice::Draw,
        Some("off") => Choice::Off,
        Some(id) => Choice::Fixed(id.to_owned()),
    }
}

fn camera(flags: &CameraFlags) -> Camera {
    let CameraFlags { shot, view, lens, light, .. } = flags.clone();
    Camera { shot, view, lens, light }
}

/// `1536x1024`, or `3:2`.
fn size(text: &str) -> CliResult<(u32, u32)> {
    let invalid = || {
        let message = format!("'{}' is no size", excerpt(text, 40));
        usage("size-invalid", message, "give WIDTHxHEIGHT such as 1536x1024, or a shape such as 3:2")
    };
    if let Some((width, height)) = text.split_once(['x', 'X', '\u{d7}']) {
        return width.trim().parse().ok().zip(height.trim().parse().ok()).ok_or_else(invalid);
    }
    let (width, height) = text.split_once(':').ok_or_else(invalid)?;
    let side = |text: &str| text.trim().parse::<f64>().ok().filter(|side| side.is_finite() && *side > 0.0);
    let (width, height) = side(width).zip(side(height)).ok_or_else(invalid)?;
    let shape = width / height;
    if !(1.0 / MOST_SHAPE..=MOST_SHAPE).contains(&shape) {
        return Err(invalid());
    }
    // A square of a shape is as large as the models' own squares.
    let area = LONG_SIDE * LONG_SIDE / 1.5;
    let pixels = |side: f64| (side / 16.0).round() as u32 * 16;
    if width == height { Ok((1024, 1024)) } else { Ok((pixels((area * shape).sqrt()), pixels((area / shape).sqrt()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_given_in_pixels_or_as_a_shape() {
        for (text, expected) in [
            ("1536x1024", Some((1536, 1024))),
            ("1024 X 1024", Some((1024, 1024))),
            ("3:2", Some((1536, 1024))),
            ("1:1", Some((1024, 1024))),
            ("2:3", Some((1024, 1536))),
            ("big", None),
            ("3:", None),
            ("9:1", None),
            ("0:0", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }
}
