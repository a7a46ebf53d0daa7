//! What changes is told to whoever may see it, and to nobody else.

use std::time::Duration;

use atelier_app::accounts::{Role, Scope};
use reqwest::Response;
use serde_json::{Value, json};

use crate::place::{Asker, Place, problem, two_images, until_made, well};

/// The events of a stream, as they come.
struct Events {
    answer: Response,
    text: String,
}

impl Events {
    async fn of(asker: &Asker, query: &str) -> Self {
        let answer = asker.get(&format!("/events{query}")).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert!(answer.headers().get("content-encoding").is_none());
        let mut events = Self { answer, text: String::new() };
        assert_eq!(events.next().await.unwrap().0, "begin");
        events
    }

    /// The topic, the id and the row of the next event; nothing once the stream has ended.
    async fn next(&mut self) -> Option<(String, u64, Value)> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned)
                };
                let (Some(topic), Some(id), Some(data)) = (field("event"), field("id"), field("data")) else {
                    continue;
                };
                return Some((topic, id.parse().unwrap(), serde_json::from_str(&data).unwrap()));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.answer.chunk()).await.expect("an event");
            self.text.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_is_told_to_its_end_with_growing_numbers() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let mut events = Events::of(&ana, "").await;
    let made = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    let (mut done, mut last, mut job_done) = (std::collections::BTreeSet::new(), 0, false);
    while done.len() < 2 || !job_done {
        let (topic, number, row) = events.next().await.unwrap();
        assert!(number > last, "{number} after {last}");
        last = number;
        if topic == "image" && row["image"]["state"] == "done" {
            done.insert(row["id"].as_str().unwrap().to_owned());
        }
        job_done |= topic == "job" && row["id"] == made["generation"] && row["job"]["state"] == "done";
    }
    // Whoever comes back with a number misses nothing since.
    let mut again = Events::of(&ana, "?after=0").await;
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 2 {
        let (topic, number, row) = again.next().await.unwrap();
        assert!(number <= last);
        if topic == "image" {
            seen.insert(row["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen, done);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_work_is_not_told() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let mut his = Events::of(&max, "").await;
    let hers = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    until_made(&ana, hers["generation"].as_str().unwrap()).await;
    let made = well(max.post_once("k", "/generations", two_images("a chair")).await).await;
    loop {
        let (topic, _, row) = his.next().await.unwrap();
        assert!(
            !row.to_string().contains("a lamp") && !row.to_string().contains(hers["generation"].as_str().unwrap()),
            "{row}"
        );
        if topic == "job" && row["id"] == made["generation"] && row["job"]["state"] == "done" {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_whoever_listens_signs_out_is_disabled_or_may_do_less() {
    let place = Place::new().await;
    let admin = place.person("root", Role::Admin).await;
    for (name, how) in [("ana", "signs out"), ("max", "disabled"), ("vera", "role"), ("tom", "token")] {
        let person = place.person(name, Role::Member).await;
        let id = place.app.user(name).await.unwrap().id;
        let asker = if how == "token" { place.program(name, &[Scope::Read]).await } else { person.clone() };
        let mut events = Events::of(&asker, "").await;
        match how {
            "signs out" => drop(person.delete("/sessions/current").await),
            "disabled" => drop(well(admin.patch(&format!("/users/{id}"), json!({ "disabled": true })).await).await),
            "role" => drop(well(admin.patch(&format!("/users/{id}"), json!({ "role": "viewer" })).await).await),
            _ => {
                let credentials = person.read("/credentials").await;
                let all = credentials["credentials"].as_array().unwrap();
                let token = all.iter().find(|one| one["kind"] == "token").unwrap()["id"].as_str().unwrap().to_owned();
                assert_eq!(person.delete(&format!("/credentials/{token}")).await.status(), 204);
            }
        }
        let ended =
            tokio::time::timeout(Duration::from_secs(10), async { while events.next().await.is_some() {} }).await;
        assert!(ended.is_ok(), "{how}: the stream goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_can_not_take_all_streams() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Member).await);
    let mut open = Vec::new();
    for _ in 0..12 {
        open.push(Events::of(&ana, "").await);
    }
    assert_eq!(problem(ana.get("/events").await).await, (429, "too-many-streams".into()));
    Events::of(&max, "").await;
}
