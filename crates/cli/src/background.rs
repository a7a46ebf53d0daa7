//! Vectors that images lack, made by a process of its own while the user goes on: after a change of the embedder,
//! and for words that were edited while a provider embeds them.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use atelier_studio::library::{Embedders, Lacking, Library};

use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::money::count;
use crate::out::excerpt;

/// Images that lack vectors are counted up to here.
const MOST: usize = 10_000;
/// After a failure, nothing is tried for so long: it would fail again with every search.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// How much others go before this process: the least that the system knows is 19.
const NICENESS: i32 = 10;

/// Has the vectors made that images of the library lack, and says so. Nothing of this is the search's own, so
/// nothing of this makes it fail.
pub(crate) async fn embed(context: &Context, library: &Library, embedders: &Embedders) {
    let lacking = match library.lacking(embedders, MOST + 1).await {
        Ok(lacking) if lacking.images > 0 => lacking,
        Ok(_) => return,
        Err(error) => {
            return tracing::debug!(code = error.code(), "it is not known which vectors are missing: {error}");
        }
    };
    let how = match (&lacking.by, context.config.search.background.unwrap_or(true)) {
        (Some(by), _) => format!("process {} is at it", by.pid),
        (None, false) => "'atelier library embed' makes them".to_owned(),
        (None, true) => match failure(context) {
            Some(reason) => format!("making them failed ({reason}); 'atelier library embed' tries again"),
            None => match start(context) {
                Ok(process) => format!("they are being made in the background, by process {process}"),
                Err(error) => format!("{}; 'atelier library embed' makes them", error.message),
            },
        },
    };
    context.out.note(format!("{}: {how}", described(&lacking)));
}

/// `170 images have no vectors of clip-x/1 yet`.
fn described(lacking: &Lacking) -> String {
    let images = match lacking.images {
        most if most > MOST => format!("more than {}", count(MOST as u64, "image")),
        1 => return format!("1 image has no vector of {} yet", lacking.embedders.join(" and ")),
        images => count(images as u64, "image"),
    };
    format!("{images} have no vectors of {} yet", lacking.embedders.join(" and "))
}

/// Where such a process says what went wrong.
fn log(context: &Context) -> PathBuf {
    context.data_dir().join("embedding.log")
}

/// What went wrong, if the last try failed a short while ago.
fn failure(context: &Context) -> Option<String> {
    let path = log(context);
    let age = path.metadata().and_then(|about| about.modified()).ok()?.elapsed().unwrap_or_default();
    let text = std::fs::read_to_string(&path).ok().filter(|_| age < PAUSE)?;
    let error = text.lines().find_map(|line| line.strip_prefix("error: "))?;
    Some(excerpt(error, 200))
}

/// Starts the process; its number. It outlives this one, and an interrupt at the terminal does not reach it.
fn start(context: &Context) -> CliResult<u32> {
    let failed =
        |error: std::io::Error| CliError::local("background", format!("they can't be made in the background: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let log = File::create(log(context)).map_err(failed)?;
    let mut command = Command::new(program);
    command.args(["library", "embed", "--background"]).arg("--data-dir").arg(context.data_dir());
    if let Some(config) = context.config_file() {
        command.arg("--config").arg(config);
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0).spawn();
    Ok(child.map_err(failed)?.id())
}

/// Lets all other processes go first.
pub(crate) fn yield_to_others() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!("this process has the priority of any other: {error}");
    }
}

/// Forgets what such a process had to say: it came to its end.
pub(crate) fn succeeded(context: &Context) -> CliResult<()> {
    let path = log(context);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(CliError::local("background", format!("{} can't be removed: {error}", path.display())))
        }
        _ => Ok(()),
    }
}
