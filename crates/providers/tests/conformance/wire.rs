//! Requests and answers, compared literally with fixtures.

use serde_json::Value;

use crate::fixture::{Expect, Fixture};
use crate::server::{Act, Server, within};
use crate::subject::{self, KEY};

#[tokio::test]
async fn each_fixture_is_sent_as_written_and_read_as_expected() {
    for subject in subject::all() {
        let fixtures = Fixture::all(subject.name());
        assert!(fixtures.len() >= 20, "{} has {} fixtures", subject.name(), fixtures.len());
        for (name, fixture) in fixtures {
            let mut server = Server::start([Act::Answer(fixture.answer())]).await;
            let (model, _) = subject.connect(&server.base);
            let result = within(model.call(fixture.request())).await;

            let request = server.request().await;
            let (header, value) = subject.key_header();
            assert_eq!(request.header(header), Some(value.as_str()), "{name}");
            assert_eq!(request.header("content-type"), Some("application/json"), "{name}");
            assert!(!request.line.contains(KEY), "{name}: the key is in the URL");
            if let Some(sent) = &fixture.sent {
                assert_eq!(request.line, format!("POST {} HTTP/1.1", sent.path), "{name}");
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                assert_eq!(body, sent.body, "{name}");
            }
            assert_eq!(server.counts(), (0, 0), "{name}: a call is one exchange");

            match (&fixture.expect, result) {
                (Expect::Reply(expected), Ok(reply)) => assert_eq!(reply, fixture.reply(expected), "{name}"),
                (Expect::Fault(expected), Err(fault)) => expected.check(&name, &fault),
                (_, result) => panic!("{name}: {result:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_key_of_the_wire_is_in_one_header_and_nowhere_else() {
    for subject in subject::all() {
        let mut server = Server::start([Act::Hang]).await;
        let (model, _) = subject.connect(&server.base);
        let call = model.call(subject::a_request());
        let request = tokio::select! {
            result = call => panic!("{result:?}"),
            request = server.request() => request,
        };
        let (header, _) = subject.key_header();
        let elsewhere: Vec<_> =
            request.headers.iter().filter(|(name, value)| name != header && value.contains(KEY)).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
        assert!(!String::from_utf8_lossy(&request.body).contains(KEY));
    }
}
