//! `atelier run`: a file of prompts in, a file of answers out.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::provider::Provider;
use crate::world::{World, until};

const MODEL: &str = "--model gemini:gemini-2.5-flash";

fn prompts(count: usize) -> String {
    named("p", count)
}

fn named(name: &str, count: usize) -> String {
    (0..count)
        .map(|number| format!("{}\n", json!({ "id": format!("{name}{number}"), "prompt": format!("Say {number}") })))
        .collect()
}

/// A world with a file of prompts, and a provider of its own.
fn served(flags: &str, input: &str) -> (Provider, World) {
    let provider = Provider::start(flags);
    let mut world = World::new();
    world.against(&provider);
    world.write("in.jsonl", input);
    (provider, world)
}

fn run(world: &World, flags: &str) -> String {
    let (input, out) = (world.path("in.jsonl"), world.path("out.jsonl"));
    format!("run {} --out {} {flags}", input.display(), out.display())
}

fn lines(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(world.path("out.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(lines: &[Value]) -> Vec<String> {
    lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_prompt_has_its_answer_with_what_it_used() {
    let (provider, world) = served("", &prompts(50));
    let summary = world.ok(&run(&world, &format!("{MODEL} --json"))).json();
    assert_eq!((&summary["done"], &summary["failed"], &summary["calls"]), (&50.into(), &0.into(), &50.into()));
    let lines = lines(&world);
    assert_eq!(ids(&lines).into_iter().collect::<BTreeSet<_>>().len(), 50);
    for line in &lines {
        let fields: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = ["id", "status", "text", "usage", "cost_usd", "attempts", "error"];
        expected.sort_unstable();
        assert_eq!(fields, expected);
        assert!(line["cost_usd"].as_f64().unwrap() > 0.0 && line["text"].as_str().unwrap().starts_with("[sandbox]"));
    }
    assert_eq!(provider.count("calls"), 50);
}

#[test]
fn answers_keep_the_order_of_the_prompts_where_that_is_asked_for() {
    let (_provider, world) = served("--latency 5ms --fault 503=0.2", &prompts(60));
    world.ok(&run(&world, &format!("{MODEL} --ordered")));
    let expected: Vec<String> = (0..60).map(|number| format!("p{number}")).collect();
    assert_eq!(ids(&lines(&world)), expected);
}

#[test]
fn a_killed_run_goes_on_where_it_stopped_and_a_torn_line_is_made_whole() {
    let (provider, world) = served("--latency 20ms", &prompts(120));
    let command = run(&world, &format!("{MODEL} --concurrency 4"));
    let running = world.start(&command);
    provider.until("calls", 30);
    until("answers in the file", || fs::metadata(world.path("out.jsonl")).ok().filter(|file| file.len() > 500));
    running.kill();
    let torn = fs::read(world.path("out.jsonl")).unwrap();
    fs::write(world.path("out.jsonl"), &torn[..torn.len() - 7]).unwrap();

    world.ok(&command).says(&["going on with job"]);
    let ids = ids(&lines(&world));
    assert_eq!((ids.len(), ids.into_iter().collect::<BTreeSet<_>>().len()), (120, 120));
    let twice = world.show(&world.job())["possibly_paid_twice"].as_array().unwrap().len() as u64;
    assert!(provider.count("items_answered_more_than_once") <= twice);

    let calls = provider.count("calls");
    world.ok(&command);
    assert_eq!(provider.count("calls"), calls, "a run that is done sends nothing");
}

#[test]
fn an_input_that_was_changed_is_noticed_and_nothing_is_sent() {
    let (provider, world) = served("--latency 20ms", &prompts(50));
    let command = run(&world, &format!("{MODEL} --max-cost 0.000001"));
    world.run(&command).expect_code(5);
    world.write("in.jsonl", prompts(49));
    world.run(&command).expect_code(2).says(&["has changed since job", "jobs cancel"]);
    assert_eq!(provider.count("calls"), 0);
}

#[test]
fn lines_in_a_providers_own_form_are_answered_in_it() {
    let request = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Say hello" }] }] });
    let input = format!("{}\n", json!({ "key": "k-1", "request": request }));
    let (_provider, world) = served("", &input);
    world.ok(&run(&world, MODEL));
    let answers = lines(&world);
    assert_eq!(answers[0]["key"], "k-1");
    assert!(answers[0]["response"]["candidates"][0]["content"]["parts"][0]["text"].is_string(), "{}", answers[0]);
    world.write("in.jsonl", input.replace("k-1", "k-2"));
    let other =
        format!("run {} --out {} --model sandbox:openai", world.path("in.jsonl").display(), world.path("o2").display());
    world.run(&other).expect_code(2).says(&["wrong-form"]);
}

#[test]
fn openai_batch_lines_are_answered_in_their_form() {
    let body = json!({ "model": "any", "messages": [{ "role": "user", "content": "Say hello" }] });
    let line = json!({ "custom_id": "c-1", "method": "POST", "url": "/v1/chat/completions", "body": body });
    let (_provider, world) = served("", &format!("{line}\n"));
    world.ok(&run(&world, "--model sandbox:openai"));
    let answers = lines(&world);
    assert_eq!((&answers[0]["custom_id"], &answers[0]["response"]["status_code"]), (&"c-1".into(), &200.into()));
    assert!(answers[0]["response"]["body"]["choices"][0]["message"]["content"].is_string(), "{}", answers[0]);
}

#[test]
fn failed_lines_are_told_and_tried_again_when_that_is_asked_for() {
    let input = format!("{}{}\n", prompts(3), json!({ "id": "bad", "prompt": "[[sandbox:refuse]]" }));
    let (provider, world) = served("", &input);
    let command = run(&world, MODEL);
    world.ok(&command);
    let blocked = lines(&world).into_iter().find(|line| line["id"] == "bad").unwrap();
    assert_eq!((&blocked["status"], &blocked["error"]["code"]), (&"blocked".into(), &"blocked".into()));
    let calls = provider.count("calls");
    world.ok(&format!("{command} --retry-failed")).says(&["0 failed lines"]);
    assert_eq!(provider.count("calls"), calls);
}

#[test]
fn an_answer_that_its_cap_cut_off_says_so() {
    let (_provider, world) = served(
        "",
        "{\"id\":\"long\",\"prompt\":\"Say it\"}\n{\"id\":\"short\",\"prompt\":\"Say it\",\"max_output_tokens\":3}\n",
    );
    world.ok(&run(&world, &format!("{MODEL} --ordered")));
    let cut: Vec<Value> = lines(&world).iter().map(|line| line["cut"].clone()).collect();
    assert_eq!(cut, [Value::Null, true.into()]);
    let out = world.path("out.csv");
    world.ok(&format!("run {} --out {} {MODEL} --ordered", world.path("in.jsonl").display(), out.display()));
    let rows: Vec<csv::StringRecord> = csv::Reader::from_path(&out).unwrap().records().map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|row| &row[8]).collect::<Vec<_>>(), ["", "yes"]);
}

#[test]
fn csv_goes_in_and_out() {
    let (_provider, world) = served("", "");
    world.write("in.csv", "id,prompt\na,\"Say \"\"hi\"\", please\"\nb,Say bye\n");
    let (input, out) = (world.path("in.csv"), world.path("out.csv"));
    world.ok(&format!("run {} --out {} {MODEL}", input.display(), out.display()));
    let mut reader = csv::Reader::from_path(&out).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|row| row[0].to_owned()).collect::<BTreeSet<_>>(), ["a".into(), "b".into()].into());
    assert!(rows.iter().all(|row| &row[1] == "done"));
}

