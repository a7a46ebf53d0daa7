//! A cache of vectors, by embedder and hash of what was embedded.

use std::collections::HashMap;
use std::sync::Arc;

use crate::database::Statement;
use crate::error::StoreResult;
use crate::store::{Store, never};

/// Vectors are looked up in groups of this size.
const LOOK_UP: usize = 500;

impl Store {
    /// Keeps vectors that this embedder made, by the hash of what it was given. One that is kept
    /// already is replaced.
    pub async fn put_vectors(&self, embedder: &str, vectors: Vec<(String, Vec<u8>)>) -> StoreResult<()> {
        let embedder: Arc<str> = embedder.into();
        let put = |(hash, bytes): (String, Vec<u8>)| {
            Statement::new(
                "INSERT INTO vectors (embedder, hash, bytes) VALUES ($1, $2, $3) \
                 ON CONFLICT (embedder, hash) DO UPDATE SET bytes = excluded.bytes",
            )
            .bind(&embedder)
            .bind(hash)
            .bind(bytes)
        };
        self.apply(vectors.into_iter().map(put).collect(), never).await.map(|_| ())
    }

    /// The vectors that are kept for these hashes, by hash.
    pub async fn vectors(&self, embedder: &str, hashes: &[String]) -> StoreResult<HashMap<String, Vec<u8>>> {
        let embedder: Arc<str> = embedder.into();
        let mut vectors = HashMap::with_capacity(hashes.len());
        for hashes in hashes.chunks(LOOK_UP) {
            let query = |hash: &String| {
                Statement::new("SELECT bytes FROM vectors WHERE embedder = $1 AND hash = $2")
                    .bind(&embedder)
                    .bind(hash.as_str())
            };
            let answers = self.read(hashes.iter().map(query).collect()).await?;
            for (hash, rows) in hashes.iter().zip(answers) {
                for row in rows {
                    vectors.insert(hash.clone(), row.columns().bytes()?);
                }
            }
        }
        Ok(vectors)
    }
}
