//! kill -9 at random moments of every kind of work, each then gone on with by `atelier jobs resume` alone.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::provider::Provider;
use crate::world::{World, id, texts, until};

const KILLS: u64 = 20;

/// Moments that nobody chose. The seed is printed where a test fails, and can be given again.
#[expect(clippy::print_stderr, reason = "whoever sees a test fail needs its seed")]
fn moments(what: &str) -> fastrand::Rng {
    let given = std::env::var("ATELIER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("{what}: ATELIER_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

fn served(posts: usize) -> (Provider, World) {
    let provider = Provider::start("--latency 25ms");
    let mut world = if posts > 0 { World::with_posts(&texts(posts)) } else { World::new() };
    world.against(&provider);
    world.set("OPENAI_BASE_URL", &format!("{}/v1", provider.url()));
    world.set("OPENAI_API_KEY", "sandbox");
    (provider, world)
}

/// One kill: what the job said before it was gone on with, and what was asked for in all.
struct Killed {
    job: String,
    doubtful: BTreeSet<String>,
    calls: u64,
}

/// Runs this command, kills it after so many of its calls or a little later, and goes on with its job.
fn killed(provider: &Provider, world: &World, command: &str, at: u64, later: u32) -> Killed {
    let before = provider.count("calls");
    let jobs_before = world.find_job();
    let run = world.start(command);
    until("a job", || world.find_job().filter(|job| jobs_before.as_ref() != Some(job)).map(drop));
    provider.until("calls", before + at);
    for _ in 0..later {
        provider.count("calls");
    }
    run.kill();
    // Calls that were under way are answered into the void, and counted until the connection breaks.
    until("the calls to end", || (provider.count("in_flight") == 0).then_some(()));
    let job = world.job();
    let shown = world.show(&job);
    assert!(["open", "done"].contains(&shown["state"].as_str().unwrap()), "{shown}");
    let listed = shown["possibly_paid_twice"].as_array().unwrap();
    let doubtful = listed.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
    world.ok(&format!("jobs resume {job}"));
    let after = world.show(&job);
    assert_eq!((&after["state"], &after["pending"], &after["failed"]), (&"done".into(), &0.into(), &0.into()));
    assert_eq!(after["settings"], shown["settings"], "budget and limits are as submitted");
    assert_eq!(after["max_cost_usd"], 9.0);
    Killed { job, doubtful, calls: provider.count("calls") - before }
}

/// No more calls than items, but for those that were listed as possibly paid for twice.
fn assert_asked_once(killed: &Killed, calls: u64) {
    let most = calls + killed.doubtful.len() as u64;
    assert!(killed.calls <= most, "{} calls, and {:?} in doubt", killed.calls, killed.doubtful);
}

#[test]
fn a_prompt_file_that_is_killed_is_answered_to_its_end() {
    let mut random = moments("a prompt file");
    let (provider, world) = served(0);
    for kill in 0..KILLS {
        let lines: String =
            (0..12).map(|n| format!("{{\"id\":\"q{n}\",\"prompt\":\"{kill}, {n}: say it\"}}\n")).collect();
        let (input, out) = (world.write("in.jsonl", lines), world.path(&format!("out-{kill}.jsonl")));
        let (input, out) = (input.display(), out.display());
        let command = format!(
            "run {input} --out {out} --model gemini:gemini-2.5-flash --concurrency 2 --quota requests=500/60s --max-cost 9"
        );
        let killed = killed(&provider, &world, &command, random.u64(0..=10), random.u32(0..12));
        let answers = std::fs::read_to_string(world.path(&format!("out-{kill}.jsonl"))).unwrap();
        let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: BTreeSet<&str> = answers.iter().map(|answer| answer["id"].as_str().unwrap()).collect();
        assert_eq!((answers.len(), ids.len()), (12, 12), "kill {kill}: each line is answered once");
        assert_asked_once(&killed, 12);
    }
}

#[test]
fn a_job_of_replies_that_is_killed_is_drafted_to_its_end() {
    let mut random = moments("replies");
    let (provider, world) = served(12);
    for kill in 0..KILLS {
        let command = World::generate(
            "--model gemini:gemini-2.5-flash --pack 1 --concurrency 2 --quota requests=500/60s --max-cost 9",
        );
        let killed = killed(&provider, &world, &command, random.u64(0..=10), random.u32(0..12));
        world.assert_drafted(12);
        assert_asked_once(&killed, 12);
        assert_eq!(world.show(&killed.job)["done"], 12, "kill {kill}");
        // The posts anew, for the next.
        let ids: Vec<String> = (0..12).map(id).collect();
        world.ok(&format!("posts remove --project brand {}", ids.join(" ")));
        world.import("brand", &texts(12));
    }
}

#[test]
fn a_generation_of_two_sides_that_is_killed_is_made_to_its_end() {
    let mut random = moments("a generation");
    let (provider, world) = served(0);
    for kill in 0..KILLS {
        let command = format!(
            "images generate boat-{kill} --count 4 --references off --model gemini:gemini-3.1-flash-image \
             --compare gemini:gemini-2.5-flash-image --concurrency 2 --quota requests=500/60s --max-cost 9"
        );
        let killed = killed(&provider, &world, &command, random.u64(0..=7), random.u32(0..12));
        let shown = world.json(&format!("images show {}", killed.job));
        let images = shown["images"].as_array().unwrap();
        let done = images.iter().filter(|image| image["state"] == "done" && image["hash"].is_string());
        assert_eq!((images.len(), done.count()), (8, 8), "kill {kill}: {shown}");
        assert_asked_once(&killed, 8);
    }
}
