//! From the words of a query to the terms that are searched for them.

use std::collections::HashSet;

use tantivy::Term;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::IndexRecordOption;

use crate::error::SearchResult;
use crate::hits::Match;
use crate::schema::IndexFields;
use crate::view::IndexView;
use crate::words::{self, Piece};

/// The most words of a query that are looked for, the first ones, so that a whole page as a query stays quick.
const MOST_WORDS: usize = 32;

/// The most characters of a run that are looked for.
const MOST_CHARACTERS: usize = 64;

/// The most terms searched for an unfinished word: the most frequent.
const MOST_BEGINNINGS: usize = 24;

/// The most terms searched for a misspelt word.
const MOST_SPELLINGS: usize = 12;

/// The most terms that are read in each segment for one beginning.
const MOST_LOOKED_AT: usize = 2_000;

/// A word of which fewer images than this have the exact spelling may be misspelt.
pub(super) const FEW: u64 = 3;

/// Share of a word that counts as matched by another, where images have the word itself.
const SUGGESTED: f32 = 0.4;

/// The inverse document frequency above which a word counts as no more informative. Without it, a word that
/// the library does not have would outweigh all the others of a query.
const MOST_INFORMATIVE: f32 = 6.0;

/// A word of the query, or a run of characters in a script without spaces.
#[derive(Debug)]
pub(super) struct QueryWord {
    pub(super) text: String,
    /// Inverse document frequency, capped.
    pub(super) weight: f32,
    /// Characters of a run that are to be matched; 1 for a word.
    pub(super) positions: usize,
    pub(super) terms: Vec<WordTerm>,
}

/// A term searched for a word, or for two characters of a run.
#[derive(Debug)]
pub(super) struct WordTerm {
    pub(super) term: Term,
    pub(super) text: String,
    pub(super) matches: Match,
    /// Number of images that have it.
    pub(super) images: u64,
    /// For how many images' worth of rarity it scores: those that have the word itself, so that a rare
    /// misspelling does not outrank the word.
    pub(super) scored_as: u64,
    /// Factor of its score in BM25: below 1 for guesses.
    pub(super) boost: f32,
    /// Share of the word that counts as matched, from 0 to 1.
    pub(super) credit: f32,
    /// The characters of a run that it covers.
    pub(super) covers: std::ops::Range<usize>,
}

/// The words of a query with their terms, fillers left out.
pub(super) fn understand(
    view: &IndexView,
    fields: &IndexFields,
    query: &str,
    known: &[String],
) -> SearchResult<Vec<QueryWord>> {
    let known: HashSet<Piece> = known.iter().flat_map(|word| words::pieces(word)).collect();
    let mut pieces = words::pieces(query);
    let unfinished = query.chars().next_back().is_some_and(char::is_alphanumeric);
    let last = pieces.last().cloned().filter(|_| unfinished);
    let informative = |piece: &Piece| !matches!(piece, Piece::Word(word) if words::is_filler(word));
    pieces.retain(informative);
    let mut seen = HashSet::new();
    pieces.retain(|piece| seen.insert(piece.clone()));
    pieces.truncate(MOST_WORDS);
    let understand = |piece: Piece| match piece {
        Piece::Word(ref word) => {
            let typed = Typed { unfinished: last.as_ref() == Some(&piece), known: known.contains(&piece) };
            spaced(view, fields, word, typed)
        }
        Piece::Run(run) => dense(view, fields, &run[..run.len().min(MOST_CHARACTERS)]),
    };
    pieces.into_iter().map(understand).collect()
}

/// Inverse document frequency of a word that `images` of `all` have (Robertson and Spärck Jones, as in BM25),
/// capped. One that no image has counts like one that a single image has.
pub(super) fn weight(images: u64, all: u64) -> f32 {
    let images = images.max(1);
    let (images, all) = (images as f32, all.max(images) as f32);
    (1.0 + (all - images + 0.5) / (images + 0.5)).ln().min(MOST_INFORMATIVE)
}

/// What is known of a word as it was typed.
#[derive(Clone, Copy)]
struct Typed {
    /// It is the last one, and more of it may follow.
    unfinished: bool,
    /// It is a word, and no misspelling.
    known: bool,
}

