//! Files of judged queries.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::Deserialize;

use crate::error::{SearchError, SearchResult};

/// A query with the images that answer it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The query's words.
    pub query: String,
    /// Grade of each relevant image, above 0 and at most 10; 1 where the file gives none. Others are not relevant.
    pub relevant: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgedLine {
    query: String,
    relevant: Relevant,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Relevant {
    Ids(Vec<String>),
    Grades(BTreeMap<String, f64>),
}

/// Reads a file of judged queries. Empty lines are skipped.
///
/// # Errors
/// [`SearchError::Queries`] names the first line that is of another form, has no relevant image, or a grade
/// that is not a number from 0 to 10.
pub fn read_queries(lines: impl BufRead) -> SearchResult<Vec<Judged>> {
    let mut queries = Vec::new();
    for (number, line) in (1..).zip(lines.lines()) {
        let wrong = |detail: String| SearchError::Queries { line: number, detail };
        let line = line.map_err(|error| wrong(error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let JudgedLine { query, relevant } = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        let mut relevant: BTreeMap<String, f64> = match relevant {
            Relevant::Ids(ids) => ids.into_iter().map(|id| (id, 1.0)).collect(),
            Relevant::Grades(grades) => grades,
        };
        if let Some((id, grade)) = relevant.iter().find(|(_, grade)| !(0.0..=10.0).contains(*grade)) {
            return Err(wrong(format!("the grade of {id} is {grade}, which is not from 0 to 10")));
        }
        relevant.retain(|_, grade| *grade > 0.0);
        if relevant.is_empty() {
            return Err(wrong("it names no relevant image".into()));
        }
        queries.push(Judged { query, relevant });
    }
    Ok(queries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judged_queries_are_read_with_and_without_grades() {
        let lines = "{\"query\": \"a\", \"relevant\": [\"1\", \"2\"]}\n\n{\"query\": \"b\", \"relevant\": {\"3\": 2, \"4\": 0}}\n";
        let queries = read_queries(lines.as_bytes()).unwrap();
        assert_eq!(queries[0].relevant, BTreeMap::from([("1".into(), 1.0), ("2".into(), 1.0)]));
        assert_eq!(queries[1].relevant, BTreeMap::from([("3".into(), 2.0)]));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let good = "{\"query\": \"a\", \"relevant\": [\"1\"]}";
        for wrong in [
            "{",
            "{\"query\": \"a\"}",
            "{\"query\": \"a\", \"relevant\": []}",
            "{\"query\": \"a\", \"relevant\": {\"1\": -1}}",
            "{\"query\": \"a\", \"relevant\": [\"1\"], \"other\": 1}",
        ] {
            let error = read_queries(format!("{good}\n{wrong}\n").as_bytes()).unwrap_err();
            assert!(matches!(error, SearchError::Queries { line: 2, .. }), "{wrong}: {error:?}");
        }
    }
}
