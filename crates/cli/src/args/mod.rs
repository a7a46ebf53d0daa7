//! The command line, defined once: parser, help and the reference in docs/ all come from here.

mod images;
mod library;
mod replies;
mod run;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use images::{
    AgainImages, CameraFlags, EditImage, ExportGenerated, GenerateImages, GeneratedSelection, ImageRequestFlags,
    ImagesCommand, ListGenerated, MakeFlags, PreviewImages, PromoteImages, ReferenceMode, ResumeImages, RetryImages,
    SaveImage,
};
pub(crate) use library::{
    CollectionsCommand, DescribeImages, EditImages, Evaluate, ExportImages, Fields, ImageSelection, ImportImages,
    LibraryCommand, ListImages, SearchCommand, SearchImages, TagImages, Thumbnails,
};
pub(crate) use replies::{
    EditReply, ExportReplies, GenerateReplies, ListReplies, PostSelection, RepliesCommand, ReviewAction, ReviewReplies,
    SortBy,
};
pub(crate) use run::{RunFile, RunFlags};
pub(crate) use server::{
    AddToken, AddUser, ChangeUser, PasswordFlags, ResetPassword, RoleName, Serve, TokensCommand, UsersCommand,
};

/// A studio for making things at volume with rate-limited, paid generative models.
#[derive(Debug, Parser)]
#[command(name = "atelier", version, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Where everything is kept [default: the XDG data directory, ~/.local/share/atelier]
    #[arg(long, global = true, value_name = "DIR", env = "ATELIER_DATA_DIR", hide_env_values = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// The configuration [default: ./atelier.toml, else ~/.config/atelier/atelier.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "ATELIER_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// Print the result as JSON on stdout; everything else goes to stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log more to stderr; repeat it for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Cli {
    /// Whether nobody waits for it.
    pub(crate) const fn is_background(&self) -> bool {
        matches!(self.command, Command::Library(LibraryCommand::Embed { background: true, .. }))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Projects: a voice, a taxonomy, and rules for which posts to answer
    #[command(subcommand)]
    Projects(ProjectsCommand),
    /// Posts that may be answered
    #[command(subcommand)]
    Posts(PostsCommand),
    /// Replies: have them drafted, review and export them
    #[command(subcommand)]
    Replies(RepliesCommand),
    /// The image library: import, describe, export
    #[command(subcommand)]
    Library(LibraryCommand),
    /// Find images by their words and by their look
    Search(Box<SearchImages>),
    /// Make images: with references from the library, many at once, on two sides; see how each came about
    #[command(subcommand)]
    Images(Box<ImagesCommand>),
    /// Answer a file of prompts, as fast as a quota allows
    Run(Box<RunFile>),
    /// Jobs: what was submitted, how it stands, what it cost
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// What was spent, by job, model, project, user or day
    Cost(Cost),
    /// What models cost: look it up, or bring a table of your own
    #[command(subcommand)]
    Prices(PricesCommand),
    /// The limits of each pool as they stand: configured, learnt, used
    Quota {
        #[command(subcommand)]
        command: Option<QuotaCommand>,
    },
    /// What was deleted in the last 30 days: look at it, put it back, or empty the trash
    Trash {
        #[command(subcommand)]
        command: Option<TrashCommand>,
    },
    /// Print what changes, as it changes: jobs, items, images, drafts, limits; with --json a line of JSON each
    Events {
        /// Begin after the change of this number [default: with what changes from now on]
        #[arg(long, value_name = "NUMBER")]
        after: Option<u64>,
    },
    /// Serve the API on this machine, and work on what is submitted to it
    Serve(Serve),
    /// People who may use the server: add them, and say what they may do
    #[command(subcommand)]
    Users(UsersCommand),
    /// Tokens by which programs use the server
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Copy the database to a file, also while it is in use
    Backup {
        /// The file to write; it must not exist
        file: PathBuf,
    },
    /// Serve a provider's wire format on this machine, with quotas, latency and faults, and no model
    Sandbox(SandboxCommand),
    /// Print docs/reference.md
    #[command(hide = true)]
    Reference,
    /// Print docs/openapi.json
    #[command(hide = true)]
    Openapi,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectsCommand {
    /// Add a project
    Add(ProjectFile),
    /// List all projects
    List,
    /// Show a project and its finder.yml
    Show {
        /// The project
        name: String,
    },
    /// Replace a project's finder.yml
    Update(ProjectFile),
    /// Remove a project with its posts and drafts: it is in the trash for 30 days
    Remove {
        /// The project
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ProjectFile {
    /// The project's name
    pub(crate) name: String,
    /// Its finder.yml: taxonomy, voice, sources, weights, thresholds
    #[arg(long, value_name = "FILE")]
    pub(crate) finder: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PostsCommand {
    /// Import posts from CSV, JSON, JSON Lines or the X API's JSON; a bad row is reported and skipped
    Import {
        /// The file, or - for stdin
        file: PathBuf,
        /// The project that the posts are for
        #[arg(short, long, value_name = "NAME")]
        project: String,
        /// Import nothing if any row is bad
        #[arg(long)]
        strict: bool,
    },
    /// List a project's posts, newest first
    List {
        /// The project
        #[arg(short, long, value_name = "NAME")]
        project: String,
        /// Only posts with this label: green, yellow or red
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
        /// The most rows to list
        #[arg(long, value_name = "ROWS", default_value_t = 50)]
        limit: usize,
        /// Go on after this cursor, as the list before gave it
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Remove posts of a project, with their drafts: they are in the trash for 30 days
    Remove {
        /// The project
        #[arg(short, long, value_name = "NAME")]
        project: String,
        /// The posts' ids
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// Remove all of them
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    List {
        /// The most rows to list
        #[arg(long, value_name = "ROWS", default_value_t = 20)]
        limit: usize,
        /// Go on after this cursor, as the list before gave it
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Show a job: its settings, its items, its cost, and calls that may have been paid for twice
    Show {
        /// The job's id
        job: String,
    },
    /// Go on with a job where it stopped
    Resume(Resume),
    /// Give a job up; what was answered is kept
    Cancel {
        /// The job's id
        job: String,
    },
    /// Try a job's failed items again
    Retry(Retry),
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The job's id
    pub(crate) job: String,
    /// A new budget for the whole job, what was spent before included
    #[arg(long, value_name = "USD")]
    pub(crate) max_cost: Option<atelier_engine::Usd>,
    /// Wait until a day's limit resets, instead of parking the job
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    pub(crate) resume: Resume,
    /// Try those again too that the provider refused
    #[arg(long)]
    pub(crate) blocked: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cost {
    /// What a row stands for
    #[arg(long, value_name = "WHAT", default_value = "day")]
    pub(crate) by: CostRows,
    /// From this day on, UTC [default: 30 days ago]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<jiff::civil::Date>,
    /// Up to this day, UTC [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: Option<jiff::civil::Date>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrashCommand {
    /// List what is in the trash, the latest first
    List {
        /// The most rows to list
        #[arg(long, value_name = "ROWS", default_value_t = 50)]
        limit: usize,
        /// Go on after this cursor, as the list before gave it
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Put back what was deleted
    Restore {
        /// The ids of deletions, as the list gives them
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Delete for good what is in the trash
    Empty {
        /// Yes, for good
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// Show what a model costs, or all of them
    Show {
        /// The model, such as openai:gpt-5-mini [default: all]
        model: Option<String>,
    },
    /// Take a table of prices over, which then goes before the built-in one: of the form of assets/prices.toml, or
    /// litellm's model_prices_and_context_window.json
    Import {
        /// The file
        file: PathBuf,
    },
    /// Forget the table that was taken over
    Forget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CostRows {
    /// A job
    Job,
    /// A model
    Model,
    /// A project
    Project,
    /// A user
    Owner,
    /// A day, UTC
    Day,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuotaCommand {
    /// Forget the limits that refusals have taught
    Reset {
        /// The pool, as 'atelier quota' names it [default: all]
        pool: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SandboxCommand {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8788")]
    pub(crate) addr: SocketAddr,
    /// Write the base URL to this file once it can be called
    #[arg(long, value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,
    /// A quota: requests=15/60s, input_tokens=250000/60s, images=10/60s, requests=1500/day, in_flight=8
    #[arg(long, value_name = "LIMIT")]
    pub(crate) quota: Vec<atelier_sandbox::Quota>,
    /// Whether the requests of a window may come all at once: burst or even
    #[arg(long, value_name = "MANNER", default_value = "burst")]
    pub(crate) pacing: atelier_sandbox::Pacing,
    /// What a refusal says: full, quota, delay or none
    #[arg(long, value_name = "HINTS", default_value = "full")]
    pub(crate) hints: atelier_sandbox::Hints,
    /// The time from a call to its answer, before any output
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub(crate) latency: atelier_sandbox::Span,
    /// What each token of output adds to that
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub(crate) per_output_token: atelier_sandbox::Span,
    /// A fault and how often it comes, such as 503=0.05: 500, 503, 504, hang, reset, truncate, garbage,
    /// refuse, omit, double, shuffle, fence, no-usage
    #[arg(long, value_name = "KIND=RATE")]
    pub(crate) fault: Vec<atelier_sandbox::FaultRate>,
    /// Decides when faults come and how answers read
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
