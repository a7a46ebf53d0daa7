//! Statements and rows, from the store's form to SQLite's and back.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use atelier_engine::Clock;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use crate::database::{Effect, Row, Statement, Value};

/// The most texts whose places are remembered. Only texts with lists of values make so many.
const REMEMBERED: usize = 512;

/// A connection, and the places of values in the statements that it has prepared.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    /// For each text, which value goes to which place.
    orders: RefCell<HashMap<Box<str>, Arc<[usize]>>>,
    clock: Option<Clock>,
}

impl Session {
    pub(super) fn new(connection: Connection, clock: Option<Clock>) -> Self {
        Self { connection, orders: RefCell::default(), clock }
    }

    fn now(&self) -> Value {
        self.clock.unwrap_or_else(Clock::system).now().into()
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Prepares a statement, or finds it among those prepared before, and binds its values.
    pub(super) fn prepare(&self, statement: &Statement) -> rusqlite::Result<CachedStatement<'_>> {
        let mut prepared = self.connection.prepare_cached(&statement.sql)?;
        let order = self.order(&prepared, &statement.sql)?;
        let values = &statement.values;
        if order.len() != values.len() {
            return Err(rusqlite::Error::InvalidParameterCount(values.len(), order.len()));
        }
        for (place, number) in (1..).zip(order.iter()) {
            let value = values.get(*number).ok_or(rusqlite::Error::InvalidParameterCount(values.len(), place))?;
            match value {
                Value::Now => prepared.raw_bind_parameter(place, self.now())?,
                value => prepared.raw_bind_parameter(place, value)?,
            }
        }
        Ok(prepared)
    }

    /// To SQLite `$2` is a name like any other and its place is that of its first mention, so values are found
    /// by the number in the name. Names are looked for from the first one on each time, hence this memory.
    fn order(&self, prepared: &CachedStatement<'_>, sql: &str) -> rusqlite::Result<Arc<[usize]>> {
        if let Some(order) = self.orders.borrow().get(sql) {
            return Ok(Arc::clone(order));
        }
        let number = |place| prepared.parameter_name(place)?.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1);
        let order: Option<Arc<[usize]>> = (1..=prepared.parameter_count()).map(number).collect();
        let order = order.ok_or(rusqlite::Error::InvalidParameterCount(0, prepared.parameter_count()))?;
        let mut orders = self.orders.borrow_mut();
        if orders.len() >= REMEMBERED {
            orders.clear();
        }
        orders.insert(sql.into(), Arc::clone(&order));
        Ok(order)
    }
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
            // Now is bound by whoever has a clock.
            Self::Null | Self::Now => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
