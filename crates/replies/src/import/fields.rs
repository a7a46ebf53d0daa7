//! From a row's cells to a post: which name means what, and what counts as a value.

use atelier_engine::Timestamp;
use atelier_store::Post;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A column with the names that it goes by: ours first, then those of the older tool.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) others: &'static [&'static str],
}

const fn column(name: &'static str, others: &'static [&'static str]) -> Column {
    Column { name, others }
}

pub(super) const ID: Column = column("id", &["tweet_id"]);
pub(super) const TEXT: Column = column("text", &["caption"]);
pub(super) const AUTHOR: Column = column("author", &["author_handle"]);
pub(super) const FOLLOWERS: Column = column("followers", &["author_followers"]);
pub(super) const POSTED_AT: Column = column("posted_at", &["tweeted_at"]);
pub(super) const LIKES: Column = column("likes", &[]);
pub(super) const REPLIES: Column = column("replies", &["comments"]);
pub(super) const REPOSTS: Column = column("reposts", &["shares", "retweets"]);
pub(super) const VIEWS: Column = column("views", &[]);
pub(super) const LANG: Column = column("lang", &[]);
pub(super) const URL: Column = column("url", &[]);

/// The columns that no post can do without.
pub(super) const REQUIRED: [Column; 4] = [ID, TEXT, AUTHOR, POSTED_AT];

impl Column {
    /// All names, ours first.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.others.iter().copied())
    }
}

/// A cell's value. Numbers keep the digits that they were written with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Absent, empty or null.
    Nothing,
    Text(String),
    /// A number as it was written.
    Number(String),
    /// Anything else: what it is, for a message.
    Other(&'static str),
}

/// X's ids have 19 digits; other sources may have longer ones, but none like this.
const MAX_ID: usize = 128;
/// Over any post: 10,000 characters are legal, and X allows 25,000.
const MAX_TEXT: usize = 100_000;
/// Nothing is liked more often than this, and it can be added up without overflow.
const MAX_COUNT: u64 = 1_000_000_000_000;

/// Makes a post of a row. `cell` looks up a cell by one of its names.
pub(super) fn post(project: &str, cell: &dyn Fn(&str) -> Cell) -> Result<Post, String> {
    let value =
        |column: &Column| column.names().map(|name| (name, cell(name))).find(|(_, cell)| *cell != Cell::Nothing);
    let id = id(value(&ID))?;
    let count = |column: &Column| value(column).map_or(Ok(0), |(name, cell)| count(name, &cell));
    Ok(Post {
        project: project.to_owned(),
        text: text(value(&TEXT))?,
        author: author(value(&AUTHOR))?,
        followers: count(&FOLLOWERS)?,
        posted_at: posted_at(value(&POSTED_AT))?,
        likes: count(&LIKES)?,
        replies: count(&REPLIES)?,
        reposts: count(&REPOSTS)?,
        views: count(&VIEWS)?,
        lang: lang(value(&LANG))?,
        url: url(value(&URL), &id)?,
        id,
    })
}

/// A column's cell with the name it was found under; none if the row has no value there.
type NamedCell = Option<(&'static str, Cell)>;

/// A text cell, trimmed; an error where it is missing or no text.
fn required(cell: NamedCell, column: &Column) -> Result<(&'static str, String), String> {
    let (name, text) = optional(cell)?.ok_or_else(|| format!("{}: it is missing", column.name))?;
    if text.is_empty() { Err(format!("{name}: it is empty")) } else { Ok((name, text)) }
}

fn optional(cell: NamedCell) -> Result<Option<(&'static str, String)>, String> {
    match cell {
        None | Some((_, Cell::Nothing)) => Ok(None),
        Some((name, Cell::Text(text))) => Ok(Some((name, text.trim().to_owned()))),
        Some((name, Cell::Number(number))) => Err(format!("{name}: the number {number} is not text")),
        Some((name, Cell::Other(what))) => Err(format!("{name}: {what} is not text")),
    }
}

fn id(cell: NamedCell) -> Result<String, String> {
    let (name, id) = match cell {
        Some((name, Cell::Number(number))) if number.bytes().all(|b| b.is_ascii_digit()) => (name, number),
        Some((name, Cell::Number(number))) => return Err(mangled(name, &number)),
        other => required(other, &ID)?,
    };
    // A spreadsheet writes its own language's comma.
    let number_with_fraction = id.contains(['.', ',', 'e', 'E']) && id.replace(',', ".").parse::<f64>().is_ok();
    if number_with_fraction {
        return Err(mangled(name, &id));
    }
    if id.len() > MAX_ID || id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("{name}: an id has at most {MAX_ID} characters and no spaces"));
    }
    Ok(id)
}

fn mangled(name: &str, id: &str) -> String {
    format!("{name}: '{id}' was rounded by a spreadsheet or a float; write ids as text")
}

fn text(cell: NamedCell) -> Result<String, String> {
    // As it was written, white space included: it is shown to people.
    let raw = match &cell {
        Some((_, Cell::Text(text))) => text.clone(),
        _ => String::new(),
    };
    let (name, _) = required(cell, &TEXT)?;
    if raw.chars().count() > MAX_TEXT {
        return Err(format!("{name}: it is longer than {MAX_TEXT} characters"));
    }
    Ok(raw)
}

