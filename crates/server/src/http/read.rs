//! How requests are read: all that is wrong with one is said at once, each by its place.

use std::path::PathBuf;

use atelier_app::{AppError, code};
use atelier_store::Cursor;
use axum::body::Body as RawBody;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use garde::Validate;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use utoipa::IntoParams;

use super::problem::{FieldProblem, Problem};
use crate::state::Server;

/// No JSON is longer, in bytes: a prompt and its references fit many times over.
const LARGEST_JSON: usize = 1 << 20;
/// So many faults of one body are looked for.
const MOST_FAULTS: usize = 20;
/// What was received is held in memory up to here, and written to a file beyond.
const IN_MEMORY: usize = 1 << 20;

/// A JSON body that was read and is sound.
pub(crate) struct Body<T>(pub(crate) T);

impl<T> FromRequest<Server> for Body<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Server) -> Result<Self, Problem> {
        let is_json = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
        });
        if !is_json {
            let error = AppError::new(code!("wrong-media-type"), "the body is to be JSON");
            return Err(error.hint("send it with Content-Type: application/json").into());
        }
        let bytes = collect(request.into_body(), LARGEST_JSON).await?;
        read_json(&bytes).map(Self)
    }
}

/// Reads a value, and names all that is wrong with it.
fn read_json<T: DeserializeOwned + Validate<Context = ()>>(bytes: &[u8]) -> Result<T, Problem> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("this is not JSON: {error}");
        Problem::of_fields(vec![FieldProblem { pointer: String::new(), message }])
    })?;
    let mut faults = Vec::new();
    loop {
        match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(read) => {
                faults.extend(invalid(&read));
                return if faults.is_empty() { Ok(read) } else { Err(Problem::of_fields(faults)) };
            }
            Err(error) => {
                let pointer = pointer_of(error.path());
                faults.push(FieldProblem { pointer: pointer.clone(), message: plain(&error.inner().to_string()) });
                // What is wrong is taken out, to find what else is: until something that has to be there is not.
                if faults.len() >= MOST_FAULTS || !take_out(&mut value, &pointer) {
                    return Err(Problem::of_fields(faults));
                }
            }
        }
    }
}

/// What the value's own rules say against it.
fn invalid<T: Validate<Context = ()>>(value: &T) -> Vec<FieldProblem> {
    let Err(report) = value.validate() else { return Vec::new() };
    let fault = |(path, error): &(garde::Path, garde::Error)| {
        let pointer = path.to_string().replace(['.', '['], "/").replace(']', "");
        let pointer = if pointer.is_empty() { pointer } else { format!("/{}", pointer.trim_start_matches('/')) };
        FieldProblem { pointer, message: error.message().to_owned() }
    };
    report.iter().map(fault).collect()
}

/// RFC 6901.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
}

fn take_out(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return false };
    let last = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&last).is_some(),
        Some(Value::Array(elements)) => last.parse().is_ok_and(|place: usize| {
            let there = place < elements.len();
            if there {
                elements.remove(place);
            }
            there
        }),
        _ => false,
    }
}

/// Without the place in a text that serde would count from a value that has none.
fn plain(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// The parameters behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate<Context = ()>> FromRequestParts<Server> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let deserializer = serde_html_form::Deserializer::from_bytes(text.as_bytes());
        let read: T = serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let pointer = format!("?{}", error.path().to_string().trim_start_matches('.'));
            Problem::of_fields(vec![FieldProblem { pointer, message: plain(&error.inner().to_string()) }])
        })?;
        let faults: Vec<FieldProblem> = invalid(&read)
            .into_iter()
            .map(|fault| FieldProblem { pointer: fault.pointer.replacen('/', "?", 1), ..fault })
            .collect();
        if faults.is_empty() { Ok(Self(read)) } else { Err(Problem::of_fields(faults)) }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// After which place it begins: the `next` of the page before.
    #[garde(length(max = 200))]
    pub(crate) after: Option<String>,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 500))]
    pub(crate) limit: Option<usize>,
}

impl Page {
    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, Problem> {
        Ok(self.after.as_deref().map(str::parse).transpose()?)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(50)
    }
}

/// A file that was received.
pub(crate) struct Received {
    pub(crate) content: Bytes,
}

