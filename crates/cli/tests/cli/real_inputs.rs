//! What cameras, providers and people really hand in: nothing is left out, nothing that was paid for is lost.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::library::FEW;
use crate::world::{World, texts, until};

/// A photograph of hills and a sun, the same at every size.
fn photo(world: &World, name: &str, width: u32, height: u32) {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        let hill = 0.5 + 0.2 * (9.0 * x).sin() + 0.1 * (23.0 * x).cos();
        let sun = (x - 0.7).hypot(y - 0.25) < 0.12;
        image::Rgb(match (sun, y > hill) {
            (true, _) => [250, 220, 90],
            (false, true) => [40, 90 + (60.0 * y) as u8, 50],
            (false, false) => [120, 170, 200 + (40.0 * y) as u8],
        })
    });
    let path = world.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(path).unwrap();
}

fn names(list: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        list.as_array().unwrap().iter().map(|one| one["filename"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn an_original_is_never_left_out_because_a_small_copy_came_first() {
    let world = World::new();
    photo(&world, "photos/beach-preview.jpg", 320, 240);
    photo(&world, "photos/beach.jpg", 1600, 1200);
    let report = world.json("library import photos");
    assert_eq!((&report["imported"], &report["near_duplicates"]), (&json!(2), &json!(1)), "{report}");
    let groups = world.json("library duplicates")["groups"].clone();
    assert_eq!(groups.as_array().unwrap().len(), 1);
    assert_eq!((&groups[0][0]["filename"], &groups[0][0]["width"]), (&json!("beach.jpg"), &json!(1600)));

    let small = groups[0][1]["id"].as_str().unwrap();
    let removed = world.json(&format!("library duplicates --keep-largest {small}"));
    assert_eq!(removed["removed"], json!([small]));
    assert_eq!(names(&world.json("library list")["images"]), ["beach.jpg"]);
    assert!(world.json("library duplicates")["groups"].as_array().unwrap().is_empty());

    let trash = world.json("trash")["trash"].clone();
    assert_eq!((&trash[0]["kind"], &trash[0]["name"]), (&json!("image"), &json!(small)));
    world.ok(&format!("trash restore {}", trash[0]["id"].as_str().unwrap()));
    assert_eq!(names(&world.json("library list")["images"]), ["beach-preview.jpg", "beach.jpg"]);
    world.ok(&format!("library duplicates --keep-both {small}"));
    assert!(world.json("library duplicates")["groups"].as_array().unwrap().is_empty(), "both are wanted");
    world.run("library duplicates --keep-both gone").expect_code(2).says(&["no-duplicates"]);
}

#[test]
fn where_near_duplicates_are_skipped_the_largest_stays_whatever_its_place() {
    for (small, large) in [("a.jpg", "b.jpg"), ("b.jpg", "a.jpg")] {
        let world = World::new();
        photo(&world, &format!("photos/{small}"), 320, 240);
        photo(&world, &format!("photos/{large}"), 1280, 960);
        let report = world.json("library import photos --skip-near");
        assert_eq!((&report["imported"], &report["near_duplicates"]), (&json!(1), &json!(1)), "{report}");
        let listed = world.json("library list")["images"].clone();
        assert_eq!((names(&listed), &listed[0]["width"]), (vec![large.to_owned()], &json!(1280)));
    }
}

#[test]
fn an_original_is_imported_beside_its_copy_of_an_earlier_import() {
    let world = World::new();
    photo(&world, "photos/a.jpg", 320, 240);
    world.ok("library import photos --skip-near");
    photo(&world, "photos/b.jpg", 1280, 960);
    let report = world.json("library import photos --skip-near");
    assert_eq!((&report["imported"], &report["near_duplicates"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(names(&world.json("library list")["images"]), ["a.jpg", "b.jpg"]);
}

#[test]
fn originals_are_found_wherever_they_lie() {
    let world = World::new();
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(from, world.path(to)).unwrap();
    // Behind a link to a folder that is passed over by itself.
    photo(&world, "photos/.volumes/2024/hidden-away.jpg", 400, 300);
    link(".volumes/2024", "photos/2024");
    // In a catalogue, whose previews are none.
    photo(&world, "photos/My.aplibrary/Masters/2012/master.jpg", 500, 300);
    photo(&world, "photos/My.aplibrary/Previews/2012/master.jpg", 160, 120);
    // Beside this program's own data.
    photo(&world, "photos/store/mine.jpg", 300, 300);
    photo(&world, "photos/store/objects/images/ab/cd.jpg", 160, 120);
    world.write("photos/store/atelier.db", "");
    // Up to where the import began, and above.
    link("..", "photos/up");
    let report = world.json("library import photos");
    assert_eq!(names(&world.json("library list")["images"]), ["hidden-away.jpg", "master.jpg", "mine.jpg"], "{report}");
    let passed = json!({"others-copies": 1, "own-data": 2, "hidden": 1, "link-loop": 1});
    assert_eq!(report["passed_over"], passed, "{report}");
}

#[test]
fn what_is_passed_over_is_counted_by_its_reason() {
    let world = World::new();
    photo(&world, "photos/one.jpg", 400, 300);
    photo(&world, "photos/@eaDir/one.jpg/SYNOFILE_THUMB_M.jpg", 160, 120);
    photo(&world, "photos/.thumbnails/one.jpg", 160, 120);
    photo(&world, "photos/.picasaoriginals/two.jpg", 160, 120);
    photo(&world, "photos/.hidden.jpg", 160, 120);
    photo(&world, "elsewhere/far.png", 200, 100);
    world.write("photos/one.jpg.xmp", "");
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(from, world.path(to)).unwrap();
    link("../elsewhere", "photos/link-to-elsewhere");
    link("../elsewhere", "photos/once-more");
    link(".", "photos/loop");
    link("nowhere", "photos/dangling.jpg");
    let report = world.json("library import photos");
    assert_eq!((&report["imported"], &report["refused"]), (&json!(2), &json!(0)), "{report}");
    let passed = json!({
        "others-copies": 3, "hidden": 1, "link-to-imported": 1, "link-loop": 1, "link-nowhere": 1, "describes": 1,
    });
    assert_eq!(report["passed_over"], passed, "{report}");
    let said = world.ok("library import photos").stdout;
    for words in ["copies that other programs keep", "links that lead nowhere", "hidden"] {
        assert!(said.contains(words), "{said}");
    }

    let own = world.json("library import .");
    assert!(own["passed_over"]["own-data"].as_u64().unwrap() > 5, "its own data is not imported: {own}");
    assert_eq!(own["imported"], 0, "{own}");
}

/// A server that answers each call with this body, and how often it was called.
fn answering(body: String) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, body, counted) = (stream.unwrap(), body.clone(), Arc::clone(&counted));
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut buffer = [0; 16_384];
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    request.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let Some((head, sent)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .lines()
                        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                    if sent.len() < length.unwrap_or(0) {
                        continue;
                    }
                    counted.fetch_add(u32::from(head.starts_with("POST")), Ordering::Relaxed);
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
                    request.clear();
                }
            });
        }
    });
    (url, calls)
}

