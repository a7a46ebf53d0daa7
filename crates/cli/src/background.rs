//! Vectors that images lack, made by a process of its own while the user goes on: after a change of the embedder,
//! and for words that were edited while a provider embeds them.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use atelier_store::Holder;
use atelier_studio::library::{Embedders, Lacking, Library};

use crate::context::Context;
use crate::money::count;
use crate::out::excerpt;

/// So many changes of the library are looked through for images that lack vectors.
const MOST: usize = 10_000;
/// A process that was started so short a while ago may still be on its way.
const STARTING: Duration = Duration::from_secs(20);
/// Once such a process has failed, nothing is tried for so long: it would fail again with every search.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// How much others go before this process: the least that the system knows is 19.
const NICENESS: i32 = 10;

/// Has the vectors made that images of the library lack, and says so. Nothing of this is the search's own, so
/// nothing of this makes it fail.
pub(crate) async fn embed(context: &Context, library: &Library, embedders: &Embedders) {
    let lacking = match library.lacking(embedders, MOST).await {
        Ok(lacking) if lacking.images > 0 => lacking,
        Ok(lacking) => {
            if let (None, Last::Failed(reason)) = (lacking.by, Last::of(context)) {
                context.out.note(format!("vectors in the background: {reason}; 'atelier library embed' tries again"));
            }
            return;
        }
        Err(error) => {
            return tracing::debug!(code = error.code(), "it is not known which vectors are missing: {error}");
        }
    };
    let how = match (lacking.by.clone(), context.config.search.background.unwrap_or(true)) {
        (Some(by), _) => format!("{} is making them", process(Some(by))),
        (None, false) => "'atelier library embed' makes them".to_owned(),
        (None, true) => match Last::of(context) {
            Last::Starting => "a process that makes them is starting".to_owned(),
            Last::Failed(reason) => {
                format!("making them in the background ended: {reason}; 'atelier library embed' goes on")
            }
            Last::None => match start(context) {
                Ok(process) => format!("they are being made in the background, by process {process}"),
                Err(error) => {
                    format!("no process can be started for them: {error}; 'atelier library embed' makes them")
                }
            },
        },
    };
    context.out.note(format!("{}: {how}", described(&lacking)));
}

/// `process 42`.
pub(crate) fn process(by: Option<Holder>) -> String {
    by.map_or_else(|| "another process".to_owned(), |by| format!("process {}", by.pid))
}

/// `170 images have no vectors of clip-x/1 yet`.
fn described(lacking: &Lacking) -> String {
    let most = MOST as u64;
    let images = match lacking.images {
        1 => return format!("1 image has no vector of {} yet", lacking.embedders.join(" and ")),
        images if images >= most => format!("{} and more", count(most, "image")),
        images => count(images, "image"),
    };
    format!("{images} have no vectors of {} yet", lacking.embedders.join(" and "))
}

/// Where such a process says what went wrong. It is there from the start of one to its good end.
fn log(context: &Context) -> PathBuf {
    context.data_dir().join("embedding.log")
}

/// What is known of the last such process, where none is at work.
enum Last {
    /// It came to its end, or failed long ago.
    None,
    /// It was started just now.
    Starting,
    /// It ended before its end, for this reason.
    Failed(String),
}

impl Last {
    fn of(context: &Context) -> Self {
        let path = log(context);
        let Ok(written) = path.metadata().and_then(|about| about.modified()) else { return Self::None };
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let reason = text.lines().find_map(|line| line.strip_prefix("error: "));
        match (reason, written.elapsed().unwrap_or_default()) {
            (_, age) if age > PAUSE => Self::None,
            (Some(reason), _) => Self::Failed(excerpt(reason, 200)),
            (None, age) if age < STARTING && text.is_empty() => Self::Starting,
            (None, _) => Self::Failed("it died without a word".to_owned()),
        }
    }
}

/// Starts the process; its number. It outlives this one, and an interrupt at the terminal does not reach it.
fn start(context: &Context) -> std::io::Result<u32> {
    // Not emptied: whoever gets the right to make vectors does that.
    let log = OpenOptions::new().create(true).append(true).open(log(context))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["library", "embed", "--background"]).arg("--data-dir").arg(context.data_dir());
    if let Some(config) = context.config_file() {
        command.arg("--config").arg(config);
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0).spawn()?;
    Ok(child.id())
}

/// Lets all other processes go first. Threads that are started later are as polite.
pub(crate) fn yield_to_others() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!("this process has the priority of any other: {error}");
    }
}

/// Such a process begins its work: what one before it had to say is of no interest any more.
pub(crate) fn began(context: &Context) {
    say(context, "making vectors\n", true);
}

/// It ended, and not all vectors are made.
pub(crate) fn ended(context: &Context, reason: &str) {
    say(context, &format!("error: {reason}\n"), false);
}

/// All vectors are made.
pub(crate) fn succeeded(context: &Context) {
    let path = log(context);
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::debug!("{} can't be removed: {error}", path.display());
    }
}

fn say(context: &Context, line: &str, anew: bool) {
    let path = log(context);
    // It is where this process's own errors go: they stand behind one another.
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let written = opened.and_then(|mut file| {
        if anew {
            file.set_len(0)?;
        }
        file.write_all(line.as_bytes())
    });
    if let Err(error) = written {
        tracing::debug!("{} can't be written: {error}", path.display());
    }
}
