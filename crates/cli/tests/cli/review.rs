//! `atelier replies review`: the life of a draft.

use crate::world::{World, texts};

struct Drafts {
    world: World,
    ids: Vec<String>,
}

impl Drafts {
    fn new() -> Self {
        let world = World::with_posts(&texts(2));
        world.ok(&World::generate("--model sandbox"));
        let listed = world.json("replies list --status pending");
        let ids = listed["drafts"].as_array().unwrap().iter();
        let ids = ids.map(|draft| draft["id"].as_str().unwrap().to_owned()).collect();
        Self { world, ids }
    }

    fn status(&self, place: usize) -> String {
        let all = ["pending", "approved", "rejected", "exported", "posted", "skipped"];
        let flags = all.map(|status| format!("--status {status} ")).concat();
        let listed = self.world.json(&format!("replies list --limit 1000 {flags}"));
        let mut drafts = listed["drafts"].as_array().unwrap().iter();
        let draft = drafts.find(|draft| draft["id"] == self.ids[place].as_str()).unwrap();
        draft["status"].as_str().unwrap().to_owned()
    }

    fn review(&self, action: &str, place: usize) -> crate::world::Finished {
        self.world.run(&format!("replies review {action} {}", self.ids[place]))
    }
}

/// What was drafted before stays; other jobs' posts are left alone.
#[test]
fn a_post_is_drafted_for_again_by_its_id_with_a_hint() {
    let drafts = Drafts::new();
    let all = |world: &World| world.json("replies list --limit 1000")["drafts"].as_array().unwrap().len();
    let before = all(&drafts.world);
    let post = drafts.world.json("replies list --limit 1")["drafts"][0]["post"].as_str().unwrap().to_owned();
    drafts.world.ok(&World::generate(&format!("--model sandbox --post {post} --hint shorter")));
    assert_eq!(all(&drafts.world), before + before / 2);
    let refused = drafts.world.run(&World::generate("--model sandbox --post nobody-wrote-this"));
    let refused = refused.expect_code(2);
    assert!(refused.stderr.contains("[no-such-post]"), "{refused}");
}

#[test]
fn a_draft_is_approved_exported_and_posted() {
    let drafts = Drafts::new();
    drafts.review("approve", 0).expect_code(0);
    assert_eq!(drafts.status(0), "approved");
    assert_eq!(drafts.world.json("replies export --status approved --out approved.csv")["drafts"], 1);
    assert_eq!((drafts.status(0), drafts.status(1)), ("exported".to_owned(), "pending".to_owned()));
    drafts.review("posted", 0).expect_code(0);
    assert_eq!(drafts.status(0), "posted");
}

#[test]
fn a_rejected_draft_keeps_its_reason_and_is_not_exported() {
    let drafts = Drafts::new();
    let mut command = drafts.world.command();
    command.args(["replies", "review", "reject", &drafts.ids[0], "--reason", "too cheerful by half"]);
    drafts.world.spawn(command).wait().expect_code(0);
    let listed = drafts.world.json("replies list --status rejected");
    assert_eq!(listed["drafts"][0]["reason"], "too cheerful by half");
    assert_eq!(drafts.world.json("replies export")["drafts"], 9);
    assert_eq!(drafts.status(0), "rejected");
}

#[test]
fn a_step_that_life_does_not_have_is_refused_and_changes_nothing() {
    let drafts = Drafts::new();
    for action in ["posted", "skipped"] {
        drafts.review(action, 0).expect_code(2).says(&["is pending and can't become", "draft-transition"]);
    }
    assert_eq!(drafts.status(0), "pending");
    drafts.world.ok("replies export");
    drafts.review("posted", 0).expect_code(0);
    drafts.review("approve", 0).expect_code(2).says(&["is posted"]);
    drafts.review("reject", 0).expect_code(2);
    assert_eq!(drafts.status(0), "posted");
}

#[test]
fn one_wrong_id_leaves_all_of_them_as_they_were() {
    let drafts = Drafts::new();
    let ids = format!("{} d99999", drafts.ids[0]);
    drafts.world.run(&format!("replies review approve {ids}")).expect_code(2).says(&["d99999"]);
    assert_eq!(drafts.status(0), "pending");
    drafts.world.run("replies review approve nonsense").expect_code(2);
}
