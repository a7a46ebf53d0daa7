//! Writing files of vectors and palettes: those of a commit, and those that merge others.

use std::path::Path;
use std::sync::Arc;

use super::cluster::{self, Lists};
use super::codes::Codes;
use super::file::FileWriter;
use super::segment::{Layout, ListLayout, PaletteLayout, Segment, Slot, SpaceLayout};
use super::source::VectorSource;
use crate::color::CieLab;
use crate::document::Document;
use crate::error::{SearchError, SearchResult};
use crate::rows::RowSet;
use crate::settings::{IndexSettings, Space};

/// Vectors and palettes that the next commit writes.
#[derive(Default)]
pub(crate) struct PendingVectors {
    spaces: [Vec<(u32, Codes)>; Space::ALL.len()],
    palettes: Vec<(u32, Vec<CieLab>)>,
}

impl PendingVectors {
    /// Takes an image's vectors and palette. Rows must rise from call to call.
    pub(crate) fn push(&mut self, row: u32, document: &Document) {
        for space in Space::ALL {
            if let Some(vector) = document.vector(space) {
                self.spaces[space.place()].push((row, Codes::of(vector.as_slice())));
            }
        }
        if !document.palette.is_empty() {
            let colors = document.palette.iter().take(Document::MAX_PALETTE);
            self.palettes.push((row, colors.map(|&color| CieLab::of(color)).collect()));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.palettes.is_empty() && self.spaces.iter().all(Vec::is_empty)
    }

    /// Writes it to a new file.
    pub(crate) fn write(&self, path: &Path, settings: &IndexSettings) -> SearchResult<()> {
        let vectors = Space::ALL.map(|space| InMemory { vectors: &self.spaces[space.place()], fine: space.fine() });
        let sources = vectors.each_ref().map(|source| (source as &dyn VectorSource, None));
        let palettes = self.palettes.iter().map(|(row, palette)| (*row, palette.as_slice()));
        write(path, settings, sources, palettes)
    }
}

/// Vectors of a commit, by rising row.
struct InMemory<'a> {
    vectors: &'a [(u32, Codes)],
    /// True if the low plane is written too.
    fine: bool,
}

impl VectorSource for InMemory<'_> {
    fn len(&self) -> usize {
        self.vectors.len()
    }

    fn row(&self, number: usize) -> u32 {
        self.vectors[number].0
    }

    fn slot(&self, number: usize) -> SearchResult<Slot<'_>> {
        let codes = &self.vectors[number].1;
        Ok(Slot { scale: codes.scale, high: &codes.high, low: self.fine.then_some(codes.low.as_slice()) })
    }
}

/// Writes the living rows of these files into a new one. A space is sorted into lists if it is so large that
/// searches leave some of them unread.
pub(crate) fn merge(
    segments: &[Arc<Segment>],
    alive: &RowSet,
    path: &Path,
    settings: &IndexSettings,
) -> SearchResult<()> {
    let sources = Space::ALL.map(|space| Merged::new(segments, space, alive));
    let [text, look, appearance] = sources;
    let sources = [text?, look?, appearance?];
    let mut lists: [Option<Lists>; Space::ALL.len()] = Default::default();
    for space in Space::ALL {
        let source = &sources[space.place()];
        let worth_lists = source.len() >= settings.scanned / 2 && source.len() > 1;
        if let Some(spaces) = settings.spaces.get(space).filter(|_| worth_lists) {
            lists[space.place()] = Some(cluster::cluster(source, spaces.dimensions, settings.threads)?);
        }
    }
    let mut palettes = Vec::new();
    for segment in segments {
        let Some(palette) = segment.palette()? else { continue };
        for (row, colors) in palette.iter() {
            if alive.contains(row) {
                palettes.push((row, colors.iter().map(|&bytes| CieLab::from_bytes(bytes)).collect::<Vec<_>>()));
            }
        }
    }
    palettes.sort_unstable_by_key(|(row, _)| *row);
    let sources = Space::ALL.map(|space| (&sources[space.place()] as &dyn VectorSource, lists[space.place()].as_ref()));
    write(path, settings, sources, palettes.iter().map(|(row, palette)| (*row, palette.as_slice())))
}

/// The living vectors of several files, by rising row.
struct Merged<'a> {
    segments: &'a [Arc<Segment>],
    space: Space,
    /// Row, place of the file in `segments`, slot in the file.
    entries: Vec<(u32, u32, u32)>,
}

impl<'a> Merged<'a> {
    fn new(segments: &'a [Arc<Segment>], space: Space, alive: &RowSet) -> SearchResult<Self> {
        let mut entries = Vec::new();
        for (place, segment) in segments.iter().enumerate() {
            let Some(view) = segment.space(space) else { continue };
            let rows = view.rows()?.iter().map(|&row| u32::from_le_bytes(row));
            let living = rows.zip(0..).filter(|(row, _)| alive.contains(*row));
            entries.extend(living.map(|(row, slot)| (row, place as u32, slot)));
        }
        entries.sort_unstable();
        Ok(Self { segments, space, entries })
    }
}

impl VectorSource for Merged<'_> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn row(&self, number: usize) -> u32 {
        self.entries[number].0
    }

    fn slot(&self, number: usize) -> SearchResult<Slot<'_>> {
        let (_, place, slot) = self.entries[number];
        let segment = &self.segments[place as usize];
        let view = segment.space(self.space);
        view.ok_or_else(|| SearchError::damaged(segment.name(), "a space is not there any more"))?.slot(slot)
    }
}

