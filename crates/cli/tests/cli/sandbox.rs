//! `atelier sandbox`, as the one who runs it sees it.

use crate::world::{World, texts, until};

#[test]
fn it_writes_where_it_is_serves_and_ends_with_its_counts_when_asked_to() {
    for signal in ["INT", "TERM"] {
        let mut world = World::with_posts(&texts(3));
        let sandbox = world.start("sandbox --addr 127.0.0.1:0 --port-file url --json");
        let url = until("the port file", || std::fs::read_to_string(world.path("url")).ok());
        world.set("GOOGLE_GEMINI_BASE_URL", &url);
        world.set("GEMINI_API_KEY", "sandbox");
        world.ok(&World::generate("--model gemini:gemini-2.5-flash --pack off"));
        sandbox.signal(signal);
        let ended = sandbox.wait().expect_code(0);
        assert_eq!(ended.json()["calls"], 3);
        ended.says(&[&url, "No model was called"]);
    }
}

#[test]
fn it_serves_this_machine_only() {
    World::new().run("sandbox --addr 0.0.0.0:0").expect_code(2).says(&["0.0.0.0", "hint: "]);
}

#[test]
fn its_drafts_can_not_be_mistaken_for_a_models() {
    let world = World::with_posts(&texts(2));
    let finished = world.ok(&World::generate("--model sandbox"));
    assert!(finished.stdout.contains("these are the sandbox's answers"), "{finished}");
    let drafts = world.json("replies list");
    assert!(drafts["drafts"].as_array().unwrap().iter().all(|draft| {
        let text = draft["text"].as_str().unwrap();
        text.starts_with("[sandbox]") && (80..=150).contains(&text.chars().count())
    }));
}
