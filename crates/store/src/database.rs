//! The one thing that a second database has to implement.
//!
//! All of the store's SQL is written once, in the subset that SQLite and PostgreSQL share: `$1`
//! placeholders, text ids, integer microseconds and billionths of a dollar, JSON as text, `ON CONFLICT`,
//! `RETURNING`. What differs (schema, locking, how commits are grouped, what errors mean) sits behind
//! [`Database`].

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{Timestamp, Usd};
use futures_util::future::BoxFuture;

use crate::error::{StoreError, StoreResult};

/// Runs reads and atomic batches of statements.
pub trait Database: Send + Sync {
    /// Runs queries, all on one state of the database, and returns the rows of each.
    fn read(&self, queries: Vec<Statement>) -> BoxFuture<'_, StoreResult<Vec<Vec<Row>>>>;

    /// Runs statements in order, all or none. Done means durable: it survives a power cut. Batches of
    /// callers that wait at the same time may share a commit, but fail alone.
    fn write(&self, batch: Vec<Statement>) -> BoxFuture<'_, StoreResult<Written>>;

    /// Writes all of the database, as of one moment, to a new file, while others go on writing. The
    /// file may be left incomplete when this fails, and need not be synced.
    fn copy_to(&self, file: PathBuf) -> BoxFuture<'_, StoreResult<()>>;
}

/// How a batch ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// Everything was done: the effect of each statement.
    Done(Vec<Effect>),
    /// A statement's guard was not met, so that nothing was done.
    Refused {
        /// Which statement, by its place in the batch.
        statement: usize,
        /// The rows it returned.
        rows: Vec<Row>,
    },
}

/// What a statement did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// How many rows it returned or, if it returns none, changed.
    pub count: u64,
    /// The rows it returned.
    pub rows: Vec<Row>,
}

/// What a statement must do for its batch to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Whatever it does is right.
    #[default]
    Free,
    /// It must return or change at least one row.
    Some,
    /// It must return and change nothing.
    Nothing,
}

/// One statement with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text, with `$1` for the first value.
    pub sql: Cow<'static, str>,
    /// The values.
    pub values: Vec<Value>,
    /// What it must do.
    pub guard: Guard,
}

impl Statement {
    /// A statement without values.
    pub fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), values: Vec::new(), guard: Guard::Free }
    }

    /// With one more value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// It must return or change at least one row, or its batch is undone.
    #[must_use]
    pub fn must_hit(mut self) -> Self {
        self.guard = Guard::Some;
        self
    }

    /// It must return and change nothing, or its batch is undone.
    #[must_use]
    pub fn must_miss(mut self) -> Self {
        self.guard = Guard::Nothing;
        self
    }
}

/// A value, as all databases have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// A whole number, a moment in microseconds, an amount in billionths of a dollar, or 0 and 1 for no
    /// and yes.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text, or JSON.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// The moment at which the statement is run, by the database's clock, in microseconds. It is what processes on
    /// several machines stamp what they write for each other with.
    Now,
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

/// What is beyond the database's integers is stored as their largest, 2^63 − 1.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_micros())
    }
}

/// In microseconds.
impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Integer(i64::try_from(value.as_micros()).unwrap_or(i64::MAX))
    }
}

impl From<Usd> for Value {
    fn from(value: Usd) -> Self {
        Self::Integer(value.as_nanos())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::Text(value)
    }
}

impl From<&Arc<str>> for Value {
    fn from(value: &Arc<str>) -> Self {
        Self::Text(Arc::clone(value))
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// Reads the row's columns from the first on.
    pub fn columns(self) -> Columns {
        Columns { values: self.0.into_iter(), next: 0 }
    }
}

/// Reads a row column by column. Each method takes the next one, and fails if it is of another type.
#[derive(Debug)]
pub struct Columns {
    values: std::vec::IntoIter<Value>,
    next: usize,
}

impl Columns {
    fn take<T>(&mut self, expected: &str, read: impl FnOnce(Value) -> Option<T>) -> StoreResult<T> {
        self.next += 1;
        self.values
            .next()
            .and_then(read)
            .ok_or_else(|| StoreError::Unexpected { detail: format!("column {} is not {expected}", self.next) })
    }

    /// Text.
    pub fn text(&mut self) -> StoreResult<String> {
        self.shared().map(|text| text.as_ref().into())
    }

    /// Text that is shared.
    pub fn shared(&mut self) -> StoreResult<Arc<str>> {
        self.take("text", |value| if let Value::Text(text) = value { Some(text) } else { None })
    }

    /// Text, or none.
    pub fn optional_text(&mut self) -> StoreResult<Option<String>> {
        self.take("text or nothing", |value| match value {
            Value::Text(text) => Some(Some(text.as_ref().into())),
            Value::Null => Some(None),
            _ => None,
        })
    }

    /// A whole number.
    pub fn integer(&mut self) -> StoreResult<i64> {
        self.take("a whole number", |value| if let Value::Integer(number) = value { Some(number) } else { None })
    }

    /// A whole number, or none.
    pub fn optional_integer(&mut self) -> StoreResult<Option<i64>> {
        self.take("a whole number or nothing", |value| match value {
            Value::Integer(number) => Some(Some(number)),
            Value::Null => Some(None),
            _ => None,
        })
    }

    /// A whole number that is not negative.
    pub fn count(&mut self) -> StoreResult<u64> {
        self.take("a count", |value| if let Value::Integer(number) = value { u64::try_from(number).ok() } else { None })
    }

    /// Yes or no.
    pub fn flag(&mut self) -> StoreResult<bool> {
        self.integer().map(|number| number != 0)
    }

    /// A number.
    pub fn real(&mut self) -> StoreResult<f64> {
        self.take("a number", |value| if let Value::Real(number) = value { Some(number) } else { None })
    }

    /// Bytes.
    pub fn bytes(&mut self) -> StoreResult<Vec<u8>> {
        self.take("bytes", |value| if let Value::Bytes(bytes) = value { Some(bytes.to_vec()) } else { None })
    }

    /// A moment.
    pub fn moment(&mut self) -> StoreResult<Timestamp> {
        self.integer().map(Timestamp::from_micros)
    }

    /// A moment, or none.
    pub fn optional_moment(&mut self) -> StoreResult<Option<Timestamp>> {
        self.optional_integer().map(|micros| micros.map(Timestamp::from_micros))
    }

    /// Money.
    pub fn usd(&mut self) -> StoreResult<Usd> {
        self.integer().map(Usd::from_nanos)
    }

    /// JSON.
    pub fn json(&mut self) -> StoreResult<serde_json::Value> {
        let text = self.shared()?;
        serde_json::from_str(&text)
            .map_err(|error| StoreError::Unexpected { detail: format!("column {} is not JSON: {error}", self.next) })
    }
}
