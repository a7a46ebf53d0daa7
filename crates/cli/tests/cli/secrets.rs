//! Keys are sent to their provider, and shown and kept nowhere.

use crate::provider::Provider;
use crate::world::{World, any_file_has, texts};

const KEY: &str = "AIzaSyNobodyMayEverReadThis0123456789x";
const WRONG: &str = "invalid-NobodyMayEverReadThisEither";

#[test]
fn a_key_is_neither_printed_nor_logged_nor_stored() {
    let provider = Provider::start("--fault 503=0.2");
    let mut world = World::with_posts(&texts(6));
    world.against(&provider);
    world.set("RUST_LOG", "trace");
    world.set("GEMINI_API_KEY", WRONG);
    let generate = World::generate("-vvv --model gemini:gemini-2.5-flash --embedder gemini:gemini-embedding-001");
    assert_ne!(world.run(&generate).code, Some(0));
    world.run(&World::generate("-vvv --model gemini:gemini-2.5-flash")).expect_code(3);
    let job = world.job();
    world.set("GEMINI_API_KEY", KEY);
    let finished = world.ok(&format!("jobs resume {job} -vvv --json"));
    assert!(finished.stderr.contains("TRACE") || finished.stderr.contains("DEBUG"), "there are no logs to look at");
    world.show(&job);
    world.assert_drafted(6);

    // Whatever was printed lies in this directory, beside the database.
    for key in [KEY, WRONG] {
        assert!(!any_file_has(&world.path(""), key.as_bytes()), "{key} was left somewhere");
    }
}

#[test]
fn a_key_that_can_not_be_one_is_not_repeated() {
    let mut world = World::with_posts(&texts(1));
    world.set("GEMINI_API_KEY", "NobodyMayEverReadThis with a space\u{7}");
    let finished = world.run(&World::generate("--model gemini:gemini-2.5-flash")).expect_code(3);
    assert!(!finished.stderr.contains("NobodyMayEverReadThis"), "{finished}");
}

#[test]
fn a_configured_key_in_the_wrong_place_is_not_repeated() {
    let world = World::new();
    world.write("atelier.toml", format!("[accounts.team]\nkey_env = \"TEAM_KEY\"\nkey = \"{KEY}\"\n"));
    let finished = world.run("projects list").expect_code(3);
    assert!(!finished.stderr.contains(KEY), "{finished}");
}
