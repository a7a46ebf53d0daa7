//! Connections are opened beforehand, kept, and used again.

use atelier_engine::{FaultKind, Model};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient, OpenAi, OpenAiSettings, Quirks};

use crate::server::{Act, Server, ServerEvent, http, json, nobody, within};
use crate::subject::{self, KEY, MODEL};

fn gemini(base: &str) -> Gemini {
    let key = ApiKey::new(KEY).unwrap();
    Gemini::new(&HttpClient::new().unwrap(), &BaseUrl::parse(base).unwrap(), &key, MODEL).unwrap()
}

#[tokio::test]
async fn a_warmed_up_client_calls_over_the_connection_that_it_opened() {
    let answer = subject::all()[0].answer_saying("yes");
    let mut server = Server::start([Act::Answer(http(404, &[], "")), Act::Answer(json(200, &answer))]).await;
    let client = gemini(&server.base);
    assert!(!within(client.warm_up(1)).await.unwrap().is_zero());

    assert!(matches!(server.event().await, ServerEvent::Connected));
    let opening = server.request().await;
    assert_eq!(opening.line, "HEAD / HTTP/1.1");
    assert_eq!(opening.header("x-goog-api-key"), None, "opening a connection needs no key");

    assert!(within(client.call(subject::a_request())).await.is_ok());
    assert_eq!(server.counts(), (0, 1), "the call opened no connection of its own");
}

#[tokio::test]
async fn so_many_connections_are_opened_as_are_asked_for() {
    let mut server = Server::start(vec![Act::Answer(http(404, &[], "")); 8]).await;
    within(gemini(&server.base).warm_up(8)).await.unwrap();
    assert_eq!(server.counts().1, 8);
}

#[tokio::test]
async fn warming_up_for_a_server_that_is_not_there_says_so() {
    let (address, _held) = nobody();
    let fault = within(gemini(&address).warm_up(2)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
}

#[tokio::test]
async fn calls_at_once_have_a_connection_each_and_later_calls_use_them_again() {
    const CALLS: usize = 32;
    for subject in subject::all() {
        let answer = Act::Answer(json(200, &subject.answer_saying("yes")));
        let mut server = Server::start(vec![answer; 2 * CALLS]).await;
        let (model, _) = subject.connect(&server.base);
        for round in 0..2 {
            let calls = (0..CALLS).map(|_| model.call(subject::a_request()));
            for result in within(futures_util::future::join_all(calls)).await {
                assert!(result.is_ok(), "{result:?}");
            }
            let (connections, requests) = server.counts();
            assert_eq!(requests, CALLS);
            assert!(connections <= CALLS && (round == 0 || connections < CALLS / 2), "{connections} in round {round}");
        }
    }
}

#[tokio::test]
async fn https_to_a_server_that_breaks_off_the_handshake_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = BaseUrl::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    let break_off = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.readable().await.unwrap();
        }
    });
    match Gemini::new(&HttpClient::new().unwrap(), &base, &ApiKey::new(KEY).unwrap(), MODEL) {
        Ok(client) => {
            let fault = within(client.call(subject::a_request())).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
        }
        Err(error) => assert_eq!(error.code(), "no-root-certificates", "{error}"),
    }
    break_off.abort();
}

#[tokio::test]
async fn a_server_of_ones_own_is_called_without_a_key() {
    let answer = subject::all()[1].answer_saying("yes");
    let mut server = Server::start([Act::Answer(json(200, &answer))]).await;
    let endpoint = OpenAiSettings::endpoint(&server.base).unwrap();
    let settings = OpenAiSettings { endpoint, key: None, quirks: Quirks::OLLAMA };
    let client = OpenAi::new(&HttpClient::new().unwrap(), &settings, "llama3:8b").unwrap();
    assert!(within(client.call(subject::a_request())).await.is_ok());
    assert_eq!(server.request().await.header("authorization"), None);
}
