//! How sizes, durations and dates read, in what `runner` and `peerd` print for people.

use std::time::Duration;

use chrono::{DateTime, Utc};
pub use flotilla_messages::amount::bytes;

/// `0.42 s`, `12.3 s`, `3 min 20 s`.
pub fn seconds(duration: Duration) -> String {
    let secs = duration.as_secs_f64();
    match secs {
        secs if secs < 9.995 => format!("{secs:.2} s"),
        secs if secs < 59.95 => format!("{secs:.1} s"),
        _ => format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

/// Seconds in two units at most, for what is long ago: `59 s`, `1 h 1 min`, `1 d 1 h`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// `MM:SS`, as in V8's status lines.
pub fn clock(duration: Duration) -> String {
    format!("{:02}:{:02}", duration.as_secs() / 60, duration.as_secs() % 60)
}

/// `MM:SS:mmm`, as in V8's list of the slowest tests.
pub fn clock_millis(seconds: f64) -> String {
    let millis = (seconds * 1000.0) as u64;
    format!("{}:{:03}", clock(Duration::from_millis(millis)), millis % 1000)
}

/// `2026-11-30 18:07:00`, in UTC.
pub fn time(at: impl Into<DateTime<Utc>>) -> String {
    at.into().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-30 18:07 UTC`, of seconds since 1970; the number itself where no calendar reaches.
pub fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    time.map_or_else(|| seconds.to_string(), |time| time.format("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn sizes_and_durations_read_well() {
        assert_eq!([980, 12_345, 4_000_000].map(bytes), ["980 bytes", "12.3 kB", "4.0 MB"]);
        let durations = [5, 12_340, 200_000].map(|millis| seconds(Duration::from_millis(millis)));
        assert_eq!(durations, ["0.01 s", "12.3 s", "3 min 20 s"]);
        assert_eq!([59, 60, 3_661, 90_000].map(span), ["59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
    }

    #[test]
    fn clocks_are_v8s() {
        assert_eq!(clock(Duration::from_secs(6125)), "102:05");
        assert_eq!(clock_millis(61.25), "01:01:250");
    }

    #[test]
    fn dates_are_those_of_utc() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(time(at), "2023-11-14 22:13:20");
        assert_eq!(date(1_700_000_000), "2023-11-14 22:13 UTC");
        assert_eq!(date(u64::MAX), u64::MAX.to_string());
    }
}
