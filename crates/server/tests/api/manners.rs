//! What every answer has, and how bad requests are told what is wrong with them.

use atelier_app::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::place::{Place, client, problem, well};

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_body_is_said_at_once_by_its_place() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let bad = json!({ "prompt": "", "count": 99, "owner": "max", "sides": [{ "model": 7 }], "size": "x".repeat(50) });
    let answer = ana.post("/generations/preview", bad).await;
    assert_eq!(answer.status(), 422);
    let body: Value = answer.json().await.unwrap();
    let pointers: Vec<&str> =
        body["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    for pointer in ["/prompt", "/count", "/owner", "/sides/0/model", "/size"] {
        assert!(pointers.contains(&pointer), "{pointer} is not among {pointers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_told_how_to_be_sent() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let post = |kind: &'static str, body: &'static str| {
        ana.request(Method::POST, "/generations/preview").header("content-type", kind).body(body).send()
    };
    assert_eq!(problem(post("text/plain", "{}").await.unwrap()).await, (415, "wrong-media-type".into()));
    assert_eq!(problem(post("application/json", "{").await.unwrap()).await, (422, "request-invalid".into()));
    let large = format!("\"{}\"", "x".repeat(2 << 20));
    let large =
        ana.request(Method::POST, "/generations/preview").header("content-type", "application/json").body(large);
    assert_eq!(problem(large.send().await.unwrap()).await, (413, "body-too-large".into()));
    assert_eq!(problem(ana.get("/jobs?limit=0").await).await, (422, "request-invalid".into()));
    assert_eq!(problem(ana.get("/jobs?nothing=1").await).await, (422, "request-invalid".into()));
    assert_eq!(problem(ana.get("/jobs?after=nonsense").await).await, (400, "bad-cursor".into()));
    assert_eq!(problem(ana.get("/nothing").await).await, (404, "no-such-route".into()));
    assert_eq!(problem(ana.delete("/jobs").await).await, (405, "wrong-method".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers_that_keep_a_browser_safe() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    for answer in [
        ana.get("/me").await,
        ana.get("/nothing").await,
        place.nobody().get("/me").await,
        client().get(&place.url).send().await.unwrap(),
    ] {
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-frame-options"], "DENY");
        // What the API says is kept nowhere; a page may be, and is asked for again.
        let kept = if answer.url().path() == "/" { &["no-store", "no-cache"][..] } else { &["no-store"] };
        assert!(kept.contains(&headers["cache-control"].to_str().unwrap()));
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        assert!(!headers["x-request-id"].is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_another_site_changes_nothing_and_a_program_needs_no_origin() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let make = || ana.request(Method::POST, "/tokens").json(&json!({ "name": "x", "scopes": ["read"] }));
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "null"),
    ] {
        let answer = make().header(name, value).send().await.unwrap();
        assert_eq!(problem(answer).await, (403, "cross-site".into()), "{name}: {value}");
    }
    let own = place.url.clone();
    well(make().header("origin", own).send().await.unwrap()).await;
    well(make().send().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_given_to_this_machine_and_to_an_administrators_token() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Admin).await;
    ana.read("/me").await;
    let scrape = |header: Option<(&'static str, String)>| {
        let request = client().get(format!("{}/metrics", place.url));
        let request = match header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        async move { request.send().await.unwrap() }
    };
    let text = scrape(None).await.text().await.unwrap();
    assert!(
        text.contains("atelier_http_requests_total{method=\"GET\",route=\"/api/v1/me\",status=\"200\"} 1"),
        "{text}"
    );
    assert_eq!(problem(scrape(Some(("x-forwarded-for", "192.0.2.1".into()))).await).await.0, 401);
    let made = well(ana.post("/tokens", json!({ "name": "prometheus", "scopes": ["admin"] })).await).await;
    let token = format!("Bearer {}", made["token"].as_str().unwrap());
    let proxied =
        client().get(format!("{}/metrics", place.url)).header("via", "1.1 proxy").header("authorization", token);
    assert_eq!(proxied.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_it_can_ask_whether_it_lives() {
    let place = Place::new().await;
    for path in ["health", "ready"] {
        let answer = client().get(format!("{}/{path}", place.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
}
