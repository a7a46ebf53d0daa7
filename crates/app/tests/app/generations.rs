//! A generation is one job: submitted, stopped, tried again and given up as one.

use atelier_app::RunChange;
use atelier_app::images::{Classify, MakeImages, sides};
use atelier_app::views::GenerationRunView;
use atelier_engine::{JobId, RunEnd, Usd};
use atelier_store::JobState;
use atelier_studio::generate::{Choice, GenerationRequest, Mode, SideRequest, Which};

use crate::fixtures::{Studio, dollars};

const FIRST: &str = "sandbox:gemini-3.1-flash-image";
const SECOND: &str = "sandbox:openai:gpt-image-2";

fn request(prompt: &str, count: u32) -> GenerationRequest {
    let first = SideRequest { model: FIRST.into(), mode: Mode::Off, tone: Choice::Off, angle: Choice::Off };
    GenerationRequest {
        prompt: prompt.into(),
        project: "default".into(),
        count,
        sides: sides(first, Some(SECOND.into()), None),
        picks: Vec::new(),
        collection: None,
        category: None,
        camera: Default::default(),
        palette: Vec::new(),
        size: (1024, 1024),
        seed: Some(1),
        reference_seed: None,
    }
}

async fn submitted(studio: &Studio, prompt: &str, run: RunChange) -> JobId {
    let request = request(prompt, 2);
    let kept = studio.app.plan_images(&request, &Classify::No, &run).await.unwrap();
    studio.app.submit_images(&kept.id, &MakeImages { run, ..MakeImages::default() }).await.unwrap()
}

