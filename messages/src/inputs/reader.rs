//! Reads fixed layouts from bytes, never past their end.

/// The unread bytes.
pub(super) struct Reader<'a>(&'a [u8]);

/// The bytes end within a field.
#[derive(Debug)]
pub(super) struct Ended;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Number of unread bytes.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Ended> {
        let (taken, left) = self.0.split_at_checked(count).ok_or(Ended)?;
        self.0 = left;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Ended> {
        let (taken, left) = self.0.split_first_chunk::<N>().ok_or(Ended)?;
        self.0 = left;
        Ok(*taken)
    }

    /// A big-endian number.
    pub(super) fn u8(&mut self) -> Result<u8, Ended> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A big-endian number.
    pub(super) fn u16(&mut self) -> Result<u16, Ended> {
        self.array().map(u16::from_be_bytes)
    }

    /// A big-endian number.
    pub(super) fn u32(&mut self) -> Result<u32, Ended> {
        self.array().map(u32::from_be_bytes)
    }

    /// A big-endian number.
    pub(super) fn u64(&mut self) -> Result<u64, Ended> {
        self.array().map(u64::from_be_bytes)
    }
}
