//! The image library from outside: import, list, change, export, search.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::{World, until};

fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/library").canonicalize().unwrap()
}

impl World {
    /// A world with these pictures of the sample library in it.
    pub(crate) fn with_pictures(names: &[&str]) -> Self {
        let world = Self::new();
        world.copy_pictures(names);
        world.ok("library import pictures");
        world
    }

    fn copy_pictures(&self, names: &[&str]) {
        let folder = self.path("pictures");
        std::fs::create_dir_all(&folder).unwrap();
        let all: Vec<Value> = serde_json::from_slice(&std::fs::read(pictures().join("images.json")).unwrap()).unwrap();
        let kept: Vec<&Value> = all.iter().filter(|entry| names.contains(&entry["id"].as_str().unwrap())).collect();
        assert_eq!(kept.len(), names.len(), "{names:?}");
        for entry in &kept {
            let file = entry["filename"].as_str().unwrap();
            std::fs::copy(pictures().join(file), folder.join(file)).unwrap();
        }
        std::fs::write(folder.join("images.json"), serde_json::to_vec(&kept).unwrap()).unwrap();
    }

    /// The ids that a search finds, the best first.
    fn found(&self, arguments: &str) -> Vec<String> {
        ids(&self.json(&format!("search {arguments}"))["hits"])
    }
}

fn ids(hits: &Value) -> Vec<String> {
    hits.as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) const FEW: [&str; 6] = [
    "red-ladybird",
    "grazing-zebra",
    "yellow-banana",
    "red-sunset-over-calm-sea",
    "blue-igloo",
    "candle-in-a-dark-room",
];

#[test]
fn the_sample_library_is_found_by_words_by_meaning_by_look_and_by_likeness() {
    let world = World::new();
    let report = world.json(&format!("library import {} --collection samples", pictures().display()));
    assert_eq!((&report["refused"], &report["near_duplicates"], &report["missing"]), (&json!(0), &json!(0), &json!(0)));
    let count = report["imported"].as_u64().unwrap();
    assert!(count >= 120, "{report}");
    assert_eq!(world.json("library list --limit 1")["total"], count);

    assert_eq!(world.found("red ladybird")[0], "red-ladybird");
    assert_eq!(world.found("grazing zeb")[0], "grazing-zebra", "the last word may be unfinished");
    assert_eq!(world.found("lihgthouse at dusk")[0], "lighthouse-at-dusk-from-below", "a word may be misspelt");
    let sea = world.found("ocean at nightfall");
    assert!(sea.iter().take(5).any(|id| id == "red-sunset-over-calm-sea"), "{sea:?}");
    let zebra = world.found("a zebra --fields look");
    assert!(zebra.iter().take(3).any(|id| id == "grazing-zebra"), "{zebra:?}");

    let like = world.found("--like yellow-lemon");
    assert!(!like.is_empty() && !like.contains(&"yellow-lemon".to_owned()), "{like:?}");
    let same = world.found(&format!("--image {}", pictures().join("grazing-zebra.webp").display()));
    assert_eq!(same[0], "grazing-zebra");
    let animals = world.found("--filter category=animals --limit 100");
    assert_eq!(animals.len(), 7, "{animals:?}");
    for none in ["width=1..10", "height=..10", "date=2000-01-01", "date=..2020-12-31", "width=9000.."] {
        assert!(world.found(&format!("--filter {none}")).is_empty(), "{none}");
    }
    let wide = world.found("--filter width=500..512 --filter date=2026-01-01.. --limit 1000");
    let every = world.json("library list --limit 1000");
    let widths = every["images"].as_array().unwrap().iter().map(|image| image["width"].as_u64().unwrap());
    assert_eq!(wide.len(), widths.filter(|width| (500..=512).contains(width)).count());
    let warm = world.found("sea --filter mood=warm --filter category=landscapes");
    assert!(warm.contains(&"red-sunset-over-calm-sea".to_owned()), "{warm:?}");
    let red = world.json("search --color #d01010 --limit 5");
    assert!(red["hits"][0]["stages"]["color"]["score"].as_f64().unwrap() > 0.75, "{red}");
    world.run("search ladybird --collection other").expect_code(2).says(&["no-such-collection"]);
    assert_eq!(world.found("ladybird --collection samples")[0], "red-ladybird");

    for absent in ["qxzv wkkjh prrtz", "quarterly tax return form", "부산 지하철 노선도"] {
        assert_eq!(world.found(absent), [""; 0], "{absent}");
    }
    let told = world.ok("search qxzv wkkjh prrtz");
    let nothing = format!("nothing matches among {count} images; ");
    assert!(told.stdout.starts_with(&nothing) && told.stdout.contains("nearest, though"), "{told}");
}

