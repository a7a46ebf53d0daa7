//! Many jobs at once in one process, for the benchmark: what a server does, without a server.
//!
//! Prints when each job was submitted, began and ended, in seconds since the Unix epoch, as one line of JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use atelier_app::job::WorkEvent;
use atelier_app::{App, Intent, Pools, PromptDefaults, RunChange, RunSettings, Start};
use atelier_engine::{Amounts, Clock, EntryId, JobId, Known, Limit, PoolId, Reservation, Runner, Stop, Urgency};
use serde_json::{Value, json};

const MODEL: &str = "gemini:gemini-2.5-flash";
/// Old rows are written so many at a time.
const ROWS: usize = 20_000;

/// What the command line says.
struct Arguments {
    data: PathBuf,
    url: String,
    limits: Vec<Limit>,
    jobs: usize,
    prompts: usize,
    ledger: usize,
    clicks: usize,
}

impl Arguments {
    fn read() -> Self {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let of = |flag: &str| {
            let pairs = given.chunks(2).filter(|pair| pair[0] == flag);
            pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
        };
        let number = |flag: &str| of(flag).pop().map_or(0, |text| text.parse().unwrap());
        Self {
            data: of("--data").pop().expect("--data DIR").into(),
            url: of("--url").pop().expect("--url URL"),
            limits: of("--limit").iter().map(|limit| limit.parse().unwrap()).collect(),
            jobs: number("--jobs"),
            prompts: number("--prompts"),
            ledger: number("--ledger"),
            clicks: number("--clicks"),
        }
    }
}

#[tokio::main]
async fn main() {
    let arguments = Arc::new(Arguments::read());
    std::fs::create_dir_all(&arguments.data).unwrap();
    let url = arguments.url.clone();
    let app = App::start(Start {
        config: None,
        data_dir: Some(arguments.data.join("data")),
        environment: Arc::new(move |name| match name {
            "GOOGLE_GEMINI_BASE_URL" => Some(url.clone()),
            "GEMINI_API_KEY" => Some("sandbox".to_owned()),
            _ => None,
        }),
        clock: Clock::system(),
    })
    .unwrap();
    fill_ledger(&app, &arguments).await;
    let jobs = (0..arguments.jobs).map(|number| {
        let (app, arguments) = (app.clone(), Arc::clone(&arguments));
        tokio::spawn(async move {
            let name = format!("job-{number}");
            let ids: Vec<String> = (0..arguments.prompts).map(|prompt| format!("{name}-{prompt:07}")).collect();
            answer(&app, &arguments, &name, &ids, false).await
        })
    });
    let jobs: Vec<_> = jobs.collect();
    let mut clicks = Vec::new();
    for number in 0..arguments.clicks {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let name = format!("click-{number:07}");
        clicks.push(answer(&app, &arguments, &name, std::slice::from_ref(&name), true).await);
    }
    let mut ended = Vec::new();
    for job in jobs {
        ended.push(job.await.unwrap());
    }
    println!("{}", json!({ "jobs": ended, "clicks": clicks }));
}

/// Submits a file of prompts and works on it.
async fn answer(app: &App, arguments: &Arguments, name: &str, ids: &[String], interactive: bool) -> Value {
    let file = arguments.data.join(format!("{name}.jsonl"));
    let line =
        |id: &String| format!("{}\n", json!({ "id": id, "prompt": format!("Item {id}: what is to be said of it?") }));
    std::fs::write(&file, ids.iter().map(line).collect::<String>()).unwrap();
    let model = Some(MODEL.to_owned());
    // Beside clicks, the jobs must not have used the whole limit up before the first of them.
    let concurrency = (arguments.clicks > 0 && !interactive).then_some(32);
    let limits = arguments.limits.clone();
    let change = RunChange { model, limits, interactive, concurrency, ..RunChange::default() };
    let submitted = now();
    let read = app.read_prompts(&file, &change, PromptDefaults::default(), Intent::Send).await.unwrap();
    let job = app.submit_prompts(read, &out(&file), false).await.unwrap().job;
    let worked = app.work(&job, &RunChange::default(), Stop::never(), &mut |_: WorkEvent<'_>| {}).await.unwrap();
    json!({ "id": name, "name": name, "submitted": submitted, "started": submitted, "ended": now(), "done": worked.job.counts.done })
}

fn out(file: &Path) -> PathBuf {
    file.with_extension("out.jsonl")
}

fn now() -> f64 {
    Clock::system().now().as_micros() as f64 / 1e6
}

/// Writes rows of yesterday into the ledger of the pool.
async fn fill_ledger(app: &App, arguments: &Arguments) {
    let journal = app.store().unwrap().journal();
    let run = RunSettings { limits: arguments.limits.clone(), ..RunSettings::of(MODEL) };
    let pool: PoolId = Arc::clone(&Pools::open(app, &run).await.unwrap().cold()[0].id);
    let by = Runner { id: "yesterday".into(), urgency: Urgency::Batch, lease: None };
    let job: JobId = "yesterday".into();
    let yesterday = Clock::system().now().before(Duration::from_secs(20 * 3600));
    for first in (0..arguments.ledger).step_by(ROWS) {
        let rows = (first..(first + ROWS).min(arguments.ledger)).map(|row| {
            let at = yesterday.after(Duration::from_millis(row as u64 * 10));
            Reservation {
                job: Arc::clone(&job),
                pool: Arc::clone(&pool),
                scope: None,
                lane: "yesterday".into(),
                calls: 1,
                items: Vec::new(),
                amounts: Amounts { requests: 1, ..Amounts::default() },
                at,
                leave_by: at,
            }
        });
        let known = Known { reader: "yesterday".into(), seen: EntryId(i64::MAX) };
        journal.reserve(&by, rows.collect(), known).await.unwrap();
    }
}
