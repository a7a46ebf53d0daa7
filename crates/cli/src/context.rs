//! What every command starts from: the application, and where results go.

use std::sync::Arc;

use atelier_app::{App, AppResult, Start};
use atelier_engine::Clock;

use crate::args::Global;
use crate::out::Out;

/// The surroundings of a command.
pub(crate) struct Context {
    pub(crate) app: App,
    pub(crate) out: Out,
}

impl Context {
    pub(crate) fn new(global: &Global, out: Out) -> AppResult<Self> {
        let start = Start {
            config: global.config.clone(),
            data_dir: global.data_dir.clone(),
            environment: Arc::new(|name| std::env::var(name).ok()),
            clock: Clock::system(),
        };
        Ok(Self { app: App::start(start)?, out })
    }
}
