//! Models as users name them.

use atelier_providers::{ModelRef, Provider};

/// A model's name.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match text.parse::<ModelRef>() {
        Ok(model) => check_model(&model),
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.hint().is_empty());
            assert!(["bad-model", "unknown-provider"].contains(&error.code()), "{error}");
            assert!(error.to_string().chars().count() <= 400, "{error}");
        }
    }
    // The part after the colon alone, as configuration gives it.
    for provider in Provider::ALL {
        if let Ok(model) = ModelRef::new(provider, &text) {
            assert_eq!(model.provider(), provider);
            check_model(&model);
        }
    }
}

fn check_model(model: &ModelRef) {
    let shown = model.to_string();
    assert_eq!(shown.parse().as_ref(), Ok(model), "{shown} is read as another model");
    let name = model.name();
    assert!((1..=128).contains(&name.len()), "{name}");
    assert!(name.starts_with(|c: char| c.is_ascii_alphanumeric()), "{name}");
    assert!(name.chars().all(|c| c.is_ascii_graphic()), "{name}");
    match model.wire() {
        // It stands in a path.
        Provider::Gemini => assert!(!name.contains(['/', '?', '#', '%', '\\', ':', '@']), "{name}"),
        _ => assert!(!name.contains(['?', '#', '%', '\\', '"', '\'']), "{name}"),
    }
    assert_eq!(model.is_sandbox(), model.provider() == Provider::Sandbox);
}
