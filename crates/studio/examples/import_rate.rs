//! Measures an import: 1,000 JPEGs of a megapixel each, with the local models, or what the flags say.
//!
//! ```text
//! cargo run --release -p atelier-studio --example import_rate -- [IMAGES] [no-look] [no-text] [stages]
//! ```
//!
//! `stages` measures what each step costs for one picture, on one thread. The pictures are made here: noise of
//! several scales, like clouds, with a shape in it; compressed they have about the size of photographs.
#![allow(clippy::print_stdout)]
#![expect(clippy::disallowed_methods, reason = "real time is what is measured here")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use atelier_embed::{EfficientNet, EfficientNetFiles, LookEmbedder, MiniLm, ModelBytes, TextEmbedder};
use atelier_engine::{Clock, Stop};
use atelier_store::Store;
use atelier_studio::library::decode::{DecodeLimits, PictureReader};
use atelier_studio::library::derive::{LONG_SIDE, SHORT_SIDE, palette, phash};
use atelier_studio::library::import::{ImportOptions, ImportSource, Importer};
use atelier_studio::library::{Embedders, Library};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

const WIDTH: u32 = 1_152;
const HEIGHT: u32 = 868;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let images = flags.iter().find_map(|flag| flag.parse().ok()).unwrap_or(1_000_u32);
    let embedders = embedders(!has("no-text"), !has("no-look"))?;
    if has("stages") {
        return stages(&embedders);
    }

    let dir = tempfile::tempdir()?;
    let photos = dir.path().join("photos");
    std::fs::create_dir(&photos)?;
    let bytes = make(&photos, images);
    let mut list = Vec::new();
    for n in 0..images {
        list.push(serde_json::json!({
            "filename": format!("{n:05}.jpg"), "caption": format!("Clouds over a round hill, seen for the {n}th time"),
            "labels": ["clouds", "hill"], "category": "landscape", "tone_score": 0.5, "attributes": {"n": n},
        }));
    }
    std::fs::write(photos.join("images.json"), serde_json::to_vec(&list)?)?;
    println!("{images} JPEGs of {} kB on average", bytes / 1_000 / images.max(1) as usize);

    let library = Library::open(Store::open(&dir.path().join("data"))?)?;
    let importer = Importer::new(library, embedders, DecodeLimits::default(), Clock::system());
    for what in ["new", "again"] {
        let (started, cpu) = (Instant::now(), cpu_seconds());
        let sources = vec![ImportSource::Path(photos.clone())];
        let report = importer.import(sources, ImportOptions::default(), Stop::never(), |_| {}).await?;
        let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        println!(
            "{what}: {} imported, {} known, {} near, {} refused, {} without vectors: {seconds:.1} s, {:.1} images/s, {:.1} ms of processor an image",
            report.imported,
            report.known,
            report.near_duplicates,
            report.refused,
            report.unembedded,
            f64::from(images) / seconds,
            1e3 * cpu / f64::from(images.max(1)),
        );
    }
    println!("peak memory {} MB", status("VmHWM:") / 1_000);
    Ok(())
}

/// Writes so many pictures; how many bytes they have.
fn make(folder: &Path, images: u32) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, |threads| u32::try_from(threads.get()).unwrap_or(1));
    let work = |thread: u32| {
        let mine = (0..images).filter(|n| n % threads == thread);
        let write = |n: u32| -> Result<usize, Box<dyn Error>> {
            let jpeg = jpeg(n)?;
            std::fs::write(folder.join(format!("{n:05}.jpg")), &jpeg)?;
            Ok(jpeg.len())
        };
        mine.map(|n| write(n).unwrap_or(0)).sum::<usize>()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    })
}

fn embedders(text: bool, look: bool) -> Result<Embedders, Box<dyn Error>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models");
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let tokenizer = std::fs::read(models.join("minilm/tokenizer.json"))?;
    let model = ModelBytes::File(models.join("minilm/model-int8.onnx"));
    let minilm: Arc<dyn TextEmbedder> = Arc::new(MiniLm::load(model, &tokenizer, threads)?);
    let net = models.join("efficientnet-lite0");
    let files = EfficientNetFiles {
        model: ModelBytes::File(net.join("model-int8.onnx")),
        concepts: &std::fs::read_to_string(net.join("concepts.txt"))?,
        vectors: &std::fs::read(net.join("vectors.bin"))?,
    };
    let efficientnet: Arc<dyn LookEmbedder> = Arc::new(EfficientNet::load(files, Arc::clone(&minilm), threads)?);
    Ok(Embedders { text: text.then_some(minilm), look: look.then_some(efficientnet) })
}

