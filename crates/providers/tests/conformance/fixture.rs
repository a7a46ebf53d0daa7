//! Fixtures: what is asked, the literal request and answer of the wire, and what must come of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use atelier_engine::{
    Content, EmbeddingInput, EmbeddingRequest, Ending, Fault, FaultKind, LimitKind, RawRequest, Reply, ReportedLimit,
    Request, TextRequest, Usage, Window, parse_duration,
};
use serde::Deserialize;
use serde_json::Value;

use crate::server;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    /// The behaviour that it shows, as a sentence.
    #[expect(dead_code, reason = "for readers of the file")]
    about: String,
    ask: FixtureRequest,
    /// Where it says nothing, the request is one that another fixture shows.
    pub(crate) sent: Option<SentRequest>,
    answer: FixtureAnswer,
    pub(crate) expect: Expect,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FixtureRequest {
    Text(AskText),
    Embedding(AskEmbedding),
    Raw(Value),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AskText {
    system: Option<String>,
    prompt: String,
    schema: Option<Value>,
    temperature: Option<f64>,
    max_output_tokens: Option<u64>,
    seed: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskEmbedding {
    texts: Vec<String>,
    dimensions: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentRequest {
    pub(crate) path: String,
    pub(crate) body: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FixtureAnswer {
    status: u16,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    /// JSON, or a string that is sent as it is.
    body: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    Reply(ExpectReply),
    Fault(ExpectFault),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ExpectReply {
    text: Option<String>,
    vectors: Option<Vec<Vec<f32>>>,
    /// The body as it was sent.
    raw: bool,
    ending: String,
    usage: Usage,
    limits: Vec<ExpectLimit>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectFault {
    kind: FaultKind,
    says: String,
    retry_after: Option<String>,
    limit: Option<ExpectLimit>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectLimit {
    kind: Option<LimitKind>,
    window: Option<String>,
    amount: Option<u64>,
    remaining: Option<u64>,
    resets_in: Option<String>,
}

impl ExpectLimit {
    fn limit(&self) -> ReportedLimit {
        ReportedLimit {
            kind: self.kind,
            window: self.window.as_deref().map(window),
            amount: self.amount,
            remaining: self.remaining,
            resets_in: self.resets_in.as_deref().map(|text| parse_duration(text).unwrap()),
        }
    }
}

impl Fixture {
    /// Every fixture of a subject, with its file's name.
    pub(crate) fn all(subject: &str) -> Vec<(String, Self)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(subject);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let read = |path: &Path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let fixture = serde_json::from_slice(&fs::read(path).unwrap());
            (name.clone(), fixture.unwrap_or_else(|error| panic!("{name}: {error}")))
        };
        files.iter().map(|path| read(path)).collect()
    }

    pub(crate) fn request(&self) -> Request {
        match self.ask.clone() {
            FixtureRequest::Text(ask) => Request::Text(TextRequest {
                system: ask.system,
                prompt: ask.prompt,
                schema: ask.schema,
                temperature: ask.temperature,
                max_output_tokens: ask.max_output_tokens,
                images: Vec::new(),
                seed: ask.seed,
            }),
            FixtureRequest::Embedding(ask) => Request::Embedding(EmbeddingRequest {
                inputs: ask.texts.into_iter().map(EmbeddingInput::Text).collect(),
                dimensions: ask.dimensions,
            }),
            FixtureRequest::Raw(body) => Request::Raw(RawRequest { body }),
        }
    }

    pub(crate) fn answer(&self) -> Vec<u8> {
        let body = match &self.answer.body {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let mut headers: Vec<(&str, &str)> =
            self.answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if !self.answer.headers.contains_key("content-type") {
            headers.push(("content-type", "application/json; charset=UTF-8"));
        }
        server::http(self.answer.status, &headers, &body)
    }

    /// The reply that this fixture expects.
    pub(crate) fn reply(&self, expected: &ExpectReply) -> Reply {
        let content = match (&expected.text, &expected.vectors, expected.raw) {
            (Some(text), None, false) => Content::Text(text.clone()),
            (None, Some(vectors), false) => Content::Vectors(vectors.clone()),
            (None, None, true) => Content::Raw(self.answer.body.clone()),
            _ => panic!("a reply is expected to hold one of text, vectors and raw"),
        };
        let ending = match expected.ending.as_str() {
            "complete" => Ending::Complete,
            "cut" => Ending::Cut,
            "filtered" => Ending::Filtered,
            other => panic!("there is no ending '{other}'"),
        };
        let limits = expected.limits.iter().map(ExpectLimit::limit).collect();
        Reply { content, ending, usage: expected.usage, limits }
    }
}

impl ExpectFault {
    /// Compares all but the message, of which a part is given.
    pub(crate) fn check(&self, name: &str, fault: &Fault) {
        let limit = self.limit.as_ref().map(ExpectLimit::limit);
        let retry_after: Option<Duration> = self.retry_after.as_deref().map(|text| parse_duration(text).unwrap());
        let expected = Fault { kind: self.kind, message: fault.message.clone(), retry_after, limit, usage: self.usage };
        assert_eq!(*fault, expected, "{name}");
        assert!(fault.message.contains(&self.says), "{name}: {fault}");
    }
}

fn window(text: &str) -> Window {
    if text == "day" { Window::Day } else { Window::Sliding(parse_duration(text).unwrap()) }
}
