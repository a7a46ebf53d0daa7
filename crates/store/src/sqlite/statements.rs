//! Statements and rows, from the store's form to SQLite's and back.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use crate::database::{Effect, Row, Statement, Value};

/// Prepares a statement, or finds it among those prepared before, and binds its values.
///
/// To SQLite `$2` is a name like any other and its place is that of its first mention, so values are
/// found by the number in the name.
pub(super) fn prepare<'c>(connection: &'c Connection, statement: &Statement) -> rusqlite::Result<CachedStatement<'c>> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let mut bound = 0;
    for place in 1..=prepared.parameter_count() {
        let number = prepared.parameter_name(place).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let value = number.and_then(|number| statement.values.get(number.checked_sub(1)?));
        let value = value.ok_or(rusqlite::Error::InvalidParameterCount(statement.values.len(), place))?;
        prepared.raw_bind_parameter(place, value)?;
        bound += 1;
    }
    if bound != statement.values.len() {
        return Err(rusqlite::Error::InvalidParameterCount(statement.values.len(), bound));
    }
    Ok(prepared)
}

/// Runs a prepared statement to its end.
pub(super) fn run(prepared: &mut CachedStatement<'_>) -> rusqlite::Result<Effect> {
    let columns = prepared.column_count();
    if columns == 0 {
        return Ok(Effect { count: prepared.raw_execute()? as u64, rows: Vec::new() });
    }
    let mut rows = Vec::new();
    let mut answer = prepared.raw_query();
    while let Some(row) = answer.next()? {
        let values = (0..columns).map(|column| row.get_ref(column).and_then(value)).collect::<Result<_, _>>()?;
        rows.push(Row(values));
    }
    Ok(Effect { count: rows.len() as u64, rows })
}

fn value(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(std::str::from_utf8(bytes)?.into()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
