//! The key is shown nowhere.

use std::io::Write;
use std::sync::{Arc, Mutex};

use atelier_engine::{Model, RawRequest, Request};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient, OpenAi, OpenAiSettings, Quirks};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::server::{self, Act, Server, nobody, within};
use crate::subject::{self, KEY};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_key_is_in_no_message_no_debug_output_and_no_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for subject in subject::all() {
        let echo = subject.error_saying(&format!("The key {KEY} (?key={KEY}&alt=json) is not valid."));
        let mut shown = Vec::new();
        for status in [301, 400, 401, 403, 404, 418, 429, 500, 503] {
            let server = Server::start([Act::Answer(server::json(status, &echo))]).await;
            let (model, client) = subject.connect(&server.base);
            let fault = within(model.call(subject::a_request())).await.unwrap_err();
            assert!(fault.message.contains("[redacted]"), "{fault}");
            shown.extend([format!("{fault}"), format!("{fault:?}"), client]);
        }
        let odd = Server::start([
            Act::Answer(server::json(200, &subject.answer_ending_oddly())),
            Act::Answer(server::http(200, &[("content-type", KEY)], KEY)),
        ])
        .await;
        let (model, _) = subject.connect(&odd.base);
        shown.push(format!("{:?}", within(model.call(subject::a_request())).await));
        shown.push(format!("{:?}", within(model.call(subject::a_request())).await));
        let (address, _held) = nobody();
        let (model, _) = subject.connect(&address);
        shown.push(format!("{:?}", within(model.call(subject::a_request())).await));
        let raw = Request::Raw(RawRequest { body: json!([]) });
        shown.push(format!("{:?}", within(model.call(raw)).await));
        for text in shown {
            assert!(!text.contains(KEY), "{text}");
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("TIRED"), "what is unknown is logged: {log}");
    assert!(!log.contains(KEY), "{log}");
}

/// Keys of local servers are made up by people, and look like any other words.
#[tokio::test]
async fn a_key_of_plain_words_is_in_no_message_whatever_part_of_an_answer_is_quoted() {
    const PLAIN: &str = "open sesame";
    let (http, key) = (HttpClient::new().unwrap(), ApiKey::new(PLAIN).unwrap());
    for answer in [
        server::http(200, &[("content-type", PLAIN)], "x"),
        server::json(403, &json!({"error": {"message": "The key 'open\tsesame' is not valid."}}).to_string()),
    ] {
        let server = Server::start([Act::Answer(answer.clone()), Act::Answer(answer)]).await;
        let gemini = Gemini::new(&http, &BaseUrl::parse(&server.base).unwrap(), &key, "m").unwrap();
        let endpoint = OpenAiSettings::endpoint(&server.base).unwrap();
        let settings = OpenAiSettings { endpoint, key: Some(key.clone()), quirks: Quirks::OPENAI };
        let openai = OpenAi::new(&http, &settings, "m").unwrap();
        for model in [&gemini as &dyn Model, &openai] {
            let fault = within(model.call(subject::a_request())).await.unwrap_err();
            assert!(fault.message.contains("[redacted]") && !fault.message.contains(PLAIN), "{fault}");
        }
    }
}
