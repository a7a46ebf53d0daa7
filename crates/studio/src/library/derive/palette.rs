//! The main colours of a picture.

use crate::library::decode::{OPAQUE, PictureError, RgbPicture};

/// The most colours of a palette.
pub const COLOURS: usize = 5;

/// The long side in pixels that a picture is scaled to before its pixels are sampled.
const SIDE: u32 = 256;

/// Every third pixel of every third row is looked at. The others are left out and not averaged: an average of two
/// colours would be a third.
const STEP: usize = 3;

/// The smallest share of the pixels that makes a colour of the palette.
const MIN_SHARE: f32 = 0.01;

/// Colours that are nearer to each other than this, in Oklab, are one.
const NEAR: f32 = 0.05;

/// The most rounds of k-means.
const ROUNDS: usize = 12;

/// A colour in Oklab, where distance is how different colours look.
type Oklab = [f32; 3];

/// The main colours of a picture as `#rrggbb`, those that cover most of it first; five, or fewer where it has
/// fewer. Pixels are grouped by k-means in Oklab (Ottosson, 2020), from colours that cover much and are far
/// from each other, so that a small area of a colour of its own is not lost. The same picture has always the
/// same palette. Transparent pixels are no colour: of a picture of nothing else the palette is empty.
///
/// # Errors
/// [`PictureError::Damaged`] if the picture can't be scaled.
pub fn palette(picture: &RgbPicture) -> Result<Vec<String>, PictureError> {
    let points = points(&picture.within(SIDE)?);
    let mut centres = spread(&points);
    let mut groups = grouped(&points, &centres);
    for _ in 0..ROUNDS {
        let moved: Vec<Oklab> = groups.iter().map(Group::centre).collect();
        if moved == centres {
            break;
        }
        centres = moved;
        groups = grouped(&points, &centres);
    }
    groups.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let total: f32 = groups.iter().map(|group| group.weight).sum();
    groups.retain(|group| group.weight >= total * MIN_SHARE);
    let mut colours: Vec<Oklab> = Vec::with_capacity(COLOURS);
    for centre in groups.iter().map(Group::centre) {
        if colours.iter().all(|colour| distance(colour, &centre) > NEAR * NEAR) {
            colours.push(centre);
        }
    }
    Ok(colours.into_iter().map(hex).collect())
}

/// Colours of the picture, with how many pixels have about that colour: what differs in the lowest four bits of
/// a channel counts as the same.
fn points(picture: &RgbPicture) -> Vec<(Oklab, f32)> {
    let mut cells = vec![([0.0_f32; 3], 0.0_f32); 16 * 16 * 16];
    let width = picture.width.max(1) as usize;
    let is_seen = |place: usize| {
        picture.opacity.as_ref().is_none_or(|opacity| opacity.get(place).is_some_and(|one| *one >= OPAQUE))
    };
    let rows = picture.rgb.as_chunks::<3>().0.chunks(width).enumerate().step_by(STEP);
    let pixels =
        rows.flat_map(|(y, row)| row.iter().enumerate().step_by(STEP).map(move |(x, pixel)| (y * width + x, pixel)));
    for (_, pixel) in pixels.filter(|(place, _)| is_seen(*place)) {
        let [r, g, b] = pixel.map(|part| usize::from(part >> 4));
        if let Some((sum, count)) = cells.get_mut(r << 8 | g << 4 | b) {
            sum.iter_mut().zip(pixel).for_each(|(sum, part)| *sum += f32::from(*part));
            *count += 1.0;
        }
    }
    let filled = cells.into_iter().filter(|(_, count)| *count > 0.0);
    filled.map(|(sum, count)| (oklab(sum.map(|part| part / count)), count)).collect()
}

/// The first centres: the most frequent colour, then again and again the one with the largest product of its pixels and
/// its squared distance to those before.
fn spread(points: &[(Oklab, f32)]) -> Vec<Oklab> {
    let Some((first, _)) = points.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { return Vec::new() };
    let mut centres = vec![*first];
    let mut nearest: Vec<f32> = points.iter().map(|(point, _)| distance(point, first)).collect();
    while centres.len() < COLOURS {
        let gains = points.iter().zip(&nearest).map(|((point, weight), near)| (point, weight * near));
        let Some((next, gain)) = gains.max_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        if gain <= 0.0 {
            break;
        }
        centres.push(*next);
        for ((point, _), near) in points.iter().zip(&mut nearest) {
            *near = near.min(distance(point, next));
        }
    }
    centres
}

