//! Measures how well words find pictures by their look alone, where nothing should be found, and how long a
//! picture and a query take. `scripts/models/look_set.py` makes the folders that it reads:
//!
//! ```text
//! cargo run --release -p atelier-embed --example look_recall FOLDER
//! ```
//!
//! - **Caption**: one query for each different caption; a hit is any picture that has it.
//! - **Own**: one query for each picture; a hit is that picture, of several with the same caption too.
//! - **Folder**: as own; a hit is any picture of its folder.
//! - **Cut-off**: 300 queries that no picture answers: a hundred of nonsense, a hundred of what can't be drawn
//!   (both from `tests/fixtures/absent-queries.txt`), and a hundred names of concepts that no caption comes
//!   near. The cosine that 95 of a hundred of their best hits stay below is the cut-off.
#![allow(clippy::print_stdout)]
#![expect(clippy::disallowed_methods, reason = "real time is what is measured here")]

use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use atelier_embed::{
    ConceptList, EfficientNet, EfficientNetFiles, LookEmbedder, MiniLm, ModelBytes, Picture, TextEmbedder, Vector, fit,
};

/// Captions farther than this from a concept's name do not show it.
const ABSENT: f32 = 0.45;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder that look_set.py made")?);
    let list = std::fs::read_to_string(folder.join("list.tsv"))?;
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    let captions: Vec<String> = lines.iter().map(|line| line[2].to_owned()).collect();
    let folders: Vec<&str> = lines.iter().map(|line| line[1]).collect();
    let pictures = lines.iter().map(|line| read_ppm(&folder.join(line[0]))).collect::<Result<Vec<_>, _>>()?;

    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models");
    let list = std::fs::read_to_string(assets.join("efficientnet-lite0/concepts.txt"))?;
    let text = Arc::new(load_text(&assets)?);
    let look = load_look(&assets, &list, &text, NonZeroUsize::MIN)?;
    println!("{} pictures", pictures.len());
    let looks =
        timed("a picture", &pictures, |picture| Ok(look.look(std::slice::from_ref(picture))?.remove(0).meaning))?;
    let texts = timed("a query in the text model", &captions, |caption| {
        Ok(text.embed(std::slice::from_ref(caption))?.remove(0))
    })?;
    let queries = timed("a query from there to concepts", &texts, |vector| Ok(look.query_of(vector)?))?;
    println!();

    let found = report_recall(&captions, &folders, &looks, &queries)?;
    report_cut_off(&ConceptList::read(&list)?, &text, &look, &texts, &looks, &found)
}

/// Prints the recall. Returns the cosine of the best right picture of each caption that found one among ten.
fn report_recall(
    captions: &[String],
    folders: &[&str],
    looks: &[Vector],
    queries: &[Vector],
) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut first = BTreeMap::new();
    for (place, caption) in captions.iter().enumerate() {
        first.entry(caption).or_insert(place);
    }
    let mut ranks: [Vec<usize>; 3] = Default::default();
    let mut found = Vec::new();
    for (place, query) in queries.iter().enumerate() {
        let cosines = looks.iter().map(|look| query.cosine(look)).collect::<Result<Vec<_>, _>>()?;
        // How many that are not right stand before the best right one.
        let rank = |right: &dyn Fn(usize) -> bool| {
            let best = (0..looks.len()).filter(|&p| right(p)).map(|p| cosines[p]).fold(-1.0, f32::max);
            ((0..looks.len()).filter(|&p| !right(p) && cosines[p] > best).count(), best)
        };
        ranks[1].push(rank(&|p| p == place).0);
        ranks[2].push(rank(&|p| folders[p] == folders[place]).0);
        if first[&captions[place]] == place {
            let (rank, best) = rank(&|p| captions[p] == captions[place]);
            ranks[0].push(rank);
            found.extend((rank < 10).then_some(best));
        }
    }
    println!("recall    queries     @1     @5    @10    @50");
    for (name, ranks) in ["caption", "own", "folder"].iter().zip(&ranks) {
        let at = |k: usize| ranks.iter().filter(|&&rank| rank < k).count() as f64 / ranks.len() as f64;
        println!("{name:<9} {:>7} {:>6.3} {:>6.3} {:>6.3} {:>6.3}", ranks.len(), at(1), at(5), at(10), at(50));
    }
    found.sort_by(f32::total_cmp);
    Ok(found)
}

