//! Files that are mapped, and checked block by block when a block is first read.
//!
//! A file is written once and never changed. After its data stand a table of checksums, one for each block of
//! 64 KiB, the directory (JSON: what is where), and a footer of 32 bytes with a checksum of both. Opening
//! reads the end only, so that an index of gigabytes opens at once; data is read only from
//! blocks whose checksum was found right, so that a damaged file never gives a wrong hit. Checking costs about
//! as much as scanning (12 GB/s), once for each block.
//!
//! The mapping is tantivy's: it needs no unsafe code here.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tantivy::directory::{Directory as _, MmapDirectory, OwnedBytes};

use crate::error::{SearchError, SearchResult};

const BLOCK: usize = 1 << 16;
const MAGIC: [u8; 8] = *b"atelvec1";
const FOOTER: usize = 32;

/// Sections begin at multiples of this: a processor's cache line.
const ALIGNMENT: u64 = 64;

/// A file that was written by [`FileWriter`].
pub(crate) struct CheckedFile {
    name: String,
    bytes: OwnedBytes,
    data: usize,
    directory: std::ops::Range<usize>,
    /// A bit for each block whose checksum was right.
    checked: Box<[AtomicU64]>,
}

impl CheckedFile {
    /// Maps the file and checks its end.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] if it is not there, or its end is not what was written.
    pub(crate) fn open(directory: &MmapDirectory, name: &str) -> SearchResult<Self> {
        let damaged = |detail: &str| SearchError::damaged(name, detail);
        let slice = directory.open_read(Path::new(name)).map_err(|error| damaged(&error.to_string()))?;
        let bytes = slice.read_bytes().map_err(|error| damaged(&error.to_string()))?;
        let footer_at = bytes.len().checked_sub(FOOTER).ok_or_else(|| damaged("it is cut"))?;
        let footer = &bytes[footer_at..];
        if footer[..8] != MAGIC {
            return Err(damaged("it has no footer"));
        }
        let data = usize::try_from(number(&footer[8..16])).map_err(|_| damaged("its footer is wrong"))?;
        let directory_length = number(&footer[16..20]) as usize;
        let table = data.div_ceil(BLOCK) * 4;
        let expected = data.checked_add(table).and_then(|n| n.checked_add(directory_length));
        if expected != Some(footer_at) {
            return Err(damaged("its length is not what its footer says"));
        }
        let mut sum = crc32fast::Hasher::new();
        sum.update(&bytes[data..footer_at]);
        sum.update(&footer[..20]);
        if u64::from(sum.finalize()) != number(&footer[20..24]) {
            return Err(damaged("its directory is not what was written"));
        }
        let words = data.div_ceil(BLOCK).div_ceil(64);
        let checked = (0..words).map(|_| AtomicU64::new(0)).collect();
        let name = name.to_owned();
        Ok(Self { name, data, directory: data + table..footer_at, checked, bytes })
    }

    /// Its name within the index's folder.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The directory, as it was given to [`FileWriter::finish`].
    pub(crate) fn directory(&self) -> &[u8] {
        &self.bytes[self.directory.clone()]
    }

    /// Length of its data in bytes.
    pub(crate) fn data_len(&self) -> u64 {
        self.data as u64
    }

    /// Bytes of its data.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] if they lie outside it, or are not what was written.
    #[inline]
    pub(crate) fn get(&self, start: u64, length: usize) -> SearchResult<&[u8]> {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let end = start.checked_add(length).filter(|&end| end <= self.data);
        let Some(end) = end else {
            return Err(SearchError::damaged(&self.name, "its directory points beyond its end"));
        };
        if length > 0 {
            for block in start / BLOCK..=(end - 1) / BLOCK {
                let (word, bit) = (&self.checked[block / 64], 1_u64 << (block % 64));
                if word.load(Ordering::Relaxed) & bit == 0 {
                    self.check(block)?;
                    word.fetch_or(bit, Ordering::Relaxed);
                }
            }
        }
        Ok(&self.bytes[start..end])
    }

