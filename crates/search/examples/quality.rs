//! How good the search is on a library made from templates, with the local text model: nDCG of words alone,
//! of vectors alone and of both; silence on absent queries; latency with the embedding of the query.
//!
//!     cargo run --release -p atelier-search --example quality -- DIRECTORY [IMAGES]
//!
//! It prints JSON, and leaves in the directory what bench/search/peers.py measures the peers on.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

mod corpus;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use atelier_embed::{MiniLm, ModelBytes, TextEmbedder, Vector};
use atelier_search::evaluate::{Evaluation, Judged, Metric, cut_off, evaluate};
use atelier_search::{Change, CutOffs, Document, Index, IndexSettings, Query, SearchError, SpaceSettings, Spaces};
use corpus::Scene;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const OF_EACH_KIND: usize = 200;
const ABSENT: usize = 600;

/// Odd and even seeds share no absent topic: what is fitted on one is measured on the other.
const MEASURED: u64 = 1;
const FITTED: u64 = 2;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("name a directory")?);
    let images: u64 = arguments.next().map_or(Ok(10_000), |count| count.parse())?;
    fs::create_dir_all(&dir)?;
    let embedder = embedder()?;
    let documents = documents(&dir, images, &embedder)?;
    let measured = Queries::new(images, MEASURED, &embedder)?;
    let fitted = Queries::new(images, FITTED, &embedder)?;
    export(&dir, &documents, &measured)?;

    let _ = fs::remove_dir_all(dir.join("index"));
    let index = Index::open(dir.join("index"), settings())?;
    for (number, part) in (1..).zip(documents.chunks(2_000)) {
        let changes: Vec<Change> = part.iter().map(|document| Change::Put(Box::new(document.clone()))).collect();
        index.apply(&changes, number)?;
        index.commit()?;
    }
    index.maintain()?;
    let report = json!({
        "images": images,
        "ranking": ranking(&index, &measured)?,
        "latency_with_embedding_ms": latency(&index, &measured, &embedder)?,
        "silence": silence(&index, &measured, &open(&dir.join("index"))?)?,
        "fitted_cut_offs": fit(&open(&dir.join("index"))?, &fitted)?,
    });
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn embedder() -> Result<MiniLm> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/minilm");
    let tokenizer = fs::read(folder.join("tokenizer.json"))?;
    let threads = std::thread::available_parallelism()?;
    Ok(MiniLm::load(ModelBytes::File(folder.join("model-int8.onnx")), &tokenizer, threads)?)
}

fn settings() -> IndexSettings {
    let space = || Some(SpaceSettings { embedder: "minilm-l6-v2-int8/1".parse().ok()?, dimensions: 384 });
    IndexSettings { spaces: Spaces { text: space(), look: space(), appearance: None }, ..IndexSettings::default() }
}

/// The same index to read, with nothing cut off.
fn open(path: &Path) -> Result<Index> {
    let mut open = settings();
    open.cut_offs = CutOffs { appearance: open.cut_offs.appearance, color: open.cut_offs.color, ..CutOffs::none() };
    Ok(Index::open_read_only(path, open)?)
}

/// The images with their vectors. The text model's are kept in a file from run to run.
fn documents(dir: &Path, images: u64, embedder: &MiniLm) -> Result<Vec<Document>> {
    let file = dir.join(format!("text-{images}.f32"));
    let scenes: Vec<Scene> = (0..images).map(Scene::number).collect();
    let texts: Vec<String> = scenes.iter().map(Scene::embedded).collect();
    let vectors = match fs::read(&file) {
        Ok(bytes) => bytes.chunks(384 * 4).map(Vector::from_bytes).collect::<std::result::Result<_, _>>()?,
        Err(_) => embedder.embed(&texts)?,
    };
    fs::write(&file, vectors.iter().flat_map(Vector::to_bytes).collect::<Vec<u8>>())?;
    let mut labels: BTreeMap<&str, Vector> = BTreeMap::new();
    for (label, _) in scenes.iter().flat_map(Scene::labels) {
        if !labels.contains_key(label) {
            labels.insert(label, embedder.embed(&[label.to_owned()])?.remove(0));
        }
    }
    let look = |scene: &Scene| {
        let mut sum = vec![0.0_f32; 384];
        for (label, probability) in scene.labels() {
            sum.iter_mut().zip(labels[label].as_slice()).for_each(|(sum, number)| *sum += probability * number);
        }
        Vector::normalised(sum)
    };
    let with_vectors = scenes.iter().zip(vectors).zip(0..).map(|((scene, text), number)| {
        Ok(Document { text: Some(text), look: Some(look(scene)?), ..scene.document(number) })
    });
    with_vectors.collect()
}

/// Judged and absent queries with their vectors.
struct Queries {
    kinds: Vec<&'static str>,
    judged: Vec<Judged>,
    absent: Vec<String>,
    vectors: BTreeMap<String, Vector>,
}

impl Queries {
    fn new(images: u64, seed: u64, embedder: &MiniLm) -> Result<Self> {
        let (kinds, judged): (Vec<_>, Vec<_>) = corpus::judged(images, OF_EACH_KIND, seed).into_iter().unzip();
        let absent = corpus::absent(ABSENT, seed);
        let texts: Vec<String> = judged.iter().map(|judged| judged.query.clone()).chain(absent.clone()).collect();
        let vectors = texts.clone().into_iter().zip(embedder.embed(&texts)?).collect();
        Ok(Self { kinds, judged, absent, vectors })
    }

