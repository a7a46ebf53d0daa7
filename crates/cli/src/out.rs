//! What the program prints: results on stdout, everything else on stderr.

use std::io::{ErrorKind, IsTerminal, Write};

use atelier_app::{AppError, AppResult, code};
use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::hint;

/// Where results go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    json: bool,
}

impl Out {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Whether a person is watching stderr.
    pub(crate) fn watched() -> bool {
        std::io::stderr().is_terminal()
    }

    /// A result: an object with `--json`, the text otherwise.
    pub(crate) fn result(self, object: &impl Serialize, text: impl FnOnce() -> String) -> AppResult<()> {
        self.line(object, text).map(|_| ())
    }

    /// One of many results, as [`Out::result`] prints it; false once nobody reads them any more.
    pub(crate) fn line(self, object: &impl Serialize, text: impl FnOnce() -> String) -> AppResult<bool> {
        if self.json {
            let json = serde_json::to_string(object).map_err(|error| {
                AppError::new(code!("output"), format!("the result can't be written as JSON: {error}"))
            })?;
            Self::write(&format!("{json}\n"))
        } else {
            let mut text = text();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            Self::write(&text)
        }
    }

    /// A text that is the result whatever was asked for.
    pub(crate) fn text(self, text: &str) -> AppResult<()> {
        Self::write(text).map(|_| ())
    }

    /// Writes to stdout. Whoever reads it may stop reading: then it is false.
    fn write(text: &str) -> AppResult<bool> {
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(AppError::new(code!("output"), format!("the result can't be written: {error}"))
                    .hint("check where the output goes, and whether there is room"))
            }
            Err(_) => Ok(false),
            Ok(()) => Ok(true),
        }
    }

    /// A line beside the result.
    pub(crate) fn note(self, line: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
    }

    /// What went wrong.
    pub(crate) fn error(self, error: &AppError) {
        let mut text = format!("error: {} [{}]", error.message(), error.code());
        if let Some(hint) = hint(error) {
            text.push_str("\nhint: ");
            text.push_str(&hint);
        }
        self.note(text);
    }
}

/// A table with aligned columns; `right` says which are numbers.
pub(crate) fn table(headers: &[&str], right: &[bool], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell));
        cells.chain([columns(headers[column])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headers.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().enumerate().map(|(column, cell)| {
            let pad = " ".repeat(widths[column].saturating_sub(columns(cell)));
            if right[column] { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(headers.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// How many columns of a terminal a text takes: two for each Chinese, Japanese or Korean character.
pub(crate) fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The first line of a text, cut to `length` columns; control characters and the like shown as spaces, so that a hostile
/// text cannot drive the terminal.
pub(crate) fn excerpt(text: &str, length: usize) -> String {
    let shown: String = text.chars().map(|c| if is_harmless(c) { c } else { ' ' }).collect();
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if columns(&shown) <= length {
        return shown;
    }
    let mut left = length.saturating_sub(1);
    let fits = |c: &char| {
        let width = UnicodeWidthChar::width(*c).unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    let cut: String = shown.chars().take_while(fits).collect();
    format!("{}…", cut.trim_end())
}

fn is_harmless(c: char) -> bool {
    let steers = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    !c.is_control() && !steers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_the_script() {
        let rows = [vec!["고양이".to_owned(), "1".to_owned()], vec!["a cat".to_owned(), "12".to_owned()]];
        let shown = table(&["what", "n"], &[false, true], &rows);
        let widths: Vec<usize> = shown.lines().map(columns).collect();
        assert_eq!(widths, [10, 10, 10], "{shown}");
        assert_eq!(excerpt("고양이가 잔다", 7), "고양이…");
    }

    #[test]
    fn columns_are_aligned_by_their_kind() {
        let rows = [vec!["one".to_owned(), "5".to_owned()], vec!["three".to_owned(), "12".to_owned()]];
        assert_eq!(table(&["name", "posts"], &[false, true], &rows), "name   posts\none        5\nthree     12");
    }

    #[test]
    fn an_excerpt_is_one_harmless_line() {
        assert_eq!(excerpt("a\u{1b}[31m\nred\u{202e} hat", 40), "a [31m red hat");
        assert_eq!(excerpt("ten letters and more", 11), "ten letter…");
    }
}
