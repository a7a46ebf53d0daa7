//! How a job was asked to run, kept with it: a job is resumed with what it was submitted with.

use atelier_engine::{Limit, Options, Urgency, Usd};
use serde::{Deserialize, Serialize};

use crate::args::{Pack, RunFlags, SandboxFlags};

/// The settings of a run that a job keeps. No key is among them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunSnapshot {
    pub(crate) model: String,
    pub(crate) limits: Vec<Limit>,
    pub(crate) concurrency: Option<u64>,
    pub(crate) pack: Pack,
    pub(crate) max_cost: Option<Usd>,
    pub(crate) wait: bool,
    #[serde(default)]
    pub(crate) interactive: bool,
    pub(crate) sandbox: SandboxFlags,
}

impl RunSnapshot {
    pub(crate) fn new(model: String, flags: &RunFlags) -> Self {
        Self {
            model,
            limits: flags.limits(),
            concurrency: flags.at_once(),
            pack: flags.pack,
            max_cost: flags.max_cost,
            wait: flags.wait,
            interactive: flags.interactive,
            sandbox: flags.sandbox.clone(),
        }
    }

    /// A run of this model as the configuration has it.
    pub(crate) fn of(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            limits: Vec::new(),
            concurrency: None,
            pack: Pack::Auto,
            max_cost: None,
            wait: false,
            interactive: false,
            sandbox: SandboxFlags::default(),
        }
    }

    /// What the engine is told.
    pub(crate) fn options(&self, seed: u64) -> Options {
        Options {
            packing: self.pack.into(),
            concurrency: self.concurrency,
            max_cost: self.max_cost,
            wait: self.wait,
            seed,
            urgency: if self.interactive { Urgency::Interactive } else { Urgency::Batch },
            ..Options::default()
        }
    }
}
