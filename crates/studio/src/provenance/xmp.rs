//! The XMP packet of a made image.

use std::fmt::Write as _;

/// The namespace of our own properties. The address leads nowhere.
const OURS: &str = "https://atelier.invalid/ns/1.0/";
/// IPTC's term for a picture that a trained model made (NewsCodes, digitalsourcetype).
const TRAINED: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
/// The characters of a prompt that are kept where there is little room.
const SHORT: usize = 8_000;

/// The provenance that is written into a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The prompt as it was written.
    pub prompt: String,
    /// The prompt as it was sent.
    pub sent: String,
    /// The model that made it.
    pub model: String,
    /// The images that were sent or taken colours from, a line each.
    pub references: Vec<String>,
    /// The seed, if one was sent.
    pub seed: Option<i64>,
    /// The cost as a text, such as `$0.04`.
    pub cost: String,
    /// The id of the image.
    pub image: String,
    /// The moment when it was made, in ISO 8601.
    pub made_at: String,
    /// What was edited and where, if it is an edit.
    pub edited: Option<String>,
}

impl Facts {
    /// The facts by their names.
    pub(super) fn texts(&self) -> Vec<(&'static str, String)> {
        let mut texts = vec![
            ("Description", self.prompt.clone()),
            ("Software", format!("Atelier {}", env!("CARGO_PKG_VERSION"))),
            ("Creation Time", self.made_at.clone()),
            ("Atelier Image", self.image.clone()),
            ("Atelier Model", self.model.clone()),
            ("Atelier Prompt", self.sent.clone()),
            ("Atelier Cost", self.cost.clone()),
        ];
        if let Some(seed) = self.seed {
            texts.push(("Atelier Seed", seed.to_string()));
        }
        if let Some(edited) = &self.edited {
            texts.push(("Atelier Edited", edited.clone()));
        }
        if !self.references.is_empty() {
            texts.push(("Atelier References", self.references.join("\n")));
        }
        texts
    }

    /// The same facts with only the beginnings of the prompts.
    pub(super) fn shortened(&self) -> Self {
        let short = |text: &str| text.chars().take(SHORT).collect::<String>();
        Self { prompt: short(&self.prompt), sent: short(&self.sent), ..self.clone() }
    }

    /// The packet (XMP specification, part 1, 7).
    pub(super) fn packet(&self) -> String {
        let mut xml = String::from(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
             <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
             <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
             xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" ",
        );
        let _ = writeln!(xml, "xmlns:atelier=\"{OURS}\">");
        let _ = writeln!(
            xml,
            "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt></dc:description>",
            escaped(&self.prompt)
        );
        let mut add = |name: &str, value: &str| {
            let _ = writeln!(xml, "<{name}>{}</{name}>", escaped(value));
        };
        add("xmp:CreatorTool", &format!("Atelier {}", env!("CARGO_PKG_VERSION")));
        add("xmp:CreateDate", &self.made_at);
        add("Iptc4xmpExt:DigitalSourceType", TRAINED);
        add("atelier:Image", &self.image);
        add("atelier:Model", &self.model);
        add("atelier:Prompt", &self.sent);
        add("atelier:Cost", &self.cost);
        if let Some(seed) = self.seed {
            add("atelier:Seed", &seed.to_string());
        }
        if let Some(edited) = &self.edited {
            add("atelier:Edited", edited);
        }
        if !self.references.is_empty() {
            let items: String =
                self.references.iter().map(|line| format!("<rdf:li>{}</rdf:li>", escaped(line))).collect();
            let _ = writeln!(xml, "<atelier:References><rdf:Seq>{items}</rdf:Seq></atelier:References>");
        }
        xml.push_str("</rdf:Description>\n</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>");
        xml
    }
}

/// Escapes a text for XML. Characters that XML does not allow are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}
