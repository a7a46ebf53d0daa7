//! The index at a million images: how long it takes to build and to open, how fast and how right its stages
//! are under filters, and how much memory a process that searches takes.
//!
//!     cargo run --release -p atelier-search --example million -- build DIRECTORY [IMAGES]
//!     cargo run --release -p atelier-search --example million -- truth DIRECTORY
//!     cargo run --release -p atelier-search --example million -- measure DIRECTORY
//!     cargo run --release -p atelier-search --example million -- export DIRECTORY
//!
//! Each prints JSON. Vectors are made from those of a few thousand template captions, as the local text model
//! gives them, each with noise: so every caption stands for a hundred images of its kind, as takes of a motif
//! do. Appearance is made alike from vectors of chance. The three steps are three processes, so that the
//! memory of the last is that of searching.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

mod corpus;

use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use atelier_embed::{MiniLm, ModelBytes, TextEmbedder, Vector};
use atelier_search::{Change, CutOffs, Document, Filter, Index, IndexSettings, Query, Space, SpaceSettings, Spaces};
use corpus::Scene;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Captions whose vectors the others are made from.
const CAPTIONS: usize = 5_000;

/// Queries of each measurement.
const QUERIES: usize = 100;

const TEXT: usize = 384;
const APPEARANCE: usize = 1280;

/// Filters, and how many images of a hundred each keeps.
const KEPT: [(&str, u64); 4] = [("all", 100), ("50 %", 50), ("10 %", 10), ("1 %", 1)];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [step, dir, rest @ ..] = arguments.as_slice() else { return Err("name a step and a directory".into()) };
    let dir = PathBuf::from(dir);
    let report = match step.as_str() {
        "build" => build(&dir, rest.first().map_or(Ok(1_000_000), |count| count.parse())?)?,
        "truth" => truth(&dir)?,
        "measure" => measure(&dir)?,
        "export" => export(&dir)?,
        other => return Err(format!("there is no step {other}").into()),
    };
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

/// What the steps share.
#[derive(Serialize, Deserialize)]
struct World {
    images: u64,
    queries: Vec<String>,
    /// The queries' vectors.
    vectors: Vec<Vec<f32>>,
}

/// The vectors that images are made from.
struct Bases {
    text: Vec<Vec<f32>>,
    appearance: Vec<Vec<f32>>,
}

impl Bases {
    fn read(dir: &Path) -> Result<Self> {
        let bytes = fs::read(dir.join("bases.f32"))?;
        let numbers: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect();
        let text = numbers.chunks(TEXT).map(<[f32]>::to_vec).collect();
        // Forty directions that all pictures share, as activations of a network do.
        let mut random = fastrand::Rng::with_seed(4);
        let directions: Vec<Vec<f32>> = (0..40).map(|_| noise(APPEARANCE, &mut random)).collect();
        let one = |random: &mut fastrand::Rng| {
            let mut sum = noise(APPEARANCE, random);
            for direction in &directions {
                let amount = (random.f32() - 0.5) * 4.0;
                sum.iter_mut().zip(direction).for_each(|(sum, number)| *sum += amount * number);
            }
            sum
        };
        Ok(Self { text, appearance: (0..CAPTIONS).map(|_| unit(one(&mut random))).collect() })
    }

    /// The vector of an image: its base's with noise, so that their cosine is about 0.9.
    fn vector(&self, space: Space, number: u64) -> Vec<f32> {
        let scene = (number % CAPTIONS as u64) as usize;
        let base = match space {
            Space::Text => &self.text[scene],
            // What it shows, seen by another model: another base of the same subject would do as well.
            Space::Look => &self.text[(scene * 7 + 1) % CAPTIONS],
            Space::Appearance => &self.appearance[scene],
        };
        let mut random = fastrand::Rng::with_seed(number * 3 + space as u64 + 1);
        let amount = 0.5 / (base.len() as f32 / 12.0).sqrt();
        let noisy = base.iter().map(|number| number + (random.f32() - 0.5) * amount);
        unit(noisy.collect())
    }
}

fn noise(dimensions: usize, random: &mut fastrand::Rng) -> Vec<f32> {
    (0..dimensions).map(|_| random.f32() - 0.5).collect()
}

