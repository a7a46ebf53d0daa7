//! A generation of the index that is open, whether to write or to read.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::directory::MmapDirectory;
use tantivy::index::IndexMeta;
use tantivy::{Index, IndexReader, ReloadPolicy};

use crate::error::{SearchError, SearchResult};
use crate::folder::IndexGeneration;
use crate::manifest::{Manifest, VectorFile};
use crate::schema::IndexFields;
use crate::settings::IndexSettings;
use crate::vectors::Segment;
use crate::view::{DocRowsBySegment, IndexView};

/// Attempts to read a state while commits come in between.
const TRIES: usize = 10;

/// The files of a generation.
pub(crate) struct OpenIndex {
    pub(crate) generation: IndexGeneration,
    pub(crate) index: Index,
    reader: IndexReader,
    vectors: MmapDirectory,
    known: DocRowsBySegment,
    /// Files of the lexical index whose checksums were right.
    checked: HashSet<PathBuf>,
}

impl OpenIndex {
    /// Makes an empty index in a new generation.
    pub(crate) fn create(
        generation: &IndexGeneration,
        fields: &IndexFields,
        settings: &IndexSettings,
    ) -> SearchResult<()> {
        let words = open_directory(&generation.words())?;
        let index = Index::create(words, fields.schema.clone(), IndexFields::tantivy_settings())?;
        let mut writer = index.writer_with_num_threads::<tantivy::TantivyDocument>(1, 15_000_000)?;
        let mut commit = writer.prepare_commit()?;
        let mut manifest = Manifest::new(settings.built_with());
        manifest.opstamp = commit.opstamp();
        commit.set_payload(&manifest.encode()?);
        commit.commit()?;
        writer.wait_merging_threads()?;
        Ok(())
    }

    /// Opens a generation and checks it: all of the lexical index, and the ends of the files of vectors.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] or [`SearchError::OtherSettings`] if it has to be rebuilt.
    pub(crate) fn open(
        generation: &IndexGeneration,
        fields: &IndexFields,
        settings: &IndexSettings,
    ) -> SearchResult<(Self, IndexView)> {
        if let Some(damage) = generation.damage() {
            return Err(SearchError::Damaged { file: "a file".into(), detail: damage });
        }
        let mut last = None;
        for _ in 0..TRIES {
            let stamp = generation.stamp();
            match Self::try_open(generation, fields, settings) {
                // A commit may have removed files while they were being opened: only what fails without one
                // is damaged.
                Err(error) if generation.stamp() != stamp => last = Some(error),
                result => return result,
            }
        }
        Err(last.unwrap_or_else(|| SearchError::NotThere { dir: generation.words() }))
    }

    fn try_open(
        generation: &IndexGeneration,
        fields: &IndexFields,
        settings: &IndexSettings,
    ) -> SearchResult<(Self, IndexView)> {
        let words = open_directory(&generation.words())?;
        let index = Index::open(words).map_err(unreadable)?;
        if index.schema() != fields.schema {
            return Err(SearchError::OtherSettings { detail: "its fields are those of another version".into() });
        }
        let mut checked = HashSet::new();
        check_words(&index, &index.load_metas().map_err(unreadable)?, &mut checked)?;
        let mut opened = Self::with_index(generation.clone(), index)?;
        opened.checked = checked;
        let view = opened.read_view(settings, &[])?;
        Ok((opened, view))
    }

    fn with_index(generation: IndexGeneration, index: Index) -> SearchResult<Self> {
        let vectors = open_directory(&generation.vectors())?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(unreadable)?;
        Ok(Self { generation, index, reader, vectors, known: DocRowsBySegment::new(), checked: HashSet::new() })
    }

    /// The last committed state. Files that `before` has open are not opened again.
    pub(crate) fn reload(&mut self, settings: &IndexSettings, before: &IndexView) -> SearchResult<IndexView> {
        let mut last = None;
        for _ in 0..TRIES {
            let stamp = self.generation.stamp();
            match self.try_reload(settings, before) {
                Err(error) if self.generation.stamp() != stamp => last = Some(error),
                result => return result,
            }
        }
        Err(last.unwrap_or_else(|| SearchError::NotThere { dir: self.generation.words() }))
    }

