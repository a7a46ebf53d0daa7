//! The samples from import to export: what comes out is what assets/samples/README.md says.

use std::path::Path;

use serde_json::Value;

use crate::world::{KINDS, NOW, World, sample};

const FIELDS: [&str; 18] = [
    "job",
    "selected",
    "gated",
    "duplicates",
    "green",
    "yellow",
    "red",
    "drafted",
    "saved",
    "filtered",
    "blocked",
    "failed",
    "calls",
    "rate_limited",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "seconds",
];

const COLUMNS: &str = "rank,priority_score,project,tweet_id,url,author,followers,views,tweet_text,posted_at,\
    score_total,label,topic,why,suggested_response,suggested_type,alternative_1,alt_1_type,alternative_2,\
    alt_2_type,alternative_3,alt_3_type,alternative_4,alt_4_type,suggested_id,suggested_status,alt_1_id,alt_1_status,alt_2_id,alt_2_status,alt_3_id,alt_3_status,alt_4_id,alt_4_status,text_checks";

fn with_samples() -> World {
    let world = World::new();
    world.add_project("brand");
    world.ok(&format!("posts import {} --project brand --strict", sample("posts.csv").display()));
    world
}

fn generate(flags: &str) -> String {
    format!("replies generate --project brand --now {NOW} --max-candidates 200 --model sandbox {flags}")
}

fn number(summary: &Value, name: &str) -> u64 {
    summary[name].as_u64().unwrap_or_else(|| panic!("{name} is no whole number in {summary}"))
}

/// The fields of the summary are the documented ones in the documented order, and they add up.
fn check(text: &str) -> Value {
    let summary: Value = serde_json::from_str(text).unwrap();
    let places: Vec<usize> = FIELDS.iter().map(|field| text.find(&format!("\"{field}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert_eq!(summary.as_object().unwrap().len(), FIELDS.len(), "{text}");
    let parts = ["gated", "duplicates", "green", "yellow", "red"].map(|part| number(&summary, part));
    assert_eq!(number(&summary, "selected"), parts.iter().sum::<u64>(), "{text}");
    let drafts = number(&summary, "saved") + number(&summary, "filtered");
    assert_eq!(drafts, KINDS as u64 * number(&summary, "drafted"), "{text}");
    assert!(summary["cost_usd"].is_f64() && summary["seconds"].is_f64(), "{text}");
    summary
}

fn rows(file: &Path) -> Vec<csv::StringRecord> {
    csv::Reader::from_path(file).unwrap().records().map(Result::unwrap).collect()
}

#[test]
fn the_samples_give_the_counts_that_they_were_made_for() {
    let world = with_samples();
    let summary = check(&world.ok(&generate("--json")).stdout);
    let counts = ["selected", "gated", "duplicates", "red", "yellow", "green", "drafted", "blocked", "failed"];
    assert_eq!(counts.map(|name| number(&summary, name)), [184, 26, 12, 46, 61, 39, 100, 0, 0]);
    assert_eq!(number(&summary, "rate_limited"), 0);
    assert!(number(&summary, "calls") > 0 && number(&summary, "output_tokens") > 0);
    assert_eq!(summary["cost_usd"], 0.0);
    assert_eq!(summary["job"].as_str(), Some(world.job().as_str()));
    world.assert_drafted(100);

    let again = world.ok(&generate("--json")).says(&["100 answered before"]);
    let summary = check(&again.stdout);
    assert_eq!(["calls", "drafted", "saved"].map(|name| number(&summary, name)), [0, 0, 0]);
    assert_eq!(summary["job"], Value::Null);
    world.assert_drafted(100);
}

#[test]
fn the_export_has_one_harmless_row_a_post_and_then_nothing_new() {
    let world = with_samples();
    world.ok(&generate(""));
    let exported = world.json("replies export --out first.csv");
    assert_eq!(exported["rows"], 100);
    let text = std::fs::read_to_string(world.path("first.csv")).unwrap();
    assert_eq!(text.lines().next(), Some(COLUMNS));

    let first = rows(&world.path("first.csv"));
    assert_eq!(first.len(), 100);
    let priority: Vec<f64> = first.iter().map(|row| row[1].parse().unwrap()).collect();
    assert!(priority.is_sorted_by(|one, next| one >= next), "{priority:?}");
    for (place, row) in first.iter().enumerate() {
        assert_eq!(row[0], (place + 1).to_string());
        let runs = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        assert!(!row.iter().any(runs), "a spreadsheet would run a cell of {row:?}");
    }
    // Some of the samples are formulas, so there was something to make harmless.
    assert!(first.iter().any(|row| row[8].starts_with("'=")));

    assert_eq!(world.json("replies export --out second.csv")["rows"], 0);
    assert_eq!(std::fs::read_to_string(world.path("second.csv")).unwrap().trim_end(), COLUMNS);
    let listed = world.json("replies list --status exported --limit 1000");
    assert_eq!(listed["drafts"].as_array().unwrap().len(), 500);
}

#[test]
fn an_export_is_narrowed_by_label_and_limit_and_sorted_as_asked() {
    let world = with_samples();
    world.ok(&generate("--greens-only"));
    assert_eq!(world.json("replies export --label yellow --out none.csv")["rows"], 0);
    assert_eq!(world.json("replies export --sort-by views --limit 7 --out few.csv")["rows"], 7);
    let views: Vec<u64> = rows(&world.path("few.csv")).iter().map(|row| row[7].parse().unwrap()).collect();
    assert!(views.is_sorted_by(|one, next| one >= next), "{views:?}");
    assert_eq!(world.json("replies export --out rest.csv")["rows"], 39 - 7);
}

#[test]
fn an_export_to_stdout_is_the_file_itself() {
    let world = World::with_posts(&crate::world::texts(2));
    world.ok(&World::generate("--model sandbox"));
    let exported = world.ok("replies export --out -").says(&["2 rows"]);
    assert_eq!(exported.stdout.lines().next(), Some(COLUMNS));
    assert_eq!(csv::Reader::from_reader(exported.stdout.as_bytes()).records().count(), 2);
}

#[test]
fn drafts_are_listed_page_by_page() {
    let world = World::with_posts(&crate::world::texts(3));
    world.ok(&World::generate("--model sandbox"));
    let first = world.json("replies list --limit 10");
    let next = first["next"].as_str().unwrap();
    let second = world.json(&format!("replies list --limit 10 --after {next}"));
    let ids = |page: &Value| -> Vec<String> {
        page["drafts"].as_array().unwrap().iter().map(|draft| draft["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut all = [ids(&first), ids(&second)].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 15);
    assert_eq!(second["next"], Value::Null);
}
