//! Making images from outside: plans, references, two sides, faults, edits, and what is told of each image.

use std::path::Path;

use serde_json::{Value, json};

use crate::library::FEW;
use crate::world::{World, until};

impl World {
    /// A world whose images the sandbox makes.
    fn of_images() -> Self {
        let world = Self::new();
        world.write("atelier.toml", "[images]\nmodel = \"sandbox\"\n");
        world
    }

    /// The same, with a small library to take references from.
    fn with_library() -> Self {
        let world = Self::with_pictures(&FEW);
        world.write("atelier.toml", "[images]\nmodel = \"sandbox\"\n");
        world
    }

    fn made(&self, arguments: &str) -> Vec<Value> {
        self.json(&format!("images list {arguments}"))["images"].as_array().unwrap().clone()
    }
}

fn ids(images: &Value) -> Vec<String> {
    images.as_array().unwrap().iter().map(|image| image["id"].as_str().unwrap().to_owned()).collect()
}

fn states(images: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    images.as_array().unwrap().iter().map(|image| (text(&image["state"]), text(&image["kind"]))).collect()
}

/// A picture of one colour, as a file.
fn picture(world: &World, name: &str, width: u32, height: u32, color: [u8; 4]) -> String {
    let picture = image::RgbaImage::from_pixel(width, height, image::Rgba(color));
    picture.save(world.path(name)).unwrap();
    name.to_owned()
}

