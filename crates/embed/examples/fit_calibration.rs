//! Prints the knots that the sample pairs give the local text model, and how well they hold on topics that
//! were left out of the fit. Run it after a change to the model or to the pairs, and put what it prints into
//! `MiniLm::KNOTS`:
//!
//! ```text
//! cargo run -p atelier-embed --example fit_calibration
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;

use atelier_embed::fit::{self, Grade, SamplePair};
use atelier_embed::{Calibration, MiniLm, ModelBytes, TextEmbedder};

fn main() -> Result<(), Box<dyn Error>> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    let pairs = read_pairs(&assets.join("calibration/pairs.jsonl"))?;
    let tokenizer = std::fs::read(assets.join("models/minilm/tokenizer.json"))?;
    let model = ModelBytes::File(assets.join("models/minilm/model-int8.onnx"));
    let embedder = MiniLm::load(model, &tokenizer, NonZeroUsize::MIN)?;

    let topics = embedder.embed(&pairs.iter().map(|pair| pair.topic.clone()).collect::<Vec<_>>())?;
    let posts = embedder.embed(&pairs.iter().map(|pair| pair.post.clone()).collect::<Vec<_>>())?;
    let mut graded = Vec::new();
    for (pair, (topic, post)) in pairs.iter().zip(topics.iter().zip(&posts)) {
        graded.push((pair.grade, topic.cosine(post)?));
    }

    println!("{} pairs\n\ngrade       pairs    10 %    25 %    50 %    75 %    90 %", pairs.len());
    for grade in [Grade::Unrelated, Grade::Related, Grade::Same] {
        let cosines = sorted(graded.iter().filter(|(g, _)| *g == grade).map(|(_, cosine)| *cosine));
        let [a, b, c, d, e] = [0.1, 0.25, 0.5, 0.75, 0.9].map(|q| fit::quantile(&cosines, q));
        let name = format!("{grade:?}");
        println!("{name:<10} {:>6} {a:>7.3} {b:>7.3} {c:>7.3} {d:>7.3} {e:>7.3}", cosines.len());
    }

    println!("\nknots (cosine, similarity)");
    for knot in fit::knots(&graded)? {
        println!("    ({:.2}, {:.2}),", knot.cosine, knot.similarity);
    }

    println!("\nmedian similarity when a topic is left out of the fit\n  unrelated  related  same");
    let mut left_out = [Vec::new(), Vec::new(), Vec::new()];
    let mut names: Vec<&str> = pairs.iter().map(|pair| pair.topic.as_str()).collect();
    names.dedup();
    for name in names {
        let of_topic =
            |wanted: bool| graded.iter().zip(&pairs).filter(move |(_, p)| (p.topic == name) == wanted).map(|(g, _)| *g);
        let curve = Calibration::new("left out", fit::knots(&of_topic(false).collect::<Vec<_>>())?)?;
        for (grade, cosine) in of_topic(true) {
            left_out[grade as usize].push(curve.apply(cosine));
        }
    }
    let [unrelated, related, same] = left_out.map(|values| fit::quantile(&sorted(values.into_iter()), 0.5));
    println!("  {unrelated:.2}       {related:.2}     {same:.2}");
    Ok(())
}

fn read_pairs(path: &Path) -> Result<Vec<SamplePair>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn sorted(numbers: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut numbers: Vec<f32> = numbers.collect();
    numbers.sort_by(f32::total_cmp);
    numbers
}
