//! The server as a process: a stranger's client, and kill -9 while it works.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::provider::Provider;
use crate::world::{Running, World, until};

/// A server that is up, and a token for it.
struct Served {
    running: Running,
    url: String,
    token: String,
}

fn serve(world: &World) -> Served {
    serve_with(world, "--no-samples")
}

fn serve_with(world: &World, flags: &str) -> Served {
    let port_file = world.path("url");
    let _ = std::fs::remove_file(&port_file);
    let running = world.start(&format!("serve --addr 127.0.0.1:0 {flags} --port-file {}", port_file.display()));
    let url = until("the server's address", || std::fs::read_to_string(&port_file).ok());
    let made = world.json("tokens add test --scope read --scope write --scope spend");
    Served { running, url, token: made["token"].as_str().unwrap().to_owned() }
}

impl Served {
    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.trim_start_matches("http://")).unwrap()
    }

    fn head(&self, method: &str, path: &str, length: usize, more: &str) -> String {
        let (host, token) = (self.url.trim_start_matches("http://"), &self.token);
        format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n{more}\r\n"
        )
    }

    /// Asks, and gives the answer as it came.
    fn raw(&self, method: &str, path: &str, more: &str, body: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(self.head(method, path, body.len(), more).as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// Asks, and gives the body of an answer that has to be a good one.
    fn ask(&self, method: &str, path: &str, more: &str, body: &[u8]) -> Value {
        let answer = self.raw(method, path, more, body);
        let (head, body) = parted(&answer);
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {head} {}", String::from_utf8_lossy(body));
        serde_json::from_slice(body).unwrap_or(Value::Null)
    }

    fn get(&self, path: &str) -> Value {
        self.ask("GET", path, "", b"")
    }

    fn submit(&self, key: &str, path: &str, body: &Value) -> Value {
        let more = format!("Content-Type: application/json\r\nIdempotency-Key: {key}\r\n");
        self.ask("POST", path, &more, body.to_string().as_bytes())
    }
}

/// An answer's head and its body.
fn parted(answer: &[u8]) -> (&str, &[u8]) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    (std::str::from_utf8(&answer[..end]).unwrap(), &answer[end + 4..])
}

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap()
}

#[test]
fn a_strangers_client_searches_previews_makes_waits_and_downloads() {
    let world = World::new();
    let library = repository("assets/library/lighthouse-at-dusk-from-below.jpg");
    world.ok(&format!("library import {} --tag lighthouse", library.display()));
    let served = serve(&world);
    let mut client = Command::new("python3");
    client.arg(repository("docs/examples/client.py")).args(["lighthouse", "pictures"]);
    let mut client = world.prepare(client);
    client.env("ATELIER_URL", &served.url).env("ATELIER_TOKEN", &served.token);
    let finished = world.spawn(client).wait().expect_code(0);
    assert!(finished.stdout.starts_with("2 images would cost $"), "{finished}");
    assert_eq!(finished.stdout.matches("made pictures/").count(), 2, "{finished}");
    assert_eq!(std::fs::read_dir(world.path("pictures")).unwrap().count(), 2);
}

#[test]
fn a_library_that_never_had_an_image_begins_with_the_samples() {
    let world = World::new();
    let served = serve_with(&world, "");
    let all = until("the samples", || {
        let samples = served.get("/library/samples");
        (samples["there"] == samples["samples"]).then(|| samples["samples"].clone())
    });
    assert_eq!(served.get("/search?q=ladybird&limit=1")["hits"][0]["id"], "red-ladybird");
    assert_eq!(served.ask("DELETE", "/library/samples", "", b"")["changed"], all);
    served.running.kill();
    // Whoever has taken them away does not get them again.
    let served = serve_with(&world, "");
    assert_eq!(served.get("/library/samples")["there"], 0);
}

#[test]
fn a_server_that_is_asked_to_end_says_so_and_ends_well() {
    let world = World::new();
    let served = serve(&world);
    assert!(served.get("/me")["user"]["id"] == "local");
    served.running.signal("TERM");
    served.running.wait().expect_code(0);
}