fn unit(mut numbers: Vec<f32>) -> Vec<f32> {
    let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
    numbers.iter_mut().for_each(|number| *number /= length);
    numbers
}

fn settings() -> IndexSettings {
    let space = |name: &str, dimensions| Some(SpaceSettings { embedder: name.parse().ok()?, dimensions });
    let spaces = Spaces {
        text: space("minilm-l6-v2-int8/1", TEXT),
        look: space("look/1", TEXT),
        appearance: space("appearance/1", APPEARANCE),
    };
    IndexSettings { spaces, ..IndexSettings::default() }
}

fn build(dir: &Path, images: u64) -> Result<Value> {
    fs::create_dir_all(dir)?;
    prepare(dir, images)?;
    let bases = Bases::read(dir)?;
    let _ = fs::remove_dir_all(dir.join("index"));
    let index = Index::open(dir.join("index"), settings())?;
    let (began, mut applying, mut commits) = (Instant::now(), 0.0, Vec::new());
    for start in (0..images).step_by(5_000) {
        let vector = |space, number| Vector::normalised(bases.vector(space, number)).ok();
        let change = |number: u64| {
            Change::Put(Box::new(Document {
                text: vector(Space::Text, number),
                look: vector(Space::Look, number),
                appearance: vector(Space::Appearance, number),
                ..document(number)
            }))
        };
        let changes: Vec<Change> = (start..images.min(start + 5_000)).map(change).collect();
        let now = Instant::now();
        index.apply(&changes, start + 5_000)?;
        applying += now.elapsed().as_secs_f64();
        if start % 50_000 == 45_000 || start + 5_000 >= images {
            let now = Instant::now();
            index.commit()?;
            commits.push(now.elapsed().as_secs_f64());
        }
    }
    let loaded = began.elapsed().as_secs_f64();
    let now = Instant::now();
    index.maintain()?;
    let merged = now.elapsed().as_secs_f64();
    // One image more, as an import beside a running server brings it.
    let mut small = Vec::new();
    for number in images..images + 20 {
        let document =
            Document { text: Vector::normalised(bases.vector(Space::Text, number)).ok(), ..document(number) };
        let now = Instant::now();
        index.apply(&[Change::Put(Box::new(document))], images + 5_000 + number)?;
        index.commit()?;
        small.push(now.elapsed().as_secs_f64() * 1000.0);
    }
    drop(index);
    Ok(json!({
        "images": images,
        "load_s": loaded, "of_it_apply_s": applying, "of_it_commits_s": commits.iter().sum::<f64>(),
        "merge_and_lists_s": merged,
        "one_image_to_findable_ms": percentiles(&mut small),
        "peak_rss_mb": status("VmHWM")?,
        "index_mb": size(&dir.join("index"))? >> 20,
    }))
}

/// An image without its vectors, and with what the filters ask for.
fn document(number: u64) -> Document {
    let mut document = Scene::number(number).document(number);
    for (_, percent) in KEPT {
        if number % 100 < percent {
            document.attributes.insert(format!("first{percent}"), "kept".into());
        }
    }
    document
}

/// Embeds the base captions and the queries.
fn prepare(dir: &Path, images: u64) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/minilm");
    let tokenizer = fs::read(folder.join("tokenizer.json"))?;
    let threads = std::thread::available_parallelism()?;
    let embedder = MiniLm::load(ModelBytes::File(folder.join("model-int8.onnx")), &tokenizer, threads)?;
    if !dir.join("bases.f32").exists() {
        let captions: Vec<String> = (0..CAPTIONS as u64).map(|number| Scene::number(number).embedded()).collect();
        let bytes: Vec<u8> = embedder.embed(&captions)?.iter().flat_map(Vector::to_bytes).collect();
        fs::write(dir.join("bases.f32"), bytes)?;
    }
    let judged = corpus::judged(CAPTIONS as u64, QUERIES / 5, 1);
    let queries: Vec<String> = judged.into_iter().map(|(_, judged)| judged.query).collect();
    let vectors = embedder.embed(&queries)?.iter().map(|vector| vector.as_slice().to_vec()).collect();
    fs::write(dir.join("world.json"), serde_json::to_vec(&World { images, queries, vectors })?)?;
    Ok(())
}

