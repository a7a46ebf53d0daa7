//! The parts that every wire format shares: writing bodies, reading answers leniently, and wording faults.

use atelier_engine::{Content, Ending, Fault, FaultKind, ImageData, Reply, Usage};
use base64::DecodeError;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error_body::{ErrorBody, error_in, is_error};
use crate::http::HttpAnswer;
use crate::lenient::{self, Body};
use crate::secret::clean;

/// More than any call uses of anything. Counts are added up, for limits and for bills, and must not overflow.
const MOST_COUNTED: u64 = u32::MAX as u64;

/// The body of a request as JSON.
pub(crate) fn encode(body: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(body).map_err(|_| bad("the request can't be written as JSON"))
}

/// The fault of a request that can't be right and is not sent.
pub(crate) fn bad(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}

/// A text's temperature is a number.
pub(crate) fn check_temperature(temperature: Option<f64>) -> Result<(), Fault> {
    if temperature.is_some_and(|t| !t.is_finite()) { Err(bad("the temperature is not a number")) } else { Ok(()) }
}

/// So many texts or pictures can be embedded in one call.
pub(crate) fn check_inputs(inputs: usize, most: usize) -> Result<(), Fault> {
    match inputs {
        0 => Err(bad("there is nothing to embed")),
        _ if inputs > most => Err(bad(format!("{inputs} inputs in one call are too many to embed: at most {most}"))),
        _ => Ok(()),
    }
}

/// What reading answers needs to know of a wire.
pub(crate) struct WireFormat {
    /// Brings a body into the form of the wire's documents.
    pub(crate) canonical: fn(Body) -> Value,
    /// The name of the field that says what was used.
    pub(crate) usage: &'static str,
    /// The same for that field alone.
    pub(crate) canonical_usage: fn(Map<String, Value>) -> Value,
}

impl WireFormat {
    /// The body of an answer, ignoring unknown fields: as it is, where `is_whole` says that nothing is missed in it, and
    /// else as far as anything can be found in it.
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`], without the usage.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        answer: &HttpAnswer,
        is_whole: impl Fn(&T) -> bool,
    ) -> Result<T, Fault> {
        let strict = serde_json::from_slice::<T>(&answer.body);
        match strict {
            Ok(read) if is_whole(&read) => return Ok(read),
            _ => {}
        }
        match (lenient::body(answer), strict) {
            (Some(body), strict) => T::deserialize((self.canonical)(body))
                .map_err(|error| broken(answer, strict.as_ref().err().unwrap_or(&error))),
            (None, Ok(read)) => Ok(read),
            (None, Err(error)) => Err(broken(answer, &error)),
        }
    }

    /// The body of an answer as it came, after what is wrong with it as JSON is mended, and in the documents' form.
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`], without the usage.
    pub(crate) fn read_raw<T: DeserializeOwned>(&self, answer: &HttpAnswer) -> Result<(Value, T), Fault> {
        let Some(body) = lenient::body(answer) else {
            let strict = serde_json::from_slice::<Value>(&answer.body);
            return Err(strict.err().map_or_else(
                || Fault::new(FaultKind::Unreadable, "the answer can't be read"),
                |error| broken(answer, &error),
            ));
        };
        match body {
            Body::Whole(value) => {
                let read = T::deserialize((self.canonical)(Body::Whole(value.clone())));
                Ok((value, read.map_err(|error| broken(answer, &error))?))
            }
            stream @ Body::Stream { .. } => {
                let value = (self.canonical)(stream);
                let read = T::deserialize(&value).map_err(|error| broken(answer, &error))?;
                Ok((value, read))
            }
        }
    }

    /// What an answer used, whatever else of it can be read.
    pub(crate) fn usage<T: DeserializeOwned + Default>(&self, answer: &HttpAnswer) -> T {
        let said = match lenient::body(answer).map(self.canonical) {
            Some(Value::Object(mut fields)) => fields.remove(self.usage),
            _ => None,
        };
        let said = said.filter(Value::is_object).or_else(|| {
            // A name of another spelling is another name.
            let spellings = [self.usage, "usage", "usageMetadata", "usage_metadata"];
            let found = spellings.iter().find_map(|name| lenient::object_under(name, &answer.body));
            found.map(self.canonical_usage)
        });
        said.map(or_absent).and_then(Result::ok).unwrap_or_default()
    }

    /// The error that an answer amounts to which came with a 200, if its body holds one.
    pub(crate) fn error(&self, answer: &HttpAnswer) -> Option<ErrorBody> {
        let body = match lenient::body(answer)? {
            Body::Whole(Value::Array(elements)) => elements.into_iter().next()?,
            Body::Whole(value) => value,
            stream @ Body::Stream { .. } => (self.canonical)(stream),
        };
        if let Some(error) = body.get("choices").and_then(|choices| error_in(choices.get(0)?)) {
            return Some(ErrorBody::in_value(error.clone()));
        }
        let is_one = error_in(&body).is_some()
            || body.get("errors").is_some_and(is_error)
            || body.get("object").is_some_and(|kind| kind == "error");
        is_one.then(|| ErrorBody::in_value(body))
    }
}

