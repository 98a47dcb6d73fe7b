//! The embedding example runs as it stands, twice on one log, and is as short as the README says.

use std::path::PathBuf;
use std::process::Command;

const LINES_MAX: usize = 40;

/// Cargo builds examples with the tests, beside them.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let built = test.parent().and_then(|deps| deps.parent()).expect("tests lie in target/PROFILE/deps");
    built.join("examples").join(format!("embed{}", std::env::consts::EXE_SUFFIX))
}

#[test]
fn the_embedding_example_runs() {
    let source = include_str!("../examples/embed.rs");
    assert!(source.lines().count() <= LINES_MAX, "the example has grown over {LINES_MAX} lines");
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = Command::new(example()).arg(directory.path().join("refunds")).output().unwrap();
        let events = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(events.lines().count(), 10, "{events}");
        assert_eq!(events.lines().last(), Some("CaseCompleted"));
    }
}
