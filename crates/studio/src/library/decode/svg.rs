//! SVG: drawn at a size that is fit for looking at.
//!
//! A drawing is a program, and can ask for more work than there is time for. The work is estimated first
//! (`svg_cost`); the drawing sees no other file and no network; and a separate thread draws it, which is waited for
//! only so long, as nothing can stop it. Drawings are drawn one at a time, so that one that takes too long occupies
//! one processor at most.

use std::fmt;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use resvg::tiny_skia::{Color, Pixmap};
use resvg::usvg::roxmltree::{Document, Error as XmlError, ParsingOptions};
use resvg::usvg::{self, ImageHrefResolver, ImageKind, Options, Transform, Tree, fontdb};

use super::error::PictureError;
use super::limits::{DecodeBudget, Memory};
use super::output::DecoderOutput;
use super::raster::{Channels, Raster};
use super::svg_cost;
use crate::library::metadata::Metadata;

/// The long side that a drawing is drawn with, in pixels.
const LONG_SIDE: f32 = 1024.0;

/// The largest file that is drawn, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// The most elements, attributes and texts of a file.
const MAX_NODES: u32 = 400_000;

/// The most pixels of each picture within a drawing.
const MAX_IMAGE_PIXELS: u64 = 32_000_000;

/// The longest that a drawing may take, and the longest wait for the one before it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The stack of the thread that draws, in bytes: deeply nested groups are drawn recursively.
const STACK: usize = 64 << 20;

/// Memory that drawing takes, in bytes: layers of the drawing's size, and its elements.
const MEMORY: u64 = 96 << 20;

/// Shared by all drawings: the system's fonts, read for the first drawing that has text, and the one place to draw.
#[derive(Clone)]
pub(super) struct SvgRenderer {
    fonts: Arc<OnceLock<Arc<fontdb::Database>>>,
    place: Arc<Memory>,
}

impl Default for SvgRenderer {
    fn default() -> Self {
        Self { fonts: Arc::default(), place: Memory::new(1) }
    }
}

impl fmt::Debug for SvgRenderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SvgRenderer").finish_non_exhaustive()
    }
}

impl SvgRenderer {
    fn fonts(&self) -> Arc<fontdb::Database> {
        let load = || {
            let mut fonts = fontdb::Database::new();
            fonts.load_system_fonts();
            Arc::new(fonts)
        };
        Arc::clone(self.fonts.get_or_init(load))
    }
}

/// True for the beginning of a document whose root is `svg`.
pub(super) fn looks_like_svg(head: &[u8]) -> bool {
    let mut rest = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let after = |rest: &[u8], end: &[u8]| rest.windows(end.len()).position(|part| part == end).map(|at| at + end.len());
    loop {
        let skipped = if rest.starts_with(b"<?") {
            after(rest, b"?>")
        } else if rest.starts_with(b"<!--") {
            after(rest, b"-->")
        } else if let Some(kind) = rest.strip_prefix(b"<!DOCTYPE") {
            // What it declares may be long: the name of the root is enough.
            return kind.trim_ascii_start().starts_with(b"svg");
        } else {
            break;
        };
        let Some(skipped) = skipped else { return false };
        rest = rest[skipped..].trim_ascii_start();
    }
    let Some(tag) = rest.strip_prefix(b"<") else { return false };
    let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    let Some(name) = end.map(|end| &tag[..end]) else { return false };
    name == b"svg" || name.ends_with(b":svg")
}

pub(super) fn read(bytes: &[u8], budget: &DecodeBudget, renderer: &SvgRenderer) -> Result<DecoderOutput, PictureError> {
    if bytes.len() > MAX_BYTES {
        return Err(PictureError::TooManyBytes { bytes: bytes.len() as u64, limit: MAX_BYTES as u64 });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PictureError::Damaged("it is not UTF-8".into()))?;
    let slow = || PictureError::TooComplex("it takes longer than twenty seconds".into());
    // The place before the memory: a drawing that waits for its turn holds none.
    let place = renderer.place.take_within(1, PATIENCE).ok_or_else(slow)?;
    let share = budget.take(MEMORY)?;
    let (sender, drawn) = mpsc::channel();
    let (text, renderer) = (text.to_owned(), renderer.clone());
    // The thread keeps the place until it has drawn, also when nobody waits for it any more.
    let draw = move || {
        let _ = sender.send(draw(&text, &renderer));
        drop(place);
    };
    let thread = std::thread::Builder::new().name("drawing".into()).stack_size(STACK).spawn(draw);
    let thread =
        thread.map_err(|error| PictureError::TooComplex(format!("no thread can be started for it: {error}")))?;
    let result = match drawn.recv_timeout(PATIENCE) {
        Ok(result) => result?,
        Err(mpsc::RecvTimeoutError::Timeout) => return Err(slow()),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            return Err(PictureError::Damaged("its decoder gave up on it".into()));
        }
    };
    let _ = thread.join();
    let mut output = DecoderOutput::new(result.raster, share);
    output.size = Some(result.size);
    output.words = result.words;
    Ok(output)
}

