//! BM25 over the words of a query, and how much of the query each image has.

use std::collections::HashMap;

use tantivy::query::{
    Bm25StatisticsProvider, BooleanQuery, BoostQuery, EnableScoring, Occur, Query as _, TermQuery, Weight,
};
use tantivy::schema::Field;
use tantivy::{DocSet, Term};

use super::expand::{FEW, QueryWord, RECORD, understand, weight};
use crate::error::SearchResult;
use crate::hits::{TermExplanation, WordExplanation};
use crate::rows::RowSet;
use crate::schema::IndexFields;
use crate::view::IndexView;

/// The answer of the lexical stage.
#[derive(Debug, Default)]
pub(crate) struct Lexical {
    /// Images, best first.
    pub(crate) found: Vec<LexicalHit>,
    /// The words, each with the terms searched for it.
    pub(crate) words: Vec<WordExplanation>,
}

/// An image that has some of the words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LexicalHit {
    pub(crate) row: u32,
    /// BM25 over all terms.
    pub(crate) score: f32,
    /// Share of the query's informative words that it has.
    pub(crate) share: f32,
}

/// The `wanted` allowed images that match the words best.
pub(crate) fn search(
    view: &IndexView,
    fields: &IndexFields,
    (query, known): (&str, &[String]),
    allowed: &RowSet,
    wanted: usize,
) -> SearchResult<Lexical> {
    let words = understand(view, fields, query, known)?;
    let explained = words.iter().map(explain).collect();
    let clauses: Vec<(Occur, Box<dyn tantivy::query::Query>)> = words
        .iter()
        .flat_map(|word| &word.terms)
        .map(|term| {
            let query = TermQuery::new(term.term.clone(), RECORD);
            (Occur::Should, Box::new(BoostQuery::new(Box::new(query), term.boost)) as Box<dyn tantivy::query::Query>)
        })
        .collect();
    if clauses.is_empty() || wanted == 0 {
        return Ok(Lexical { found: Vec::new(), words: explained });
    }
    let rarity = Rarity::new(view, &words);
    let scoring = EnableScoring::enabled_from_statistics_provider(&rarity, view.searcher());
    let weight = BooleanQuery::new(clauses).weight(scoring)?;
    let best = best(view, weight.as_ref(), allowed, wanted)?;
    Ok(Lexical { found: shares(view, fields, &words, &best)?, words: explained })
}

fn explain(word: &QueryWord) -> WordExplanation {
    let terms = word.terms.iter().map(|term| TermExplanation {
        term: term.text.clone(),
        matches: term.matches,
        images: term.images,
    });
    WordExplanation { word: word.text.clone(), weight: word.weight, terms: terms.collect() }
}

/// BM25 statistics in which every term of a word is as rare as the word: else a rare misspelling would outrank it.
struct Rarity<'a> {
    view: &'a IndexView,
    images: HashMap<&'a Term, u64>,
    all: u64,
}

impl<'a> Rarity<'a> {
    fn new(view: &'a IndexView, words: &'a [QueryWord]) -> Self {
        let terms = words.iter().flat_map(|word| &word.terms);
        let images: HashMap<_, _> = terms.map(|term| (&term.term, term.scored_as)).collect();
        Self { view, images, all: view.searcher().num_docs() }
    }
}

impl Bm25StatisticsProvider for Rarity<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.view.searcher().total_num_tokens(field)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.all)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Ok(self.images.get(term).copied().unwrap_or(0).min(self.all))
    }
}

/// A document of a segment, its row and its score.
#[derive(Clone, Copy, Debug)]
struct Scored {
    segment: usize,
    doc: u32,
    row: u32,
    score: f32,
}

/// The documents with the best scores; of equals, the row that came first.
fn best(view: &IndexView, weight: &dyn Weight, allowed: &RowSet, wanted: usize) -> SearchResult<Vec<Scored>> {
    let order = |a: &Scored, b: &Scored| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row));
    let mut best: Vec<Scored> = Vec::with_capacity(wanted * 2);
    let mut threshold = f32::MIN;
    for (segment, reader) in view.searcher().segment_readers().iter().enumerate() {
        let rows = view.rows_of(segment);
        weight.for_each_pruning(threshold, reader, &mut |doc, score| {
            let row = rows.get(doc as usize).copied().unwrap_or(u32::MAX);
            if allowed.contains(row) {
                best.push(Scored { segment, doc, row, score });
                if best.len() >= wanted * 2 {
                    best.select_nth_unstable_by(wanted - 1, order);
                    best.truncate(wanted);
                    threshold = best[wanted - 1].score;
                }
            }
            threshold
        })?;
    }
    best.sort_unstable_by(order);
    best.truncate(wanted);
    Ok(best)
}

/// Words that occur nowhere count together as one that this many images share one of.
const COMMON: u64 = 20;

/// For each document, the share of the query that it has: of each word what is matched of it, weighted by how
/// informative the word is.
fn shares(
    view: &IndexView,
    fields: &IndexFields,
    words: &[QueryWord],
    best: &[Scored],
) -> SearchResult<Vec<LexicalHit>> {
    // Words that occur nowhere say little of what is there: a rare word beside them is enough, and a common one, such as
    // a colour, is not.
    let occurs = |word: &&QueryWord| !word.terms.is_empty();
    let images = view.images() as u64;
    let absent = if words.iter().all(|word| occurs(&word)) { 0.0 } else { weight((images / COMMON).max(FEW), images) };
    let all: f32 = words.iter().filter(occurs).map(|word| word.weight).sum::<f32>() + absent;
    let mut shares = vec![0.0_f32; best.len()];
    for (segment, reader) in view.searcher().segment_readers().iter().enumerate() {
        let mut docs: Vec<(u32, usize)> = best
            .iter()
            .zip(0..)
            .filter(|(hit, _)| hit.segment == segment)
            .map(|(hit, place)| (hit.doc, place))
            .collect();
        docs.sort_unstable();
        if docs.is_empty() {
            continue;
        }
        let inverted = reader.inverted_index(fields.words)?;
        for word in words {
            let mut matched = vec![0.0_f32; docs.len() * word.positions];
            for term in &word.terms {
                let Some(mut postings) = inverted.read_postings(&term.term, RECORD)? else { continue };
                for (&(doc, _), matched) in docs.iter().zip(matched.chunks_exact_mut(word.positions)) {
                    if postings.doc() < doc {
                        postings.seek(doc);
                    }
                    if postings.doc() == doc {
                        matched[term.covers.clone()].iter_mut().for_each(|credit| *credit = credit.max(term.credit));
                    }
                }
            }
            for (&(_, place), matched) in docs.iter().zip(matched.chunks_exact(word.positions)) {
                shares[place] += word.weight * matched.iter().sum::<f32>() / word.positions as f32;
            }
        }
    }
    let share = |matched: f32| if all > 0.0 { matched / all } else { 0.0 };
    let hits = best.iter().zip(shares);
    Ok(hits.map(|(hit, matched)| LexicalHit { row: hit.row, score: hit.score, share: share(matched) }).collect())
}
