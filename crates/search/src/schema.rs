//! The schema of tantivy's index: words, terms of filters, and the fields that a hit shows.
//!
//! One document an image. All its words are in one field, each repeated by the weight of the field it comes
//! from (BM25F, S. Robertson, H. Zaragoza and M. Taylor, CIKM 2004): that ranks better than a score for each
//! field, and keeps a query a plain union of postings, which tantivy can prune by the best score a block may
//! have.

use tantivy::Term;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, TantivyDocument, TextFieldIndexing, TextOptions,
};
use tantivy::store::Compressor;
use tantivy::tokenizer::{PreTokenizedString, Token};

use crate::document::{Document, Orientation};
use crate::settings::FieldWeights;
use crate::words;

/// Separates the parts of a filter's term. It occurs in no text that people write.
const SEPARATOR: char = '\u{1f}';

/// The fields of the schema.
#[derive(Clone, Debug)]
pub(crate) struct IndexFields {
    pub(crate) schema: Schema,
    pub(crate) id: Field,
    pub(crate) filename: Field,
    caption: Field,
    tags: Field,
    pub(crate) words: Field,
    facets: Field,
    row: Field,
    width: Field,
    height: Field,
    date: Field,
}

/// Columns that are read by name.
pub(crate) const ROW: &str = "row";
pub(crate) const WIDTH: &str = "width";
pub(crate) const HEIGHT: &str = "height";
pub(crate) const DATE: &str = "date";

impl IndexFields {
    pub(crate) fn new() -> Self {
        let mut schema = Schema::builder();
        let counted = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::WithFreqs);
        Self {
            id: schema.add_text_field("id", STRING | STORED),
            filename: schema.add_text_field("filename", STORED),
            caption: schema.add_text_field("caption", STORED),
            tags: schema.add_text_field("tags", STORED),
            words: schema.add_text_field("words", TextOptions::default().set_indexing_options(counted)),
            facets: schema.add_text_field("facets", TextOptions::default().set_indexing_options(without_norms())),
            row: schema.add_u64_field(ROW, FAST),
            width: schema.add_u64_field(WIDTH, FAST),
            height: schema.add_u64_field(HEIGHT, FAST),
            date: schema.add_i64_field(DATE, FAST),
            schema: schema.build(),
        }
    }

    /// Stored fields are not compressed, so that a hit is read where it lies.
    pub(crate) fn tantivy_settings() -> tantivy::IndexSettings {
        tantivy::IndexSettings { docstore_compression: Compressor::None, ..tantivy::IndexSettings::default() }
    }

    /// The document of an image.
    pub(crate) fn document(&self, row: u32, image: &Document, weights: &FieldWeights) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_text(self.id, &image.id);
        document.add_text(self.filename, &image.filename);
        document.add_text(self.caption, &image.caption);
        for tag in &image.tags {
            document.add_text(self.tags, tag);
        }
        document.add_pre_tokenized_text(self.words, repeated(image, weights));
        for facet in facets(image) {
            document.add_text(self.facets, facet);
        }
        document.add_u64(self.row, u64::from(row));
        document.add_u64(self.width, u64::from(image.width));
        document.add_u64(self.height, u64::from(image.height));
        document.add_i64(self.date, image.taken_or_added_at);
        document
    }

    /// The term of an image's id.
    pub(crate) fn id_term(&self, id: &str) -> Term {
        Term::from_field_text(self.id, id)
    }

    /// The term of a word.
    pub(crate) fn word_term(&self, word: &str) -> Term {
        Term::from_field_text(self.words, word)
    }

    /// The term of a filter.
    pub(crate) fn facet_term(&self, facet: &str) -> Term {
        Term::from_field_text(self.facets, facet)
    }
}

fn without_norms() -> TextFieldIndexing {
    TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::Basic).set_fieldnorms(false)
}

/// The words of an image, each repeated by the weight of its field.
fn repeated(image: &Document, weights: &FieldWeights) -> PreTokenizedString {
    let mut tokens = Vec::new();
    let mut add = |terms: Vec<String>, times: u8| {
        for term in terms {
            for _ in 0..times {
                tokens.push(Token { text: term.clone(), position: tokens.len(), ..Token::default() });
            }
        }
    };
    add(words::terms(&image.caption), weights.caption);
    for tag in &image.tags {
        add(words::terms(tag), weights.tags);
    }
    if let Some(category) = &image.category {
        add(words::terms(category), weights.category);
    }
    for value in image.attributes.values() {
        add(words::terms(value), weights.attributes);
    }
    add(words::filename_terms(&image.filename), weights.filename);
    PreTokenizedString { text: String::new(), tokens }
}

/// The filters' terms that an image has.
fn facets(image: &Document) -> Vec<String> {
    let mut facets: Vec<String> = image.tags.iter().map(|tag| facet::tag(tag)).collect();
    facets.extend(image.category.iter().map(|category| facet::category(category)));
    facets.extend(image.attributes.iter().map(|(name, value)| facet::attribute(name, value)));
    facets.extend(image.uploader.iter().map(|uploader| facet::uploader(uploader)));
    facets.extend(image.collections.iter().map(|collection| facet::collection(collection)));
    facets.extend(image.orientation().map(facet::orientation));
    facets.sort_unstable();
    facets.dedup();
    facets
}

/// Terms of filters: a letter for the kind, and the folded values.
pub(crate) mod facet {
    use super::{Orientation, SEPARATOR};
    use crate::words::fold_value;

    pub(crate) fn tag(tag: &str) -> String {
        term('t', &[tag])
    }

    pub(crate) fn category(category: &str) -> String {
        term('c', &[category])
    }

    pub(crate) fn attribute(name: &str, value: &str) -> String {
        term('a', &[name, value])
    }

    pub(crate) fn uploader(uploader: &str) -> String {
        term('u', &[uploader])
    }

    pub(crate) fn collection(collection: &str) -> String {
        term('k', &[collection])
    }

    pub(crate) fn orientation(orientation: Orientation) -> String {
        term('o', &[orientation.as_str()])
    }

    /// Long values are cut, so that no filter's term is refused; both sides are cut alike.
    fn term(kind: char, parts: &[&str]) -> String {
        const LONGEST: usize = 1024;
        let mut term = String::from(kind);
        for part in parts {
            term.push(SEPARATOR);
            term.extend(fold_value(part).chars().filter(|&c| c != SEPARATOR).take(LONGEST));
        }
        term
    }
}
