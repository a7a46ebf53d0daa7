//! Failures seen in the wild, below and beside the format.

use atelier_engine::{Content, FaultKind};

use crate::server::{Act, Server, ServerEvent, http, json, nobody, within};
use crate::subject::{self, Subject};

/// The fault of a call that is met with `act`, after which the server has seen exactly one request.
async fn fault_of(subject: &dyn Subject, act: Act) -> (FaultKind, String) {
    let mut server = Server::start([act]).await;
    let (model, _) = subject.connect(&server.base);
    let fault = within(model.call(subject::a_request())).await.unwrap_err();
    assert_eq!(server.counts().1, 1, "a call is one exchange: {fault}");
    (fault.kind, fault.message)
}

/// The first half of a whole answer's bytes.
fn half(subject: &dyn Subject) -> Vec<u8> {
    let mut bytes = json(200, &subject.answer_saying("yes"));
    bytes.truncate(bytes.len() - 30);
    bytes
}

#[tokio::test]
async fn a_body_that_stops_half_way_is_unreadable() {
    for subject in subject::all() {
        for act in [Act::AnswerAndClose(half(&*subject)), Act::AnswerAndReset(half(&*subject))] {
            let (kind, message) = fault_of(&*subject, act).await;
            assert_eq!(kind, FaultKind::Unreadable, "{message}");
            assert!(message.contains("stops half-way"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_whole_body_of_half_an_answer_is_unreadable() {
    for subject in subject::all() {
        let whole = subject.answer_saying("yes");
        let (kind, message) = fault_of(&*subject, Act::Answer(json(200, &whole[..whole.len() - 30]))).await;
        assert_eq!(kind, FaultKind::Unreadable, "{message}");
        assert!(message.contains("stops half-way"), "{message}");
    }
}

#[tokio::test]
async fn a_page_of_html_is_unreadable_and_points_at_the_address() {
    for subject in subject::all() {
        let page = http(200, &[("content-type", "text/html")], "<html><body>Sign in to the network</body></html>");
        let (kind, message) = fault_of(&*subject, Act::Answer(page)).await;
        assert_eq!(kind, FaultKind::Unreadable);
        assert!(message.contains("base URL") && !message.contains("Sign in"), "{message}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    for subject in subject::all() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
        let (kind, message) = fault_of(&*subject, Act::Answer(head)).await;
        assert_eq!(kind, FaultKind::Unreadable);
        assert!(message.contains("longer than"), "{message}");
    }
}

#[tokio::test]
async fn what_the_model_said_comes_through_unchanged() {
    for subject in subject::all() {
        for text in ["```json\n{\"a\": 1}\n```", "Here you are: {\"a\": 1}", "{\"a\": ", "\u{1f600} \u{0} \"\\"] {
            let server = Server::start([Act::Answer(json(200, &subject.answer_saying(text)))]).await;
            let (model, _) = subject.connect(&server.base);
            let reply = within(model.call(subject::a_request())).await.unwrap();
            assert_eq!(reply.content, Content::Text(text.into()));
        }
    }
}

#[tokio::test]
async fn dropping_a_call_that_is_not_answered_ends_its_exchange() {
    for subject in subject::all() {
        let mut server = Server::start([Act::Hang]).await;
        let (model, _) = subject.connect(&server.base);
        let call = model.call(subject::a_request());
        tokio::select! {
            result = call => panic!("{result:?}"),
            _ = server.request() => {}
        }
        assert!(matches!(server.event().await, ServerEvent::Gone));
    }
}

#[tokio::test]
async fn a_connection_reset_after_the_request_was_sent_is_lost_and_may_have_been_paid_for() {
    for subject in subject::all() {
        for act in [Act::AnswerAndReset(Vec::new()), Act::AnswerAndClose(Vec::new())] {
            let (kind, message) = fault_of(&*subject, act).await;
            assert_eq!(kind, FaultKind::ConnectionLost, "{message}");
            assert!(kind.may_have_counted());
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_and_nothing_was_sent() {
    for subject in subject::all() {
        let (address, _held) = nobody();
        let (model, _) = subject.connect(&address);
        let fault = within(model.call(subject::a_request())).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
        assert!(!fault.kind.may_have_counted());
        assert!(fault.message.contains("127.0.0.1"), "{fault}");
    }
}

#[tokio::test]
async fn a_storm_of_503_is_one_fault_a_call_and_then_it_is_over() {
    for subject in subject::all() {
        let storm = vec![Act::Answer(json(503, &subject.error_saying("The model is overloaded."))); 60];
        let calm = Act::Answer(json(200, &subject.answer_saying("yes")));
        let mut server = Server::start(storm.into_iter().chain([calm])).await;
        let (model, _) = subject.connect(&server.base);
        for _ in 0..60 {
            let fault = within(model.call(subject::a_request())).await.unwrap_err();
            assert_eq!((fault.kind, fault.retry_after), (FaultKind::Overloaded, None));
        }
        assert!(within(model.call(subject::a_request())).await.is_ok());
        assert_eq!(server.counts(), (1, 61), "one connection serves all of them");
    }
}

#[tokio::test]
async fn a_429_without_hints_is_a_limit_of_which_nothing_is_known() {
    for subject in subject::all() {
        for body in ["", "{}", "Too Many Requests"] {
            let server = Server::start([Act::Answer(json(429, body))]).await;
            let (model, _) = subject.connect(&server.base);
            let fault = within(model.call(subject::a_request())).await.unwrap_err();
            assert_eq!((fault.kind, fault.retry_after, fault.limit), (FaultKind::Limited, None, None));
        }
    }
}

#[tokio::test]
async fn an_ending_that_nobody_has_heard_of_costs_no_answer() {
    for subject in subject::all() {
        let server = Server::start([Act::Answer(json(200, &subject.answer_ending_oddly()))]).await;
        let (model, _) = subject.connect(&server.base);
        let reply = within(model.call(subject::a_request())).await.unwrap();
        assert_eq!(reply.content, Content::Text("yes".into()));
    }
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    for subject in subject::all() {
        let mut elsewhere = Server::start([]).await;
        let there = http(307, &[("location", &elsewhere.base)], "");
        let (kind, message) = fault_of(&*subject, Act::Answer(there)).await;
        assert_eq!(kind, FaultKind::BadRequest);
        assert!(message.contains("base URL"), "{message}");
        assert_eq!(elsewhere.counts(), (0, 0), "the key stays with the server that it was meant for");
    }
}
