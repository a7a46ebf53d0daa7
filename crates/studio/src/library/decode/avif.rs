//! AVIF: the container of HEIC around a frame of AV1.

use heifer::heifer_isobmff::boxes::{ColorInfo, Property};
use heifer::heifer_isobmff::{FourCC, HeifFile, ItemId};
use re_rav1d::{Decoder, Picture, PixelLayout, PlanarImageComponent, Settings, pixel};

use super::error::PictureError;
use super::heic::{container, size};
use super::limits::DecodeBudget;
use super::output::DecoderOutput;
use super::raster::{Channels, Raster};

/// The most tiles of a grid: more than any camera or encoder writes.
const MAX_TILES: usize = 1024;

/// Reads an AVIF. Its clean aperture, which hides a few pixels at the edge, is ignored.
pub(super) fn read(bytes: &[u8], budget: &DecodeBudget) -> Result<DecoderOutput, PictureError> {
    let file = HeifFile::parse(bytes).map_err(|error| container(&error))?;
    let (width, height) = size(&file)?;
    budget.limits.check(width, height)?;
    // The frame of up to 16 bits, its pixels, and both of a tile or of its opacity.
    let share = budget.take(u64::from(width) * u64::from(height) * 14)?;

    let id = file.primary_id;
    let decoder = AvifDecoder { file: &file, max_pixels: budget.limits.max_pixels };
    let raster = decoder.item(id)?;
    let raster = match decoder.alpha_of(id)? {
        Some(alpha) => with_alpha(raster, &alpha),
        None => raster,
    };
    let mut output = DecoderOutput::new(raster, share);
    output.profile = file.icc_profile(id).ok().flatten().map(<[u8]>::to_vec);
    output.orientation = Some(orientation(&file));
    output.exif = file.exif(id).ok().flatten();
    output.xmp = file.xmp(id).ok().flatten();
    Ok(output)
}

struct AvifDecoder<'a> {
    file: &'a HeifFile<'a>,
    max_pixels: u64,
}

