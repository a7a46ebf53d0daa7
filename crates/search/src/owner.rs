//! The work of the index's owner: apply, commit, merge.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexWriter, TantivyDocument};

use crate::document::{Change, Document};
use crate::error::{SearchError, SearchResult};
use crate::folder;
use crate::manifest::{Manifest, VectorFile};
use crate::open_index::OpenIndex;
use crate::schema::IndexFields;
use crate::settings::{IndexSettings, Space};
use crate::vectors::{self, PendingVectors, Segment};
use crate::view::IndexView;

/// Memory in which tantivy gathers documents before it writes a segment.
const ARENA: usize = 64 << 20;

/// Ids are terms, and terms are short.
const LONGEST_ID: usize = 512;

/// Files of about the same size that are merged into one.
const MERGED_AT_ONCE: usize = 8;

/// The most slots, together, of small files that a commit merges itself. Larger merges wait for `maintain`.
const MERGED_BY_COMMIT: usize = 4096;

/// The state of the owner between commits.
pub(crate) struct Owner {
    opened: OpenIndex,
    /// None once a failure could not be undone.
    writer: Option<IndexWriter<TantivyDocument>>,
    fresh: Fresh,
    next_file: u64,
    /// Files that a merge is reading.
    merging: HashSet<String>,
}

/// Changes that were applied since the last commit.
#[derive(Default)]
struct Fresh {
    vectors: PendingVectors,
    /// Ids that were put (true) or removed (false).
    ids: HashMap<String, bool>,
    next_row: u32,
    images: u64,
    up_to: u64,
}

impl Fresh {
    fn after(manifest: &Manifest) -> Self {
        Self { next_row: manifest.next_row, images: manifest.images, up_to: manifest.applied, ..Self::default() }
    }
}

/// A merge that was decided on.
pub(crate) struct Merge {
    segments: Vec<Arc<Segment>>,
    name: String,
    path: PathBuf,
}

impl Merge {
    /// Writes its file, without the owner, which may apply and commit meanwhile.
    pub(crate) fn write(&self, view: &IndexView, settings: &IndexSettings) -> SearchResult<()> {
        vectors::merge(&self.segments, view.alive(), &self.path, settings)
    }
}

