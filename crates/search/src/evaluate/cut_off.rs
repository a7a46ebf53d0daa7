//! Where to cut a stage off.

use serde::Serialize;

/// A cut-off, and what it does to the queries that it was fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CutOff {
    /// Scores from it on pass.
    pub threshold: f32,
    /// Share of the judged queries that keep an answer.
    pub kept: f64,
    /// Share of the absent queries that get none.
    pub silent: f64,
}

/// The lowest threshold that silences this share of the absent queries: those that the library has no answer
/// to. Lower would show noise, higher would hide more answers than it must.
///
/// `judged` are scores of right answers: the best score of a relevant image for each judged query, 0 where
/// there is none. `absent` are the best scores that absent queries got from any image, 0 where there is none.
/// Without absent queries everything passes.
#[must_use]
pub fn cut_off(judged: &[f32], absent: &[f32], silenced: f64) -> CutOff {
    let mut noise: Vec<f32> = absent.to_vec();
    noise.sort_unstable_by(f32::total_cmp);
    let below = (absent.len() as f64 * silenced.clamp(0.0, 1.0)).ceil() as usize;
    // Just above the loudest noise that is to be silent.
    let threshold =
        below.checked_sub(1).and_then(|last| noise.get(last)).map_or(f32::NEG_INFINITY, |last| last.next_up());
    let share = |scores: &[f32], counts: &dyn Fn(f32) -> bool| {
        let counted = scores.iter().filter(|score| counts(**score)).count();
        if scores.is_empty() { 1.0 } else { counted as f64 / scores.len() as f64 }
    };
    CutOff {
        threshold,
        kept: share(judged, &|score| score >= threshold),
        silent: share(absent, &|score| score < threshold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_lies_just_above_the_noise() {
        let absent: Vec<f32> = (0..100).map(|n| n as f32 / 100.0).collect();
        let cut = cut_off(&[0.5, 0.945, 0.96, 0.99], &absent, 0.95);
        assert!(cut.threshold > 0.94 && cut.threshold < 0.945, "{cut:?}");
        assert_eq!((cut.kept, cut.silent), (0.75, 0.95));
    }

    #[test]
    fn without_noise_everything_passes() {
        let cut = cut_off(&[-0.5, 0.1], &[], 0.95);
        assert_eq!((cut.threshold, cut.kept, cut.silent), (f32::NEG_INFINITY, 1.0, 1.0));
    }
}
