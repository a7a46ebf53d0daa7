//! `atelier projects`.

use crate::world::{World, sample};

#[test]
fn a_project_is_added_listed_shown_updated_and_removed() {
    let world = World::new();
    assert_eq!(world.json("projects list"), serde_json::json!([]));
    world.add_project("brand");
    let listed = world.json("projects list");
    assert_eq!(listed[0]["project"], "brand");
    assert_eq!(listed[0]["topics"], serde_json::json!(["diagnosis", "workshop-day", "parts", "learning"]));
    let finder = std::fs::read_to_string(sample("finder.yml")).unwrap();
    assert_eq!(world.json("projects show brand")["finder"], finder.as_str());
    assert_eq!(world.ok("projects show brand").stdout.trim_end(), finder.trim_end());

    let smaller = "taxonomy:\n  - label: tea\n    description: Tea and how to make it\n    exemplars: []\n";
    let file = world.write("smaller.yml", smaller);
    world.ok(&format!("projects update brand --finder {}", file.display()));
    assert_eq!(world.json("projects show brand")["finder"], smaller);
    world.ok("projects remove brand");
    assert_eq!(world.json("projects list"), serde_json::json!([]));
}

#[test]
fn a_name_that_is_taken_missing_or_unfit_is_a_matter_of_usage() {
    let world = World::new();
    world.add_project("brand");
    let finder = sample("finder.yml");
    let add = |name: &str| world.run(&format!("projects add {name} --finder {}", finder.display()));
    add("brand").expect_code(2).says(&["there is a project 'brand' already", "projects update"]);
    add("a/b").expect_code(2).says(&["a/b", "bad-project-name"]);
    for command in ["show other", "remove other"] {
        world.run(&format!("projects {command}")).expect_code(2).says(&["'other'", "projects list"]);
    }
    let update = format!("projects update other --finder {}", finder.display());
    world.run(&update).expect_code(2).says(&["'other'"]);
}

#[test]
fn a_project_takes_its_posts_and_drafts_with_it() {
    let world = World::with_posts(&crate::world::texts(3));
    world.ok(&World::generate("--model sandbox"));
    world.assert_drafted(3);
    world.ok("projects remove brand");
    assert!(world.drafts().is_empty());
    world.run("posts list --project brand").expect_code(2);
}

#[test]
fn posts_that_a_job_is_answering_are_not_removed_under_it() {
    let world = World::with_posts(&crate::world::texts(6));
    world.run(&World::generate("--model sandbox --pack off --quota requests=2/day")).expect_code(75);
    world.run("projects remove brand").expect_code(2).says(&["the job is not over", &world.job()]);
    world.run("posts remove --project brand --all").expect_code(2).says(&["jobs cancel"]);
    world.ok(&format!("jobs cancel {}", world.job()));
    world.ok("projects remove brand");
}