/// The fault of a body that can't be read: that it was cut, if it was.
fn broken(answer: &HttpAnswer, error: &serde_json::Error) -> Fault {
    match &answer.cut {
        Some(reason) => Fault::new(FaultKind::Unreadable, reason.clone()),
        None => unreadable(answer, error),
    }
}

/// The message says what kind of error it is and where, but not serde's own words: they quote the answer.
pub(crate) fn unreadable(answer: &HttpAnswer, error: &serde_json::Error) -> Fault {
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    let message = if !content_type.is_empty() && !content_type.contains("json") {
        format!("the answer is {}, not JSON: is the base URL right, or is a proxy in between?", clean(content_type))
    } else if error.is_eof() {
        format!("the answer stops half-way, after {} bytes", answer.body.len())
    } else {
        let what = if error.is_data() { "has an unknown form" } else { "is not JSON" };
        format!("the answer {what} (line {}, column {})", error.line(), error.column())
    };
    Fault::new(FaultKind::Unreadable, message)
}

/// The usage of vectors. They have no output tokens, so once the input is reported everything is.
pub(crate) fn usage_of_vectors(input_tokens: Option<u64>) -> Usage {
    Usage::of_tokens(input_tokens, input_tokens.map(|_| 0))
}

/// A reply of as many vectors as were asked for, in order, with no limits; or what is wrong with them.
/// `input_tokens` is what the provider reported.
pub(crate) fn vectors(vectors: Vec<Vec<f32>>, asked: usize, input_tokens: Option<u64>) -> Result<Reply, Fault> {
    let usage = usage_of_vectors(input_tokens);
    let wrong = |message: String| Err(billed(Fault::new(FaultKind::Unreadable, message), usage));
    if vectors.len() != asked {
        return wrong(format!("{asked} vectors were asked for, and {} came", vectors.len()));
    }
    if vectors.iter().any(Vec::is_empty) {
        return wrong("a vector came without numbers".to_owned());
    }
    if vectors.iter().flatten().any(|value| !value.is_finite()) {
        return wrong("a vector came with a number that is out of range".to_owned());
    }
    Ok(Reply { content: Content::Vectors(vectors), ending: Ending::Complete, usage, limits: Vec::new() })
}

/// The first bytes of each type of picture.
const PICTURES: [(&[u8], &str); 4] = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
];
/// The type of bytes of which nothing is known (RFC 2046).
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Bytes from base64 in any of its spellings: with a `data:` head, with line breaks, without padding, in the alphabet of
/// URLs.
pub(crate) fn base64(text: &str) -> Result<Vec<u8>, DecodeError> {
    const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let alphabet = if plain.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, ANY_PADDING).decode(plain)
}

/// A picture of an answer, from base64. `said` is the type that it is said to have, unless the data says so itself.
pub(crate) fn picture(said: &str, data: &str) -> Result<ImageData, Fault> {
    let (said, data) = match data.trim_start().strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
        Some((head, data)) => (head.split(';').next().filter(|head| !head.is_empty()).unwrap_or(said), data),
        None => (said, data),
    };
    let bytes = base64(data).or_else(|error| {
        // What stands before the damage is kept: it was paid for.
        let DecodeError::InvalidByte(at, _) = error else { return Err(error) };
        let plain: String = data.chars().filter(|c| !c.is_whitespace()).collect();
        base64(plain.get(..at / 4 * 4).unwrap_or_default())
    });
    let bytes = bytes.ok().filter(|bytes| !bytes.is_empty());
    file(said, bytes.ok_or_else(|| Fault::new(FaultKind::Unreadable, "the image is not base64"))?.into())
}

