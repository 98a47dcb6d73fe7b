//! Reads numbers, hex and base64 of which each value has exactly one spelling, so that a text cannot change and keep its meaning.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A decimal without sign and without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Lower-case hex of exactly `N` bytes.
pub(crate) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Lower-case hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Standard base64, padded, without stray bits: what base64's `STANDARD` engine insists on.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Standard base64 of exactly 32 bytes.
pub(crate) fn base64_hash(text: &str) -> Option<[u8; 32]> {
    base64(text)?.try_into().ok()
}

/// Standard base64.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_each_value() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "18446744073709551616", "٣"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
        assert_eq!(hex::<2>("00ff"), Some([0, 255]));
        for text in ["00FF", "0ff", "00ff0", "00fg"] {
            assert_eq!(hex::<2>(text), None, "{text:?}");
        }
        assert_eq!(base64("AA=="), Some(vec![0]));
        for text in ["AA", "AB==", "AA= =", "AA==\n", "AA==="] {
            assert_eq!(base64(text), None, "{text:?}");
        }
    }
}
