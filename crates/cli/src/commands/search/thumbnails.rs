//! Pictures on a terminal.

use std::io::IsTerminal;

use atelier_app::views::SearchView;
use atelier_store::objects::ThumbnailSize;
use atelier_studio::library::Library;

use crate::args::Thumbnails;
use crate::out::{Out, excerpt};

/// How many pictures are shown, and how wide in characters.
const MOST: usize = 8;
const COLUMNS: u32 = 24;

/// Shows thumbnails of the first hits, where the terminal can. What goes wrong costs a picture and nothing else.
pub(super) async fn show(out: Out, library: &Library, found: &SearchView, when: Thumbnails) {
    if !std::io::stdout().is_terminal() || when == Thumbnails::Never {
        return;
    }
    let shows_pictures = shows_pictures();
    if when == Thumbnails::Auto && !shows_pictures {
        return;
    }
    let config = viuer::Config {
        absolute_offset: false,
        width: Some(COLUMNS),
        // Asking a terminal what it can would wait for an answer for ever where none comes.
        use_kitty: shows_pictures,
        use_iterm: shows_pictures,
        truecolor: std::env::var("COLORTERM").is_ok_and(|depth| depth == "truecolor" || depth == "24bit"),
        ..viuer::Config::default()
    };
    for hit in found.hits.iter().take(MOST) {
        let Ok(image) = library.show(&hit.id).await else { continue };
        let Ok(webp) = library.thumbnail(&image, ThumbnailSize::Small).await else { continue };
        let Ok(picture) = image::load_from_memory(&webp) else { continue };
        let _ = out.text(&format!("\n{}\n", excerpt(&hit.id, 60)));
        if let Err(error) = viuer::print(&picture, &config) {
            tracing::debug!("a thumbnail could not be shown: {error}");
        }
    }
}

/// Whether the terminal is known for it: asking it would hold up one that does not answer.
fn shows_pictures() -> bool {
    let is = |name: &str, values: &[&str]| {
        std::env::var(name).is_ok_and(|found| values.iter().any(|value| found.eq_ignore_ascii_case(value)))
    };
    std::env::var_os("KITTY_WINDOW_ID").is_some()
        || is("TERM", &["xterm-kitty", "xterm-ghostty"])
        || is("TERM_PROGRAM", &["iTerm.app", "WezTerm", "ghostty", "mintty"])
        || is("LC_TERMINAL", &["iTerm2"])
}
