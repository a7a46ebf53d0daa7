//! What every command starts from: configuration, data directory, clock.

use std::path::{Path, PathBuf};

use atelier_engine::Clock;
use atelier_store::Store;

use crate::args::Global;
use crate::config::{Config, xdg};
use crate::error::{CliError, CliResult};
use crate::out::Out;

/// The surroundings of a command.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) out: Out,
    data_dir: PathBuf,
    config_file: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new(global: &Global, out: Out) -> CliResult<Self> {
        let config = Config::load(global.config.as_deref())?;
        let data_dir = global
            .data_dir
            .clone()
            .or_else(|| config.data_dir.clone())
            .or_else(|| xdg("XDG_DATA_HOME", ".local/share").map(|dir| dir.join("atelier")))
            .ok_or_else(|| {
                CliError::configuration("no-data-dir", "there is no home directory to keep the data in")
                    .hint("give --data-dir or set ATELIER_DATA_DIR")
            })?;
        Ok(Self { config, clock: Clock::system(), out, data_dir, config_file: global.config.clone() })
    }

    /// The file that was named as the configuration, if one was.
    pub(crate) fn config_file(&self) -> Option<&Path> {
        self.config_file.as_deref()
    }

    /// Where everything is kept.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Opens the store, which is made if it is not there.
    pub(crate) fn store(&self) -> CliResult<Store> {
        Ok(Store::open(&self.data_dir)?)
    }
}

/// Reads a variable of the environment.
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
