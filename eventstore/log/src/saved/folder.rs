//! Where files of saved state lie in a data directory (FORMAT.md section 8).

use std::io;
use std::path::{Path, PathBuf};

const FOLDER: &str = "checkpoints";
const SUFFIX: &str = ".saved";
const DIGITS: usize = 20;

/// The folder of saved state in a data directory.
#[must_use]
pub fn saved_folder(directory: &Path) -> PathBuf {
    directory.join(FOLDER)
}

/// The file of saved state over the first `size` events.
#[must_use]
pub fn saved_path(directory: &Path, size: u64) -> PathBuf {
    saved_folder(directory).join(format!("{size:0DIGITS$}{SUFFIX}"))
}

/// Files of saved state in a data directory with the sizes that their names state, largest first; none where there is no folder.
/// Which of them to believe, the log says.
///
/// # Errors
/// The folder cannot be read.
pub fn saved_files(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match std::fs::read_dir(saved_folder(directory)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        let digits = digits.filter(|digits| digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()));
        files.extend(digits.and_then(|digits| digits.parse().ok()).map(|size| (size, entry.path())));
    }
    files.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    Ok(files)
}
