//! Exit code 3: keys, models and configuration.

use crate::provider::Provider;
use crate::world::{World, sample, texts};

const GEMINI: &str = "--model gemini:gemini-2.5-flash";

#[test]
fn without_a_key_it_says_what_to_set_and_the_sandbox_never_stands_in() {
    let world = World::with_posts(&texts(2));
    for flags in ["", GEMINI] {
        let finished = world.run(&World::generate(flags)).expect_code(3);
        assert!(finished.stdout.is_empty(), "{finished}");
        finished.says(&["GEMINI_API_KEY", "--model sandbox", "missing-key"]);
    }
    assert!(world.find_job().is_none() && world.drafts().is_empty());
}

#[test]
fn with_a_wrong_key_nothing_is_lost_and_the_right_one_goes_on() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(4));
    world.against(&provider);
    world.set("GEMINI_API_KEY", "invalid-key");
    let finished = world.run(&World::generate(GEMINI)).expect_code(3);
    let job = world.job();
    finished.says(&["API key not valid", "check the key", &format!("jobs resume {job}")]);
    assert_eq!((provider.count("calls"), &world.show(&job)["state"]), (0, &"stopped".into()));

    world.set("GEMINI_API_KEY", "sandbox");
    world.ok(&format!("jobs resume {job}"));
    world.assert_drafted(4);
}

#[test]
fn an_unknown_model_is_told_and_its_posts_can_be_drafted_for_with_another() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(4));
    world.against(&provider);
    let finished = world.run(&World::generate("--model gemini:nonsense")).expect_code(3);
    finished.says(&["nonsense", "check the model's name", "hint: "]);
    let job = world.job();
    // The posts are the job's until it is given up.
    world.ok(&World::generate(GEMINI)).says(&[&format!("jobs resume {job}")]);
    assert!(world.drafts().is_empty());
    world.ok(&format!("jobs cancel {job}"));
    world.ok(&World::generate(GEMINI));
    world.assert_drafted(4);
}

#[test]
fn a_finder_that_can_not_be_read_or_understood_is_told_with_key_and_line() {
    let world = World::new();
    let add = |file: &str| world.run(&format!("projects add brand --finder {file}"));
    add("missing.yml").expect_code(3).says(&["missing.yml", "finder-unreadable", "hint: "]);
    world.write(
        "wrong.yml",
        "taxonomy:\n  - label: tea\n    description: Tea\n    exemplars: []\nvoise:\n  persona: x\n",
    );
    add("wrong.yml").expect_code(3).says(&["wrong.yml", "voise", "line 5"]);
    world.write("broken.yml", "taxonomy: [\n");
    add("broken.yml").expect_code(3).says(&["broken.yml", "line "]);
    world.write("empty.yml", "");
    add("empty.yml").expect_code(3).says(&["empty.yml"]);
    assert_eq!(world.json("projects list"), serde_json::json!([]));

    world.add_project("brand");
    world.run("projects update brand --finder wrong.yml").expect_code(3).says(&["voise"]);
    let kept = std::fs::read_to_string(sample("finder.yml")).unwrap();
    assert_eq!(world.json("projects show brand")["finder"], kept.as_str());
}

#[test]
fn the_configuration_is_read_and_its_unknown_keys_are_named() {
    let world = World::new();
    world.write("atelier.toml", "[accounts.team]\nkey_env = \"TEAM_KEY\"\nkey = \"secret\"\n");
    world.run("projects list").expect_code(3).says(&["atelier.toml", "`key`", "line 3"]);
    world.write("atelier.toml", "[[pools]]\nmodel = \"gemini:gemini-2.5-flash\"\naccount = \"team\"\n");
    world.run("projects list").expect_code(3).says(&["'team'", "[accounts.team]"]);
    world.write("atelier.toml", "[[pools]]\nmodel = \"gemini:gemini-2.5-flash\"\nlimits = [\"15\"]\n");
    world.run("projects list").expect_code(3).says(&["'15' is not a limit"]);
    world.run("projects list --config missing.toml").expect_code(3).says(&["missing.toml"]);
}

#[test]
fn an_account_of_the_configuration_has_its_own_key_address_and_limits() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(6));
    let url = provider.url();
    let config = format!(
        "model = \"gemini:gemini-2.5-flash\"\n[accounts.team]\nkey_env = \"TEAM_KEY\"\nbase_url = \"{url}\"\n\
         [[pools]]\nmodel = \"gemini:gemini-2.5-flash\"\naccount = \"team\"\nlimits = [\"in_flight=1\"]\n"
    );
    world.write("atelier.toml", config);
    world.run(&World::generate("")).expect_code(3).says(&["TEAM_KEY"]);
    world.set("TEAM_KEY", "team-key");
    world.ok(&World::generate("--pack off"));
    world.assert_drafted(6);
    assert_eq!((provider.count("calls"), provider.count("peak_in_flight")), (6, 1));
}

#[test]
fn the_data_directory_of_the_configuration_gives_way_to_the_environment_and_that_to_the_flag() {
    let world = World::new();
    let config = world.write("atelier.toml", format!("data_dir = \"{}\"\n", world.path("configured").display()));
    let list = |world: &World, flags: &str, with_env: bool| {
        let mut command = world.command();
        command.args(["projects", "list", "--config"]).arg(&config).args(flags.split_whitespace());
        if !with_env {
            command.env_remove("ATELIER_DATA_DIR");
        }
        world.spawn(command).wait().expect_code(0);
    };
    list(&world, "", false);
    assert!(world.path("configured/atelier.db").exists() && !world.data().exists());
    list(&world, "--data-dir named", true);
    assert!(world.path("named/atelier.db").exists() && !world.data().exists());
    list(&world, "", true);
    assert!(world.data().join("atelier.db").exists());
}

#[test]
fn a_budget_needs_a_price() {
    let provider = Provider::start("");
    let mut world = World::with_posts(&texts(2));
    world.against(&provider);
    let generate = World::generate("--model gemini:gemini-9-unheard-of --max-cost 1");
    world.run(&generate).expect_code(3).says(&["price", "gemini-9-unheard-of", "hint: "]);
    assert_eq!(provider.count("calls"), 0);
    assert!(world.find_job().is_none());
    // Without one, the model may be used, and its cost is unknown, not zero.
    let finished = world.ok(&World::generate("--model gemini:gemini-9-unheard-of"));
    assert!(finished.stdout.contains("cost unknown"), "{finished}");
}
