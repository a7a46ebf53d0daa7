//! The targets of an export: a folder, or a ZIP file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::{StudioError, StudioResult};

/// The name of the list of the images.
const LIST: &str = "images.json";

/// The size in bytes from which on an entry of a ZIP file needs the longer numbers of ZIP64.
const LARGE: usize = u32::MAX as usize;

/// Writes the files of an export to its target.
///
/// An export appears whole or not at all, so that a folder with a list or a ZIP file is never one that was cut off.
/// `finish` makes everything visible and durable; a sink that is dropped before that deletes what it wrote. The
/// methods block.
pub(crate) trait Sink: Send {
    /// Writes a file, and its entry in the list of the images.
    fn add(&mut self, name: &str, content: &[u8], entry: &[u8]) -> StudioResult<()>;

    /// Writes the list, and makes the export visible and durable.
    fn finish(self: Box<Self>) -> StudioResult<()>;
}

/// The list of the images while it grows: a hidden file, so that a million images take no memory. Dropping it deletes
/// the file.
struct ImageList {
    path: PathBuf,
    file: BufWriter<File>,
    entries: u64,
}

impl ImageList {
    fn new(path: PathBuf) -> StudioResult<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = BufWriter::new(file.map_err(|error| StudioError::export(&path, error))?);
        Ok(Self { path, file, entries: 0 })
    }

    fn add(&mut self, entry: &[u8]) -> std::io::Result<()> {
        self.file.write_all(if self.entries == 0 { b"[\n  " } else { b",\n  " })?;
        self.entries += 1;
        self.file.write_all(entry)
    }

    /// The whole list, to be read from its beginning.
    fn end(&mut self) -> std::io::Result<&mut File> {
        self.file.write_all(if self.entries == 0 { b"[]\n" } else { b"\n]\n" })?;
        self.file.flush()?;
        let file = self.file.get_mut();
        file.rewind()?;
        Ok(file)
    }
}

impl Drop for ImageList {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Writes an export into a folder.
pub(super) struct FolderSink {
    folder: PathBuf,
    /// True if the folder was made for this export.
    made: bool,
    files: Vec<PathBuf>,
    list: ImageList,
    finished: bool,
}

impl FolderSink {
    pub(super) fn new(folder: &Path) -> StudioResult<Self> {
        let fault = |error| StudioError::export(folder, error);
        let made = match DirBuilder::new().create(folder) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let mut entries = std::fs::read_dir(folder).map_err(fault)?;
                if entries.next().is_some() {
                    return Err(StudioError::ExportExists { path: folder.into() });
                }
                false
            }
            Err(error) => return Err(fault(error)),
        };
        let list = ImageList::new(folder.join(format!(".{LIST}.part")))?;
        Ok(Self { folder: folder.into(), made, files: Vec::new(), list, finished: false })
    }
}

impl Sink for FolderSink {
    fn add(&mut self, name: &str, content: &[u8], entry: &[u8]) -> StudioResult<()> {
        let path = self.folder.join(name);
        let fault = |error| StudioError::export(&path, error);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(fault)?;
        self.files.push(path.clone());
        file.write_all(content).and_then(|()| self.list.add(entry)).map_err(fault)
    }

    fn finish(mut self: Box<Self>) -> StudioResult<()> {
        let Self { folder, list, .. } = &mut *self;
        // The files are durable before the list appears: where there is a list, all files are there.
        let mut whole = || {
            list.end()?;
            sync(folder)?;
            std::fs::rename(&list.path, folder.join(LIST))?;
            sync(folder)
        };
        whole().map_err(|error| StudioError::export(&self.folder, error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for FolderSink {
    fn drop(&mut self) {
        if !self.finished {
            for file in self.files.iter().chain([&self.list.path]) {
                let _ = std::fs::remove_file(file);
            }
            if self.made {
                let _ = std::fs::remove_dir(&self.folder);
            }
        }
    }
}

/// Makes all files of a folder survive a power cut: on Linux in one call, and not one for each file.
fn sync(folder: &Path) -> std::io::Result<()> {
    let folder = File::open(folder)?;
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(&folder)?;
    #[cfg(not(target_os = "linux"))]
    folder.sync_all()?;
    Ok(())
}

/// Writes an export into a ZIP file.
pub(crate) struct ZipSink {
    file: PathBuf,
    /// The hidden file that is written until it is whole.
    part: PathBuf,
    zip: Option<ZipWriter<BufWriter<File>>>,
    list: ImageList,
}

impl ZipSink {
    pub(crate) fn new(file: &Path) -> StudioResult<Self> {
        if file.symlink_metadata().is_ok() {
            return Err(StudioError::ExportExists { path: file.into() });
        }
        let Some(name) = file.file_name() else {
            let error = std::io::Error::new(ErrorKind::InvalidInput, "it is not the name of a file");
            return Err(StudioError::export(file, error));
        };
        let number = fastrand::u32(..);
        let beside = |end: &str| file.with_file_name(format!(".{}.{number:08x}.{end}", name.to_string_lossy()));
        let (part, list) = (beside("part"), ImageList::new(beside("list"))?);
        let opened = OpenOptions::new().write(true).create_new(true).open(&part);
        let opened = opened.map_err(|error| StudioError::export(file, error))?;
        let zip = Some(ZipWriter::new(BufWriter::with_capacity(1 << 20, opened)));
        Ok(Self { file: file.into(), part, zip, list })
    }
}

impl Sink for ZipSink {
    fn add(&mut self, name: &str, content: &[u8], entry: &[u8]) -> StudioResult<()> {
        let fault = |error: std::io::Error| StudioError::export(&self.file, error);
        let Some(zip) = &mut self.zip else { return Ok(()) };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(content.len() >= LARGE);
        zip.start_file(name, options).map_err(|error| fault(error.into()))?;
        zip.write_all(content).and_then(|()| self.list.add(entry)).map_err(fault)
    }

    fn finish(mut self: Box<Self>) -> StudioResult<()> {
        let Some(mut zip) = self.zip.take() else { return Ok(()) };
        let list = &mut self.list;
        let whole = || {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
            zip.start_file(LIST, options)?;
            std::io::copy(list.end()?, &mut zip)?;
            let buffered = zip.finish()?;
            let file = buffered.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.sync_all()?;
            // A link, unlike a rename, never replaces what is there. Some file systems have none.
            match std::fs::hard_link(&self.part, &self.file) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
                Err(_) => std::fs::rename(&self.part, &self.file)?,
            }
            let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        whole().map_err(|error: std::io::Error| StudioError::export(&self.file, error))
    }
}

impl Drop for ZipSink {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.part);
    }
}
