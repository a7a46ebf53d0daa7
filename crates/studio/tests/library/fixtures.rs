//! Pictures, folders and embedders to test with.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use atelier_embed::{Calibration, EmbedError, EmbedderId, Look, LookEmbedder, Picture, TextEmbedder, Vector};
use atelier_engine::{Clock, Stop, Timestamp};
use atelier_store::{Image, ImageFilter, Store};
use atelier_studio::library::decode::DecodeLimits;
use atelier_studio::library::import::{FileOutcome, ImportEvent, ImportOptions, ImportReport, ImportSource, Importer};
use atelier_studio::library::{Embedders, Library};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use tempfile::TempDir;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

/// A folder to import from, and a library beside it.
pub(crate) struct Place {
    dir: TempDir,
    pub(crate) library: Library,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("photos")).unwrap();
        let library = Library::open(Store::open(&dir.path().join("data")).unwrap()).unwrap();
        Self { dir, library }
    }

    /// The library as another process opens it.
    pub(crate) fn again(&self) -> Library {
        Library::open(Store::open(&self.dir.path().join("data")).unwrap()).unwrap()
    }

    /// Forgets for good what was deleted; how many deletions.
    pub(crate) async fn empty_trash(&self) -> u64 {
        let studio = atelier_studio::generate::ImageStudio::new(self.library.clone(), Clock::system());
        studio.empty_trash(None).await.unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn photos(&self) -> PathBuf {
        self.path("photos")
    }

    /// Writes a file into the folder to import from.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.photos().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn importer(&self) -> Importer {
        Importer::new(self.library.clone(), Embedders::default(), DecodeLimits::default(), Clock::starting_at(now()))
    }

    pub(crate) async fn import(&self) -> ImportReport {
        self.import_with(ImportOptions::default()).await
    }

    pub(crate) async fn import_with(&self, options: ImportOptions) -> ImportReport {
        import(&self.importer(), vec![ImportSource::Path(self.photos())], options).await.0
    }

    /// What became of each file, in order, by its name below the folder.
    pub(crate) async fn outcomes(&self, options: ImportOptions) -> Vec<(String, FileOutcome)> {
        let (_, outcomes) = import(&self.importer(), vec![ImportSource::Path(self.photos())], options).await;
        let root = self.photos().canonicalize().unwrap();
        let below = |path: String| Path::new(&path).strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        outcomes.into_iter().map(|(file, outcome)| (below(file), outcome)).collect()
    }

    pub(crate) async fn images(&self) -> Vec<Image> {
        let mut images = self.library.list(&ImageFilter::default(), None, 1_000).await.unwrap();
        images.sort_by(|a, b| a.filename.cmp(&b.filename));
        images
    }

    pub(crate) async fn image(&self, filename: &str) -> Image {
        self.images().await.into_iter().find(|image| image.filename == filename).unwrap()
    }

    /// How many files of images there are.
    pub(crate) fn objects(&self) -> usize {
        files(&self.path("data/objects")).len()
    }
}

pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

pub(crate) async fn import(
    importer: &Importer,
    sources: Vec<ImportSource>,
    options: ImportOptions,
) -> (ImportReport, Vec<(String, FileOutcome)>) {
    let mut outcomes = Vec::new();
    let report = importer.import(sources, options, Stop::never(), |event| {
        if let ImportEvent::File { file, outcome } = event {
            outcomes.push((file.to_owned(), outcome.clone()));
        }
    });
    (report.await.unwrap(), outcomes)
}

pub(crate) fn two_threads() -> ImportOptions {
    ImportOptions { threads: NonZeroUsize::new(2).unwrap(), ..ImportOptions::default() }
}

/// A number from 0 to 1 that looks random.
fn random(x: u32, y: u32, seed: u32) -> f64 {
    let mut hash = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    hash = (hash ^ hash >> 15).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ hash >> 12).wrapping_mul(0x297a_2d39);
    f64::from((hash ^ hash >> 15) & 0xffff) / 65_535.0
}

fn noise(x: f64, y: f64, seed: u32) -> f64 {
    let (left, top) = (x as u32, y as u32);
    let smooth = |t: f64| t * t * (3.0 - 2.0 * t);
    let (across, down) = (smooth(x.fract()), smooth(y.fract()));
    let at = |dx, dy| random(left + dx, top + dy, seed);
    let row = |dy| at(0, dy) + (at(1, dy) - at(0, dy)) * across;
    row(0) + (row(1) - row(0)) * down
}