#[test]
fn a_picture_that_is_broken_is_kept_shown_as_such_and_not_bought_again() {
    let mut world = World::new();
    // The head of a PNG and nothing more.
    let body = json!({"data": [{"b64_json": "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAK"}], "usage": {"input_tokens": 9, "output_tokens": 600}});
    let (url, calls) = answering(body.to_string());
    world.set("OPENAI_BASE_URL", &url);
    world.set("OPENAI_API_KEY", "key");
    let made = world.json("images generate a-kite --model openai:gpt-image-2 --references off");
    assert_eq!(calls.load(Ordering::Relaxed), 1, "paid for once");
    let image = &made["images"][0];
    assert_eq!(
        (&image["state"], &image["kind"], &image["format"]),
        (&json!("broken"), &json!("broken"), &json!("png"))
    );
    assert!(image["cost_usd"].as_f64().unwrap() > 0.0, "{image}");
    let id = image["id"].as_str().unwrap();
    world.ok(&format!("images save {id} kept"));
    assert_eq!(std::fs::read(world.path("kept.png")).unwrap().len(), 24, "its bytes are kept as they came");
    let shown = world.ok(&format!("images show {id}")).stdout;
    assert!(shown.contains("broken"), "{shown}");
}

#[test]
fn a_bad_key_in_an_error_of_any_shape_ends_a_file_of_prompts_at_its_first_calls() {
    let mut world = World::new();
    let body = r#"{"error": "Unexpected endpoint or method. (POST /api/chat/completions)"}"#;
    let (url, calls) = answering(body.to_owned());
    world.set("OPENAI_BASE_URL", &url);
    let lines: String = (0..3).map(|n| format!("{{\"id\":\"{n}\",\"prompt\":\"why?\"}}\n")).collect();
    world.write("prompts.jsonl", lines);
    let run = world.run("run prompts.jsonl --out out.jsonl --model openai:mine --no-batch").expect_code(1);
    assert_eq!(calls.load(Ordering::Relaxed), 3, "once for each line: {run}");
    let out = std::fs::read_to_string(world.path("out.jsonl")).unwrap();
    assert!(out.contains("Unexpected endpoint") && out.contains(&url), "{out}");
}

