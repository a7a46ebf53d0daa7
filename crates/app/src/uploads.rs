//! Files that somebody gives over the wire: pictures as references and masks, files of prompts.

use std::path::PathBuf;

use atelier_store::objects::ObjectKey;
use atelier_store::{StoreError, Upload};
use atelier_studio::library::decode::{DecodeLimits, PictureReader};
use bytes::Bytes;

use crate::accounts::random_id;
use crate::app::App;
use crate::error::{AppError, AppResult, excerpt};
use crate::views::UploadView;

/// No name is kept longer than this, in characters.
const LONGEST_NAME: usize = 120;

impl App {
    /// Keeps a picture that somebody gives, to be used as a reference, a mask or something to be edited. What it is, is
    /// found by reading it. The same bytes given twice are one upload.
    ///
    /// # Errors
    /// What is wrong with the picture; what the store and the objects report.
    pub async fn upload_picture(&self, name: &str, content: Bytes) -> AppResult<UploadView> {
        let bytes = content.clone();
        let read = move || PictureReader::new(DecodeLimits::default()).read(&bytes);
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.map_err(|error| AppError::new(code!("thread-ended"), error.to_string()));
        let decoded = read?.map_err(|error| {
            AppError::new(error.code(), error.to_string()).hint(error.hint().trim_end_matches('.').to_lowercase())
        })?;
        let size = (Some(decoded.width), Some(decoded.height));
        self.keep_upload(name, "picture", decoded.format.as_str(), size, content).await
    }

    /// Keeps a file of prompts that somebody gives.
    ///
    /// # Errors
    /// `empty-input`; what the store and the objects report.
    pub async fn upload_prompts(&self, name: &str, content: Bytes) -> AppResult<UploadView> {
        if content.is_empty() {
            return Err(AppError::new(code!("empty-input"), "the file is empty"));
        }
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let format = if extension.as_deref() == Some("csv") { "csv" } else { "jsonl" };
        self.keep_upload(name, "prompts", format, (None, None), content).await
    }

    async fn keep_upload(
        &self,
        name: &str,
        kind: &str,
        format: &str,
        (width, height): (Option<u32>, Option<u32>),
        content: Bytes,
    ) -> AppResult<UploadView> {
        let hash = blake3::hash(&content).to_hex().to_string();
        let key = ObjectKey::upload(&hash).ok_or_else(|| unkept(&hash))?;
        let bytes = content.len() as u64;
        self.library()?.objects().put(vec![(key, content)]).await?;
        let upload = Upload {
            id: random_id("up-")?,
            owner: self.owner().to_owned(),
            hash,
            name: safe_name(name),
            kind: kind.to_owned(),
            format: format.to_owned(),
            width,
            height,
            bytes,
            created_at: self.clock().now(),
        };
        Ok(UploadView::from(self.store()?.add_upload(&upload).await?))
    }

    /// An upload of this application's user.
    ///
    /// # Errors
    /// `no-such-upload`; what the store reports.
    pub async fn upload(&self, id: &str) -> AppResult<UploadView> {
        Ok(UploadView::from(self.store()?.upload(id).await?))
    }

    /// The name and the bytes of an upload of this application's user.
    ///
    /// # Errors
    /// `no-such-upload`; what the store and the objects report.
    pub async fn upload_content(&self, id: &str) -> AppResult<(Upload, Bytes)> {
        let upload = self.store()?.upload(id).await?;
        let key = ObjectKey::upload(&upload.hash).ok_or_else(|| unkept(&upload.hash))?;
        let content = self.library()?.objects().get(&key).await?;
        let content = content.ok_or_else(|| StoreError::NoSuchUpload { upload: id.to_owned() })?;
        Ok((upload, content))
    }

    /// A file of prompts that was uploaded, as a file that can be read line by line.
    ///
    /// # Errors
    /// As [`App::upload_content`]; `output-unwritable`.
    pub(crate) async fn prompts_file(&self, id: &str) -> AppResult<PathBuf> {
        let (upload, content) = self.upload_content(id).await?;
        let folder = self.data_dir().join("inputs");
        let path = folder.join(format!("{}.{}", upload.id, upload.format));
        if !path.exists() {
            let part = folder.join(format!("{}.part", upload.id));
            let written = std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(&part, &content))
                .and_then(|()| std::fs::rename(&part, &path));
            written.map_err(|error| {
                let message = format!("{} can't be written: {error}", path.display());
                AppError::new(code!("output-unwritable"), message).hint("check the disk")
            })?;
        }
        Ok(path)
    }
}

fn unkept(hash: &str) -> AppError {
    AppError::new(code!("object-unusable"), format!("'{}' is no hash", excerpt(hash, 80)))
}

/// A name in one line, without folders.
pub(crate) fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let fine: String = last.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let fine = fine.trim().trim_start_matches('.').to_owned();
    if fine.is_empty() { "file".to_owned() } else { fine }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folders_and_no_tricks() {
        for (given, kept) in [
            ("beach.jpg", "beach.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\b.png", "b.png"),
            ("..", "file"),
            ("a\n\0b.png", "ab.png"),
            ("", "file"),
        ] {
            assert_eq!(safe_name(given), kept, "{given:?}");
        }
    }
}
