//! Exit codes 5 and 75: budgets, and limits that take until another day.

use crate::provider::Provider;
use crate::world::{World, texts, until};

const GEMINI: &str = "--model gemini:gemini-2.5-flash";

#[test]
fn a_run_stops_before_its_budget_and_goes_on_with_a_larger_one() {
    let world = World::with_posts(&texts(12));
    let generate = World::generate("--model sandbox:gemini-2.5-flash --pack off --max-cost 0.016 --json");
    let finished = world.run(&generate).expect_code(5);
    let summary = finished.json();
    let cost = summary["cost_usd"].as_f64().unwrap();
    assert!(cost > 0.0 && cost <= 0.016, "{finished}");
    let drafted = summary["drafted"].as_u64().unwrap();
    assert!(drafted > 0 && drafted < 12, "{finished}");

    let job = world.job();
    assert_eq!(world.show(&job)["state"], "stopped");
    // A budget is the whole job's: the same again buys no more than what is left of it.
    let again = world.run(&format!("jobs resume {job} --json")).expect_code(5);
    assert!(again.json()["cost_usd"].as_f64().unwrap() <= 0.016, "{again}");
    let resumed = world.run(&format!("jobs resume {job} --max-cost 1 --json")).expect_code(0);
    assert_eq!(resumed.json()["drafted"], 12, "{resumed}");
    world.assert_drafted(12);
}

#[test]
fn a_budget_that_is_too_small_for_any_call_sends_none() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(3));
    world.against(&provider);
    let finished = world.run(&World::generate(&format!("{GEMINI} --max-cost 0.0001"))).expect_code(5);
    assert!(finished.stdout.contains("--max-cost"), "{finished}");
    assert_eq!(provider.count("calls"), 0);
}

#[test]
fn a_days_limit_parks_the_job_and_says_until_when() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(5));
    world.against(&provider);
    let finished = world.run(&World::generate(&format!("{GEMINI} --pack off --quota requests=3/day"))).expect_code(75);
    let job = world.job();
    let resume = format!("jobs resume {job}");
    for words in ["parked until 20", "requests=3/day", &resume] {
        assert!(finished.stdout.contains(words), "{finished}");
    }
    let shown = world.show(&job);
    assert_eq!((&shown["state"], &shown["done"], &shown["pending"]), (&"parked".into(), &3.into(), &2.into()));
    assert!(shown["resume_at"].is_string(), "{shown}");
    world.assert_drafted(3);

    // The day is not over, and what was used of it is remembered.
    world.run(&resume).expect_code(75);
    assert_eq!(provider.count("calls"), 3);
}

#[test]
fn a_days_quota_that_the_provider_enforces_parks_the_job_too() {
    let provider = Provider::start("--quota requests=3/day");
    let mut world = World::with_posts(&texts(5));
    world.against(&provider);
    let finished = world.run(&World::generate(&format!("{GEMINI} --pack off --json"))).expect_code(75);
    assert_eq!(finished.json()["drafted"], 3, "{finished}");
    world.assert_drafted(3);
    let job = world.job();
    assert!(world.show(&job)["resume_at"].is_string());

    // Another endpoint has a day of its own: with it, the rest is drafted.
    let other = Provider::start("");
    world.against(&other);
    world.ok(&format!("jobs resume {job}"));
    world.assert_drafted(5);
    assert_eq!((other.count("calls"), other.count("items_answered")), (2, 2));
}

#[test]
fn waiting_out_a_days_limit_is_accepted_where_none_is_reached() {
    let world = World::with_posts(&texts(3));
    world.ok(&World::generate("--model sandbox --wait --quota requests=100/day --rpm 1000 --tpm 900000 --rpd 1000"));
    world.assert_drafted(3);
    world.ok(&format!("jobs resume {} --wait", world.job()));
}

#[test]
fn a_window_is_never_overrun() {
    let provider = Provider::start("--quota requests=4/1s");
    let mut world = World::with_posts(&texts(10));
    world.against(&provider);
    let finished = world.run(&World::generate(&format!("{GEMINI} --pack off --quota requests=4/1s --json")));
    assert_eq!(finished.expect_code(0).json()["rate_limited"], 0);
    assert_eq!((provider.count("calls"), provider.count("refusals")), (10, 0));
}

#[test]
fn a_limit_that_nobody_configured_is_learnt_and_told() {
    let provider = Provider::start("--quota requests=6/60s");
    let mut world = World::with_posts(&texts(12));
    world.against(&provider);
    let run = world.start(&World::generate(&format!("{GEMINI} --pack off")));
    until("what was learnt", || run.stderr().contains("the provider's limit is requests=6/60s").then_some(()));
    // Who does not want to wait for the window stops it, and what came is there.
    provider.until("items_answered", 6);
    run.signal("INT");
    run.wait().expect_code(130);
    world.assert_drafted(6);
}
