//! Bad input of any kind gets a clear error and an exit code that says what sort, never a panic.
//!
//! That nothing panics is checked for every run of the program, in `world.rs`.

use crate::world::{Finished, World, not_utf8, sample, texts};

/// Bytes of every value, in no order that means anything.
fn noise() -> Vec<u8> {
    (0..20_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[track_caller]
fn assert_refused(finished: Finished) {
    assert!(matches!(finished.code, Some(2..=4)), "{finished}");
    finished.says(&["error: "]);
}

#[test]
fn files_of_posts_that_are_none_are_refused() {
    let world = World::new();
    world.add_project("brand");
    let mut too_deep = "[".repeat(100_000);
    too_deep.push_str(&"]".repeat(100_000));
    let contents: [(&str, Vec<u8>); 9] = [
        ("noise.csv", noise()),
        ("noise.json", noise()),
        ("noise.jsonl", noise()),
        ("noise", noise()),
        ("empty.csv", Vec::new()),
        ("empty.json", Vec::new()),
        ("zeros.csv", vec![0; 4096]),
        ("deep.json", too_deep.into_bytes()),
        ("half.json", b"{\"data\": [{\"id\": \"1\", \"text\": \"ha".to_vec()),
    ];
    for (name, content) in contents {
        world.write(name, content);
        assert_refused(world.run(&format!("posts import {name} --project brand --strict")));
    }
    std::fs::create_dir(world.path("folder")).unwrap();
    assert_refused(world.run("posts import folder --project brand"));
    assert_eq!(world.json("posts list --project brand")["posts"], serde_json::json!([]));
}

#[test]
fn finders_that_are_none_are_refused() {
    let world = World::new();
    world.write("noise.yml", noise());
    world.write("zeros.yml", vec![0; 4096]);
    world.write("deep.yml", "[".repeat(50_000));
    // A few anchors that would unfold to billions of strings.
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"]) {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(", ")));
    }
    world.write("bomb.yml", bomb);
    world.write("huge.yml", "# much ado\n".repeat(500_000));
    std::fs::create_dir(world.path("folder.yml")).unwrap();
    for name in ["huge.yml", "noise.yml", "zeros.yml", "deep.yml", "bomb.yml", "folder.yml"] {
        let finished = world.run(&format!("projects add brand --finder {name}")).expect_code(3);
        assert_refused(finished);
    }
}

#[test]
fn configurations_that_are_none_are_refused() {
    let world = World::new();
    for content in [noise(), vec![0; 100], b"[[[".to_vec(), b"data_dir = 5".to_vec()] {
        world.write("atelier.toml", content);
        assert_refused(world.run("projects list").expect_code(3));
    }
    std::fs::create_dir(world.path("folder")).unwrap();
    assert_refused(world.run("projects list --config folder").expect_code(3));
}

#[test]
fn an_empty_database_file_is_made_into_one() {
    let world = World::new();
    std::fs::create_dir(world.data()).unwrap();
    std::fs::write(world.data().join("atelier.db"), "").unwrap();
    assert_eq!(world.json("projects list"), serde_json::json!([]));
}

#[test]
fn a_database_that_is_none_or_damaged_is_refused_and_left_as_it_is() {
    let world = World::with_posts(&texts(20));
    let file = world.data().join("atelier.db");
    let good = std::fs::read(&file).unwrap();
    let mut torn = good.clone();
    torn.truncate(good.len() / 2 + 100);
    let mut scribbled = good.clone();
    scribbled[100..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    for bytes in [noise(), torn, scribbled] {
        std::fs::write(&file, &bytes).unwrap();
        for command in ["projects list", "posts list --project brand", "jobs list", "replies list"] {
            let finished = world.run(command);
            if finished.code != Some(0) {
                assert_refused(finished.expect_code(4));
            }
        }
        assert_refused(world.run(&World::generate("--model sandbox")).expect_code(4));
        assert_eq!(std::fs::read(&file).unwrap().len(), bytes.len());
    }
    std::fs::write(&file, good).unwrap();
    assert_eq!(world.json("posts list --project brand")["posts"].as_array().unwrap().len(), 20);
}

#[test]
fn a_data_directory_in_place_of_the_database_is_refused() {
    let world = World::new();
    std::fs::create_dir_all(world.data().join("atelier.db")).unwrap();
    assert_refused(world.run("projects list").expect_code(4));
}

#[test]
fn arguments_that_are_not_text_are_refused() {
    let world = World::new();
    world.add_project("brand");
    let commands: [&[&str]; 5] = [
        &["projects", "show"],
        &["posts", "list", "--project"],
        &["jobs", "show"],
        &["replies", "list", "--status"],
        &["posts", "import", "--project", "brand"],
    ];
    for arguments in commands {
        let mut command = world.command();
        command.args(arguments).arg(not_utf8());
        assert_refused(world.spawn(command).wait().expect_code(2));
    }
    // Files may be called what they like.
    let mut command = world.command();
    std::fs::copy(sample("posts.jsonl"), world.path("").join(not_utf8())).unwrap();
    command.args(["posts", "import", "--project", "brand"]).arg(not_utf8());
    world.spawn(command).wait().expect_code(0);
}

#[test]
fn an_environment_that_is_not_text_or_makes_no_sense_is_refused() {
    let world = World::with_posts(&texts(1));
    for (name, value) in [("GOOGLE_GEMINI_BASE_URL", "not a url"), ("GOOGLE_GEMINI_BASE_URL", "ftp://example.com")] {
        let mut command = world.command();
        command.args(World::generate("--model gemini:gemini-2.5-flash").split_whitespace());
        command.env("GEMINI_API_KEY", "some-key").env(name, value);
        assert_refused(world.spawn(command).wait().expect_code(3));
    }
    let mut command = world.command();
    command.args(World::generate("--model gemini:gemini-2.5-flash").split_whitespace());
    command.env("GEMINI_API_KEY", not_utf8());
    assert_refused(world.spawn(command).wait().expect_code(3));
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let world = World::with_posts(&texts(100));
    let mut command = world.prepare(std::process::Command::new("sh"));
    let list = "posts list --project brand --limit 100 --json";
    command.args(["-c", &format!("{} {list} | head -c 10", env!("CARGO_BIN_EXE_atelier"))]);
    let finished = world.spawn(command).wait().expect_code(0);
    assert_eq!(finished.stdout.len(), 10, "{finished}");
}