impl AvifDecoder<'_> {
    /// The pixels of an item: a frame, or a grid of them.
    fn item(&self, id: ItemId) -> Result<Raster, PictureError> {
        let item = self.file.item(id).map_err(|error| container(&error))?;
        match &item.item_type.0 {
            b"av01" => self.frame(id),
            b"grid" => self.grid(id),
            _ => Err(PictureError::Unsupported(format!("an AVIF that is made of '{}'", item.item_type))),
        }
    }

    fn grid(&self, id: ItemId) -> Result<Raster, PictureError> {
        let grid = self.file.grid(id).map_err(|error| container(&error))?;
        let damaged = |what: &str| PictureError::Damaged(what.to_owned());
        let (width, height) = (grid.output_width, grid.output_height);
        if width == 0 || height == 0 || u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(damaged("its grid is of another size than it says"));
        }
        let tiles = self.file.referenced_items(id, b"dimg");
        let columns = usize::from(grid.columns);
        if columns == 0 || tiles.len() != columns * usize::from(grid.rows) || tiles.len() > MAX_TILES {
            return Err(damaged("its grid lacks tiles"));
        }
        let mut pixels = vec![0; width as usize * height as usize * 3];
        for (n, tile) in tiles.iter().enumerate() {
            // Only frames: a grid of grids could nest without end.
            let tile = self.frame(*tile)?;
            let (x, y) = ((n % columns) * tile.width as usize, (n / columns) * tile.height as usize);
            let rows = tile.pixels.chunks_exact(tile.width as usize * 3);
            for (row, from) in rows.enumerate().take((height as usize).saturating_sub(y)) {
                let visible = (tile.width as usize).min((width as usize).saturating_sub(x)) * 3;
                let place = ((y + row) * width as usize + x) * 3;
                if let (Some(to), Some(from)) = (pixels.get_mut(place..place + visible), from.get(..visible)) {
                    to.copy_from_slice(from);
                }
            }
        }
        Raster::new(width, height, Channels::Rgb, pixels)
    }

    fn frame(&self, id: ItemId) -> Result<Raster, PictureError> {
        let item = self.file.item(id).map_err(|error| container(&error))?;
        if item.item_type != FourCC(*b"av01") {
            return Err(PictureError::Damaged("a tile is no frame".into()));
        }
        let data = self.file.item_data(id).map_err(|error| container(&error))?.into_owned();
        if data.is_empty() {
            return Err(PictureError::Truncated);
        }
        let mut settings = Settings::new();
        // One thread and no delay: several pictures are decoded at the same time, each of a single frame.
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_frame_size_limit(u32::try_from(self.max_pixels).unwrap_or(u32::MAX));
        let failed = |error: re_rav1d::Error| PictureError::Damaged(format!("its frame can't be decoded: {error}"));
        let mut decoder = Decoder::with_settings(&settings).map_err(failed)?;
        match decoder.send_data(data, None, None, None) {
            Err(error) if !error.is_again() => return Err(failed(error)),
            _ => {}
        }
        let picture = decoder.get_picture().map_err(|error| {
            // It waits for more where there is no more.
            if error.is_again() { PictureError::Truncated } else { failed(error) }
        })?;
        let colours =
            self.file.item_properties(id).map_err(|error| container(&error))?.find_map(|property| match property {
                Property::Color(ColorInfo::Nclx { matrix, full_range, .. }) => Some((*matrix, *full_range)),
                _ => None,
            });
        rgb(&picture, colours)
    }

    /// The opacity of an item, if it has one: a grey picture.
    fn alpha_of(&self, id: ItemId) -> Result<Option<Raster>, PictureError> {
        for auxiliary in self.file.referencing_items(id, b"auxl") {
            let mut properties = self.file.item_properties(auxiliary).map_err(|error| container(&error))?;
            let alpha =
                properties.any(|property| matches!(property, Property::AuxiliaryType(of) if of.contains("alpha")));
            if alpha {
                return self.item(auxiliary).map(Some);
            }
        }
        Ok(None)
    }
}

/// Adds opacity. One of another size than the picture is ignored: the picture is opaque then.
fn with_alpha(raster: Raster, alpha: &Raster) -> Raster {
    if (raster.width, raster.height) != (alpha.width, alpha.height) || raster.channels != Channels::Rgb {
        return raster;
    }
    let mut pixels = Vec::with_capacity(raster.pixels.len() / 3 * 4);
    for (colour, alpha) in raster.pixels.as_chunks::<3>().0.iter().zip(alpha.pixels.as_chunks::<3>().0) {
        pixels.extend_from_slice(colour);
        pixels.push(alpha[0]);
    }
    Raster { pixels, channels: Channels::Rgba, ..raster }
}

/// The value of EXIF's Orientation that turns and mirrors like the container: rotation (anticlockwise) first.
fn orientation(file: &HeifFile<'_>) -> u16 {
    let (mut quarters, mut mirror) = (0, None);
    for property in file.item_properties(file.primary_id).into_iter().flatten() {
        match property {
            Property::Rotation(turn) => quarters = usize::from(*turn & 3),
            Property::Mirror(upside_down) => mirror = Some(*upside_down),
            _ => {}
        }
    }
    let table = match mirror {
        None => [1, 8, 3, 6],
        Some(false) => [2, 7, 4, 5],
        Some(true) => [4, 5, 2, 7],
    };
    table[quarters]
}

/// Samples of a plane, scaled to 0..=1 of what its bits can say.
struct Plane {
    bytes: re_rav1d::Plane,
    stride: usize,
    wide: bool,
    most: f32,
}

impl Plane {
    fn of(picture: &Picture, component: PlanarImageComponent) -> Result<Self, PictureError> {
        let bits = picture.bits_per_component().map(|bits| bits.0).filter(|bits| (8..=12).contains(bits));
        let bits = bits.ok_or_else(|| PictureError::Damaged("its samples have no known size".into()))?;
        let most = f32::from((1_u16 << bits) - 1);
        let stride = picture.stride(component) as usize;
        Ok(Self { bytes: picture.plane(component), stride, wide: bits > 8, most })
    }

