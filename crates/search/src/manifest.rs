//! The manifest: the counters and files that make up one commit.
//!
//! The manifest travels in the payload of tantivy's own commit, which replaces one small file by a rename. So
//! words, filters, vectors and the number of the last change applied change in one instant, and there is no
//! state in between.

use serde::{Deserialize, Serialize};

use crate::error::{SearchError, SearchResult};
use crate::settings::BuiltWith;

/// The state of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) built_with: BuiltWith,
    /// The number of the last change applied.
    pub(crate) applied: u64,
    /// The row of the next image; those below are taken.
    pub(crate) next_row: u32,
    /// The number of the next file of vectors.
    pub(crate) next_file: u64,
    /// Number of images.
    pub(crate) images: u64,
    /// The commit's number in tantivy.
    pub(crate) opstamp: u64,
    pub(crate) files: Vec<VectorFile>,
}

/// A file of vectors and palettes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VectorFile {
    pub(crate) name: String,
    /// Length of its data in bytes.
    pub(crate) bytes: u64,
}

impl Manifest {
    pub(crate) fn new(built_with: BuiltWith) -> Self {
        Self { built_with, applied: 0, next_row: 0, next_file: 0, images: 0, opstamp: 0, files: Vec::new() }
    }

    /// As it is stored: a checksum and JSON.
    pub(crate) fn encode(&self) -> SearchResult<String> {
        let json = serde_json::to_string(self).map_err(|error| SearchError::Lexical(error.to_string()))?;
        Ok(format!("{:08x} {json}", crc32fast::hash(json.as_bytes())))
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] if it is anything else.
    pub(crate) fn decode(text: &str) -> SearchResult<Self> {
        let damaged = |detail: &str| SearchError::damaged("words/meta.json", detail);
        let (sum, json) = text.split_once(' ').ok_or_else(|| damaged("its manifest is cut"))?;
        if u32::from_str_radix(sum, 16) != Ok(crc32fast::hash(json.as_bytes())) {
            return Err(damaged("its manifest is not what was written"));
        }
        serde_json::from_str(json).map_err(|error| damaged(&format!("its manifest is of another form: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written_or_not_at_all() {
        let mut manifest = Manifest::new(crate::IndexSettings::default().built_with());
        manifest.applied = u64::MAX;
        manifest.files.push(VectorFile { name: "00000001.vec".into(), bytes: 7 });
        let text = manifest.encode().unwrap();
        assert_eq!(Manifest::decode(&text).unwrap(), manifest);
        for place in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[place] ^= 1;
            let read = Manifest::decode(&String::from_utf8_lossy(&damaged));
            assert!(read.is_err_and(|error| error.code() == "index-damaged"), "byte {place}");
            assert!(Manifest::decode(&text[..place]).is_err());
        }
    }
}
