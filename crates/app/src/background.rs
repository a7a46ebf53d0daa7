//! Vectors that images lack, made by a process of its own while the user goes on: after a change of the embedder, and for
//! words that were edited while a provider embeds them.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::time::Duration;

use atelier_studio::library::MissingVectors;
use atelier_studio::search::ImageSearch;

use crate::app::App;

/// So many changes of the library are looked through for images that lack vectors.
pub const MOST: usize = 10_000;
/// A process that was started so short a while ago may still be on its way.
const STARTING: Duration = Duration::from_secs(20);
/// Once such a process has failed, nothing is tried for so long: it would fail again with every search.
const PAUSE: Duration = Duration::from_secs(15 * 60);

/// How vectors that are missing come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Background {
    /// Somebody makes them, as [`MissingVectors::by`] says.
    Underway,
    /// A process that makes them is starting.
    Starting,
    /// A process was started for them: its number.
    Started(u32),
    /// The last process ended before its end, for this reason.
    Failed(String),
    /// No process can be started, for this reason.
    Unstartable(String),
    /// The configuration says that nobody does.
    Off,
}

impl App {
    /// Has the vectors made that images of the library lack, by a process that `start` starts, given the file for what
    /// it has to say; how many are missing, and how they come about. Nothing if none is missing and the last such
    /// process did well. Nothing of this makes a search fail.
    pub async fn embed_in_background(
        &self,
        search: &ImageSearch,
        start: impl FnOnce(File) -> std::io::Result<u32>,
    ) -> Option<(MissingVectors, Background)> {
        let missing = match search.library().missing_vectors(search.embedders(), MOST).await {
            Ok(missing) => missing,
            Err(error) => {
                tracing::debug!(code = error.code(), "it is not known which vectors are missing: {error}");
                return None;
            }
        };
        let how = match (missing.images, &missing.by) {
            (0, None) => match self.last_embedding() {
                Last::Failed(reason) => Background::Failed(reason),
                Last::Starting | Last::None => return None,
            },
            (0, Some(_)) => return None,
            (_, Some(_)) => Background::Underway,
            (_, None) if !self.config().search.background.unwrap_or(true) => Background::Off,
            (_, None) => match self.last_embedding() {
                Last::Starting => Background::Starting,
                Last::Failed(reason) => Background::Failed(reason),
                // Not emptied: whoever gets the right to make vectors does that.
                Last::None => OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(self.embedding_log())
                    .and_then(start)
                    .map_or_else(|error| Background::Unstartable(error.to_string()), Background::Started),
            },
        };
        Some((missing, how))
    }

    /// Where such a process says what went wrong. It is there from the start of one to its good end.
    fn embedding_log(&self) -> PathBuf {
        self.data_dir().join("embedding.log")
    }

    fn last_embedding(&self) -> Last {
        let path = self.embedding_log();
        let Ok(written) = path.metadata().and_then(|about| about.modified()) else { return Last::None };
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let reason = text.lines().find_map(|line| line.strip_prefix("error: "));
        match (reason, written.elapsed().unwrap_or_default()) {
            (_, age) if age > PAUSE => Last::None,
            (Some(reason), _) => Last::Failed(reason.chars().take(200).collect()),
            (None, age) if age < STARTING && text.is_empty() => Last::Starting,
            (None, _) => Last::Failed("it died without a word".to_owned()),
        }
    }

    /// Such a process begins its work: what one before it had to say is of no interest any more.
    pub fn background_began(&self) {
        self.note_background("making vectors\n", true);
    }

    /// It ended, and not all vectors are made.
    pub fn background_ended(&self, reason: &str) {
        self.note_background(&format!("error: {reason}\n"), false);
    }

    /// All vectors are made.
    pub fn background_succeeded(&self) {
        let path = self.embedding_log();
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::debug!("{} can't be removed: {error}", path.display());
        }
    }

    fn note_background(&self, line: &str, anew: bool) {
        let path = self.embedding_log();
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