#[test]
fn nothing_outside_the_mask_of_an_edit_changes_whoever_made_it() {
    let world = World::new();
    world.write("atelier.toml", "[images]\nmodel = \"sandbox\"\n");
    let before =
        image::RgbImage::from_fn(331, 517, |x, y| image::Rgb([(x % 251) as u8, (y % 241) as u8, (x * y % 239) as u8]));
    before.save(world.path("before.png")).unwrap();
    let inside = |x: u32, y: u32| (60..200).contains(&x) && (100..300).contains(&y);
    let mask = image::GrayImage::from_fn(331, 517, |x, y| image::Luma([if inside(x, y) { 255 } else { 0 }]));
    mask.save(world.path("mask.png")).unwrap();
    for model in ["sandbox", "sandbox:openai:gpt-image-2"] {
        let made =
            world.json(&format!("images edit before.png a-red-house --mask mask.png --model {model} --out {model}"));
        let id = made["images"][0]["id"].as_str().unwrap();
        let after = image::open(world.path(&format!("{model}/{id}.png"))).unwrap().into_rgb8();
        assert_eq!(after.dimensions(), before.dimensions(), "{model}");
        let outside = before.enumerate_pixels().filter(|(x, y, _)| !inside(*x, *y));
        assert_eq!(outside.filter(|(x, y, pixel)| after.get_pixel(*x, *y) != *pixel).count(), 0, "{model}");
        let within = before.enumerate_pixels().filter(|(x, y, _)| inside(*x, *y));
        assert!(within.filter(|(x, y, pixel)| after.get_pixel(*x, *y) != *pixel).count() > 10_000, "{model}");
        let shown = world.ok(&format!("images show {id}")).stdout;
        assert!(shown.contains("an edit of before.png") && shown.contains("inside the mask"), "{shown}");
        for file in [format!("{model}/{id}.png"), format!("{model}/{id}-beside.png")] {
            let bytes = std::fs::read(world.path(&file)).unwrap();
            assert!(String::from_utf8_lossy(&bytes).contains("Atelier Edited"), "{file}");
        }
    }
    let whole = world.json("images edit before.png a-red-house --mask mask.png --whole");
    assert!(whole["images"][0]["provenance"]["edit"]["within"].is_null(), "{whole}");
}

#[test]
fn an_image_is_saved_in_the_format_that_its_name_asks_for() {
    let world = World::new();
    let made = world.json("images generate a-kite --model sandbox --references off --seed 5");
    let id = made["images"][0]["id"].as_str().unwrap();
    for (name, begin) in [("kite.jpg", &b"\xff\xd8\xff"[..]), ("kite.webp", b"RIFF"), ("kite", b"\x89PNG")] {
        let saved = world.json(&format!("images save {id} {name}"));
        let bytes = std::fs::read(world.path(saved["file"].as_str().unwrap())).unwrap();
        assert!(bytes.starts_with(begin), "{name}");
        assert!(String::from_utf8_lossy(&bytes).contains("a-kite"), "{name}: its provenance is in it");
    }
    world.run(&format!("images save {id} kite.tiff")).expect_code(2).says(&["format-invalid"]);
}

