//! Trust files (FORMAT.md section 11).

use crate::genesis::{hex, is_origin};
use crate::limits::TRUST_FILE_BYTES_MAX;
use crate::trust::{Pin, Trust};
use crate::witness::Witness;

/// Why a text is not a trust file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the trust file: {rule}")]
#[non_exhaustive]
pub struct TrustFileError {
    /// Line, from 1.
    pub line: usize,
    /// The rule that it breaks.
    pub rule: &'static str,
}

pub(crate) fn parse_trust_file(text: &[u8]) -> Result<Trust, TrustFileError> {
    let whole = |rule| TrustFileError { line: 1, rule };
    if text.len() > TRUST_FILE_BYTES_MAX {
        return Err(whole("a trust file has at most 64 KiB"));
    }
    let text = std::str::from_utf8(text).map_err(|_| whole("a trust file is UTF-8"))?;
    let count = text.split('\n').count();
    let unended = TrustFileError { line: count, rule: "each line ends with a newline" };
    let lines: Vec<&str> = text.strip_suffix('\n').ok_or(unended)?.split('\n').collect();
    let field = |at: usize, name: &str| lines.get(at)?.strip_prefix(name)?.strip_prefix(' ');
    let error = |line: usize, rule| TrustFileError { line: line + 1, rule };
    if lines.first() != Some(&"actum-trust 1") {
        return Err(error(0, "a trust file begins with `actum-trust 1`"));
    }
    let origin = field(1, "origin").filter(|origin| is_origin(origin)).ok_or(error(1, "`origin` and an origin"))?;
    let key = field(2, "key").and_then(hex).ok_or(error(2, "`key` and 64 lower-case hex digits"))?;
    let mut trust = Trust { pin: Some(Pin { origin: Some(origin.to_owned()), key }), ..Trust::default() };
    for at in 3..lines.len() {
        if let Some(key) = field(at, "revoked").filter(|_| trust.witnesses.is_empty()) {
            let key = hex(key).ok_or(error(at, "`revoked` takes 64 lower-case hex digits"))?;
            trust.revoked.push(key);
        } else if let Some(key) = field(at, "witness") {
            let witness = Witness::parse(key).map_err(|_| error(at, "`witness` takes a witness's verifier key"))?;
            trust.witnesses.push(witness);
        } else {
            return Err(error(at, "after `key` come lines `revoked`, then lines `witness`, and nothing else"));
        }
    }
    Ok(trust)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::witness::note_key_id;

    fn file() -> String {
        let key = SigningKey::from_bytes(&[3; 32]).verifying_key().to_bytes();
        let id = u32::from_be_bytes(note_key_id("witness.example", 4, &key));
        let material = STANDARD.encode([&[4][..], &key].concat());
        format!(
            "actum-trust 1\norigin example.org/log\nkey {}\nrevoked {}\nrevoked {}\nwitness witness.example+{id:08x}+{material}\n",
            "11".repeat(32),
            "22".repeat(32),
            "33".repeat(32)
        )
    }

    #[test]
    fn reads_a_trust_file() {
        let trust = parse_trust_file(file().as_bytes()).unwrap();
        assert_eq!(trust.pin, Some(Pin { origin: Some("example.org/log".to_owned()), key: [0x11; 32] }));
        assert_eq!(trust.revoked, [[0x22; 32], [0x33; 32]]);
        assert_eq!(
            trust.witnesses.iter().map(|witness| witness.name.as_str()).collect::<Vec<_>>(),
            ["witness.example"]
        );
    }

    #[test]
    fn refuses_any_other_spelling() {
        let text = file();
        let lines: Vec<&str> = text.lines().collect();
        let joined = |lines: &[&str]| lines.join("\n") + "\n";
        for missing in 0..3 {
            let mut some = lines.clone();
            some.remove(missing);
            assert_eq!(parse_trust_file(joined(&some).as_bytes()).unwrap_err().line, missing + 1);
        }
        assert!(parse_trust_file(joined(&lines[..3]).as_bytes()).is_ok(), "revoked keys and witnesses may be missing");
        let mut swapped = lines.clone();
        swapped.swap(4, 5);
        assert_eq!(parse_trust_file(joined(&swapped).as_bytes()).unwrap_err().line, 6, "witnesses come last");
        for (from, to) in [
            ("trust 1", "trust 2"),
            ("\norigin", "\n\norigin"),
            ("log\n", "log \n"),
            ("log\n", "log\r\n"),
            ("2222", "2g22"),
            ("revoked 3", "revoked  3"),
            ("+BO", "+AO"),
            ("witness.example+", "witness.exampl+"),
            ("key ", "keys "),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert!(parse_trust_file(changed.as_bytes()).is_err(), "{changed}");
        }
        for changed in [text.trim_end(), &format!("{text}\n"), &format!("{text}more\n"), ""] {
            assert!(parse_trust_file(changed.as_bytes()).is_err(), "{changed}");
        }
        assert!(parse_trust_file(&[0xff]).is_err());
        assert!(parse_trust_file(&vec![b'x'; TRUST_FILE_BYTES_MAX + 1]).is_err());
    }
}
