//! A row's cells, made harmless.

use atelier_store::DraftStatus;

use super::{COLUMNS, DRAFTS, ExportRow};

/// The cells of a row, in the order of the columns.
pub(super) fn of(rank: usize, row: &ExportRow) -> Vec<String> {
    let mut cells = Vec::with_capacity(COLUMNS.len());
    let Some(first) = row.drafts.first() else { return cells };
    let (post, score) = (&first.post, first.score.as_ref());
    let why = score.and_then(|score| score.detail.get("why")).and_then(serde_json::Value::as_str).unwrap_or_default();
    cells.push(rank.to_string());
    cells.push(format!("{:.4}", row.priority));
    cells.push(harmless(&post.project));
    cells.push(harmless(&post.id));
    cells.push(harmless(&post.url));
    cells.push(harmless(&post.author));
    cells.push(post.followers.to_string());
    cells.push(post.views.to_string());
    cells.push(harmless(&post.text));
    cells.push(post.posted_at.to_string());
    cells.push(score.map(|score| format!("{:.4}", score.total)).unwrap_or_default());
    cells.push(score.map(|score| harmless(&score.label)).unwrap_or_default());
    cells.push(score.map(|score| harmless(&score.topic)).unwrap_or_default());
    cells.push(harmless(why));
    for place in 0..DRAFTS {
        let draft = row.drafts.get(place).map(|row| &row.draft);
        cells.push(draft.map(|draft| harmless(&draft.text)).unwrap_or_default());
        cells.push(draft.map(|draft| harmless(&draft.kind)).unwrap_or_default());
    }
    for place in 0..DRAFTS {
        let draft = row.drafts.get(place).map(|row| &row.draft);
        cells.push(draft.map(|draft| draft.id.clone()).unwrap_or_default());
        cells.push(draft.map(|draft| status_in_file(draft.status).name().to_owned()).unwrap_or_default());
    }
    let checks: Vec<String> = row.drafts.iter().take(DRAFTS).map(|row| check(&row.draft.text)).collect();
    cells.push(checks.join(" "));
    cells
}

/// What a text is known by, as long as nobody changes it.
pub(crate) fn check(text: &str) -> String {
    // A letter first: digits alone, or with an e between them, are a number to spreadsheets.
    format!("x{}", &blake3::hash(text.as_bytes()).to_hex()[..8])
}

/// What a draft is once the file is written.
fn status_in_file(status: DraftStatus) -> DraftStatus {
    if DraftStatus::Exported.comes_from().contains(&status) { DraftStatus::Exported } else { status }
}

/// The text that a cell of an export was made of.
pub(crate) fn original(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if harmless(rest) == cell => rest,
        _ => cell,
    }
}

/// A text that no spreadsheet runs as a formula: an apostrophe goes before what would begin one. Some
/// programs trim the cell first, so that white space before it makes no difference. NUL ends a cell in
/// others, and goes.
fn harmless(text: &str) -> String {
    let text = text.replace('\0', "");
    let begins_formula =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}');
    let trimmed = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    // An apostrophe of the text's own would be taken for one of these when it comes back.
    let is_taken_back = text.strip_prefix('\'').is_some_and(|rest| harmless(rest) != rest);
    if text.starts_with(['\t', '\r']) || trimmed.starts_with(begins_formula) || is_taken_back {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use atelier_store::{Draft, DraftRow, DraftStatus, Post};
    use proptest::prelude::*;

    use super::*;
    use crate::export::write_csv;
    use crate::testing::post;

    fn row(texts: &[&str]) -> ExportRow {
        let draft = |(rank, text): (u32, &&str)| DraftRow {
            draft: Draft {
                id: format!("d{rank}"),
                project: "bikes".into(),
                post: "1".into(),
                job: "job".into(),
                kind: "funny".into(),
                rank,
                text: (*text).to_owned(),
                status: DraftStatus::Pending,
                rejected_by: None,
                reason: None,
                created_at: atelier_engine::Timestamp::default(),
                updated_at: atelier_engine::Timestamp::default(),
            },
            post: Post { views: 900, ..post("1", "It creaks.") },
            score: None,
        };
        ExportRow { priority: 12.5, drafts: (1..).zip(texts).map(draft).collect() }
    }

    fn read(rows: &[ExportRow]) -> Vec<Vec<String>> {
        let mut bytes = Vec::new();
        write_csv(rows, &mut bytes).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*bytes);
        reader.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect()
    }

    #[test]
    fn every_row_has_every_column() {
        for drafts in 1..=5 {
            let cells = of(1, &row(&["a"; 5][..drafts]));
            assert_eq!(cells.len(), COLUMNS.len());
        }
    }

    #[test]
    fn the_best_draft_is_suggested_and_the_others_are_alternatives() {
        let table = read(&[row(&["first", "second"])]);
        assert_eq!(table[0].join(","), COLUMNS.join(","));
        assert_eq!(table[1][14..19], ["first", "funny", "second", "funny", ""]);
        assert_eq!(table[1][..4], ["1", "12.5000", "bikes", "1"]);
        assert_eq!(table[1][7], "900");
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_made_harmless() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "  =1", "\n@x", "\u{feff}=1", "\u{ff1d}1"] {
            assert!(harmless(text).starts_with('\''), "{text:?}");
        }
        assert_eq!(original(&harmless("'@mike was right'")), "'@mike was right'");
        for text in ["plain", "1=1", "'quoted'", "", "a\tb", "5"] {
            assert_eq!(harmless(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_went_in(texts in prop::collection::vec("(?s).{0,40}", 1..6)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let table = read(&[row(&texts)]);
            prop_assert_eq!(table.len(), 2);
            for (place, text) in texts.iter().enumerate() {
                prop_assert_eq!(&table[1][14 + 2 * place], &harmless(text));
                let cell = harmless(text);
                prop_assert_eq!(original(&cell), text.replace('\0', ""));
            }
        }
    }
}
