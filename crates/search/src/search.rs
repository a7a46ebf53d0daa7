//! A search: filters, stages, cut-offs, fusion.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use atelier_embed::Vector;

use crate::error::{SearchError, SearchResult};
use crate::filter;
use crate::fuse::{Fused, LEAST_EVIDENCE, Passed, Stage, evidence, fuse};
use crate::hits::{Hit, Hits, NEAREST, SearchExplanation, StageExplanation, StageScores, WordExplanation};
use crate::lexical;
use crate::query::Query;
use crate::rows::RowSet;
use crate::schema::IndexFields;
use crate::settings::{IndexSettings, Space};
use crate::vectors::{self, Probe, ScanLimits};
use crate::view::{IndexView, Stored};
use crate::words;

/// Number of images below which a stage takes less time than starting a thread.
const WORTH_A_THREAD: usize = 20_000;

/// Images below its cut-off that each stage gives: some are hits of another.
const BELOW: usize = 50;

/// Searches one state of the index.
pub(crate) fn search(
    view: &IndexView,
    fields: &IndexFields,
    settings: &IndexSettings,
    query: &Query,
) -> SearchResult<Hits> {
    #[expect(clippy::disallowed_methods, reason = "how long a search took is reported and decides nothing")]
    let began = std::time::Instant::now();
    let mut hits = Search { view, fields, settings, query }.run()?;
    hits.took = began.elapsed();
    Ok(hits)
}

struct Search<'a> {
    view: &'a IndexView,
    fields: &'a IndexFields,
    settings: &'a IndexSettings,
    query: &'a Query,
}

/// The answer of one stage.
struct StageOutcome {
    stage: Stage,
    /// Images that passed the cut-off, best first.
    passed: Vec<Passed>,
    /// Some that did not, nearest first.
    below: Vec<Passed>,
    ranked: usize,
    best: Option<f32>,
    scanned: Option<usize>,
    words: Vec<WordExplanation>,
}

/// The part of the query that one stage answers.
enum StageQuery<'a> {
    Words(&'a str),
    Nearest(Space, Probe),
    Color([u8; 3]),
}

