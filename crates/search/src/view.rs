//! One state of the index, as searches see it. It does not change: a commit makes a new one.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::index::SegmentId;
use tantivy::schema::{Field, IndexRecordOption, TantivyDocument, Value};
use tantivy::{DocAddress, DocSet, Searcher, SegmentReader, TERMINATED, Term};

use crate::error::{SearchError, SearchResult};
use crate::folder::IndexGeneration;
use crate::manifest::Manifest;
use crate::rows::RowSet;
use crate::schema::{DATE, IndexFields, ROW};
use crate::vectors::Segment;

/// A state of the index.
pub(crate) struct IndexView {
    generation: IndexGeneration,
    manifest: Manifest,
    searcher: Searcher,
    docs: Vec<Arc<DocRows>>,
    segments: Vec<Arc<Segment>>,
    alive: RowSet,
    images: usize,
}

/// The stored fields that a hit shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) filename: String,
}

/// The rows of the lexical segments that a process has read.
pub(crate) type DocRowsBySegment = HashMap<SegmentId, Arc<DocRows>>;

/// The rows of a lexical segment's documents.
pub(crate) struct DocRows {
    rows: Vec<u32>,
    /// Documents by rising row; none if that is their own order.
    by_row: Option<Vec<u32>>,
}

impl DocRows {
    fn read(reader: &SegmentReader) -> SearchResult<Self> {
        let column = reader.fast_fields().u64(ROW)?;
        if column.values.num_vals() != reader.max_doc() {
            return Err(SearchError::damaged("words/meta.json", "a segment has another number of images"));
        }
        let mut values = vec![0; reader.max_doc() as usize];
        column.values.get_range(0, &mut values);
        let rows: Vec<u32> = values.iter().map(|&row| u32::try_from(row).unwrap_or(u32::MAX)).collect();
        let by_row = (!rows.is_sorted()).then(|| {
            let mut docs: Vec<u32> = (0..reader.max_doc()).collect();
            docs.sort_unstable_by_key(|&doc| rows[doc as usize]);
            docs
        });
        Ok(Self { rows, by_row })
    }

    fn doc_of(&self, row: u32) -> Option<u32> {
        match &self.by_row {
            None => self.rows.binary_search(&row).ok().map(|doc| doc as u32),
            Some(docs) => docs.binary_search_by_key(&row, |&doc| self.rows[doc as usize]).ok().map(|place| docs[place]),
        }
    }
}

/// The most documents of a term that are counted one by one; beyond, their number is estimated.
const COUNTED: u32 = 10_000;

impl IndexView {
    /// The state of this manifest. Lexical segments that `known` has are not read again, and those that are
    /// no more are forgotten.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] if the lexical index holds another number of images than the manifest says.
    pub(crate) fn new(
        generation: IndexGeneration,
        manifest: Manifest,
        searcher: Searcher,
        segments: Vec<Arc<Segment>>,
        known: &mut DocRowsBySegment,
    ) -> SearchResult<Self> {
        let mut alive = RowSet::empty(manifest.next_row);
        let mut docs = Vec::with_capacity(searcher.segment_readers().len());
        let mut still_known = HashMap::new();
        for reader in searcher.segment_readers() {
            let rows = match known.remove(&reader.segment_id()) {
                Some(rows) => rows,
                None => Arc::new(DocRows::read(reader)?),
            };
            match reader.alive_bitset() {
                None => rows.rows.iter().for_each(|&row| alive.insert(row)),
                Some(living) => living.iter_alive().for_each(|doc| alive.insert(rows.rows[doc as usize])),
            }
            still_known.insert(reader.segment_id(), Arc::clone(&rows));
            docs.push(rows);
        }
        *known = still_known;
        let images = alive.len();
        if images as u64 != manifest.images || searcher.num_docs() != manifest.images {
            return Err(SearchError::damaged(
                "words/meta.json",
                format!("it has {images} images, and its manifest says {}", manifest.images),
            ));
        }
        Ok(Self { generation, manifest, searcher, docs, segments, alive, images })
    }

