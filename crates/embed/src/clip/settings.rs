//! The JSON files beside an exported model.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::resample::ResampleFilter;
use crate::EmbedError;

/// The families of models, which differ in how a text is filled up and how a picture is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelFamily {
    /// A text has its own length; a picture's middle is shown.
    Clip,
    /// A text is filled up to the longest length; a picture is squeezed into the square.
    Siglip,
}

/// `config.json`, as far as it is used.
#[derive(Deserialize)]
struct ModelConfig {
    model_type: String,
    #[serde(default)]
    text_config: TextConfig,
}

#[derive(Default, Deserialize)]
struct TextConfig {
    max_position_embeddings: Option<usize>,
    pad_token_id: Option<u32>,
}

/// `tokenizer_config.json`, which may be missing.
#[derive(Default, Deserialize)]
struct TokenizerConfig {
    pad_token: Option<Token>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Text(String),
    Object { content: String },
}

/// Token limit and padding of texts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TextSettings {
    pub(super) family: ModelFamily,
    /// Tokens of a text that the model reads, its marks included.
    pub(super) length: usize,
    /// The token that a text is filled up with, by name if that is known, and by number.
    pub(super) padding: (Option<String>, u32),
}

impl TextSettings {
    pub(super) fn read(folder: &Path) -> Result<Self, EmbedError> {
        let path = folder.join("config.json");
        let config: ModelConfig = read_json(&path)?.ok_or_else(|| missing(folder, "config.json"))?;
        let family = match config.model_type.as_str() {
            "clip" => ModelFamily::Clip,
            "siglip" => ModelFamily::Siglip,
            other => {
                let reason = format!("its model_type is {other:?}, and only clip and siglip are known");
                return Err(EmbedError::ClipSetting { path, reason });
            }
        };
        // What a config leaves out has the default that transformers gives it.
        let length = config.text_config.max_position_embeddings.unwrap_or(match family {
            ModelFamily::Clip => 77,
            ModelFamily::Siglip => 64,
        });
        let tokenizer: TokenizerConfig = read_json(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
        let name = tokenizer.pad_token.map(|token| match token {
            Token::Text(content) | Token::Object { content } => content,
        });
        Ok(Self { family, length, padding: (name, config.text_config.pad_token_id.unwrap_or(1)) })
    }
}

/// `preprocessor_config.json`, as far as it is used.
#[derive(Deserialize)]
struct Processor {
    do_resize: Option<bool>,
    size: Option<Size>,
    resample: Option<u32>,
    do_center_crop: Option<bool>,
    crop_size: Option<Size>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    do_normalize: Option<bool>,
    image_mean: Option<[f64; 3]>,
    image_std: Option<[f64; 3]>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Side(u32),
    Shortest { shortest_edge: u32 },
    Exact { height: u32, width: u32 },
}

/// The way from a picture of any size to the size that the model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureFit {
    /// The shorter side gets this length, and then the middle of this width and height is cut out.
    Middle { shortest: u32, width: u32, height: u32 },
    /// Both sides get these lengths, whatever becomes of the proportions.
    Squeezed { width: u32, height: u32 },
}

impl PictureFit {
    /// Width and height of what the model sees.
    pub(super) fn seen(self) -> (u32, u32) {
        match self {
            Self::Middle { width, height, .. } | Self::Squeezed { width, height } => (width, height),
        }
    }
}

/// Size, filter and normalisation of pictures.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PictureSettings {
    pub(super) fit: PictureFit,
    pub(super) filter: ResampleFilter,
    /// The factor by which a byte is multiplied before it is normalised, usually 1/255.
    factor: f64,
    mean: [f64; 3],
    deviation: [f64; 3],
}

impl PictureSettings {
    pub(super) fn read(folder: &Path, family: ModelFamily) -> Result<Self, EmbedError> {
        let path = folder.join("preprocessor_config.json");
        let file: Processor = read_json(&path)?.ok_or_else(|| missing(folder, "preprocessor_config.json"))?;
        Self::of(&file, family).map_err(|reason| EmbedError::ClipSetting { path, reason })
    }

    fn of(file: &Processor, family: ModelFamily) -> Result<Self, String> {
        let on = |switch: Option<bool>| switch.unwrap_or(true);
        if !on(file.do_resize) {
            return Err("do_resize is false, but pictures come in all sizes".to_owned());
        }
        let crops = file.do_center_crop.unwrap_or(family == ModelFamily::Clip);
        let fit = match (file.size.unwrap_or(Size::Side(224)), crops) {
            (Size::Shortest { shortest_edge: shortest }, true) => middle(shortest, file.crop_size)?,
            (Size::Side(shortest), true) if family == ModelFamily::Clip => middle(shortest, file.crop_size)?,
            (Size::Exact { width, height }, false) => PictureFit::Squeezed { width, height },
            (Size::Side(side), false) if family == ModelFamily::Siglip => {
                PictureFit::Squeezed { width: side, height: side }
            }
            (Size::Exact { width, height }, true) if file.crop_size.is_none_or(|crop| crop.is(width, height)) => {
                PictureFit::Squeezed { width, height }
            }
            _ => return Err("size and do_center_crop do not go together".to_owned()),
        };
        let (width, height) = fit.seen();
        if !(1..=4096).contains(&width) || !(1..=4096).contains(&height) {
            return Err(format!("pictures of {width} by {height} pixels are not supported"));
        }
        let filter = match file.resample.unwrap_or(3) {
            1 => ResampleFilter::Lanczos,
            2 => ResampleFilter::Bilinear,
            3 => ResampleFilter::Bicubic,
            4 => ResampleFilter::Box,
            5 => ResampleFilter::Hamming,
            other => return Err(format!("resample is {other}, and only 1 to 5 are supported")),
        };
        let factor = if on(file.do_rescale) { file.rescale_factor.unwrap_or(1.0 / 255.0) } else { 1.0 };
        let (mean, deviation) = match (on(file.do_normalize), file.image_mean, file.image_std) {
            (false, ..) => ([0.0; 3], [1.0; 3]),
            (true, Some(mean), Some(deviation)) => (mean, deviation),
            _ => return Err("it has no image_mean or no image_std".to_owned()),
        };
        if deviation.contains(&0.0) {
            return Err("image_std holds a zero".to_owned());
        }
        Ok(Self { fit, filter, factor, mean, deviation })
    }

