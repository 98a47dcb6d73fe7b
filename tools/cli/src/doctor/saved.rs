//! Files of saved state: whether each is what it says. Which of them the log names, opening finds out; none of them is evidence.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use actum_log::{Genesis, SavedError, SavedFile, saved_files};

use super::Finding;
use crate::failure::chain;
use crate::number::grouped;

/// Reads every file through.
pub(super) fn look(data: &Path, findings: &mut Vec<Finding>) {
    let files = match saved_files(data) {
        Ok(files) => files,
        Err(error) => {
            let what = format!("the folder of saved state cannot be read: {error}");
            findings.push(Finding::warning("saved/unreadable", what, "see to its permissions"));
            return;
        }
    };
    let genesis = std::fs::read(data.join("genesis")).ok().and_then(|text| Genesis::parse(&text).ok());
    for (size, path) in files {
        let name = path.display();
        match check(&path, size, genesis.as_ref()) {
            Ok(bytes) => {
                let what = format!("{name} holds the state after {} events, {} bytes", grouped(size), grouped(bytes));
                findings.push(Finding::note("saved/whole", what, ""));
            }
            Err(error) => {
                let what = format!("{name} is of no use: {}", chain(&error));
                let remedy = "remove it; the next opening folds more of the log, and state is saved again";
                findings.push(Finding::warning("saved/damaged", what, remedy));
            }
        }
    }
}

fn check(path: &Path, size: u64, genesis: Option<&Genesis>) -> Result<u64, SavedError> {
    let file = SavedFile::open(BufReader::new(File::open(path)?))?;
    if file.contents().size != size {
        return Err(SavedError::Malformed("its name does not fit it"));
    }
    if genesis.is_some_and(|genesis| genesis.hash() != file.contents().genesis_hash) {
        return Err(SavedError::Malformed("it is of another log"));
    }
    file.check()?;
    Ok(file.bytes())
}
