//! Files that describe images: `images.json`, or a table of the same columns as CSV.
//!
//! A description names the file that it is of, from the folder that the describing file is in. What is wrong
//! with a description costs that one only.

mod csv;
mod fields;
mod json;

use std::collections::HashMap;
use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{StudioError, StudioResult};
pub(crate) use fields::{MAX_NAME, name};

/// A larger file is no description of images.
const MAX_BYTES: u64 = 1 << 30;

/// The names under which such a file is found by itself, in any folder that is imported.
pub(crate) const NAMES: [&str; 2] = ["images.json", "images.csv"];

/// What is said of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// The id that the image is to have.
    pub id: Option<String>,
    /// What is to be seen; `Some(None)` if it says that there is no caption, whatever stands in the file.
    pub caption: Option<Option<String>>,
    /// Its tags, in the place of those that stand in the file; `None` if it says nothing of them.
    pub labels: Option<Vec<String>>,
    /// The category that it is in.
    pub category: Option<String>,
    /// How well it serves as a reference for tone.
    pub tone_score: Option<f64>,
    /// How well it serves as a reference for angle.
    pub angle_score: Option<f64>,
    /// The collections that it is in.
    pub collections: Vec<String>,
    /// What else is said of it.
    pub attributes: Map<String, Value>,
}

/// A description that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDescription {
    /// Where it stands, such as `images.json, image 3` or `images.csv, line 7`.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Descriptions of images, by the files that they are of.
#[derive(Debug, Default)]
pub(crate) struct Sidecar {
    /// The descriptions as they were written, with their places: they are read when their file comes.
    by_file: HashMap<Box<str>, (u32, Raw)>,
    bad: Vec<BadDescription>,
    form: Form,
    file: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Json,
    Csv,
}

/// A description that is not looked into yet.
#[derive(Debug)]
enum Raw {
    Json(Box<RawValue>),
    Csv(Box<Description>),
}

impl Sidecar {
    /// Reads a file of descriptions: JSON if it begins as JSON, and else CSV.
    pub(crate) fn read(path: &Path) -> StudioResult<Self> {
        let source = |source| StudioError::Source { path: path.into(), source };
        let bytes = path.metadata().map_err(source)?.len();
        let fault = |message: String| StudioError::Sidecar { path: path.into(), message };
        if bytes > MAX_BYTES {
            return Err(fault(format!("it has {bytes} bytes; at most {MAX_BYTES} are read")));
        }
        let content = std::fs::read(path).map_err(source)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(&name, &content).map_err(fault)
    }

