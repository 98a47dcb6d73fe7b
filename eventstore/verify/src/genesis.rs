//! The genesis text (FORMAT.md section 5).

use crate::limits::{GENESIS_BYTES_MAX, ORIGIN_BYTES_MAX, PARTITIONS_MAX};

/// Which clock the events' times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Real time.
    Real,
    /// Simulated time: the events did not happen when they say.
    Simulated,
}

/// What the genesis of a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Genesis {
    /// Random id of the log.
    pub log_id: [u8; 16],
    /// Who runs the log; first part of its key names.
    pub origin: String,
    /// Nanoseconds since 1970-01-01 UTC.
    pub created: u64,
    /// Clock of the events.
    pub clock: Clock,
    /// Number of partitions.
    pub partitions: u16,
    /// Ed25519 public key of the first signer.
    pub key: [u8; 32],
    /// SHA-256 of the next signer's public key.
    pub next: Option<[u8; 32]>,
}

/// Reads a genesis text; the error says which rule it breaks.
pub(crate) fn parse_genesis(text: &[u8]) -> Result<Genesis, &'static str> {
    if text.len() > GENESIS_BYTES_MAX {
        return Err("a genesis has at most 64 KiB");
    }
    let text = std::str::from_utf8(text).map_err(|_| "a genesis is UTF-8")?;
    let mut lines = text.strip_suffix('\n').ok_or("each line of a genesis ends with a newline")?.split('\n');
    if lines.next() != Some("actum-genesis 1") {
        return Err("a genesis begins with `actum-genesis 1`");
    }
    let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    let genesis = Genesis {
        log_id: field("log").and_then(hex).ok_or("`log` takes 32 lower-case hex digits")?,
        origin: field("origin").filter(|origin| is_origin(origin)).ok_or("`origin` is not an origin")?.to_owned(),
        created: field("created").and_then(decimal).ok_or("`created` takes nanoseconds in decimal")?,
        clock: match field("clock") {
            Some("real") => Clock::Real,
            Some("simulated") => Clock::Simulated,
            _ => return Err("`clock` takes real or simulated"),
        },
        partitions: field("partitions")
            .and_then(decimal)
            .and_then(|count| u16::try_from(count).ok())
            .filter(|count| (1..=PARTITIONS_MAX).contains(count))
            .ok_or("`partitions` takes 1 to 1,024")?,
        key: field("key").and_then(hex).ok_or("`key` takes 64 lower-case hex digits")?,
        next: match field("next") {
            Some("none") => None,
            Some(digest) => Some(hex(digest).ok_or("`next` takes none or 64 lower-case hex digits")?),
            None => return Err("`next` is missing"),
        },
    };
    if lines.next().is_some() {
        return Err("nothing follows `next`");
    }
    Ok(genesis)
}

pub(crate) fn is_origin(origin: &str) -> bool {
    (1..=ORIGIN_BYTES_MAX).contains(&origin.len()) && origin.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+')
}

/// A decimal without sign or leading zeros.
pub(crate) fn decimal(digits: &str) -> Option<u64> {
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if canonical { digits.parse().ok() } else { None }
}

pub(crate) fn hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "actum-genesis 1\nlog 000102030405060708090a0b0c0d0e0f\norigin example.org/log\ncreated 12\n\
        clock real\npartitions 2\nkey 1111111111111111111111111111111111111111111111111111111111111111\nnext none\n";

    #[test]
    fn reads_a_genesis() {
        let genesis = parse_genesis(TEXT.as_bytes()).unwrap();
        assert_eq!(genesis.origin, "example.org/log");
        assert_eq!((genesis.created, genesis.partitions, genesis.clock), (12, 2, Clock::Real));
        assert_eq!((genesis.key, genesis.next, genesis.log_id[15]), ([0x11; 32], None, 15));
    }

    #[test]
    fn refuses_any_other_spelling() {
        for (from, to) in [
            ("genesis 1\n", "genesis 2\n"),
            ("0a0b", "0A0B"),
            ("0e0f\n", "0e0f \n"),
            ("created 12", "created 012"),
            ("created 12", "created +12"),
            ("real", "Real"),
            ("partitions 2", "partitions 0"),
            ("partitions 2", "partitions 1025"),
            ("origin example.org/log", "origin example.org/a b"),
            ("origin example.org/log", "origin a+b"),
            ("origin example.org/log", "origin "),
            ("next none\n", "next none"),
            ("next none\n", "next none\n\n"),
            ("next none\n", "next none\nmore\n"),
            ("next none\n", "next 11\n"),
            ("\nclock real", ""),
            ("clock real\n", "clock real\r\n"),
        ] {
            let changed = TEXT.replace(from, to);
            assert_ne!(changed, TEXT);
            assert!(parse_genesis(changed.as_bytes()).is_err(), "{changed}");
        }
        assert!(parse_genesis(b"").is_err());
        assert!(parse_genesis(&[0xff; 9]).is_err());
    }
}
