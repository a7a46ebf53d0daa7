//! What all files have in common that are read as CSV.

/// The mark of UTF-8 that some programs write before a file.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// The line by which Excel is told what stands between cells.
const SEPARATOR: &[u8] = b"sep=";
/// The characters of a cell that are shown in a message.
const SHOWN: usize = 40;

/// The rows without what is no part of them, what stands between their cells, and how many lines came before them.
/// Semicolons and tabs are what some spreadsheets write instead of commas.
pub(crate) fn dialect(bytes: &[u8]) -> (&[u8], u8, u64) {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
    let (first, rest) = bytes.split_at(end);
    let line = first.trim_ascii();
    if line.len() > SEPARATOR.len() && line[..SEPARATOR.len()].eq_ignore_ascii_case(SEPARATOR) {
        return (rest, line[SEPARATOR.len()], 1);
    }
    if line.eq_ignore_ascii_case(SEPARATOR) {
        return (rest, b'\t', 1);
    }
    let header = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let count = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
    // Of several, the one that there is most of; commas where there is none.
    let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    (bytes, if count(delimiter) == 0 { b',' } else { delimiter }, 0)
}

/// The beginning of a cell, to be shown.
pub(crate) fn shortened(cell: &str) -> String {
    let shown: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if cell.chars().count() > SHOWN { format!("{shown}…") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_found_in_the_first_lines() {
        for (text, rows, delimiter, lines) in [
            ("a,b\n1,2", "a,b\n1,2", b',', 0),
            ("\u{feff}a;b\n1;2", "a;b\n1;2", b';', 0),
            ("sep=;\r\na;b", "a;b", b';', 1),
            ("SEP=,\na,b", "a,b", b',', 1),
            ("a\tb", "a\tb", b'\t', 0),
            ("a;b,c;d", "a;b,c;d", b';', 0),
            ("one", "one", b',', 0),
        ] {
            assert_eq!(dialect(text.as_bytes()), (rows.as_bytes(), delimiter, lines), "{text:?}");
        }
    }
}
