//! Several projects in one job.

use crate::world::{World, texts};

fn with_two() -> World {
    let world = World::new();
    let texts = texts(10);
    for (project, texts) in [("first", &texts[..6]), ("second", &texts[6..])] {
        world.add_project(project);
        world.import(project, texts);
    }
    world
}

fn generate(projects: &str) -> String {
    format!("replies generate {projects} --now {} --no-skip-low-scores --model sandbox --json", crate::world::NOW)
}

fn assert_one_job(world: &World, projects: &str) {
    let summary = world.ok(&generate(projects)).json();
    assert_eq!((&summary["selected"], &summary["drafted"]), (&10.into(), &10.into()), "{summary}");
    assert_eq!(world.json("jobs list")["jobs"].as_array().unwrap().len(), 1);
    world.assert_drafted(10);
    let of = |project: &str| world.drafts().keys().filter(|post| post.starts_with(project)).count();
    assert_eq!((of("first/"), of("second/")), (6, 4));
}

#[test]
fn projects_that_are_named_are_one_job() {
    assert_one_job(&with_two(), "--project first --project second");
}

#[test]
fn all_projects_are_one_job() {
    assert_one_job(&with_two(), "--all-projects");
}

#[test]
fn the_same_post_in_two_projects_is_two_posts() {
    let world = World::new();
    for project in ["first", "second"] {
        world.add_project(project);
        world.import(project, &texts(3));
    }
    world.ok(&generate("--all-projects"));
    world.assert_drafted(6);
}

#[test]
fn all_of_no_projects_is_told() {
    World::new().run(&generate("--all-projects")).expect_code(2).says(&["projects add"]);
}
