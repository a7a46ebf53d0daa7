//! SVG: drawings that are read, and drawings that ask for too much.

use std::fmt::Write;

use atelier_studio::library::decode::PictureError;
use base64::Engine;

use crate::files::*;

const HEAD: &str =
    r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100">"#;

fn drawing(content: &str) -> Vec<u8> {
    format!("{HEAD}{content}</svg>").into_bytes()
}

#[track_caller]
fn assert_too_complex(content: &str) {
    let error = refused(&drawing(content));
    assert!(matches!(error, PictureError::TooComplex(_)), "{error}");
}

#[test]
fn a_drawing_is_drawn_large_enough_to_be_seen() {
    let decoded = read(&svg(24, 16)).unwrap();
    assert_eq!((decoded.width, decoded.height), (24, 16), "its own size is told");
    let picture = decoded.into_picture(384, 512).unwrap();
    assert_eq!((picture.width, picture.height), (576, 384));
}

#[test]
fn a_drawing_of_any_size_is_drawn() {
    for (width, height) in [(1_000_000_u32, 1_000_000_u32), (4_000_000, 3), (1, 1)] {
        let file = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><rect width="100%" height="100%"/></svg>"#
        );
        let picture = read(file.as_bytes()).unwrap().into_picture(512, 512).unwrap();
        assert!(picture.width <= 1_024 && picture.height <= 1_024);
    }
}

#[test]
fn uses_that_multiply_are_refused() {
    let mut laughs = r#"<defs><g id="a0"><path d="M0 0h9v9z"/></g>"#.to_owned();
    for n in 1..10 {
        let uses = format!("<use xlink:href=\"#a{}\"/>", n - 1).repeat(10);
        write!(laughs, "<g id=\"a{n}\">{uses}</g>").unwrap();
    }
    assert_too_complex(&format!("{laughs}</defs><use href=\"#a9\"/>"));
}

