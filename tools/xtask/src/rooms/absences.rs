//! What the code of a room never names: invariants stated as absences.

use crate::source::{code_of, mentions, without_tests};
use crate::tidy::Finding;
use crate::tree::TextFile;

/// A folder, and the words (`SystemTime`) and paths (`std::fs`) that its code never names.
pub(crate) struct Absence {
    pub(crate) folder: &'static str,
    pub(crate) never: &'static [&'static [&'static str]],
}

/// A file that may name one of them after all.
pub(crate) struct Licence {
    pub(crate) file: &'static str,
    pub(crate) names: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) fn broken(files: &[TextFile], absences: &[Absence], licences: &[Licence]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; licences.len()];
    for absence in absences {
        let inside = |path: &str| path.strip_prefix(absence.folder).is_some_and(|rest| rest.starts_with('/'));
        let mut seen = false;
        for file in files.iter().filter(|file| inside(&file.path)) {
            seen = true;
            if is_test_file(&file.path) {
                continue;
            }
            for mention in mentions(&without_tests(&code_of(&file.text))) {
                let Some(named) = absence.never.iter().copied().flatten().find(|never| names(&mention.path, never))
                else {
                    continue;
                };
                match licences.iter().position(|licence| licence.file == file.path && licence.names == *named) {
                    Some(licence) => used[licence] = true,
                    None => findings.push(Finding::at(
                        &file.path,
                        mention.line,
                        format!("names `{}`, but {} knows nothing of `{named}`", mention.path, absence.folder),
                    )),
                }
            }
        }
        if !seen {
            findings.push(Finding::about(absence.folder, "holds no Rust file; has the folder moved?".to_owned()));
        }
    }
    for (licence, _) in licences.iter().zip(used).filter(|(_, used)| !used) {
        let what = format!("no longer names `{}`: take back its exception ({})", licence.names, licence.reason);
        findings.push(Finding::about(licence.file, what));
    }
    findings
}

/// A module that only `#[cfg(test)] mod tests;` brings in.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Whether `path` names `never`: the same path or one below it, a glob that brings it in, or, for `never` without `std`,
/// the same words anywhere in the path.
fn names(path: &str, never: &str) -> bool {
    let below =
        |path: &str, of: &str| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    if let Some(glob) = path.strip_suffix("::*")
        && below(never, glob)
    {
        return true;
    }
    if never.starts_with("std::") {
        return below(path, never);
    }
    path.match_indices(never).any(|(at, _)| (at == 0 || path[..at].ends_with("::")) && below(&path[at..], never))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENCES: [Absence; 1] =
        [Absence { folder: "pure/src", never: &[&["std::fs", "SystemTime"], &["Stamp::now"]] }];

    fn check(path: &str, text: &str, licences: &[Licence], expected: &[&str]) {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        let found = broken(&[file], &ABSENCES, licences);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn what_a_room_must_not_name_is_found_in_every_spelling() {
        for (text, path) in [
            ("use std::fs;", "std::fs"),
            ("use std::{io, fs::File};", "std::fs::File"),
            ("fn f() { std::fs::read(p); }", "std::fs::read"),
            ("use std::time;\nfn f() { time::SystemTime::now() }", "time::SystemTime::now"),
            ("use std::*;", "std::*"),
            ("fn f() { lib::Stamp::now() }", "lib::Stamp::now"),
        ] {
            let found = broken(&[TextFile { path: "pure/src/a.rs".to_owned(), text: text.to_owned() }], &ABSENCES, &[]);
            assert!(found.iter().any(|finding| finding.what.starts_with(&format!("names `{path}`"))), "{text}");
        }
    }

    #[test]
    fn tests_comments_and_other_words_are_not() {
        check("pure/src/a.rs", "// std::fs\n#[cfg(test)]\nmod tests { use std::fs; }", &[], &[]);
        check("pure/src/a.rs", "use std::fsx; fn f(now: MySystemTime) { \"SystemTime\"; Stamp::nowhere() }", &[], &[]);
        check("pure/src/tests.rs", "use std::fs;", &[], &[]);
    }

    #[test]
    fn an_exception_holds_for_its_file_only_and_must_be_needed() {
        let licences = [Licence { file: "pure/src/a.rs", names: "std::fs", reason: "r" }];
        check("pure/src/a.rs", "use std::fs;", &licences, &[]);
        check(
            "pure/src/b.rs",
            "\nuse std::fs;",
            &licences,
            &[
                "pure/src/b.rs:2: names `std::fs`, but pure/src knows nothing of `std::fs`",
                "pure/src/a.rs: no longer names `std::fs`: take back its exception (r)",
            ],
        );
    }

    #[test]
    fn a_folder_that_moved_is_found() {
        check("else/src/a.rs", "", &[], &["pure/src: holds no Rust file; has the folder moved?"]);
    }
}
