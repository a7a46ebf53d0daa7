//! The prompt as it is sent: sections under headers, and images numbered with what each is for.

use std::fmt::Write as _;

use super::plan::{Reference, Role};

/// What a prompt is composed of.
#[derive(Clone, Debug)]
pub(super) struct Composition<'a> {
    /// What the user wrote.
    pub(super) subject: &'a str,
    /// The images that are sent, in their order.
    pub(super) images: &'a [&'a Reference],
    /// The words of camera, lens and light.
    pub(super) camera: &'a [String],
    /// Colours, `#rrggbb`.
    pub(super) palette: &'a [String],
    /// The size that is wanted.
    pub(super) size: (u32, u32),
    /// Whether the first image is to be changed where a mask, the image after it, is white.
    pub(super) mask: Mask,
}

/// How it is said what of a picture is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// It isn't: a new picture is made.
    None,
    /// The model takes a mask in a place of its own.
    Apart,
    /// The mask is one of the images.
    Image,
}

/// Composes it.
pub(super) fn compose(of: &Composition<'_>) -> String {
    let mut prompt = String::new();
    section(&mut prompt, "Subject", &[of.subject.trim().to_owned()]);
    let edit = edit_lines(of.mask);
    section(&mut prompt, "Edit", &edit);
    let first = match of.mask {
        Mask::None => 1,
        Mask::Apart => 2,
        Mask::Image => 3,
    };
    let images: Vec<String> =
        of.images.iter().enumerate().map(|(place, image)| image_line(first + place, image)).collect();
    section(&mut prompt, "Reference images", &images);
    section(&mut prompt, "Camera and lens", of.camera);
    if !of.palette.is_empty() {
        let colors = of.palette.join(", ");
        section(&mut prompt, "Palette", &[format!("Use mainly these colours and shades of them: {colors}.")]);
    }
    section(&mut prompt, "Constraints", &constraints(of));
    let (width, height) = of.size;
    section(
        &mut prompt,
        "Output",
        &[format!("One picture, {}, about {width} x {height} pixels.", shape(width, height))],
    );
    prompt.truncate(prompt.trim_end().len());
    prompt
}

fn section(prompt: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(prompt, "## {title}");
    for line in lines {
        let _ = writeln!(prompt, "{line}");
    }
    prompt.push('\n');
}

fn edit_lines(mask: Mask) -> Vec<String> {
    let keep = "Everything else stays exactly as it is in image 1: every line, colour and texture, and the edges of the \
                change blend in without a seam.";
    match mask {
        Mask::None => Vec::new(),
        Mask::Apart => vec![format!("Change image 1 only where the mask is transparent. {keep}")],
        Mask::Image => {
            vec![format!("Image 2 is a mask of image 1. Change image 1 only where the mask is white. {keep}")]
        }
    }
}

/// What an image is for, what to take from it and what not to.
fn image_line(number: usize, image: &Reference) -> String {
    let (what, take, leave) = match image.role {
        Role::Subject => (
            "what is shown",
            "the person, object or material that it shows, its shape, proportions and details",
            "its background, its light or its framing, unless the subject above asks for them",
        ),
        Role::Tone => (
            "tone",
            "colour and light only: the palette, contrast, grain, and the direction and softness of the light",
            "its people, objects, composition, viewpoint, text or logos",
        ),
        Role::Angle => (
            "angle",
            "the viewpoint only: the camera's height, tilt and distance, and how the frame is filled",
            "its people, objects, colours, light, text or logos",
        ),
        Role::Replacement => (
            "what is put in",
            "the object or person that it shows, for the place that is to be changed",
            "its background or its light: it takes on those of image 1",
        ),
    };
    format!("Image {number} - {what}. Take {take}. Do not take {leave}.")
}

fn constraints(of: &Composition<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let scene = Scene::of(of.subject);
    if of.images.iter().any(|image| matches!(image.role, Role::Tone | Role::Angle)) {
        lines.push(
            "- Show what the subject says; nothing appears in the picture because a reference shows it.".to_owned(),
        );
    }
    if of.mask == Mask::None {
        if scene.many {
            lines.push("- Each of those shown is a figure of its own; no face or body is there twice.".to_owned());
        } else {
            lines.push("- One main subject, shown once.".to_owned());
        }
    }
    if !scene.text {
        lines.push("- No text, watermark, logo, border or frame.".to_owned());
    }
    lines
}

/// What of a subject decides which constraints make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scene {
    /// Whether several are to be seen.
    many: bool,
    /// Whether something is to be read.
    text: bool,
}

