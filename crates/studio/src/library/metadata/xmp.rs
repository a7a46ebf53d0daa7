//! The reader of XMP packets.

use roxmltree::{Document, Node, ParsingOptions};

use super::fields::{Metadata, decode};

/// Limits that no real packet reaches: bytes, and nodes of its XML.
const MAX_BYTES: usize = 4 << 20;
const MAX_NODES: u32 = 50_000;

const DC: &str = "http://purl.org/dc/elements/1.1/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// Reads a packet from within a picture, or a file of XMP beside it.
pub(crate) fn read(packet: &[u8]) -> Option<Metadata> {
    if packet.len() > MAX_BYTES {
        return None;
    }
    let text = decode(packet);
    // Packets are padded, and some end in zeros.
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\0', ' ', '\n', '\r', '\t']);
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    let mut metadata = Metadata::default();
    for description in document.descendants().filter(|node| node.has_tag_name((RDF, "Description"))) {
        for name in ["description", "title"] {
            if let Some(text) = property(description, DC, name) {
                metadata.set_caption(&text);
            }
        }
        let subjects = description.children().filter(|node| node.has_tag_name((DC, "subject")));
        for item in subjects.flat_map(|node| node.descendants()).filter(|node| node.has_tag_name((RDF, "li"))) {
            metadata.add_keyword(item.text().unwrap_or_default());
        }
        let dates = [(EXIF, "DateTimeOriginal"), (PHOTOSHOP, "DateCreated"), (XMP, "CreateDate")];
        for (namespace, name) in dates {
            let date = property(description, namespace, name).and_then(|date| moment(date.trim()));
            metadata.taken_at = metadata.taken_at.or(date);
        }
    }
    Some(metadata)
}

/// A property of a description: an attribute, an element, or the default among alternatives in several
/// languages.
fn property(description: Node<'_, '_>, namespace: &str, name: &str) -> Option<String> {
    if let Some(value) = description.attribute((namespace, name)) {
        return Some(value.to_owned());
    }
    let element = description.children().find(|node| node.has_tag_name((namespace, name)))?;
    let items: Vec<Node<'_, '_>> = element.descendants().filter(|node| node.has_tag_name((RDF, "li"))).collect();
    let default = items
        .iter()
        .find(|item| item.attributes().any(|attribute| attribute.name() == "lang" && attribute.value() == "x-default"));
    let item = default.or(items.first()).copied().unwrap_or(element);
    item.text().map(str::to_owned)
}

/// A date of ISO 8601, perhaps without a time, perhaps without a zone.
fn moment(date: &str) -> Option<atelier_engine::Timestamp> {
    if let Ok(moment) = date.parse::<jiff::Timestamp>() {
        return Some(moment.into());
    }
    let civil = date.parse::<jiff::civil::DateTime>().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:DateCreated="2026-03-01T12:30:15+02:00">
<dc:description><rdf:Alt><rdf:li xml:lang="de">Ein Rad</rdf:li><rdf:li xml:lang="x-default">A bicycle &amp; a wall</rdf:li>
</rdf:Alt></dc:description>
<dc:subject><rdf:Bag><rdf:li>bicycle</rdf:li><rdf:li>wall</rdf:li><rdf:li>bicycle</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"#;

    #[test]
    fn a_packet_says_what_is_seen() {
        for packet in [PACKET.to_owned(), format!("\u{feff}{PACKET}\n  \0\0")] {
            let read = read(packet.as_bytes()).unwrap();
            assert_eq!(read.caption.as_deref(), Some("A bicycle & a wall"));
            assert_eq!(read.keywords, ["bicycle", "wall"]);
            assert_eq!(read.taken_at.unwrap().to_string(), "2026-03-01T10:30:15Z");
        }
    }

    #[test]
    fn properties_may_be_plain() {
        let packet = r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
            xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
            xmp:CreateDate="2026-03-01T12:30:15" dc:title="Title"><dc:description>Plain</dc:description>
            </rdf:Description></rdf:RDF>"#;
        let read = read(packet.as_bytes()).unwrap();
        assert_eq!(read.caption.as_deref(), Some("Plain"));
        assert_eq!(read.taken_at.unwrap().to_string(), "2026-03-01T12:30:15Z");
    }

    #[test]
    fn what_is_no_packet_says_nothing() {
        let laughs = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        for packet in ["", "x", "<a", laughs] {
            assert_eq!(read(packet.as_bytes()), None, "{packet}");
        }
        for end in 0..PACKET.len() {
            let _ = read(&PACKET.as_bytes()[..end]);
        }
    }
}