/// A picture of 20 MB, more than a connection holds on its way: noise, which no format makes small.
fn large_picture(world: &World) -> std::path::PathBuf {
    let mut random = fastrand::Rng::with_seed(7);
    let picture =
        image::RgbImage::from_fn(2600, 2600, |_, _| image::Rgb([random.u8(..), random.u8(..), random.u8(..)]));
    let path = world.path("large.png");
    picture.save(&path).unwrap();
    path
}

/// kill -9 while it takes an upload, gives a download, makes images and runs a file of prompts; started again it goes on by itself.
#[test]
fn whatever_a_server_was_doing_goes_on_after_kill_9() {
    let provider = Provider::start("--latency 40ms");
    let mut world = World::new();
    world.against(&provider);
    let large = std::fs::read(large_picture(&world)).unwrap();
    world.ok("library import large.png");
    let served = serve(&world);
    let original =
        format!("/library/images/{}/original", served.get("/library/images")["images"][0]["id"].as_str().unwrap());
    let lines: String = (0..300).map(|line| format!("{{\"prompt\": \"say {line}\"}}\n")).collect();
    let upload = served.ask("POST", "/prompts?name=p.jsonl", "", lines.as_bytes());
    let path = format!("/prompts/{}/run", upload["id"].as_str().unwrap());
    let prompts = served.submit("run", &path, &json!({ "model": "gemini:gemini-3.5-flash-lite" }));
    let prompts = prompts["job"].as_str().unwrap().to_owned();
    let sides = json!([{ "model": "gemini:gemini-3.1-flash-image", "references": "off" }]);
    let made = json!({ "request": { "prompt": "a lamp", "count": 8, "sides": sides } });
    let made = served.submit("make", "/generations", &made)["generation"].as_str().unwrap().to_owned();
    // An upload of which half has come: more than is held in memory.
    let mut half = served.connect();
    half.write_all(served.head("POST", "/library/images?name=half.png", 8 << 20, "").as_bytes()).unwrap();
    half.write_all(&vec![7; 4 << 20]).unwrap();
    // A download of which a part has come.
    let mut download = served.connect();
    download.write_all(served.head("GET", &original, 0, "").as_bytes()).unwrap();
    let mut first = vec![0; 1 << 20];
    download.read_exact(&mut first).unwrap();
    provider.until("calls", 40);
    served.running.kill();
    // It ends short of the length that was said, and goes on from there.
    let _ = download.read_to_end(&mut first);
    let (_, begun) = parted(&first);
    assert!(begun.len() < large.len() && large.starts_with(begun), "{} of {} bytes", begun.len(), large.len());
    let begun = begun.to_vec();
    until("the calls to end", || (provider.count("in_flight") == 0).then_some(()));

    let doubtful: BTreeSet<String> = [&prompts, &made]
        .iter()
        .flat_map(|job| world.show(job)["possibly_paid_twice"].as_array().unwrap().clone())
        .map(|key| key.to_string())
        .collect();
    let served = serve(&world);
    for (job, items) in [(&prompts, 300), (&made, 8)] {
        let done = until("the job's end", || {
            let shown = served.get(&format!("/jobs/{job}"));
            (shown["state"] == "done").then_some(shown)
        });
        assert_eq!((&done["done"], &done["failed"]), (&json!(items), &json!(0)));
    }
    let calls = provider.count("calls");
    assert!(calls <= 308 + doubtful.len() as u64, "{calls} calls, {} in doubt", doubtful.len());
    let rest = served.raw("GET", &original, &format!("Range: bytes={}-\r\n", begun.len()), b"");
    assert!([begun.as_slice(), parted(&rest).1].concat() == large, "the two parts are the picture");
    // The same requests once more are the same jobs.
    assert_eq!(
        served.submit("run", &path, &json!({ "model": "gemini:gemini-3.5-flash-lite" }))["job"],
        prompts.as_str()
    );
    assert_eq!(provider.count("calls"), calls);
    // Nothing of the half upload is left, and the whole one, sent twice, is one image.
    assert_eq!(served.get("/library/images")["total"], 1);
    let left = std::fs::read_dir(world.data().join("incoming")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "files that were on their way");
    let picture = std::fs::read(repository("assets/library/lighthouse-at-dusk-from-below.jpg")).unwrap();
    for _ in 0..2 {
        served.ask("POST", "/library/images?name=l.jpg", "", &picture);
    }
    assert_eq!(served.get("/library/images")["total"], 2);
}
