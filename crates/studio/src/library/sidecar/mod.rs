//! Files that describe images: `images.json`, or a table of the same columns as CSV.
//!
//! A description names its file, from the folder that the sidecar is in. A mistake in one description costs that one
//! only.

mod csv;
mod description;
mod entries;
mod fields;
mod json;

use std::path::Path;

use crate::error::{StudioError, StudioResult};
pub use description::{BadDescription, Description};
pub(crate) use entries::Sidecar;
use entries::{RawDescription, SidecarFormat};
pub(crate) use fields::{MAX_NAME, name};

/// The largest sidecar that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// The names of sidecars that are found in any folder that is imported.
pub(crate) const NAMES: [&str; 2] = ["images.json", "images.csv"];

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
                sidecar.format = SidecarFormat::Csv;
                csv::read(text, &mut sidecar)?;
            }
        }
        Ok(sidecar)
    }

    /// Takes the description of a file, named from the sidecar's folder with `/` between its parts. Each is given once;
    /// one that can't be used is an error.
    pub(crate) fn take(&mut self, file: &str) -> Option<Result<Description, BadDescription>> {
        let (place, raw) = self.by_file.remove(file)?;
        Some(match raw {
            RawDescription::Csv(description) => Ok(*description),
            RawDescription::Json(raw) => {
                json::description(raw.get()).map_err(|reason| BadDescription { place: self.place(place), reason })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
    fn a_quotation_mark_that_is_never_closed_is_reported_and_one_within_words_is_not() {
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
}