/// A word of a script with spaces: itself, what it begins, what it may be a misspelling of.
fn spaced(view: &IndexView, fields: &IndexFields, word: &str, typed: Typed) -> SearchResult<QueryWord> {
    let text = words::term(word);
    let term = fields.word_term(&text);
    let exact = view.images_with(&term)?;
    let mut terms = Vec::new();
    if exact > 0 {
        terms.push(found(term, text.clone(), Match::Exact, exact, exact, 1.0, 1.0));
    }
    let length = word.chars().count();
    // Beside the very word, those that are only like it are but a suggestion.
    let itself = exact > 0 || typed.known;
    if typed.unfinished && length >= 2 {
        let (boost, credit) = if itself { (0.3, SUGGESTED) } else { (0.7, 0.9) };
        let beginnings = beginnings(view, fields, word)?;
        let scored_as = exact.max(beginnings.iter().map(|(_, images)| *images).max().unwrap_or(0));
        for (other, images) in beginnings.into_iter().filter(|(other, _)| *other != text) {
            let term = fields.word_term(&other);
            terms.push(found(term, other, Match::Prefix, images, scored_as, boost, credit));
        }
    }
    if exact < FEW && !typed.known && length >= 5 && !word.chars().any(|c| c.is_ascii_digit()) {
        let spellings = spellings(view, fields, &text)?;
        let scored_as = exact.max(spellings.iter().map(|(_, images, _)| *images).max().unwrap_or(0));
        for (other, images, distance) in spellings {
            if other == text || terms.iter().any(|term: &WordTerm| term.text == other) {
                continue;
            }
            let closeness = if distance <= 1 { 0.85 } else { 0.7 };
            let (boost, credit) = if exact > 0 { (closeness * 0.5, SUGGESTED) } else { (closeness, closeness) };
            let term = fields.word_term(&other);
            terms.push(found(term, other, Match::Typo, images, scored_as, boost, credit));
        }
    }
    let like = terms.iter().map(|term| term.scored_as).max().unwrap_or(0);
    let weight = weight(if itself { exact } else { like }, view.images() as u64);
    Ok(QueryWord { text: word.to_owned(), weight, positions: 1, terms })
}

fn found(term: Term, text: String, matches: Match, images: u64, scored_as: u64, boost: f32, credit: f32) -> WordTerm {
    WordTerm { term, text, matches, images, scored_as: scored_as.max(images), boost, credit, covers: 0..1 }
}

/// A run of characters: its pairs, or its only character.
fn dense(view: &IndexView, fields: &IndexFields, run: &[char]) -> SearchResult<QueryWord> {
    let parts: Vec<String> = if run.len() == 1 { vec![run[0].to_string()] } else { words::pairs(run).collect() };
    let mut terms: Vec<WordTerm> = Vec::with_capacity(parts.len());
    let mut heaviest = None;
    for (start, text) in parts.into_iter().enumerate() {
        let term = fields.word_term(&text);
        let images = view.images_with(&term)?;
        if images > 0 {
            let covers = start..(start + 2).min(run.len());
            let weight = weight(images, view.images() as u64);
            heaviest = Some(heaviest.map_or(weight, |heaviest: f32| heaviest.max(weight)));
            terms.push(WordTerm { covers, ..found(term, text, Match::Exact, images, images, 1.0, 1.0) });
        }
    }
    let weight = heaviest.unwrap_or_else(|| weight(0, view.images() as u64));
    Ok(QueryWord { text: run.iter().collect(), weight, positions: run.len(), terms })
}

/// The most frequent terms that begin with this, and how many images have each.
fn beginnings(view: &IndexView, fields: &IndexFields, beginning: &str) -> SearchResult<Vec<(String, u64)>> {
    let mut found: Vec<(String, u64)> = Vec::new();
    // "berri" is how "berries" begins, which is indexed as "berry".
    let singular = beginning.strip_suffix('i').map(|stem| format!("{stem}y"));
    for beginning in [Some(beginning.to_owned()), singular].into_iter().flatten() {
        let mut end = beginning.clone().into_bytes();
        // No byte of a text is as high as this one.
        end.push(0xff);
        for reader in view.searcher().segment_readers() {
            let inverted = reader.inverted_index(fields.words)?;
            let mut stream = inverted.terms().range().ge(&beginning).lt(&end).into_stream()?;
            let mut looked_at = 0;
            while looked_at < MOST_LOOKED_AT && stream.advance() {
                looked_at += 1;
                if let Ok(text) = std::str::from_utf8(stream.key()) {
                    found.push((text.to_owned(), u64::from(stream.value().doc_freq)));
                }
            }
        }
    }
    let mut found = sum(found);
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.truncate(MOST_BEGINNINGS);
    counted(view, fields, found)
}