/// Pixels whose nearest centre is the same.
#[derive(Clone, Default)]
struct Group {
    sum: Oklab,
    weight: f32,
}

impl Group {
    fn centre(&self) -> Oklab {
        self.sum.map(|sum| sum / self.weight.max(f32::MIN_POSITIVE))
    }
}

fn grouped(points: &[(Oklab, f32)], centres: &[Oklab]) -> Vec<Group> {
    let mut groups = vec![Group::default(); centres.len()];
    for (point, weight) in points {
        let near = centres.iter().zip(&mut groups).min_by(|a, b| distance(a.0, point).total_cmp(&distance(b.0, point)));
        if let Some((_, group)) = near {
            group.sum.iter_mut().zip(point).for_each(|(sum, part)| *sum += part * weight);
            group.weight += weight;
        }
    }
    groups.retain(|group| group.weight > 0.0);
    groups
}

/// The square of the distance.
fn distance(a: &Oklab, b: &Oklab) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// From sRGB, 0 to 255.
fn oklab(rgb: [f32; 3]) -> Oklab {
    let [r, g, b] = rgb.map(|part| {
        let part = part / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    let l = (0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_993 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// Back to sRGB, as it is written.
fn hex([l, a, b]: Oklab) -> String {
    let [l, m, s] = [
        l + 0.396_337_78 * a + 0.215_803_76 * b,
        l - 0.105_561_346 * a - 0.063_854_17 * b,
        l - 0.089_484_18 * a - 1.291_485_5 * b,
    ]
    .map(|part| part * part * part);
    let rgb = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    let [r, g, b] = rgb.map(|part| {
        let part = if part <= 0.003_130_8 { part * 12.92 } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to a byte")]
        let part = (part * 255.0).round().clamp(0.0, 255.0) as u8;
        part
    });
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripes of these colours, each as many pixels wide as it says.
    fn stripes(stripes: &[([u8; 3], usize)]) -> RgbPicture {
        let row: Vec<u8> = stripes.iter().flat_map(|(colour, width)| colour.repeat(*width)).collect();
        let width = u32::try_from(row.len() / 3).unwrap();
        RgbPicture::opaque(width, 40, row.repeat(40))
    }

    #[test]
    fn colours_stand_in_the_order_of_their_areas() {
        let picture = stripes(&[([200, 30, 30], 10), ([255, 255, 255], 30), ([10, 20, 120], 20), ([240, 200, 0], 4)]);
        assert_eq!(palette(&picture).unwrap(), ["#ffffff", "#0a1478", "#c81e1e", "#f0c800"]);
    }

    #[test]
    fn a_small_area_of_a_colour_of_its_own_is_not_lost() {
        let mut grey: Vec<([u8; 3], usize)> = (0..6).map(|n| ([100 + n * 20; 3], 10)).collect();
        grey.push(([255, 0, 0], 2));
        let palette = palette(&stripes(&grey)).unwrap();
        assert_eq!(palette.len(), 5);
        assert!(palette.contains(&"#ff0000".to_owned()), "{palette:?}");
    }

    #[test]
    fn one_colour_is_a_palette() {
        assert_eq!(palette(&stripes(&[([1, 2, 3], 9)])).unwrap(), ["#010203"]);
        assert_eq!(palette(&stripes(&[([120, 120, 120], 9), ([124, 120, 122], 9)])).unwrap().len(), 1);
    }

    #[test]
    fn every_colour_finds_its_way_back() {
        let colours: [[u8; 3]; 7] =
            [[0, 0, 0], [255, 255, 255], [1, 128, 254], [255, 0, 0], [0, 255, 0], [0, 0, 255], [18, 52, 86]];
        for colour in colours {
            let [r, g, b] = colour;
            assert_eq!(hex(oklab(colour.map(f32::from))), format!("#{r:02x}{g:02x}{b:02x}"));
        }
    }
}
