use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn answer(status: u16, body: impl Into<Vec<u8>>) -> HttpAnswer {
    HttpAnswer { status, body: Bytes::from(body.into()), ..HttpAnswer::default() }
}

fn read(status: u16, error: &Value) -> Fault {
    let answer = answer(status, json!({ "error": error }).to_string());
    of(&answer, &ErrorBody::of(&answer), status, "gemini-2.5-flash", &ApiKey::new("a-secret-key").unwrap())
}

fn limited(violations: &Value) -> Fault {
    read(429, &json!({"details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}]}))
}

#[test]
fn every_status_has_its_fault() {
    for (status, kind) in [
        (301, FaultKind::BadRequest),
        (400, FaultKind::BadRequest),
        (401, FaultKind::Credentials),
        (402, FaultKind::AccountBlocked),
        (403, FaultKind::Credentials),
        (404, FaultKind::NoSuchModel),
        (408, FaultKind::Timeout),
        (409, FaultKind::BadRequest),
        (413, FaultKind::BadRequest),
        (418, FaultKind::BadRequest),
        (429, FaultKind::Limited),
        (500, FaultKind::ServerError),
        (502, FaultKind::ServerError),
        (503, FaultKind::Overloaded),
        (504, FaultKind::Timeout),
        (529, FaultKind::Overloaded),
        (599, FaultKind::ServerError),
        (999, FaultKind::BadRequest),
    ] {
        for body in ["", "<html>no</html>", "{}", "[]", r#"{"error": "no"}"#] {
            let answer = answer(status, body);
            let fault = of(&answer, &ErrorBody::of(&answer), status, "m", &ApiKey::new("k").unwrap());
            assert_eq!((fault.kind, fault.limit, fault.retry_after), (kind, None, None), "{status} {body}");
        }
    }
}

#[test]
fn a_bad_key_and_a_blocked_account_are_told_from_a_bad_request() {
    let bad_key = json!({"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]});
    assert_eq!(read(400, &bad_key).kind, FaultKind::Credentials);
    let region = read(400, &json!({"status": "FAILED_PRECONDITION", "message": "User location is not supported."}));
    assert_eq!(region.kind, FaultKind::AccountBlocked);
    assert!(region.message.ends_with(": User location is not supported."), "{region}");
}

#[test]
fn the_words_of_a_message_decide_nothing() {
    let fault =
        read(400, &json!({"status": "INVALID_ARGUMENT", "message": "429 quota RESOURCE_EXHAUSTED API_KEY_INVALID"}));
    assert_eq!(fault.kind, FaultKind::BadRequest);
}

#[test]
fn each_limit_is_known_by_its_id() {
    let minute = Some(Window::Sliding(Duration::from_secs(60)));
    for (id, metric, kind, window) in [
        ("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "", Some(LimitKind::Requests), minute),
        ("GenerateContentInputTokensPerModelPerMinute-FreeTier", "", Some(LimitKind::InputTokens), minute),
        ("GenerateContentPaidTierInputTokensPerModelPerMinute", "", Some(LimitKind::InputTokens), minute),
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "", Some(LimitKind::Requests), Some(Window::Day)),
        ("GenerateImagesPerMinutePerProject", "", Some(LimitKind::Images), minute),
        ("SpendPer10MinutesPerProject", "", Some(LimitKind::Usd), Some(Window::Sliding(SPEND_WINDOW))),
        ("ProjectSpend", "", Some(LimitKind::Usd), Some(Window::Sliding(SPEND_WINDOW))),
        ("", "g.com/generate_content_free_tier_requests", Some(LimitKind::Requests), None),
        ("", "g.com/generate_content_free_tier_input_token_count", Some(LimitKind::InputTokens), None),
        ("GenerateOutputTokensPerMinute", "", None, minute),
        ("SomethingNewPerHour", "", None, Some(Window::Sliding(Duration::from_secs(3600)))),
    ] {
        let amount = (kind != Some(LimitKind::Usd)).then_some(15);
        let expected = ReportedLimit { kind, window, amount, ..ReportedLimit::default() };
        let fault = limited(&json!([{"quotaId": id, "quotaMetric": metric, "quotaValue": "15"}]));
        assert_eq!((fault.kind, fault.limit), (FaultKind::Limited, Some(expected)), "{id} {metric}");
    }
}

#[test]
fn a_time_that_nobody_would_wait_is_not_one() {
    let body = json!({"details": [{"retryDelay": "1795219200s"}]});
    assert_eq!(read(429, &body).retry_after, None);
    let limit = limited(&json!([{"quotaId": "RequestsPer99999999Hours", "quotaValue": "15"}])).limit.unwrap();
    assert_eq!((limit.window, limit.amount), (None, Some(15)));
}

#[test]
fn of_several_limits_the_longest_is_the_one_to_wait_for() {
    let violations = json!([
        {"quotaId": "RequestsPerMinute", "quotaValue": "15"},
        {"quotaId": "RequestsPerDay", "quotaValue": 1500},
        {"quotaId": "InputTokensPerMinute", "quotaValue": "250000"},
    ]);
    let limit = limited(&violations).limit.unwrap();
    assert_eq!((limit.window, limit.amount), (Some(Window::Day), Some(1500)));
}

#[test]
fn a_limit_of_nothing_is_an_account_to_see_to() {
    let fault = limited(&json!([{"quotaId": "RequestsPerDay-FreeTier", "quotaValue": "0"}]));
    assert_eq!(fault.kind, FaultKind::AccountBlocked);
    assert!(fault.message.contains("no quota for 'gemini-2.5-flash'"), "{fault}");
}

#[test]
fn the_bodys_delay_goes_before_the_headers() {
    let body = json!({"error": {"details": [{"retryDelay": "38.6s"}]}}).to_string();
    let mut both = answer(429, body);
    both.retry_after = Some(Duration::from_secs(5));
    let key = ApiKey::new("k").unwrap();
    assert_eq!(of(&both, &ErrorBody::of(&both), 429, "m", &key).retry_after, Some(Duration::from_millis(38_600)));
    let header = HttpAnswer { body: Bytes::new(), ..both };
    assert_eq!(of(&header, &ErrorBody::of(&header), 429, "m", &key).retry_after, Some(Duration::from_secs(5)));
}

#[test]
fn a_message_is_cut_and_holds_no_key() {
    let message = format!("a-secret-key is bad. AIza{} too. {}", "y".repeat(35), "More words. ".repeat(100));
    let fault = read(403, &json!({ "message": message }));
    assert!(!fault.message.contains("a-secret-key") && !fault.message.contains("AIza"), "{fault}");
    assert!(fault.message.chars().count() < 400, "{fault}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_error_body_makes_the_parser_panic(status in 0_u16..=999, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let answer = answer(status, body);
        let fault = of(&answer, &ErrorBody::of(&answer), status, "m", &ApiKey::new("k").unwrap());
        prop_assert!(!fault.message.is_empty());
    }

    #[test]
    fn no_violation_makes_the_parser_panic(id in "(Per|per|Requests|Day|Minute|[0-9]{0,12}|.){0,6}", delay in ".{0,10}", value in ".{0,8}") {
        let violations = json!([{"quotaId": id, "quotaMetric": id, "quotaValue": value}]);
        let fault = read(429, &json!({"message": id, "details": [{"violations": violations}, {"retryDelay": delay}]}));
        prop_assert!(matches!(fault.kind, FaultKind::Limited | FaultKind::AccountBlocked));
    }
}
