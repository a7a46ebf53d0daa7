//! Files that were imported.

use std::collections::HashMap;

use atelier_engine::Timestamp;

use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::{Store, never, places};

/// Paths are looked up in groups of this size.
const LOOK_UP: usize = 500;

/// A file as it was when it was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSource {
    /// Its absolute path.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// Its likeness to its image.
    pub likeness: Likeness,
}

/// The likeness of a file to the image that it was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Byte for byte.
    Same,
    /// A near duplicate, which is not kept.
    Near,
}

impl Likeness {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Near => "near",
        }
    }
}

impl Store {
    /// By path, the files among these that were imported: as they were then, each with the id of its image.
    pub async fn image_sources(&self, paths: &[String]) -> StoreResult<HashMap<String, (ImageSource, String)>> {
        let mut found = HashMap::with_capacity(paths.len());
        for paths in paths.chunks(LOOK_UP) {
            let query = Statement::new(format!(
                "SELECT path, bytes, modified_at, likeness, image FROM image_sources WHERE path IN ({})",
                places(1, paths.len())
            ));
            let query = paths.iter().fold(query, |query, path| query.bind(path.as_str()));
            for (source, image) in rows(self.query(query).await?, source)? {
                found.insert(source.path.clone(), (source, image));
            }
        }
        Ok(found)
    }

    /// Notes which images these files were taken for, each in the place of what was noted before. Of an
    /// image that is gone nothing is noted.
    pub async fn put_image_sources(&self, sources: Vec<(String, ImageSource)>) -> StoreResult<()> {
        let put = |(image, source): (String, ImageSource)| put_source(&image, source);
        self.apply(sources.into_iter().map(put).collect(), never).await.map(|_| ())
    }
}

pub(super) fn put_source(image: &str, source: ImageSource) -> Statement {
    Statement::new(
        "INSERT INTO image_sources (path, bytes, modified_at, likeness, image) \
         SELECT $1, $2, $3, $4, id FROM images WHERE id = $5 \
         ON CONFLICT (path) DO UPDATE SET bytes = excluded.bytes, modified_at = excluded.modified_at, \
         likeness = excluded.likeness, image = excluded.image",
    )
    .bind(source.path)
    .bind(source.bytes)
    .bind(source.modified_at)
    .bind(source.likeness.as_str())
    .bind(image)
}

fn source(row: Row) -> StoreResult<(ImageSource, String)> {
    let mut columns = row.columns();
    let source = ImageSource {
        path: columns.text()?,
        bytes: columns.count()?,
        modified_at: columns.moment()?,
        likeness: match &*columns.shared()? {
            "same" => Likeness::Same,
            "near" => Likeness::Near,
            other => return Err(StoreError::Unexpected { detail: format!("'{other}' is no likeness") }),
        },
    };
    Ok((source, columns.text()?))
}
