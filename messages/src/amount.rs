//! How amounts read, for people.

/// `980 bytes`, `12.3 kB`, `4.0 MB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..1000 => format!("{count} bytes"),
        1000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!([980, 12_345, 4_000_000].map(bytes), ["980 bytes", "12.3 kB", "4.0 MB"]);
    }
}
