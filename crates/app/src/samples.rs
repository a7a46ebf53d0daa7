//! The pictures that ship with the program, and their vectors: a library that never had any can be tried at once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use atelier_engine::Stop;
use atelier_store::{Image, NewVector, VectorSpace};
use atelier_studio::library::decode::DecodeLimits;
use atelier_studio::library::import::{ImportOptions, ImportSource, Importer};
use atelier_studio::library::{Embedders, Library};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::library::EmbedScope;
use crate::views::SamplesView;

include!(concat!(env!("OUT_DIR"), "/sample_files.rs"));

/// What says what is said of the pictures: it is none itself.
const DESCRIPTIONS: &str = "images.json";

/// Which vectors ship, and what they were made of, in the order in which their numbers stand in [`NUMBERS`].
static VECTORS: &str = include_str!("../../../assets/samples/library-vectors.json");
/// Their numbers: `f32`, little-endian.
static NUMBERS: &[u8] = include_bytes!("../../../assets/samples/library-vectors.bin");

/// The hashes of the pictures' files.
static HASHES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let pictures = FILES.iter().filter(|(name, _)| *name != DESCRIPTIONS);
    pictures.map(|(_, content)| blake3::hash(content).to_hex().to_string()).collect()
});

const SPACES: [VectorSpace; 3] = [VectorSpace::Text, VectorSpace::Look, VectorSpace::Appearance];

/// Vectors of one model in one space.
#[derive(Debug, Serialize, Deserialize)]
struct Shipped {
    embedder: String,
    space: String,
    dimensions: usize,
    /// The hashes of the words or of the files.
    made_of: Vec<String>,
}

impl App {
    /// Whether the library never had an image.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn library_is_untouched(&self) -> AppResult<bool> {
        Ok(self.library()?.store().last_library_change().await? == 0)
    }

    /// The samples, and which of them are in the library.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn samples(&self) -> AppResult<SamplesView> {
        let images = sample_images(&self.library()?).await?;
        let library = self.library()?.store().image_count(&Default::default()).await?;
        Ok(SamplesView {
            samples: HASHES.len() as u64,
            there: images.len() as u64,
            others: library - images.len() as u64,
        })
    }

    /// Puts the samples into the library, with the vectors that ship with them; how many are new. Those that are there
    /// already stay as they are.
    ///
    /// # Errors
    /// What the configuration, the import and the store report. What came in before is kept.
    pub async fn add_samples(&self, stop: &Stop) -> AppResult<u64> {
        let library = self.library()?;
        let folder = tokio::task::spawn_blocking(unpacked).await.map_err(std::io::Error::other);
        let folder = folder.flatten().map_err(|error| {
            AppError::new(code!("output-unwritable"), format!("the samples can't be unpacked: {error}"))
                .hint("there has to be room for 4 MB in the folder for temporary files")
        })?;
        let importer = Importer::new(library.clone(), Embedders::default(), DecodeLimits::default(), self.clock());
        let sources = vec![ImportSource::Path(folder.path().to_owned())];
        let report = importer.import(sources, ImportOptions::default(), stop.clone(), |_| {}).await?;
        library.store().put_image_vectors(shipped_vectors(&sample_images(&library).await?)?).await?;
        // Those of another model, if one is configured.
        self.embed_library(EmbedScope::Untried, false, stop, |_| {}).await?;
        Ok(report.imported)
    }

    /// Moves the samples into the trash; how many.
    ///
    /// # Errors
    /// What the store and the search report.
    pub async fn remove_samples(&self) -> AppResult<u64> {
        let ids: Vec<String> = sample_images(&self.library()?).await?.into_iter().map(|image| image.id).collect();
        if ids.is_empty() { Ok(0) } else { self.remove_images(&ids).await }
    }

    /// Writes the vectors of the samples into two files, as they ship. They are made anew wherever a model, or what is said
    /// of a sample, has changed.
    ///
    /// # Errors
    /// What the store reports; `output-unwritable`.
    pub async fn write_sample_vectors(&self, embedders: &[String], folder: &Path) -> AppResult<()> {
        let library = self.library()?;
        let images = sample_images(&library).await?;
        let ids: Vec<String> = images.iter().map(|image| image.id.clone()).collect();
        let (mut shipped, mut numbers) = (Vec::new(), Vec::new());
        for (embedder, space) in embedders.iter().flat_map(|embedder| SPACES.map(|space| (embedder, space))) {
            let mut vectors = library.store().image_vectors(embedder, space, &ids).await?;
            let mut made_of = Vec::with_capacity(vectors.len());
            let mut dimensions = 0;
            for image in &images {
                if let (Some(hash), Some(bytes)) = (made_of_hash(image, space), vectors.remove(&image.id)) {
                    dimensions = bytes.len() / size_of::<f32>();
                    made_of.push(hash.to_owned());
                    numbers.extend(bytes);
                }
            }
            if !made_of.is_empty() {
                let (embedder, space) = (embedder.clone(), space.as_str().to_owned());
                shipped.push(Shipped { embedder, space, dimensions, made_of });
            }
        }
        let list = serde_json::to_string(&shipped).unwrap_or_default();
        std::fs::write(folder.join("library-vectors.bin"), numbers)
            .and_then(|()| std::fs::write(folder.join("library-vectors.json"), list + "\n"))
            .map_err(|error| AppError::new(code!("output-unwritable"), error.to_string()))
    }
}

/// The samples that are in the library.
async fn sample_images(library: &Library) -> AppResult<Vec<Image>> {
    Ok(library.store().images_with_hashes(&HASHES).await?)
}

/// The hash of what a vector in this space is made of.
fn made_of_hash(image: &Image, space: VectorSpace) -> Option<&str> {
    match space {
        VectorSpace::Text => image.text_hash.as_deref(),
        VectorSpace::Look | VectorSpace::Appearance => Some(&image.hash),
    }
}

/// The vectors that ship for these images, as far as nothing else is said of them by now.
fn shipped_vectors(images: &[Image]) -> AppResult<Vec<(String, NewVector)>> {
    let shipped: Vec<Shipped> = serde_json::from_str(VECTORS).map_err(|error| {
        AppError::new(code!("samples-unreadable"), format!("the samples' vectors can't be read: {error}"))
    })?;
    let (mut vectors, mut rest) = (Vec::new(), NUMBERS);
    for Shipped { embedder, space, dimensions, made_of } in shipped {
        let Some(space) = SPACES.into_iter().find(|one| one.as_str() == space) else { continue };
        let wanted: HashMap<&str, &Image> =
            images.iter().filter_map(|image| Some((made_of_hash(image, space)?, image))).collect();
        for made_of in made_of {
            let Some((bytes, behind)) = rest.split_at_checked(dimensions * size_of::<f32>()) else {
                return Ok(vectors);
            };
            rest = behind;
            if let Some(image) = wanted.get(made_of.as_str()) {
                let vector = NewVector { embedder: embedder.clone(), space, made_of, bytes: bytes.to_vec() };
                vectors.push((image.id.clone(), vector));
            }
        }
    }
    Ok(vectors)
}

/// The samples as files, in a folder that goes when it is dropped.
fn unpacked() -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for (name, content) in FILES {
        std::fs::write(folder.path().join(name), content)?;
    }
    Ok(folder)
}
