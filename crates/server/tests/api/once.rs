//! What costs money is done once.

use atelier_app::accounts::Role;
use serde_json::json;

use crate::place::{Place, problem, two_images, until_made, well};

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_a_retry_and_two_tabs_make_one_generation() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let click = || ana.post_once("the-click", "/generations", two_images("a lamp"));
    // All at the same moment.
    let clicks = futures_util::future::join_all((0..8).map(|_| click())).await;
    let mut generations = Vec::new();
    for answer in clicks {
        generations.push(well(answer).await["generation"].as_str().unwrap().to_owned());
    }
    // And once more after a timeout.
    generations.push(well(click().await).await["generation"].as_str().unwrap().to_owned());
    generations.dedup();
    assert_eq!(generations.len(), 1, "{generations:?}");
    until_made(&ana, &generations[0]).await;
    assert_eq!(ana.read("/costs").await["sandbox_calls"], 2);
    assert_eq!(ana.read("/jobs").await["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_thing_of_one_person() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let first = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    let other = ana.post_once("k", "/generations", two_images("a chair")).await;
    assert_eq!(problem(other).await, (422, "key-reused".into()));
    let his = well(max.post_once("k", "/generations", two_images("a chair")).await).await;
    assert_ne!(first["generation"], his["generation"]);
    let without = ana.post("/generations", two_images("a lamp")).await;
    assert_eq!(problem(without).await, (400, "key-missing".into()));
    let empty = ana.post_once(" ", "/generations", two_images("a lamp")).await;
    assert_eq!(problem(empty).await, (400, "key-missing".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_refused_leaves_nothing_behind() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let mut asked = two_images("a lamp");
    asked["request"]["sides"][0]["model"] = json!("gemini:gemini-3.1-flash-image");
    let answer = ana.post_once("k", "/generations", asked.clone()).await;
    assert_eq!(problem(answer).await, (409, "missing-key".into()));
    assert_eq!(ana.read("/jobs").await["jobs"], json!([]));
    // The key was not used up.
    asked["request"]["sides"][0]["model"] = json!("sandbox");
    well(ana.post_once("k", "/generations", asked).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_stops_before_it_is_passed_and_a_larger_one_goes_on() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let mut asked = two_images("a lamp");
    asked["max_cost_usd"] = json!(0.0001);
    let made = well(ana.post_once("k", "/generations", asked).await).await;
    let job = made["generation"].as_str().unwrap();
    let stopped = crate::place::until(&ana, &format!("/jobs/{job}"), |job| job["state"] == "stopped").await;
    assert_eq!((&stopped["calls"], &stopped["pending"]), (&json!(0), &json!(2)));
    well(ana.post(&format!("/jobs/{job}/resume"), json!({ "max_cost_usd": 10.0 })).await).await;
    until_made(&ana, job).await;
}
