//! The reader of EXIF.

use exif::{Context, DateTime, Exif, Field, In, Reader, Tag, Value};

use super::fields::{Metadata, decode};

/// The fields of EXIF that are kept.
pub(super) struct ExifData {
    /// 1 to 8; 1 is upright.
    pub(super) orientation: u16,
    pub(super) metadata: Metadata,
}

impl Default for ExifData {
    fn default() -> Self {
        Self { orientation: 1, metadata: Metadata::default() }
    }
}

/// Windows' own tags: text in UTF-16, kept as bytes.
const XP_TITLE: Tag = Tag(Context::Tiff, 0x9c9b);
const XP_COMMENT: Tag = Tag(Context::Tiff, 0x9c9c);
const XP_KEYWORDS: Tag = Tag(Context::Tiff, 0x9c9e);
const XP_SUBJECT: Tag = Tag(Context::Tiff, 0x9c9f);

/// Reads a block of EXIF, as far as it can be read.
pub(super) fn read(block: &[u8]) -> Option<ExifData> {
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let mut reader = Reader::new();
    let read = reader.continue_on_error(true).read_raw(block.to_vec());
    let exif = match read {
        Ok(exif) => exif,
        Err(error) => error.distill_partial_result(|_| {}).ok()?,
    };
    let orientation = field(&exif, Tag::Orientation).and_then(|field| field.value.get_uint(0));
    let orientation = orientation.and_then(|value| u16::try_from(value).ok()).filter(|value| (1..=8).contains(value));
    let mut metadata = Metadata::default();
    let texts = [
        ascii(&exif, Tag::ImageDescription),
        wide(&exif, XP_TITLE),
        wide(&exif, XP_SUBJECT),
        wide(&exif, XP_COMMENT),
        comment(&exif),
    ];
    texts.iter().flatten().for_each(|text| metadata.set_caption(text));
    for keyword in wide(&exif, XP_KEYWORDS).unwrap_or_default().split(';') {
        metadata.add_keyword(keyword);
    }
    metadata.taken_at = taken_at(&exif);
    Some(ExifData { orientation: orientation.unwrap_or(1), metadata })
}

fn field(exif: &Exif, tag: Tag) -> Option<&Field> {
    exif.get_field(tag, In::PRIMARY)
}

fn raw(exif: &Exif, tag: Tag) -> Option<Vec<u8>> {
    match &field(exif, tag)?.value {
        Value::Ascii(parts) => Some(parts.join(&b' ')),
        Value::Byte(bytes) | Value::Undefined(bytes, _) => Some(bytes.clone()),
        _ => None,
    }
}

fn ascii(exif: &Exif, tag: Tag) -> Option<String> {
    raw(exif, tag).map(|bytes| decode(&bytes))
}

fn wide(exif: &Exif, tag: Tag) -> Option<String> {
    let bytes = raw(exif, tag)?;
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// The user's comment begins with the name of its encoding.
fn comment(exif: &Exif) -> Option<String> {
    let bytes = raw(exif, Tag::UserComment)?;
    let (encoding, text) = bytes.split_at_checked(8)?;
    match encoding {
        b"UNICODE\0" => {
            let little = exif.little_endian();
            let unit = |pair: &[u8; 2]| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
            let units = text.as_chunks::<2>().0.iter().map(unit);
            Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        b"JIS\0\0\0\0\0" => None,
        _ => Some(decode(text)),
    }
}

fn taken_at(exif: &Exif) -> Option<atelier_engine::Timestamp> {
    let dates = [
        (Tag::DateTimeOriginal, Tag::OffsetTimeOriginal),
        (Tag::DateTimeDigitized, Tag::OffsetTimeDigitized),
        (Tag::DateTime, Tag::OffsetTime),
    ];
    dates.into_iter().find_map(|(date, offset)| {
        let mut date = DateTime::from_ascii(&raw(exif, date)?).ok()?;
        if let Some(offset) = raw(exif, offset) {
            let _ = date.parse_offset(&offset);
        }
        let [month, day, hour, minute, second] =
            [date.month, date.day, date.hour, date.minute, date.second].map(|part| i8::try_from(part).ok());
        let moment = jiff::civil::DateTime::new(
            i16::try_from(date.year).ok()?,
            month?,
            day?,
            hour?,
            minute?,
            // A leap second is the second before it.
            second?.min(59),
            0,
        );
        let seconds_east = i32::from(date.offset.unwrap_or(0)) * 60;
        let zone = jiff::tz::Offset::from_seconds(seconds_east).ok()?;
        Some(zone.to_timestamp(moment.ok()?).ok()?.into())
    })
}

#[cfg(test)]
mod tests {
    use exif::experimental::Writer;

    use super::*;

    fn block(fields: &[(Tag, Value)]) -> Vec<u8> {
        let fields: Vec<Field> =
            fields.iter().map(|(tag, value)| Field { tag: *tag, ifd_num: In::PRIMARY, value: value.clone() }).collect();
        let mut writer = Writer::new();
        fields.iter().for_each(|field| writer.push_field(field));
        let mut block = std::io::Cursor::new(Vec::new());
        writer.write(&mut block, true).unwrap();
        block.into_inner()
    }

    fn ascii(text: &str) -> Value {
        Value::Ascii(vec![text.as_bytes().to_vec()])
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_camera_says_when_and_how_it_was_held() {
        let block = block(&[
            (Tag::Orientation, Value::Short(vec![6])),
            (Tag::ImageDescription, ascii("A red  bicycle\n")),
            (Tag::DateTimeOriginal, ascii("2026:03:01 12:30:15")),
            (Tag::OffsetTimeOriginal, ascii("+02:00")),
        ]);
        for block in [block.clone(), [b"Exif\0\0".as_slice(), &block].concat()] {
            let read = read(&block).unwrap();
            assert_eq!(read.orientation, 6);
            assert_eq!(read.metadata.caption.as_deref(), Some("A red bicycle"));
            assert_eq!(read.metadata.taken_at.unwrap().to_string(), "2026-03-01T10:30:15Z");
        }
    }

    #[test]
    fn windows_and_users_write_in_utf_16() {
        let comment = [b"UNICODE\0".to_vec(), utf16("ignored: the title comes first")].concat();
        let block = block(&[
            (XP_TITLE, Value::Byte(utf16("Über den Dächern\0"))),
            (XP_KEYWORDS, Value::Byte(utf16("Dach; Stadt;;Dach"))),
            (Tag::UserComment, Value::Undefined(comment, 0)),
        ]);
        let read = read(&block).unwrap().metadata;
        assert_eq!(read.caption.as_deref(), Some("Über den Dächern"));
        assert_eq!(read.keywords, ["Dach", "Stadt"]);
        assert_eq!(read.taken_at, None);
    }

    #[test]
    fn what_is_out_of_range_says_nothing() {
        let block = block(&[
            (Tag::Orientation, Value::Short(vec![9])),
            (Tag::DateTimeOriginal, ascii("2026:13:41 25:61:61")),
            (Tag::DateTime, ascii("2026:01:02 03:04:05")),
            (Tag::ImageDescription, ascii("SONY DSC")),
        ]);
        let read = read(&block).unwrap();
        assert_eq!(read.orientation, 1);
        assert_eq!(read.metadata.taken_at.unwrap().to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(read.metadata.caption, None);
    }

    #[test]
    fn a_block_cut_anywhere_harms_nothing() {
        let block = block(&[(Tag::Orientation, Value::Short(vec![3])), (Tag::ImageDescription, ascii("A long text"))]);
        for end in 0..block.len() {
            let _ = read(&block[..end]);
        }
    }
}