    fn try_reload(&mut self, settings: &IndexSettings, before: &IndexView) -> SearchResult<IndexView> {
        check_words(&self.index, &self.index.load_metas().map_err(unreadable)?, &mut self.checked)?;
        self.reader.reload().map_err(unreadable)?;
        self.read_view(settings, before.segments())
    }

    fn read_view(&mut self, settings: &IndexSettings, open: &[Arc<Segment>]) -> SearchResult<IndexView> {
        let meta = self.index.load_metas().map_err(unreadable)?;
        let payload = meta.payload.as_deref().unwrap_or_default();
        let manifest = Manifest::decode(payload)?;
        if manifest.opstamp != meta.opstamp {
            return Err(SearchError::damaged("words/meta.json", "its number is not that of its manifest"));
        }
        if manifest.built_with != settings.built_with() {
            return Err(SearchError::OtherSettings { detail: "other embedders, field weights or version".into() });
        }
        // The reader read meta.json a moment before; a commit in between would mix two states.
        let searcher = self.reader.searcher();
        let listed = meta.segments.iter().map(|segment| (segment.id(), segment.delete_opstamp()));
        if !listed.collect::<BTreeMap<_, _>>().eq(searcher.generation().segments()) {
            return Err(SearchError::damaged("words/meta.json", "it was changed while it was read"));
        }
        let segments = self.segments(&manifest.files, settings, open)?;
        self.view(manifest, segments)
    }

    /// Opens these files, or takes them from those that are open.
    pub(crate) fn segments(
        &self,
        files: &[VectorFile],
        settings: &IndexSettings,
        open: &[Arc<Segment>],
    ) -> SearchResult<Vec<Arc<Segment>>> {
        let segment = |file: &VectorFile| {
            if let Some(segment) = open.iter().find(|segment| segment.name() == file.name) {
                return Ok(Arc::clone(segment));
            }
            let segment = self.segment(&file.name, settings)?;
            if segment.bytes() != file.bytes {
                return Err(SearchError::damaged(&file.name, "its length is not what the manifest says"));
            }
            Ok(Arc::new(segment))
        };
        files.iter().map(segment).collect()
    }

    /// Opens a file of vectors.
    pub(crate) fn segment(&self, name: &str, settings: &IndexSettings) -> SearchResult<Segment> {
        Segment::open(&self.vectors, name, &settings.spaces)
    }

    /// The state after a commit of this process.
    pub(crate) fn committed(&mut self, manifest: Manifest, segments: Vec<Arc<Segment>>) -> SearchResult<IndexView> {
        self.reader.reload()?;
        self.view(manifest, segments)
    }

    fn view(&mut self, manifest: Manifest, segments: Vec<Arc<Segment>>) -> SearchResult<IndexView> {
        IndexView::new(self.generation.clone(), manifest, self.reader.searcher(), segments, &mut self.known)
    }
}

fn open_directory(path: &Path) -> SearchResult<MmapDirectory> {
    MmapDirectory::open(path).map_err(|error| SearchError::damaged(path.display().to_string(), error.to_string()))
}

/// The error for files that tantivy can't read: it wrote them itself, so they are damaged.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn unreadable(error: tantivy::TantivyError) -> SearchError {
    SearchError::damaged("words", error.to_string())
}

/// Checks the files of the lexical index that were not checked before. Tantivy itself trusts its files, so
/// this comes before it opens them.
fn check_words(index: &Index, meta: &IndexMeta, checked: &mut HashSet<PathBuf>) -> SearchResult<()> {
    let mut now_checked = HashSet::new();
    for path in &meta.list_segment_files() {
        if checked.contains(path) {
            now_checked.insert(path.clone());
            continue;
        }
        let damaged = |detail: &str| SearchError::damaged(format!("words/{}", path.display()), detail);
        let exists = tantivy::Directory::exists(index.directory(), path).unwrap_or(false);
        // Some of the names listed are of files that a segment may have and need not.
        if exists {
            now_checked.insert(path.clone());
            match index.directory().validate_checksum(path) {
                Ok(true) => {}
                Ok(false) => return Err(damaged("it is not what was written")),
                Err(error) => return Err(damaged(&error.to_string())),
            }
        }
    }
    *checked = now_checked;
    Ok(())
}
