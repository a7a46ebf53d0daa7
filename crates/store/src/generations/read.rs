//! How generations and their images are found and listed.

use atelier_engine::JobId;

use super::records::{GENERATION, GeneratedFilter, GeneratedImage, Generation, MADE, generation, made};
use crate::cursor::Cursor;
use crate::database::{Statement, Value};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::Store;

/// What somebody may see of generations `g`: their own, and what was shared.
const SEEN: &str = "g.owner = ? OR g.shared = 1";

impl Store {
    /// The generation of this id, if there is one.
    pub async fn generation(&self, id: &str) -> StoreResult<Option<Generation>> {
        let mut query = Statement::new("").bind(id);
        let hiding = self.hiding("owner = ? OR shared = 1", &mut query.values);
        query.sql = format!("SELECT {GENERATION} FROM generations WHERE id = $1{hiding}").into();
        Ok(rows(self.query(query).await?, generation)?.pop())
    }

    /// The images of a generation, by side and place.
    pub async fn images_of_generation(&self, generation: &str) -> StoreResult<Vec<GeneratedImage>> {
        let mut values = vec![generation.into()];
        let hiding = self.hiding(SEEN, &mut values);
        self.generated_where(&format!("m.generation = $1{hiding} ORDER BY m.side, m.place"), values).await
    }

    /// The image of this id, if there is one.
    pub async fn generated_image(&self, id: &str) -> StoreResult<Option<GeneratedImage>> {
        let mut values = vec![id.into()];
        let hiding = self.hiding(SEEN, &mut values);
        Ok(self.generated_where(&format!("m.id = $1{hiding}"), values).await?.pop())
    }

    /// The image that an item of a job makes, if it makes one still.
    pub async fn generated_by(&self, job: &str, seq: u64) -> StoreResult<Option<GeneratedImage>> {
        Ok(self.generated_where("m.job = $1 AND m.seq = $2", vec![job.into(), seq.into()]).await?.pop())
    }

    /// The places in this job of the images that it is to make or has made: those that another job makes by now, or
    /// that were deleted, are not among them.
    pub async fn generated_seqs(&self, job: &str) -> StoreResult<Vec<u64>> {
        let query = Statement::new("SELECT seq FROM made_images WHERE job = $1").bind(job);
        rows(self.query(query).await?, |row| row.columns().count())
    }

    /// The jobs that make images of a generation, the oldest first.
    pub async fn jobs_of_generation(&self, generation: &str) -> StoreResult<Vec<JobId>> {
        // A job is called as its generation, or so with more behind a dash.
        let query = Statement::new(
            "SELECT id FROM jobs WHERE kind = 'images' AND (id = $1 OR (id >= $2 AND id < $3)) ORDER BY created_at, id",
        )
        .bind(generation)
        .bind(format!("{generation}-").as_str())
        .bind(format!("{generation}.").as_str());
        rows(self.query(query).await?, |row| Ok(row.columns().text()?.into()))
    }

    /// Whether an image that was made has this object.
    pub async fn generated_with_hash(&self, hash: &str) -> StoreResult<bool> {
        let query = Statement::new(
            "SELECT 1 FROM made_images WHERE hash = $1 UNION ALL SELECT 1 FROM trash_made_images WHERE hash = $1 LIMIT 1",
        )
        .bind(hash);
        Ok(!self.query(query).await?.is_empty())
    }

    /// A page of the images that pass the filter, the newest first.
    pub async fn generated_images(
        &self,
        filter: &GeneratedFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> StoreResult<Vec<GeneratedImage>> {
        let (created_at, id) = match after {
            Some(cursor) => cursor.parts()?,
            None => (i64::MAX, ""),
        };
        let mut values: Vec<Value> = vec![created_at.into(), id.into()];
        let mut condition = "m.created_at <= $1 AND (m.created_at < $1 OR m.id < $2)".to_owned();
        let mut add = |text: &str, value: Value| {
            values.push(value);
            condition.push_str(&format!(" AND {}", text.replace('?', &format!("${}", values.len()))));
        };
        for word in &filter.words {
            let word = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            add("LOWER(coalesce(m.written, g.prompt)) LIKE LOWER(?) ESCAPE '\\'", format!("%{word}%").into());
        }
        let equal = [
            ("m.model = ?", &filter.model),
            ("g.project = ?", &filter.project),
            ("m.generation = ?", &filter.generation),
        ];
        for (text, value) in equal {
            if let Some(value) = value {
                add(text, value.as_str().into());
            }
        }
        if filter.liked {
            add("m.liked = ?", true.into());
        }
        if let Some(state) = filter.state {
            add("m.state = ?", state.name().into());
        }
        if let Some(from) = filter.from {
            add("m.created_at >= ?", from.into());
        }
        if let Some(before) = filter.before {
            add("m.created_at < ?", before.into());
        }
        let own = if filter.shared { "(g.owner = ? OR g.shared = 1)" } else { "g.owner = ?" };
        condition.push_str(&self.hiding(own, &mut values));
        values.push(limit.into());
        let order = format!("{condition} ORDER BY m.created_at DESC, m.id DESC LIMIT ${}", values.len());
        self.generated_where(&order, values).await
    }

    async fn generated_where(&self, condition: &str, values: Vec<Value>) -> StoreResult<Vec<GeneratedImage>> {
        let sql =
            format!("SELECT {MADE} FROM made_images m JOIN generations g ON g.id = m.generation WHERE {condition}");
        let query = values.into_iter().fold(Statement::new(sql), Statement::bind);
        rows(self.query(query).await?, made)
    }
}
