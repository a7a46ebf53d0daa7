//! Amounts as people read them.

use std::time::Duration;

use atelier_engine::{Timestamp, Usd};

/// `1 post`, `3 posts`; `2 queries`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let (stem, ending) = noun.strip_suffix("ry").map_or((noun, "s"), |_| (&noun[..noun.len() - 1], "ies"));
    if number == 1 { format!("1 {noun}") } else { format!("{} {stem}{ending}", thousands(number)) }
}

/// `$1.25`; smaller amounts with as many digits as they need.
pub(crate) fn dollars(amount: f64) -> String {
    Usd::from_dollars(amount).map_or_else(|| format!("${amount:.2}"), |usd| usd.to_string())
}

/// `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        0..120 => format!("{whole} s"),
        120..7200 if whole.is_multiple_of(60) => format!("{} min", whole / 60),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A moment in the local time zone, to the minute.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_jiff().to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// The same of a moment in RFC 3339; as it is, if it is none.
pub(crate) fn moment_of(at: &str) -> String {
    at.parse::<jiff::Timestamp>().map_or_else(|_| at.to_owned(), |at| moment(at.into()))
}

/// A moment of this day, to the second.
pub(crate) fn time_of_day(at: Timestamp) -> String {
    at.to_jiff().to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_naturally() {
        assert_eq!((count(1, "post"), count(12_345, "post")), ("1 post".into(), "12,345 posts".into()));
        let shown = [0.84, 42.0, 200.0, 120.0, 7_500.0].map(|seconds| duration(Duration::from_secs_f64(seconds)));
        assert_eq!(shown, ["0.8 s", "42 s", "3 min 20 s", "2 min", "2 h 5 min"]);
    }
}
