//! One file of vectors and palettes: some rows of the index, written by one commit or one merge.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;

use super::file::CheckedFile;
use crate::error::{SearchError, SearchResult};
use crate::settings::{Space, Spaces};

/// A little-endian number of four bytes, as it lies in a file.
pub(crate) type Le32 = [u8; 4];

/// The directory of a file: offsets of its sections in bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layout {
    pub(crate) spaces: BTreeMap<Space, SpaceLayout>,
    pub(crate) palette: Option<PaletteLayout>,
}

/// Where the vectors of a space are. Each has a slot; slots are in the order of rows or, with lists, of lists.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceLayout {
    pub(crate) dimensions: u32,
    pub(crate) slots: u32,
    /// `u32` each: the row of a slot.
    pub(crate) rows: u64,
    /// `f32` each: the scale of a slot's codes.
    pub(crate) scales: u64,
    /// `dimensions` bytes each: the high plane.
    pub(crate) high: u64,
    /// The low plane, if there is one.
    pub(crate) low: Option<u64>,
    pub(crate) lists: Option<ListLayout>,
}

/// Where the lists of a space are: slots whose vectors are nearest to the same centroid.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListLayout {
    pub(crate) lists: u32,
    /// `u32` each: the slot after a list's last.
    pub(crate) ends: u64,
    /// The centroids' scales and high planes.
    pub(crate) scales: u64,
    pub(crate) high: u64,
}

/// Offsets of the palettes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaletteLayout {
    pub(crate) images: u32,
    pub(crate) colors: u32,
    /// `u32` each: the row of an image.
    pub(crate) rows: u64,
    /// `u32` each: the colour after an image's last.
    pub(crate) ends: u64,
    /// Three `i16` each: L, a and b in hundredths.
    pub(crate) lab: u64,
}

/// An open file of vectors and palettes.
pub(crate) struct Segment {
    file: CheckedFile,
    layout: Layout,
}

impl Segment {
    /// Opens a file and reads its directory.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] if it is not there, its end is not what was written, or its spaces are not
    /// those of the settings.
    pub(crate) fn open(directory: &MmapDirectory, name: &str, spaces: &Spaces) -> SearchResult<Self> {
        let file = CheckedFile::open(directory, name)?;
        let damaged = |detail: String| SearchError::damaged(name, detail);
        let layout: Layout =
            serde_json::from_slice(file.directory()).map_err(|error| damaged(format!("its directory: {error}")))?;
        for (space, layout) in &layout.spaces {
            let expected = spaces.get(*space).map(|settings| settings.dimensions);
            if expected != Some(layout.dimensions as usize) {
                return Err(damaged(format!("it has a space of {space} of {} numbers", layout.dimensions)));
            }
        }
        Ok(Self { file, layout })
    }

    /// Its name within the folder of vectors.
    pub(crate) fn name(&self) -> &str {
        self.file.name()
    }

    /// Length of its data in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.data_len()
    }

    /// Number of slots of its largest space, or of its palettes, if those are more.
    pub(crate) fn size(&self) -> usize {
        let palettes = self.layout.palette.map_or(0, |palette| palette.images);
        self.layout.spaces.values().map(|space| space.slots).chain([palettes]).max().unwrap_or(0) as usize
    }

    /// True if the vectors of any space are sorted into lists.
    pub(crate) fn has_lists(&self) -> bool {
        self.layout.spaces.values().any(|space| space.lists.is_some())
    }

    /// Its vectors of a space, if it has any.
    pub(crate) fn space(&self, space: Space) -> Option<SpaceView<'_>> {
        self.layout.spaces.get(&space).map(|&layout| SpaceView { file: &self.file, layout })
    }

    /// Its palettes, if it has any.
    pub(crate) fn palette(&self) -> SearchResult<Option<PaletteView<'_>>> {
        let Some(layout) = self.layout.palette else { return Ok(None) };
        let lab = self.file.get(layout.lab, layout.colors as usize * 6)?;
        Ok(Some(PaletteView {
            rows: numbers(&self.file, layout.rows, 0..layout.images)?,
            ends: numbers(&self.file, layout.ends, 0..layout.images)?,
            lab: lab.as_chunks().0,
        }))
    }
}