/// Writes a file of these spaces and palettes, and makes it durable.
fn write<'a>(
    path: &Path,
    settings: &IndexSettings,
    sources: [(&dyn VectorSource, Option<&Lists>); Space::ALL.len()],
    palettes: impl Iterator<Item = (u32, &'a [CieLab])> + Clone,
) -> SearchResult<()> {
    let failed = |error: std::io::Error| SearchError::io(path, &error);
    let mut file = FileWriter::create(path).map_err(failed)?;
    let mut layout = Layout::default();
    for (space, (source, lists)) in Space::ALL.into_iter().zip(sources) {
        if let Some(spaces) = settings.spaces.get(space).filter(|_| source.len() > 0) {
            let writer = SpaceWriter { file: &mut file, path, source, lists };
            layout.spaces.insert(space, writer.write(spaces.dimensions, space.fine())?);
        }
    }
    if palettes.clone().next().is_some() {
        layout.palette = Some(write_palettes(&mut file, palettes).map_err(failed)?);
    }
    let directory = serde_json::to_vec(&layout).map_err(|error| failed(error.into()))?;
    file.finish(&directory).map_err(failed)
}

struct SpaceWriter<'a> {
    file: &'a mut FileWriter,
    path: &'a Path,
    source: &'a dyn VectorSource,
    lists: Option<&'a Lists>,
}

impl SpaceWriter<'_> {
    fn write(mut self, dimensions: usize, fine: bool) -> SearchResult<SpaceLayout> {
        let slots = u32::try_from(self.source.len()).map_err(|_| SearchError::Full)?;
        let lists = match self.lists {
            Some(lists) => Some(self.write_lists(lists)?),
            None => None,
        };
        Ok(SpaceLayout {
            dimensions: dimensions as u32,
            slots,
            rows: self.section(|source, number, bytes| {
                bytes.extend_from_slice(&source.row(number).to_le_bytes());
                Ok(())
            })?,
            scales: self.section(|source, number, bytes| {
                bytes.extend_from_slice(&source.slot(number)?.scale.to_le_bytes());
                Ok(())
            })?,
            high: self.section(|source, number, bytes| {
                bytes.extend_from_slice(source.slot(number)?.high);
                Ok(())
            })?,
            low: match fine {
                true => Some(self.section(|source, number, bytes| {
                    bytes.extend_from_slice(source.slot(number)?.low.unwrap_or_default());
                    Ok(())
                })?),
                false => None,
            },
            lists,
        })
    }

    /// Writes something of every vector, in the order of slots.
    fn section(
        &mut self,
        append: impl Fn(&dyn VectorSource, usize, &mut Vec<u8>) -> SearchResult<()>,
    ) -> SearchResult<u64> {
        let start = self.file.begin_section().map_err(|error| SearchError::io(self.path, &error))?;
        let mut bytes = Vec::new();
        for place in 0..self.source.len() {
            let number = self.lists.map_or(place, |lists| lists.order[place] as usize);
            append(self.source, number, &mut bytes)?;
            if bytes.len() >= 1 << 16 || place + 1 == self.source.len() {
                self.file.write(&bytes).map_err(|error| SearchError::io(self.path, &error))?;
                bytes.clear();
            }
        }
        Ok(start)
    }

    fn write_lists(&mut self, lists: &Lists) -> SearchResult<ListLayout> {
        let mut section = |parts: &mut dyn Iterator<Item = &[u8]>| -> std::io::Result<u64> {
            let start = self.file.begin_section()?;
            for part in parts {
                self.file.write(part)?;
            }
            Ok(start)
        };
        let ends: Vec<[u8; 4]> = lists.ends.iter().map(|end| end.to_le_bytes()).collect();
        let scales: Vec<[u8; 4]> = lists.centroids.iter().map(|codes| codes.scale.to_le_bytes()).collect();
        let mut write = || -> std::io::Result<ListLayout> {
            Ok(ListLayout {
                lists: ends.len() as u32,
                ends: section(&mut ends.iter().map(<[u8; 4]>::as_slice))?,
                scales: section(&mut scales.iter().map(<[u8; 4]>::as_slice))?,
                high: section(&mut lists.centroids.iter().map(|codes| codes.high.as_slice()))?,
            })
        };
        write().map_err(|error| SearchError::io(self.path, &error))
    }
}

fn write_palettes<'a>(
    file: &mut FileWriter,
    palettes: impl Iterator<Item = (u32, &'a [CieLab])> + Clone,
) -> std::io::Result<PaletteLayout> {
    let rows = file.begin_section()?;
    let mut images = 0;
    for (row, _) in palettes.clone() {
        file.write(&row.to_le_bytes())?;
        images += 1;
    }
    let ends = file.begin_section()?;
    let mut colors = 0_u32;
    for (_, palette) in palettes.clone() {
        colors += palette.len() as u32;
        file.write(&colors.to_le_bytes())?;
    }
    let lab = file.begin_section()?;
    for color in palettes.flat_map(|(_, palette)| palette) {
        file.write(&color.to_bytes())?;
    }
    Ok(PaletteLayout { images, colors, rows, ends, lab })
}
