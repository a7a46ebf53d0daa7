//! `atelier replies`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::RunFlags;

#[derive(Debug, Subcommand)]
pub(crate) enum RepliesCommand {
    /// Gate, score and label posts, and have replies drafted for the best
    Generate(Box<GenerateReplies>),
    /// List drafts
    List(ListReplies),
    /// Show a draft: the post, its score and where it stands
    Show {
        /// The draft's id
        id: String,
    },
    /// Change what a draft says
    Edit(EditReply),
    /// Approve or reject drafts, or mark them as posted or skipped: by their ids, or all that a filter finds
    Review(ReviewReplies),
    /// Write drafts to a CSV file, one row a post
    Export(ExportReplies),
    /// Take over what was decided and written in a file that export wrote
    ImportReview {
        /// The file, or - for stdin
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GenerateReplies {
    /// What compares posts with topics: local, or gemini:gemini-embedding-001
    #[arg(long, value_name = "EMBEDDER", default_value = "local")]
    pub(crate) embedder: String,
    /// Print what would be sent, what it would cost and how long it would take, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The time by which posts are selected and scored, such as 2026-11-20T12:00:00Z
    #[arg(long, value_name = "RFC3339")]
    pub(crate) now: Option<jiff::Timestamp>,
    #[command(flatten)]
    pub(crate) selection: PostSelection,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

/// Which posts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct PostSelection {
    /// The project; give it several times for several, which then share fairly
    #[arg(short, long, value_name = "NAME", required_unless_present = "all_projects", conflicts_with = "all_projects")]
    pub(crate) project: Vec<String>,
    /// All projects
    #[arg(long)]
    pub(crate) all_projects: bool,
    /// Posts of the last so many hours
    #[arg(long, value_name = "HOURS", default_value_t = 6.0, value_parser = positive)]
    pub(crate) hours_back: f64,
    /// Followers that the author has at least
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) min_followers: u64,
    /// Likes that the post has at least
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) min_likes: u64,
    /// Views that the post has at least
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) min_views: u64,
    /// The most posts of a project to look at, the newest first
    #[arg(long, value_name = "N", default_value_t = 150, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_candidates: u64,
    /// Sort out posts by language, blacklists and link spam [default]
    #[arg(long, overrides_with = "no_use_gate")]
    pub(crate) use_gate: bool,
    /// Take posts past the gate
    #[arg(long, overrides_with = "use_gate")]
    pub(crate) no_use_gate: bool,
    /// Have replies drafted for green and yellow posts only [default]
    #[arg(long, overrides_with = "no_skip_low_scores")]
    pub(crate) skip_low_scores: bool,
    /// Have replies drafted for red posts too
    #[arg(long, overrides_with = "skip_low_scores")]
    pub(crate) no_skip_low_scores: bool,
    /// Have replies drafted for green posts only
    #[arg(long, conflicts_with = "no_skip_low_scores")]
    pub(crate) greens_only: bool,
    /// Take the scores of an earlier run where there are any
    #[arg(long)]
    pub(crate) use_saved_scores: bool,
    /// This post and no others, whatever else is said, and though it was answered before; it may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) post: Vec<String>,
    /// What is to be done better this time, such as "shorter, and without the joke"
    #[arg(long, value_name = "TEXT")]
    pub(crate) hint: Option<String>,
}

/// A number above zero.
fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|hours: &f64| hours.is_finite() && *hours > 0.0)
        .ok_or_else(|| "write a number above 0".into())
}

#[derive(Debug, Args)]
pub(crate) struct ListReplies {
    /// The project; give it several times for several [default: all]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) project: Vec<String>,
    /// Only drafts with this status: pending, approved, rejected, exported, posted or skipped
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Vec<String>,
    /// Only posts with this label: green, yellow or red
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
    /// Only drafts of this kind, such as add_value; give it several times for several
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// The most rows to list
    #[arg(long, value_name = "ROWS", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Go on after this cursor, as the list before gave it
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewReplies {
    /// What to do with them
    pub(crate) action: ReviewAction,
    /// The drafts' ids
    #[arg(required_unless_present_any = ["project", "label", "kind", "status", "all"])]
    pub(crate) ids: Vec<String>,
    /// In place of ids: drafts of this project; give it several times for several
    #[arg(short, long, value_name = "NAME", conflicts_with = "ids")]
    pub(crate) project: Vec<String>,
    /// In place of ids: drafts for posts with this label: green, yellow or red
    #[arg(long, value_name = "LABEL", conflicts_with = "ids")]
    pub(crate) label: Option<String>,
    /// In place of ids: drafts of this kind, such as add_value; give it several times for several
    #[arg(long, value_name = "KIND", conflicts_with = "ids")]
    pub(crate) kind: Vec<String>,
    /// In place of ids: drafts with this status [default: pending; for posted and skipped: exported]
    #[arg(long, value_name = "STATUS", conflicts_with = "ids")]
    pub(crate) status: Vec<String>,
    /// In place of ids: all drafts
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    /// Why, kept with the draft
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EditReply {
    /// The draft's id
    pub(crate) id: String,
    /// What it is to say; - reads it from stdin
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReviewAction {
    /// It may be posted
    Approve,
    /// It may not
    Reject,
    /// It was posted
    Posted,
    /// It was exported and then not posted
    Skipped,
}

#[derive(Debug, Args)]
pub(crate) struct ExportReplies {
    /// The project; give it several times for several [default: all]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) project: Vec<String>,
    /// The file to write, or - for stdout
    #[arg(short, long, value_name = "FILE", default_value = "replies.csv")]
    pub(crate) out: PathBuf,
    /// What to put first
    #[arg(long, value_name = "ORDER", default_value = "balanced")]
    pub(crate) sort_by: SortBy,
    /// Only posts with this label: green, yellow or red
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
    /// Only drafts with this status: pending, approved, exported, posted or skipped
    #[arg(long, value_name = "STATUS", default_value = "pending")]
    pub(crate) status: String,
    /// Only posts of the last so many hours [default: all]
    #[arg(long, value_name = "HOURS", value_parser = positive)]
    pub(crate) hours_back: Option<f64>,
    /// The most rows to write
    #[arg(long, value_name = "ROWS")]
    pub(crate) limit: Option<usize>,
    /// The time that --hours-back counts from
    #[arg(long, value_name = "RFC3339")]
    pub(crate) now: Option<jiff::Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    /// The highest score
    Score,
    /// The most views
    Views,
    /// Score times the root of views
    Balanced,
}