/// The vectors of a space within a file.
#[derive(Clone, Copy)]
pub(crate) struct SpaceView<'a> {
    file: &'a CheckedFile,
    layout: SpaceLayout,
}

/// Slots as they lie in the file.
pub(crate) struct Slots<'a> {
    pub(crate) rows: &'a [Le32],
    pub(crate) scales: &'a [Le32],
    pub(crate) high: &'a [u8],
}

/// One vector as it lies in the file.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'a> {
    pub(crate) scale: f32,
    pub(crate) high: &'a [u8],
    pub(crate) low: Option<&'a [u8]>,
}

/// The centroids of a space's lists.
pub(crate) struct Centroids<'a> {
    pub(crate) ends: &'a [Le32],
    pub(crate) scales: &'a [Le32],
    pub(crate) high: &'a [u8],
}

impl<'a> SpaceView<'a> {
    pub(crate) fn slots(&self) -> u32 {
        self.layout.slots
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.layout.dimensions as usize
    }

    /// The slots of a range, with the high plane only: all that a scan reads.
    pub(crate) fn range(&self, slots: std::ops::Range<u32>) -> SearchResult<Slots<'a>> {
        let dimensions = self.dimensions();
        let high = self.layout.high + u64::from(slots.start) * dimensions as u64;
        Ok(Slots {
            high: self.file.get(high, slots.len() * dimensions)?,
            rows: numbers(self.file, self.layout.rows, slots.clone())?,
            scales: numbers(self.file, self.layout.scales, slots)?,
        })
    }

    /// The row of every slot.
    pub(crate) fn rows(&self) -> SearchResult<&'a [Le32]> {
        numbers(self.file, self.layout.rows, 0..self.layout.slots)
    }

    /// The vector in a slot, with both planes.
    pub(crate) fn slot(&self, slot: u32) -> SearchResult<Slot<'a>> {
        let dimensions = self.dimensions();
        let at = u64::from(slot) * dimensions as u64;
        let scale = numbers(self.file, self.layout.scales, slot..slot + 1)?;
        Ok(Slot {
            scale: scale.first().map_or(0.0, |&word| f32::from_le_bytes(word)),
            high: self.file.get(self.layout.high + at, dimensions)?,
            low: self.layout.low.map(|low| self.file.get(low + at, dimensions)).transpose()?,
        })
    }

    /// The slot of a row, if it has one.
    pub(crate) fn slot_of(&self, row: u32) -> SearchResult<Option<u32>> {
        let row = row.to_le_bytes();
        Ok(self.rows()?.iter().position(|&other| other == row).map(|slot| slot as u32))
    }

    /// The lists' centroids, if there are lists.
    pub(crate) fn centroids(&self) -> SearchResult<Option<Centroids<'a>>> {
        let Some(lists) = self.layout.lists else { return Ok(None) };
        Ok(Some(Centroids {
            ends: numbers(self.file, lists.ends, 0..lists.lists)?,
            scales: numbers(self.file, lists.scales, 0..lists.lists)?,
            high: self.file.get(lists.high, lists.lists as usize * self.dimensions())?,
        }))
    }
}

/// The palettes within a file.
pub(crate) struct PaletteView<'a> {
    pub(crate) rows: &'a [Le32],
    pub(crate) ends: &'a [Le32],
    pub(crate) lab: &'a [[u8; 6]],
}

impl<'a> PaletteView<'a> {
    /// Rows and their colours, as bytes of [`CieLab`](crate::color::CieLab).
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &'a [[u8; 6]])> {
        let mut start = 0;
        let lab = self.lab;
        self.rows.iter().zip(self.ends).map(move |(&row, &end)| {
            let end = u32::from_le_bytes(end) as usize;
            let colors = lab.get(start..end).unwrap_or_default();
            start = end;
            (u32::from_le_bytes(row), colors)
        })
    }
}

fn numbers(file: &CheckedFile, section: u64, range: std::ops::Range<u32>) -> SearchResult<&[Le32]> {
    Ok(file.get(section + u64::from(range.start) * 4, range.len() * 4)?.as_chunks().0)
}