#[test]
fn a_hit_says_which_stage_found_it_and_explains_itself() {
    let world = World::with_pictures(&FEW);
    let found = world.json("search ladybird --explain");
    let hit = &found["hits"][0];
    assert_eq!((hit["id"].as_str(), hit["filename"].as_str()), (Some("red-ladybird"), Some("red-ladybird.webp")));
    assert_eq!(hit["stages"]["lexical"]["rank"], 1);
    assert!(hit["stages"]["text"]["score"].as_f64().unwrap() > 0.4, "{found}");
    assert_eq!(found["explanation"]["images"], 6);
    assert_eq!(found["explanation"]["words"][0]["word"], "ladybird");
    let told = world.ok("search ladybird --explain").stdout;
    for word in ["red-ladybird", "words 1", "cut-off", "weight"] {
        assert!(told.contains(word), "nothing about {word:?} in\n{told}");
    }
}

#[test]
fn an_import_that_is_run_again_knows_its_files_and_takes_the_new_ones_in() {
    let world = World::with_pictures(&FEW[..4]);
    world.copy_pictures(&FEW);
    let again = world.json("library import pictures");
    assert_eq!((&again["known"], &again["imported"]), (&json!(4), &json!(2)));
    assert_eq!(world.found("igloo")[0], "blue-igloo");
}

#[test]
fn what_is_no_picture_is_named_with_its_reason_and_harms_nothing() {
    let world = World::new();
    world.copy_pictures(&FEW[..2]);
    let whole = std::fs::read(pictures().join("red-sunset-over-calm-sea.jpg")).unwrap();
    world.write("pictures/cut.jpg", &whole[..200]);
    world.write("pictures/lying.png", b"#!/bin/sh\necho no picture\n");
    world.write("pictures/empty.webp", b"");
    world.write("pictures/notes.txt", b"no picture, and not named like one");
    let finished =
        world.run("library import pictures --json").expect_code(1).says(&["cut.jpg", "lying.png", "empty.webp"]);
    let report = finished.json();
    assert_eq!((&report["imported"], &report["refused"], &report["ignored"]), (&json!(2), &json!(3), &json!(1)));
    for refused in report["refused_files"].as_array().unwrap() {
        assert!(
            refused["code"].is_string() && refused["reason"].is_string() && refused["hint"].is_string(),
            "{refused}"
        );
    }
    assert_eq!(world.found("zebra"), ["grazing-zebra"]);
}

#[test]
fn the_same_bytes_and_nearly_the_same_picture_are_told_and_not_stored_twice() {
    let world = World::with_pictures(&FEW[..2]);
    std::fs::copy(pictures().join("grazing-zebra.webp"), world.path("pictures/copy.webp")).unwrap();
    let report = world.json("library import pictures");
    assert_eq!((&report["duplicates"], &report["imported"]), (&json!(1), &json!(0)));
    assert_eq!(report["duplicate_files"][0]["of"], "grazing-zebra");
}

#[test]
fn tags_captions_and_collections_change_and_are_searched_at_once() {
    let world = World::with_pictures(&FEW);
    world.ok("library tag blue-igloo candle-in-a-dark-room --add winter-campaign");
    let mut tagged = world.found("--filter tag=winter-campaign");
    tagged.sort();
    assert_eq!(tagged, ["blue-igloo", "candle-in-a-dark-room"]);
    world.ok("library tag blue-igloo --remove winter-campaign");
    assert_eq!(world.found("--filter tag=winter-campaign"), ["candle-in-a-dark-room"]);

    world.ok(
        "library edit yellow-banana --caption Obst --attribute client=Zanzibar --collection fruit --tone-score 0.9",
    );
    let shown = world.json("library show yellow-banana");
    assert_eq!((shown["caption"].as_str(), shown["tone_score"].as_f64()), (Some("Obst"), Some(0.9)));
    assert_eq!(world.found("zanzibar")[0], "yellow-banana");
    assert_eq!(world.json("library collections")["collections"], json!([{ "name": "fruit", "images": 1 }]));
    world.ok("library collections rename fruit food");
    assert_eq!(world.found("--collection food --filter category=food"), ["yellow-banana"]);

    world.ok("library remove yellow-banana");
    assert!(world.found("zanzibar").is_empty());
    world.run("library show yellow-banana").expect_code(2).says(&["no-such-image"]);
    world.run("library edit blue-igloo --tone-score 7").expect_code(2).says(&["from 0 to 1"]);
}