/// Refuses entities that multiply ("billion laughs"). The parser limits how deep they are nested, but not how long a
/// text they make.
fn check_entities(text: &str) -> Result<(), PictureError> {
    let multiply = || PictureError::TooComplex("its entities multiply".into());
    let entities = text.split("<!ENTITY").skip(1).filter_map(|entity| {
        let value = entity.get(..entity.find('>')?)?;
        Some((value.len(), value.contains('&')))
    });
    let (mut longest, mut any) = (0, false);
    for (length, refers) in entities {
        if refers {
            return Err(multiply());
        }
        (longest, any) = (longest.max(length), true);
    }
    let references = if any { text.matches('&').count() } else { 0 };
    if longest.saturating_mul(references) > MAX_BYTES { Err(multiply()) } else { Ok(()) }
}

struct RenderedSvg {
    raster: Raster,
    size: (u32, u32),
    words: Metadata,
}

fn draw(text: &str, renderer: &SvgRenderer) -> Result<RenderedSvg, PictureError> {
    check_entities(text)?;
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| xml(&error))?;
    svg_cost::check(&document)?;
    let fonts = if document.descendants().any(|node| node.has_tag_name((SVG, "text"))) {
        renderer.fonts()
    } else {
        Arc::default()
    };
    let options = Options {
        resources_dir: None,
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, data, _| image(data)),
            resolve_string: Box::new(|_, _| None),
        },
        fontdb: fonts,
        ..Options::default()
    };
    let tree = Tree::from_xmltree(&document, &options).map_err(|error| match error {
        usvg::Error::ElementsLimitReached => PictureError::TooComplex("it has too many elements".into()),
        error => PictureError::Damaged(error.to_string()),
    })?;
    let size = tree.size();
    let scale = LONG_SIDE / size.width().max(size.height());
    svg_cost::check_filters(&tree, scale)?;
    let (width, height) = (pixels(size.width() * scale), pixels(size.height() * scale));
    let mut pixmap =
        Pixmap::new(width, height).ok_or_else(|| PictureError::Damaged("its size is out of range".into()))?;
    pixmap.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    let rgb = pixmap.data().as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    Ok(RenderedSvg {
        raster: Raster::new(width, height, Channels::Rgb, rgb)?,
        size: (pixels(size.width()), pixels(size.height())),
        words: words(&document),
    })
}

const SVG: &str = "http://www.w3.org/2000/svg";

/// A length as whole pixels, at least one.
fn pixels(length: f32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to the range")]
    let pixels = f64::from(length).round().clamp(1.0, f64::from(u32::MAX)) as u32;
    pixels
}

/// A picture within the drawing, unless it is of another format or too large.
fn image(data: Arc<Vec<u8>>) -> Option<ImageKind> {
    let read = image::ImageReader::new(std::io::Cursor::new(data.as_slice())).with_guessed_format().ok()?;
    let kind: fn(Arc<Vec<u8>>) -> ImageKind = match read.format()? {
        image::ImageFormat::Jpeg => ImageKind::JPEG,
        image::ImageFormat::Png => ImageKind::PNG,
        image::ImageFormat::Gif => ImageKind::GIF,
        image::ImageFormat::WebP => ImageKind::WEBP,
        _ => return None,
    };
    let (width, height) = read.into_dimensions().ok()?;
    (u64::from(width) * u64::from(height) <= MAX_IMAGE_PIXELS).then(|| kind(data))
}

/// The drawing's title and description as its caption.
fn words(document: &Document<'_>) -> Metadata {
    let root = document.root_element();
    let text = |name: &str| {
        let node = root.children().find(|node| node.has_tag_name((SVG, name)))?;
        let text = node.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect::<String>();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    };
    let caption = match (text("title"), text("desc")) {
        (Some(title), Some(description)) => Some(format!("{title}. {description}")),
        (title, description) => title.or(description),
    };
    Metadata { caption, ..Metadata::default() }
}

fn xml(error: &XmlError) -> PictureError {
    match error {
        XmlError::NodesLimitReached => PictureError::TooComplex("it has too many elements".into()),
        XmlError::UnclosedRootNode | XmlError::UnexpectedEndOfStream => PictureError::Truncated,
        XmlError::EntityReferenceLoop(_) => PictureError::TooComplex("its entities multiply".into()),
        error => PictureError::Damaged(error.to_string()),
    }
}