#[test]
fn a_generation_is_forecast_and_shown_with_seeds_costs_and_references() {
    let world = World::with_pictures(&FEW);
    let flags = "--count 2 --seed 7 --model sandbox:gemini-3.1-flash-image";
    let preview = world.json(&format!("images preview a-boat {flags}"));
    let cost = preview["forecast"]["cost_usd"].as_f64().unwrap();
    assert!((0.13..0.2).contains(&cost) && preview["forecast"]["seconds"].is_number(), "{preview}");
    let dry = world.ok("images generate a-boat --dry-run --references off --model openai:gpt-image-2").stdout;
    assert!(dry.contains("cost: about $") && dry.contains("nothing was sent"), "no key is needed: {dry}");
    assert!(world.json("jobs list")["jobs"].as_array().unwrap().is_empty());
    let made = world.json(&format!("images generate a-boat {flags}"));
    let shown = world.ok(&format!("images show {}", made["generation"].as_str().unwrap())).stdout;
    for words in ["seed 7", "seed 8", "tone ", "if the model were real"] {
        assert!(shown.contains(words), "no {words:?} in {shown}");
    }
}

#[test]
fn a_price_is_known_from_a_table_of_litellms_or_said_and_never_nothing() {
    let world = World::new();
    world.write("prompts.jsonl", "{\"id\":\"1\",\"prompt\":\"why?\"}\n");
    let dry = |flags: &str| world.ok(&format!("run prompts.jsonl --out out.jsonl --dry-run {flags}")).stdout;
    assert!(dry("--model openai:nobodys").contains("cost: unknown"), "{}", dry("--model openai:nobodys"));
    assert!(dry("--model sandbox:nobodys").contains("cost: unknown"));
    assert!(dry("--model openai:gpt-5-mini").contains("cost: about $"));
    assert!(dry("--model openai:nobodys --price 0.25/2").contains("cost: about $"));
    let table = r#"{"openrouter/nobodys": {"litellm_provider": "openrouter", "mode": "chat",
        "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06, "cache_read_input_token_cost": 1e-07, "rpm": 60}}"#;
    world.write("prices.json", table);
    assert_eq!(world.json("prices import prices.json")["models"], 1);
    let shown = world.json("prices show openai:nobodys")["prices"][0].clone();
    assert_eq!((&shown["input"], &shown["cached_input"], &shown["output"]), (&json!(1.0), &json!(0.1), &json!(4.0)));
    assert!(dry("--model openai:nobodys").contains("cost: about $"));
    world.ok("prices forget");
    world.run("prices show openai:gpt-9").expect_code(3).says(&["price-unknown"]);
    for (model, meant) in [("sandbx", "sandbox"), ("gpt-5", "openai:gpt-5")] {
        let run = world.run(&format!("run prompts.jsonl --out out.jsonl --model {model}")).expect_code(2);
        drop(run.says(&[&format!("did you mean {meant}?")]));
    }
    world.run("run prompts.jsonl --out out.jsonl --model openai:nobodys --max-cost 1").expect_code(3);
    assert!(world.json("jobs list")["jobs"].as_array().unwrap().is_empty(), "what is refused leaves no job behind");
}

