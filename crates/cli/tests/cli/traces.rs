//! Traces for a collector that the environment names.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::world::World;

/// A collector's address, and what it is sent: each request's first line and its body.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(taken(&mut stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (url, received)
}

fn taken(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).unwrap();
        request.extend_from_slice(&part[..read]);
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(request[..end].to_vec()).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let body = &request[end + 4..];
        if body.len() == length.unwrap().parse::<usize>().unwrap() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            return (head.lines().next().unwrap().to_owned(), body.to_vec());
        }
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn each_call_is_a_span_for_the_collector_and_no_prompt_is_in_it() {
    let (url, received) = collector();
    let mut world = World::new();
    world.set("OTEL_EXPORTER_OTLP_ENDPOINT", &url);
    world.write("in.jsonl", "{\"prompt\": \"whisper a secret\"}\n");
    world.ok("run in.jsonl --out out.jsonl --model sandbox:gemini-2.5-flash");
    let (line, body) = received.recv().unwrap();
    assert_eq!(line, "post /v1/traces http/1.1");
    let named = ["atelier", "sandbox:gemini-2.5-flash", "gen_ai.usage.output_tokens", "atelier.job"];
    assert_eq!(named.map(|text| holds(&body, text)), [true; 4], "{}", String::from_utf8_lossy(&body));
    assert!(!holds(&body, "whisper"));
}

#[test]
fn a_collector_that_is_away_or_speaks_another_protocol_holds_nothing_up_and_that_is_said() {
    let mut world = World::new();
    world.write("in.jsonl", "{\"prompt\": \"say it\"}\n");
    let run = "run in.jsonl --out out.jsonl --model sandbox:gemini-2.5-flash";
    world.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    world.ok(run).says(&["traces can't be sent"]);
    world.set("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    world.ok(run).says(&["no traces are sent", "asks for grpc, and only http/protobuf is spoken here"]);
    world.set("OTEL_SDK_DISABLED", "true");
    let quiet = world.ok(run);
    assert!(!quiet.stderr.contains("traces"), "{quiet}");
}
