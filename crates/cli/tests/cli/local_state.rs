//! Exit code 4: the disk and the database.

use std::process::Command;

use rusqlite::Connection;

use crate::provider::Provider;
use crate::world::{NOW, World, texts, until};

const GEMINI: &str = "--model gemini:gemini-2.5-flash";

fn lock(world: &World) -> Connection {
    let connection = Connection::open(world.data().join("atelier.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    connection
}

/// Whether a process has a file of this name open.
fn has_open(pid: u32, name: &str) -> bool {
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let mut files = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    files.any(|file| file.ends_with(name))
}

#[test]
fn a_database_that_another_program_has_locked_is_told_and_nothing_is_lost() {
    let world = World::with_posts(&texts(3));
    let lock = lock(&world);
    let runs = [
        world.start("projects remove brand"),
        world.start("posts remove --project brand --all"),
        world.start(&World::generate("--model sandbox")),
    ];
    for run in runs {
        run.wait().expect_code(4).says(&["database-locked", "atelier.db", "wait for the other program"]);
    }
    drop(lock);
    world.ok(&World::generate("--model sandbox"));
    world.assert_drafted(3);
}

#[test]
fn a_lock_that_is_freed_in_time_is_waited_for() {
    let world = World::with_posts(&texts(2));
    let lock = lock(&world);
    let run = world.start("posts remove --project brand p001");
    until("the database to be opened", || has_open(run.pid(), "atelier.db-wal").then_some(()));
    drop(lock);
    run.wait().expect_code(0);
}

#[test]
fn a_full_disk_stops_the_job_and_once_there_is_room_it_goes_on() {
    let posts = 40;
    let provider = Provider::start("--latency 10ms");
    let mut world = World::with_posts(&texts(posts));
    world.against(&provider);
    // Scores and vectors are there beforehand, so that the limit is met by the job.
    world.ok(&format!("replies generate --project brand --now {NOW} --model sandbox")).says(&["red posts"]);
    assert!(world.find_job().is_none());
    let size = std::fs::metadata(world.data().join("atelier.db")).unwrap().len();
    let mut command = world.prepare(Command::new("sh"));
    // In blocks of 512 bytes, as POSIX has it.
    let limit = (size + 96 * 1024) / 512;
    let program = env!("CARGO_BIN_EXE_atelier");
    let generate = World::generate(&format!("{GEMINI} --pack off --concurrency 2"));
    command.args(["-c", &format!("ulimit -f {limit}; exec {program} {generate}")]);
    let finished = world.spawn(command).wait().expect_code(4);
    let finished = finished.says(&["disk-full", "make room on that disk", "jobs resume"]);
    assert!(finished.stderr.lines().count() < 100, "one full disk is not news a hundred times: {finished}");

    let job = world.job();
    let shown = world.show(&job);
    let doubtful = shown["possibly_paid_twice"].as_array().unwrap().len() as u64;
    assert!(shown["pending"].as_u64().unwrap() > 0, "{shown}");
    world.ok(&format!("jobs resume {job}"));
    world.assert_drafted(posts);
    assert!(provider.count("items_answered_more_than_once") <= doubtful, "{}\n{shown}", provider.stats());
}

#[test]
fn an_import_that_the_disk_has_no_room_for_imports_nothing() {
    let world = World::new();
    world.add_project("brand");
    let size = std::fs::metadata(world.data().join("atelier.db")).unwrap().len();
    let texts: Vec<String> = texts(100).iter().map(|text| text.repeat(200)).collect();
    let mut csv = String::from("id,text,author,followers,posted_at,likes\n");
    for (place, text) in texts.iter().enumerate() {
        csv.push_str(&format!("p{place},{text},someone,5000,2026-11-20T11:00:00Z,4\n"));
    }
    let file = world.write("posts.csv", csv);
    let mut command = world.prepare(Command::new("sh"));
    let import = format!("posts import {} --project brand", file.display());
    let program = env!("CARGO_BIN_EXE_atelier");
    command.args(["-c", &format!("ulimit -f {}; exec {program} {import}", (size + 64 * 1024) / 512)]);
    world.spawn(command).wait().expect_code(4).says(&["disk-full"]);
    assert_eq!(world.json("posts list --project brand")["posts"], serde_json::json!([]));
    assert_eq!(world.json(&import)["imported"], 100);
}

#[test]
fn a_data_directory_that_can_not_be_made_is_told() {
    let world = World::new();
    world.write("file", "no directory");
    world.run("projects list --data-dir file/data").expect_code(4).says(&["file/data", "--data-dir"]);
}

#[test]
fn an_export_that_can_not_be_written_marks_nothing_as_exported() {
    let world = World::with_posts(&texts(1));
    world.ok(&World::generate("--model sandbox"));
    world.run("replies export --out missing/replies.csv").expect_code(4).says(&["missing", "hint: "]);
    assert_eq!(world.json("replies export")["rows"], 1);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    World::new().run(&format!("sandbox --addr {address}")).expect_code(4).says(&[&address.to_string(), "hint: "]);
}
