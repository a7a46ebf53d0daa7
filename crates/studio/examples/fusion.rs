//! How much the look of images should count beside their words: half the words of each caption are indexed, and the
//! other half is the query, so that neither stage knows it all.
//!
//! ```text
//! cargo run --release -p atelier-studio --example fusion -- [FOLDER]
//! ```
//!
//! The folder has an `images.json` with captions, as assets/library has, which is what is taken if none is named. It
//! prints the nDCG@10 of each stage alone, and of all together by the weight of the look.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_embed::{EfficientNet, EfficientNetFiles, LookEmbedder, MiniLm, ModelBytes, Picture, TextEmbedder, Vector};
use atelier_search::evaluate::{Judged, Metric, evaluate};
use atelier_search::{Change, CutOffs, Document, FusionWeights, Index, IndexSettings, Query, SearchError};
use atelier_studio::library::Embedders;
use atelier_studio::library::decode::{DecodeLimits, PictureReader};
use atelier_studio::library::derive::{LONG_SIDE, SHORT_SIDE};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SEEDS: std::ops::Range<u64> = 0..5;
const LOOK_WEIGHTS: [f32; 8] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0];
/// Words that say nothing of what is seen.
const STOP: &str = " a an the and or of in on at to with for from by is are was were be it its this that these those as \
                    into near over under up down his her their our your my one some ";

fn main() -> Result<()> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    let folder = std::env::args().nth(1).map_or_else(|| assets.join("library"), PathBuf::from);
    let embedders = embedders(&assets.join("models"))?;
    let (text, look) = (embedders.text.clone().ok_or("no text")?, embedders.look.clone().ok_or("no look")?);
    let pictures = pictures(&folder, look.as_ref())?;
    println!("{} captioned pictures", pictures.len());
    for shared in 0..=2 {
        let mut sums = vec![[0.0; 2]; 3 + LOOK_WEIGHTS.len()];
        for seed in SEEDS {
            let found = measure(&pictures, seed, shared, &embedders, text.as_ref(), look.as_ref())?;
            for (sum, found) in sums.iter_mut().zip(found) {
                sum.iter_mut().zip(found).for_each(|(sum, found)| *sum += found / SEEDS.clone().count() as f64);
            }
        }
        println!("{:<24}{:>12}{:>12}", format!("nDCG@10, {shared} shared"), "cut off", "everything");
        let names = ["lexical", "text", "look"].map(str::to_owned).into_iter();
        for (name, [cut, whole]) in names.chain(LOOK_WEIGHTS.map(|weight| format!("all, look {weight}"))).zip(sums) {
            println!("{name:<24}{cut:>12.3}{whole:>12.3}");
        }
    }
    Ok(())
}

/// A picture's caption and look.
struct Captioned {
    id: String,
    caption: String,
    look: Vector,
}

fn pictures(folder: &Path, look: &dyn LookEmbedder) -> Result<Vec<Captioned>> {
    let reader = PictureReader::new(DecodeLimits::default());
    let list: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join("images.json"))?)?;
    let mut pictures = Vec::with_capacity(list.len());
    for (entry, number) in list.iter().zip(0..) {
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let picture =
            reader.read(&std::fs::read(folder.join(text("filename")))?)?.into_picture(SHORT_SIDE, LONG_SIDE)?;
        let picture = Picture::new(picture.width, picture.height, picture.rgb)?;
        let look = look.look(&[picture])?.remove(0).meaning;
        pictures.push(Captioned { id: format!("{number:05}"), caption: text("caption"), look });
    }
    Ok(pictures)
}