#[test]
fn a_file_that_cannot_be_understood_sends_nothing() {
    for (input, why) in [
        ("", "has no lines"),
        ("{\"id\":\"a\",\"prompt\":\"p\"}\nnonsense\n", "line 2"),
        ("{\"id\":\"a\",\"prompt\":\"p\"}\n{\"id\":\"a\",\"prompt\":\"q\"}\n", "earlier line"),
    ] {
        let (provider, world) = served("", input);
        world.run(&run(&world, MODEL)).expect_code(2).says(&[why]);
        assert_eq!(provider.count("calls"), 0);
    }
    let (_provider, world) = served("", &prompts(1));
    world.write("out.jsonl", "something else\n");
    world.run(&run(&world, MODEL)).expect_code(2).says(&["holds something else"]);
}

#[test]
fn what_was_spent_is_told_by_day_model_project_and_job_and_the_sandbox_of_a_run_is_left_out() {
    let (_provider, world) = served("", &prompts(10));
    world.ok(&run(&world, MODEL));
    for by in ["day", "model", "project", "job"] {
        let cost = world.json(&format!("cost --by {by}"));
        assert_eq!((cost["rows"].as_array().unwrap().len(), &cost["rows"][0]["calls"]), (1, &10.into()), "{cost}");
        assert!(cost["total_usd"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(world.json("cost --by model")["rows"][0]["model"], "gemini-2.5-flash");
    let priced = format!(
        "run {} --out {} --model sandbox:gemini-2.5-flash",
        world.path("in.jsonl").display(),
        world.path("o2").display()
    );
    world.ok(&priced);
    let cost = world.json("cost");
    assert_eq!((&cost["rows"][0]["calls"], &cost["sandbox_calls"]), (&10.into(), &10.into()));
}

#[test]
fn a_learnt_limit_is_shown_kept_and_forgotten_when_that_is_asked_for() {
    let (_provider, world) = served("--quota requests=5/day", &prompts(8));
    world.run(&run(&world, MODEL)).expect_code(75);
    let quota = world.json("quota");
    let limit = &quota["pools"][0]["limits"][0];
    assert_eq!((&limit["limit"], &limit["used"]), (&"requests=5/day".into(), &5.into()), "{quota}");
    assert!(limit["learnt_at"].is_string() && limit["frees_at"].is_string());
    assert_eq!(world.json("quota reset")["forgotten"], 1);
    assert_eq!(world.json("quota")["pools"][0]["limits"].as_array().unwrap().len(), 0);
}

#[test]
fn two_runs_beside_each_other_share_one_limit() {
    let (provider, world) = served("--quota requests=10/2s --latency 10ms", &prompts(25));
    world.write("other.jsonl", named("q", 25));
    let limit = format!("{MODEL} --quota requests=10/2s");
    let first = world.start(&run(&world, &limit));
    let (input, out) = (world.path("other.jsonl"), world.path("other.out"));
    world.ok(&format!("run {} --out {} {limit}", input.display(), out.display()));
    first.wait().expect_code(0);
    // Without one ledger for both, every window would be asked for twice what it holds. On a machine that
    // stalls, a call may arrive late and be refused.
    let refusals = provider.count("refusals");
    assert!(refusals < 5, "{refusals} refusals");
    assert_eq!(provider.count("calls") - refusals, 50);
}

#[test]
fn what_someone_waits_for_is_answered_while_a_batch_goes_on() {
    let (provider, world) = served("--quota requests=10/2s --latency 10ms", &prompts(80));
    world.write("one.jsonl", named("one", 1));
    let limit = format!("{MODEL} --quota requests=10/2s");
    let mut batch = world.start(&run(&world, &limit));
    until("the batch has used the limit up", || (provider.count("calls") >= 10).then_some(()));
    let (input, out) = (world.path("one.jsonl"), world.path("one.out"));
    world.ok(&format!("run {} --out {} {limit} --interactive", input.display(), out.display()));
    assert!(!batch.is_over(), "the batch needs another ten seconds");
    assert!(provider.count("calls") < 60, "{}", provider.stats());
    batch.signal("INT");
    batch.wait().expect_code(130);
}

#[test]
fn the_limits_of_an_account_span_its_models() {
    let provider = Provider::start("");
    let mut world = World::new();
    world.set("TEAM_KEY", "team-key");
    let pool = |model: &str| format!("[[pools]]\nmodel = \"gemini:{model}\"\naccount = \"team\"\n");
    let config = format!(
        "[accounts.team]\nkey_env = \"TEAM_KEY\"\nbase_url = \"{}\"\nlimits = [\"requests=6/day\"]\n{}{}",
        provider.url(),
        pool("gemini-2.5-flash"),
        pool("gemini-2.5-pro")
    );
    world.write("atelier.toml", config);
    world.write("in.jsonl", prompts(4));
    world.ok(&run(&world, "--model gemini:gemini-2.5-flash"));
    world.write("other.jsonl", named("q", 4));
    let (input, out) = (world.path("other.jsonl"), world.path("other.out"));
    let other = format!("run {} --out {} --model gemini:gemini-2.5-pro", input.display(), out.display());
    let parked = world.run(&other).expect_code(75);
    assert!(parked.stdout.contains("2 of 4 lines answered") && parked.stdout.contains("requests=6/day"), "{parked}");
    assert_eq!(provider.count("calls"), 6);
    let quota = world.json("quota");
    let pools = quota["pools"].as_array().unwrap();
    let account = pools.iter().find(|pool| pool["pool"].as_str().unwrap().ends_with("/team/")).unwrap();
    assert_eq!((&account["limits"][0]["limit"], &account["limits"][0]["used"]), (&"requests=6/day".into(), &6.into()));
}
