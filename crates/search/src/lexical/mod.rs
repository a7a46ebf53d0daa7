//! The lexical stage: the terms searched for each word of a query, and BM25 over them.

mod expand;
mod search;

pub(crate) use search::search;
