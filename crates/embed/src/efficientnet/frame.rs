//! The part of a picture that the model is shown.

use fast_image_resize::FilterType;

use crate::picture::{Area, CHANNELS};
use crate::{EmbedError, Picture};

/// Pixels in a row and rows that the model reads.
pub(super) const SIDE: u32 = 224;

/// The greatest difference of a channel, of 255, at which a pixel still belongs to the ground.
const TOLERANCE: u8 = 12;

/// A picture is cut out when this part of its outermost pixels has the colour of the ground. Less than all,
/// because a subject may touch the edge.
const PLAIN: f64 = 0.9;

/// The ground left on each side of a subject, as a share of its longer side.
const MARGIN: f64 = 0.05;

/// The widest of Pillow's filters that does not ring much, which the model was trained with.
const FILTER: FilterType = FilterType::CatmullRom;

/// The square that the model sees: of a photo its middle; of a subject on a plain ground the whole subject,
/// because the middle would cut off the ends of what is long and show little of what is small.
pub(super) fn frame(picture: &Picture) -> Result<Picture, EmbedError> {
    match subject(picture) {
        Some((area, ground)) => on_ground(picture, area, ground),
        None => picture.scaled(picture.middle(), SIDE, SIDE, FILTER),
    }
}

/// Where the subject lies, and the colour around it; none if the picture is no subject on a plain ground.
fn subject(picture: &Picture) -> Option<(Area, [u8; CHANNELS])> {
    let (width, height) = (picture.width(), picture.height());
    let rows = (0..width).flat_map(|x| [(x, 0), (x, height - 1)]);
    let columns = (0..height).flat_map(|y| [(0, y), (width - 1, y)]);
    let edge: Vec<[u8; CHANNELS]> = rows.chain(columns).map(|(x, y)| picture.pixel(x, y)).collect();
    let ground = [0, 1, 2].map(|channel| {
        let mut values: Vec<u8> = edge.iter().map(|pixel| pixel[channel]).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable(middle).1
    });
    let plain = edge.iter().filter(|pixel| near(**pixel, ground)).count();
    if (plain as f64) < PLAIN * edge.len() as f64 {
        return None;
    }

    let row_is_plain = |y: &u32| (0..width).all(|x| near(picture.pixel(x, *y), ground));
    let top = (0..height).find(|y| !row_is_plain(y))?;
    let bottom = (top..height).rev().find(|y| !row_is_plain(y))?;
    let column_is_plain = |x: &u32| (top..=bottom).all(|y| near(picture.pixel(*x, y), ground));
    let left = (0..width).find(|x| !column_is_plain(x))?;
    let right = (left..width).rev().find(|x| !column_is_plain(x))?;
    Some((Area { left, top, width: right - left + 1, height: bottom - top + 1 }, ground))
}

fn near(pixel: [u8; CHANNELS], ground: [u8; CHANNELS]) -> bool {
    pixel.iter().zip(ground).all(|(&value, ground)| value.abs_diff(ground) <= TOLERANCE)
}

/// Draws `area`, as large as it fits with a margin, in the middle of a square of this colour.
fn on_ground(picture: &Picture, area: Area, ground: [u8; CHANNELS]) -> Result<Picture, EmbedError> {
    let longer = f64::from(area.width.max(area.height)) * (1.0 + 2.0 * MARGIN);
    let fitted = |length: u32| ((f64::from(length) * f64::from(SIDE) / longer).round() as u32).clamp(1, SIDE);
    let (width, height) = (fitted(area.width), fitted(area.height));
    let subject = picture.scaled(area, width, height, FILTER)?;

    let mut square = ground.repeat((SIDE * SIDE) as usize);
    let (left, top) = ((SIDE - width) as usize / 2, (SIDE - height) as usize / 2);
    let rows = square.chunks_exact_mut(SIDE as usize * CHANNELS).skip(top);
    for (row, line) in rows.zip(subject.rgb().chunks_exact(width as usize * CHANNELS)) {
        row[left * CHANNELS..][..line.len()].copy_from_slice(line);
    }
    Picture::new(SIDE, SIDE, square)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const WHITE: [u8; 3] = [255, 255, 255];
    const RED: [u8; 3] = [200, 10, 10];

    /// White, with a red rectangle.
    fn drawing(width: u32, height: u32, area: Area) -> Picture {
        let inside =
            |x, y| (area.left..area.left + area.width).contains(&x) && (area.top..area.top + area.height).contains(&y);
        let pixel = |x, y| if inside(x, y) { RED } else { WHITE };
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        Picture::new(width, height, rgb).unwrap()
    }

    /// The rectangle that is red in what the model sees.
    fn seen(picture: &Picture) -> (u32, u32, u32, u32) {
        let frame = frame(picture).unwrap();
        let red = |x: &u32, y: &u32| frame.pixel(*x, *y)[1] < 130;
        let columns: Vec<u32> = (0..SIDE).filter(|x| (0..SIDE).any(|y| red(x, &y))).collect();
        let rows: Vec<u32> = (0..SIDE).filter(|y| (0..SIDE).any(|x| red(&x, y))).collect();
        (columns[0], rows[0], columns.len() as u32, rows.len() as u32)
    }

    #[test]
    fn a_subject_on_a_plain_ground_is_shown_whole_and_large() {
        let long = drawing(1000, 300, Area { left: 20, top: 120, width: 900, height: 90 });
        assert_eq!(seen(&long), (10, 102, 204, 20));
        let small = drawing(400, 400, Area { left: 350, top: 5, width: 20, height: 20 });
        assert_eq!(seen(&small), (10, 10, 204, 204));
    }

    #[test]
    fn a_subject_may_touch_the_edge() {
        let touching = drawing(300, 300, Area { left: 0, top: 140, width: 300, height: 20 });
        assert_eq!(seen(&touching), (10, 105, 204, 14));
    }

    #[test]
    fn of_a_photo_the_middle_is_shown() {
        let rgb = (0..90_u32 * 60).flat_map(|n| [n % 90 * 2, n / 90 * 4, n * 7 % 256].map(|v| v as u8)).collect();
        let photo = Picture::new(90, 60, rgb).unwrap();
        assert!(subject(&photo).is_none());
        let middle = Area { left: 15, top: 0, width: 60, height: 60 };
        assert_eq!(frame(&photo).unwrap(), photo.scaled(middle, SIDE, SIDE, FILTER).unwrap());
    }

    #[test]
    fn an_empty_picture_and_a_picture_of_one_pixel_are_shown_too() {
        for (width, height) in [(1, 1), (1, 900), (640, 480)] {
            let plain = drawing(width, height, Area { left: 0, top: 0, width: 0, height: 0 });
            assert!(frame(&plain).unwrap().rgb().iter().all(|&value| value == 255), "{width} {height}");
        }
    }
}
