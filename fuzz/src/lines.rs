//! A file of prompts as `atelier run` reads it: its lines, the requests they make, and the answers of several
//! lines at once.
//!
//! The command is a program and no library, so its modules are taken in by their paths.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use atelier_engine::{Content, Ending, Item, Reply, Request, Task, Usage, Verdict};
use serde_json::Value;

use input::Line;

const MODEL: &str = "test-model";

#[path = "../../crates/cli/src/commands/run/input.rs"]
#[allow(dead_code, unreachable_pub)]
mod input;
#[path = "../../crates/cli/src/commands/run/task.rs"]
#[allow(dead_code, unreachable_pub)]
mod task;

/// A file in memory where there is such a place: it is written anew for each input.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("atelier-fuzz-{}", std::process::id()))
});

/// A file: `csv` on the first line makes it CSV, `answer` an answer to two lines; anything else is JSON Lines.
pub fn check(input: &[u8]) {
    if let Some(csv) = input.strip_prefix(b"csv\n") {
        check_file(csv, "csv");
    } else if let Some(answer) = input.strip_prefix(b"answer\n") {
        check_answer(&String::from_utf8_lossy(answer));
    } else {
        check_file(input, "jsonl");
    }
}

fn check_file(content: &[u8], extension: &str) {
    let path = FILE.with_extension(extension);
    std::fs::write(&path, content).expect("a file");
    let survey = input::survey(&path);
    let mut lines = Vec::new();
    let read = input::each_line(&path, |number, form, line| {
        lines.push((number, form, line));
        Ok(())
    });
    std::fs::remove_file(&path).expect("the file");
    // Numbers are those of the file's lines, and a row of CSV may take several.
    assert!(lines.iter().map(|(number, ..)| number).is_sorted());
    let survey = match survey {
        Ok(survey) => survey,
        Err(error) => return assert!(error.message.contains("line ") || error.message.contains("no lines")),
    };
    read.expect("what was surveyed can be read");
    assert_eq!(lines.len() as u64, survey.lines);
    let mut ids = HashSet::new();
    for (_, form, line) in &lines {
        assert_eq!(*form, survey.form);
        assert!(ids.insert(&line.id), "two lines are known by {}", line.id);
    }
    let written: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    let requests = requests(lines.iter().map(|(.., line)| line));
    for ((number, ..), request) in lines.iter().zip(requests) {
        if extension == "jsonl" {
            let line = written.get(usize::try_from(number - 1).expect("a place")).expect("a line");
            check_request(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line), &request);
        }
    }
}

/// The requests of the lines, which go through the job's store as JSON.
fn requests<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<Request> {
    let tasks = task::Prompts { model: MODEL.into(), pack_limit: 8 };
    let keep = |(seq, line): (u64, &Line)| {
        let payload = serde_json::to_string(line).expect("JSON");
        assert_eq!(serde_json::from_str::<Line>(&payload).ok().as_ref(), Some(line), "it is read as another line");
        Item { seq, lane: "run".into(), payload: payload.into() }
    };
    let items: Vec<Item> = (0..).zip(lines).map(keep).collect();
    for pack in items.chunks(3).filter(|pack| pack.len() > 1) {
        let _ = tasks.compose(pack).map(|request| request.demand());
    }
    items.iter().map(|item| tasks.compose(std::slice::from_ref(item)).expect("a request")).collect()
}

/// What a line asks is what was written.
fn check_request(line: &[u8], request: &Request) {
    let written: Value = serde_json::from_slice(line).expect("JSON");
    match request {
        Request::Text(request) => {
            assert_eq!(written.get("prompt").and_then(Value::as_str), Some(&*request.prompt));
            assert_eq!(written.get("system").and_then(Value::as_str), request.system.as_deref());
            assert_eq!(written.get("max_output_tokens").and_then(Value::as_u64), request.max_output_tokens);
        }
        Request::Raw(request) => {
            let mut body = written.get("body").or(written.get("request")).expect("a body").clone();
            if let Some(model) = body.get_mut("model") {
                *model = MODEL.into();
            }
            assert_eq!(request.body, body);
        }
        Request::Embedding(_) => panic!("a line asks for no vectors"),
    }
}

/// An answer to two lines that shared a call.
fn check_answer(answer: &str) {
    let tasks = task::Prompts { model: MODEL.into(), pack_limit: 8 };
    let payload = |id: &str| format!(r#"{{"id":"{id}","prompt":{{"prompt":"why?"}}}}"#).into();
    let items: Vec<Item> =
        (0..).zip(["a", "b"]).map(|(seq, id)| Item { seq, lane: "run".into(), payload: payload(id) }).collect();
    let usage = Usage { input_tokens: Some(10), output_tokens: Some(21), images: None };
    let content = Content::Text(answer.to_owned());
    let reply = Reply { content, ending: Ending::Complete, usage, limits: Vec::new() };
    let outcomes = tasks.parse(&reply, &items);
    assert!(outcomes.iter().map(|outcome| outcome.seq).is_sorted_by(|a, b| a < b), "{outcomes:?}");
    let mut shared = Usage { input_tokens: Some(0), output_tokens: Some(0), images: None };
    for outcome in outcomes {
        let Verdict::Done { result } = outcome.verdict else { panic!("an answer fails no item: {outcome:?}") };
        let answer: task::Answer = serde_json::from_str(&result).expect("an answer");
        assert_eq!(answer.id, ["a", "b"][usize::try_from(outcome.seq).expect("a place")]);
        shared.input_tokens = shared.input_tokens.zip(answer.usage.input_tokens).map(|(sum, share)| sum + share);
        shared.output_tokens = shared.output_tokens.zip(answer.usage.output_tokens).map(|(sum, share)| sum + share);
    }
    assert!(shared.input_tokens <= usage.input_tokens && shared.output_tokens <= usage.output_tokens);
}
