//! What several tests share.

use std::path::PathBuf;

/// The specifications that nobody on this project wrote: outside of the project, as they have another licence.
pub(crate) fn corpus() -> Vec<(String, String)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "..", "shared", "corpus", "yawl"].iter().collect();
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("this test needs the YAWL specifications of the corpus in {}: {error}", folder.display())
    });
    let mut list: Vec<(String, String)> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("UTF-8"))
        })
        .collect();
    list.sort();
    list
}
