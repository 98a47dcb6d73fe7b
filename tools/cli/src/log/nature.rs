//! What a file is, by its first bytes: so that a wrong file is called wrong and not damaged.

/// First bytes of an archive.
const ARCHIVE: &[u8] = b"ACTUM ARCHIVE 1\n";

/// What files of this software's, and files that lie near them, begin with.
const KNOWN: &[(&[u8], &str)] = &[
    (ARCHIVE, "an archive of a log (`actum verify` checks it)"),
    (b"c2sp.org/tlog-proof@v1\n", "a proof (`actum verify-proof` checks it)"),
    (b"actum-consistency-proof 1\n", "a proof (`actum verify-proof` checks it)"),
    (b"actum-trust 1\n", "a trust file (give it with --trust)"),
    (b"actum-genesis 1\n", "the genesis of a log (name its directory)"),
    (b"-----BEGIN ", "a key or certificate"),
    (b"ACTUMHD1", "the head file of a log (name its directory)"),
];

/// Bytes that tell.
pub(super) const TELLING_BYTES: usize = 32;

/// What a file is that begins so; `None` when it begins like nothing that is known.
pub(crate) fn what(beginning: &[u8]) -> Option<&'static str> {
    if beginning.is_empty() {
        return Some("empty");
    }
    KNOWN.iter().find(|(known, _)| beginning.starts_with(known)).map(|(_, what)| *what)
}

/// What is wrong with a file that was taken for an archive, if it does not begin as one.
pub(super) fn not_an_archive(beginning: &[u8]) -> Option<String> {
    if beginning.starts_with(ARCHIVE) {
        return None;
    }
    Some(match what(beginning) {
        Some(what) => format!("is {what}, not an archive of a log; name a data directory or an archive"),
        None => {
            "does not begin as an archive of a log does; name a data directory or an archive (if it was one, its first \
                 bytes are damaged)"
                .to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        assert_eq!(not_an_archive(b"ACTUM ARCHIVE 1\n\x01\x00"), None);
        assert!(not_an_archive(b"").unwrap().starts_with("is empty"));
        assert!(not_an_archive(b"c2sp.org/tlog-proof@v1\nextra").unwrap().contains("verify-proof"));
        assert!(not_an_archive(b"hello").unwrap().starts_with("does not begin"));
        assert!(KNOWN.iter().all(|(known, _)| known.len() <= TELLING_BYTES));
    }
}
