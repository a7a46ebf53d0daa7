//! Jobs that a server works on: paused, resumed, given up, and gone on with after a restart.

use atelier_app::accounts::Role;
use serde_json::json;

use crate::place::{Asker, Place, app_in, settings, until, well};

async fn run_prompts(asker: &Asker, lines: usize) -> String {
    let file: String = (0..lines).map(|line| format!("{{\"prompt\": \"say {line}\"}}\n")).collect();
    let upload = well(asker.send("/prompts?name=p.jsonl", file.into_bytes()).await).await;
    let path = format!("/prompts/{}", upload["id"].as_str().unwrap());
    let forecast = well(asker.post(&format!("{path}/forecast"), json!({ "model": "sandbox" })).await).await;
    assert_eq!(forecast["lines"], lines);
    let job =
        well(asker.post_once("run", &format!("{path}/run"), json!({ "model": "sandbox", "ordered": true })).await)
            .await;
    job["job"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_prompts_is_run_and_its_answers_are_downloaded() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let job = run_prompts(&ana, 50).await;
    let done = until(&ana, &format!("/jobs/{job}"), |job| job["state"] == "done").await;
    assert_eq!(done["title"], "p.jsonl");
    let answers = ana.get(&format!("/jobs/{job}/answers")).await;
    assert_eq!(answers.headers()["cache-control"], "private, no-cache");
    let text = answers.text().await.unwrap();
    assert_eq!(text.lines().count(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_paused_resumed_and_given_up() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let job = run_prompts(&ana, 20_000).await;
    let path = format!("/jobs/{job}");
    until(&ana, &path, |job| job["done"].as_u64().unwrap() > 0).await;
    well(ana.post(&format!("{path}/pause"), json!({})).await).await;
    let paused = until(&ana, &path, |job| job["state"] == "stopped").await;
    assert!(paused["pending"].as_u64().unwrap() > 0, "{paused}");
    well(ana.post(&format!("{path}/resume"), json!({})).await).await;
    until(&ana, &path, |job| job["done"].as_u64() > paused["done"].as_u64()).await;
    well(ana.post(&format!("{path}/cancel"), json!({})).await).await;
    let over = until(&ana, &path, |job| job["state"] == "cancelled").await;
    assert!(over["done"].as_u64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_submitted_goes_on_after_a_restart() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let job = run_prompts(&ana, 20_000).await;
    until(&ana, &format!("/jobs/{job}"), |job| job["done"].as_u64().unwrap() > 0).await;
    let dir = place.end().await;
    let between = app_in(&dir);
    let record = between.job(&job).await.unwrap();
    assert_eq!(record.state.name(), "open");
    assert!(record.counts.pending > 0);
    drop(between);
    let place = Place::in_dir(dir, settings()).await;
    let ana = place.sign_in("ana").await;
    let done = until(&ana, &format!("/jobs/{job}"), |job| job["state"] == "done").await;
    assert_eq!((&done["done"], &done["items"]), (&json!(20_000), &json!(20_000)));
    // Each line once, in its order.
    let answers = ana.get(&format!("/jobs/{job}/answers")).await.text().await.unwrap();
    assert_eq!(answers.lines().count(), 20_000);
}
