//! The types of plain scalars: YAML 1.2's core schema.

use std::num::ParseIntError;

use super::Data;

/// Why a plain scalar is neither a value nor text.
pub(super) enum ScalarError {
    /// An integer beyond 64 bits.
    TooLarge,
    /// `.inf`, `.nan`, or a number beyond doubles.
    NotFinite,
}

/// What an unquoted scalar means.
pub(super) fn plain(text: &str) -> Result<Data, ScalarError> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true),
        "false" | "False" | "FALSE" => Data::Bool(false),
        _ if is_not_finite(text) => return Err(ScalarError::NotFinite),
        _ => match integer(text) {
            Some(Ok(number)) => Data::Int(number),
            Some(Err(_)) => return Err(ScalarError::TooLarge),
            None if is_float(text) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Data::Double(number),
                _ => return Err(ScalarError::NotFinite),
            },
            None => Data::Text(text.to_owned()),
        },
    })
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `None` if it is not written like an integer; an error if it does not fit.
fn integer(text: &str) -> Option<Result<i64, ParseIntError>> {
    if let Some(digits) = text.strip_prefix("0x") {
        let written = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return written.then(|| i64::from_str_radix(digits, 16));
    }
    if let Some(digits) = text.strip_prefix("0o") {
        let written = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        return written.then(|| i64::from_str_radix(digits, 8));
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let written = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    written.then(|| text.parse())
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}
