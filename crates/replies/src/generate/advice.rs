//! When nothing is drafted: why, in numbers, and which flag or threshold would change it.

use std::collections::BTreeMap;
use std::fmt;

use atelier_engine::Timestamp;
use atelier_store::Store;

use super::prepare::{PreparedProject, Selection};
use crate::error::RepliesError;
use crate::score::Label;

/// How many posts the store is asked to count at most when flags are tried out.
const COUNTED: usize = 1_000;

/// How the scores of a project's posts are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    /// How many there are; at least one.
    pub posts: usize,
    /// The lowest total.
    pub lowest: f64,
    /// A quarter of the totals are below this.
    pub quarter: f64,
    /// Half of the totals are below this.
    pub median: f64,
    /// Three quarters of the totals are below this.
    pub three_quarters: f64,
    /// The highest total.
    pub highest: f64,
}

impl Distribution {
    /// The spread of the scores; `None` if there are none.
    #[must_use]
    pub fn of(project: &PreparedProject) -> Option<Self> {
        // Sorted from the best down.
        let totals: Vec<f64> = project.scored.iter().rev().map(|post| post.explanation.score.total).collect();
        let at = |quarters: usize| totals.get((totals.len() - 1) * quarters / 4).copied();
        totals.first()?;
        Some(Self {
            posts: totals.len(),
            lowest: at(0)?,
            quarter: at(1)?,
            median: at(2)?,
            three_quarters: at(3)?,
            highest: at(4)?,
        })
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "scores of {} posts: lowest {:.3}, quarter {:.3}, median {:.3}, three quarters {:.3}, highest {:.3}",
            self.posts, self.lowest, self.quarter, self.median, self.three_quarters, self.highest
        )
    }
}

/// Why nothing of a project is drafted, in lines for a person; empty if something is.
///
/// # Errors
/// What the store reports.
pub async fn why_nothing(
    store: &Store,
    selection: &Selection,
    project: &PreparedProject,
    now: Timestamp,
) -> Result<Vec<String>, RepliesError> {
    if project.to_draft().next().is_some() {
        return Ok(Vec::new());
    }
    if project.counts().selected == 0 {
        return nothing_selected(store, selection, project, now).await;
    }
    let mut lines = sorted_out(project);
    if let Some(distribution) = Distribution::of(project) {
        lines.push(distribution.to_string());
        lines.extend(labels(selection, project, distribution.highest));
    }
    Ok(lines)
}

/// Tries each flag by itself and says how many posts it keeps out.
async fn nothing_selected(
    store: &Store,
    selection: &Selection,
    project: &PreparedProject,
    now: Timestamp,
) -> Result<Vec<String>, RepliesError> {
    let mut lines = Vec::new();
    if project.already_answered > 0 {
        lines.push(format!("{} posts that fit have been answered or blocked before", project.already_answered));
    }
    for (job, posts) in &project.waiting {
        lines.push(format!("{posts} posts that fit wait in job {job}: resume or cancel it"));
    }
    let base = Selection { max_candidates: COUNTED, ..selection.clone() };
    let tries = [
        (format!("--hours-back {}", selection.hours_back), Selection { hours_back: f64::INFINITY, ..base.clone() }),
        (format!("--min-followers {}", selection.min_followers), Selection { min_followers: 0, ..base.clone() }),
        (format!("--min-likes {}", selection.min_likes), Selection { min_likes: 0, ..base.clone() }),
        (format!("--min-views {}", selection.min_views), Selection { min_views: 0, ..base.clone() }),
    ];
    for (flag, relaxed) in tries {
        let posts = store.candidates(&relaxed.filter(&project.name, now)).await?.posts.len();
        if posts > 0 {
            lines.push(format!("without {flag} there would be {posts}{}", plus(posts)));
        }
    }
    if lines.is_empty() {
        let (hours_back, everything) =
            (f64::INFINITY, Selection { min_followers: 0, min_likes: 0, min_views: 0, ..base });
        let all = Selection { hours_back, ..everything };
        let posts = store.candidates(&all.filter(&project.name, now)).await?.posts.len();
        lines.push(match posts {
            0 => format!("project '{}' has no posts to answer up to {now}: import some", project.name),
            _ => format!(
                "without --hours-back, --min-followers, --min-likes and --min-views there would be {posts}{}",
                plus(posts)
            ),
        });
    }
    Ok(lines)
}

fn plus(posts: usize) -> &'static str {
    if posts == COUNTED { " or more posts" } else { " posts" }
}

/// What kept posts from being scored.
fn sorted_out(project: &PreparedProject) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for gated in &project.gated {
        *reasons.entry(gated.refusal.code()).or_default() += 1;
    }
    if !reasons.is_empty() {
        let reasons: Vec<String> = reasons.iter().map(|(code, posts)| format!("{code} {posts}")).collect();
        let (gated, reasons) = (project.gated.len(), reasons.join(", "));
        lines.push(format!("the gate left out {gated} posts ({reasons}); --no-use-gate lets them through"));
    }
    if !project.duplicates.is_empty() {
        let posts = project.duplicates.len();
        lines.push(format!("{posts} posts say the same as another, or as one that was answered before"));
    }
    lines
}

/// Which flag or threshold would let scored posts through.
fn labels(selection: &Selection, project: &PreparedProject, highest: f64) -> Vec<String> {
    let counts = project.counts();
    let thresholds = &project.finder.thresholds;
    let mut lines = Vec::new();
    if selection.greens_only && counts.yellow > 0 {
        lines.push(format!("without --greens-only {} yellow posts would be drafted for", counts.yellow));
    }
    let (key, line) =
        if selection.greens_only { ("green_min", thresholds.green_min) } else { ("yellow_min", thresholds.yellow_min) };
    if highest < line {
        // Rounded down, so that the threshold named lets the best post through.
        let enough = (highest * 100.0).floor() / 100.0;
        let pass = project.scored.iter().filter(|post| post.explanation.score.total >= enough).count();
        lines.push(format!("thresholds.{key} is {line}: with {enough:.2} it would let {pass} through"));
    }
    let reds = project.scored.iter().filter(|post| post.explanation.score.label == Label::Red).count();
    if selection.skip_low_scores && !selection.greens_only && reds > 0 {
        lines.push(format!("with --no-skip-low-scores {reds} red posts would be drafted for"));
    }
    lines
}
