//! Names for exported files that no file system mixes up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The longest name of a file, in bytes: a little less than every file system takes.
const MAX_BYTES: usize = 200;

/// Gives each file a different name, also on file systems that do not tell capitals from small letters.
#[derive(Default)]
pub(super) struct UniqueNames {
    /// The names in use, in lower case, and the last number that was added to each.
    taken: HashMap<String, u32>,
}

impl UniqueNames {
    /// The name for a file: the one that it came with, where that is a plain name and free.
    pub(super) fn of(&mut self, filename: &str) -> String {
        let plain = plain(filename);
        let (stem, end) = match plain.rsplit_once('.') {
            Some((stem, end)) if !stem.is_empty() => (stem.to_owned(), format!(".{end}")),
            _ => (plain.clone(), String::new()),
        };
        let first = plain.to_lowercase();
        // Reserved for the list of the images, and for what import would read as one.
        let describes = matches!(first.as_str(), "images.json" | "images.csv");
        if !describes && !self.taken.contains_key(&first) {
            self.taken.insert(first, 1);
            return plain;
        }
        loop {
            let number = self.taken.entry(first.clone()).or_insert(1);
            *number += 1;
            let name = format!("{stem}-{number}{end}");
            if let Entry::Vacant(free) = self.taken.entry(name.to_lowercase()) {
                free.insert(1);
                return name;
            }
        }
    }
}

/// A name without folders, marks that some systems refuse, or a dot at its beginning, which would hide it.
fn plain(filename: &str) -> String {
    let last = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let allowed = |c: char| !c.is_control() && !matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*');
    let name: String = last.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    let name = name.trim_matches([' ', '.']);
    if name.is_empty() {
        return "image".to_owned();
    }
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let (stem, end) = name.rsplit_once('.').filter(|(_, end)| end.len() < 16).unwrap_or((name, ""));
    let most = MAX_BYTES - end.len() - 1;
    let cut = (0..=most).rev().find(|at| stem.is_char_boundary(*at)).unwrap_or(0);
    let stem = stem.get(..cut).unwrap_or_default();
    if end.is_empty() { stem.to_owned() } else { format!("{stem}.{end}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_name_of_its_own() {
        let mut names = UniqueNames::default();
        let given = [
            "a.jpg",
            "A.JPG",
            "a.jpg",
            "a-2.jpg",
            "a",
            "a",
            "images.json",
            "../../x.png",
            ".hidden.gif",
            "",
            "con:?.svg",
        ];
        let taken = given.map(|name| names.of(name));
        assert_eq!(
            taken,
            [
                "a.jpg",
                "A-2.JPG",
                "a-3.jpg",
                "a-2-2.jpg",
                "a",
                "a-2",
                "images-2.json",
                "x.png",
                "hidden.gif",
                "image",
                "con__.svg"
            ]
        );
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let name = UniqueNames::default().of(&format!("{}.jpeg", "ä".repeat(300)));
        assert!(name.len() <= MAX_BYTES && name.ends_with("ä.jpeg"), "{name}");
        assert!(UniqueNames::default().of(&"x".repeat(500)).len() <= MAX_BYTES);
    }
}