impl Search<'_> {
    fn run(&self) -> SearchResult<Hits> {
        let like = self.like()?;
        let queries = self.stage_queries(like)?;
        let mut allowed = filter::allowed(self.view, self.fields, &self.query.filters)?;
        if let Some(like) = like {
            allowed.remove(like);
        }
        if queries.is_empty() {
            if self.asked_words().is_some() {
                // Fillers alone ask for nothing that could be found.
                return Ok(Hits::default());
            }
            return self.list(&allowed);
        }
        let mut outcomes = self.outcomes(&queries, &allowed)?;
        self.doubt(&queries, &mut outcomes)?;
        let weights = &self.settings.fusion;
        let mut fused = fuse(outcomes.iter().map(|outcome| (outcome.stage, outcome.passed.as_slice())), weights);
        let total = fused.len();
        let nearest = self.nearest(&outcomes, &fused);
        fused.truncate(self.query.limit);
        let shown = |one: &Fused| Ok(hit(self.view.stored(self.fields, one.row)?, one.score, one.stages));
        let hits = fused.iter().map(shown).collect::<SearchResult<_>>()?;
        let nearest = nearest.iter().map(shown).collect::<SearchResult<_>>()?;
        let explanation = self.query.explain.then(|| self.explain(outcomes, &allowed));
        Ok(Hits { took: Duration::ZERO, total, hits, nearest, explanation })
    }

    /// Takes from the hits of words and of look those that neither is sure of, where what the image's words mean speaks
    /// against it.
    fn doubt(&self, queries: &[StageQuery<'_>], outcomes: &mut [StageOutcome]) -> SearchResult<()> {
        let text = queries.iter().find_map(|query| match query {
            StageQuery::Nearest(Space::Text, probe) => Some(probe),
            _ => None,
        });
        let Some(text) = text else { return Ok(()) };
        let cut_offs = &self.settings.cut_offs;
        for outcome in outcomes {
            let sure = match outcome.stage {
                // A query without a word that the model knows is in a language that it does not read.
                Stage::Lexical if self.query.known.is_empty() => continue,
                Stage::Lexical => evidence(cut_offs.lexical_in_doubt, cut_offs.lexical, 1.0),
                Stage::Look => evidence(cut_offs.look_in_doubt, cut_offs.look, self.settings.certainties.look),
                Stage::Text | Stage::Appearance | Stage::Color => continue,
            };
            let (mut kept, mut doubted) = (Vec::new(), Vec::new());
            for hit in std::mem::take(&mut outcome.passed) {
                let unsure = hit.evidence < sure;
                let meaning =
                    if unsure { vectors::cosine_of(self.view.segments(), Space::Text, hit.row, text)? } else { None };
                let against = meaning.is_some_and(|cosine| cosine < cut_offs.doubted);
                if against { doubted.push(Passed { evidence: 1.0, ..hit }) } else { kept.push(hit) }
            }
            outcome.passed = kept;
            outcome.below.splice(0..0, doubted);
        }
        Ok(())
    }

    /// The nearest that passed no cut-off. What the ranks of stages say of them is all there is: none is sure.
    fn nearest(&self, outcomes: &[StageOutcome], hits: &[Fused]) -> Vec<Fused> {
        let room = self.query.limit.saturating_sub(hits.len()).min(NEAREST);
        if room == 0 {
            return Vec::new();
        }
        let found: HashSet<u32> = hits.iter().map(|hit| hit.row).collect();
        let below: Vec<(Stage, Vec<Passed>)> = outcomes
            .iter()
            .map(|outcome| {
                let below = outcome.below.iter().filter(|one| !found.contains(&one.row)).copied();
                (outcome.stage, below.collect())
            })
            .collect();
        let mut nearest = fuse(below.iter().map(|(stage, below)| (*stage, below.as_slice())), &self.settings.fusion);
        nearest.truncate(room);
        let least = hits.last().map_or(1.0, |hit| hit.score);
        nearest.iter_mut().for_each(|one| one.score = (one.score * LEAST_EVIDENCE).min(least));
        nearest
    }

    /// The row of the image to find others like.
    fn like(&self) -> SearchResult<Option<u32>> {
        let Some(id) = &self.query.like else { return Ok(None) };
        let row = self.view.row_of(self.fields, id)?;
        row.map(Some).ok_or_else(|| SearchError::NoSuchImage { id: id.clone() })
    }

    /// The query's words, unless they are blank.
    fn asked_words(&self) -> Option<&str> {
        self.query.words.as_deref().filter(|words| !words.trim().is_empty())
    }

    /// The stages that the query asks for.
    fn stage_queries(&self, like: Option<u32>) -> SearchResult<Vec<StageQuery<'_>>> {
        let says_nothing = self.asked_words().is_some_and(words::says_nothing);
        let asked = self.asked_words().filter(|_| !says_nothing);
        let mut queries: Vec<StageQuery<'_>> = asked.map(StageQuery::Words).into_iter().collect();
        for space in Space::ALL {
            // A vector of appearance is a picture's; the others are those of the words.
            let vector = self.query.vector(space).filter(|_| !says_nothing || space == Space::Appearance);
            let probe = match (vector, like) {
                (Some(vector), _) => Some(self.probe(space, vector)?),
                // Where there is a space of appearance, images are compared with images by that; look is for words.
                (None, Some(_)) if space == Space::Look && self.settings.spaces.appearance.is_some() => None,
                (None, Some(row)) => {
                    vectors::vector_of(self.view.segments(), space, row)?.map(|numbers| Probe::of(&numbers))
                }
                (None, None) => None,
            };
            queries.extend(probe.map(|probe| StageQuery::Nearest(space, probe)));
        }
        if let Some(id) =
            self.query.like.as_ref().filter(|_| !queries.iter().any(|query| matches!(query, StageQuery::Nearest(..))))
        {
            return Err(SearchError::NoVector { id: id.clone() });
        }
        queries.extend(self.query.color.map(StageQuery::Color));
        Ok(queries)
    }

    fn probe(&self, space: Space, vector: &Vector) -> SearchResult<Probe> {
        let expected = self.settings.spaces.get(space).ok_or(SearchError::NoSpace { space })?.dimensions;
        if vector.dimensions() != expected {
            return Err(SearchError::Dimensions { space, expected, found: vector.dimensions() });
        }
        Ok(Probe::new(vector))
    }

    /// The fewest vectors of a space to compare. Appearances are spread more evenly than meanings, so that the same
    /// recall takes a quarter more of them.
    fn scanned(&self, space: Space) -> usize {
        match space {
            Space::Text | Space::Look => self.settings.scanned,
            Space::Appearance => self.settings.scanned / 4 * 5,
        }
    }

    /// Number of images that each stage ranks at most.
    fn depth(&self) -> usize {
        self.settings.depth.max(self.query.limit)
    }

    /// Runs the stages, several at a time where that is worth it.
    fn outcomes(&self, queries: &[StageQuery<'_>], allowed: &RowSet) -> SearchResult<Vec<StageOutcome>> {
        let small = self.view.images() < WORTH_A_THREAD;
        if small || queries.len() < 2 || self.settings.threads == NonZeroUsize::MIN {
            return queries.iter().map(|query| self.outcome(query, allowed)).collect();
        }
        let taken = AtomicUsize::new(0);
        let next = || {
            let place = taken.fetch_add(1, Ordering::Relaxed);
            queries.get(place).map(|query| (place, query))
        };
        let work = || {
            let mut done = Vec::new();
            while let Some((place, query)) = next() {
                done.push((place, self.outcome(query, allowed)));
            }
            done
        };
        let workers = self.settings.threads.get().min(queries.len());
        let mut done = std::thread::scope(|scope| {
            let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            for other in others {
                match other.join() {
                    Ok(more) => done.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_unstable_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn outcome(&self, query: &StageQuery<'_>, allowed: &RowSet) -> SearchResult<StageOutcome> {
        let cut_offs = &self.settings.cut_offs;
        let depth = self.depth();
        match query {
            StageQuery::Words(words) => {
                let found = lexical::search(self.view, self.fields, (words, &self.query.known), allowed, depth)?;
                let ranked = found.found.len();
                let best = found.found.iter().map(|hit| hit.share).max_by(f32::total_cmp);
                // The tolerance is for rounding: the shares of all words may add up to a little less than 1.
                let passed = found.found.iter().filter(|hit| hit.share >= cut_offs.lexical - 1e-5);
                let sure = |share| evidence(share, cut_offs.lexical, 1.0);
                let below = found.found.iter().filter(|hit| hit.share < cut_offs.lexical - 1e-5).take(BELOW);
                let below = below.map(|hit| Passed { row: hit.row, score: hit.score, evidence: 1.0 }).collect();
                let passed = passed.map(|hit| Passed { row: hit.row, score: hit.score, evidence: sure(hit.share) });
                let passed = passed.collect();
                let (stage, words) = (Stage::Lexical, found.words);
                Ok(StageOutcome { stage, passed, below, ranked, best, scanned: None, words })
            }
            StageQuery::Nearest(space, probe) => {
                let limits = ScanLimits { wanted: depth, scanned: self.scanned(*space) };
                let nearest = vectors::nearest(self.view.segments(), *space, probe, allowed, limits)?;
                let stage = Stage::of(*space);
                let ranked = nearest.found.len();
                let best = nearest.found.first().map(|(_, cosine)| *cosine);
                let (cut_off, sure) = (stage.cut_off(cut_offs), self.settings.certainties.get(*space));
                let all = nearest.found.iter();
                let below = all.clone().filter(|(_, cosine)| *cosine < cut_off).take(BELOW);
                let below = below.map(|&(row, score)| Passed { row, score, evidence: 1.0 }).collect();
                let passed = all
                    .filter(|(_, cosine)| *cosine >= cut_off)
                    .map(|&(row, score)| Passed { row, score, evidence: evidence(score, cut_off, sure) })
                    .collect();
                let scanned = Some(nearest.scanned);
                Ok(StageOutcome { stage, passed, below, ranked, best, scanned, words: Vec::new() })
            }
            StageQuery::Color(rgb) => {
                let mut found = vectors::near_color(self.view.segments(), *rgb, cut_offs.color, allowed)?;
                let ranked = found.len();
                found.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
                found.truncate(depth);
                let best = found.first().map(|(_, distance)| *distance);
                let passed = found.into_iter().map(|(row, distance)| {
                    let score = (1.0 - distance / 100.0).max(0.0);
                    Passed { row, score, evidence: evidence(distance, cut_offs.color, 0.0) }
                });
                let passed = passed.collect();
                let (stage, below, words) = (Stage::Color, Vec::new(), Vec::new());
                Ok(StageOutcome { stage, passed, below, ranked, best, scanned: None, words })
            }
        }
    }

    /// The images that the filters leave, newest first.
    fn list(&self, allowed: &RowSet) -> SearchResult<Hits> {
        let total = allowed.len();
        let rows = self.view.newest(allowed, self.query.limit)?;
        let hits =
            rows.into_iter().map(|row| Ok(hit(self.view.stored(self.fields, row)?, 0.0, StageScores::default())));
        let hits = hits.collect::<SearchResult<_>>()?;
        let explanation = self.query.explain.then(|| self.explain(Vec::new(), allowed));
        Ok(Hits { total, hits, explanation, ..Hits::default() })
    }

    fn explain(&self, mut outcomes: Vec<StageOutcome>, allowed: &RowSet) -> SearchExplanation {
        let words = outcomes.iter_mut().flat_map(|outcome| std::mem::take(&mut outcome.words)).collect();
        let stages = outcomes.iter().map(|outcome| StageExplanation {
            stage: outcome.stage.as_str(),
            weight: outcome.stage.weight(&self.settings.fusion),
            cut_off: outcome.stage.cut_off(&self.settings.cut_offs),
            best: outcome.best,
            ranked: outcome.ranked,
            passed: outcome.passed.len(),
            scanned: outcome.scanned,
        });
        SearchExplanation { images: self.view.images(), filtered: allowed.len(), words, stages: stages.collect() }
    }
}

fn hit(stored: Stored, score: f32, stages: StageScores) -> Hit {
    Hit { id: stored.id, filename: stored.filename, score, stages }
}