#[test]
fn an_export_is_imported_again_as_it_was() {
    let world = World::with_pictures(&FEW);
    world.ok("library tag red-ladybird --add exported");
    world.ok("library export out.zip");
    world.ok("library export out");
    world.run("library export out").expect_code(2).says(&["export-exists"]);
    assert!(world.path("out.zip").metadata().unwrap().len() > 10_000);

    let mut other = World::new();
    other.set("ATELIER_DATA_DIR", other.path("other").to_str().unwrap());
    other.ok(&format!("library import {}", world.path("out").display()));
    let (before, after) = (world.json("library show red-ladybird"), other.json("library show red-ladybird"));
    for field in ["id", "caption", "labels", "category", "tone_score", "attributes", "palette", "hash"] {
        assert_eq!(before[field], after[field], "{field}");
    }
}

#[test]
fn a_search_that_asks_for_nothing_or_for_what_is_not_there_says_so() {
    let world = World::with_pictures(&FEW[..2]);
    world.run("search").expect_code(2).says(&["query-empty"]);
    world.run("search --like nobody").expect_code(2).says(&["no-such-image"]);
    world.run("search --color reddish").expect_code(2).says(&["color-invalid"]);
    world.run("search --filter width=wide").expect_code(2).says(&["filter-invalid", "pixels"]);
    world.run("search --image pictures/images.json").expect_code(2).says(&["error:"]);
    assert!(World::new().ok("search anything").stdout.contains("atelier library import"));
}

#[test]
fn an_evaluation_is_compared_with_its_baseline_and_fails_below_it() {
    let world = World::with_pictures(&FEW);
    let judged = |relevant: [&str; 2]| {
        format!(
            "{}\n{}\n",
            json!({ "query": "a ladybird from above", "relevant": [relevant[0]] }),
            json!({ "query": "sunset at sea", "relevant": { relevant[1]: 2 } })
        )
    };
    world.write("queries.jsonl", judged(["red-ladybird", "red-sunset-over-calm-sea"]));
    let measured = world.json("search eval queries.jsonl --save baseline.json");
    assert_eq!(measured["metrics"]["recall@1"]["mean"], 1.0, "{measured}");
    assert_eq!((&measured["queries"], &measured["answered"]), (&json!(2), &json!(2)));
    world.ok("search eval queries.jsonl --baseline baseline.json");
    world.write("queries.jsonl", judged(["blue-igloo", "red-sunset-over-calm-sea"]));
    world
        .run("search eval queries.jsonl --baseline baseline.json")
        .expect_code(1)
        .says(&["below-baseline", "recall@1"]);
    world.write("queries.jsonl", "{\"query\": \"x\"}\n");
    world.run("search eval queries.jsonl").expect_code(2).says(&["line 1"]);
}

#[test]
fn an_index_that_was_damaged_or_removed_is_built_anew_from_the_library() {
    let world = World::with_pictures(&FEW);
    assert_eq!(world.found("igloo")[0], "blue-igloo");
    let index = world.data().join("search");
    std::fs::remove_dir_all(&index).unwrap();
    assert_eq!(world.found("igloo")[0], "blue-igloo");
    let meta =
        std::fs::read_dir(&index).unwrap().filter_map(Result::ok).map(|entry| entry.path().join("words/meta.json"));
    let meta = { meta }.find(|path| path.is_file()).unwrap();
    std::fs::write(meta, "{").unwrap();
    assert_eq!(world.found("igloo")[0], "blue-igloo");
}

#[test]
fn a_look_model_that_is_not_there_is_an_error_of_the_configuration() {
    let world = World::with_pictures(&FEW[..2]);
    let config = world.write("atelier.toml", "[search]\nlook = \"clip:/nowhere\"\n");
    world.run(&format!("search zebra --config {}", config.display())).expect_code(3).says(&["/nowhere"]);
    world.write("atelier.toml", "[search]\nlook = \"off\"\n");
    assert_eq!(world.found("zebra"), ["grazing-zebra"]);
}