/// A file of an answer as a picture. Its bytes say what it is, whatever the answer says; one of another type was paid for
/// like any other, and is kept.
///
/// # Errors
/// [`FaultKind::WrongType`] for nothing at all.
pub(crate) fn file(said: &str, bytes: Bytes) -> Result<ImageData, Fault> {
    if let Some((_, mime)) = PICTURES.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Ok(ImageData { mime: (*mime).into(), bytes });
    }
    if bytes.is_empty() {
        return Err(Fault::new(FaultKind::WrongType, "a file came that is no image"));
    }
    let mime = if said.contains('/') { said } else { UNKNOWN_TYPE };
    Ok(ImageData { mime: mime.to_owned().into(), bytes })
}

/// The same of an answer that holds no image, where anything is said of what it used.
pub(crate) fn without_images(usage: Usage) -> Usage {
    if usage == Usage::default() { usage } else { Usage { images: Some(0), ..usage } }
}

/// A refused, empty or unreadable answer is billed like any other.
pub(crate) fn billed(mut fault: Fault, usage: Usage) -> Fault {
    fault.usage = (usage != Usage::default()).then_some(usage);
    fault
}

/// The message of a fault, by its kind and the status that led to it. `model` is the one that was asked for.
pub(crate) fn in_words(kind: FaultKind, status: u16, model: &str) -> String {
    match (kind, status) {
        (FaultKind::Limited, _) => "a limit of the provider is reached".to_owned(),
        (FaultKind::Overloaded, _) => format!("the provider is overloaded ({status})"),
        (FaultKind::Timeout, _) => format!("the provider did not answer in time ({status})"),
        (FaultKind::Refused, _) => format!("the provider refused the prompt ({status})"),
        (FaultKind::Credentials, 400 | 401) => "the provider does not accept the API key".to_owned(),
        (FaultKind::Credentials, _) => format!("the API key may not use '{model}' ({status})"),
        (FaultKind::NoSuchModel, _) => {
            format!("the provider has no model '{model}', or the base URL is wrong ({status})")
        }
        (FaultKind::AccountBlocked, 429) => format!("the account has no quota for '{model}'"),
        (FaultKind::AccountBlocked, _) => format!("the account can't be served: region or billing ({status})"),
        (FaultKind::BadRequest, 413) => "the request is too large for the provider (413)".to_owned(),
        (FaultKind::BadRequest, 300..=399) => {
            format!("the server redirects to another address ({status}): is the base URL right?")
        }
        (FaultKind::BadRequest, 200) => "the server answered with an error".to_owned(),
        (FaultKind::BadRequest, _) => format!("the provider does not accept the request ({status})"),
        _ => format!("the provider failed ({status})"),
    }
}

/// A name from the wire, made fit to be shown.
pub(crate) fn name(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect()
}

/// Reads `null` as if the field were absent.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads anything but an object of this form as if it were absent: a defect beside an answer must not cost the
/// answer.
pub(crate) fn or_absent<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    let value = Box::<RawValue>::deserialize(from)?;
    // A list would be read as the object's fields, in their order.
    let is_object = value.get().starts_with('{');
    Ok(if is_object { serde_json::from_str(value.get()).unwrap_or_default() } else { T::default() })
}

/// Reads a text; anything else counts as absent.
pub(crate) fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// Reads a mark that is set or not, also one in quotation marks; anything else is not set.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(flag) => flag,
        Value::String(text) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    })
}

/// Reads a count, also one in quotation marks, as some wires write large ones. Anything else counts as absent,
/// and so does a number that no call can have used.
pub(crate) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let count = match Value::deserialize(from)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    Ok(count.filter(|count| *count <= MOST_COUNTED))
}