/// Prints where absent queries end, and how much a cut-off there costs.
fn report_cut_off(
    list: &ConceptList,
    text: &MiniLm,
    look: &EfficientNet,
    captions: &[Vector],
    looks: &[Vector],
    found: &[f32],
) -> Result<(), Box<dyn Error>> {
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/absent-queries.txt");
    let written: Vec<String> = std::fs::read_to_string(written)?.lines().map(str::to_owned).collect();
    let names: Vec<String> = (0..list.count()).map(|concept| list.names_of(concept)[0].clone()).collect();
    let mut absent = Vec::new();
    for (name, vector) in names.iter().zip(text.embed(&names)?) {
        let nearest = captions.iter().map(|caption| vector.cosine(caption)).collect::<Result<Vec<_>, _>>()?;
        if nearest.into_iter().fold(-1.0, f32::max) < ABSENT {
            absent.push(name.clone());
        }
    }
    let step = (absent.len() / 100).max(1);
    let absent: Vec<String> = absent.into_iter().step_by(step).take(100).collect();

    let best = |queries: &[String]| -> Result<Vec<f32>, Box<dyn Error>> {
        let best =
            |query: &Vector| looks.iter().map(|l| query.cosine(l)).try_fold(-1.0, |m, c| c.map(|c| f32::max(m, c)));
        Ok(look.query(queries)?.iter().map(best).collect::<Result<_, _>>()?)
    };
    let (unheard, absent) = (best(&written)?, best(&absent)?);
    let mut all = [unheard.as_slice(), &absent].concat();
    all.sort_by(f32::total_cmp);
    let cut = fit::quantile(&all, 0.95);
    let lost = |cut: f32| 100.0 * found.iter().filter(|&&cosine| cosine < cut).count() as f64 / found.len() as f64;
    let silent = |best: &[f32]| 100.0 * best.iter().filter(|&&cosine| cosine < cut).count() as f64 / best.len() as f64;
    println!("\ncut-off {cut:.3} (95 % of {} absent queries stay below)", all.len());
    println!("  of what can't be drawn and nonsense, {:.0} % stay below", silent(&unheard));
    println!("  of the names of absent concepts, {:.0} % stay below", silent(&absent));
    println!("  of the captions that found theirs among ten, {:.0} % lose it", lost(cut));
    println!("  at the cut-off that ships, {:.3}, {:.0} %", shipped(look), lost(shipped(look)));
    let [middle, upper, greatest] = [0.5, 0.75, 1.0].map(|q| fit::quantile(found, q));
    println!("cosines of those found: {middle:.3} in the middle, upper quartile {upper:.3}, greatest {greatest:.3}");
    Ok(())
}

/// The cosine from which on the calibration shows a hit.
fn shipped(look: &EfficientNet) -> f32 {
    look.calibration().and_then(|calibration| calibration.cosine_of(EfficientNet::SHOWN_FROM)).unwrap_or_default()
}

/// What `work` makes of each item, on one thread. Prints how long it took: the median, and the fastest, which
/// says most where other programs run beside this one.
fn timed<T, R>(
    what: &str,
    items: &[T],
    work: impl Fn(&T) -> Result<R, Box<dyn Error>>,
) -> Result<Vec<R>, Box<dyn Error>> {
    let mut times = Vec::new();
    let results = items.iter().map(|item| {
        let started = Instant::now();
        let result = work(item);
        times.push(1e3 * started.elapsed().as_secs_f32());
        result
    });
    let results = results.collect::<Result<Vec<R>, _>>()?;
    times.sort_by(f32::total_cmp);
    println!(
        "{:6.2} ms {what} on one thread; {:.2} the fastest",
        fit::quantile(&times, 0.5),
        fit::quantile(&times, 0.0)
    );
    Ok(results)
}

fn load_text(assets: &Path) -> Result<MiniLm, Box<dyn Error>> {
    let tokenizer = std::fs::read(assets.join("minilm/tokenizer.json"))?;
    let model = ModelBytes::File(assets.join("minilm/model-int8.onnx"));
    Ok(MiniLm::load(model, &tokenizer, NonZeroUsize::MIN)?)
}

fn load_look(
    assets: &Path,
    concepts: &str,
    text: &Arc<MiniLm>,
    threads: NonZeroUsize,
) -> Result<EfficientNet, Box<dyn Error>> {
    let vectors = std::fs::read(assets.join("efficientnet-lite0/vectors.bin"))?;
    let model = ModelBytes::File(assets.join("efficientnet-lite0/model-int8.onnx"));
    let files = EfficientNetFiles { model, concepts, vectors: &vectors };
    Ok(EfficientNet::load(files, Arc::clone(text) as Arc<dyn TextEmbedder>, threads)?)
}

/// Reads a PPM of eight bits a channel without comments.
fn read_ppm(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let mut parts = bytes.splitn(5, u8::is_ascii_whitespace);
    let mut next = || parts.next().ok_or("it is cut");
    let (kind, width, height, _, rgb) = (next()?, next()?, next()?, next()?, next()?);
    if kind != b"P6" {
        return Err(format!("{} is no PPM", path.display()).into());
    }
    let number = |text: &[u8]| -> Result<u32, Box<dyn Error>> { Ok(std::str::from_utf8(text)?.parse()?) };
    Ok(Picture::new(number(width)?, number(height)?, rgb.to_vec())?)
}
