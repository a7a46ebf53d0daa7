//! Flags of every command that calls a model.

use std::path::PathBuf;
use std::str::FromStr;

use atelier_engine::{Limit, LimitKind, Packing, Usd, Window};
use clap::Args;
use serde::{Deserialize, Serialize};

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
    /// Print what would be sent, what it would cost and how long it would take, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) run: RunFlags,
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
    /// Items in a call: a number, auto (as many as finish soonest) or off (one)
    #[arg(long, value_name = "N|auto|off", default_value = "auto")]
    pub(crate) pack: Pack,
    /// Stop before the job could cost more than this
    #[arg(long, value_name = "USD")]
    pub(crate) max_cost: Option<Usd>,
    /// Wait until a day's limit resets, instead of parking the job
    #[arg(long)]
    pub(crate) wait: bool,
    /// Someone waits for it: where runs share a limit, it goes before those that nobody waits for
    #[arg(long)]
    pub(crate) interactive: bool,
    #[command(flatten)]
    pub(crate) sandbox: SandboxFlags,
}

/// How the sandbox of `--model sandbox` behaves.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
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
    /// All limits of the command line.
    pub(crate) fn limits(&self) -> Vec<Limit> {
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

    /// The most calls at once.
    pub(crate) fn at_once(&self) -> Option<u64> {
        if self.no_batch { Some(1) } else { self.concurrency }
    }
}

/// How many items a call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pack {
    Auto,
    Off,
    Fixed(usize),
}

impl FromStr for Pack {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ => match text.parse() {
                Ok(items) if items > 0 => Ok(Self::Fixed(items)),
                _ => Err("write a number from 1 on, auto or off".to_owned()),
            },
        }
    }
}

impl From<Pack> for Packing {
    fn from(pack: Pack) -> Self {
        match pack {
            Pack::Auto => Self::Auto,
            Pack::Off => Self::Off,
            Pack::Fixed(items) => Self::Fixed(items),
        }
    }
}
