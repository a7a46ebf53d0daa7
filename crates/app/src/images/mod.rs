//! Images, as one is asked for them: planned, submitted, tried again, given up, shown, taken into the library.

mod jobs;
mod plan;
mod show;

pub use plan::NamedPicture;

use std::path::PathBuf;

use atelier_engine::Usd;
use atelier_studio::generate::{Choice, Mode, Plan, SideRequest};

use crate::error::{AppError, AppResult, excerpt};
use crate::run::RunChange;

/// The long side of a picture of which only the shape is given.
const LONG_SIDE: f64 = 1536.0;
/// How many times one side of a picture may be as long as the other.
const MOST_SHAPE: f64 = 4.0;

/// Whether a model chooses the category of tone, which is a call that is paid for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Classify {
    /// No: the nearest in meaning is taken.
    #[default]
    No,
    /// The configured one does.
    Usual,
    /// This one does.
    By(String),
}

/// A plan that was kept.
#[derive(Clone, Debug)]
pub struct KeptPlan {
    /// Its id, by which it is submitted.
    pub id: String,
    /// What it would send.
    pub plan: Plan,
    /// What making it cost.
    pub spent: Usd,
}

/// How the images of a generation are made, and where they go besides.
#[derive(Clone, Debug, Default)]
pub struct MakeImages {
    /// A folder that the files go to as well.
    pub out: Option<PathBuf>,
    /// What is said of the run.
    pub run: RunChange,
    /// What planning it cost: it counts against the budget.
    pub spent: Usd,
}

/// The sides of a request: one, or two to compare. Another way of choosing references is a side of its own, by the same
/// model if no other is named.
#[must_use]
pub fn sides(first: SideRequest, other_model: Option<String>, other_mode: Option<Mode>) -> Vec<SideRequest> {
    let other = (other_model.is_some() || other_mode.is_some()).then(|| SideRequest {
        model: other_model.unwrap_or_else(|| first.model.clone()),
        mode: other_mode.unwrap_or(first.mode),
        ..first.clone()
    });
    std::iter::once(first).chain(other).collect()
}

/// `off`, an image of the library, or drawn if nothing is said.
#[must_use]
pub fn choice(text: Option<&str>) -> Choice {
    match text {
        None => Choice::Draw,
        Some("off") => Choice::Off,
        Some(id) => Choice::Fixed(id.to_owned()),
    }
}

/// `1536x1024`, or a shape such as `3:2`: width and height in pixels.
///
/// # Errors
/// `size-invalid`.
pub fn size(text: &str) -> AppResult<(u32, u32)> {
    let invalid = || {
        let shown = excerpt(text, 40);
        AppError::new(code!("size-invalid"), format!("'{shown}' is no size"))
            .hint("give WIDTHxHEIGHT such as 1536x1024, or a shape such as 3:2")
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