async fn run_of(studio: &Studio, generation: &str) -> GenerationRunView {
    studio.app.generation_run(generation).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_made_by_one_job_each_by_its_own_model() {
    let studio = Studio::new();
    let job = submitted(&studio, "a boat", RunChange::default()).await;
    let worked = studio.work(&job).await.unwrap();
    assert_eq!((worked.end, worked.job.counts.done), (RunEnd::Done, 4));
    let run = run_of(&studio, &job).await;
    let mut by: Vec<(&str, &str)> =
        run.images.iter().map(|image| (image.side.as_str(), image.model.as_str())).collect();
    by.dedup();
    assert_eq!(by, [("a", FIRST), ("b", SECOND)]);
    for image in &run.images {
        let provenance = image.came_about().unwrap();
        assert_eq!((&provenance.model, provenance.sandbox, provenance.job.as_str()), (&image.model, true, &*job));
    }
    let costs: Vec<Option<f64>> = run.images.iter().map(|image| image.cost_usd).collect();
    assert!(costs[0] == costs[1] && costs[0] > costs[2], "each at the price of its own model: {costs:?}");
    assert_eq!(studio.app.jobs(None, 10).await.unwrap().jobs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_stops_both_sides_and_holds_whoever_goes_on() {
    let studio = Studio::new();
    let little = RunChange { max_cost: dollars(0.0001), ..RunChange::default() };
    let job = submitted(&studio, "a boat", little).await;
    for _ in 0..2 {
        let worked = studio.work(&job).await.unwrap();
        assert_eq!((worked.end, worked.job.state, worked.job.totals.calls), (RunEnd::OverBudget, JobState::Stopped, 0));
    }
    assert_eq!(run_of(&studio, &job).await.pending, 4);
    let more = RunChange { max_cost: dollars(5.0), ..RunChange::default() };
    let worked = studio.work_with(&job, &more).await.unwrap();
    assert_eq!((worked.end, worked.job.state), (RunEnd::Done, JobState::Done));
    assert_eq!(studio.app.job_detail(&job).await.unwrap().job.max_cost_usd, Some(5.0), "and is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_generation_has_cost_counts_when_it_is_tried_again() {
    let studio = Studio::new();
    let job = submitted(&studio, "a boat [[sandbox:refuse]]", RunChange::default()).await;
    let first = studio.work(&job).await.unwrap();
    assert_eq!((first.job.counts.blocked, run_of(&studio, &job).await.blocked), (4, 4));
    let spent = first.job.totals.cost;
    let make =
        |max_cost: Option<Usd>| MakeImages { run: RunChange { max_cost, ..Default::default() }, ..Default::default() };
    // No more than was spent: nothing of the second try may be sent.
    let budget = Some(spent + Usd::from_nanos(1_000));
    let (again, images) =
        studio.app.retry_images(&job, &Which::All, Some("a boat"), &make(budget)).await.unwrap().unwrap();
    assert_eq!(images, 4);
    let worked = studio.work(&again).await.unwrap();
    assert_eq!((worked.end, worked.job.totals.calls), (RunEnd::OverBudget, 0));
    let worked = studio.work_with(&again, &RunChange { max_cost: dollars(9.0), ..Default::default() }).await.unwrap();
    assert_eq!((worked.end, run_of(&studio, &job).await.done), (RunEnd::Done, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_stays_so_until_it_is_tried_again() {
    let studio = Studio::new();
    let job = submitted(&studio, "a boat", RunChange::default()).await;
    let cancelled = studio.app.cancel_job(&job).await.unwrap();
    assert_eq!((cancelled.done, cancelled.given_up), (0, 4));
    let states: Vec<String> = run_of(&studio, &job).await.images.into_iter().map(|image| image.state).collect();
    assert_eq!(states, ["cancelled"; 4]);
    assert_eq!(studio.app.open_jobs(&job, None).await.unwrap(), [] as [JobId; 0], "there is nothing to go on with");
    assert_eq!(studio.work(&job).await.unwrap_err().code(), "job-cancelled");
    let again = studio.app.retry_images(&job, &Which::Side("b".into()), None, &MakeImages::default()).await.unwrap();
    let (again, images) = again.unwrap();
    assert_eq!(images, 2);
    studio.work(&again).await.unwrap();
    let run = run_of(&studio, &job).await;
    assert_eq!((run.done, run.pending), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_images_are_asked_for_again_by_the_job_itself_and_then_saved() {
    let studio = Studio::new();
    let job = submitted(&studio, "a boat [[sandbox:refuse]]", RunChange::default()).await;
    studio.work(&job).await.unwrap();
    assert_eq!(studio.app.reopen_job(&job, false).await.unwrap().0, 0, "none has failed");
    assert_eq!(studio.app.reopen_job(&job, true).await.unwrap().0, 4);
    let run = run_of(&studio, &job).await;
    assert_eq!((run.pending, run.blocked), (4, 0), "what is shown is what is so");
    studio.work(&job).await.unwrap();
    assert_eq!(run_of(&studio, &job).await.blocked, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_a_model_for_the_tone_counts_against_the_budget() {
    let studio = Studio::new();
    let run = RunChange { max_cost: dollars(1.0), ..RunChange::default() };
    let by = Classify::By("sandbox:gemini-2.5-flash".into());
    let mut request = request("a boat", 1);
    request.sides.truncate(1);
    let kept = studio.app.plan_images(&request, &by, &run).await.unwrap();
    assert!(kept.spent > Usd::ZERO);
    assert_eq!(kept.plan.category.unwrap().by, "model");
    let make = MakeImages { run: RunChange { max_cost: Some(kept.spent), ..run }, spent: kept.spent, out: None };
    let job = studio.app.submit_images(&kept.id, &make).await.unwrap();
    assert_eq!(studio.work(&job).await.unwrap().end, RunEnd::OverBudget);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_another_job_makes_by_now_are_not_asked_for_by_the_first() {
    let studio = Studio::new();
    let job = submitted(&studio, "a boat [[sandbox:refuse]]", RunChange::default()).await;
    studio.work(&job).await.unwrap();
    let first = Which::One(format!("{job}-a1"));
    let again = studio.app.retry_images(&job, &first, Some("a boat"), &MakeImages::default()).await.unwrap().unwrap().0;
    assert_eq!(studio.app.reopen_job(&job, true).await.unwrap().0, 3, "the three that are its own");
    assert_eq!(studio.work(&again).await.unwrap().job.counts.done, 1);
    studio.work(&job).await.unwrap();
    let run = run_of(&studio, &job).await;
    assert_eq!((run.done, run.blocked), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_deleted_before_its_turn_is_not_paid_for() {
    let studio = Studio::new();
    let job = submitted(&studio, "a boat", RunChange::default()).await;
    studio.app.studio().unwrap().delete(&[format!("{job}-b2")]).await.unwrap();
    let worked = studio.work(&job).await.unwrap();
    assert_eq!((worked.job.counts.done, worked.job.counts.failed, worked.job.totals.calls), (3, 1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_are_written_whoever_goes_on_and_wherever_they_stand() {
    let studio = Studio::new();
    let job = submitted(&studio, "a boat", RunChange::default()).await;
    studio.work(&job).await.unwrap();
    let folder = studio.path("out");
    for _ in 0..2 {
        studio.app.write_images(&job, &folder).await.unwrap();
    }
    let mut files: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort_unstable();
    assert_eq!(files, ["a1", "a2", "b1", "b2"].map(|place| format!("{job}-{place}.png")));
}
