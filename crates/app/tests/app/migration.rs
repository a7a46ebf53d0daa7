//! A data directory of an earlier version: it opens, and everything in it goes on.

use atelier_app::job::WorkEvent;
use atelier_app::{App, RunChange};
use atelier_engine::{JobId, RunEnd, Stop};
use atelier_store::{DraftFilter, JobState, LOCAL_OWNER};

use crate::fixtures::Studio;

const SCHEMA_5: &str = include_str!("../fixtures/schema-5.sql");
const REPLIES: &str = "replies-20261128-034615-le7s";
const PROMPTS: &str = "run-c6013caa95";
const GENERATION: &str = "img-20261128-034615-8szs";
const EMBEDDINGS: &str = "embed-ddc7a1ec663b6350";

fn moved_in() -> Studio {
    let studio = Studio::new();
    let data = studio.path("data");
    std::fs::create_dir_all(&data).unwrap();
    let sql = SCHEMA_5.replace("/srv/prompts", studio.path("").to_str().unwrap().trim_end_matches('/'));
    rusqlite::Connection::open(data.join("atelier.db")).unwrap().execute_batch(&sql).unwrap();
    studio
}

async fn work(app: &App, job: &str, change: &RunChange) -> (RunEnd, JobState) {
    let worked = app.work(&JobId::from(job), change, Stop::never(), &mut |_: WorkEvent<'_>| {}).await.unwrap();
    (worked.end, worked.job.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_has_an_owner_and_the_name_that_its_kind_has_now() {
    let studio = moved_in();
    let jobs = studio.app.jobs(None, 20).await.unwrap().jobs;
    let mut kinds: Vec<(&str, &str)> = jobs.iter().map(|job| (job.kind.as_str(), job.owner.as_str())).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let local = |kind| (kind, LOCAL_OWNER);
    assert_eq!(kinds, ["embeddings", "images", "prompts", "replies"].map(local));
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_were_parked_go_on_under_the_limits_they_were_submitted_with() {
    let studio = moved_in();
    let before = studio.app.job(REPLIES).await.unwrap();
    assert_eq!((before.state, before.counts.pending), (JobState::Parked, 2));
    let (end, state) = work(&studio.app, REPLIES, &RunChange::default()).await;
    assert_eq!((end, state), (RunEnd::Done, JobState::Done));
    let filter = DraftFilter { include_filtered: true, limit: 100, ..DraftFilter::default() };
    let drafts = studio.app.drafts(&filter).await.unwrap().drafts;
    let posts: std::collections::BTreeSet<&str> = drafts.iter().map(|draft| draft.post.as_str()).collect();
    assert_eq!(posts.len(), 4, "those of before and those of now");
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_that_their_budget_stopped_go_on_where_it_is_enough_for_what_they_ask() {
    let studio = moved_in();
    // Each call was taken to answer as much as the model can, which their budget was not enough for.
    assert_eq!(work(&studio.app, PROMPTS, &RunChange::default()).await, (RunEnd::Done, JobState::Done));
    let answers = std::fs::read_to_string(studio.path("answers.jsonl")).unwrap();
    assert_eq!(answers.lines().count(), 6, "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_of_two_jobs_is_made_to_its_end() {
    let studio = moved_in();
    let jobs = studio.app.open_jobs(GENERATION, None).await.unwrap();
    assert_eq!(jobs, [JobId::from(format!("{GENERATION}-b"))]);
    assert_eq!(work(&studio.app, &jobs[0], &RunChange::default()).await, (RunEnd::Done, JobState::Done));
    let run = studio.app.generation_run(GENERATION).await.unwrap();
    let with_provenance = run.images.iter().filter(|image| image.side == "b" && image.came_about().is_some()).count();
    assert_eq!((run.pending, with_provenance), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings_are_made_and_kept_under_the_texts_they_are_of() {
    let studio = moved_in();
    let before = studio.app.job(EMBEDDINGS).await.unwrap();
    assert_eq!(work(&studio.app, EMBEDDINGS, &RunChange::default()).await, (RunEnd::Done, JobState::Done));
    let store = studio.app.store().unwrap();
    let mut hashes = Vec::new();
    for seq in 0..before.counts.items {
        let payload = store.item_payload(EMBEDDINGS, seq).await.unwrap().unwrap();
        let text: String = serde_json::from_str(&payload).unwrap();
        hashes.push(blake3::hash(text.as_bytes()).to_hex().to_string());
    }
    let kept = store.vectors("sandbox-gemini-embedding-001/768", &hashes).await.unwrap();
    assert_eq!(kept.len(), hashes.len());
}
