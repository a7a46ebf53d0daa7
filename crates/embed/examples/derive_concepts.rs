//! Derives the vectors of the look model's concepts from their names, by the local text model. Run it after a
//! change to `concepts.txt` or to the text model:
//!
//! ```text
//! cargo run -p atelier-embed --example derive_concepts
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::thread::available_parallelism;

use atelier_embed::{ConceptList, MiniLm, ModelBytes, TextEmbedder};

fn main() -> Result<(), Box<dyn Error>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models");
    let tokenizer = std::fs::read(models.join("minilm/tokenizer.json"))?;
    let model = ModelBytes::File(models.join("minilm/model-int8.onnx"));
    let text = MiniLm::load(model, &tokenizer, available_parallelism()?)?;

    let list = ConceptList::read(&std::fs::read_to_string(models.join("efficientnet-lite0/concepts.txt"))?)?;
    let vectors = text.embed(list.names())?;
    let bytes = list.encode(text.id(), &vectors)?;
    println!("{} concepts with {} names: {} bytes", list.count(), vectors.len(), bytes.len());
    std::fs::write(models.join("efficientnet-lite0/vectors.bin"), bytes)?;
    Ok(())
}
