//! Finding by words: which terms stand for each, and BM25 over them.

mod expand;
mod search;

pub(crate) use search::search;
