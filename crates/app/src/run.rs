//! How a job is run, kept with it: it resumes with what it was submitted with.

use std::time::Duration;

use atelier_engine::{Limit, Options, Packing, Urgency, Usd};
use atelier_providers::PriceOverride;
use serde::{Deserialize, Serialize};

/// The settings of a run that a job keeps. No key is among them. What was added later has a default, so that jobs of
/// earlier versions go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSettings {
    /// The model, as the user calls it; of a job with several models the first.
    pub model: String,
    /// Limits beside those of the configuration.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// The most calls at once; as many as the limits keep busy if unset.
    #[serde(default)]
    pub concurrency: Option<u64>,
    /// How many items a call carries.
    #[serde(default)]
    pub pack: Packing,
    /// The most that the job may cost, [`also_spent`](Self::also_spent) included.
    #[serde(default)]
    pub max_cost: Option<Usd>,
    /// What other jobs of the same work cost before: comparing posts before they are drafted for, a first try. It
    /// counts against the budget.
    #[serde(default)]
    pub also_spent: Usd,
    /// Whether to wait until a day's limit resets, instead of parking the job.
    #[serde(default)]
    pub wait: bool,
    /// Whether someone waits for it.
    #[serde(default)]
    pub interactive: bool,
    /// How often an item is tried; the engine's usual number if unset.
    #[serde(default)]
    pub attempts: Option<u32>,
    /// After how many seconds without one answer it is given up, while calls fail; the engine's usual time if unset,
    /// never if 0.
    #[serde(default)]
    pub give_up_after_s: Option<u64>,
    /// Whether it is given up at the first item that fails.
    #[serde(default)]
    pub fail_fast: bool,
    /// What the model costs, in the place of what the price tables say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceOverride>,
    /// How the sandbox behaves, where it answers.
    #[serde(default)]
    pub sandbox: SandboxSettings,
}

/// How the sandbox behaves that answers in the place of a model, as the user wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SandboxSettings {
    /// Quotas that it enforces.
    #[serde(rename = "sandbox_quota")]
    pub quota: Vec<String>,
    /// The time from a call to its answer, before any output.
    #[serde(rename = "sandbox_latency")]
    pub latency: Option<String>,
    /// What each token of output adds to that.
    #[serde(rename = "sandbox_per_output_token")]
    pub per_output_token: Option<String>,
    /// Faults, and how often they come.
    #[serde(rename = "sandbox_fault")]
    pub faults: Vec<String>,
}

/// What a user says of a run. What is not said stays as the job has it, or as is usual.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunChange {
    /// The model.
    pub model: Option<String>,
    /// Limits in the place of those that the job has; none: those stay.
    pub limits: Vec<Limit>,
    /// The most calls at once.
    pub concurrency: Option<u64>,
    /// How many items a call carries.
    pub pack: Option<Packing>,
    /// The budget of the whole job, what was spent before included.
    pub max_cost: Option<Usd>,
    /// Whether to wait for a day's limit.
    pub wait: bool,
    /// Whether someone waits for it.
    pub interactive: bool,
    /// After how many seconds without one answer it is given up; never if 0.
    pub give_up_after_s: Option<u64>,
    /// Whether it is given up at the first item that fails.
    pub fail_fast: bool,
    /// What the model costs.
    pub price: Option<PriceOverride>,
    /// The sandbox.
    pub sandbox: SandboxSettings,
}

impl RunSettings {
    /// A run of this model as the configuration has it.
    #[must_use]
    pub fn of(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            limits: Vec::new(),
            concurrency: None,
            pack: Packing::Auto,
            max_cost: None,
            also_spent: Usd::ZERO,
            wait: false,
            interactive: false,
            attempts: None,
            give_up_after_s: None,
            fail_fast: false,
            price: None,
            sandbox: SandboxSettings::default(),
        }
    }

    /// The same run of this model: what was said of another's price says nothing of it.
    #[must_use]
    pub fn by(&self, model: &str) -> Self {
        let price = self.price.filter(|_| model == self.model);
        Self { model: model.to_owned(), price, ..self.clone() }
    }

    /// A run of this model, but for what `said` says.
    #[must_use]
    pub fn new(model: &str, said: &RunChange) -> Self {
        Self::of(model).amended(&RunChange { model: None, ..said.clone() })
    }

    /// The same, but for what `said` says. The model stays: a job goes on with the one that it began with.
    #[must_use]
    pub fn amended(mut self, said: &RunChange) -> Self {
        if !said.limits.is_empty() {
            self.limits.clone_from(&said.limits);
        }
        self.concurrency = said.concurrency.or(self.concurrency);
        self.pack = said.pack.unwrap_or(self.pack);
        self.max_cost = said.max_cost.or(self.max_cost);
        self.wait |= said.wait;
        self.interactive |= said.interactive;
        self.give_up_after_s = said.give_up_after_s.or(self.give_up_after_s);
        self.fail_fast |= said.fail_fast;
        self.price = said.price.or(self.price);
        let SandboxSettings { quota, latency, per_output_token, faults } = said.sandbox.clone();
        let sandbox = &mut self.sandbox;
        if !quota.is_empty() {
            sandbox.quota = quota;
        }
        if !faults.is_empty() {
            sandbox.faults = faults;
        }
        sandbox.latency = latency.or_else(|| sandbox.latency.take());
        sandbox.per_output_token = per_output_token.or_else(|| sandbox.per_output_token.take());
        self
    }

    /// What the engine is told. `spent` is what the job itself has cost before.
    #[must_use]
    pub fn options(&self, seed: u64, spent: Usd) -> Options {
        let usual = Options::default();
        Options {
            packing: self.pack,
            concurrency: self.concurrency,
            max_cost: self.max_cost,
            spent: spent + self.also_spent,
            wait: self.wait,
            attempts: self.attempts.unwrap_or(usual.attempts),
            seed,
            urgency: if self.interactive { Urgency::Interactive } else { Urgency::Batch },
            give_up_after: match self.give_up_after_s {
                None => usual.give_up_after,
                Some(0) => None,
                Some(seconds) => Some(Duration::from_secs(seconds)),
            },
            fail_fast: self.fail_fast,
            ..usual
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_keeps_what_nothing_new_is_said_of() {
        let budget = |dollars| Usd::from_dollars(dollars);
        let submitted = RunChange { max_cost: budget(1.0), concurrency: Some(2), ..RunChange::default() };
        let run = RunSettings::new("sandbox", &submitted);
        assert_eq!(run.clone().amended(&RunChange::default()), run);
        let more = run.clone().amended(&RunChange { max_cost: budget(2.0), ..RunChange::default() });
        assert_eq!((more.max_cost, more.concurrency), (budget(2.0), Some(2)));
    }

    #[test]
    fn what_the_first_version_kept_is_read() {
        let kept = r#"{"concurrency":1,"interactive":false,"limits":["requests=2/day"],"max_cost":163860000,"model":"sandbox",
            "pack":{"fixed":3},"sandbox":{"sandbox_fault":[],"sandbox_latency":"1s","sandbox_per_output_token":null,
            "sandbox_quota":["requests=15/60s"]},"wait":false}"#;
        let run: RunSettings = serde_json::from_str(kept).unwrap();
        assert_eq!(
            (run.pack, run.sandbox.latency.as_deref(), run.also_spent),
            (Packing::Fixed(3), Some("1s"), Usd::ZERO)
        );
    }
}
