//! Words for answers: nonsense that nobody takes for a model's, different for every seed, and in words that the
//! prompt does not use, so that a filter against parroting lets it through.

use std::fmt::Write as _;

/// The beginning of every text of the sandbox, where there is room for it.
pub(crate) const MARK: &str = "[sandbox] ";

/// The lengths, in characters, between which a free text lies unless a schema says otherwise: those of
/// a reply draft, so that timings mean something.
pub(crate) const DRAFT: (usize, usize) = (80, 150);

// Each list is sorted, for the search by halves in `Avoid`.
const ADJECTIVES: &[&str] = &[
    "amber",
    "brittle",
    "cobalt",
    "copper",
    "crimson",
    "dappled",
    "drowsy",
    "feathered",
    "fluted",
    "frosted",
    "gilded",
    "hollow",
    "ivory",
    "jagged",
    "lacquered",
    "lilac",
    "marbled",
    "mossy",
    "nimble",
    "ochre",
    "patient",
    "pewter",
    "quilted",
    "russet",
    "saffron",
    "scarlet",
    "silken",
    "slender",
    "speckled",
    "tidal",
    "umber",
    "velvet",
    "violet",
    "walnut",
    "wandering",
    "woven",
];
const NOUNS: &[&str] = &[
    "anvil",
    "barometer",
    "beacon",
    "bellows",
    "bramble",
    "cedar",
    "chandelier",
    "cloister",
    "compass",
    "cormorant",
    "driftwood",
    "ember",
    "ferry",
    "fiddle",
    "gargoyle",
    "gondola",
    "gramophone",
    "harbour",
    "heron",
    "hourglass",
    "juniper",
    "kettle",
    "lagoon",
    "lantern",
    "loom",
    "mandolin",
    "meadow",
    "metronome",
    "nutmeg",
    "orchard",
    "otter",
    "paddock",
    "parasol",
    "pendulum",
    "quarry",
    "rudder",
    "sextant",
    "sparrow",
    "teacup",
    "thimble",
    "trellis",
    "turnstile",
    "vineyard",
    "weathervane",
    "windmill",
    "zeppelin",
];
const VERBS: &[&str] = &[
    "balances", "borrows", "circles", "collects", "drifts", "echoes", "folds", "gathers", "glides", "hums", "kindles",
    "lingers", "mends", "murmurs", "paddles", "polishes", "quivers", "ripples", "rustles", "shimmers", "sketches",
    "steers", "stirs", "tilts", "topples", "unfurls", "wades", "whistles", "winds",
];
const LINKS: &[&str] = &["above", "across", "against", "along", "amid", "behind", "below", "beside", "beyond", "under"];

/// The order of the words in a sentence.
const PATTERN: [&[&str]; 6] = [ADJECTIVES, NOUNS, VERBS, LINKS, ADJECTIVES, NOUNS];

/// Words that an answer leaves out because the prompt has them.
#[derive(Debug, Default)]
pub(crate) struct Avoid(Vec<&'static str>);

impl Avoid {
    /// Those of the sandbox's words that are in `texts`.
    pub(crate) fn words_of(texts: &[&str]) -> Self {
        let mut found = Vec::new();
        let mut lower = [0_u8; 12];
        for word in texts.iter().flat_map(|text| text.as_bytes().split(|byte| !byte.is_ascii_alphabetic())) {
            // No word of the lists is shorter than 4 letters or longer than 11.
            if !(4..lower.len()).contains(&word.len()) {
                continue;
            }
            let lower = &mut lower[..word.len()];
            lower.copy_from_slice(word);
            lower.make_ascii_lowercase();
            for list in [ADJECTIVES, NOUNS, VERBS, LINKS] {
                if let Ok(at) = list.binary_search_by(|known| known.as_bytes().cmp(lower))
                    && !found.contains(&list[at])
                {
                    found.push(list[at]);
                }
            }
        }
        Self(found)
    }

    fn pick(&self, list: &[&'static str], rng: &mut fastrand::Rng) -> &'static str {
        let start = rng.usize(..list.len());
        let turn = |step: usize| list[(start + step) % list.len()];
        (0..list.len()).map(turn).find(|word| !self.0.contains(word)).unwrap_or_else(|| turn(0))
    }
}

/// A text of at least `min` and at most `max` characters, all of them ASCII, that `seed` decides.
pub(crate) fn text(seed: u64, avoid: &Avoid, min: usize, max: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(seed);
    // The last word may pass the target by its length and a full stop.
    let room = max.saturating_sub(min).saturating_sub(12);
    let target = min + rng.usize(..=room);
    let mut text = String::with_capacity(max.min(target + 16));
    if max >= 2 * MARK.len() {
        text.push_str(MARK);
    }
    let mut place = 0;
    while text.len() < target.max(1) || place < 2 {
        match place {
            0 => {}
            _ if place % PATTERN.len() == 0 => text.push_str(", "),
            _ => text.push(' '),
        }
        text.push_str(avoid.pick(PATTERN[place % PATTERN.len()], &mut rng));
        place += 1;
    }
    if text.len() < max {
        text.push('.');
    }
    text.truncate(max);
    // A text that was cut behind a word may end in a space: a client that trims must not shorten it.
    if text.ends_with([' ', ',']) {
        text.pop();
        text.push('.');
    }
    text
}

/// An answer to a prompt that asked for no form: it names itself and the beginning of the prompt.
pub(crate) fn free_text(seed: u64, last: &str, avoid: &Avoid) -> String {
    let mut answer = format!("{MARK}answer {:04x} to:", seed & 0xffff);
    for word in last.split_whitespace().take(8) {
        let short: String = word.chars().take(16).collect();
        // Writing to a string can't fail.
        let _ = write!(answer, " {short}");
    }
    answer.push_str("… ");
    let rest = text(seed, avoid, 70, 110);
    answer.push_str(rest.strip_prefix(MARK).unwrap_or(&rest));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_their_words_of_a_length_that_is_looked_up() {
        for list in [ADJECTIVES, NOUNS, VERBS, LINKS] {
            assert!(list.is_sorted());
            assert!(list.iter().all(|word| (4..12).contains(&word.len())), "{list:?}");
        }
    }

    #[test]
    fn a_draft_has_the_length_of_a_draft() {
        for seed in 0..5000 {
            let draft = text(seed, &Avoid::default(), DRAFT.0, DRAFT.1);
            assert!((80..=150).contains(&draft.len()), "{draft}");
            assert!(draft.starts_with("[sandbox] "));
        }
    }

    #[test]
    fn any_bounds_are_kept() {
        for min in 0..60 {
            for max in min..60 {
                let text = text((min * 100 + max) as u64, &Avoid::default(), min, max);
                assert!((min..=max).contains(&text.len()), "{min}..={max}: {text:?}");
                assert_eq!(text.trim(), text);
            }
        }
    }

    #[test]
    fn words_of_the_prompt_are_left_out() {
        let avoid = Avoid::words_of(&["The HARBOUR, an amber\nlantern hums; naïve ferry"]);
        assert_eq!(avoid.0.len(), 5);
        for seed in 0..500 {
            let draft = text(seed, &avoid, DRAFT.0, DRAFT.1);
            assert!(["harbour", "amber", "lantern", "hums", "ferry"].iter().all(|word| !draft.contains(word)));
        }
    }

    #[test]
    fn no_two_drafts_of_a_thousand_are_the_same() {
        let drafts: std::collections::HashSet<String> =
            (0..1000).map(|seed| text(seed, &Avoid::default(), DRAFT.0, DRAFT.1)).collect();
        assert_eq!(drafts.len(), 1000);
    }
}