#[test]
fn an_export_comes_back_with_decisions_and_texts_and_is_not_emptied_by_the_next() {
    let world = World::with_posts(&texts(2));
    world.ok(&World::generate("--model sandbox"));
    let exported = world.json("replies export --out replies.csv");
    assert!(exported["drafts"].as_u64().unwrap() > 2);
    let before = std::fs::read(world.path("replies.csv")).unwrap();
    let again = world.json("replies export --out replies.csv");
    assert_eq!((&again["left"], std::fs::read(world.path("replies.csv")).unwrap()), (&json!(true), before));

    let mut reader = csv::Reader::from_path(world.path("replies.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let mut rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    rows[0][at("suggested_status")] = "approved".into();
    rows[0][at("suggested_response")] = "'=Said better by a person.".into();
    rows[0][at("alt_1_status")] = "rejected".into();
    rows[1][at("suggested_status")] = "maybe".into();
    rows[1][at("alt_1_id")] = "d9999".into();
    // As a spreadsheet in another country writes it.
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    let mut file = b"\xef\xbb\xbf".to_vec();
    file.extend(writer.into_inner().unwrap());
    world.write("back.csv", file);
    let run = world.run("replies import-review back.csv --json").expect_code(1);
    let report = run.json();
    assert_eq!(
        (&report["changed"], &report["edited"]),
        (&json!({"approved": 1, "rejected": 1}), &json!(1)),
        "{report}"
    );
    assert_eq!(report["problems"].as_array().unwrap().len(), 2);
    let said = run.says(&["line 3", "'maybe' is no status", "d9999"]);
    drop(said);
    let draft = world.json(&format!("replies show {}", rows[0][at("suggested_id")]));
    assert_eq!((&draft["status"], &draft["text"]), (&json!("approved"), &json!("=Said better by a person.")));
    let other = &rows[1][at("suggested_id")];
    world.ok(&format!("replies edit {other} Short."));
    // The column of ids sorted by itself; a text that was changed here since; one draft in two rows.
    let mut mixed = [rows[0].clone(), rows[1].clone(), rows[1].clone()];
    mixed[1][at("suggested_response")] = "Changed in the file, too.".into();
    mixed[1][at("suggested_status")] = "exported".into();
    mixed[0][at("suggested_id")] = other.clone();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    mixed.iter().for_each(|row| writer.write_record(row).unwrap());
    world.write("mixed.csv", writer.into_inner().unwrap());
    let run = world.run("replies import-review mixed.csv").expect_code(1);
    let run = run.says(&["line 2", "not of this draft", "line 3", "line 4", "in line 3 already"]);
    drop(run);
    assert_eq!(world.json(&format!("replies show {other}"))["text"], "Short.");
    assert_eq!(world.json(&format!("replies show {other}"))["text"], "Short.");
    let kinds = world.json("replies list --kind funny --limit 100")["drafts"].clone();
    let changed = world.json("replies review reject --kind funny --status exported")["changed"].clone();
    assert!(
        !changed.as_array().unwrap().is_empty() && kinds.as_array().unwrap().len() >= changed.as_array().unwrap().len()
    );
}

#[test]
fn a_post_like_one_that_waits_in_another_job_is_not_drafted_for_again() {
    let text = "The harbour crane hums all night long and nobody in the old town can sleep.";
    let world = World::with_posts(&[text.to_owned()]);
    let running = world.start(&World::generate("--model sandbox --sandbox-latency 60s"));
    until("a job has the post", || world.find_job());
    running.kill();
    let posts = std::fs::read_to_string(world.path("posts.csv")).unwrap().replace("p001", "p777");
    world.write("more.csv", posts);
    world.ok("posts import more.csv --project brand --strict");
    let run = world.ok(&World::generate("--model sandbox --dry-run"));
    drop(run.says(&["1 near-duplicate", "wait in job"]));
}

#[test]
fn what_was_deleted_comes_back_in_every_domain() {
    let world = World::with_posts(&texts(2));
    world.ok(&World::generate("--model sandbox"));
    let drafts = world.drafts();
    let latest = || world.json("trash")["trash"][0]["id"].as_str().unwrap().to_owned();
    world.ok("posts remove --project brand p001");
    world.ok(&format!("trash restore {}", latest()));
    assert_eq!(world.drafts(), drafts);
    // A post that came again and was drafted for meanwhile has one set of drafts.
    world.ok("posts remove --project brand p001");
    world.ok("posts import posts.csv --project brand --strict");
    world.ok(&World::generate("--model sandbox"));
    let again = world.drafts();
    assert_eq!(again.len(), drafts.len());
    world.run(&format!("trash restore {}", latest())).expect_code(2).says(&["not-restorable"]);
    assert_eq!(world.drafts(), again);
    let drafts = again;
    world.ok("projects remove brand");
    assert!(world.json("projects list")["projects"].as_array().is_none_or(Vec::is_empty));
    world.ok(&format!("trash restore {}", latest()));
    assert_eq!(world.drafts(), drafts);

    let made = world.json("images generate a-kite --model sandbox --references off");
    let id = made["images"][0]["id"].as_str().unwrap();
    world.ok(&format!("images delete {id}"));
    world.run(&format!("images save {id} kite.png")).expect_code(2);
    world.ok(&format!("trash restore {}", latest()));
    world.ok(&format!("images save {id} kite.png"));
    world.ok(&format!("images delete {id}"));
    world.run("trash empty").expect_code(2).says(&["not-confirmed", "--yes"]);
    assert!(world.json("trash empty --yes")["emptied"].as_u64().unwrap() >= 1);
    assert!(world.json("trash")["trash"].as_array().unwrap().is_empty());
    world.run("trash restore del-gone").expect_code(2).says(&["not-in-trash"]);
}
