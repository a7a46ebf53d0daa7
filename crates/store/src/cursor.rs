//! Cursors: where the next page of a list starts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{StoreError, StoreResult};

/// A place in a list: the next page starts after it. Taken from the last row of a page; may be written
/// down as text and read again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// After the row that sorts by a number, then by a name.
    pub(crate) fn new(number: i64, name: &str) -> Self {
        Self(if name.is_empty() { number.to_string() } else { format!("{number}.{name}") })
    }

    /// The number and the name.
    pub(crate) fn parts(&self) -> StoreResult<(i64, &str)> {
        let bad = || StoreError::BadCursor { cursor: self.0.clone() };
        let (number, name) = self.0.split_once('.').unwrap_or((&self.0, ""));
        Ok((number.parse().map_err(|_| bad())?, name))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> StoreResult<Self> {
        let cursor = Self(text.to_owned());
        cursor.parts()?;
        Ok(cursor)
    }
}
