//! The index: one process owns it and applies changes, others read it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::document::Change;
use crate::error::{SearchError, SearchResult};
use crate::folder::{IndexGeneration, OwnerLock, Stamp};
use crate::hits::Hits;
use crate::open_index::OpenIndex;
use crate::owner::Owner;
use crate::query::Query;
use crate::schema::IndexFields;
use crate::search;
use crate::settings::{IndexSettings, Space, SpaceSettings};
use crate::view::IndexView;

/// A hybrid index of images, in a folder.
///
/// It is a cache: the library's store holds the truth, and its log of changes has numbers. The index carries
/// the number of the last change that it has [`applied`](Self::applied); its owner applies what comes
/// after. Every commit is atomic, so a crash leaves the state of the last one.
///
/// All methods take `&self` and may be called from any number of threads. A search sees one commit, whole.
pub struct Index {
    root: PathBuf,
    settings: IndexSettings,
    fields: IndexFields,
    view: RwLock<Arc<IndexView>>,
    access: Access,
    rebuilt: Option<SearchError>,
}

/// The process's role. Either lock is held for as long as a commit or a reload takes; searches need none.
enum Access {
    Owner { owner: Box<Mutex<Owner>>, merging: Mutex<()>, _lock: OwnerLock },
    Reader(Box<Mutex<ReaderState>>),
}

struct ReaderState {
    opened: OpenIndex,
    stamp: Option<Stamp>,
}

impl Index {
    /// Opens the index in this folder to apply changes, or begins a new one.
    ///
    /// If the index is damaged, or was built with other embedders or field weights, it starts empty and
    /// [`rebuilt`](Self::rebuilt) says why; [`applied`](Self::applied) is 0 then, and the caller applies
    /// the whole log.
    ///
    /// # Errors
    /// [`SearchError::Owned`] if another process owns it, [`SearchError::Setting`] if a setting is out of
    /// range, [`SearchError::Io`] if the folder can't be used.
    pub fn open(root: impl AsRef<Path>, settings: IndexSettings) -> SearchResult<Self> {
        check(&settings)?;
        let root = root.as_ref().to_owned();
        let lock = OwnerLock::take(&root)?;
        let fields = IndexFields::new();
        let newest = IndexGeneration::newest(&root)?;
        let (opened, view, rebuilt) = match newest.map(|newest| OpenIndex::open(&newest, &fields, &settings)) {
            Some(Ok((opened, view))) => (opened, view, None),
            Some(Err(error)) => {
                let (opened, view) = begin(&root, &fields, &settings)?;
                (opened, view, Some(error))
            }
            None => {
                let (opened, view) = begin(&root, &fields, &settings)?;
                (opened, view, None)
            }
        };
        opened.generation.remove_others(&root);
        opened.generation.remove_strays(&view.manifest().files.iter().map(|file| file.name.as_str()).collect())?;
        let owner = Box::new(Mutex::new(Owner::new(opened, &view)?));
        let access = Access::Owner { owner, merging: Mutex::new(()), _lock: lock };
        Ok(Self { root, settings, fields, view: RwLock::new(Arc::new(view)), access, rebuilt })
    }

    /// Opens the index in this folder to search only. The owner's commits are seen by the next search.
    ///
    /// # Errors
    /// [`SearchError::NotThere`] if there is none, [`SearchError::Damaged`] or
    /// [`SearchError::OtherSettings`] if the owner has to rebuild it.
    pub fn open_read_only(root: impl AsRef<Path>, settings: IndexSettings) -> SearchResult<Self> {
        check(&settings)?;
        let root = root.as_ref().to_owned();
        let fields = IndexFields::new();
        let (reader, view) = ReaderState::open(&root, &fields, &settings)?;
        let access = Access::Reader(Box::new(Mutex::new(reader)));
        Ok(Self { root, settings, fields, view: RwLock::new(Arc::new(view)), access, rebuilt: None })
    }

    /// The reason why the index started empty when it was opened, if it did: the caller applies the whole log then.
    #[must_use]
    pub fn rebuilt(&self) -> Option<&SearchError> {
        self.rebuilt.as_ref()
    }

    /// The settings it was opened with.
    #[must_use]
    pub fn settings(&self) -> &IndexSettings {
        &self.settings
    }