/// Clouds, other ones for each seed, as a picture of this size: the same seed in another size is the same
/// picture scaled.
pub(crate) fn clouds(seed: u32, width: u32, height: u32) -> Vec<u8> {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (across, down) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            let cloud = |octave: u32| {
                noise(across * 3.0 * f64::from(1 << octave), down * 3.0 * f64::from(1 << octave), seed * 9 + octave)
            };
            let light = (cloud(0) * 0.55 + cloud(1) * 0.3 + cloud(2) * 0.15) * 255.0;
            let tint = |n| 0.6 + 0.4 * random(seed, n, 5);
            rgb.extend([0, 1, 2].map(|n| (light * tint(n)) as u8));
        }
    }
    rgb
}

pub(crate) fn jpeg_of(rgb: &[u8], width: u32, height: u32, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode(rgb, width, height, ExtendedColorType::Rgb8).unwrap();
    file
}

pub(crate) fn png_of(rgb: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(rgb, width, height, ExtendedColorType::Rgb8).unwrap();
    file
}

/// A JPEG of clouds.
pub(crate) fn photo(seed: u32) -> Vec<u8> {
    jpeg_of(&clouds(seed, 160, 120), 160, 120, 90)
}

/// An embedder for tests: the vector of a text says how often each letter comes, that of a picture what its
/// middle looks like. It counts what it is asked, and can be made to fail.
pub(crate) struct TestEmbedder {
    id: EmbedderId,
    calibration: Calibration,
    pub(crate) texts: AtomicUsize,
    pub(crate) pictures: AtomicUsize,
    pub(crate) fails: bool,
}

impl TestEmbedder {
    pub(crate) fn new(id: &str) -> Arc<Self> {
        Arc::new(Self::made(id, false))
    }

    pub(crate) fn failing(id: &str) -> Arc<Self> {
        Arc::new(Self::made(id, true))
    }

    fn made(id: &str, fails: bool) -> Self {
        let knots = vec![
            atelier_embed::Knot { cosine: 0.0, similarity: 0.0 },
            atelier_embed::Knot { cosine: 1.0, similarity: 1.0 },
        ];
        let calibration = Calibration::new("test", knots).unwrap();
        let (texts, pictures) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { id: id.parse().unwrap(), calibration, texts, pictures, fails }
    }

    fn check(&self) -> Result<(), EmbedError> {
        if self.fails { Err(EmbedError::Inference("as it was told".into())) } else { Ok(()) }
    }
}

pub(crate) fn embedders(embedder: &Arc<TestEmbedder>) -> Embedders {
    let (text, look): (Arc<dyn TextEmbedder>, Arc<dyn LookEmbedder>) = (embedder.clone(), embedder.clone());
    Embedders { text: Some(text), look: Some(look) }
}

/// The vector that a [`TestEmbedder`] makes of a text.
pub(crate) fn letters(text: &str) -> Vector {
    let mut counts = vec![0.001_f32; 26];
    for letter in text.bytes().filter(u8::is_ascii_lowercase) {
        counts[usize::from(letter - b'a')] += 1.0;
    }
    Vector::normalised(counts).unwrap()
}

impl TextEmbedder for TestEmbedder {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        26
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        self.check()?;
        Ok(texts.iter().map(|text| letters(text)).collect())
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }
}

impl LookEmbedder for TestEmbedder {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn meaning_dimensions(&self) -> usize {
        3
    }

    fn appearance_dimensions(&self) -> usize {
        4
    }

    fn look(&self, pictures: &[Picture]) -> Result<Vec<Look>, EmbedError> {
        self.pictures.fetch_add(pictures.len(), Ordering::SeqCst);
        self.check()?;
        let look = |picture: &Picture| {
            let place = (picture.height() / 2 * picture.width() + picture.width() / 2) as usize * 3;
            let colour: Vec<f32> = picture.rgb()[place..place + 3].iter().map(|part| f32::from(*part) + 1.0).collect();
            let shape = f32::from(u16::try_from(picture.width()).unwrap());
            Ok(Look {
                appearance: Vector::normalised([colour.as_slice(), &[shape]].concat())?,
                meaning: Vector::normalised(colour)?,
            })
        };
        pictures.iter().map(look).collect()
    }

    fn query_id(&self) -> &EmbedderId {
        &self.id
    }

    fn query(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.embed(texts)
    }

    fn calibration(&self) -> Option<&Calibration> {
        None
    }
}
