//! The draw of a reference: one of the best, each as likely, the same for the same seed.

/// How many of a ranking are good enough to be drawn: a fifth, and at least one.
#[must_use]
pub fn best(pool: usize) -> usize {
    if pool == 0 { 0 } else { (pool / 5).max(1) }
}

/// The place in a ranking of so many that is drawn, from 0; none if there is nothing to draw from. `role` keeps draws
/// for several roles by one seed apart.
#[must_use]
pub fn draw(pool: usize, seed: u64, role: &str) -> Option<usize> {
    let best = best(pool);
    if best == 0 {
        return None;
    }
    let mut hash = blake3::Hasher::new();
    hash.update(&seed.to_le_bytes());
    hash.update(role.as_bytes());
    let mut bytes = [0; 8];
    hash.finalize_xof().fill(&mut bytes);
    Some(fastrand::Rng::with_seed(u64::from_le_bytes(bytes)).usize(..best))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_draws_fall_on_the_best_fifth_alone_and_on_each_of_it_alike() {
        const POOL: usize = 100;
        let mut counts = [0_u32; POOL];
        for seed in 0..10_000 {
            counts[draw(POOL, seed, "tone").unwrap_or(POOL - 1)] += 1;
        }
        assert!(counts[20..].iter().all(|count| *count == 0), "{counts:?}");
        let expected = 10_000.0 / 20.0;
        let chi_square: f64 = counts[..20].iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        // With 19 degrees of freedom, a fair draw stays below this 999 times in 1,000.
        assert!(chi_square < 43.82, "{chi_square}: {counts:?}");
    }

    #[test]
    fn the_same_seed_draws_the_same_and_roles_draw_apart() {
        let draws = |role: &'static str| (0..200).map(move |seed| draw(500, seed, role)).collect::<Vec<_>>();
        assert_eq!(draws("tone"), draws("tone"));
        assert_ne!(draws("tone"), draws("angle"));
    }

    #[test]
    fn one_is_always_good_enough() {
        for (pool, best_of_them) in [(0, 0), (1, 1), (4, 1), (9, 1), (10, 2), (99, 19)] {
            assert_eq!(best(pool), best_of_them, "{pool}");
            assert_eq!(draw(pool, 7, "tone").is_some(), pool > 0, "{pool}");
        }
    }
}
