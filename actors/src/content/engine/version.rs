//! How versions of symbols compare.

/// A version's family and its numbers: `GLIBC_2.38` is (`GLIBC`, [2, 38]). Nothing for one that is no number, such as
/// `GLIBC_ABI_DT_RELR`, which can only be the same or another.
pub(super) fn numbered(name: &str) -> Option<(&str, Vec<u32>)> {
    let (family, numbers) = name.rsplit_once('_')?;
    let numbers: Vec<u32> = numbers.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    Some((family, numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        let numbers = |name| numbered(name).map(|(_, numbers)| numbers);
        assert!(
            numbers("GLIBC_2.4") < numbers("GLIBC_2.38") && numbers("GLIBC_2.2.5") < numbers("GLIBC_2.3")
        );
        assert_eq!(numbered("GLIBCXX_3.4.30").map(|(family, _)| family), Some("GLIBCXX"));
        for none in ["GLIBC_ABI_DT_RELR", "GLIBC_PRIVATE", "GLIBC", "", "A_", "A_1.", "A_-1"] {
            assert_eq!(numbered(none), None, "{none}");
        }
    }
}
