//! How generations and their images are found and listed.

use super::records::{GENERATION, Generation, MADE, MadeFilter, MadeImage, generation, made};
use crate::cursor::Cursor;
use crate::database::{Statement, Value};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::Store;

impl Store {
    /// The generation of this id, if there is one.
    pub async fn generation(&self, id: &str) -> StoreResult<Option<Generation>> {
        let query = Statement::new(format!("SELECT {GENERATION} FROM generations WHERE id = $1")).bind(id);
        Ok(rows(self.query(query).await?, generation)?.pop())
    }

    /// The images of a generation, by side and place.
    pub async fn made_of(&self, generation: &str) -> StoreResult<Vec<MadeImage>> {
        self.made_where("m.generation = $1 ORDER BY m.side, m.place", vec![generation.into()]).await
    }

    /// The image of this id, if there is one.
    pub async fn made_image(&self, id: &str) -> StoreResult<Option<MadeImage>> {
        Ok(self.made_where("m.id = $1", vec![id.into()]).await?.pop())
    }

    /// The image that an item of a job makes, if it makes one still.
    pub async fn made_by(&self, job: &str, seq: u64) -> StoreResult<Option<MadeImage>> {
        Ok(self.made_where("m.job = $1 AND m.seq = $2", vec![job.into(), seq.into()]).await?.pop())
    }

    /// Whether an image that was made has this object.
    pub async fn made_with_hash(&self, hash: &str) -> StoreResult<bool> {
        let query = Statement::new("SELECT 1 FROM made_images WHERE hash = $1 LIMIT 1").bind(hash);
        Ok(!self.query(query).await?.is_empty())
    }

    /// A page of the images that pass the filter, the newest first.
    pub async fn made_images(
        &self,
        filter: &MadeFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> StoreResult<Vec<MadeImage>> {
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
            add("LOWER(g.prompt) LIKE LOWER(?) ESCAPE '\\'", format!("%{word}%").into());
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
        values.push(limit.into());
        let order = format!("{condition} ORDER BY m.created_at DESC, m.id DESC LIMIT ${}", values.len());
        self.made_where(&order, values).await
    }

    async fn made_where(&self, condition: &str, values: Vec<Value>) -> StoreResult<Vec<MadeImage>> {
        let sql =
            format!("SELECT {MADE} FROM made_images m JOIN generations g ON g.id = m.generation WHERE {condition}");
        let query = values.into_iter().fold(Statement::new(sql), Statement::bind);
        rows(self.query(query).await?, made)
    }
}