#[test]
fn two_sides_are_made_with_references_from_the_library_and_each_image_says_how_it_came_about() {
    let world = World::with_library();
    let made = world.json(
        "images generate sunset-over-the-sea --count 2 --seed 7 --size 3:2 --lens 35mm --compare sandbox:openai:gpt-image-2",
    );
    assert_eq!((&made["done"], &made["failed"]), (&json!(4), &json!(0)), "{made}");
    let images = made["images"].as_array().unwrap();
    let hashes: std::collections::BTreeSet<&str> = images.iter().map(|image| image["hash"].as_str().unwrap()).collect();
    assert_eq!(hashes.len(), 4, "no two are the same");
    let first = world.json(&format!("images show {}", images[0]["id"].as_str().unwrap()));
    let provenance = &first["provenance"];
    assert_eq!(
        (&provenance["seed"], &provenance["model"], &provenance["sandbox"]),
        (&json!(7), &json!("sandbox"), &json!(true))
    );
    assert_eq!(provenance["asked"], json!({"width": 1536, "height": 1024}));
    assert_eq!(provenance["given"], json!({"width": 1248, "height": 832}), "the nearest that the model makes");
    let roles: Vec<&str> = provenance["references"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reference| reference["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["tone", "angle"]);
    let sent = provenance["sent"].as_str().unwrap();
    for words in ["## Subject\nsunset-over-the-sea", "Image 1 - tone.", "Image 2 - angle.", "35 mm"] {
        assert!(sent.contains(words), "no {words:?} in {sent}");
    }
    let generation = made["generation"].as_str().unwrap();
    assert_eq!(world.made(&format!("--generation {generation} --word sunset --word SEA")).len(), 4);
    assert_eq!(world.made("--word winter").len(), 0);
    assert_eq!(world.made("--by sandbox").len(), 2);
}

#[test]
fn a_preview_is_kept_and_sent_byte_for_byte() {
    let world = World::with_library();
    let preview = world.json("images preview zebra-on-a-hill --count 2 --seed 3 --palette #102030");
    let (plan, content) = (preview["plan"].as_str().unwrap(), &preview["content"]);
    assert!(world.made("").is_empty() && world.json("jobs list")["jobs"].as_array().unwrap().is_empty());
    let made = world.json(&format!("images generate --plan {plan}"));
    assert_eq!(made["done"], 2, "{made}");
    for image in made["images"].as_array().unwrap() {
        assert_eq!(image["provenance"]["sent"], content["sides"][0]["prompt"]);
        assert_eq!(image["provenance"]["references"], content["sides"][0]["references"]);
    }
    // Once more, and the same images come of it: the seeds are the plan's.
    let again = world.json(&format!("images generate --plan {plan}"));
    assert_ne!(again["generation"], made["generation"]);
    let sent = |made: &Value| made["images"][0]["provenance"]["sent"].clone();
    assert_eq!(sent(&again), sent(&made));
    let other = world.json(&format!("images again {plan} --seed 99"));
    assert_eq!((&other["images"][0]["provenance"]["seed"], sent(&other)), (&json!(99), sent(&made)));
}

#[test]
fn the_user_decides_which_references_there_are() {
    let world = World::with_library();
    let references = |flags: &str| {
        let preview = world.json(&format!("images preview a-boat --seed 1 {flags}"));
        let side = preview["content"]["sides"][0].clone();
        let of = |reference: &Value| (reference["role"].clone(), reference["image"].clone());
        (side["references"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(), side)
    };
    let (picked, _) = references("--reference blue-igloo --tone red-ladybird --angle off");
    assert_eq!(picked, [(json!("subject"), json!("blue-igloo")), (json!("tone"), json!("red-ladybird"))]);
    let (none, side) = references("--references off");
    assert!(none.is_empty() && !side["prompt"].as_str().unwrap().contains("Reference"), "{side}");
    let (tone, side) = references("--references palette-only --tone yellow-banana");
    assert_eq!(tone, [(json!("tone"), json!("yellow-banana"))]);
    let prompt = side["prompt"].as_str().unwrap();
    assert!(side["references"][0]["sent"].is_null() && prompt.contains("## Palette") && !prompt.contains("Image 1"));
    let (most, _) =
        references("--model sandbox:gemini-2.5-flash-image --reference blue-igloo --reference red-ladybird");
    assert_eq!(most.len(), 3, "that model takes three: {most:?}");
    let (drawn, side) = references("--angle off");
    assert_eq!(references("--angle off").0, drawn, "the same seed draws the same");
    let how = &side["references"][0]["drawn"];
    assert!(how["rank"].as_u64().unwrap() <= how["best"].as_u64().unwrap(), "{how}");
}

#[test]
fn a_refusal_and_an_outage_are_told_apart_and_cost_the_others_nothing() {
    let world = World::of_images();
    let prompt = "boat[[sandbox:refuse:seed=11]][[sandbox:503:seed=12:once]][[sandbox:words:seed=13]][[sandbox:no-image:seed=14]][[sandbox:wrong-type:seed=15]]";
    let run =
        world.run(&format!("images generate {prompt} --count 8 --seed 10 --references off --json")).expect_code(1);
    let made = run.json();
    let states = states(&made["images"]);
    let expected = [
        ("done", ""),
        ("blocked", "refused"),
        ("done", ""),
        ("failed", "words-instead"),
        ("failed", "empty"),
        ("broken", "broken"),
        ("done", ""),
        ("done", ""),
    ];
    assert_eq!(states, expected.map(|(state, kind)| (state.to_owned(), kind.to_owned())));
    let generation = made["generation"].as_str().unwrap();
    let retried = world.json(&format!("images retry {generation} --prompt another-boat"));
    assert_eq!((&retried["done"], &retried["failed"]), (&json!(8), &json!(0)), "{retried}");
    assert_eq!(retried["images"][1]["provenance"]["prompt"], "another-boat");
    assert_eq!(retried["images"][1]["provenance"]["seed"], 11, "its place, and so its seed, is what it was");
}

#[test]
fn what_was_made_before_a_kill_is_there_and_resume_makes_the_rest() {
    let world = World::of_images();
    let flags = "--references off --seed 1 --concurrency 1 --sandbox-latency 300ms";
    let running = world.start(&format!("images generate a-boat --count 8 {flags}"));
    let three = || (world.made("--state done").len() >= 3).then_some(());
    until("three images are made", three);
    running.kill();
    let before = world.made("--state done");
    assert!((3..8).contains(&before.len()), "{}", before.len());
    let generation = before[0]["generation"].as_str().unwrap();
    let made = world.json(&format!("images resume {generation}"));
    assert_eq!(made["done"], 8, "{made}");
    let after = world.made("--state done");
    for image in &before {
        assert!(after.iter().any(|other| other["hash"] == image["hash"]), "what was made stays as it was");
    }
    let calls: u64 =
        world.json("jobs list")["jobs"].as_array().unwrap().iter().map(|job| job["calls"].as_u64().unwrap()).sum();
    assert!(calls <= 9, "{calls} calls for 8 images, one of which may have been in flight");
}

#[test]
fn images_that_can_not_be_saved_are_paid_for_once_and_saved_later() {
    let world = World::of_images();
    // A file where a folder has to be, as if the disk had failed: what comes is kept, and can't be saved.
    let folder = world.data().join("objects/made");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(&folder, "").unwrap();
    let flags = "--references off --seed 1 --compare sandbox:openai:gpt-image-2 --concurrency 2 --sandbox-latency 1s";
    let failed = world.run(&format!("images generate a-boat --count 4 {flags}"));
    failed.expect_code(4).says(&["object-unusable", "jobs resume img-"]);
    let jobs = || {
        let jobs = world.json("jobs list")["jobs"].clone();
        let sum = |key: &str| -> u64 { jobs.as_array().unwrap().iter().map(|job| job[key].as_u64().unwrap()).sum() };
        (sum("calls"), sum("done"))
    };
    let (calls, answered) = jobs();
    assert!(calls < 8 && calls == answered, "{answered} of {calls} calls came to their end, and no more were sent");
    std::fs::remove_file(&folder).unwrap();
    let generation = world.made("")[0]["generation"].as_str().unwrap().to_owned();
    assert_eq!(world.json(&format!("images resume {generation}"))["done"], 8);
    assert_eq!(jobs(), (8, 8), "one call an image");
}

#[test]
fn an_image_is_saved_exported_liked_noted_promoted_and_deleted() {
    let world = World::with_library();
    let made = world.json("images generate a-green-valley --count 2 --seed 5 --references off --out folder");
    let ids = ids(&made["images"]);
    let file = world.path(&format!("folder/{}.png", ids[0]));
    let bytes = std::fs::read(&file).unwrap();
    for words in
        ["XML:com.adobe.xmp", "a-green-valley", "atelier:Model>sandbox<", "trainedAlgorithmicMedia", "atelier:Seed>5<"]
    {
        assert!(String::from_utf8_lossy(&bytes).contains(words), "{words}");
    }
    world.run(&format!("images save {} folder/{}", ids[0], ids[0])).expect_code(2).says(&["export-exists"]);
    world.ok(&format!("images like {}", ids[1]));
    assert_eq!(world.made("--liked").len(), 1);
    world.ok(&format!("images note {} good", ids[1]));
    let report = world.json("images export all.zip --liked");
    assert_eq!(report["images"], 1);
    assert!(std::fs::read(world.path("all.zip")).unwrap().starts_with(b"PK"));

    let promoted = world.json(&format!("images promote {} --collection made", ids[1]));
    let library = promoted["promoted"][0]["library_image"].as_str().unwrap();
    let shown = world.json(&format!("library show {library}"));
    assert_eq!((&shown["caption"], &shown["provenance"]["seed"]), (&json!("a-green-valley"), &json!(6)), "{shown}");
    let found = world.json("search green valley --collection made");
    assert_eq!(found["hits"][0]["id"], library);
    let used = world.json(&format!("images preview a-house --tone {library}"));
    assert!(used["content"]["sides"][0]["references"][0]["sent"].is_object());

    world.ok(&format!("images delete {} {}", ids[0], ids[1]));
    assert!(world.made("").is_empty());
    let left = || walk(&world.data().join("objects/made"));
    assert!(left() > 0, "they can be had back");
    world.ok("trash empty --yes");
    assert_eq!(left(), 0, "their files are gone");
    world.ok(&format!("library show {library}"));
}

/// How many files there are below a folder.
fn walk(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

#[test]
fn a_part_of_an_image_is_changed_and_the_rest_stays() {
    let world = World::of_images();
    let before = picture(&world, "before.png", 320, 240, [10, 200, 10, 255]);
    let mask = image::RgbaImage::from_fn(320, 240, |x, _| image::Rgba([0, 0, 0, if x < 160 { 255 } else { 0 }]));
    mask.save(world.path("mask.png")).unwrap();
    let flags = "--mask mask.png --out edited --model sandbox:openai:gpt-image-2";
    let forecast = world.json(&format!("images edit {before} a-red-house {flags} --dry-run"));
    assert_eq!(forecast["forecast"]["images"], 1, "{forecast}");
    assert_eq!(world.find_job(), None, "a forecast makes nothing");
    let made = world.json(&format!("images edit {before} a-red-house {flags}"));
    assert_eq!(made["done"], 1, "{made}");
    let id = made["images"][0]["id"].as_str().unwrap();
    let after = image::open(world.path(&format!("edited/{id}.png"))).unwrap().into_rgb8();
    let (width, height) = after.dimensions();
    let near = |pixel: &image::Rgb<u8>| pixel.0.iter().zip([10, 200, 10]).all(|(a, b)| a.abs_diff(b) < 12);
    assert!(near(after.get_pixel(width / 4, height / 3)), "{:?}", after.get_pixel(width / 4, height / 3));
    let changed = (0..height).filter(|y| !near(after.get_pixel(width * 3 / 4, *y))).count();
    assert!(changed > 0, "the right half is another");
    let beside = image::open(world.path(&format!("edited/{id}-beside.png"))).unwrap();
    assert!(beside.width() > 2 * width.min(320), "{} {width}", beside.width());

    let made = world.json(&format!("images edit {id} a-tree --mask mask.png --model sandbox"));
    assert!(made["images"][0]["provenance"]["sent"].as_str().unwrap().contains("Image 2 is a mask"), "{made}");
    let other = picture(&world, "tall.png", 100, 400, [0, 0, 0, 0]);
    world.run(&format!("images edit {before} a-tree --mask {other}")).expect_code(2).says(&["mask-invalid", "shape"]);
    let opaque = picture(&world, "opaque.png", 320, 240, [0, 0, 0, 255]);
    world
        .run(&format!("images edit {before} a-tree --mask {opaque}"))
        .expect_code(2)
        .says(&["mask-invalid", "nothing"]);
}

#[test]
fn what_can_not_be_made_is_said_before_anything_is_sent() {
    let world = World::with_library();
    let refused = |arguments: &str, words: &[&str]| drop(world.run(arguments).expect_code(2).says(words));
    refused("images generate a-boat --count 0", &["0"]);
    refused("images generate a-boat --count 9", &["9"]);
    refused("images generate", &["prompt-empty"]);
    refused("images generate a-boat --reference gone", &["no-such-reference", "gone"]);
    refused("images generate a-boat --tone gone", &["no-such-image", "gone"]);
    refused("images generate a-boat --collection gone", &["no-such-collection"]);
    refused("images generate a-boat --lens 5mm", &["no-such-preset", "35mm"]);
    refused("images generate a-boat --category gloomy", &["no-such-preset", "cinematic"]);
    refused("images generate a-boat --size big", &["size-invalid"]);
    refused("images generate a-boat --size 9000x9000", &["size-invalid"]);
    refused("images generate a-boat --palette red", &["color-invalid"]);
    refused("images show gone", &["no-such-generation"]);
    world.write("corrupt.jpg", [0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
    refused("images generate a-boat --reference corrupt.jpg", &["picture"]);
    let bomb =
        "<svg xmlns='http://www.w3.org/2000/svg' width='20000' height='10000'><rect width='9' height='9'/></svg>";
    world.write("bomb.svg", bomb);
    let long = "boat ".repeat(10_000);
    let mut command = world.command();
    command.args(["images", "generate", &long]);
    world.spawn(command).wait().expect_code(2).says(&["prompt-too-long", "50000"]);
    assert!(world.json("jobs list")["jobs"].as_array().unwrap().is_empty(), "nothing was submitted");
    assert!(world.made("").is_empty());
}

#[test]
fn an_image_that_hangs_holds_up_nothing_but_itself() {
    let world = World::of_images();
    let prompt = "boat[[sandbox:hang:seed=2]][[sandbox:refuse:seed=3]][[sandbox:503:seed=4:once]]";
    let running = world.start(&format!("images generate {prompt} --count 8 --seed 1 --references off"));
    until("all but one have ended", || (world.made("--state done").len() == 6).then_some(()));
    let shown = world.made("");
    let state = |place: u64| shown.iter().find(|image| image["place"] == place).unwrap()["state"].clone();
    assert_eq!((state(2), state(3), state(4)), (json!("running"), json!("blocked"), json!("done")));
    running.kill();
    let generation = shown[0]["generation"].as_str().unwrap();
    let cancelled = world.json(&format!("images cancel {generation}"));
    assert_eq!(cancelled["cancelled"], 1);
    assert_eq!(world.made("--state cancelled").len(), 1);
}