/// Words that speak of several; numbers do, too.
const MANY: [&str; 52] = [
    "all",
    "army",
    "audience",
    "band",
    "both",
    "bunch",
    "children",
    "choir",
    "class",
    "colleagues",
    "couple",
    "crew",
    "crowd",
    "crowded",
    "dancers",
    "dozen",
    "dozens",
    "each",
    "families",
    "family",
    "five",
    "flock",
    "four",
    "friends",
    "gang",
    "group",
    "groups",
    "guests",
    "herd",
    "hundreds",
    "kids",
    "many",
    "men",
    "neighbours",
    "orchestra",
    "pack",
    "pair",
    "parade",
    "people",
    "players",
    "rows",
    "seven",
    "several",
    "six",
    "students",
    "swarm",
    "team",
    "thousands",
    "three",
    "twins",
    "two",
    "women",
];

/// Words that speak of something to be read.
const TEXT: [&str; 18] = [
    "banner",
    "billboard",
    "caption",
    "font",
    "headline",
    "label",
    "letter",
    "lettering",
    "letters",
    "logo",
    "neon",
    "poster",
    "reads",
    "says",
    "sign",
    "slogan",
    "text",
    "title",
];

impl Scene {
    fn of(subject: &str) -> Self {
        let lower = subject.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let is_many =
            |word: &str| MANY.contains(&word) || word.parse::<u32>().is_ok_and(|number| (2..1000).contains(&number));
        let many = words.clone().any(is_many);
        let quoted = ['"', '\u{201c}', '\u{ab}'].iter().any(|quote| subject.contains(*quote));
        Self { many, text: quoted || words.any(|word| TEXT.contains(&word)) }
    }
}

/// A shape in words.
fn shape(width: u32, height: u32) -> String {
    let common = gcd(width.max(1), height.max(1));
    let (wide, high) = (width.max(1) / common, height.max(1) / common);
    let name = match width.cmp(&height) {
        std::cmp::Ordering::Less => "portrait format",
        std::cmp::Ordering::Equal => return "square".to_owned(),
        std::cmp::Ordering::Greater => "landscape format",
    };
    if wide <= 32 && high <= 32 { format!("{name} {wide}:{high}") } else { name.to_owned() }
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn composed(subject: &str, images: &[&Reference]) -> String {
        let camera = ["Lens: 35 mm".to_owned()];
        compose(&Composition {
            subject,
            images,
            camera: &camera,
            palette: &["#102030".to_owned()],
            size: (1536, 1024),
            mask: Mask::None,
        })
    }

    #[test]
    fn a_prompt_has_its_sections_in_order_and_its_images_numbered_with_what_each_is_for() {
        let (tone, angle) = (Reference::of_role(Role::Tone), Reference::of_role(Role::Angle));
        let prompt = composed("a lighthouse keeper reading", &[&tone, &angle]);
        let headers: Vec<&str> = prompt.lines().filter(|line| line.starts_with("## ")).collect();
        let expected = ["Subject", "Reference images", "Camera and lens", "Palette", "Constraints", "Output"];
        assert_eq!(headers, expected.map(|title| format!("## {title}")));
        assert!(prompt.contains("Image 1 - tone. Take colour and light only"), "{prompt}");
        assert!(prompt.contains("Image 2 - angle. Take the viewpoint only"), "{prompt}");
        assert!(prompt.contains("landscape format 3:2, about 1536 x 1024 pixels"), "{prompt}");
    }

    #[test]
    fn a_crowd_is_not_told_to_be_one() {
        for (subject, alone) in [
            ("a lighthouse keeper reading", true),
            ("a crowd at the harbour", false),
            ("three dancers on a roof", false),
            ("12 cats", false),
            ("a man with a dog", true),
        ] {
            assert_eq!(composed(subject, &[]).contains("One main subject"), alone, "{subject}");
        }
    }

    #[test]
    fn text_is_forbidden_unless_it_is_asked_for() {
        for (subject, forbidden) in
            [("a lighthouse", true), ("a shop sign in the rain", false), ("a cake with \"Anna\" on it", false)]
        {
            assert_eq!(composed(subject, &[]).contains("No text"), forbidden, "{subject}");
        }
    }

    #[test]
    fn without_references_nothing_is_said_of_them() {
        let prompt = composed("a lighthouse", &[]);
        assert!(!prompt.contains("Reference images") && !prompt.contains("reference shows"), "{prompt}");
    }
}
