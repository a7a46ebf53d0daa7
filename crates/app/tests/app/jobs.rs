//! Jobs of any kind: who owns them, who works on them, what they say of themselves.

use atelier_app::{Intent, PromptDefaults, RunChange, RunSettings};
use atelier_engine::RunEnd;

use crate::fixtures::Studio;

/// A file of so many prompts, submitted.
async fn prompts(studio: &Studio, lines: usize, model: &str) -> atelier_engine::JobId {
    let line = |number: usize| format!("{{\"id\":\"q{number}\",\"prompt\":\"say {number}\"}}\n");
    let file = studio.path("prompts.jsonl");
    std::fs::write(&file, (1..=lines).map(line).collect::<String>()).unwrap();
    let said = RunChange { model: Some(model.into()), ..RunChange::default() };
    let read = studio.app.read_prompts(&file, &said, PromptDefaults::default(), Intent::Send).await.unwrap();
    studio.app.submit_prompts(read, &studio.path("answers.jsonl"), false).await.unwrap().job
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_somebody_works_on_is_left_to_them() {
    let studio = Studio::new();
    let job = prompts(&studio, 2, "sandbox").await;
    let other = studio.again();
    let lease = other.store().unwrap().lease(&job).await.unwrap();
    for refused in [
        studio.work(&job).await.map(drop),
        studio.app.cancel_job(&job).await.map(drop),
        studio.app.reopen_job(&job, true).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), "job-held");
    }
    assert_eq!(studio.app.job_detail(&job).await.unwrap().job.state, "running");
    lease.release().await.unwrap();
    assert_eq!(studio.work(&job).await.unwrap().end, RunEnd::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_through_somebodys_application_is_theirs() {
    let mut theirs = Studio::new();
    theirs.app = theirs.app.owned_by("ana");
    theirs.add_posts(1).await;
    let job = prompts(&theirs, 1, "sandbox").await;
    assert_eq!(theirs.app.job_detail(&job).await.unwrap().job.owner, "ana");
    assert_eq!(theirs.app.projects().await.unwrap()[0].owner, "ana");
    let local = prompts_owner(&theirs.again(), &job).await;
    assert_eq!(local, "ana", "whoever looks");
}

async fn prompts_owner(app: &atelier_app::App, job: &str) -> String {
    app.job_detail(job).await.unwrap().job.owner
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_without_a_price_costs_is_unknown_and_not_nothing() {
    let studio = Studio::new();
    let job = prompts(&studio, 2, "gemini:gemini-test").await;
    studio.work(&job).await.unwrap();
    let shown = studio.app.job_detail(&job).await.unwrap().job;
    assert_eq!((shown.done, shown.cost_usd), (2, None));
    let cost = studio.app.cost(atelier_app::views::CostBy::Job, None, None).await.unwrap();
    assert_eq!((cost.total_usd, cost.known_usd, cost.rows.len()), (None, 0.0, 1));
    assert!(cost.rows[0].cost.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_kind_that_a_later_version_added_is_left_alone() {
    let studio = Studio::new();
    let job = prompts(&studio, 1, "sandbox").await;
    let database = rusqlite::Connection::open(studio.path("data/atelier.db")).unwrap();
    database.execute("UPDATE jobs SET kind = 'films'", []).unwrap();
    let error = studio.work(&job).await.unwrap_err();
    assert_eq!((error.code(), error.job()), ("job-kind-unknown", Some(&job)));
    assert_eq!(studio.app.job_detail(&job).await.unwrap().job.pending, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_a_later_version_wrote_are_left_alone() {
    let studio = Studio::new();
    let job = prompts(&studio, 1, "sandbox").await;
    let database = rusqlite::Connection::open(studio.path("data/atelier.db")).unwrap();
    database.execute("UPDATE jobs SET settings = json_set(settings, '$.version', 99)", []).unwrap();
    let error = studio.work(&job).await.unwrap_err();
    assert_eq!(error.code(), "job-settings-unreadable");
    assert!(error.message().contains("a newer version"), "{}", error.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_no_model_that_there_is_submits_nothing() {
    let studio = Studio::new();
    let run = RunSettings::of("nobody:model");
    assert_eq!(studio.app.submit_describing(&[], run).await.unwrap_err().code(), "unknown-provider");
    assert!(studio.app.jobs(None, 10).await.unwrap().jobs.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_were_not_stored_before_a_crash_are_stored_and_answered_by_a_resume() {
    let studio = Studio::new();
    let job = prompts(&studio, 3, "sandbox").await;
    let database = rusqlite::Connection::open(studio.path("data/atelier.db")).unwrap();
    database.execute("DELETE FROM items WHERE seq > 0", []).unwrap();
    let worked = studio.work(&job).await.unwrap();
    assert_eq!((worked.end, worked.job.counts.done), (RunEnd::Done, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_be_given_up_although_its_answers_have_nowhere_to_go() {
    let studio = Studio::new();
    let job = prompts(&studio, 2, "sandbox").await;
    studio.work(&job).await.unwrap();
    let database = rusqlite::Connection::open(studio.path("data/atelier.db")).unwrap();
    database.execute("UPDATE jobs SET state = 'stopped'", []).unwrap();
    let nowhere = serde_json::json!(studio.path("prompts.jsonl/answers.jsonl")).to_string();
    database.execute("UPDATE jobs SET settings = json_set(settings, '$.out', json(?1))", [nowhere]).unwrap();
    let cancelled = studio.app.cancel_job(&job).await.unwrap();
    assert_eq!((cancelled.done, cancelled.not_applied.unwrap().code()), (2, "output-unwritable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_can_not_be_kept_is_refused_and_not_kept_with_the_job() {
    let studio = Studio::new();
    let job = prompts(&studio, 1, "gemini:gemini-test").await;
    let change = RunChange { max_cost: crate::fixtures::dollars(1.0), ..RunChange::default() };
    assert_eq!(studio.work_with(&job, &change).await.unwrap_err().code(), "price-unknown");
    assert_eq!(studio.work(&job).await.unwrap().end, RunEnd::Done);
}