    /// The number of the last change that is committed; 0 if there is none.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.current().manifest().applied
    }

    /// Number of committed images.
    #[must_use]
    pub fn images(&self) -> usize {
        self.current().images()
    }

    /// True if the image with this id is committed.
    ///
    /// # Errors
    /// [`SearchError::Lexical`] if the index can't be read.
    pub fn contains(&self, id: &str) -> SearchResult<bool> {
        Ok(self.current().row_of(&self.fields, id)?.is_some())
    }

    /// Takes the next changes of the log, of which the last has the number `up_to`. They are found once they
    /// are [committed](Self::commit). All of them are taken, or none. Vectors wait in memory for the commit:
    /// commit every few thousand images.
    ///
    /// # Errors
    /// [`SearchError::ReadOnly`], [`SearchError::Backwards`], [`SearchError::Id`],
    /// [`SearchError::Dimensions`] and [`SearchError::NoSpace`] leave everything as it was. After any other
    /// error, changes since the last commit are dropped: go on from [`applied`](Self::applied).
    pub fn apply(&self, changes: &[Change], up_to: u64) -> SearchResult<()> {
        let mut owner = self.owner()?;
        owner.apply(&self.current(), &self.fields, &self.settings, changes, up_to)
    }

    /// Makes what was applied durable and lets searches find it. It takes some 20 ms.
    ///
    /// # Errors
    /// Whatever failed. Changes since the last commit are dropped then: go on from
    /// [`applied`](Self::applied).
    pub fn commit(&self) -> SearchResult<()> {
        let mut owner = self.owner()?;
        let before = self.current();
        let view = owner.commit(&before, &self.settings)?;
        self.publish(view);
        Ok(())
    }

    /// Merges small files into large ones and sorts large ones into lists, as long as that is worth it. It
    /// commits what was applied.
    ///
    /// It may take minutes (about two for a million images on two cores), during which other threads apply,
    /// commit and search as usual. Call it from a separate thread, after imports. An index that is never
    /// merged is correct too, only slower to search.
    ///
    /// # Errors
    /// Whatever failed; the index is as it was before.
    pub fn maintain(&self) -> SearchResult<()> {
        let Access::Owner { merging, .. } = &self.access else { return Err(SearchError::ReadOnly) };
        let _one_at_a_time = merging.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let before = self.current();
            let Some(merge) = self.owner()?.plan_merge(&before, &self.settings) else { return Ok(()) };
            let written = merge.write(&before, &self.settings);
            let mut owner = self.owner()?;
            let view = match written {
                Ok(()) => owner.finish_merge(&merge, &self.current(), &self.settings)?,
                Err(error) => {
                    owner.abandon_merge(&merge);
                    return Err(error);
                }
            };
            self.publish(view);
        }
    }

    /// Reads the owner's last commit, if it is new. A reader's searches do this first.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only). The state before stays.
    pub fn refresh(&self) -> SearchResult<()> {
        let Access::Reader(reader) = &self.access else { return Ok(()) };
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = IndexGeneration::newest(&self.root)?;
        if newest.as_ref().is_some_and(|newest| *newest != reader.opened.generation) {
            let (new, view) = ReaderState::open(&self.root, &self.fields, &self.settings)?;
            *reader = new;
            self.publish(view);
        } else if reader.opened.generation.stamp() != reader.stamp {
            // Taken before the reload, so that a commit in between is noticed by the next refresh.
            let stamp = reader.opened.generation.stamp();
            let view = reader.opened.reload(&self.settings, &self.current())?;
            reader.stamp = stamp;
            self.publish(view);
        }
        Ok(())
    }

    /// Searches.
    ///
    /// # Errors
    /// [`SearchError::Dimensions`] or [`SearchError::NoSpace`] for a vector of another space,
    /// [`SearchError::NoSuchImage`] or [`SearchError::NoVector`] for an image to find others like,
    /// [`SearchError::Damaged`] if a file is found to be damaged: the index is rebuilt when it is next
    /// opened.
    pub fn search(&self, query: &Query) -> SearchResult<Hits> {
        self.refresh()?;
        let view = self.current();
        let found = search::search(&view, &self.fields, &self.settings, query);
        if let Err(SearchError::Damaged { file, detail }) = &found {
            // It lies in data that opening does not read: the next owner has to know.
            view.generation().mark_damaged(&format!("{file}: {detail}"));
        }
        found
    }

    fn current(&self) -> Arc<IndexView> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn publish(&self, view: IndexView) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    fn owner(&self) -> SearchResult<MutexGuard<'_, Owner>> {
        match &self.access {
            Access::Owner { owner, .. } => Ok(owner.lock().unwrap_or_else(PoisonError::into_inner)),
            Access::Reader(_) => Err(SearchError::ReadOnly),
        }
    }
}

impl ReaderState {
    fn open(root: &Path, fields: &IndexFields, settings: &IndexSettings) -> SearchResult<(Self, IndexView)> {
        let newest = IndexGeneration::newest(root)?.ok_or_else(|| SearchError::NotThere { dir: root.to_owned() })?;
        let stamp = newest.stamp();
        let (opened, view) = OpenIndex::open(&newest, fields, settings)?;
        Ok((Self { opened, stamp }, view))
    }
}

fn begin(root: &Path, fields: &IndexFields, settings: &IndexSettings) -> SearchResult<(OpenIndex, IndexView)> {
    let generation = IndexGeneration::create(root)?;
    OpenIndex::create(&generation, fields, settings)?;
    OpenIndex::open(&generation, fields, settings)
}

/// Checks that the settings are within their ranges.
fn check(settings: &IndexSettings) -> SearchResult<()> {
    let wrong = |name, value: String, expected| Err(SearchError::Setting { name, value, expected });
    for space in Space::ALL {
        if let Some(SpaceSettings { dimensions, .. }) = settings.spaces.get(space)
            && !(1..=SpaceSettings::MAX_DIMENSIONS).contains(dimensions)
        {
            return wrong("dimensions", dimensions.to_string(), "from 1 to 4096");
        }
    }
    let fusion = &settings.fusion;
    let weights = [fusion.lexical, fusion.text, fusion.look, fusion.appearance, fusion.color];
    if let Some(weight) = weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
        return wrong("a weight of the fusion", weight.to_string(), "a number from 0 on");
    }
    let cut_offs = &settings.cut_offs;
    let cut_offs = [
        cut_offs.lexical,
        cut_offs.text,
        cut_offs.look,
        cut_offs.doubted,
        cut_offs.lexical_in_doubt,
        cut_offs.look_in_doubt,
        cut_offs.appearance,
        cut_offs.color,
    ];
    if let Some(cut_off) = cut_offs.iter().find(|cut_off| !cut_off.is_finite()) {
        return wrong("a cut-off", cut_off.to_string(), "a number");
    }
    Ok(())
}
