//! Images whose palettes have a colour near to a given one.

use std::sync::Arc;

use super::segment::Segment;
use crate::color::CieLab;
use crate::document::Rgb;
use crate::error::SearchResult;
use crate::rows::RowSet;

/// The allowed rows that have a colour within `distance` of this one (CIE76: the Euclidean distance in
/// CIELAB), each with the distance of its nearest colour, in no order.
pub(crate) fn near_color(
    segments: &[Arc<Segment>],
    color: Rgb,
    distance: f32,
    allowed: &RowSet,
) -> SearchResult<Vec<(u32, f32)>> {
    let wanted = CieLab::of(color);
    let mut found = Vec::new();
    let limit = (distance * 100.0).powi(2);
    for segment in segments {
        let Some(palette) = segment.palette()? else { continue };
        pulp::Arch::new().dispatch(|| {
            for (row, colors) in palette.iter() {
                let nearest = colors.iter().fold(f32::INFINITY, |nearest, &color| {
                    nearest.min(CieLab::from_bytes(color).distance_squared(wanted))
                });
                if nearest <= limit && allowed.contains(row) {
                    found.push((row, nearest.sqrt() / 100.0));
                }
            }
        });
    }
    Ok(found)
}
