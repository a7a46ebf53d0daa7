//! How many posts a call carries, how many calls there are at once, and what a bad answer does to whom.

use crate::provider::Provider;
use crate::world::{World, id, marked, texts};

fn generate(flags: &str) -> String {
    World::generate(&format!("--model gemini:gemini-2.5-flash --json {flags}"))
}

fn served(flags: &str, texts: &[String]) -> (Provider, World) {
    let provider = Provider::start(flags);
    let mut world = World::with_posts(texts);
    world.against(&provider);
    (provider, world)
}

#[test]
fn a_post_that_the_provider_refuses_is_blocked_alone() {
    let (provider, world) = served("", &marked(8, "refuse", &[3]));
    let summary = world.ok(&generate("--pack 8")).json();
    let counts = ["drafted", "blocked", "failed", "saved", "filtered"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [7, 1, 0, 35, 0], "{summary}");
    world.assert_drafted(7);
    assert!(!world.drafts().contains_key(&format!("brand/{}", id(3))));
    assert_eq!(provider.count("items_answered_more_than_once"), 0);
    let shown = world.show(&world.job());
    assert_eq!((&shown["state"], &shown["blocked"]), (&"done".into(), &1.into()));

    // Blocked counts as done: it is not asked for again.
    let calls = provider.count("calls");
    assert_eq!(world.ok(&generate("--pack 8")).json()["calls"], 0);
    assert_eq!(provider.count("calls"), calls);
}

#[test]
fn posts_that_an_answer_leaves_out_are_asked_for_again_and_the_others_are_not() {
    let (provider, world) = served("", &marked(8, "omit", &[2, 5]));
    let summary = world.ok(&generate("--pack 8")).json();
    assert_eq!((&summary["drafted"], &summary["calls"]), (&8.into(), &2.into()), "{summary}");
    world.assert_drafted(8);
    let counts = ["calls", "items_answered", "items_answered_more_than_once"].map(|name| provider.count(name));
    assert_eq!(counts, [2, 8, 0]);
}

#[test]
fn answers_in_disorder_are_put_right_without_asking_again() {
    let mut texts = texts(6);
    for (text, marker) in texts.iter_mut().zip(["double", "shuffle", "fence", "no-usage"]) {
        text.push_str(&format!(" [[sandbox:{marker}]]"));
    }
    let (provider, world) = served("", &texts);
    world.ok(&generate("--pack 6"));
    world.assert_drafted(6);
    assert_eq!(provider.count("calls"), 1);
}

#[test]
fn faults_of_the_provider_are_got_over() {
    let texts: Vec<String> = ["503", "500", "504", "reset", "truncate", "garbage"]
        .iter()
        .zip(texts(6))
        .map(|(fault, text)| format!("{text} [[sandbox:{fault}:once]]"))
        .collect();
    let (provider, world) = served("", &texts);
    let summary = world.ok(&generate("--pack off")).json();
    assert_eq!((&summary["drafted"], &summary["failed"]), (&6.into(), &0.into()), "{summary}");
    world.assert_drafted(6);
    assert_eq!(provider.count("items_answered_more_than_once"), 0);
}

#[test]
fn without_packing_each_post_has_a_call_of_its_own() {
    let (provider, world) = served("", &texts(9));
    assert_eq!(world.ok(&generate("--pack off")).json()["calls"], 9);
    assert_eq!(provider.count("calls"), 9);
    world.assert_drafted(9);
}

#[test]
fn with_a_fixed_pack_there_are_as_few_calls_as_that_allows() {
    let (provider, world) = served("", &texts(9));
    world.ok(&generate("--pack 4"));
    assert_eq!(provider.count("calls"), 3);
    world.assert_drafted(9);
}

#[test]
fn no_batch_means_one_call_at_a_time() {
    let (provider, world) = served("--latency 20ms", &texts(8));
    world.ok(&generate("--pack 2 --no-batch"));
    assert_eq!((provider.count("calls"), provider.count("peak_in_flight")), (4, 1));
}

#[test]
fn concurrency_is_capped_under_either_name() {
    for flag in ["--concurrency", "--batch-size"] {
        let (provider, world) = served("--latency 40ms", &texts(8));
        world.ok(&generate(&format!("--pack off {flag} 2")));
        assert_eq!(provider.count("calls"), 8);
        assert!(provider.count("peak_in_flight") <= 2, "{}", provider.stats());
    }
}