/// A query's vector in a space. Appearance is asked for by an image that the index does not have.
fn probe(world: &World, bases: &Bases, space: Space, query: usize) -> Vec<f32> {
    match space {
        Space::Text | Space::Look => world.vectors[query].clone(),
        Space::Appearance => bases.vector(space, world.images + 1_000_000 + query as u64 * 37),
    }
}

/// The ten nearest of all images to each query, under each filter, by comparing all in `f32`.
fn truth(dir: &Path) -> Result<Value> {
    let world: World = serde_json::from_slice(&fs::read(dir.join("world.json"))?)?;
    let bases = Bases::read(dir)?;
    let began = Instant::now();
    let mut nearest: Vec<Vec<Vec<(f32, u64)>>> = Vec::new();
    for space in Space::ALL {
        let probes: Vec<Vec<f32>> = (0..QUERIES).map(|query| probe(&world, &bases, space, query)).collect();
        let half = world.images / 2;
        let parts = std::thread::scope(|scope| {
            let part = |numbers: std::ops::Range<u64>| {
                let (bases, probes) = (&bases, &probes);
                scope.spawn(move || nearest_of(bases, probes, space, numbers))
            };
            let parts = [part(0..half), part(half..world.images)];
            parts.map(|part| part.join().unwrap_or_default())
        });
        let [mut first, second] = parts;
        for (first, second) in first.iter_mut().zip(second) {
            first.extend(second);
            best(first);
        }
        nearest.extend(first.chunks(KEPT.len()).map(<[_]>::to_vec));
    }
    fs::write(dir.join("truth.json"), serde_json::to_vec(&nearest)?)?;
    Ok(json!({"seconds": began.elapsed().as_secs_f64()}))
}

/// For each query and filter, the best of these images.
fn nearest_of(bases: &Bases, probes: &[Vec<f32>], space: Space, numbers: std::ops::Range<u64>) -> Vec<Vec<(f32, u64)>> {
    let mut found = vec![Vec::new(); probes.len() * KEPT.len()];
    let arch = pulp::Arch::new();
    for number in numbers {
        let vector = bases.vector(space, number);
        for (query, probe) in probes.iter().enumerate() {
            let score = arch.dispatch(|| dot(&vector, probe));
            for (filter, (_, percent)) in KEPT.iter().enumerate() {
                let found: &mut Vec<(f32, u64)> = &mut found[query * KEPT.len() + filter];
                if number % 100 < *percent && (found.len() < 10 || score > found[9].0) {
                    found.push((score, number));
                    best(found);
                }
            }
        }
    }
    found
}

fn best(found: &mut Vec<(f32, u64)>) {
    found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(10);
}

#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    for (left, right) in left.as_chunks::<16>().0.iter().zip(right.as_chunks::<16>().0) {
        for lane in 0..16 {
            sums[lane] += left[lane] * right[lane];
        }
    }
    sums.iter().sum()
}

/// Writes the vectors of text, for bench/search/peers.py.
fn export(dir: &Path) -> Result<Value> {
    let world: World = serde_json::from_slice(&fs::read(dir.join("world.json"))?)?;
    let bases = Bases::read(dir)?;
    let write = |name: &str, vectors: &mut dyn Iterator<Item = Vec<f32>>| -> Result<()> {
        let mut out = BufWriter::new(fs::File::create(dir.join(name))?);
        for number in vectors.flatten() {
            out.write_all(&number.to_le_bytes())?;
        }
        Ok(out.flush()?)
    };
    write("text.f32", &mut (0..world.images).map(|number| bases.vector(Space::Text, number)))?;
    write("probes.f32", &mut (0..QUERIES).map(|query| probe(&world, &bases, Space::Text, query)))?;
    Ok(json!({"images": world.images}))
}

