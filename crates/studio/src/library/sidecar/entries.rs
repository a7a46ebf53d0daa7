//! The descriptions of a sidecar, by the files that they are of.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::description::{BadDescription, Description};

/// Descriptions of images, by the files that they are of.
#[derive(Debug, Default)]
pub(crate) struct Sidecar {
    /// The descriptions by file, each with its number or line.
    pub(super) by_file: HashMap<Box<str>, (u32, RawDescription)>,
    pub(super) bad: Vec<BadDescription>,
    pub(super) format: SidecarFormat,
    pub(super) file: String,
}

/// The form in which a sidecar is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SidecarFormat {
    #[default]
    Json,
    Csv,
}

/// A description as it was found: one of CSV is read already, one of JSON is still text.
#[derive(Debug)]
pub(super) enum RawDescription {
    Json(Box<RawValue>),
    Csv(Box<Description>),
}

impl Sidecar {
    /// Takes the descriptions that could not be used when the sidecar was read.
    pub(crate) fn take_bad(&mut self) -> Vec<BadDescription> {
        std::mem::take(&mut self.bad)
    }

    /// The number of descriptions whose files have not come.
    pub(crate) fn left(&self) -> usize {
        self.by_file.len()
    }

    /// The files that are described and have not come, sorted, at most so many.
    pub(crate) fn left_files(&self, most: usize) -> Vec<String> {
        let mut files: Vec<&str> = self.by_file.keys().map(AsRef::as_ref).collect();
        files.sort_unstable();
        files.into_iter().take(most).map(str::to_owned).collect()
    }

    pub(super) fn place(&self, place: u32) -> String {
        let what = if self.format == SidecarFormat::Csv { "line" } else { "image" };
        format!("{}, {what} {place}", self.file)
    }

    pub(super) fn refuse(&mut self, place: u32, reason: String) {
        let place = self.place(place);
        self.bad.push(BadDescription { place, reason });
    }

    /// Keeps a description for its file; the second of a file is refused.
    pub(super) fn keep(&mut self, file: &str, place: u32, raw: RawDescription) {
        match normal(file) {
            None => self.refuse(place, format!("filename: {file:?} does not lie in the folder of this file")),
            Some(file) => {
                if let Some((first, _)) = self.by_file.get(file.as_str()) {
                    let reason = format!("filename: {file} is described by number {first} already");
                    self.refuse(place, reason);
                } else {
                    self.by_file.insert(file.into(), (place, raw));
                }
            }
        }
    }
}

/// A path below a folder in the one form in which it is looked up; none if it leads out of it.
fn normal(file: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in file.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let rooted = file.starts_with(['/', '\\']) || file.get(1..2) == Some(":");
    (!parts.is_empty() && !rooted).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_in_one_form() {
        let cases = [("a.jpg", "a.jpg"), ("./a//b.jpg", "a/b.jpg"), ("a\\b.jpg", "a/b.jpg"), ("x/../b.jpg", "b.jpg")];
        for (file, expected) in cases {
            assert_eq!(normal(file).as_deref(), Some(expected));
        }
        for file in ["", ".", "..", "../a", "/a", "\\a", "C:\\a", "a/../../b"] {
            assert_eq!(normal(file), None, "{file}");
        }
    }
}