/// What each step costs, on one thread.
fn stages(embedders: &Embedders) -> Result<(), Box<dyn Error>> {
    let file = jpeg(7)?;
    let reader = PictureReader::new(DecodeLimits::default());
    let read = || reader.read(&file).and_then(|decoded| decoded.into_picture(SHORT_SIDE, LONG_SIDE));
    let picture = read()?;
    println!("{} bytes of JPEG, a picture of {} x {}", file.len(), picture.width, picture.height);
    measure("hash", || blake3::hash(&file));
    measure("decode", || reader.read(&file).is_ok());
    measure("decode and scale", || read().is_ok());
    measure("perceptual hash", || phash(&picture).is_ok());
    measure("palette", || palette(&picture).is_ok());
    measure("thumbnail as webp", || {
        webp::Encoder::from_rgb(&picture.rgb, picture.width, picture.height).encode(75.0).len()
    });
    if let Some(text) = &embedders.text {
        let words = vec!["Clouds over a round hill, seen again. landscape. clouds, hill".to_owned()];
        measure("vector of words", || text.embed(&words).is_ok());
    }
    if let Some(look) = &embedders.look {
        let pictures = [atelier_embed::Picture::new(picture.width, picture.height, picture.rgb.clone())?];
        measure("vectors of the look", || look.look(&pictures).is_ok());
    }
    Ok(())
}

fn measure<T>(what: &str, step: impl Fn() -> T) {
    const TIMES: u32 = 40;
    step();
    let started = Instant::now();
    for _ in 0..TIMES {
        std::hint::black_box(step());
    }
    println!("{what:<22} {:.2} ms", 1e3 * started.elapsed().as_secs_f64() / f64::from(TIMES));
}

fn jpeg(seed: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut rgb = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    let tints: [f32; 3] = std::array::from_fn(|n| 0.4 + random(seed, u32::try_from(n).unwrap_or(0), 99) * 0.6);
    let centre = (random(seed, 1, 98), random(seed, 2, 98));
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (across, down) = (part(x, WIDTH), part(y, HEIGHT));
            let (mut cloud, mut height, mut scale) = (0.0, 0.5, 3.0);
            for octave in 0..5 {
                cloud += height * noise(across * scale, down * scale, seed * 31 + octave);
                (height, scale) = (height * 0.66, scale * 3.4);
            }
            let round = (across - centre.0).hypot(down - centre.1) < 0.22;
            rgb.extend(tints.map(|tint| byte(cloud * tint * if round { 230.0 } else { 150.0 })));
        }
    }
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 90).encode(&rgb, WIDTH, HEIGHT, ExtendedColorType::Rgb8)?;
    Ok(file)
}

fn part(place: u32, side: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let part = place as f32 / side as f32;
    part
}

fn byte(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to a byte")]
    let byte = value.clamp(0.0, 255.0) as u8;
    byte
}

/// A number from 0 to 1 that looks random.
fn random(x: u32, y: u32, seed: u32) -> f32 {
    let mut hash = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    hash = (hash ^ hash >> 15).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ hash >> 12).wrapping_mul(0x297a_2d39);
    part((hash ^ hash >> 15) & 0xffff, 0xffff)
}

fn noise(x: f32, y: f32, seed: u32) -> f32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is small and not negative")]
    let (left, top) = (x as u32, y as u32);
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (across, down) = (smooth(x.fract()), smooth(y.fract()));
    let at = |dx: u32, dy: u32| random(left + dx, top + dy, seed);
    let row = |dy: u32| at(0, dy) + (at(1, dy) - at(0, dy)) * across;
    row(0) + (row(1) - row(0)) * down
}

/// A line of `/proc/self/status`, in kB; 0 where there is none.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Seconds of processor time that this process took; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}
