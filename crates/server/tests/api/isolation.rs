//! What people share, and what they don't.

use atelier_app::accounts::Role;
use serde_json::json;

use crate::place::{Place, png, problem, two_images, until_made, well};

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_ones_own_and_the_library_is_everybodys() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let made = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    until_made(&ana, made["generation"].as_str().unwrap()).await;
    well(ana.send("/library/images?name=a.png", png(10, 200, 10)).await).await;
    for (when, images) in [("", 2), ("?from=2000-01-01T00:00:00Z", 2), ("?before=2000-01-01T00:00:00Z", 0)] {
        let made = ana.read(&format!("/images{when}")).await;
        assert_eq!(made["images"].as_array().unwrap().len(), images, "{when}");
    }
    assert_eq!(problem(ana.get("/images?from=yesterday").await).await, (400, "date-invalid".to_owned()));
    assert_eq!(ana.read("/jobs").await["jobs"].as_array().unwrap().len(), 1);
    for path in ["/images", "/images?shared=true", "/jobs", "/projects", "/drafts", "/trash"] {
        let read = max.read(path).await;
        let list = read.as_object().unwrap().values().find_map(|value| value.as_array()).unwrap();
        assert!(list.is_empty(), "{path}: {read}");
    }
    assert_eq!(max.read("/library/images").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_can_be_looked_at_and_not_changed() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let made = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    let generation = made["generation"].as_str().unwrap();
    let image = made["images"][0]["id"].as_str().unwrap();
    until_made(&ana, generation).await;
    assert_eq!(problem(max.patch(&format!("/generations/{generation}"), json!({ "shared": true })).await).await.0, 404);
    well(ana.patch(&format!("/generations/{generation}"), json!({ "shared": true })).await).await;
    assert_eq!(max.read(&format!("/generations/{generation}")).await["prompt"], "a lamp");
    assert_eq!(max.get(&format!("/images/{image}/file")).await.status(), 200);
    assert_eq!(max.read("/images").await["images"].as_array().unwrap().len(), 0);
    assert_eq!(max.read("/images?shared=true").await["images"].as_array().unwrap().len(), 2);
    // What somebody prefers is their own.
    let prefer = max.request(reqwest::Method::PUT, &format!("/generations/{generation}/preference"));
    well(prefer.json(&json!({ "place": 1, "side": "a", "blind": true })).send().await.unwrap()).await;
    assert_eq!(max.read(&format!("/generations/{generation}")).await["preferences"][0]["side"], "a");
    assert_eq!(ana.read(&format!("/generations/{generation}")).await["preferences"], json!([]));
    let not_his = (403, "not-yours".to_owned());
    assert_eq!(problem(max.patch(&format!("/images/{image}"), json!({ "liked": true })).await).await, not_his);
    assert_eq!(problem(max.post("/images/removals", json!({ "ids": [image] })).await).await, not_his);
    assert_eq!(problem(max.post(&format!("/generations/{generation}/cancel"), json!({})).await).await, not_his);
    let retry = max.post_once("r", &format!("/generations/{generation}/retry"), json!({})).await;
    assert_eq!(problem(retry).await, not_his);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_what_it_costs_and_no_pictures() {
    let place = Place::new().await;
    let (ana, root) = (place.person("ana", Role::Member).await, place.person("root", Role::Admin).await);
    let made = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    until_made(&ana, made["generation"].as_str().unwrap()).await;
    assert_eq!(root.read("/jobs?everybody=true").await["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(root.read("/jobs").await["jobs"].as_array().unwrap().len(), 0);
    assert_eq!(root.read("/costs?everybody=true").await["sandbox_calls"], 2);
    assert_eq!(ana.read("/costs?everybody=true&by=owner").await["sandbox_calls"], 2);
    let image = made["images"][0]["id"].as_str().unwrap();
    assert_eq!(root.get(&format!("/images/{image}")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_in_bodies_are_looked_up_like_ids_in_paths() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let made = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    until_made(&ana, made["generation"].as_str().unwrap()).await;
    let image = made["images"][0]["id"].as_str().unwrap();
    let upload = well(ana.send("/uploads?name=a.png", png(200, 10, 10)).await).await;
    let with = |reference: serde_json::Value| json!({ "prompt": "x", "references": [reference], "sides": [{ "model": "sandbox" }] });
    for reference in [json!({ "made": image }), json!({ "upload": upload["id"] })] {
        well(ana.post("/generations/preview", with(reference.clone())).await).await;
        assert_eq!(problem(max.post("/generations/preview", with(reference)).await).await.0, 404);
    }
    let edit = json!({ "prompt": "x", "picture": { "made": image }, "mask": upload["id"], "model": "sandbox" });
    assert_eq!(problem(max.post_once("e", "/edits", edit).await).await.0, 404);
    let search = max.get(&format!("/search?upload={}", upload["id"].as_str().unwrap())).await;
    assert_eq!(problem(search).await.0, 404);
    let plan = well(ana.post("/plans", with(json!({ "made": image }))).await).await;
    assert_eq!(problem(max.post_once("p", "/generations", json!({ "plan": plan["plan"] })).await).await.0, 404);
    // The same bytes tell nobody that somebody else has them.
    let same = well(max.send("/uploads?name=b.png", png(200, 10, 10)).await).await;
    assert_ne!(same["id"], upload["id"]);
    assert_eq!(same["name"], "b.png");
    // A snapshot is whose it was.
    let layout = ana.get("/library/layout").await;
    let snapshot = layout.headers()["atelier-snapshot"].to_str().unwrap().to_owned();
    let slice = format!("/library/slice?snapshot={snapshot}&from=0&count=10");
    assert_eq!(ana.get(&slice).await.status(), 200);
    assert_eq!(problem(max.get(&slice).await).await, (404, "no-such-snapshot".into()));
}
