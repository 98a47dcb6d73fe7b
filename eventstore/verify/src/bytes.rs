//! Fields of fixed-size headers. Offsets are constants of the format, so that indexing cannot fail.

/// The bytes from `at` on, as an array.
#[inline]
pub(crate) fn array<const N: usize, const M: usize>(from: &[u8; M], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&from[at..at + N]);
    out
}

#[inline]
pub(crate) fn u16_at<const M: usize>(from: &[u8; M], at: usize) -> u16 {
    u16::from_le_bytes(array(from, at))
}

#[inline]
pub(crate) fn u32_at<const M: usize>(from: &[u8; M], at: usize) -> u32 {
    u32::from_le_bytes(array(from, at))
}

#[inline]
pub(crate) fn u64_at<const M: usize>(from: &[u8; M], at: usize) -> u64 {
    u64::from_le_bytes(array(from, at))
}
