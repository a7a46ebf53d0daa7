//! The API's document: what is served is in it, and it changes only on purpose.

use std::path::Path;

use serde_json::Value;

use crate::place::Place;

#[test]
fn the_document_is_the_one_that_clients_were_made_from() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        known.trim_end() == atelier_server::document().trim_end(),
        "docs/openapi.json differs from what is served: 'make reference' writes it anew, and is to be looked at"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_served_and_is_openapi_3_1() {
    let place = Place::new().await;
    let served: Value = place.nobody().read("/openapi.json").await;
    assert_eq!(served["openapi"], "3.1.0");
    let whole: Value = serde_json::from_str(&atelier_server::document()).unwrap();
    assert_eq!(served, whole);
}

#[test]
fn every_route_says_who_may_use_it_and_how_it_may_fail() {
    let document: Value = serde_json::from_str(&atelier_server::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["x-atelier-access"]["scope"].is_string(), "{method} {path} has no rule");
            assert!(operation["responses"]["401"].is_object(), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(operation["operationId"].is_string(), "{method} {path}");
        }
    }
}
