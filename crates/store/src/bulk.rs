//! Statements that write many rows at once: preparing and stepping a statement costs more than a row.

use crate::database::Statement;

/// Rows go into statements of these sizes, so that few texts are prepared, whatever the number of rows.
const SIZES: [usize; 3] = [64, 8, 1];

/// One statement's texts, for each size.
pub(crate) struct Bulk([String; SIZES.len()]);

impl Bulk {
    /// `text` makes the statement from its rows. `row` makes each of these from its place among them and that
    /// of the first of its own `columns` values, those before being values that all rows share.
    pub(crate) fn new(
        shared: usize,
        columns: usize,
        row: impl Fn(usize, usize) -> String,
        text: impl Fn(&str) -> String,
    ) -> Self {
        Self(SIZES.map(|size| {
            let rows: Vec<String> = (0..size).map(|number| row(number, shared + 1 + number * columns)).collect();
            text(&rows.join(", "))
        }))
    }

    /// Statements for all of `rows`, in their order. `shared` binds the shared values and `bind` those of a row.
    pub(crate) fn statements<T>(
        &'static self,
        mut rows: Vec<T>,
        shared: impl Fn(Statement) -> Statement,
        bind: impl Fn(Statement, T) -> Statement,
    ) -> Vec<Statement> {
        let mut statements = Vec::with_capacity(rows.len() / SIZES[0] + 2);
        let mut rows = rows.drain(..);
        for (size, text) in SIZES.into_iter().zip(&self.0) {
            while rows.len() >= size {
                let statement = shared(Statement::new(text.as_str()));
                statements.push(rows.by_ref().take(size).fold(statement, &bind));
            }
        }
        statements
    }
}