#[test]
fn patterns_masks_and_styles_that_multiply_are_refused() {
    for how in ["fill", "mask", "clip-path"] {
        let element = if how == "fill" {
            "pattern"
        } else if how == "mask" {
            "mask"
        } else {
            "clipPath"
        };
        let mut laughs =
            format!(r#"<defs><{element} id="p0" width="1" height="1"><rect width="9" height="9"/></{element}>"#);
        let mut styled = laughs.clone();
        for n in 1..9 {
            let last = n - 1;
            let rects = format!(r##"<rect width="9" height="9" {how}="url(#p{last})"/>"##).repeat(10);
            write!(laughs, r#"<{element} id="p{n}" width="1" height="1">{rects}</{element}>"#).unwrap();
            let rects = format!(r#"<rect width="9" height="9" class="c{last}"/>"#).repeat(10);
            write!(styled, "<style>.c{last}, .d{last} {{ {how}: url('#p{last}') }}</style>").unwrap();
            write!(styled, r#"<{element} id="p{n}" width="1" height="1">{rects}</{element}>"#).unwrap();
        }
        assert_too_complex(&format!(r##"{laughs}</defs><rect width="90" height="90" {how}="url(#p8)"/>"##));
        assert_too_complex(&format!(r##"{styled}</defs><rect width="90" height="90" style="{how}:url(#p8)"/>"##));
    }
}

#[test]
fn markers_on_every_corner_are_counted() {
    let marker = format!(r#"<marker id="m">{}</marker>"#, r#"<path d="M0 0h1v1z"/>"#.repeat(500));
    let corners = "1 1 ".repeat(5_000);
    assert_too_complex(&format!(r##"{marker}<polyline points="{corners}" style="marker-mid:url(#m)"/>"##));
}

#[test]
fn entities_that_multiply_are_refused() {
    let nested = r#"<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>"#;
    let long = format!(r#"<!DOCTYPE svg [<!ENTITY a "{}">]>"#, "x".repeat(60_000));
    for (entities, references) in [(nested.to_owned(), "&c;".repeat(100)), (long, "&a;".repeat(100_000))] {
        let file = format!("{entities}{HEAD}<text>{references}</text></svg>");
        let error = refused(file.as_bytes());
        assert!(matches!(error, PictureError::TooComplex(_)), "{error}");
    }
}

#[test]
fn entities_as_programs_write_them_are_read() {
    let file = r##"<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
        <!ENTITY ns_svg "http://www.w3.org/2000/svg"><!ENTITY red "#dc1e1e">]>
        <svg xmlns="&ns_svg;" width="9" height="9"><rect width="9" height="9" fill="&red;"/></svg>"##;
    assert_eq!(middles(&picture(file.as_bytes()))[0], [220, 30, 30]);
}

#[test]
fn deep_nesting_is_refused() {
    let groups =
        |depth: usize| format!("{}<rect width=\"9\" height=\"9\"/>{}", "<g>".repeat(depth), "</g>".repeat(depth));
    read(&drawing(&groups(100))).unwrap();
    assert_too_complex(&groups(300));
    assert_too_complex(&groups(100_000));
    // Each is deep enough, and each uses the next.
    let mut chain = String::new();
    for n in 0..50 {
        write!(chain, "<g id=\"c{n}\">{}<use href=\"#c{}\"/>{}</g>", "<g>".repeat(90), n + 1, "</g>".repeat(90))
            .unwrap();
    }
    assert_too_complex(&format!("<defs>{chain}<rect id=\"c50\"/></defs><use href=\"#c0\"/>"));
}

#[test]
fn what_refers_to_itself_is_drawn_without_itself() {
    let content = r##"<pattern id="p" width="9" height="9"><rect width="9" height="9" fill="url(#p)"/></pattern>
        <g id="g"><use href="#g"/><rect width="50" height="50" fill="#dc1e1e" mask="url(#m)"/></g>
        <mask id="m"><rect width="99" height="99" fill="white" mask="url(#m)"/></mask><rect fill="url(#p)"/>"##;
    read(&drawing(content)).unwrap();
}

#[test]
fn filters_that_ask_for_too_much_are_refused() {
    let dear = [
        r#"<feMorphology operator="dilate" radius="40"/>"#,
        r#"<feTurbulence baseFrequency="0.1" numOctaves="1000000"/>"#,
    ];
    for step in dear {
        let content = format!(r##"<filter id="f">{step}</filter><rect width="99" height="99" filter="url(#f)"/>"##);
        assert_too_complex(&content);
    }
    let cheap = r##"<filter id="f"><feGaussianBlur stdDeviation="3"/></filter><rect width="99" height="99" filter="url(#f)"/>"##;
    read(&drawing(cheap)).unwrap();
}

#[test]
fn other_files_are_not_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret.png");
    std::fs::write(&file, encoded_png(&[255, 0, 0].repeat(100), 10, 10)).unwrap();
    let path = file.display();
    for href in [format!("{path}"), format!("file://{path}"), "http://127.0.0.1:9/a.png".to_owned()] {
        let content = format!(r#"<image href="{href}" width="100" height="100"/>"#);
        let picture = picture(&drawing(&content));
        assert!(picture.rgb.iter().all(|part| *part == 255), "{href}");
    }
    let entity = format!(r#"<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/hostname">]>{HEAD}<text>&a;</text></svg>"#);
    let _ = read(entity.as_bytes());
}

#[test]
fn pictures_within_a_drawing_are_drawn_unless_they_are_bombs() {
    let embed = |png: &[u8]| {
        let data = base64::engine::general_purpose::STANDARD.encode(png);
        drawing(&format!(
            r#"<image href="data:image/png;base64,{data}" width="100" height="100" preserveAspectRatio="none"/>"#
        ))
    };
    assert_near(middles(&picture(&embed(&png(40, 40)))), QUARTERS, 12);
    let bomb = picture(&embed(&claiming_png(20_000, 20_000, 2)));
    assert!(bomb.rgb.iter().all(|part| *part == 255));
    let nested = drawing(&format!(
        r#"<image href="data:image/svg+xml;base64,{}" width="100" height="100"/>"#,
        base64::engine::general_purpose::STANDARD.encode(svg(10, 10))
    ));
    assert!(picture(&nested).rgb.iter().all(|part| *part == 255), "a drawing in a drawing is left out");
}
