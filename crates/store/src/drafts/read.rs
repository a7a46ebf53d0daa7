//! Reading drafts and answered posts.

use super::records::{Draft, DraftFilter, DraftRow, DraftStatus, RejectedBy, id, number};
use crate::cursor::Cursor;
use crate::database::{Columns, Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::posts;
use crate::scores;
use crate::store::{Store, places};

/// The columns of a [`Draft`] in a table that is called `d`.
const COLUMNS: &str = "d.number, d.project, d.post, d.job, d.kind, d.rank, d.text, d.status, d.rejected_by, d.reason, \
     d.created_at, d.updated_at";

/// Answered posts are read in pages of this size.
const PAGE: usize = 1_000;

impl Store {
    /// The id and text of each post of the project that has drafts or will have, as a job that is not over answers it:
    /// to find near-duplicates by.
    pub async fn answered_posts(&self, project: &str) -> StoreResult<Vec<(String, String)>> {
        let mut posts: Vec<(String, String)> = Vec::new();
        loop {
            let after = posts.last().map_or("", |(id, _)| id.as_str());
            let query = Statement::new(
                "SELECT p.id, p.text FROM posts p WHERE p.project = $1 AND p.id > $2 AND (EXISTS (SELECT 1 FROM answers a \
                 WHERE a.project = p.project AND a.post = p.id AND a.status = 'drafted') OR EXISTS (SELECT 1 FROM claims c \
                 JOIN jobs j ON j.id = c.job WHERE c.project = p.project AND c.post = p.id AND j.state IN ('open', 'parked', \
                 'stopped'))) ORDER BY p.id LIMIT $3",
            )
            .bind(project)
            .bind(after)
            .bind(PAGE);
            let page = rows(self.query(query).await?, |row| {
                let mut columns = row.columns();
                Ok((columns.text()?, columns.text()?))
            })?;
            let last = page.len() < PAGE;
            posts.extend(page);
            if last {
                return Ok(posts);
            }
        }
    }

    /// The draft of this id, with its post; `None` if one of the two is gone.
    pub async fn draft(&self, id: &str) -> StoreResult<Option<DraftRow>> {
        let after = Some(Cursor::new(number(id)?.saturating_sub(1), ""));
        let filter = DraftFilter { after, include_filtered: true, limit: 1, ..DraftFilter::default() };
        Ok(self.drafts(&filter).await?.pop().filter(|row| row.draft.id == id))
    }

    /// A page of drafts, in the order in which they were saved.
    pub async fn drafts(&self, filter: &DraftFilter) -> StoreResult<Vec<DraftRow>> {
        rows(self.query(self.select_drafts(filter)?).await?, draft_row)
    }

    fn select_drafts(&self, filter: &DraftFilter) -> StoreResult<Statement> {
        let after = filter.after.as_ref().map_or(Ok(0), |cursor| cursor.parts().map(|(number, _)| number))?;
        let mut conditions = String::from("d.number > $1");
        let mut values = vec![after.into(), filter.limit.into()];
        let mut require = |condition: &str, given: Vec<crate::database::Value>| {
            if !given.is_empty() {
                let places = places(values.len() + 1, given.len());
                conditions.push_str(" AND ");
                conditions.push_str(&condition.replace("{}", &places));
                values.extend(given);
            }
        };
        require("d.project IN ({})", filter.projects.iter().map(|project| project.as_str().into()).collect());
        require("d.status IN ({})", filter.statuses.iter().map(|status| status.name().into()).collect());
        require("d.kind IN ({})", filter.kinds.iter().map(|kind| kind.as_str().into()).collect());
        require("d.job = {}", filter.job.iter().map(|job| job.as_str().into()).collect());
        require("s.label = {}", filter.label.iter().map(|label| label.as_str().into()).collect());
        require("p.posted_at >= {}", filter.posted_from.into_iter().map(Into::into).collect());
        if !filter.include_filtered {
            conditions.push_str(" AND coalesce(d.rejected_by, '') <> 'filter'");
        }
        let own = format!("d.project IN (SELECT name FROM projects WHERE {})", crate::projects::SEEN);
        conditions.push_str(&self.hiding(&own, &mut values));
        let mut query = Statement::new(format!(
            "SELECT {COLUMNS}, {}, s.post, {} FROM drafts d JOIN posts p ON p.project = d.project AND p.id = d.post \
         LEFT JOIN scores s ON s.project = d.project AND s.post = d.post \
         WHERE {conditions} ORDER BY d.number LIMIT $2",
            posts::COLUMNS,
            scores::COLUMNS
        ));
        query.values = values;
        Ok(query)
    }
}

fn draft_row(row: Row) -> StoreResult<DraftRow> {
    let mut columns = row.columns();
    let draft = draft(&mut columns)?;
    let post = posts::post(&mut columns)?;
    let score = match columns.optional_text()? {
        Some(id) => Some(scores::score(&mut columns, &post.project, &id)?),
        None => None,
    };
    Ok(DraftRow { draft, post, score })
}

fn draft(columns: &mut Columns) -> StoreResult<Draft> {
    Ok(Draft {
        id: id(columns.integer()?),
        project: columns.text()?,
        post: columns.text()?,
        job: columns.shared()?,
        kind: columns.text()?,
        rank: u32::try_from(columns.count()?).unwrap_or(u32::MAX),
        text: columns.text()?,
        status: status(&columns.text()?)?,
        rejected_by: columns.optional_text()?.map(|name| rejected_by(&name)).transpose()?,
        reason: columns.optional_text()?,
        created_at: columns.moment()?,
        updated_at: columns.moment()?,
    })
}

/// The status of this name, as the database holds it.
pub(super) fn status(name: &str) -> StoreResult<DraftStatus> {
    DraftStatus::from_name(name)
        .ok_or_else(|| StoreError::Unexpected { detail: format!("'{name}' is not a status of a draft") })
}

fn rejected_by(name: &str) -> StoreResult<RejectedBy> {
    RejectedBy::from_name(name)
        .ok_or_else(|| StoreError::Unexpected { detail: format!("'{name}' does not reject drafts") })
}