    fn row(&self, y: usize) -> &[u8] {
        self.bytes.get(y * self.stride..).unwrap_or_default()
    }

    fn sample(&self, row: &[u8], x: usize) -> f32 {
        let raw = if self.wide {
            row.get(x * 2..).and_then(|rest| rest.first_chunk()).map_or(0, |pair| u16::from_ne_bytes(*pair))
        } else {
            row.get(x).copied().map_or(0, u16::from)
        };
        f32::from(raw) / self.most
    }
}

/// Turns planes of brightness and colour difference into colours (ITU-T H.273, 8.3). `colours` is what the
/// container says: the code of the matrix, and whether the full range is used; else the frame's own word counts.
fn rgb(picture: &Picture, colours: Option<(u16, bool)>) -> Result<Raster, PictureError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (matrix, full) = colours.unwrap_or_else(|| {
        let full = picture.color_range() == pixel::YUVRange::Full;
        (matrix_code(picture.matrix_coefficients()), full)
    });
    let (half_x, half_y) = match picture.pixel_layout() {
        PixelLayout::I420 => (1, 1),
        PixelLayout::I422 => (1, 0),
        PixelLayout::I400 | PixelLayout::I444 => (0, 0),
    };
    let luma = Plane::of(picture, PlanarImageComponent::Y)?;
    let chroma = match picture.pixel_layout() {
        PixelLayout::I400 => None,
        _ => Some((Plane::of(picture, PlanarImageComponent::U)?, Plane::of(picture, PlanarImageComponent::V)?)),
    };
    // Limited range keeps room below and above: 16 to 235 (chroma 240) of 255.
    let (luma_from, luma_scale, chroma_scale) =
        if full { (0.0, 1.0, 1.0) } else { (16.0 / 255.0, 255.0 / 219.0, 255.0 / 224.0) };
    // BT.709, FCC, SMPTE 240M and BT.2020; BT.601 for all others.
    let (kr, kb) = match matrix {
        1 => (0.2126, 0.0722),
        4 => (0.30, 0.11),
        7 => (0.212, 0.087),
        9 | 10 => (0.2627, 0.0593),
        _ => (0.299, 0.114),
    };
    let kg = 1.0 - kr - kb;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let luma_row = luma.row(y);
        let chroma_rows = chroma.as_ref().map(|(u, v)| (u.row(y >> half_y), v.row(y >> half_y)));
        for x in 0..width {
            let y = (luma.sample(luma_row, x) - luma_from) * luma_scale;
            let [r, g, b] = match (&chroma, chroma_rows) {
                (Some((u, v)), Some((u_row, v_row))) => {
                    let (u, v) = (u.sample(u_row, x >> half_x), v.sample(v_row, x >> half_x));
                    if matrix == 0 {
                        // No matrix: the planes are green, blue and red.
                        [(v - luma_from) * luma_scale, y, (u - luma_from) * luma_scale]
                    } else {
                        let (cb, cr) = ((u - 0.5) * chroma_scale, (v - 0.5) * chroma_scale);
                        let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
                        [r, (y - kr * r - kb * b) / kg, b]
                    }
                }
                _ => [y; 3],
            };
            pixels.extend([r, g, b].map(byte));
        }
    }
    Raster::new(picture.width(), picture.height(), Channels::Rgb, pixels)
}

fn byte(part: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to a byte")]
    let byte = (part * 255.0).round().clamp(0.0, 255.0) as u8;
    byte
}

/// The code of a matrix in H.273.
fn matrix_code(matrix: pixel::MatrixCoefficients) -> u16 {
    use pixel::MatrixCoefficients as M;
    match matrix {
        M::Identity => 0,
        M::BT709 => 1,
        M::BT470M => 4,
        M::ST240M => 7,
        M::BT2020NonConstantLuminance | M::BT2020ConstantLuminance => 9,
        _ => 6,
    }
}
