//! An embedder that runs any CLIP or SigLIP export from a folder.

mod resample;
mod settings;
mod tower;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{ThreadPool, Value};
use tokenizers::{Tokenizer, TruncationParams};

use self::resample::resample;
use self::settings::{ModelFamily, PictureFit, PictureSettings, TextSettings, missing};
use self::tower::Tower;
use crate::model::failed;
use crate::picture::{Area, CHANNELS};
use crate::workers::Workers;
use crate::{Calibration, EmbedError, EmbedderId, Look, LookEmbedder, MAX_CHARACTERS, Picture, Vector};

/// A CLIP or SigLIP from a folder, as the onnx-community publishes them on Hugging Face: texts and pictures in
/// one space.
///
/// The folder holds `config.json`, `preprocessor_config.json`, `tokenizer.json`, and `vision_model.onnx` and
/// `text_model.onnx` in it or in a folder `onnx` within it, in f32 (or with weights of eight bits); it may hold
/// `tokenizer_config.json`. Pictures are prepared as transformers does it with Pillow. Texts and pictures run
/// through the models one by one, each on one thread.
///
/// Meaning and appearance are the same vector. Cosines of such models lie anywhere (CLIP's good matches near
/// 0.3, SigLIP's near 0.1), so there is no calibration, but for one that someone fitted and put into the folder
/// as `calibration.json`.
pub struct Clip {
    id: EmbedderId,
    calibration: Option<Calibration>,
    tokenizer: Tokenizer,
    texts: TextSettings,
    /// The token that a text is filled up with.
    padding: i32,
    pictures: PictureSettings,
    vision: Tower,
    text: Tower,
    dimensions: usize,
    workers: Workers,
}

impl Clip {
    /// Loads what lies in `folder`, and tries it on one picture and one text. It uses at most `threads`
    /// processor cores at a time, however many callers it has.
    ///
    /// Its id is the folder's name and a hash of the files, so that other files have other vectors.
    ///
    /// # Errors
    /// [`EmbedError::ClipFile`] if a file is not there, [`EmbedError::ModelFile`] if one can't be read,
    /// [`EmbedError::ClipSetting`], [`EmbedError::Tokenizer`] or [`EmbedError::ClipModel`] if one is not what
    /// it should be.
    pub fn load(folder: &Path, threads: NonZeroUsize) -> Result<Self, EmbedError> {
        let texts = TextSettings::read(folder)?;
        let pictures = PictureSettings::read(folder, texts.family)?;
        let tokenizer_file = folder.join("tokenizer.json");
        let (vision_file, text_file) = (
            find(folder, "vision_model.onnx", "vision_model.onnx, nor one in a folder onnx")?,
            find(folder, "text_model.onnx", "text_model.onnx, nor one in a folder onnx")?,
        );
        let tokenizer = load_tokenizer(folder, &tokenizer_file, texts.length)?;
        let padding = padding_of(&tokenizer, &texts)?;
        let settings =
            ["config.json", "preprocessor_config.json", "tokenizer_config.json"].map(|name| folder.join(name));
        let files = settings.into_iter().chain([tokenizer_file, vision_file.clone(), text_file.clone()]);

        // A CLIP export without its projection gives vectors too, but its texts and pictures are not in one
        // space: only the projected output is accepted. SigLIP has no projection.
        let (of_pictures, of_texts): (&[&str], &[&str]) = match texts.family {
            ModelFamily::Clip => (&["image_embeds"], &["text_embeds"]),
            ModelFamily::Siglip => (&["image_embeds", "pooler_output"], &["text_embeds", "pooler_output"]),
        };
        let mut clip = Self {
            id: id(folder, files)?,
            calibration: settings::calibration(folder)?,
            vision: Tower::load(vision_file, "pixel_values", of_pictures)?,
            text: Tower::load(text_file, "input_ids", of_texts)?,
            tokenizer,
            texts,
            padding,
            pictures,
            dimensions: 0,
            workers: Workers::new(threads),
        };
        clip.dimensions = clip.try_out()?;
        Ok(clip)
    }

    /// Runs both models once. Returns how many numbers they give.
    fn try_out(&self) -> Result<usize, EmbedError> {
        let grey = Picture::new(2, 3, vec![128; 18])?;
        let tried = self.workers.map(vec![true, false], |is_picture, thread| {
            let tower = if is_picture { &self.vision } else { &self.text };
            let vector = if is_picture { self.of_picture(&grey, thread) } else { self.of_text("a cat", thread) };
            vector.map(|vector| vector.dimensions()).map_err(|error| tower.invalid(error.to_string()))
        })?;
        match tried.as_slice() {
            [pictures, texts] if pictures == texts => Ok(*pictures),
            other => Err(self.text.invalid(format!("pictures and texts have vectors of different lengths, {other:?}"))),
        }
    }

    /// The vector of a picture, worked out on `thread`.
    fn of_picture(&self, picture: &Picture, thread: &Arc<ThreadPool>) -> Result<Vector, EmbedError> {
        let seen = fitted(picture, &self.pictures)?;
        let numbers = seen.planes(|channel, byte| self.pictures.number(channel, byte));
        let shape = [1, CHANNELS, seen.height() as usize, seen.width() as usize];
        let pixels = Value::from_shape(shape, numbers).map_err(failed)?;
        self.vision.run(pixels, None, thread)
    }

