//! Replies over the wire: a project, its posts, drafts, decisions, the file and its way back.

use atelier_app::accounts::Role;
use serde_json::{Value, json};

use crate::place::{Asker, Place, problem, until, well};

const FINDER: &str = include_str!("../../../../assets/samples/finder.yml");
const POSTS: &[u8] = include_bytes!("../../../../assets/samples/posts.csv");

/// A project with drafts, and some of them.
async fn drafted(asker: &Asker) -> Vec<Value> {
    well(asker.post("/projects", json!({ "name": "brand", "finder": FINDER, "shared": true })).await).await;
    let imported = well(asker.send("/projects/brand/posts?file=posts.csv", POSTS.to_vec()).await).await;
    assert!(imported["added"].as_u64().unwrap() > 50, "{imported}");
    let asked = json!({ "model": "sandbox", "hours_back": 1000000, "max_candidates": 20 });
    let forecast = well(asker.post("/projects/brand/drafting/forecast", asked.clone()).await).await;
    assert!(forecast["posts"].as_u64().unwrap() > 0, "{forecast}");
    let job = well(asker.post_once("draft", "/projects/brand/drafting", asked).await).await;
    let job = job["job"].as_str().unwrap().to_owned();
    until(asker, &format!("/jobs/{job}"), |job| job["state"] == "done").await;
    asker.read("/drafts?project=brand&status=pending&limit=500").await["drafts"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_drafted_reviewed_exported_and_taken_back() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let drafts = drafted(&ana).await;
    assert!(drafts.len() > 3);
    let hundredths = ana.read("/projects/brand/scores").await["hundredths"].clone();
    let scored: u64 = hundredths.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    let funnel = ana.read("/projects/brand/funnel").await;
    let labelled: u64 = ["green", "yellow", "red"].iter().map(|label| funnel[label].as_u64().unwrap()).sum();
    assert_eq!(scored, labelled);
    let posts = ana.read("/projects/brand/posts?limit=500").await["posts"].clone();
    let reason = posts.as_array().unwrap().iter().find_map(|post| post["left_out"].as_str()).unwrap();
    assert!(reason.starts_with("it ") || reason.starts_with("its ") || reason.starts_with("link"), "{reason}");
    let id = |place: usize| drafts[place]["id"].as_str().unwrap();
    let decisions = json!({ "decisions": [
        { "id": id(0), "version": drafts[0]["version"], "status": "approved" },
        { "id": id(1), "version": drafts[1]["version"], "text": "Said in another way.", "status": "approved" },
        { "id": id(2), "version": drafts[2]["version"], "status": "rejected", "reason": "too long" },
        { "id": "d999999", "status": "approved" },
    ]});
    let decided = well(ana.post("/drafts/decisions", decisions).await).await;
    let outcome: Vec<bool> =
        decided["decisions"].as_array().unwrap().iter().map(|one| one["decided"].as_bool().unwrap()).collect();
    assert_eq!(outcome, [true, true, true, false]);
    assert_eq!(decided["decisions"][1]["draft"]["text"], "Said in another way.");
    assert_eq!(decided["decisions"][3]["problem"]["code"], "no-such-draft");
    let file = ana.post("/projects/brand/export", json!({})).await;
    assert_eq!(file.headers()["content-type"], "text/csv; charset=utf-8");
    let file = file.text().await.unwrap();
    assert!(file.contains("Said in another way."), "{file}");
    let back = file.replace("Said in another way.", "Said once more.");
    let report = well(ana.send("/drafts/review", back.into_bytes()).await).await;
    assert_eq!(report["edited"], 1, "{report}");
    assert_eq!(ana.read(&format!("/drafts/{}", id(1))).await["text"], "Said once more.");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reviewers_never_overwrite_each_other_unseen() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let draft = drafted(&ana).await.remove(0);
    let path = format!("/drafts/{}", draft["id"].as_str().unwrap());
    let seen = max.read(&path).await;
    well(ana.patch(&path, json!({ "status": "approved" })).await).await;
    let change = max
        .request(reqwest::Method::PATCH, &path)
        .header("if-match", format!("\"{}\"", seen["version"].as_str().unwrap()))
        .json(&json!({ "status": "rejected" }));
    assert_eq!(problem(change.send().await.unwrap()).await, (412, "draft-changed".into()));
    let decision = json!({ "decisions": [{ "id": draft["id"], "version": seen["version"], "status": "rejected" }] });
    let decided = well(max.post("/drafts/decisions", decision).await).await;
    assert_eq!(decided["decisions"][0]["problem"]["code"], "draft-changed");
    // And what the other decided is there to be shown.
    assert_eq!(decided["decisions"][0]["draft"]["status"], "approved");
    assert_eq!(max.read(&path).await["status"], "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_not_shared_is_its_owners_with_all_that_is_in_it() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let draft = drafted(&ana).await.remove(0);
    let path = format!("/drafts/{}", draft["id"].as_str().unwrap());
    assert_eq!(max.get(&path).await.status(), 200);
    assert_eq!(
        problem(max.patch("/projects/brand", json!({ "shared": false })).await).await,
        (403, "not-yours".into())
    );
    well(ana.patch("/projects/brand", json!({ "shared": false })).await).await;
    assert_eq!(problem(max.get(&path).await).await, (404, "no-such-draft".into()));
    let decided = well(
        max.post("/drafts/decisions", json!({ "decisions": [{ "id": draft["id"], "status": "approved" }] })).await,
    )
    .await;
    assert_eq!(decided["decisions"][0]["problem"]["code"], "no-such-draft");
    assert_eq!(ana.read(&path).await["status"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finder_that_is_not_sound_is_told_what_is_wrong() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    assert_eq!(ana.post("/finder/check", json!({ "finder": FINDER })).await.status(), 204);
    let answer = ana.post("/finder/check", json!({ "finder": "taxonomy: 7" })).await;
    assert_eq!(problem(answer).await.1, "finder-invalid");
}
