//! Files that somebody gave to make something of: pictures as references and masks, prompts. The bytes are objects.

use atelier_engine::Timestamp;

use crate::cursor::Cursor;
use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::{Store, never};

const COLUMNS: &str = "id, owner, hash, name, kind, format, width, height, bytes, created_at";

/// A file that somebody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// Whose it is: nobody else sees it.
    pub owner: String,
    /// The BLAKE3 hash of its bytes, in hex.
    pub hash: String,
    /// What it was called.
    pub name: String,
    /// `picture` or `prompts`.
    pub kind: String,
    /// Its format, found by reading it.
    pub format: String,
    /// Pixels in a row, of a picture.
    pub width: Option<u32>,
    /// Rows.
    pub height: Option<u32>,
    /// Its size.
    pub bytes: u64,
    /// When it was given.
    pub created_at: Timestamp,
}

impl Upload {
    /// Its place in the list of uploads.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.created_at.as_micros(), &self.id)
    }
}

impl Store {
    /// Keeps an upload, whose bytes are in the object store; the one that is there if its owner gave the same bytes before.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_upload(&self, upload: &Upload) -> StoreResult<Upload> {
        let same = Statement::new(format!(
            "SELECT {COLUMNS} FROM uploads WHERE owner = $1 AND hash = $2 AND kind = $3 ORDER BY created_at LIMIT 1"
        ))
        .bind(self.owner())
        .bind(upload.hash.as_str())
        .bind(upload.kind.as_str());
        if let Some(known) = rows(self.query(same).await?, read)?.pop() {
            return Ok(known);
        }
        let insert =
            Statement::new(format!("INSERT INTO uploads ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"))
                .bind(upload.id.as_str())
                .bind(self.owner())
                .bind(upload.hash.as_str())
                .bind(upload.name.as_str())
                .bind(upload.kind.as_str())
                .bind(upload.format.as_str())
                .bind(upload.width)
                .bind(upload.height)
                .bind(upload.bytes)
                .bind(upload.created_at);
        self.apply(vec![insert], never).await?;
        Ok(Upload { owner: self.owner().to_owned(), ..upload.clone() })
    }

    /// An upload of this store's owner.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`] if there is none of this id, or it is somebody else's; what the database reports.
    pub async fn upload(&self, id: &str) -> StoreResult<Upload> {
        let query = Statement::new(format!("SELECT {COLUMNS} FROM uploads WHERE id = $1 AND owner = $2"));
        let found = rows(self.query(query.bind(id).bind(self.owner())).await?, read)?.pop();
        found.ok_or_else(|| StoreError::NoSuchUpload { upload: id.into() })
    }

    /// A page of this owner's uploads, the latest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn uploads(&self, after: Option<&Cursor>, limit: usize) -> StoreResult<Vec<Upload>> {
        let (at, id) = after.map_or(Ok((i64::MAX, "")), Cursor::parts)?;
        let query = Statement::new(format!(
            "SELECT {COLUMNS} FROM uploads WHERE owner = $1 AND created_at <= $2 AND (created_at < $2 OR id < $3) \
             ORDER BY created_at DESC, id DESC LIMIT $4"
        ))
        .bind(self.owner())
        .bind(at)
        .bind(id)
        .bind(limit);
        rows(self.query(query).await?, read)
    }

    /// Forgets uploads of before a moment: what was made of them keeps what it needs. The hashes of objects that no upload
    /// names any more.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn forget_uploads(&self, before: Timestamp) -> StoreResult<Vec<String>> {
        let delete = Statement::new("DELETE FROM uploads WHERE created_at < $1 RETURNING hash").bind(before);
        let effects = self.apply(vec![delete], never).await?;
        let hashes = effects.into_iter().flat_map(|effect| effect.rows).collect();
        let mut gone = Vec::new();
        for hash in rows(hashes, |row| row.columns().text())? {
            let query = Statement::new("SELECT 1 FROM uploads WHERE hash = $1 LIMIT 1").bind(hash.as_str());
            if self.query(query).await?.is_empty() {
                gone.push(hash);
            }
        }
        Ok(gone)
    }
}

fn read(row: Row) -> StoreResult<Upload> {
    let mut columns = row.columns();
    let small = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    Ok(Upload {
        id: columns.text()?,
        owner: columns.text()?,
        hash: columns.text()?,
        name: columns.text()?,
        kind: columns.text()?,
        format: columns.text()?,
        width: small(columns.optional_integer()?),
        height: small(columns.optional_integer()?),
        bytes: columns.count()?,
        created_at: columns.moment()?,
    })
}
