//! Exit codes 130 and 143, and the end without any: what a run that is cut off leaves behind.

use crate::provider::Provider;
use crate::world::{World, texts};

const POSTS: usize = 24;

fn served(flags: &str) -> (Provider, World) {
    let provider = Provider::start(flags);
    let mut world = World::with_posts(&texts(POSTS));
    world.against(&provider);
    (provider, world)
}

fn generate() -> String {
    World::generate("--model gemini:gemini-2.5-flash --pack 2 --concurrency 2")
}

/// A signal in the middle of a run: its calls are finished and kept, and the rest is drafted later.
fn stops_gracefully(signal: &str, code: i32) {
    let (provider, world) = served("--latency 150ms");
    let run = world.start(&generate());
    provider.until("calls", 3);
    run.signal(signal);
    let finished = run.wait().expect_code(code).says(&["calls in flight are finished and saved"]);
    let job = world.job();
    assert!(finished.stdout.contains(&format!("jobs resume {job}")), "{finished}");

    let shown = world.show(&job);
    let answered = provider.count("items_answered");
    assert!(answered > 0 && answered < POSTS as u64, "{shown}");
    assert_eq!(shown["done"], answered, "what was paid for is kept");
    assert_eq!(shown["possibly_paid_twice"], serde_json::json!([]));
    world.assert_drafted(usize::try_from(answered).unwrap());

    world.ok(&format!("jobs resume {job}"));
    world.assert_drafted(POSTS);
    assert_eq!(provider.count("items_answered_more_than_once"), 0);
    assert_eq!(provider.count("calls"), POSTS as u64 / 2);
}

#[test]
fn an_interrupt_lets_calls_in_flight_finish_and_the_job_goes_on_later() {
    stops_gracefully("INT", 130);
}

#[test]
fn a_request_to_terminate_does_the_same() {
    stops_gracefully("TERM", 143);
}

#[test]
fn a_second_interrupt_ends_at_once_and_nothing_that_was_answered_is_lost() {
    let (provider, world) = served("--fault hang=1");
    let run = world.start(&generate());
    provider.until("in_flight", 2);
    run.signal("INT");
    crate::world::until("the first signal to be heeded", || run.stderr().contains("stopping").then_some(()));
    run.signal("INT");
    run.wait().expect_code(130);
    let well = Provider::start("");
    let mut world = world;
    world.against(&well);
    world.ok(&format!("jobs resume {}", world.job()));
    world.assert_drafted(POSTS);
}

/// Kills a run once `moment` has come, and checks what resuming makes of it.
fn survives_a_kill(moment: impl Fn(&Provider, &World)) {
    let (provider, world) = served("--latency 40ms");
    let run = world.start(&generate());
    moment(&provider, &world);
    run.kill();
    // Calls that were under way are answered into the void, and counted until the connection breaks.
    crate::world::until("the calls to end", || (provider.count("in_flight") == 0).then_some(()));

    let job = world.job();
    let shown = world.show(&job);
    let doubtful = shown["possibly_paid_twice"].as_array().unwrap().len();
    let done = usize::try_from(shown["done"].as_u64().unwrap()).unwrap();
    // Two calls of two posts are at work, and two more may have ended whose answers are on their way to the disk.
    assert!(doubtful <= 8, "four calls of two posts were in flight at most: {shown}");
    assert!(done + doubtful <= POSTS, "{shown}");

    let resumed = world.ok(&format!("jobs resume {job} --json"));
    if doubtful > 0 {
        assert!(resumed.stderr.contains("may be paid for twice"), "{resumed}");
    }
    assert_eq!(resumed.json()["drafted"], POSTS, "{resumed}");
    world.assert_drafted(POSTS);
    let twice = provider.count("items_answered_more_than_once");
    assert!(twice <= doubtful as u64, "{twice} posts were answered twice, and {doubtful} were in flight");
    assert_eq!(world.show(&job)["state"], "done");
    // Nothing is left to be drafted.
    let calls = provider.count("calls");
    world.ok(&generate());
    assert_eq!(provider.count("calls"), calls);
}

#[test]
fn a_kill_as_soon_as_there_is_a_job_loses_nothing() {
    survives_a_kill(|_, world| crate::world::until("a job", || world.find_job().map(drop)));
}

#[test]
fn a_kill_during_the_first_calls_loses_nothing() {
    survives_a_kill(|provider, _| provider.until("calls", 1));
}

#[test]
fn a_kill_as_the_first_answer_comes_loses_nothing() {
    survives_a_kill(|provider, _| provider.until("items_answered", 1));
}

#[test]
fn a_kill_in_the_middle_loses_nothing() {
    survives_a_kill(|provider, _| provider.until("calls", 6));
}

#[test]
fn a_kill_near_the_end_loses_nothing() {
    survives_a_kill(|provider, _| provider.until("calls", 12));
}

#[test]
fn one_kill_after_another_loses_nothing() {
    let (provider, world) = served("--latency 30ms");
    let mut doubtful = 0;
    let mut run = world.start(&generate());
    for calls in [2, 5, 8, 11] {
        provider.until("calls", calls);
        run.kill();
        let job = world.job();
        doubtful += world.show(&job)["possibly_paid_twice"].as_array().unwrap().len() as u64;
        run = world.start(&format!("jobs resume {job}"));
    }
    run.wait().expect_code(0);
    world.assert_drafted(POSTS);
    assert!(provider.count("items_answered_more_than_once") <= doubtful);
}

#[test]
fn an_interrupt_while_posts_are_embedded_keeps_what_was_embedded() {
    let provider = Provider::start("--latency 150ms");
    // More than one call's worth of texts.
    let mut world = World::with_posts(&texts(120));
    world.against(&provider);
    let generate = World::generate("--model gemini:gemini-2.5-flash --embedder gemini:gemini-embedding-001 --no-batch");
    let run = world.start(&generate);
    // The first is for the topics, the second for a hundred posts.
    provider.until("calls", 2);
    run.signal("INT");
    run.wait().expect_code(130).says(&["what was embedded is kept"]);
    let answered = provider.count("calls");
    assert_eq!(answered, 2);
    world.ok(&generate);
    assert!(provider.count("calls") > 3, "the rest of the posts, and then the drafts");
    assert_eq!(provider.count("items_answered_more_than_once"), 0);
}
