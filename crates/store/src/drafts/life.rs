//! The steps of a draft's life.

use atelier_engine::Timestamp;

use super::read::status;
use super::records::{DraftStatus, RejectedBy, number};
use crate::database::{Statement, Written};
use crate::error::{StoreError, StoreResult};
use crate::store::{Store, places};

/// The statements for each draft: a check that undoes the batch if the draft can't take the step, and the change.
const STATEMENTS_EACH: usize = 2;

impl Store {
    /// Takes drafts a step on in their life, all or none, and returns the ids of those that changed.
    /// A draft that is `to` already is left alone; any other must be in a status from which life leads to
    /// `to`, or else [`StoreError::Transition`].
    pub async fn set_draft_status(
        &self,
        drafts: &[String],
        to: DraftStatus,
        reason: Option<String>,
        now: Timestamp,
    ) -> StoreResult<Vec<String>> {
        // A draft that has the status already passes the check; the change leaves it alone.
        let mut allowed = vec![to];
        allowed.extend(to.comes_from());
        let mut batch = Vec::with_capacity(drafts.len() * STATEMENTS_EACH);
        for draft in drafts {
            let number = number(draft)?;
            batch.push(check(number, &allowed));
            batch.push(change(number, to, reason.clone(), now));
        }
        match self.write(batch).await? {
            Written::Done(effects) => {
                let changed = drafts.iter().zip(effects.chunks(STATEMENTS_EACH));
                let changed = changed.filter(|(_, effects)| effects.last().is_some_and(|change| change.count > 0));
                Ok(changed.map(|(draft, _)| draft.clone()).collect())
            }
            Written::Refused { statement, .. } => {
                let draft = drafts.get(statement / STATEMENTS_EACH).cloned().unwrap_or_default();
                Err(self.why_not(draft, to).await)
            }
        }
    }

    /// Changes the text of a draft that was neither posted nor skipped. False if it says that already.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDraft`], and [`StoreError::Transition`] for one whose life is over.
    pub async fn edit_draft(&self, draft: &str, text: &str, now: Timestamp) -> StoreResult<bool> {
        let number = number(draft)?;
        let editable = [DraftStatus::Pending, DraftStatus::Approved, DraftStatus::Rejected, DraftStatus::Exported];
        let change = Statement::new("UPDATE drafts SET text = $1, updated_at = $2 WHERE number = $3 AND text <> $1")
            .bind(text)
            .bind(now)
            .bind(number);
        match self.write(vec![check(number, &editable), change]).await? {
            Written::Done(effects) => Ok(effects.last().is_some_and(|change| change.count > 0)),
            Written::Refused { .. } => match self.draft_status(draft).await? {
                Some(from) => Err(StoreError::Transition { draft: draft.to_owned(), from: from.name(), to: "edited" }),
                None => Err(StoreError::NoSuchDraft { draft: draft.to_owned() }),
            },
        }
    }

    /// Decides about one draft, if it is as whoever decides has seen it: `seen` is its
    /// [`updated_at`](super::records::Draft::updated_at) then. `text` is what it says from now on, `to` where it stands. False if
    /// somebody else changed it in between, and nothing is done.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDraft`]; [`StoreError::Transition`] if its life has no such step.
    pub async fn decide_draft(
        &self,
        draft: &str,
        seen: Option<Timestamp>,
        text: Option<&str>,
        to: Option<(DraftStatus, Option<String>)>,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let number = number(draft)?;
        let mut batch = Vec::new();
        if let Some(seen) = seen {
            let same = Statement::new("SELECT 1 FROM drafts WHERE number = $1 AND updated_at = $2");
            batch.push(same.bind(number).bind(seen).must_hit());
        }
        let unseen = batch.len();
        if let Some(text) = text {
            let editable = [DraftStatus::Pending, DraftStatus::Approved, DraftStatus::Rejected, DraftStatus::Exported];
            batch.push(check(number, &editable));
            let edit = Statement::new("UPDATE drafts SET text = $1, updated_at = $2 WHERE number = $3 AND text <> $1");
            batch.push(edit.bind(text).bind(now).bind(number));
        }
        let mut step = DraftStatus::Pending;
        if let Some((to, reason)) = to {
            step = to;
            let mut allowed = vec![to];
            allowed.extend(to.comes_from());
            batch.push(check(number, &allowed));
            batch.push(change(number, to, reason, now));
        }
        match self.write(batch).await? {
            Written::Done(_) => Ok(true),
            Written::Refused { statement, .. } if statement < unseen => match self.draft_status(draft).await? {
                Some(_) => Ok(false),
                None => Err(StoreError::NoSuchDraft { draft: draft.to_owned() }),
            },
            Written::Refused { .. } => Err(self.why_not(draft.to_owned(), step).await),
        }
    }

    async fn why_not(&self, draft: String, to: DraftStatus) -> StoreError {
        match self.draft_status(&draft).await {
            Ok(Some(from)) => StoreError::Transition { draft, from: from.name(), to: to.name() },
            Ok(None) => StoreError::NoSuchDraft { draft },
            Err(error) => error,
        }
    }

    async fn draft_status(&self, draft: &str) -> StoreResult<Option<DraftStatus>> {
        let query = Statement::new("SELECT status FROM drafts WHERE number = $1").bind(number(draft)?);
        let row = self.query(query).await?.pop();
        row.map(|row| status(&row.columns().text()?)).transpose()
    }
}

fn check(number: i64, allowed: &[DraftStatus]) -> Statement {
    let sql = format!("SELECT 1 FROM drafts WHERE number = $1 AND status IN ({})", places(2, allowed.len()));
    allowed.iter().fold(Statement::new(sql).bind(number), |check, status| check.bind(status.name())).must_hit()
}

/// Whoever approves a draft overrules whoever rejected it.
fn change(number: i64, to: DraftStatus, reason: Option<String>, now: Timestamp) -> Statement {
    let rejected_by = (to == DraftStatus::Rejected).then_some(RejectedBy::Review.name());
    Statement::new(
        "UPDATE drafts SET status = $1, rejected_by = $2, reason = $3, updated_at = $4 WHERE number = $5 AND status <> $1",
    )
    .bind(to.name())
    .bind(rejected_by)
    .bind(reason)
    .bind(now)
    .bind(number)
}