/// Half of the content words in their order, and the other half.
fn halves(caption: &str, shared: usize, chance: &mut fastrand::Rng) -> (String, String) {
    let words: Vec<&str> = caption
        .split(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '\'')
        .filter(|word| !word.is_empty() && !STOP.contains(&format!(" {} ", word.to_lowercase())))
        .collect();
    let mut order: Vec<usize> = (0..words.len()).collect();
    chance.shuffle(&mut order);
    let kept = &order[..words.len().div_ceil(2)];
    let half = |indexed: bool| {
        let both = if indexed { &[] } else { &kept[..shared.min(kept.len())] };
        let words = words.iter().enumerate();
        let words = words.filter(|(place, _)| kept.contains(place) == indexed || both.contains(place));
        words.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    };
    (half(true), half(false))
}

/// For each stage alone, and for all by the weight of the look: nDCG@10 with the cut-offs and without.
fn measure(
    pictures: &[Captioned],
    seed: u64,
    shared: usize,
    embedders: &Embedders,
    text: &dyn TextEmbedder,
    look: &dyn LookEmbedder,
) -> Result<Vec<[f64; 2]>> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let (mut changes, mut judged) = (Vec::new(), Vec::new());
    for picture in pictures {
        let (indexed, query) = halves(&picture.caption, shared, &mut chance);
        changes.push(Change::Put(Box::new(Document {
            id: picture.id.clone(),
            text: Some(text.embed(std::slice::from_ref(&indexed))?.remove(0)),
            caption: indexed,
            look: Some(picture.look.clone()),
            ..Document::default()
        })));
        if !query.is_empty() {
            judged.push(Judged { query, relevant: [(picture.id.clone(), 1.0)].into() });
        }
    }
    let dir = tempfile::tempdir()?;
    let base = atelier_studio::search::settings(embedders);
    {
        let index = Index::open(dir.path(), base.clone())?;
        index.apply(&changes, changes.len() as u64)?;
        index.commit()?;
    }
    let uncut = CutOffs { color: CutOffs::default().color, ..CutOffs::none() };
    let mut queries = std::collections::HashMap::new();
    for one in &judged {
        let words = std::slice::from_ref(&one.query);
        queries.insert(one.query.clone(), (text.embed(words)?.remove(0), look.query(words)?.remove(0)));
    }
    let score = |stages: &str, settings: IndexSettings| -> Result<f64> {
        let index = Index::open_read_only(dir.path(), settings)?;
        let ranked = |one: &Judged| {
            let (text, look) = &queries[&one.query];
            let query = Query {
                words: stages.contains("lexical").then(|| one.query.clone()),
                text: stages.contains("text").then(|| text.clone()),
                look: stages.contains("look").then(|| look.clone()),
                limit: 10,
                ..Query::default()
            };
            Ok::<_, SearchError>(index.search(&query)?.hits.into_iter().map(|hit| hit.id).collect())
        };
        Ok(evaluate(&judged, ranked)?.mean(Metric::NdcgAt10))
    };
    let alone = ["lexical", "text", "look"].map(|stage| (stage, base.fusion.look));
    let together = LOOK_WEIGHTS.map(|weight| ("lexical text look", weight));
    let both = |(stages, look): (&str, f32)| {
        let settings = IndexSettings { fusion: FusionWeights { look, ..base.fusion }, ..base.clone() };
        let open = IndexSettings { cut_offs: uncut, ..settings.clone() };
        Ok([score(stages, settings)?, score(stages, open)?])
    };
    alone.into_iter().chain(together).map(both).collect()
}

fn embedders(models: &Path) -> Result<Embedders> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let tokenizer = std::fs::read(models.join("minilm/tokenizer.json"))?;
    let text = Arc::new(MiniLm::load(ModelBytes::File(models.join("minilm/model-int8.onnx")), &tokenizer, threads)?);
    let folder = models.join("efficientnet-lite0");
    let files = EfficientNetFiles {
        model: ModelBytes::File(folder.join("model-int8.onnx")),
        concepts: &std::fs::read_to_string(folder.join("concepts.txt"))?,
        vectors: &std::fs::read(folder.join("vectors.bin"))?,
    };
    let look = EfficientNet::load(files, text.clone(), threads)?;
    Ok(Embedders { text: Some(text), look: Some(Arc::new(look)) })
}
