//! Attempts to sign in, limited by account and by where they come from: neither one person's password can be guessed from
//! many places, nor many people's from one.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use atelier_app::{AppError, code};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::http::Problem;

/// Attempts for one account: five, and then one in twenty seconds.
const OF_ACCOUNT: (u32, Duration) = (5, Duration::from_secs(20));
/// Attempts from one place: twenty, and then one in three seconds.
const OF_PLACE: (u32, Duration) = (20, Duration::from_secs(3));
/// Of places and accounts beyond so many, those that were not seen for long are forgotten.
const MOST: usize = 10_000;

/// How often somebody has tried of late.
pub(crate) struct Attempts {
    accounts: DefaultKeyedRateLimiter<String>,
    places: DefaultKeyedRateLimiter<String>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { accounts: limiter(OF_ACCOUNT), places: limiter(OF_PLACE) }
    }
}

impl Attempts {
    /// Counts an attempt at an account; an error if there were too many, at it or from there.
    pub(crate) fn count(&self, account: &str, address: Option<&str>) -> Result<(), Problem> {
        self.count_place(address)?;
        check(&self.accounts, &account.trim().to_lowercase())
    }

    /// Counts an attempt at nobody's account in particular, such as a link.
    pub(crate) fn count_place(&self, address: Option<&str>) -> Result<(), Problem> {
        check(&self.places, &address.map_or_else(|| "nowhere".to_owned(), prefix))
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<String>, key: &String) -> Result<(), Problem> {
    if limiter.len() > MOST {
        limiter.retain_recent();
    }
    let Err(until) = limiter.check_key(key) else { return Ok(()) };
    let seconds = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    let error = AppError::new(code!("too-many-attempts"), "there were too many attempts to sign in")
        .hint(format!("wait for {seconds} s"));
    Err(Problem { retry_after: Some(seconds), ..Problem::from(error) })
}

fn limiter((burst, every): (u32, Duration)) -> DefaultKeyedRateLimiter<String> {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    // The time is not zero, so there is such a quota.
    let quota = Quota::with_period(every).unwrap_or_else(|| Quota::per_second(burst)).allow_burst(burst);
    DefaultKeyedRateLimiter::keyed(quota)
}

/// A home has one IPv4 address and 2^64 of IPv6.
fn prefix(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => ip.segments().iter().take(4).map(|part| format!("{part:x}")).collect::<Vec<_>>().join(":"),
        },
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_attempt_at_one_account_has_to_wait_wherever_it_comes_from() {
        let attempts = Attempts::default();
        for place in 0..5 {
            assert!(attempts.count("Ana", Some(&format!("10.0.0.{place}"))).is_ok());
        }
        let refused = attempts.count("ana ", Some("10.0.1.1")).unwrap_err();
        assert_eq!(refused.error.code(), "too-many-attempts");
        assert!(refused.retry_after.is_some_and(|seconds| (1..=21).contains(&seconds)));
        assert!(attempts.count("ben", Some("10.0.1.1")).is_ok());
    }

    #[test]
    fn one_home_is_one_place() {
        assert_eq!(prefix("2001:db8:1:2:3:4:5:6"), prefix("2001:db8:1:2:ffff::1"));
        assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
        assert_eq!(prefix("::ffff:10.0.0.1"), prefix("10.0.0.1"));
    }
}
