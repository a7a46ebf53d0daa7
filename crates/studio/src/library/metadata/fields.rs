//! The fields that are kept of metadata, and their limits.

use atelier_engine::Timestamp;

/// The longest caption that is kept, in characters.
const MAX_CAPTION: usize = 5_000;

/// The longest keyword that is kept, in characters.
const MAX_KEYWORD: usize = 200;

/// The most keywords that are kept.
const MAX_KEYWORDS: usize = 500;

/// The metadata of a picture, from its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// A description of the picture.
    pub caption: Option<String>,
    /// The keywords, each once, in the file's order.
    pub keywords: Vec<String>,
    /// The moment when the picture was taken. A time without a zone is taken for UTC.
    pub taken_at: Option<Timestamp>,
}

impl Metadata {
    /// Fills what is missing from `other`, and adds its keywords.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        self.caption = self.caption.or_else(|| other.caption.clone());
        self.taken_at = self.taken_at.or(other.taken_at);
        for keyword in &other.keywords {
            self.add_keyword(keyword);
        }
        self
    }

    /// Adds a keyword, unless it is empty or there.
    pub(super) fn add_keyword(&mut self, keyword: &str) {
        let keyword = text(keyword, MAX_KEYWORD);
        if let Some(keyword) = keyword
            && self.keywords.len() < MAX_KEYWORDS
            && !self.keywords.contains(&keyword)
        {
            self.keywords.push(keyword);
        }
    }

    pub(super) fn set_caption(&mut self, caption: &str) {
        if self.caption.is_none() {
            self.caption = text(caption, MAX_CAPTION).filter(|caption| !is_boilerplate(caption));
        }
    }
}

/// A text as it is kept: one line, without control characters, not too long; none if nothing is left.
fn text(text: &str, most: usize) -> Option<String> {
    let mut kept = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    if let Some((end, _)) = kept.char_indices().nth(most) {
        kept.truncate(end);
    }
    (!kept.is_empty()).then_some(kept)
}

/// Bytes as text: UTF-8 or, where they are not, Latin-1.
pub(super) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// True for a caption that a camera or program writes into every picture.
fn is_boilerplate(caption: &str) -> bool {
    const CAMERAS: [&str; 12] = [
        "olympus digital camera",
        "sony dsc",
        "dav",
        "dcim",
        "digital camera",
        "kodak digital still camera",
        "konica minolta digital camera",
        "minolta digital camera",
        "samsung",
        "default",
        "untitled",
        "created by gimp",
    ];
    let caption = caption.to_lowercase();
    CAMERAS.iter().any(|name| caption.starts_with(name) && caption.len() < name.len() + 12)
        || ["created with gimp", "dcim\\"].iter().any(|mark| caption.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_line_and_not_too_long() {
        assert_eq!(text(" a\r\n b\u{0}\tc ", 9), Some("a b c".into()));
        assert_eq!(text("\u{7}\n", 9), None);
        assert_eq!(text("äöüß", 3), Some("äöü".into()));
    }

    #[test]
    fn what_cameras_write_is_no_caption() {
        for caption in ["OLYMPUS DIGITAL CAMERA", "SONY DSC", "DCIM\\100MEDIA\\DJI_0001.JPG", "Created with GIMP"] {
            assert!(is_boilerplate(caption), "{caption}");
        }
        for caption in [
            "Digital cameras of the last century on a shelf",
            "A Samsung phone on a red table",
            "Davos in winter, seen from above",
        ] {
            assert!(!is_boilerplate(caption), "{caption}");
        }
    }

    #[test]
    fn the_first_that_says_something_is_believed() {
        let one = Metadata { caption: Some("one".into()), keywords: vec!["a".into()], taken_at: None };
        let two = Metadata {
            caption: Some("two".into()),
            keywords: vec!["b".into(), "a".into()],
            taken_at: Some(Timestamp::from_micros(5)),
        };
        let both = one.or(&two);
        assert_eq!(both.caption.as_deref(), Some("one"));
        assert_eq!(both.keywords, ["a", "b"]);
        assert_eq!(both.taken_at, Some(Timestamp::from_micros(5)));
    }
}
