//! From filters to the rows that they keep.

use std::ops::RangeInclusive;

use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};

use crate::error::SearchResult;
use crate::query::Filter;
use crate::rows::RowSet;
use crate::schema::{DATE, HEIGHT, IndexFields, WIDTH, facet};
use crate::vectors;
use crate::view::IndexView;

/// The living rows that fulfil all filters.
pub(crate) fn allowed(view: &IndexView, fields: &IndexFields, filters: &[Filter]) -> SearchResult<RowSet> {
    let mut kept = view.alive().clone();
    for filter in filters {
        kept.intersect(&keep(view, fields, filter)?);
    }
    Ok(kept)
}

/// The rows that fulfil a filter, among them perhaps dead ones.
fn keep(view: &IndexView, fields: &IndexFields, filter: &Filter) -> SearchResult<RowSet> {
    match filter {
        Filter::Category(category) => having(view, fields, &facet::category(category)),
        Filter::Tag(tag) => having(view, fields, &facet::tag(tag)),
        Filter::Attribute(name, value) => having(view, fields, &facet::attribute(name, value)),
        Filter::Orientation(orientation) => having(view, fields, &facet::orientation(*orientation)),
        Filter::Uploader(uploader) => having(view, fields, &facet::uploader(uploader)),
        Filter::Collection(collection) => having(view, fields, &facet::collection(collection)),
        Filter::Width(range) => sized(view, WIDTH, range),
        Filter::Height(range) => sized(view, HEIGHT, range),
        Filter::Date(range) => dated(view, range),
        Filter::Color(rgb, distance) => {
            let mut kept = view.no_rows();
            for (row, _) in vectors::near_color(view.segments(), *rgb, *distance, view.alive())? {
                kept.insert(row);
            }
            Ok(kept)
        }
        Filter::Any(filters) => {
            let mut kept = view.no_rows();
            for filter in filters {
                kept.unite(&keep(view, fields, filter)?);
            }
            Ok(kept)
        }
        Filter::All(filters) => allowed(view, fields, filters),
        Filter::Not(filter) => {
            let mut kept = view.alive().clone();
            kept.subtract(&keep(view, fields, filter)?);
            Ok(kept)
        }
    }
}

/// The rows that have a filter's term.
fn having(view: &IndexView, fields: &IndexFields, facet: &str) -> SearchResult<RowSet> {
    let term = fields.facet_term(facet);
    let mut kept = view.no_rows();
    for (segment, reader) in view.searcher().segment_readers().iter().enumerate() {
        let inverted = reader.inverted_index(term.field())?;
        let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)? else { continue };
        let rows = view.rows_of(segment);
        let mut doc = postings.doc();
        while doc != TERMINATED {
            if let Some(&row) = rows.get(doc as usize) {
                kept.insert(row);
            }
            doc = postings.advance();
        }
    }
    Ok(kept)
}

fn sized(view: &IndexView, column: &str, range: &RangeInclusive<u32>) -> SearchResult<RowSet> {
    let range = u64::from(*range.start())..=u64::from(*range.end());
    let mut kept = view.no_rows();
    for (segment, reader) in view.searcher().segment_readers().iter().enumerate() {
        let column = reader.fast_fields().u64(column)?;
        let Some(range) = within(&range, column.min_value(), column.max_value()) else { continue };
        let mut docs = Vec::new();
        column.values.get_row_ids_for_value_range(range, 0..reader.max_doc(), &mut docs);
        insert(&mut kept, view.rows_of(segment), &docs);
    }
    Ok(kept)
}

fn dated(view: &IndexView, range: &RangeInclusive<i64>) -> SearchResult<RowSet> {
    let mut kept = view.no_rows();
    for (segment, reader) in view.searcher().segment_readers().iter().enumerate() {
        let column = reader.fast_fields().i64(DATE)?;
        let Some(range) = within(range, column.min_value(), column.max_value()) else { continue };
        let mut docs = Vec::new();
        column.values.get_row_ids_for_value_range(range, 0..reader.max_doc(), &mut docs);
        insert(&mut kept, view.rows_of(segment), &docs);
    }
    Ok(kept)
}

/// The part of a range in which a column has values. A column that is asked for values below its least gives
/// those that have the least.
fn within<T: Copy + Ord>(range: &RangeInclusive<T>, least: T, greatest: T) -> Option<RangeInclusive<T>> {
    let (from, until) = (*range.start().max(&least), *range.end().min(&greatest));
    (from <= until).then_some(from..=until)
}

fn insert(kept: &mut RowSet, rows: &[u32], docs: &[u32]) {
    for &doc in docs {
        if let Some(&row) = rows.get(doc as usize) {
            kept.insert(row);
        }
    }
}