fn author(cell: NamedCell) -> Result<String, String> {
    let (name, author) = required(cell, &AUTHOR)?;
    let author = author.trim_start_matches('@');
    if author.is_empty() || author.len() > MAX_ID || author.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("{name}: a handle has no spaces and at most {MAX_ID} characters"));
    }
    Ok(author.to_owned())
}

fn count(name: &str, cell: &Cell) -> Result<u64, String> {
    let written = match cell {
        Cell::Nothing => return Ok(0),
        Cell::Text(text) => text.trim(),
        Cell::Number(number) => number,
        Cell::Other(what) => return Err(format!("{name}: {what} is not a count")),
    };
    if written.is_empty() {
        return Ok(0);
    }
    // Data frames write whole numbers as floats where a column has gaps.
    let whole = written.strip_suffix(".0").unwrap_or(written);
    if !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()) {
        return whole
            .parse()
            .ok()
            .filter(|count| *count <= MAX_COUNT)
            .ok_or_else(|| format!("{name}: {written} is more than anything is counted"));
    }
    Err(format!("{name}: '{}' is not a whole number of 0 or more", shortened(written)))
}

/// RFC 3339, also with a space for the T; what X's older API and its archives write; what spreadsheets make of a time. Without
/// a zone it is UTC, as the older tool wrote it.
fn posted_at(cell: NamedCell) -> Result<Timestamp, String> {
    let (name, written) = match cell {
        Some((name, Cell::Number(number))) => (name, number),
        other => required(other, &POSTED_AT)?,
    };
    if let Ok(timestamp) = written.parse::<jiff::Timestamp>() {
        return Ok(timestamp.into());
    }
    if let Ok(timestamp) = jiff::fmt::strtime::parse(OF_X, &written).and_then(|time| time.to_timestamp()) {
        return Ok(timestamp.into());
    }
    let has_time = written.contains(':');
    let civil = written.parse::<DateTime>().ok().filter(|_| has_time).or_else(|| of_spreadsheet(&written));
    if let Some(timestamp) = civil.and_then(|civil| Offset::UTC.to_timestamp(civil).ok()) {
        return Ok(timestamp.into());
    }
    let shown = shortened(&written);
    if SLASHED.iter().flatten().any(|format| DateTime::strptime(format, &written).is_ok()) {
        return Err(format!("{name}: '{shown}' may be either of two days; write it as 2026-11-20T09:30:00Z"));
    }
    Err(format!("{name}: '{shown}' is not a time such as 2026-11-20T09:30:00Z"))
}

/// `Fri Nov 20 10:00:00 +0000 2026`, as X wrote times before its API v2, and still writes them in archives.
const OF_X: &str = "%a %b %d %H:%M:%S %z %Y";
/// Times as spreadsheets show them, where day and month can't be taken for each other.
const PLAIN: [&str; 4] = ["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M"];
/// The month first, and the day first.
const SLASHED: [[&str; 3]; 2] = [
    ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p"],
    ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %I:%M %p"],
];
/// A spreadsheet's day 1 is 1900-01-01, and it takes 1900 for a leap year: this is its day of 1970-01-01.
const EPOCH: f64 = 25_569.0;
/// Numbers of days that are times of posts: from 1990 to 2100. Others are something else.
const DAYS: std::ops::Range<f64> = 32_874.0..73_051.0;

/// A time as a spreadsheet writes it; none where it may be either of two days.
fn of_spreadsheet(written: &str) -> Option<DateTime> {
    if let Ok(days) = written.replace(',', ".").parse::<f64>() {
        let seconds = ((days - EPOCH) * 86_400.0).round();
        let timestamp = jiff::Timestamp::from_second(seconds as i64).ok().filter(|_| DAYS.contains(&days))?;
        return Some(Offset::UTC.to_datetime(timestamp));
    }
    if let Some(time) = PLAIN.iter().find_map(|format| DateTime::strptime(format, written).ok()) {
        return Some(time);
    }
    let read = |formats: &[&str; 3]| formats.iter().find_map(|format| DateTime::strptime(format, written).ok());
    match SLASHED.each_ref().map(read) {
        [Some(month_first), Some(day_first)] if month_first == day_first => Some(month_first),
        [Some(time), None] | [None, Some(time)] => Some(time),
        _ => None,
    }
}

fn lang(cell: NamedCell) -> Result<Option<String>, String> {
    let Some((name, lang)) = optional(cell)? else { return Ok(None) };
    let lang = lang.to_ascii_lowercase();
    let known = lang.len() <= 35 && lang.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !known {
        return Err(format!("{name}: '{}' is not a language such as en", shortened(&lang)));
    }
    Ok(Some(lang).filter(|lang| !lang.is_empty() && lang != "und"))
}

fn url(cell: NamedCell, id: &str) -> Result<String, String> {
    match optional(cell)? {
        None => Ok(format!("https://x.com/i/status/{id}")),
        Some((_, url)) if url.is_empty() => Ok(format!("https://x.com/i/status/{id}")),
        Some((name, url)) => {
            // The link is shown to be clicked: nothing but the web may stand there.
            let lower = url.to_ascii_lowercase();
            let web = lower.starts_with("https://") || lower.starts_with("http://");
            if web && url.len() <= 2_048 && !url.chars().any(|c| c.is_whitespace() || c.is_control()) {
                Ok(url)
            } else {
                Err(format!("{name}: '{}' is not a web address", shortened(&url)))
            }
        }
    }
}

/// So much of a value as a message can hold, on one line.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
