//! Finding and listing images.

use std::collections::HashMap;

use super::records::{COLUMNS, Image, ImageFilter, ImageShape, ScoreKind, image};
use crate::cursor::Cursor;
use crate::database::{Row, Statement, Value};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, places};

/// Images are looked up in groups of this size.
const LOOK_UP: usize = 500;

/// Newest first.
const ORDER: &str = "ORDER BY i.added_at DESC, i.id DESC";

impl Store {
    /// The image of this id, if there is one.
    pub async fn image(&self, id: &str) -> StoreResult<Option<Image>> {
        Ok(self.images_where("i.id = $1".into(), vec![id.into()]).await?.pop())
    }

    /// The image of this content, if there is one: by the BLAKE3 hash of its file, in hex.
    pub async fn image_with_hash(&self, hash: &str) -> StoreResult<Option<Image>> {
        Ok(self.images_where("i.hash = $1".into(), vec![hash.into()]).await?.pop())
    }

    /// The images of these ids, in their order. One that is not there is left out.
    pub async fn images_with_ids(&self, ids: &[String]) -> StoreResult<Vec<Image>> {
        let found = self.images_among("i.id", ids).await?;
        let mut found: HashMap<String, Image> = found.into_iter().map(|image| (image.id.clone(), image)).collect();
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// The images of these contents, in no order: by the BLAKE3 hashes of their files, in hex.
    pub async fn images_with_hashes(&self, hashes: &[String]) -> StoreResult<Vec<Image>> {
        self.images_among("i.hash", hashes).await
    }

    async fn images_among(&self, column: &str, wanted: &[String]) -> StoreResult<Vec<Image>> {
        let mut images = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(LOOK_UP) {
            let condition = format!("{column} IN ({})", places(1, some.len()));
            let values = some.iter().map(|value| value.as_str().into()).collect();
            images.extend(self.images_where(condition, values).await?);
        }
        Ok(images)
    }

    /// A page of the images that pass the filter, the newest first.
    pub async fn images(&self, filter: &ImageFilter, after: Option<&Cursor>, limit: usize) -> StoreResult<Vec<Image>> {
        let (added_at, id) = match after {
            Some(cursor) => cursor.parts()?,
            None => (i64::MAX, ""),
        };
        let (mut condition, mut values) = passes(filter);
        let place = values.len() + 1;
        condition.push_str(&format!(
            " AND i.added_at <= ${place} AND (i.added_at < ${place} OR i.id < ${}) {ORDER} LIMIT ${}",
            place + 1,
            place + 2
        ));
        values.extend([added_at.into(), id.into(), limit.into()]);
        self.images_where(condition, values).await
    }

    /// The images with the best of these scores, the best first: their ids and scores. Of one collection, or of all.
    pub async fn images_by_score(
        &self,
        kind: ScoreKind,
        collection: Option<&str>,
        limit: usize,
    ) -> StoreResult<Vec<(String, f64)>> {
        let column = kind.column();
        let within = "AND EXISTS (SELECT 1 FROM image_collections c WHERE c.image = i.id AND c.collection = $2)";
        let within = if collection.is_some() { within } else { "" };
        let sql = format!(
            "SELECT i.id, i.{column} FROM images i WHERE i.{column} IS NOT NULL {within} \
             ORDER BY i.{column} DESC, i.id LIMIT $1"
        );
        let query = collection.into_iter().fold(Statement::new(sql).bind(limit), Statement::bind);
        rows(self.query(query).await?, |row| {
            let mut columns = row.columns();
            Ok((columns.text()?, columns.real()?))
        })
    }

    /// A page of the shapes of the images that pass the filter, in the order of [`Store::images`].
    pub async fn image_shapes(
        &self,
        filter: &ImageFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> StoreResult<Vec<ImageShape>> {
        let (added_at, id) = match after {
            Some(cursor) => cursor.parts()?,
            None => (i64::MAX, ""),
        };
        let (condition, mut values) = passes(filter);
        let place = values.len() + 1;
        values.extend([added_at.into(), id.into(), limit.into()]);
        let mut query = Statement::new(format!(
            "SELECT i.id, i.width, i.height, i.added_at FROM images i WHERE {condition} AND i.added_at <= ${place} \
             AND (i.added_at < ${place} OR i.id < ${}) {ORDER} LIMIT ${}",
            place + 1,
            place + 2
        ));
        query.values = values;
        rows(self.query(query).await?, |row| {
            let mut columns = row.columns();
            let id = columns.text()?;
            let side = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            let (width, height) = (side(columns.count()?), side(columns.count()?));
            let cursor = Cursor::new(columns.integer()?, &id);
            Ok(ImageShape { id, width, height, cursor })
        })
    }

    /// The number of images that pass the filter.
    pub async fn image_count(&self, filter: &ImageFilter) -> StoreResult<u64> {
        let (condition, values) = passes(filter);
        let mut query = Statement::new(format!("SELECT count(*) FROM images i WHERE {condition}"));
        query.values = values;
        Ok(rows(self.query(query).await?, |row| row.columns().count())?.into_iter().sum())
    }

    /// A page of the perceptual hashes of all images, by id, after this one.
    pub async fn image_phashes(&self, after: Option<&str>, limit: usize) -> StoreResult<Vec<(String, u64)>> {
        let query = Statement::new("SELECT id, phash FROM images WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.unwrap_or_default())
            .bind(limit);
        rows(self.query(query).await?, |row: Row| {
            let mut columns = row.columns();
            Ok((columns.text()?, columns.integer()?.cast_unsigned()))
        })
    }

    /// The images that meet a condition, which may end in an order and a limit, with their tags and
    /// collections as of the same moment.
    async fn images_where(&self, condition: String, values: Vec<Value>) -> StoreResult<Vec<Image>> {
        let page = format!("(SELECT i.id FROM images i WHERE {condition})");
        let queries = [
            format!("SELECT {COLUMNS} FROM images i WHERE i.id IN {page} {ORDER}"),
            format!("SELECT image, tag FROM image_tags WHERE image IN {page} ORDER BY tag"),
            format!("SELECT image, collection FROM image_collections WHERE image IN {page} ORDER BY collection"),
        ];
        let query = |sql: String| Statement { values: values.clone(), ..Statement::new(sql) };
        let mut answers = self.read(queries.into_iter().map(query).collect()).await?.into_iter();
        let mut images = rows(answers.next().unwrap_or_default(), image)?;
        let mut tags = grouped(answers.next().unwrap_or_default())?;
        let mut collections = grouped(answers.next().unwrap_or_default())?;
        for image in &mut images {
            image.tags = tags.remove(&image.id).unwrap_or_default();
            image.collections = collections.remove(&image.id).unwrap_or_default();
        }
        Ok(images)
    }
}

/// The second column's texts by those of the first.
fn grouped(rows: Vec<Row>) -> StoreResult<HashMap<String, Vec<String>>> {
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        let mut columns = row.columns();
        groups.entry(columns.text()?).or_default().push(columns.text()?);
    }
    Ok(groups)
}

/// The condition in SQL that an image passes the filter, and its values.
fn passes(filter: &ImageFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    let mut with = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("${}", values.len())));
    };
    for tag in &filter.tags {
        with("i.id IN (SELECT image FROM image_tags WHERE tag = ?)", tag.as_str().into());
    }
    for collection in &filter.collections {
        with("i.id IN (SELECT image FROM image_collections WHERE collection = ?)", collection.as_str().into());
    }
    for (column, value) in [("category", &filter.category), ("format", &filter.format), ("uploader", &filter.uploader)]
    {
        if let Some(value) = value {
            with(&format!("i.{column} = ?"), value.as_str().into());
        }
    }
    if let Some(from) = filter.added_from {
        with("i.added_at >= ?", from.into());
    }
    if let Some(before) = filter.added_before {
        with("i.added_at < ?", before.into());
    }
    (conditions.join(" AND "), values)
}
