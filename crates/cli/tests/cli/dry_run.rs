//! `--dry-run`: what would be sent, and that it is not; and the embedder that is asked over the wire.

use crate::provider::Provider;
use crate::world::{World, texts};

#[test]
fn a_dry_run_tells_calls_cost_and_time_and_sends_nothing() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(8));
    world.against(&provider);
    let generate = World::generate("--model gemini:gemini-2.5-flash --pack 4 --quota requests=15/60s --dry-run");
    let told = world.ok(&generate);
    for words in ["would send 8 posts", "2 calls of up to 4 posts", "cost: about $", "at most", "nothing was sent"] {
        assert!(told.stdout.contains(words), "{words:?} is not in\n{told}");
    }
    let object = world.json(&generate);
    assert_eq!((&object["posts"], &object["calls"], &object["pack"]), (&8.into(), &2.into(), &4.into()));
    for amount in ["input_tokens", "output_tokens", "cost_usd", "worst_cost_usd", "seconds"] {
        assert!(object[amount].as_f64().unwrap() > 0.0, "{amount} in {object}");
    }
    assert_eq!((provider.count("calls"), provider.count("invalid")), (0, 0));
    assert!(world.find_job().is_none() && world.drafts().is_empty());
}

#[test]
fn a_dry_run_does_not_hide_that_a_price_is_unknown() {
    let mut world = World::with_posts(&texts(1));
    world.set("GEMINI_API_KEY", "some-key");
    let generate = World::generate("--model gemini:gemini-9-unheard-of --dry-run");
    assert!(world.ok(&generate).stdout.contains("cost: unknown"));
    assert_eq!(world.json(&generate)["cost_usd"], serde_json::Value::Null);
}

#[test]
fn a_dry_run_in_the_sandbox_costs_nothing() {
    let world = World::with_posts(&texts(2));
    let told = world.ok(&World::generate("--model sandbox --dry-run"));
    assert!(told.stdout.contains("the sandbox costs nothing"), "{told}");
}

#[test]
fn a_remote_embedder_works_from_end_to_end_and_embeds_nothing_twice() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(8));
    world.against(&provider);
    let generate = World::generate("--model gemini:gemini-2.5-flash --embedder gemini:gemini-embedding-001 --json");
    let summary = world.ok(&generate).json();
    assert_eq!((&summary["selected"], &summary["failed"]), (&8.into(), &0.into()), "{summary}");
    assert!(summary["drafted"].as_u64().unwrap() > 0, "{summary}");
    let calls = provider.count("calls");
    assert!(calls > summary["calls"].as_u64().unwrap(), "nothing was embedded by the provider");
    world.ok(&generate);
    assert_eq!(provider.count("calls"), calls);
}