    /// The vector of a text, worked out on `thread`.
    fn of_text(&self, text: &str, thread: &Arc<ThreadPool>) -> Result<Vector, EmbedError> {
        let mut tokens = self.tokens(text)?;
        let mut mask = vec![1; tokens.len()];
        if self.texts.family == ModelFamily::Siglip {
            // SigLIP was trained on padded texts, so the mask, if there is one, covers the padding too.
            tokens.resize(self.texts.length, self.padding);
            mask.resize(self.texts.length, 1);
        }
        let shape = [1, tokens.len()];
        let tokens = Value::from_shape(shape, tokens).map_err(failed)?;
        let mask = Value::from_shape(shape, mask).map_err(failed)?;
        self.text.run(tokens, Some(mask), thread)
    }

    /// Token ids of a text, its marks included.
    fn tokens(&self, text: &str) -> Result<Vec<i32>, EmbedError> {
        let refused = |error: &dyn std::fmt::Display| EmbedError::Tokenize(error.to_string());
        let end = text.char_indices().nth(MAX_CHARACTERS).map_or(text.len(), |(end, _)| end);
        let encoding = self.tokenizer.encode_fast(&text[..end], true).map_err(|error| refused(&error))?;
        let tokens: Result<Vec<i32>, _> = encoding.get_ids().iter().map(|&id| i32::try_from(id)).collect();
        tokens.map_err(|error| refused(&error))
    }
}

impl LookEmbedder for Clip {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn meaning_dimensions(&self) -> usize {
        self.dimensions
    }

    fn appearance_dimensions(&self) -> usize {
        self.dimensions
    }

    fn look(&self, pictures: &[Picture]) -> Result<Vec<Look>, EmbedError> {
        self.workers.map(pictures.iter().collect(), |picture, thread| {
            let vector = self.of_picture(picture, thread)?;
            Ok(Look { meaning: vector.clone(), appearance: vector })
        })
    }

    fn query_id(&self) -> &EmbedderId {
        &self.id
    }

    fn query(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.workers.map(texts.iter().collect(), |text, thread| self.of_text(text, thread))
    }

    fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }
}

/// A picture as large as the model reads.
fn fitted(picture: &Picture, settings: &PictureSettings) -> Result<Picture, EmbedError> {
    match settings.fit {
        PictureFit::Squeezed { width, height } => resample(picture, width, height, settings.filter),
        PictureFit::Middle { shortest, width, height } => {
            let shorter = u64::from(picture.width().min(picture.height()));
            // The longer side is rounded down, as transformers does.
            let scaled = |side: u32| (u64::from(side) * u64::from(shortest) / shorter) as u32;
            let whole = resample(picture, scaled(picture.width()), scaled(picture.height()), settings.filter)?;
            let (left, top) = ((whole.width() - width) / 2, (whole.height() - height) / 2);
            whole.cut(Area { left, top, width, height })
        }
    }
}

/// The file of this name in the folder or in `onnx` within it.
fn find(folder: &Path, file: &str, name: &'static str) -> Result<PathBuf, EmbedError> {
    let places = [folder.join(file), folder.join("onnx").join(file)];
    places.into_iter().find(|path| path.is_file()).ok_or_else(|| missing(folder, name))
}

/// Reads the tokenizer and sets what is ours to set: no padding, our length, and marks in a text
/// (`<|endoftext|>` …) are text.
fn load_tokenizer(folder: &Path, path: &Path, length: usize) -> Result<Tokenizer, EmbedError> {
    let failed =
        |error: tokenizers::Error| EmbedError::ClipSetting { path: path.to_owned(), reason: error.to_string() };
    if !path.is_file() {
        return Err(missing(folder, "tokenizer.json"));
    }
    let mut tokenizer = Tokenizer::from_file(path).map_err(failed)?;
    let truncation = TruncationParams { max_length: length, ..TruncationParams::default() };
    tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(failed)?;
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}

/// The token that a text is filled up with.
fn padding_of(tokenizer: &Tokenizer, settings: &TextSettings) -> Result<i32, EmbedError> {
    let (name, number) = &settings.padding;
    let token = name.as_deref().and_then(|name| tokenizer.token_to_id(name)).unwrap_or(*number);
    i32::try_from(token).map_err(|error| EmbedError::Tokenizer(error.to_string()))
}

/// The folder's name and a hash of its files. Those that are not there count as empty.
fn id(folder: &Path, files: impl Iterator<Item = PathBuf>) -> Result<EmbedderId, EmbedError> {
    let mut hasher = blake3::Hasher::new();
    for path in files.flat_map(|path| [path.clone(), path.with_extension("onnx_data")]) {
        match std::fs::File::open(&path) {
            Ok(file) => {
                hasher.update_reader(file).map_err(|source| EmbedError::ModelFile { path, source })?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(EmbedError::ModelFile { path, source }),
        }
        // A separator, so that bytes moved from one file to the next change the hash.
        hasher.update(&[0]);
    }
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map_or_else(|| "clip".into(), |name| name.to_string_lossy());
    let name: String = name.chars().map(|c| if c.is_whitespace() || c.is_control() { '-' } else { c }).collect();
    format!("{name}/{}", &hasher.finalize().to_hex()[..16]).parse()
}