    fn query(&self, words: &str, stages: &str) -> Query {
        let vector = |stage: &str| stages.contains(stage).then(|| self.vectors[words].clone());
        let said = stages.contains("lexical").then(|| words.to_owned());
        Query { words: said, text: vector("text"), look: vector("look"), limit: 10, explain: true, ..Query::default() }
    }
}

fn run(index: &Index, queries: &Queries, stages: &str) -> Result<Evaluation> {
    let ranked = |judged: &Judged| {
        let hits = index.search(&queries.query(&judged.query, stages))?;
        Ok::<_, SearchError>(hits.hits.into_iter().map(|hit| hit.id).collect())
    };
    Ok(evaluate(&queries.judged, ranked)?)
}

/// nDCG and recall of each combination of stages, and how far both together are ahead.
fn ranking(index: &Index, queries: &Queries) -> Result<Value> {
    let all = run(index, queries, "lexical text look")?;
    let mut report = BTreeMap::new();
    for stages in ["lexical", "text", "look", "text look", "lexical text", "lexical text look"] {
        let evaluation = run(index, queries, stages)?;
        let mut by_kind: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (kind, scores) in queries.kinds.iter().zip(&evaluation.queries) {
            by_kind.entry(kind).or_default().push(scores.get(Metric::NdcgAt10));
        }
        let by_kind =
            by_kind.into_iter().map(|(kind, scores)| (kind, scores.iter().sum::<f64>() / scores.len() as f64));
        report.insert(
            stages,
            json!({
                "metrics": evaluation.estimates(),
                "ndcg@10_by_kind": by_kind.collect::<BTreeMap<_, _>>(),
                "hybrid_ahead_by": all.difference(&evaluation, Metric::NdcgAt10)?,
            }),
        );
    }
    Ok(json!(report))
}

fn latency(index: &Index, queries: &Queries, embedder: &MiniLm) -> Result<Value> {
    let mut times = Vec::new();
    for judged in queries.judged.iter().chain(&queries.judged) {
        let began = Instant::now();
        let vector = embedder.embed(std::slice::from_ref(&judged.query))?.remove(0);
        let words = Some(judged.query.clone());
        index.search(&Query { words, text: Some(vector.clone()), look: Some(vector), ..Query::default() })?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Ok(json!({"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "queries": times.len()}))
}

/// How many absent queries give nothing, and how many judged ones lose every right answer to the cut-offs.
fn silence(index: &Index, queries: &Queries, uncut: &Index) -> Result<Value> {
    let mut loud = Vec::new();
    for words in &queries.absent {
        let hits = index.search(&queries.query(words, "lexical text look"))?;
        if let Some(hit) = hits.hits.first() {
            loud.push(json!({"query": words, "first": hit}));
        }
    }
    let answered = |index: &Index, judged: &Judged| -> Result<bool> {
        let hits = index.search(&queries.query(&judged.query, "lexical text look"))?;
        Ok(hits.hits.iter().any(|hit| judged.relevant.contains_key(&hit.id)))
    };
    let (mut lost, mut had) = (Vec::new(), 0);
    for judged in &queries.judged {
        if answered(uncut, judged)? {
            had += 1;
            if !answered(index, judged)? {
                lost.push(&judged.query);
            }
        }
    }
    let silent = 1.0 - loud.len() as f64 / queries.absent.len() as f64;
    let lost_share = lost.len() as f64 / f64::from(had);
    loud.truncate(10);
    Ok(
        json!({"absent": queries.absent.len(), "silent": silent, "judged": had, "lost": lost_share, "lost_queries": lost, "loud": loud}),
    )
}

/// The cut-off of each stage alone that silences so many of the absent queries.
fn fit(uncut: &Index, queries: &Queries) -> Result<Value> {
    let mut report = BTreeMap::new();
    for stage in ["lexical", "text", "look"] {
        let best = |words: &str| -> Result<f32> {
            let explained = uncut.search(&queries.query(words, stage))?.explanation;
            Ok(explained.and_then(|explanation| explanation.stages.first()?.best).unwrap_or(0.0))
        };
        let judged = queries.judged.iter().map(|judged| best(&judged.query)).collect::<Result<Vec<_>>>()?;
        let absent = queries.absent.iter().map(|words| best(words)).collect::<Result<Vec<_>>>()?;
        let cuts = [0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 1.0].map(|silenced| cut_off(&judged, &absent, silenced));
        report.insert(stage, json!(cuts));
    }
    Ok(json!(report))
}

/// What the peers are measured on.
fn export(dir: &Path, documents: &[Document], queries: &Queries) -> Result<()> {
    let mut out = BufWriter::new(fs::File::create(dir.join("documents.jsonl"))?);
    for document in documents {
        let text = format!("{} {} {}", document.caption, document.tags.join(" "), document.filename);
        writeln!(out, "{}", json!({"id": document.id, "text": text}))?;
    }
    let of = |vectors: &mut dyn Iterator<Item = &Vector>| vectors.flat_map(Vector::to_bytes).collect::<Vec<u8>>();
    fs::write(dir.join("text.f32"), of(&mut documents.iter().filter_map(|document| document.text.as_ref())))?;
    fs::write(dir.join("look.f32"), of(&mut documents.iter().filter_map(|document| document.look.as_ref())))?;
    let words = || queries.judged.iter().map(|judged| &judged.query);
    fs::write(dir.join("queries.f32"), of(&mut words().map(|words| &queries.vectors[words])))?;
    let mut out = BufWriter::new(fs::File::create(dir.join("queries.jsonl"))?);
    for judged in &queries.judged {
        writeln!(out, "{}", json!({"query": judged.query, "relevant": judged.relevant}))?;
    }
    Ok(())
}