/// Receives a file of at most so many bytes, whatever it is. While it arrives it is on the disk and not in memory: many
/// people may send large files slowly.
pub(crate) async fn receive(server: &Server, body: RawBody, largest: u64) -> Result<Received, Problem> {
    let mut body = body;
    let mut held = BytesMut::new();
    let mut spill: Option<Spill> = None;
    let mut received = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| cut_short(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len() as u64;
        if received > largest {
            return Err(too_large(largest));
        }
        match &mut spill {
            Some(spill) => spill.write(&data).await?,
            None if held.len() + data.len() <= IN_MEMORY => held.extend_from_slice(&data),
            None => {
                let mut begun = Spill::begin(server.app.data_dir().to_owned()).await?;
                begun.write(&held).await?;
                begun.write(&data).await?;
                held = BytesMut::new();
                spill = Some(begun);
            }
        }
    }
    let content = match spill {
        Some(spill) => spill.read(received).await?,
        None => held.freeze(),
    };
    Ok(Received { content })
}

async fn collect(body: RawBody, largest: usize) -> Result<Bytes, Problem> {
    let limited = http_body_util::Limited::new(body, largest);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large(largest as u64)),
        Err(error) => Err(cut_short(&*error)),
    }
}

fn too_large(largest: u64) -> Problem {
    AppError::new(code!("body-too-large"), format!("at most {largest} bytes are taken here")).into()
}

fn cut_short(error: &dyn std::fmt::Display) -> Problem {
    AppError::new(code!("input-unreadable"), format!("what was sent broke off: {error}")).hint("send it again").into()
}

/// Bytes on their way, in a file without a name: it is gone whatever becomes of the request or of this process.
struct Spill(tokio::fs::File);

impl Spill {
    async fn begin(folder: PathBuf) -> Result<Self, Problem> {
        let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
        let made = made.map_err(|error| AppError::new(code!("thread-ended"), error.to_string()))?;
        Ok(Self(tokio::fs::File::from_std(made.map_err(|error| unwritable(&error))?)))
    }

    async fn write(&mut self, data: &[u8]) -> Result<(), Problem> {
        self.0.write_all(data).await.map_err(|error| unwritable(&error))
    }

    async fn read(mut self, length: u64) -> Result<Bytes, Problem> {
        let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        self.0.rewind().await.map_err(|error| unwritable(&error))?;
        self.0.read_to_end(&mut content).await.map_err(|error| unwritable(&error))?;
        Ok(content.into())
    }
}

fn unwritable(error: &std::io::Error) -> Problem {
    let message = format!("what is received can't be kept: {error}");
    AppError::new(code!("output-unwritable"), message).hint("make room on the server's disk").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        #[garde(length(chars, min = 1, max = 5))]
        name: String,
        #[garde(range(max = 8))]
        #[serde(default)]
        count: u32,
        #[garde(dive)]
        #[serde(default)]
        sides: Vec<Side>,
    }

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Side {
        #[garde(length(max = 3))]
        model: String,
    }

    fn faults(json: &str) -> Vec<String> {
        let problem = read_json::<Wanted>(json.as_bytes()).unwrap_err();
        problem.errors.iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect()
    }

    #[test]
    fn all_that_is_wrong_is_named_by_its_place() {
        let found = faults(r#"{"name": "too long", "count": "three", "owner": "me", "sides": [{"model": "abcd"}]}"#);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("/count "), "{found:?}");
        assert!(found[1].starts_with("/owner unknown field"), "{found:?}");
        assert!(found.iter().any(|fault| fault.starts_with("/name ")), "{found:?}");
        assert!(found.iter().any(|fault| fault.starts_with("/sides/0/model ")), "{found:?}");
    }

    #[test]
    fn what_has_to_be_there_and_is_not_is_the_last_that_is_named() {
        let found = faults(r#"{"count": 3, "more": 1}"#);
        assert!(found.iter().any(|fault| fault.contains("missing field `name`")), "{found:?}");
        assert_eq!(
            faults("{"),
            ["  this is not JSON: EOF while parsing an object at line 1 column 1".trim_start().to_owned()]
                .map(|text| format!(" {text}"))
        );
    }
}
