//! How busy the system is.

/// The load average over a minute, in hundredths.
pub fn average() -> Option<u32> {
    parse(&std::fs::read_to_string("/proc/loadavg").ok()?)
}

fn parse(text: &str) -> Option<u32> {
    let average: f32 = text.split_ascii_whitespace().next()?.parse().ok()?;
    // A cast of a float keeps within the limits of the integer.
    Some((average * 100.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_average_of_a_minute() {
        assert_eq!(parse("0.52 0.58 0.59 1/467 12345\n"), Some(52));
        assert_eq!(parse(""), None);
        assert_eq!(parse("x"), None);
    }
}