impl Owner {
    pub(crate) fn new(opened: OpenIndex, view: &IndexView) -> SearchResult<Self> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(ARENA)
            .build();
        let writer = opened.index.writer_with_options(options)?;
        let manifest = view.manifest();
        Ok(Self {
            opened,
            writer: Some(writer),
            fresh: Fresh::after(manifest),
            next_file: manifest.next_file,
            merging: HashSet::new(),
        })
    }

    /// Applies changes as [`Index::apply`](crate::Index::apply) says: all of them or none.
    pub(crate) fn apply(
        &mut self,
        view: &IndexView,
        fields: &IndexFields,
        settings: &IndexSettings,
        changes: &[Change],
        up_to: u64,
    ) -> SearchResult<()> {
        if up_to < self.fresh.up_to {
            return Err(SearchError::Backwards { up_to, applied: self.fresh.up_to });
        }
        changes.iter().try_for_each(|change| check(change, settings))?;
        let result = changes.iter().try_for_each(|change| self.apply_one(view, fields, settings, change));
        match result {
            Ok(()) => self.fresh.up_to = up_to,
            Err(_) => self.roll_back(view),
        }
        result
    }

    fn apply_one(
        &mut self,
        view: &IndexView,
        fields: &IndexFields,
        settings: &IndexSettings,
        change: &Change,
    ) -> SearchResult<()> {
        let writer = writer(&mut self.writer)?;
        let fresh = &mut self.fresh;
        let id = match change {
            Change::Put(document) => &document.id,
            Change::Remove(id) => id,
        };
        let known = match fresh.ids.get(id) {
            Some(&known) => known,
            None => view.row_of(fields, id)?.is_some(),
        };
        if known {
            writer.delete_term(fields.id_term(id));
            fresh.images -= 1;
        }
        if let Change::Put(document) = change {
            let row = fresh.next_row;
            // The last number is never given: it means "no row".
            fresh.next_row = row.checked_add(1).filter(|&next| next < u32::MAX).ok_or(SearchError::Full)?;
            writer.add_document(fields.document(row, document, &settings.fields))?;
            fresh.vectors.push(row, document);
            fresh.images += 1;
        }
        fresh.ids.insert(id.clone(), matches!(change, Change::Put(_)));
        Ok(())
    }

    /// Commits what was applied, and merges small files if there are many.
    pub(crate) fn commit(&mut self, view: &IndexView, settings: &IndexSettings) -> SearchResult<IndexView> {
        let small = self.pick(view.segments(), MERGED_BY_COMMIT).map(|small| self.merge_of(small));
        let prepared = match &small {
            Some(merge) => merge.write(view, settings).and_then(|()| self.prepare(view, settings, Some(merge))),
            None => self.prepare(view, settings, None),
        };
        if let Some(merge) = &small {
            self.merging.retain(|name| merge.segments.iter().all(|segment| segment.name() != name));
        }
        self.finish(view, prepared)
    }

    /// Decides on the next merge that is worth its time, if there is one.
    pub(crate) fn plan_merge(&mut self, view: &IndexView, settings: &IndexSettings) -> Option<Merge> {
        let segments = view.segments();
        let size = |segments: &mut dyn Iterator<Item = &Arc<Segment>>| segments.map(|segment| segment.size()).sum();
        let all: usize = size(&mut segments.iter());
        let listed: usize = size(&mut segments.iter().filter(|segment| segment.has_lists()));
        // Lists pay once some of them can be left unread, and are rebuilt when the rest, which is read whole,
        // has grown to a third of them. Dead rows cost as much as living ones.
        let unlisted = all > settings.scanned && all - listed > (settings.scanned / 2).max(listed / 3);
        let dead = all > view.images() * 3 / 2 + MERGED_BY_COMMIT;
        let idle = segments.iter().all(|segment| !self.merging.contains(segment.name()));
        if (unlisted || dead) && idle {
            return Some(self.merge_of(segments.to_vec()));
        }
        self.pick(segments, usize::MAX).map(|segments| self.merge_of(segments))
    }

    /// Commits a merge that was written, together with what was applied meanwhile.
    pub(crate) fn finish_merge(
        &mut self,
        merge: &Merge,
        view: &IndexView,
        settings: &IndexSettings,
    ) -> SearchResult<IndexView> {
        let prepared = self.prepare(view, settings, Some(merge));
        self.abandon_merge(merge);
        self.finish(view, prepared)
    }

    /// Lets other merges take this merge's files again.
    pub(crate) fn abandon_merge(&mut self, merge: &Merge) {
        for segment in &merge.segments {
            self.merging.remove(segment.name());
        }
    }

    /// Writes what was applied, and names the files of the next commit: a merge's in place of those that were
    /// merged into it. Nothing is changed yet.
    fn prepare(
        &mut self,
        view: &IndexView,
        settings: &IndexSettings,
        merged: Option<&Merge>,
    ) -> SearchResult<(Manifest, Vec<Arc<Segment>>)> {
        let mut segments: Vec<Arc<Segment>> = view.segments().to_vec();
        if let Some(merge) = merged {
            segments.retain(|segment| merge.segments.iter().all(|old| old.name() != segment.name()));
            let new = self.opened.segment(&merge.name, settings)?;
            if new.size() > 0 {
                segments.push(Arc::new(new));
            }
        }
        if !self.fresh.vectors.is_empty() {
            let (name, path) = self.new_file();
            self.fresh.vectors.write(&path, settings)?;
            segments.push(Arc::new(self.opened.segment(&name, settings)?));
        }
        // Durable before the commit that names them: a crash in between leaves stray files and no missing ones.
        folder::sync(&self.opened.generation.vectors())?;
        let files = segments.iter().map(|segment| VectorFile { name: segment.name().into(), bytes: segment.bytes() });
        let manifest = Manifest {
            built_with: settings.built_with(),
            applied: self.fresh.up_to,
            next_row: self.fresh.next_row,
            next_file: self.next_file,
            images: self.fresh.images,
            opstamp: 0,
            files: files.collect(),
        };
        Ok((manifest, segments))
    }

    /// Commits what was prepared, or drops what was applied.
    fn finish(
        &mut self,
        view: &IndexView,
        prepared: SearchResult<(Manifest, Vec<Arc<Segment>>)>,
    ) -> SearchResult<IndexView> {
        let (mut manifest, segments) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.roll_back(view);
                return Err(error);
            }
        };
        let mut commit = match writer(&mut self.writer)?.prepare_commit() {
            Ok(commit) => commit,
            Err(error) => {
                self.roll_back(view);
                return Err(error.into());
            }
        };
        manifest.opstamp = commit.opstamp();
        commit.set_payload(&manifest.encode()?);
        let committed = commit.commit().map_err(SearchError::from).and_then(|_| {
            folder::sync(&self.opened.generation.words())?;
            self.opened.committed(manifest, segments)
        });
        match committed {
            Ok(committed) => {
                self.fresh = Fresh::after(committed.manifest());
                self.remove_strays(&committed);
                Ok(committed)
            }
            Err(error) => {
                // The commit may or may not be on disk. Opening the index again finds out.
                self.writer = None;
                Err(error)
            }
        }
    }

    /// Drops what was applied since the last commit.
    fn roll_back(&mut self, view: &IndexView) {
        self.fresh = Fresh::after(view.manifest());
        if self.writer.as_mut().is_some_and(|writer| writer.rollback().is_err()) {
            self.writer = None;
        }
        self.remove_strays(view);
    }

    /// Removes files of vectors that neither this state nor a merge has.
    fn remove_strays(&self, view: &IndexView) {
        let of_state = view.segments().iter().map(|segment| segment.name());
        let kept = of_state.chain(self.merging.iter().map(String::as_str)).collect();
        // What can't be removed now is removed when the index is next opened.
        let _ = self.opened.generation.remove_strays(&kept);
    }

    /// Files of about the same size, at least [`MERGED_AT_ONCE`] of them, no larger than `most` together.
    fn pick(&self, segments: &[Arc<Segment>], most: usize) -> Option<Vec<Arc<Segment>>> {
        let mut tiers: BTreeMap<u32, Vec<Arc<Segment>>> = BTreeMap::new();
        for segment in segments {
            if !segment.has_lists() && !self.merging.contains(segment.name()) {
                let tier = segment.size().max(1).ilog2() / MERGED_AT_ONCE.ilog2();
                tiers.entry(tier).or_default().push(Arc::clone(segment));
            }
        }
        let size = |tier: &Vec<Arc<Segment>>| tier.iter().map(|segment| segment.size()).sum::<usize>();
        tiers.into_values().find(|tier| tier.len() >= MERGED_AT_ONCE && size(tier) <= most)
    }

    /// A merge of these files. Until it is finished or abandoned, no other merge takes them.
    fn merge_of(&mut self, segments: Vec<Arc<Segment>>) -> Merge {
        let (name, path) = self.new_file();
        self.merging.extend(segments.iter().map(|segment| segment.name().to_owned()));
        self.merging.insert(name.clone());
        Merge { segments, name, path }
    }

    fn new_file(&mut self) -> (String, PathBuf) {
        let name = format!("{:08}.vec", self.next_file);
        self.next_file += 1;
        let path = self.opened.generation.vectors().join(&name);
        (name, path)
    }
}

fn writer(writer: &mut Option<IndexWriter<TantivyDocument>>) -> SearchResult<&mut IndexWriter<TantivyDocument>> {
    writer
        .as_mut()
        .ok_or_else(|| SearchError::Closed { detail: "an earlier change could neither be made nor undone".into() })
}

/// Checks that a change can be made.
fn check(change: &Change, settings: &IndexSettings) -> SearchResult<()> {
    let id = match change {
        Change::Put(document) => &document.id,
        Change::Remove(id) => id,
    };
    if id.is_empty() || id.len() > LONGEST_ID {
        return Err(SearchError::Id { bytes: id.len() });
    }
    match change {
        Change::Put(document) => check_vectors(document, settings),
        Change::Remove(_) => Ok(()),
    }
}

fn check_vectors(document: &Document, settings: &IndexSettings) -> SearchResult<()> {
    for space in Space::ALL {
        if let Some(vector) = document.vector(space) {
            let expected = settings.spaces.get(space).ok_or(SearchError::NoSpace { space })?.dimensions;
            if vector.dimensions() != expected {
                return Err(SearchError::Dimensions { space, expected, found: vector.dimensions() });
            }
        }
    }
    Ok(())
}