fn measure(dir: &Path) -> Result<Value> {
    let world: World = serde_json::from_slice(&fs::read(dir.join("world.json"))?)?;
    let truth: Vec<Vec<Vec<(f32, u64)>>> = serde_json::from_slice(&fs::read(dir.join("truth.json"))?)?;
    let bases = Bases::read(dir)?;
    let before = status("VmRSS")?;
    let now = Instant::now();
    let index = Index::open_read_only(dir.join("index"), settings())?;
    let opened = now.elapsed().as_secs_f64();
    let mut report = json!({"images": index.images(), "open_s": opened, "rss_after_open_mb": status("VmRSS")?.saturating_sub(before)});
    let mut searches = serde_json::Map::new();
    for kind in ["words, text and look", "words", "text", "look", "appearance", "like", "color"] {
        for (name, percent) in KEPT {
            let mut times = Vec::new();
            for query in 0..QUERIES * 2 {
                let query = ask(&world, &bases, kind, query % QUERIES, percent)?;
                let now = Instant::now();
                index.search(&query)?;
                times.push(now.elapsed().as_secs_f64() * 1000.0);
            }
            // The first round reads from disk what the second finds in memory.
            let mut warm = times.split_off(QUERIES);
            searches.insert(
                format!("{kind}, {name}"),
                json!({"first_ms": percentiles(&mut times), "ms": percentiles(&mut warm)}),
            );
        }
    }
    // What is below a cut-off is not shown however well it was found.
    drop(index);
    let unlimited =
        Index::open_read_only(dir.join("index"), IndexSettings { cut_offs: CutOffs::none(), ..settings() })?;
    let recall = recall(&unlimited, &world, &bases, &truth)?;
    report["searches"] = searches.into();
    report["recall"] = recall;
    let memory = ["VmRSS", "RssAnon", "RssFile"].map(|name| (name, status(name).map(|mb| mb.saturating_sub(before))));
    for (name, mb) in memory {
        report["memory_mb"][name] = json!(mb?);
    }
    Ok(report)
}

fn ask(world: &World, bases: &Bases, kind: &str, query: usize, percent: u64) -> Result<Query> {
    let vector = |space| Vector::normalised(probe(world, bases, space, query));
    let mut asked = Query { filters: filters(percent), ..Query::default() };
    for part in kind.split([',', ' ']) {
        match part {
            "words" => asked.words = Some(world.queries[query].clone()),
            "text" => asked.text = Some(vector(Space::Text)?),
            "look" => asked.look = Some(vector(Space::Look)?),
            "appearance" => asked.appearance = Some(vector(Space::Appearance)?),
            "like" => asked.like = Some(format!("img-{}", query as u64 * 997 % world.images)),
            "color" => asked.color = Some([query as u8 * 2, 100, 200]),
            _ => {}
        }
    }
    Ok(asked)
}

fn filters(percent: u64) -> Vec<Filter> {
    if percent == 100 { Vec::new() } else { vec![Filter::Attribute(format!("first{percent}"), "kept".into())] }
}

/// Recall@10 of each space under each filter, and how many vectors were compared for it.
fn recall(index: &Index, world: &World, bases: &Bases, truth: &[Vec<Vec<(f32, u64)>>]) -> Result<Value> {
    let mut report = serde_json::Map::new();
    for (place, space) in Space::ALL.into_iter().enumerate() {
        for (filter, (name, percent)) in KEPT.into_iter().enumerate() {
            let (mut right, mut scanned) = (0, 0);
            for query in 0..QUERIES {
                let asked = ask(world, bases, space.as_str(), query, percent)?;
                let hits = index.search(&Query { limit: 10, explain: true, ..asked })?;
                let expected = &truth[place * QUERIES + query][filter];
                let has = |id: &str| expected.iter().any(|(_, number)| id == format!("img-{number}"));
                right += hits.hits.iter().filter(|hit| has(&hit.id)).count();
                scanned += hits.explanation.map_or(0, |explanation| explanation.stages[0].scanned.unwrap_or(0));
            }
            let recall = right as f64 / (QUERIES * 10) as f64;
            report.insert(format!("{space}, {name}"), json!({"recall@10": recall, "compared": scanned / QUERIES}));
        }
    }
    Ok(report.into())
}

fn percentiles(times: &mut [f64]) -> Value {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| (times[((times.len() - 1) as f64 * share) as usize] * 100.0).round() / 100.0;
    json!({"p50": at(0.5), "p95": at(0.95)})
}

/// A line of this process's status, in MiB.
fn status(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<u64>()? / 1024)
}

fn size(path: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