    /// The number that a byte of this channel becomes.
    pub(super) fn number(&self, channel: usize, byte: u8) -> f32 {
        ((f64::from(byte) * self.factor - self.mean[channel]) / self.deviation[channel]) as f32
    }
}

impl Size {
    fn is(self, width: u32, height: u32) -> bool {
        match self {
            Self::Side(side) | Self::Shortest { shortest_edge: side } => (side, side) == (width, height),
            Self::Exact { height: h, width: w } => (w, h) == (width, height),
        }
    }
}

/// The middle of this size, or of the shorter side's length if none is named.
fn middle(shortest: u32, crop: Option<Size>) -> Result<PictureFit, String> {
    let (width, height) = match crop {
        None => (shortest, shortest),
        Some(Size::Side(side) | Size::Shortest { shortest_edge: side }) => (side, side),
        Some(Size::Exact { height, width }) => (width, height),
    };
    if width > shortest || height > shortest {
        return Err(format!("crop_size is larger than {shortest}, the shorter side"));
    }
    Ok(PictureFit::Middle { shortest, width, height })
}

/// Reads a JSON file; none if there is no such file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, EmbedError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(EmbedError::ModelFile { path: path.to_owned(), source }),
    };
    let invalid =
        |error: serde_json::Error| EmbedError::ClipSetting { path: path.to_owned(), reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(invalid)
}

/// The calibration that someone put beside the model, if there is one.
pub(super) fn calibration(folder: &Path) -> Result<Option<crate::Calibration>, EmbedError> {
    read_json(&folder.join("calibration.json"))
}

pub(super) fn missing(folder: &Path, name: &'static str) -> EmbedError {
    EmbedError::ClipFile { folder: folder.to_owned(), name }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn settings(json: &str, family: ModelFamily) -> Result<PictureSettings, String> {
        PictureSettings::of(&serde_json::from_str(json).unwrap(), family)
    }

    const NORM: &str = r#""image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]"#;

    #[test]
    fn sizes_are_read_in_every_form_in_which_they_were_ever_written() {
        let fit = |json: &str, family| settings(&format!("{{{json}{NORM}}}"), family).unwrap().fit;
        let middle = |shortest, side| PictureFit::Middle { shortest, width: side, height: side };
        assert_eq!(fit("", ModelFamily::Clip), middle(224, 224));
        assert_eq!(fit(r#""size": 224, "crop_size": 224, "#, ModelFamily::Clip), middle(224, 224));
        let named = r#""size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}, "#;
        assert_eq!(fit(named, ModelFamily::Clip), middle(256, 224));
        let exact = r#""size": {"height": 384, "width": 384}, "do_center_crop": null, "crop_size": null, "#;
        assert_eq!(fit(exact, ModelFamily::Siglip), PictureFit::Squeezed { width: 384, height: 384 });
        assert_eq!(fit(r#""size": 256, "#, ModelFamily::Siglip), PictureFit::Squeezed { width: 256, height: 256 });
        let both = r#""size": {"height": 224, "width": 224}, "do_center_crop": true, "#;
        assert_eq!(fit(both, ModelFamily::Clip), PictureFit::Squeezed { width: 224, height: 224 });
    }

    #[test]
    fn bytes_become_numbers_around_zero() {
        let settings = settings(&format!("{{{NORM}}}"), ModelFamily::Clip).unwrap();
        assert_eq!([0, 255].map(|byte| settings.number(0, byte)), [-1.0, 1.0]);
        let raw = r#"{"do_rescale": false, "do_normalize": false}"#;
        assert_eq!(
            PictureSettings::of(&serde_json::from_str(raw).unwrap(), ModelFamily::Clip).unwrap().number(2, 17),
            17.0
        );
    }

    #[test]
    fn what_is_not_supported_is_refused_with_the_setting_by_name() {
        let reason = |json: &str| settings(json, ModelFamily::Clip).unwrap_err();
        assert!(reason(r#"{"do_resize": false}"#).contains("do_resize"));
        assert!(reason("{}").contains("image_mean"));
        assert!(reason(&format!(r#"{{"resample": 0, {NORM}}}"#)).contains("resample is 0"));
        assert!(reason(&format!(r#"{{"size": 200, "crop_size": 224, {NORM}}}"#)).contains("crop_size"));
        assert!(reason(&format!(r#"{{"size": 0, {NORM}}}"#)).contains("0 by 0"));
        assert!(reason(r#"{"image_mean": [0, 0, 0], "image_std": [1, 0, 1]}"#).contains("image_std"));
        let both = format!(r#"{{"size": {{"shortest_edge": 224}}, "do_center_crop": false, {NORM}}}"#);
        assert!(reason(&both).contains("do_center_crop"));
    }
}
