//! Replies: drafted under one budget, and there as soon as they are paid for.

use atelier_app::job::{Applied, WorkEvent};
use atelier_app::replies::RepliesRequest;
use atelier_app::{Intent, RunChange};
use atelier_engine::{JobId, Packing, RunEnd, Stop, Usd};
use atelier_replies::generate::Selection;
use atelier_store::DraftFilter;
use tokio::sync::mpsc::channel;

use crate::fixtures::{PROJECT, Studio, dollars};

fn request(embedder: &str, run: RunChange) -> RepliesRequest {
    let selection = Selection { projects: vec![PROJECT.into()], skip_low_scores: false, ..Selection::default() };
    RepliesRequest { selection, all_projects: false, embedder: embedder.into(), run, at: None, intent: Intent::Send }
}

async fn submitted(studio: &Studio, embedder: &str, run: RunChange) -> JobId {
    let mut ready = studio.app.prepare_replies(&request(embedder, run), &Stop::never()).await.unwrap();
    studio.app.submit_replies(&mut ready).await.unwrap().unwrap()
}

fn one_by_one() -> RunChange {
    RunChange {
        model: Some("sandbox:gemini-2.5-flash".into()),
        pack: Some(Packing::Off),
        concurrency: Some(1),
        ..RunChange::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_listed_while_its_run_goes_on() {
    let studio = Studio::new();
    studio.add_posts(3).await;
    let mut run = one_by_one();
    run.sandbox.latency = Some("400ms".into());
    let job = submitted(&studio, "local", run).await;
    let (send, mut receive) = channel(1);
    let work = tokio::spawn({
        let (app, job) = (studio.app.clone(), job.clone());
        async move {
            let mut watch = |event: WorkEvent<'_>| {
                if let WorkEvent::Applied(Applied::Drafts(_)) = event {
                    let _ = send.try_send(());
                }
            };
            app.work(&job, &RunChange::default(), Stop::never(), &mut watch).await.unwrap()
        }
    });
    receive.recv().await.unwrap();
    let drafts =
        studio.app.drafts(&DraftFilter { include_filtered: true, limit: 100, ..Default::default() }).await.unwrap();
    let shown = studio.app.job_detail(&job).await.unwrap().job;
    assert_eq!((shown.state, drafts.drafts.is_empty()), ("running", false));
    assert!(shown.pending > 0, "{shown:?}");
    assert_eq!(work.await.unwrap().end, RunEnd::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_stopped_and_dies_in_its_next_run_does_not_say_stopped() {
    let studio = Studio::new();
    studio.add_posts(3).await;
    let job = submitted(&studio, "local", RunChange { max_cost: dollars(0.000_001), ..one_by_one() }).await;
    assert_eq!(studio.work(&job).await.unwrap().end, RunEnd::OverBudget);
    let mut change = RunChange { max_cost: dollars(5.0), ..RunChange::default() };
    change.sandbox.latency = Some("400ms".into());
    let (send, mut receive) = channel(1);
    let work = tokio::spawn({
        let (app, job) = (studio.app.clone(), job.clone());
        async move {
            let mut watch = |event: WorkEvent<'_>| {
                if let WorkEvent::Applied(_) = event {
                    let _ = send.try_send(());
                }
            };
            app.work(&job, &change, Stop::never(), &mut watch).await
        }
    });
    receive.recv().await.unwrap();
    work.abort();
    assert!(work.await.unwrap_err().is_cancelled());
    // What died gives its lease up by itself, soon after.
    let mut shown = studio.app.job_detail(&job).await.unwrap().job;
    while shown.state == "running" {
        shown = studio.app.job_detail(&job).await.unwrap().job;
    }
    assert_eq!((shown.state, shown.note), ("open", None));
    assert_eq!(shown.max_cost_usd, Some(5.0), "what was said last holds");
    assert_eq!(studio.work(&job).await.unwrap().end, RunEnd::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn comparing_posts_and_drafting_for_them_share_a_budget() {
    let studio = Studio::new();
    studio.add_posts(2).await;
    let run = RunChange { max_cost: dollars(1.0), ..one_by_one() };
    let job = submitted(&studio, "gemini:gemini-embedding-001", run).await;
    let settings = studio.app.job_detail(&job).await.unwrap().settings;
    let jobs = studio.app.jobs(None, 10).await.unwrap().jobs;
    let compared: Usd = jobs.iter().filter(|job| job.kind == "embeddings").filter_map(|job| job.cost).sum();
    assert!(compared > Usd::ZERO);
    assert_eq!(settings["run"]["also_spent"], serde_json::to_value(compared).unwrap());
    let nothing_left = RunChange { max_cost: Some(compared), ..RunChange::default() };
    assert_eq!(studio.work_with(&job, &nothing_left).await.unwrap().end, RunEnd::OverBudget);
}
