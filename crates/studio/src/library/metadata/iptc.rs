//! IPTC's Information Interchange Model, in the resource blocks of Photoshop where JPEG keeps it.

use super::fields::{Metadata, decode};

/// The resource that holds IPTC's records.
const IPTC: u16 = 0x0404;

/// Reads Photoshop's resource blocks, or bare records.
pub(super) fn read(block: &[u8]) -> Metadata {
    let records = if block.first() == Some(&0x1c) { Some(block) } else { resource(block) };
    let mut metadata = Metadata::default();
    let (mut date, mut time) = (None, None);
    let mut rest = records.unwrap_or_default();
    while let Some((record, data, after)) = next(rest) {
        match record {
            (2, 120) => metadata.set_caption(&decode(data)),
            (2, 25) => metadata.add_keyword(&decode(data)),
            (2, 55) => date = Some(decode(data)),
            (2, 60) => time = Some(decode(data)),
            _ => {}
        }
        rest = after;
    }
    metadata.taken_at = date.and_then(|date| moment(&date, time.as_deref()));
    metadata
}

/// Finds IPTC among the resource blocks: a signature, a number, a name, a size, the data; names and data are
/// padded to an even length.
fn resource(block: &[u8]) -> Option<&[u8]> {
    let mut rest = block.strip_prefix(b"Photoshop 3.0\0").unwrap_or(block);
    loop {
        rest = rest.strip_prefix(b"8BIM")?;
        let number = u16::from_be_bytes(*rest.first_chunk()?);
        let name = usize::from(*rest.get(2)?);
        rest = rest.get(2 + (1 + name).next_multiple_of(2)..)?;
        let size = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        rest = rest.get(4..)?;
        if number == IPTC {
            // A file that was cut may still say something.
            return Some(rest.get(..size).unwrap_or(rest));
        }
        rest = rest.get(size.checked_next_multiple_of(2)?..)?;
    }
}

type IptcRecord<'a> = ((u8, u8), &'a [u8], &'a [u8]);

/// The next record: its numbers, its data, and what comes after it.
fn next(rest: &[u8]) -> Option<IptcRecord<'_>> {
    let [0x1c, record, dataset, high, low, rest @ ..] = rest else { return None };
    let size = u16::from_be_bytes([*high, *low]);
    // Sizes beyond 32767 are written in another way, which nobody uses for words.
    let size = usize::from(size).checked_rem(0x8000).filter(|_| size < 0x8000)?;
    Some(((*record, *dataset), rest.get(..size)?, rest.get(size..)?))
}

/// A date (`20260301`) and a time (`123015+0200`).
fn moment(date: &str, time: Option<&str>) -> Option<atelier_engine::Timestamp> {
    let time = time.filter(|time| time.len() >= 6 && time.is_ascii()).unwrap_or("000000");
    let (clock, zone) = time.split_at(6);
    let zone = if zone.len() == 5 { zone } else { "+0000" };
    let text = format!("{date} {clock} {zone}");
    jiff::fmt::strtime::parse("%Y%m%d %H%M%S %z", text).ok()?.to_timestamp().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(dataset: u8, data: &[u8]) -> Vec<u8> {
        let size = u16::try_from(data.len()).unwrap().to_be_bytes();
        [&[0x1c, 2, dataset], size.as_slice(), data].concat()
    }

    fn records() -> Vec<u8> {
        [
            record(0, &[0, 4]),
            record(120, "Ein Café, außen".as_bytes()),
            record(25, b"caf\xe9"),
            record(25, b"street"),
            record(25, b"street"),
            record(55, b"20260301"),
            record(60, b"123015+0200"),
        ]
        .concat()
    }

    fn photoshop(records: &[u8]) -> Vec<u8> {
        let size = u32::try_from(records.len()).unwrap().to_be_bytes();
        let other = [b"8BIM\x04\x25\x03abc\0\0\0\x03xyz\0".as_slice(), b"8BIM\x04\x04\0\0", &size, records].concat();
        [b"Photoshop 3.0\0".as_slice(), &other].concat()
    }

    #[test]
    fn records_are_found_in_their_block() {
        for block in [records(), photoshop(&records()), photoshop(&records())[14..].to_vec()] {
            let read = read(&block);
            assert_eq!(read.caption.as_deref(), Some("Ein Café, außen"));
            assert_eq!(read.keywords, ["café", "street"]);
            assert_eq!(read.taken_at.unwrap().to_string(), "2026-03-01T10:30:15Z");
        }
    }

    #[test]
    fn a_block_cut_anywhere_harms_nothing() {
        let block = photoshop(&records());
        for end in 0..block.len() {
            let _ = read(&block[..end]);
        }
        assert_eq!(read(&block[..block.len() - 3]).keywords, ["café", "street"]);
    }
}
