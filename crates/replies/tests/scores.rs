//! The scores against a table that was made by a separate calculation from the formulas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;

use atelier_replies::score::{AuthorQuality, Label, Openness, Relevance, Velocity, total};
use atelier_replies::{AuthorStanding, Thresholds, Weights};

/// How far a term may be off, as a share of it where it is over 1: the table has twelve digits.
const TOLERANCE: f64 = 1e-9;

struct Case(HashMap<String, String>);

impl Case {
    fn text(&self, column: &str) -> &str {
        &self.0[column]
    }

    fn number(&self, column: &str) -> f64 {
        self.text(column).parse().unwrap_or_else(|_| panic!("{}: {column}", self.text("case")))
    }

    fn count(&self, column: &str) -> u64 {
        self.text(column).parse().unwrap_or_else(|_| panic!("{}: {column}", self.text("case")))
    }

    fn check(&self, column: &str, ours: f64) {
        let theirs = self.number(column);
        let off = (ours - theirs).abs() / theirs.abs().max(1.0);
        assert!(off <= TOLERANCE, "{}: {column} is {ours}, the table has {theirs}", self.text("case"));
    }
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/scores.csv");
    let mut reader = csv::Reader::from_path(path).expect("the table of scores");
    reader.deserialize().map(|row| Case(row.expect("a row of the table"))).collect()
}

#[test]
fn every_term_of_every_score_is_as_in_the_table() {
    let cases = cases();
    assert!(cases.len() >= 20, "there are {} cases only", cases.len());
    for case in &cases {
        let count = |column| case.count(column);
        let velocity = Velocity::new(
            count("likes"),
            count("replies"),
            count("reposts"),
            case.number("minutes"),
            count("followers"),
        );
        case.check("x", velocity.x);
        case.check("velocity", velocity.value);

        let relevance = Relevance::new(case.number("best"), case.number("second"));
        case.check("relevance", relevance.value);

        let openness = Openness::new(case.text("text"));
        case.check("question_mark", openness.question_mark);
        case.check("question_word", openness.question_word);
        case.check("hedge", openness.hedge);
        case.check("openness", openness.value);

        let standing = match case.text("author_state") {
            "blacklisted" => AuthorStanding::Blacklisted,
            "whitelisted" => AuthorStanding::Whitelisted,
            "neutral" => AuthorStanding::Neutral,
            other => panic!("{other}"),
        };
        let author = AuthorQuality::new(standing);
        case.check("author_quality", author.value);

        let weights = Weights {
            velocity: case.number("w_velocity"),
            relevance: case.number("w_relevance"),
            openness: case.number("w_openness"),
            author_quality: case.number("w_author_quality"),
        };
        let total = total(&weights, velocity.value, relevance.value, openness.value, author.value);
        case.check("total", total);
        let thresholds = Thresholds { green_min: case.number("green_min"), yellow_min: case.number("yellow_min") };
        assert_eq!(Label::of(total, &thresholds).name(), case.text("label"), "{}", case.text("case"));
    }
}
