//! From a job's outcomes to saved drafts, and to the summary of a run.

use atelier_engine::{JobId, Timestamp, Usd, Verdict};
use atelier_store::{AnswerStatus, DraftStatus, JobRecord, NewDraft, OutcomeRecord, PostAnswer, RejectedBy, Store};
use serde::Serialize;

use super::Counts;
use crate::error::RepliesError;
use crate::task::Drafted;

/// Outcomes are read in pages of this size.
const PAGE: usize = 200;

/// What has come of a job so far. The first, fourth and fifth count posts, the others drafts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Harvested {
    /// Posts that have drafts.
    pub drafted: u64,
    /// Drafts that passed the filter.
    pub saved: u64,
    /// Drafts that the filter rejected; they are kept, with the reason.
    pub filtered: u64,
    /// Posts that the provider refused.
    pub blocked: u64,
    /// Posts that failed.
    pub failed: u64,
}

/// Saves the drafts that outcomes of a job bring. Doing it again changes nothing, so that it can be done whenever an
/// outcome is durable, by whoever comes upon it.
///
/// # Errors
/// What the store reports.
pub async fn save_drafts(
    store: &Store,
    job: &JobId,
    ended: &[OutcomeRecord],
    now: Timestamp,
) -> Result<Harvested, RepliesError> {
    let answers: Vec<PostAnswer> = ended.iter().map(answer).collect();
    let mut harvested = Harvested::default();
    answers.iter().for_each(|answer| harvested.count(answer));
    if !answers.is_empty() {
        store.save_answers(job, answers, now).await?;
    }
    Ok(harvested)
}

/// What has come of a job so far, all of its runs together.
///
/// # Errors
/// What the store reports.
pub async fn harvest_of(store: &Store, job: &str) -> Result<Harvested, RepliesError> {
    let (mut harvested, mut after) = (Harvested::default(), None);
    loop {
        let page = store.outcomes(job, after, PAGE).await?;
        page.iter().for_each(|outcome| harvested.count(&answer(outcome)));
        after = page.last().map(|outcome| outcome.seq);
        if page.len() < PAGE {
            return Ok(harvested);
        }
    }
}

impl Harvested {
    fn count(&mut self, answer: &PostAnswer) {
        match answer.status {
            AnswerStatus::Drafted => self.drafted += 1,
            AnswerStatus::Blocked => self.blocked += 1,
            AnswerStatus::Failed => self.failed += 1,
        }
        let rejected = answer.drafts.iter().filter(|draft| draft.rejected_by.is_some()).count() as u64;
        self.filtered += rejected;
        self.saved += answer.drafts.len() as u64 - rejected;
    }
}

fn answer(outcome: &OutcomeRecord) -> PostAnswer {
    let answer = |status, detail, drafts| PostAnswer {
        project: outcome.lane.to_string(),
        post: outcome.key.clone(),
        status,
        detail,
        drafts,
    };
    match &outcome.verdict {
        Verdict::Done { result } => match serde_json::from_str::<Vec<Drafted>>(result) {
            Ok(drafts) => answer(AnswerStatus::Drafted, None, (1..).zip(drafts).map(draft).collect()),
            Err(error) => {
                answer(AnswerStatus::Failed, Some(format!("the stored drafts can't be read: {error}")), vec![])
            }
        },
        Verdict::Blocked { reason } => answer(AnswerStatus::Blocked, Some(reason.clone()), vec![]),
        Verdict::Failed { message, .. } => answer(AnswerStatus::Failed, Some(message.clone()), vec![]),
    }
}

fn draft((rank, drafted): (u32, Drafted)) -> NewDraft {
    let fault = drafted.fault;
    NewDraft {
        kind: drafted.kind.name().to_owned(),
        rank,
        text: drafted.text,
        status: if fault.is_some() { DraftStatus::Rejected } else { DraftStatus::Pending },
        rejected_by: fault.map(|_| RejectedBy::Filter),
        reason: fault.map(|fault| fault.to_string()),
    }
}

/// What a run comes to, as one JSON object. `selected` = `gated` + `duplicates` + `green` + `yellow` +
/// `red`; `drafted`, `blocked` and `failed` count posts, `saved` and `filtered` count drafts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The job, if there was anything to draft.
    pub job: Option<String>,
    /// What the selection counted.
    #[serde(flatten)]
    pub counts: Counts,
    /// What came of the job.
    #[serde(flatten)]
    pub harvested: Harvested,
    /// Calls that were sent.
    pub calls: u64,
    /// Calls that a limit refused.
    pub rate_limited: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// What it cost, in dollars; `None` if the model has no price.
    pub cost_usd: Option<f64>,
    /// How long it took.
    pub seconds: f64,
}

impl Summary {
    /// The summary of a job as it stands in the store, over all of its runs.
    #[must_use]
    pub fn of(job: &JobRecord, counts: Counts, harvested: Harvested, seconds: f64) -> Self {
        let totals = &job.totals;
        Self {
            job: Some(job.id.to_string()),
            counts,
            harvested,
            calls: totals.calls,
            rate_limited: totals.rate_limited,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cost_usd: totals.known_cost().map(Usd::as_dollars),
            seconds,
        }
    }

    /// The summary where there was nothing to draft.
    #[must_use]
    pub fn without_job(counts: Counts, seconds: f64) -> Self {
        Self {
            job: None,
            counts,
            harvested: Harvested::default(),
            calls: 0,
            rate_limited: 0,
            input_tokens: 0,
            output_tokens: 0,
            cost_usd: Some(0.0),
            seconds,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::filter::FilterFault;
    use crate::kind::ReplyKind;

    #[test]
    fn the_summary_has_these_fields_and_no_others() {
        let json = serde_json::to_value(Summary::without_job(Counts::default(), 1.5)).unwrap();
        let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let mut expected = [
            "job",
            "selected",
            "gated",
            "duplicates",
            "green",
            "yellow",
            "red",
            "drafted",
            "saved",
            "filtered",
            "blocked",
            "failed",
            "calls",
            "rate_limited",
            "input_tokens",
            "output_tokens",
            "cost_usd",
            "seconds",
        ];
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_rejected_draft_is_kept_with_its_reason() {
        let drafts = vec![
            Drafted { kind: ReplyKind::Funny, text: "short".into(), fault: Some(FilterFault::TooShort) },
            Drafted { kind: ReplyKind::Relate, text: "long enough".into(), fault: None },
        ];
        let outcome = OutcomeRecord {
            seq: 0,
            key: "17".into(),
            lane: "bikes".into(),
            verdict: Verdict::Done { result: serde_json::to_string(&drafts).unwrap().into() },
            attempts: 1,
        };
        let answer = answer(&outcome);
        assert_eq!((&*answer.project, &*answer.post, answer.status), ("bikes", "17", AnswerStatus::Drafted));
        assert_eq!(answer.drafts[0].status, DraftStatus::Rejected);
        assert_eq!(answer.drafts[0].reason.as_deref(), Some("too short"));
        assert_eq!((answer.drafts[1].rank, answer.drafts[1].status), (2, DraftStatus::Pending));
        let mut harvested = Harvested::default();
        harvested.count(&answer);
        assert_eq!((harvested.drafted, harvested.saved, harvested.filtered), (1, 1, 1));
    }
}
