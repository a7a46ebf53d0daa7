//! `atelier posts`.

use std::fs::File;

use serde_json::json;

use crate::world::{World, sample, texts};

fn with_project() -> World {
    let world = World::new();
    world.add_project("brand");
    world
}

fn import(file: &str) -> String {
    format!("posts import {} --project brand", sample(file).display())
}

#[test]
fn every_form_of_the_samples_is_imported() {
    let world = with_project();
    for (file, posts) in [("posts.csv", 192), ("posts-x-api.json", 5), ("posts-old-names.csv", 5), ("posts.jsonl", 5)] {
        let imported = world.json(&import(file));
        assert_eq!((&imported["imported"], &imported["skipped"]), (&json!(posts), &json!(0)), "{file}");
        assert_eq!(imported["bad_rows"], json!([]), "{file}");
    }
    let posts = world.json("posts list --project brand --limit 1000");
    assert_eq!(posts["posts"].as_array().unwrap().len(), 192 + 15);
}

#[test]
fn bad_rows_are_told_with_their_lines_and_skipped() {
    let world = with_project();
    let imported = world.run(&format!("{} --json", import("posts-malformed.csv"))).expect_code(0);
    let object = imported.json();
    assert_eq!((&object["imported"], &object["skipped"]), (&json!(3), &json!(5)));
    let lines: Vec<_> = object["bad_rows"].as_array().unwrap().iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, [3, 4, 5, 8, 9]);
    let printed = world.ok(&import("posts-malformed.csv"));
    assert!(printed.stdout.contains("3 posts") && printed.stdout.contains("5 bad rows"), "{printed}");
    printed.says(&["line 3: posted_at", "line 4: likes", "line 5: id", "line 8:", "line 9: followers"]);
}

#[test]
fn a_strict_import_with_a_bad_row_imports_nothing() {
    let world = with_project();
    let strict = format!("{} --strict", import("posts-malformed.csv"));
    world.run(&strict).expect_code(2).says(&["line 3", "5 of 8 rows are bad", "nothing was imported"]);
    assert_eq!(world.json("posts list --project brand")["posts"], json!([]));
}

#[test]
fn importing_again_adds_nothing() {
    let world = with_project();
    world.ok(&import("posts.csv"));
    let again = world.json(&import("posts.csv"));
    assert_eq!((&again["added"], &again["unchanged"]), (&json!(0), &json!(192)));
}

#[test]
fn posts_come_from_stdin_too() {
    let world = with_project();
    let mut command = world.command();
    command.args(["posts", "import", "-", "--project", "brand"]);
    command.stdin(File::open(sample("posts.jsonl")).unwrap());
    let imported = world.spawn(command).wait().expect_code(0);
    assert!(imported.stdout.starts_with("5 posts imported"), "{imported}");
}

#[test]
fn posts_are_listed_page_by_page() {
    let world = World::with_posts(&texts(7));
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.json(&format!("posts list --project brand --limit 3{after}"));
        let posts = page["posts"].as_array().unwrap();
        assert!(posts.len() <= 3);
        seen.extend(posts.iter().map(|post| post["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!(" --after {next}");
    }
    seen.sort();
    assert_eq!(seen, (0..7).map(crate::world::id).collect::<Vec<_>>());
}

#[test]
fn posts_are_removed_by_id_and_an_unknown_id_is_told() {
    let world = World::with_posts(&texts(4));
    world.ok("posts remove --project brand p001 p002");
    world.run("posts remove --project brand p003 p999").expect_code(2).says(&["1 of the ids"]);
    assert_eq!(world.json("posts list --project brand")["posts"].as_array().unwrap().len(), 1);
    world.ok("posts remove --project brand --all");
    assert_eq!(world.json("posts list --project brand")["posts"], json!([]));
}
