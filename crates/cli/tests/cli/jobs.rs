//! `atelier jobs`, and exit code 1: some items failed.

use crate::provider::Provider;
use crate::world::{World, id, marked, texts};

const GEMINI: &str = "--model gemini:gemini-2.5-flash";

#[test]
fn jobs_are_listed_newest_first_page_by_page() {
    let world = World::with_posts(&texts(2));
    let mut submitted = Vec::new();
    for project in ["a", "b", "c"] {
        world.add_project(project);
        world.import(project, &texts(1));
        let generate = format!("replies generate -p {project} --now {} --no-skip-low-scores", crate::world::NOW);
        let summary = world.ok(&format!("{generate} --model sandbox --json")).json();
        submitted.insert(0, summary["job"].as_str().unwrap().to_owned());
    }
    let first = world.json("jobs list --limit 2");
    let second = world.json(&format!("jobs list --limit 2 --after {}", first["next"].as_str().unwrap()));
    let pages = [&first, &second].map(|page| page["jobs"].as_array().unwrap().clone()).concat();
    let listed: Vec<_> = pages.iter().map(|job| job["job"].as_str().unwrap()).collect();
    assert_eq!(listed, submitted);
    assert_eq!(second["next"], serde_json::Value::Null);
    let table = world.ok("jobs list");
    assert!(submitted.iter().all(|job| table.stdout.contains(job)), "{table}");
}

#[test]
fn a_post_that_can_not_be_answered_fails_alone_and_is_tried_again_only_if_asked_for() {
    let sick = Provider::start("");
    let mut world = World::with_posts(&marked(4, "garbage", &[1]));
    world.against(&sick);
    let finished = world.run(&World::generate(&format!("{GEMINI} --pack 4 --json"))).expect_code(1);
    let summary = finished.json();
    assert_eq!((&summary["drafted"], &summary["failed"]), (&3.into(), &1.into()), "{finished}");
    assert!(!world.drafts().contains_key(&format!("brand/{}", id(1))));
    let job = world.job();
    assert_eq!(world.show(&job)["failed"], 1);
    assert_eq!(sick.count("items_answered_more_than_once"), 0);

    // Resuming is not retrying: what failed stays so until it is asked for.
    world.run(&format!("jobs resume {job}")).expect_code(1);
    let calls = sick.count("calls");
    let retried = world.start(&format!("jobs retry {job}"));
    sick.until("calls", calls + 1);
    retried.signal("INT");
    // It comes to nothing again, but while there are attempts left it is neither over nor lost.
    retried.wait().expect_code(130).says(&["1 item to be tried again"]);
    assert_eq!(world.show(&job)["pending"], 1);
}

#[test]
fn what_failed_is_done_once_the_provider_is_well() {
    let sick = Provider::start("--fault garbage=1");
    let mut world = World::with_posts(&texts(2));
    world.against(&sick);
    let finished = world.run(&World::generate(&format!("{GEMINI} --pack off --json"))).expect_code(1);
    assert_eq!(finished.json()["failed"], 2, "{finished}");
    assert!(world.drafts().is_empty());

    let well = Provider::start("");
    world.against(&well);
    let retried = world.ok(&format!("jobs retry {}", world.job())).says(&["2 items to be tried again"]);
    assert!(retried.stdout.contains("2 posts drafted"), "{retried}");
    assert_eq!(well.count("items_answered"), 2);
    world.assert_drafted(2);
    world.ok(&format!("jobs retry {}", world.job())).says(&["no failed items"]);
    assert_eq!(well.count("calls"), 2);
}

#[test]
fn what_was_blocked_is_tried_again_only_if_asked_for() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&marked(3, "refuse:once", &[0]));
    world.against(&provider);
    assert_eq!(world.ok(&World::generate(&format!("{GEMINI} --pack off --json"))).json()["blocked"], 1);
    let job = world.job();
    world.ok(&format!("jobs retry {job}")).says(&["no failed items"]);
    world.assert_drafted(2);
    world.ok(&format!("jobs retry {job} --blocked")).says(&["1 item to be tried again"]);
    world.assert_drafted(3);
}

#[test]
fn a_job_that_is_given_up_keeps_what_was_answered_and_frees_the_rest() {
    let world = World::with_posts(&texts(6));
    world.run(&World::generate("--model sandbox --pack off --quota requests=2/day")).expect_code(75);
    let job = world.job();
    let cancelled = world.json(&format!("jobs cancel {job}"));
    assert_eq!((&cancelled["done"], &cancelled["given_up"]), (&2.into(), &4.into()));
    world.assert_drafted(2);
    world.run(&format!("jobs resume {job}")).expect_code(2).says(&["given up"]);
    world.run(&format!("jobs cancel {job}")).expect_code(2).says(&["over already"]);
    world.ok(&World::generate("--model sandbox"));
    world.assert_drafted(6);
    assert_ne!(world.job(), job);
}

#[test]
fn a_job_that_is_running_is_left_alone_and_its_holder_named() {
    let provider = Provider::start("--fault hang=1");
    let mut world = World::with_posts(&texts(2));
    world.against(&provider);
    let mut running = world.start(&World::generate(&format!("{GEMINI} --pack 2")));
    provider.until("calls", 1);
    let job = world.job();
    assert_eq!(world.show(&job)["state"], "running");
    for command in ["resume", "cancel", "retry"] {
        let refused = world.run(&format!("jobs {command} {job}")).expect_code(4);
        refused.says(&["is running", &format!("process {}", running.pid()), "job-held", "hint: "]);
    }
    assert!(!running.is_over());
    assert_eq!((provider.count("calls"), &world.show(&job)["state"]), (1, &"running".into()));
    running.kill();
    assert_eq!(world.show(&job)["state"], "open");
}

#[test]
fn two_runs_side_by_side_draft_nothing_twice() {
    let provider = Provider::start("--latency 50ms");
    let mut world = World::with_posts(&texts(12));
    world.against(&provider);
    let generate = World::generate(&format!("{GEMINI} --pack 2"));
    let both = [world.start(&generate), world.start(&generate)];
    for run in both {
        let finished = run.wait();
        // Whoever comes second finds the posts taken: at once, or when it submits them.
        assert!(matches!(finished.code, Some(0 | 2)), "{finished}");
    }
    world.assert_drafted(12);
    assert_eq!((provider.count("items_answered"), provider.count("items_answered_more_than_once")), (12, 0));
}
