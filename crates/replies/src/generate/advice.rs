//! When nothing is drafted: why, in numbers, and which rule or threshold would change it.

use std::collections::BTreeMap;
use std::fmt;

use atelier_engine::Timestamp;
use atelier_store::Store;

use super::prepare::{PreparedProject, Selection};
use crate::error::RepliesError;
use crate::score::Label;

/// How many posts the store is asked to count at most when rules are tried out.
const COUNTED: usize = 1_000;

/// A rule of a selection that keeps posts out, to be lifted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LiftedRule {
    /// Posts are to be so many hours old at most.
    HoursBack(f64),
    /// Authors are to have so many followers at least.
    MinFollowers(u64),
    /// Posts are to have so many likes at least.
    MinLikes(u64),
    /// Posts are to have so many views at least.
    MinViews(u64),
    /// All four of those.
    AllOfThese,
    /// Posts are to pass the gate.
    Gate,
    /// Only green posts are drafted for.
    GreensOnly,
    /// Red posts are not drafted for.
    SkipLowScores,
}

/// The rule's lifting in plain words; a face may say how it is done there.
impl fmt::Display for LiftedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HoursBack(hours) => write!(f, "from more than {hours} hours back"),
            Self::MinFollowers(followers) => write!(f, "from authors with fewer than {followers} followers"),
            Self::MinLikes(likes) => write!(f, "with fewer than {likes} likes"),
            Self::MinViews(views) => write!(f, "with fewer than {views} views"),
            Self::AllOfThese => f.write_str("of any age, and with any number of followers, likes and views"),
            Self::Gate => f.write_str("without the gate"),
            Self::GreensOnly => f.write_str("if yellow ones were taken too,"),
            Self::SkipLowScores => f.write_str("if red ones were taken too,"),
        }
    }
}

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

/// Why nothing of a project is drafted, in lines for a person; empty if something is. `lift` says how a rule is lifted
/// where the person is, in words that "there would be 3 posts" can follow.
///
/// # Errors
/// What the store reports.
pub async fn why_nothing(
    store: &Store,
    selection: &Selection,
    project: &PreparedProject,
    now: Timestamp,
    lift: &(dyn Fn(LiftedRule) -> String + Sync),
) -> Result<Vec<String>, RepliesError> {
    if project.to_draft().next().is_some() {
        return Ok(Vec::new());
    }
    if project.counts().selected == 0 {
        return nothing_selected(store, selection, project, now, lift).await;
    }
    let mut lines = sorted_out(project, lift);
    if let Some(distribution) = Distribution::of(project) {
        lines.push(distribution.to_string());
        lines.extend(labels(selection, project, distribution.highest, lift));
    }
    Ok(lines)
}

/// Lifts each rule by itself and says how many posts it keeps out.
async fn nothing_selected(
    store: &Store,
    selection: &Selection,
    project: &PreparedProject,
    now: Timestamp,
    lift: &(dyn Fn(LiftedRule) -> String + Sync),
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
        (LiftedRule::HoursBack(selection.hours_back), Selection { hours_back: f64::INFINITY, ..base.clone() }),
        (LiftedRule::MinFollowers(selection.min_followers), Selection { min_followers: 0, ..base.clone() }),
        (LiftedRule::MinLikes(selection.min_likes), Selection { min_likes: 0, ..base.clone() }),
        (LiftedRule::MinViews(selection.min_views), Selection { min_views: 0, ..base.clone() }),
    ];
    for (rule, relaxed) in tries {
        let posts = store.candidates(&relaxed.filter(&project.name, now)).await?.posts.len();
        if posts > 0 {
            lines.push(format!("{} there would be {posts}{}", lift(rule), plus(posts)));
        }
    }
    if lines.is_empty() {
        let (hours_back, everything) =
            (f64::INFINITY, Selection { min_followers: 0, min_likes: 0, min_views: 0, ..base });
        let all = Selection { hours_back, ..everything };
        let posts = store.candidates(&all.filter(&project.name, now)).await?.posts.len();
        lines.push(match posts {
            0 => format!("project '{}' has no posts to answer up to {now}: import some", project.name),
            _ => format!("{} there would be {posts}{}", lift(LiftedRule::AllOfThese), plus(posts)),
        });
    }
    Ok(lines)
}

fn plus(posts: usize) -> &'static str {
    if posts == COUNTED { " or more posts" } else { " posts" }
}

/// What kept posts from being scored.
fn sorted_out(project: &PreparedProject, lift: &dyn Fn(LiftedRule) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for gated in &project.gated {
        *reasons.entry(gated.refusal.code()).or_default() += 1;
    }
    if !reasons.is_empty() {
        let reasons: Vec<String> = reasons.iter().map(|(code, posts)| format!("{code} {posts}")).collect();
        let (gated, reasons) = (project.gated.len(), reasons.join(", "));
        lines.push(format!("the gate left out {gated} posts ({reasons}); {} they would pass", lift(LiftedRule::Gate)));
    }
    if !project.duplicates.is_empty() {
        let posts = project.duplicates.len();
        lines.push(format!("{posts} posts say the same as another, or as one that was answered before"));
    }
    lines
}

/// Which rule or threshold would let scored posts through.
fn labels(
    selection: &Selection,
    project: &PreparedProject,
    highest: f64,
    lift: &dyn Fn(LiftedRule) -> String,
) -> Vec<String> {
    let counts = project.counts();
    let thresholds = &project.finder.thresholds;
    let mut lines = Vec::new();
    if selection.greens_only && counts.yellow > 0 {
        lines.push(format!("{} {} yellow posts would be drafted for", lift(LiftedRule::GreensOnly), counts.yellow));
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
        lines.push(format!("{} {reds} red posts would be drafted for", lift(LiftedRule::SkipLowScores)));
    }
    lines
}
