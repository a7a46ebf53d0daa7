//! What image models can do, as far as it matters before they are asked.

/// What a model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// The most pictures that it takes beside a prompt.
    pub references: usize,
    /// Whether it takes a mask in a place of its own.
    pub masks: bool,
    /// Whether it takes a seed.
    pub seeds: bool,
}

/// By the beginnings of names; the first that fits counts.
const KNOWN: [(&str, Abilities); 7] = [
    ("gemini-2.5-flash-image", Abilities { references: 3, masks: false, seeds: true }),
    ("gemini-3", Abilities { references: 14, masks: false, seeds: true }),
    ("gemini", Abilities { references: 3, masks: false, seeds: true }),
    ("gpt-image", Abilities { references: 16, masks: true, seeds: false }),
    ("gpt", Abilities { references: 16, masks: true, seeds: false }),
    ("sandbox", Abilities { references: 14, masks: false, seeds: true }),
    ("openai", Abilities { references: 16, masks: true, seeds: false }),
];

/// Of a model that is not known no more is expected than of the least.
const UNKNOWN: Abilities = Abilities { references: 3, masks: false, seeds: false };

/// What the model can do that a user calls so: `gemini:NAME`, `openai:NAME`, `sandbox:NAME`, `sandbox:openai:NAME`.
#[must_use]
pub fn abilities(model: &str) -> Abilities {
    let name = model.rsplit(':').next().unwrap_or(model);
    let by_name = |name: &str| KNOWN.iter().find(|(beginning, _)| name.starts_with(beginning));
    if let Some((_, abilities)) = by_name(name) {
        return *abilities;
    }
    // A server that speaks OpenAI's format takes what that format has.
    let wire = model.strip_prefix("sandbox:").unwrap_or(model).split(':').next().unwrap_or(model);
    by_name(wire).map_or(UNKNOWN, |(_, abilities)| *abilities)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_its_name_and_else_by_its_format() {
        for (model, references, masks) in [
            ("gemini:gemini-2.5-flash-image", 3, false),
            ("gemini:gemini-3-pro-image", 14, false),
            ("openai:gpt-image-2", 16, true),
            ("sandbox", 14, false),
            ("sandbox:gemini-3.1-flash-image", 14, false),
            ("sandbox:openai:gpt-image-2", 16, true),
            ("openai:my-own", 16, true),
            ("gemini:imagine-9", 3, false),
        ] {
            let abilities = abilities(model);
            assert_eq!((abilities.references, abilities.masks), (references, masks), "{model}");
        }
    }
}
