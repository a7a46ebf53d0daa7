//! How quickly items are answered, for runs that no limit holds up.

use std::time::Duration;

use crate::pools::Lately;
use crate::time::Timestamp;

/// Answers of late are those of about so many seconds.
const LATELY: f64 = 20.0;
/// Fewer answers, or a shorter time, say nothing of a rate.
const LEAST_ANSWERS: f64 = 8.0;
const LEAST_TIME: Duration = Duration::from_millis(500);

/// Items answered of late: what is older counts ever less.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// When the first was answered.
    since: Option<Timestamp>,
    lately: Lately,
    answered: f64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { since: None, lately: Lately::over(LATELY), answered: 0.0 }
    }

    pub(super) fn add(&mut self, items: f64, now: Timestamp) {
        if self.since.is_none() {
            // What came with the first answer was made before, nobody knows how quickly.
            self.since = Some(now);
            return;
        }
        self.lately.add(items, now);
        self.answered += items;
    }

    /// How long so many items take if they go on like this; `None` if that can't be said yet.
    pub(super) fn takes(&self, items: u64, now: Timestamp) -> Option<Duration> {
        let elapsed = now.since(self.since?);
        if self.answered < LEAST_ANSWERS || elapsed < LEAST_TIME {
            return None;
        }
        // As many seconds as the count speaks of: all since the start, at first.
        let seconds = LATELY * (1.0 - (-elapsed.as_secs_f64() / LATELY).exp());
        let rate = self.lately.count(now) / seconds;
        Duration::try_from_secs_f64(items as f64 / rate).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_pace_is_found_and_a_change_is_followed() {
        let start = Timestamp::from_micros(0);
        let at = |tenths: u64| start.after(Duration::from_millis(tenths * 100));
        let mut pace = Pace::new();
        (0..=50).for_each(|tenth| pace.add(3.0, at(tenth)));
        let takes = |pace: &Pace, tenth| pace.takes(300, at(tenth)).unwrap().as_secs_f64();
        assert!((takes(&pace, 50) - 10.0).abs() < 0.5, "{}", takes(&pace, 50));
        (51..=1_000).for_each(|tenth| pace.add(1.0, at(tenth)));
        assert!((takes(&pace, 1_000) - 30.0).abs() < 1.5, "{}", takes(&pace, 1_000));
    }

    #[test]
    fn a_few_answers_are_no_pace() {
        let start = Timestamp::from_micros(0);
        let mut pace = Pace::new();
        pace.add(100.0, start);
        assert_eq!(pace.takes(10, start.after(Duration::from_secs(1))), None);
    }
}