    pub(crate) fn generation(&self) -> &IndexGeneration {
        &self.generation
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn searcher(&self) -> &Searcher {
        &self.searcher
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The rows of images that are there.
    pub(crate) fn alive(&self) -> &RowSet {
        &self.alive
    }

    /// An empty set with room for every row.
    pub(crate) fn no_rows(&self) -> RowSet {
        RowSet::empty(self.manifest.next_row)
    }

    /// Number of images.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// The rows of a lexical segment's documents.
    pub(crate) fn rows_of(&self, segment: usize) -> &[u32] {
        &self.docs[segment].rows
    }

    /// Number of images that have a term. Removed and replaced documents stay in their segment until it is merged;
    /// they are not counted and, where many have the term, are left out by their share of the segment.
    pub(crate) fn images_with(&self, term: &Term) -> SearchResult<u64> {
        let mut images = 0;
        for reader in self.searcher.segment_readers() {
            let inverted = reader.inverted_index(term.field())?;
            let listed = inverted.doc_freq(term)?;
            images += match reader.alive_bitset() {
                None => u64::from(listed),
                Some(_) if listed > COUNTED => {
                    u64::from(listed) * u64::from(reader.num_docs()) / u64::from(reader.max_doc().max(1))
                }
                Some(alive) => match inverted.read_postings(term, IndexRecordOption::Basic)? {
                    Some(postings) => u64::from(postings.doc_freq_given_deletes(alive)),
                    None => 0,
                },
            };
        }
        Ok(images)
    }

    /// The row of the image with this id.
    pub(crate) fn row_of(&self, fields: &IndexFields, id: &str) -> SearchResult<Option<u32>> {
        let term = fields.id_term(id);
        for (segment, reader) in self.searcher.segment_readers().iter().enumerate() {
            let inverted = reader.inverted_index(fields.id)?;
            let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)? else { continue };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !reader.is_deleted(doc) {
                    return Ok(self.docs[segment].rows.get(doc as usize).copied());
                }
                doc = postings.advance();
            }
        }
        Ok(None)
    }

    /// The stored fields of the image in a row.
    pub(crate) fn stored(&self, fields: &IndexFields, row: u32) -> SearchResult<Stored> {
        let mut address = None;
        for (segment, docs) in self.docs.iter().enumerate() {
            if let Some(doc) = docs.doc_of(row) {
                address = Some(DocAddress::new(segment as u32, doc));
                break;
            }
        }
        let address = address.ok_or_else(|| SearchError::damaged("words", format!("row {row} has no document")))?;
        let document: TantivyDocument = self.searcher.doc(address)?;
        let text = |field: Field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default();
        Ok(Stored { id: text(fields.id).to_owned(), filename: text(fields.filename).to_owned() })
    }

    /// The newest of these rows, the newest first; of the same date, the one that came in last.
    pub(crate) fn newest(&self, allowed: &RowSet, wanted: usize) -> SearchResult<Vec<u32>> {
        let mut newest: Vec<(i64, u32)> = Vec::new();
        let mut floor = None;
        let order = |a: &(i64, u32), b: &(i64, u32)| b.cmp(a);
        for (segment, reader) in self.searcher.segment_readers().iter().enumerate() {
            let mut dates = vec![0; reader.max_doc() as usize];
            reader.fast_fields().i64(DATE)?.values.get_range(0, &mut dates);
            for (&row, &date) in self.docs[segment].rows.iter().zip(&dates) {
                if floor.is_some_and(|floor| (date, row) < floor) || !allowed.contains(row) {
                    continue;
                }
                newest.push((date, row));
                // Cut at twice the wanted number: that keeps the whole pass linear, where sorting all dates is not.
                if newest.len() >= wanted.saturating_mul(2).max(64) && wanted > 0 {
                    newest.select_nth_unstable_by(wanted - 1, order);
                    newest.truncate(wanted);
                    floor = newest.last().copied();
                }
            }
        }
        newest.sort_unstable_by(order);
        newest.truncate(wanted);
        Ok(newest.into_iter().map(|(_, row)| row).collect())
    }
}