#[test]
fn a_providers_model_embeds_words_and_pictures_and_both_are_found_by_them() {
    let world = World::new();
    std::fs::write(world.path("atelier.toml"), "[search]\nlook = \"sandbox:gemini-embedding-2\"\n").unwrap();
    world.copy_pictures(&FEW);
    let report = world.json("library import pictures");
    assert_eq!((&report["imported"], &report["refused"]), (&json!(6), &json!(0)));
    let hits = world.json("search --explain a picture of something orange")["hits"].clone();
    let looks: Vec<&Value> = hits.as_array().unwrap().iter().filter(|hit| hit["stages"]["look"].is_object()).collect();
    assert!(!looks.is_empty(), "{hits}");
    let jobs = world.json("jobs list")["jobs"].clone();
    let embedding = jobs.as_array().unwrap().iter().filter(|job| job["kind"] == "embeddings");
    assert!(embedding.clone().count() >= 3, "words, pictures and the query: {jobs}");
    assert!(embedding.clone().all(|job| job["state"] == "done"), "{jobs}");
}

#[test]
fn without_its_embedder_a_search_finds_by_words_and_says_so() {
    let world = World::with_pictures(&FEW);
    world.write("atelier.toml", "[search]\nlook = \"gemini:gemini-embedding-2\"\nbackground = false\n");
    let found = world.ok("search zebra");
    assert!(found.stdout.contains("grazing-zebra"), "{found}");
    found.says(&["found by words alone", "GEMINI_API_KEY"]);
    world.run("search --fields look zebra").expect_code(3).says(&["embedder-absent"]);
    world.run("library import pictures").expect_code(3).says(&["GEMINI_API_KEY"]);
    world.write("queries.jsonl", "{\"query\": \"zebra\", \"relevant\": [\"grazing-zebra\"]}\n");
    world.run("search eval queries.jsonl").expect_code(3).says(&["embedder-absent"]);
    world.ok("search eval queries.jsonl --fields lexical");

    world.write("atelier.toml", "[search]\nlook = \"off\"\n");
    world.run("search --fields look zebra").says(&["no-look-model"]);
    world.run("search eval queries.jsonl --fields look").says(&["no-look-model"]);
    world.run("library export out --collection nowhere").says(&["no-such-collection"]);
}

#[test]
fn after_a_change_of_the_model_a_search_has_the_library_embedded_in_the_background() {
    let world = World::with_pictures(&FEW);
    let config = "[search]\nlook = \"sandbox:gemini-embedding-2\"\n";
    world.write("atelier.toml", format!("{config}background = false\n"));
    let lacking = "6 images have no vectors of sandbox-gemini-embedding-2/768 yet";
    world.ok("search zebra").says(&[lacking, "'atelier library embed' makes them"]);
    world.write("data/embedding.log", "error: the disk is full [disk-full]\n");
    world.write("atelier.toml", config);
    world.ok("search zebra").says(&[lacking, "making them in the background ended: the disk is full"]);
    std::fs::remove_file(world.data().join("embedding.log")).unwrap();

    world.ok("search zebra").says(&[lacking, "they are being made in the background, by process "]);
    until("all images are found by the look of the new model", || {
        let hits = world.json("search --fields look a-picture-of-something-orange")["hits"].clone();
        (hits.as_array().unwrap().len() == FEW.len()).then_some(())
    });
    until("the process is done", || (!world.data().join("embedding.log").exists()).then_some(()));
    let told = world.ok("search zebra").stderr;
    assert!(!told.contains("no vectors"), "{told}");
    let embedded = world.json("library embed");
    assert_eq!((&embedded["text"], &embedded["look"]), (&json!(0), &json!(0)), "{embedded}");
}

#[test]
fn an_import_says_what_it_passed_over_and_a_file_that_was_named_is_never_passed_over_in_silence() {
    let world = World::with_pictures(&FEW);
    let described = json!([{"filename": "red-ladybird.webp", "caption": "A beetle"}]);
    world.write("pictures/images.json", described.to_string());
    let report = world.json("library import pictures");
    assert_eq!((&report["differing"], &report["updated"]), (&json!(1), &json!(0)), "{report}");
    let told = world.ok("library import pictures").stdout;
    assert!(told.contains("1 known, and described otherwise now: --update"), "{told}");
    assert_eq!(world.json("library import pictures --update")["updated"], 1);
    assert_eq!(world.json("library import pictures")["differing"], 0);
    world.write("notes.txt", "no picture");
    world.run("library import notes.txt").expect_code(1).says(&["notes.txt"]);
    world.ok("library import pictures");
    world.ok("search ladybird --filter categroy=birds").says(&["categroy", "attributes", "category"]);
}
