//! Flags of every command that calls a model.

use std::path::PathBuf;

use atelier_app::{PromptDefaults, RunChange, SandboxSettings};
use atelier_engine::{Limit, LimitKind, Packing, Usd, Window, parse_duration};
use atelier_providers::PriceOverride;
use clap::Args;

/// `atelier run`.
#[derive(Debug, Args)]
pub(crate) struct RunFile {
    /// The prompts, or - for stdin: JSON Lines of {"id", "prompt"}, Gemini's or OpenAI's batch lines, or CSV
    pub(crate) file: PathBuf,
    /// Where the answers go, or - for stdout; .csv for CSV, else lines of the form that came in
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write the answers in the order of the prompts, and not as they come
    #[arg(long)]
    pub(crate) ordered: bool,
    /// Try the failed lines of an earlier run again
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// Go on with this job, whose prompts came from stdin
    #[arg(long, value_name = "ID")]
    pub(crate) job: Option<String>,
    /// Print what would be sent, what it would cost and how long it would take, and send nothing; no key is needed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) asked: AskFlags,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

/// What is asked for beside each prompt, unless its line says otherwise.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "With every prompt whose line says nothing else")]
pub(crate) struct AskFlags {
    /// Standing instructions for the model
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Randomness, 0 to 2
    #[arg(long, value_name = "N", value_parser = temperature)]
    pub(crate) temperature: Option<f64>,
    /// The most tokens to answer with: what a call can cost at most follows from it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_output_tokens: Option<u64>,
}

impl AskFlags {
    pub(crate) fn defaults(&self) -> PromptDefaults {
        let Self { system, temperature, max_output_tokens } = self.clone();
        PromptDefaults { system, temperature, max_output_tokens }
    }
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=2.0).contains(&number) => Ok(number),
        _ => Err("write a number from 0 to 2".to_owned()),
    }
}

/// A time in whole seconds; never for none.
fn patience(text: &str) -> Result<u64, String> {
    if text == "never" {
        return Ok(0);
    }
    match parse_duration(text).map(|time| time.as_secs()) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        _ => Err("write a time from 1s on, such as 90s or 10m, or never".to_owned()),
    }
}

/// Who answers, and how fast and at what cost at most.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model and limits")]
pub(crate) struct RunFlags {
    /// Who answers: gemini:MODEL, openai:MODEL (any compatible server), or for made-up answers at no cost
    /// sandbox[:MODEL] or sandbox:openai[:MODEL], priced as MODEL
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// A limit of the provider: requests=15/60s, input_tokens=250000/60s, requests=1500/day, usd=5/day,
    /// in_flight=8
    #[arg(long, value_name = "LIMIT")]
    pub(crate) quota: Vec<Limit>,
    /// Requests a minute, short for --quota requests=N/60s
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rpm: Option<u64>,
    /// Input tokens a minute, short for --quota input_tokens=N/60s
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tpm: Option<u64>,
    /// Requests a day, short for --quota requests=N/day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rpd: Option<u64>,
    /// The most calls at once [default: as many as the limits keep busy]
    #[arg(long, visible_alias = "batch-size", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) concurrency: Option<u64>,
    /// One call at a time
    #[arg(long, conflicts_with = "concurrency")]
    pub(crate) no_batch: bool,
    /// Items in a call: a number, auto (as many as finish soonest) or off (one) [default: auto]
    #[arg(long, value_name = "N|auto|off")]
    pub(crate) pack: Option<Packing>,
    /// What the model costs, if the price tables do not know it: dollars for a million tokens in and out, such as
    /// 0.25/2, or in=0.25,cached=0.025,out=2,image=0.04,cap=8192
    #[arg(long, value_name = "IN/OUT")]
    pub(crate) price: Option<PriceOverride>,
    /// Stop before the job could cost more than this
    #[arg(long, value_name = "USD")]
    pub(crate) max_cost: Option<Usd>,
    /// Wait until a day's limit resets, instead of parking the job
    #[arg(long)]
    pub(crate) wait: bool,
    /// Someone waits for it: where runs share a limit, it goes before those that nobody waits for
    #[arg(long)]
    pub(crate) interactive: bool,
    /// Give the run up after so long without one answer, while calls fail; or never [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = patience)]
    pub(crate) give_up_after: Option<u64>,
    /// Give the run up at the first item that fails, and as soon as the provider fails as a whole
    #[arg(long)]
    pub(crate) fail_fast: bool,
    #[command(flatten)]
    pub(crate) sandbox: SandboxFlags,
}

/// How the sandbox of `--model sandbox` behaves.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "With --model sandbox")]
pub(crate) struct SandboxFlags {
    /// A quota that the sandbox enforces, such as requests=15/60s
    #[arg(long, value_name = "LIMIT")]
    pub(crate) sandbox_quota: Vec<String>,
    /// The time from a call to its answer, before any output, such as 1s
    #[arg(long, value_name = "TIME")]
    pub(crate) sandbox_latency: Option<String>,
    /// What each token of output adds to that, such as 8ms
    #[arg(long, value_name = "TIME")]
    pub(crate) sandbox_per_output_token: Option<String>,
    /// A fault and how often it comes, such as 503=0.05
    #[arg(long, value_name = "KIND=RATE")]
    pub(crate) sandbox_fault: Vec<String>,
}

impl RunFlags {
    /// What the command line says of a run.
    pub(crate) fn change(&self) -> RunChange {
        let SandboxFlags { sandbox_quota, sandbox_latency, sandbox_per_output_token, sandbox_fault } =
            self.sandbox.clone();
        RunChange {
            model: self.model.clone(),
            limits: self.limits(),
            concurrency: if self.no_batch { Some(1) } else { self.concurrency },
            pack: self.pack,
            max_cost: self.max_cost,
            wait: self.wait,
            interactive: self.interactive,
            give_up_after_s: self.give_up_after,
            fail_fast: self.fail_fast,
            price: self.price,
            sandbox: SandboxSettings {
                quota: sandbox_quota,
                latency: sandbox_latency,
                per_output_token: sandbox_per_output_token,
                faults: sandbox_fault,
            },
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let minute = Window::Sliding(std::time::Duration::from_secs(60));
        let short = [
            (self.rpm, LimitKind::Requests, minute),
            (self.tpm, LimitKind::InputTokens, minute),
            (self.rpd, LimitKind::Requests, Window::Day),
        ];
        let short =
            short.into_iter().filter_map(|(amount, kind, window)| Some(Limit { kind, amount: amount?, window }));
        self.quota.iter().copied().chain(short).collect()
    }
}