    /// Reads descriptions. An error says what is wrong with all of it.
    fn parse(name: &str, content: &[u8]) -> Result<Self, String> {
        if content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]) {
            return Err("it is UTF-16; save it as UTF-8".into());
        }
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let text = std::str::from_utf8(content).map_err(|error| format!("it is not UTF-8: {error}"))?;
        let mut sidecar = Self { file: name.to_owned(), ..Self::default() };
        match text.trim_start().chars().next() {
            None => return Err("it is empty".into()),
            Some('[' | '{') => json::read(text, &mut sidecar)?,
            Some(_) => {
                sidecar.form = Form::Csv;
                csv::read(text, &mut sidecar)?;
            }
        }
        Ok(sidecar)
    }

    /// Takes what is said of a file, named from the sidecar's folder with `/` between its parts. A description
    /// that can't be used is an error; each is given once.
    pub(crate) fn take(&mut self, file: &str) -> Option<Result<Description, BadDescription>> {
        let (place, raw) = self.by_file.remove(file)?;
        Some(match raw {
            Raw::Csv(description) => Ok(*description),
            Raw::Json(raw) => {
                json::description(raw.get()).map_err(|reason| BadDescription { place: self.place(place), reason })
            }
        })
    }

    /// What could not be used when the file was read.
    pub(crate) fn take_bad(&mut self) -> Vec<BadDescription> {
        std::mem::take(&mut self.bad)
    }

    /// How many descriptions there are of files that have not come.
    pub(crate) fn left(&self) -> usize {
        self.by_file.len()
    }

    /// Some of the files that are described and have not come, sorted.
    pub(crate) fn left_files(&self, most: usize) -> Vec<String> {
        let mut files: Vec<&str> = self.by_file.keys().map(AsRef::as_ref).collect();
        files.sort_unstable();
        files.into_iter().take(most).map(str::to_owned).collect()
    }

    fn place(&self, place: u32) -> String {
        let what = if self.form == Form::Csv { "line" } else { "image" };
        format!("{}, {what} {place}", self.file)
    }

    fn refuse(&mut self, place: u32, reason: String) {
        let place = self.place(place);
        self.bad.push(BadDescription { place, reason });
    }

    /// Keeps a description for its file; the second of a file is refused.
    fn keep(&mut self, file: &str, place: u32, raw: Raw) {
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
pub(crate) fn normal(file: &str) -> Option<String> {
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
    use serde_json::json;

    use super::*;

    const JSON: &str = r#"[
        {"id": "a1", "filename": "a.jpg", "caption": " A red  bicycle ", "labels": ["bicycle", "red", "red", ""],
         "category": "street", "tone_score": 0.5, "angle_score": 1, "attributes": {"season": "winter", "n": 3},
         "collections": ["spring"], "photographer": "Ada"},
        {"filename": "sub/b.png"},
        {"filename": "sub\\c.png", "labels": "tea; cup", "id": 1234567890123456789},
        {"id": "no file"},
        {"filename": "../../etc/passwd"},
        {"filename": "a.jpg"},
        {"filename": "d.jpg", "tone_score": "high"},
        7
    ]"#;

    fn described(sidecar: &mut Sidecar, file: &str) -> Description {
        sidecar.take(file).unwrap().unwrap()
    }

    #[test]
    fn a_json_file_describes_images() {
        let mut sidecar = Sidecar::parse("images.json", JSON.as_bytes()).unwrap();
        let expected = Description {
            id: Some("a1".into()),
            caption: Some(Some("A red bicycle".into())),
            labels: Some(vec!["bicycle".into(), "red".into()]),
            category: Some("street".into()),
            tone_score: Some(0.5),
            angle_score: Some(1.0),
            collections: vec!["spring".into()],
            attributes: json!({"season": "winter", "n": 3, "photographer": "Ada"}).as_object().cloned().unwrap(),
        };
        assert_eq!(described(&mut sidecar, "a.jpg"), expected);
        assert_eq!(sidecar.take("a.jpg"), None, "each is given once");
        assert_eq!(described(&mut sidecar, "sub/b.png"), Description::default());
        let c = described(&mut sidecar, "sub/c.png");
        assert_eq!((c.id.as_deref(), c.labels), (Some("1234567890123456789"), Some(vec!["tea".into(), "cup".into()])));
        assert_eq!(sidecar.left_files(9), ["d.jpg"]);
        let bad = sidecar.take("d.jpg").unwrap().unwrap_err();
        assert_eq!(bad.place, "images.json, image 7");
        assert_eq!(bad.reason, "tone_score: \"high\" is no number");
        let bad: Vec<String> =
            sidecar.take_bad().into_iter().map(|bad| format!("{}: {}", bad.place, bad.reason)).collect();
        assert_eq!(
            bad,
            [
                "images.json, image 4: filename is missing",
                "images.json, image 5: filename: \"../../etc/passwd\" does not lie in the folder of this file",
                "images.json, image 6: filename: a.jpg is described by number 1 already",
                "images.json, image 8: it is not an object",
            ]
        );
        assert_eq!(sidecar.left(), 0);
    }

    #[test]
    fn an_object_may_hold_the_list() {
        for text in
            [r#"{"images": [{"filename": "a.jpg", "caption": "x"}]}"#, r#"{"filename": "a.jpg", "caption": "x"}"#]
        {
            let mut sidecar = Sidecar::parse("m.json", text.as_bytes()).unwrap();
            assert_eq!(described(&mut sidecar, "a.jpg").caption, Some(Some("x".into())), "{text}");
        }
    }

    #[test]
    fn a_table_has_the_same_columns() {
        let table = "\u{feff}Filename;ID;caption;labels;Category;tone_score;attributes;attributes.mood;photographer\r\n\
                     a.jpg;a1;\"A red;\nbicycle\";bicycle, red;street;0,5;\"{\"\"n\"\":3}\";calm;Ada\r\n\
                     b.jpg;;;\"[\"\"x\"\",\"\"y,z\"\"]\";;;;;\r\n\
                     ;;;;;;;;\r\n\
                     c.jpg;;;;;warm;;;\r\n";
        let mut sidecar = Sidecar::parse("images.csv", table.as_bytes()).unwrap();
        let a = described(&mut sidecar, "a.jpg");
        assert_eq!(a.caption, Some(Some("A red; bicycle".into())));
        assert_eq!(a.labels, Some(vec!["bicycle".into(), "red".into()]));
        assert_eq!((a.tone_score, a.angle_score), (Some(0.5), None));
        assert_eq!(Value::Object(a.attributes), json!({"n": 3, "mood": "calm", "photographer": "Ada"}));
        let b = described(&mut sidecar, "b.jpg");
        assert_eq!((b.caption, b.labels), (None, Some(vec!["x".into(), "y,z".into()])));
        let bad: Vec<String> =
            sidecar.take_bad().into_iter().map(|bad| format!("{}: {}", bad.place, bad.reason)).collect();
        assert_eq!(
            bad,
            ["images.csv, line 5: filename is missing", "images.csv, line 6: tone_score: \"warm\" is no number"]
        );
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_told_and_one_within_words_is_not() {
        let table = b"filename,caption\na.jpg,A pizza\nb.jpg,\"never closed\nc.jpg,lost\nd.jpg,too\n";
        let mut sidecar = Sidecar::parse("images.csv", table).unwrap();
        assert_eq!(described(&mut sidecar, "a.jpg").caption, Some(Some("A pizza".into())));
        let places: Vec<String> = sidecar.take_bad().into_iter().map(|bad| bad.place).collect();
        assert_eq!(places, ["images.csv, line 3"]);
        let mut fine = Sidecar::parse("images.csv", b"filename,caption\na.jpg,A 12\" pizza\nb.jpg,fine\n").unwrap();
        assert_eq!(described(&mut fine, "b.jpg").caption, Some(Some("fine".into())));
        assert!(fine.take_bad().is_empty());
    }

    #[test]
    fn what_is_no_description_is_refused_as_a_whole() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "it is empty"),
            (b"\xff\xfea\0", "it is UTF-16; save it as UTF-8"),
            (b"[{\"filename\": \"a\"}", "it is not JSON: EOF while parsing a list at line 1 column 18"),
            (b"[] x", "it is not JSON: trailing characters at line 1 column 4"),
            (b"name,caption\na.jpg,b\n", "it has no column 'filename'"),
            (b"caf\xe9!", "it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 3"),
        ];
        for (content, message) in cases {
            let error = Sidecar::parse("x", content).map(|_| ()).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }

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