/// The terms that are spelt nearly like this one, how many images have each, and how far off each is: one
/// letter too many, missing, wrong, or swapped with its neighbour; two of those from eight letters on.
fn spellings(view: &IndexView, fields: &IndexFields, text: &str) -> SearchResult<Vec<(String, u64, usize)>> {
    let letters: Vec<char> = text.chars().collect();
    let distance = if letters.len() >= 8 { 2 } else { 1 };
    let query = FuzzyTermQuery::new(fields.word_term(text), distance, true);
    let mut found: Vec<(String, u64)> = Vec::new();
    for reader in view.searcher().segment_readers() {
        let inverted = reader.inverted_index(fields.words)?;
        let mut stream = inverted.terms().search(query.automaton()?).into_stream()?;
        while stream.advance() {
            if let Ok(text) = std::str::from_utf8(stream.key()) {
                found.push((text.to_owned(), u64::from(stream.value().doc_freq)));
            }
        }
    }
    let off = |text: String, images| {
        let distance = spelling_distance(&letters, &text.chars().collect::<Vec<_>>());
        (text, images, distance)
    };
    let found = counted(view, fields, sum(found))?;
    let mut found: Vec<_> = found.into_iter().map(|(text, images)| off(text, images)).collect();
    found.sort_by(|a, b| a.2.cmp(&b.2).then(b.1.cmp(&a.1)).then_with(|| a.0.cmp(&b.0)));
    // Where one slip explains the word, two are not assumed.
    let nearest = found.iter().map(|(_, _, distance)| *distance).find(|&distance| distance > 0);
    found.retain(|(_, _, distance)| Some(*distance) <= nearest);
    found.truncate(MOST_SPELLINGS);
    Ok(found)
}

/// Terms of several segments, each once.
fn sum(mut found: Vec<(String, u64)>) -> Vec<(String, u64)> {
    found.sort_unstable();
    found.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    found
}

/// The same terms with the images that have them now; the dictionary also knows those of images that are gone.
fn counted(view: &IndexView, fields: &IndexFields, found: Vec<(String, u64)>) -> SearchResult<Vec<(String, u64)>> {
    let mut left = Vec::with_capacity(found.len());
    for (text, _) in found {
        let images = view.images_with(&fields.word_term(&text))?;
        if images > 0 {
            left.push((text, images));
        }
    }
    Ok(left)
}

/// Letters to insert, delete, replace or swap with a neighbour (optimal string alignment).
fn spelling_distance(left: &[char], right: &[char]) -> usize {
    let width = right.len() + 1;
    let mut rows: Vec<Vec<usize>> = vec![(0..width).collect()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for (j, b) in right.iter().enumerate() {
            row[j + 1] = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i - 1] == *b && right[j - 1] == *a {
                row[j + 1] = row[j + 1].min(rows[i - 1][j - 1] + 1);
            }
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

/// Postings of words hold their frequencies, which BM25 needs, and no positions.
pub(super) const RECORD: IndexRecordOption = IndexRecordOption::WithFreqs;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted_as_people_make_them() {
        let distance =
            |a: &str, b: &str| spelling_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        let cases =
            [("sunset", "sunset", 0), ("sunste", "sunset", 1), ("snset", "sunset", 1), ("sunnset", "sunset", 1)];
        for (a, b, expected) in cases {
            assert_eq!(distance(a, b), expected, "{a} and {b}");
        }
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("mountian", "mountain"), 1);
        assert_eq!(distance("mauntian", "mountain"), 2);
    }

    #[test]
    fn a_rare_word_is_more_informative_but_not_without_end() {
        assert!(weight(10, 1000) > weight(100, 1000));
        assert_eq!(weight(0, 1_000_000), MOST_INFORMATIVE);
        assert!(weight(5, 3) > 0.0, "counts that lag behind do no harm");
    }
}
