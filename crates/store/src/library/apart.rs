//! Images that look nearly the same and are both wanted.

use std::collections::HashSet;

use crate::database::Statement;
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, never};

/// Pairs are read in pages of this size.
const PAGE: usize = 5_000;

impl Store {
    /// Notes that both images of each pair are wanted, though they look nearly the same.
    pub async fn keep_apart(&self, pairs: &[(String, String)]) -> StoreResult<()> {
        let note = |(a, b): &(String, String)| {
            let (one, other) = if a < b { (a, b) } else { (b, a) };
            Statement::new("INSERT INTO kept_apart (one, other) VALUES ($1, $2) ON CONFLICT (one, other) DO NOTHING")
                .bind(one.as_str())
                .bind(other.as_str())
        };
        self.apply(pairs.iter().map(note).collect(), never).await.map(|_| ())
    }

    /// All pairs that are kept apart, the smaller id first.
    pub async fn kept_apart(&self) -> StoreResult<HashSet<(String, String)>> {
        let mut pairs = HashSet::new();
        let mut after = (String::new(), String::new());
        loop {
            let query = Statement::new(
                "SELECT one, other FROM kept_apart WHERE one > $1 OR (one = $1 AND other > $2) \
                 ORDER BY one, other LIMIT $3",
            )
            .bind(after.0.as_str())
            .bind(after.1.as_str())
            .bind(PAGE);
            let page = rows(self.query(query).await?, |row| {
                let mut columns = row.columns();
                Ok((columns.text()?, columns.text()?))
            })?;
            let whole = page.len() == PAGE;
            after = page.last().cloned().unwrap_or_default();
            pairs.extend(page);
            if !whole {
                return Ok(pairs);
            }
        }
    }
}
