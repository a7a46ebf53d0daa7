//! Measures how many texts a second the local text model embeds, one call a text and all in one call.
//!
//! ```text
//! cargo run -p atelier-embed --example rates
//! ```
#![allow(clippy::print_stdout)]
#![expect(clippy::disallowed_methods, reason = "real time is what is measured here")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use atelier_embed::fit::SamplePair;
use atelier_embed::{MiniLm, ModelBytes, TextEmbedder};

fn main() -> Result<(), Box<dyn Error>> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    let pairs = std::fs::read_to_string(assets.join("calibration/pairs.jsonl"))?;
    let pairs: Vec<SamplePair> = pairs.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let posts: Vec<String> = pairs.into_iter().map(|pair| pair.post).collect();
    let long: Vec<String> = vec![posts.join(" "); 16];
    let tokenizer = std::fs::read(assets.join("models/minilm/tokenizer.json"))?;

    let cores = std::thread::available_parallelism()?;
    for threads in [NonZeroUsize::MIN, cores] {
        let started = Instant::now();
        let model = ModelBytes::File(assets.join("models/minilm/model-int8.onnx"));
        let embedder = MiniLm::load(model, &tokenizer, threads)?;
        println!("{threads} threads: loaded in {} ms", started.elapsed().as_millis());

        measure("posts, one a call", posts.len(), || {
            posts.iter().try_for_each(|post| embedder.embed(std::slice::from_ref(post)).map(drop))
        })?;
        measure("posts, one call", posts.len(), || embedder.embed(&posts).map(drop))?;
        measure("256 tokens, one call", long.len(), || embedder.embed(&long).map(drop))?;
    }
    Ok(())
}

/// Runs the work once to warm up and once to measure.
fn measure<E>(what: &str, texts: usize, work: impl Fn() -> Result<(), E>) -> Result<(), E> {
    work()?;
    let started = Instant::now();
    work()?;
    let seconds = started.elapsed().as_secs_f64();
    let each = 1e3 * seconds / texts as f64;
    println!("  {what:<22} {:>6.0} texts/s, {each:.1} ms each", texts as f64 / seconds);
    Ok(())
}