    #[cold]
    fn check(&self, block: usize) -> SearchResult<()> {
        let start = block * BLOCK;
        let data = &self.bytes[start..(start + BLOCK).min(self.data)];
        let entry = self.data + block * 4;
        if u64::from(crc32fast::hash(data)) == number(&self.bytes[entry..entry + 4]) {
            return Ok(());
        }
        Err(SearchError::damaged(&self.name, format!("the block at byte {start} is not what was written")))
    }
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Writes a file for [`CheckedFile`].
pub(crate) struct FileWriter {
    file: BufWriter<File>,
    written: u64,
    block: crc32fast::Hasher,
    in_block: usize,
    sums: Vec<u8>,
}

impl FileWriter {
    /// A new file, which must not exist yet.
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 20, File::create_new(path)?);
        Ok(Self { file, written: 0, block: crc32fast::Hasher::new(), in_block: 0, sums: Vec::new() })
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.in_block));
            self.file.write_all(now)?;
            self.block.update(now);
            self.in_block += now.len();
            self.written += now.len() as u64;
            if self.in_block == BLOCK {
                self.end_block();
            }
            bytes = later;
        }
        Ok(())
    }

    /// Fills up to where a section may begin, and says where that is.
    pub(crate) fn begin_section(&mut self) -> std::io::Result<u64> {
        let gap = (ALIGNMENT - self.written % ALIGNMENT) % ALIGNMENT;
        self.write(&[0; ALIGNMENT as usize][..gap as usize])?;
        Ok(self.written)
    }

    /// Ends the file and makes it durable. The folder's entry is the caller's to sync.
    pub(crate) fn finish(mut self, directory: &[u8]) -> std::io::Result<()> {
        if self.in_block > 0 {
            self.end_block();
        }
        let mut footer = [0_u8; FOOTER];
        footer[..8].copy_from_slice(&MAGIC);
        footer[8..16].copy_from_slice(&self.written.to_le_bytes());
        footer[16..20].copy_from_slice(&(directory.len() as u32).to_le_bytes());
        let mut sum = crc32fast::Hasher::new();
        sum.update(&self.sums);
        sum.update(directory);
        sum.update(&footer[..20]);
        footer[20..24].copy_from_slice(&sum.finalize().to_le_bytes());
        self.file.write_all(&self.sums)?;
        self.file.write_all(directory)?;
        self.file.write_all(&footer)?;
        self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    }

    fn end_block(&mut self) {
        let block = std::mem::replace(&mut self.block, crc32fast::Hasher::new());
        self.sums.extend_from_slice(&block.finalize().to_le_bytes());
        self.in_block = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write(path: &Path, data: &[u8], directory: &[u8]) {
        let mut writer = FileWriter::create(path).unwrap();
        writer.write(data).unwrap();
        writer.finish(directory).unwrap();
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let data: Vec<u8> = (0..3 * BLOCK + 17).map(|n| (n % 251) as u8).collect();
        let mut writer = FileWriter::create(&dir.path().join("a")).unwrap();
        writer.write(&data).unwrap();
        let section = writer.begin_section().unwrap();
        writer.write(b"next").unwrap();
        writer.finish(b"{}").unwrap();
        let file = CheckedFile::open(&MmapDirectory::open(dir.path()).unwrap(), "a").unwrap();
        assert_eq!(section % ALIGNMENT, 0);
        assert_eq!(file.get(0, data.len()).unwrap(), data);
        assert_eq!(file.get(section, 4).unwrap(), b"next");
        assert_eq!(file.directory(), b"{}");
        assert_eq!(file.get(section, 5).unwrap_err().code(), "index-damaged");
        assert_eq!(file.get(u64::MAX, 1).unwrap_err().code(), "index-damaged");
    }

    #[test]
    fn a_file_without_data_is_sound() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("a"), b"", b"d");
        let file = CheckedFile::open(&MmapDirectory::open(dir.path()).unwrap(), "a").unwrap();
        assert_eq!((file.get(0, 0).unwrap().len(), file.directory()), (0, &b"d"[..]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_damaged_file_is_refused_or_gives_what_was_written(
            length in 0..2 * BLOCK,
            place in 0.0_f64..1.0,
            cut in any::<bool>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a");
            let data: Vec<u8> = (0..length).map(|n| (n * 7 % 253) as u8).collect();
            write(&path, &data, b"directory");
            let mut bytes = std::fs::read(&path).unwrap();
            let place = (place * (bytes.len() - 1) as f64) as usize;
            if cut { bytes.truncate(place) } else { bytes[place] ^= 0x55 }
            std::fs::write(&path, &bytes).unwrap();
            match CheckedFile::open(&MmapDirectory::open(dir.path()).unwrap(), "a") {
                Err(error) => prop_assert_eq!(error.code(), "index-damaged"),
                Ok(file) => {
                    prop_assert_eq!(file.directory(), b"directory");
                    for (start, block) in data.chunks(BLOCK).enumerate() {
                        if let Ok(read) = file.get((start * BLOCK) as u64, block.len()) {
                            prop_assert_eq!(read, block);
                        }
                    }
                }
            }
        }
    }
}
