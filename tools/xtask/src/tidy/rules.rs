//! The rules themselves, as functions of names and texts.

use crate::source::{code_of, line_of, only_tests};
use crate::tree::TextFile;

use super::{Exception, Finding};

/// A longer file has more than one reason to change.
const RUST_LINES_MAX: usize = 600;
/// A room is explained on one screen.
const README_LINES_MAX: usize = 40;

/// What an exception can be made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    Length,
    Unfinished,
    Ignored,
    DeadCode,
    Machine,
    Blanks,
    WallClock,
}

/// Words are put together here so that this file does not hold them.
const MARKERS: [&str; 2] = [concat!("FIX", "ME"), concat!("X", "XX")];
/// Directories of one machine.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
/// Where packages come from is for each user's configuration to say.
const REGISTRIES: [&str; 6] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("debian", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
];
const WAITING: [&str; 4] = ["thread::sleep", "time::sleep", "SystemTime::now", "time::sleep_until"];

/// Rules about which files there are.
pub(crate) fn names(paths: &[String], top_level: &[&str], rooms: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in paths {
        let top = path.split('/').next().unwrap_or(path);
        if !top.starts_with('.') && !top_level.contains(&top) {
            findings.push(Finding::about(
                path,
                format!("`{top}` is not one of the names at the top: {}", top_level.join(" ")),
            ));
        }
    }
    let readmes = rooms.iter().map(|room| format!("{room}/README.md")).chain(["README.md".to_owned()]);
    for readme in readmes.filter(|readme| !paths.contains(readme)) {
        findings.push(Finding::about(
            &readme,
            format!("is missing: purpose, entry type, absences; {README_LINES_MAX} lines at most"),
        ));
    }
    findings
}

/// Rules about what is in them.
pub(crate) fn texts(files: &[TextFile], exceptions: &[Exception]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; exceptions.len()];
    for file in files {
        for (rule, line, what) in breaches(file) {
            match exceptions.iter().position(|exception| exception.rule == rule && fits(&file.path, exception.files)) {
                Some(exception) => used[exception] = true,
                None => findings.push(Finding::at(&file.path, line, what)),
            }
        }
    }
    for (exception, _) in exceptions.iter().zip(used).filter(|(_, used)| !used) {
        let what = format!("no longer needs its exception for {:?} ({})", exception.rule, exception.reason);
        findings.push(Finding::about(exception.files, what));
    }
    findings
}

type Breach = (Rule, usize, String);

fn breaches(file: &TextFile) -> Vec<Breach> {
    let mut found = Vec::new();
    // Cargo writes it, and names the registry in it.
    if file.path == "Cargo.lock" || file.path.ends_with("/Cargo.lock") {
        return found;
    }
    machine(&file.text, &mut found);
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    if ["rs", "toml", "yaml", "yml", "md", "py"].contains(&kind) {
        blanks(&file.text, &mut found);
        each(&file.text, &MARKERS, |line, marker| {
            found.push((Rule::Unfinished, line, format!("`{marker}`: finish it, or file an issue")));
        });
    }
    let lines = file.text.lines().count();
    if kind == "md" && name == "README.md" && !folder.is_empty() && lines > README_LINES_MAX {
        found.push((Rule::Length, lines, format!("{lines} lines; a room's README has at most {README_LINES_MAX}")));
    }
    if kind == "rs" {
        if lines > RUST_LINES_MAX {
            found.push((Rule::Length, lines, format!("{lines} lines; at most {RUST_LINES_MAX}")));
        }
        rust(&file.path, &file.text, &mut found);
    }
    found
}

fn rust(path: &str, text: &str, found: &mut Vec<Breach>) {
    let code = code_of(text);
    each(&code, &["todo!", "unimplemented!"], |line, word| {
        found.push((Rule::Unfinished, line, format!("`{word}` is not code")));
    });
    each(&code, &["#[ignore", "#![ignore"], |line, _| {
        found.push((Rule::Ignored, line, "a test that never runs tests nothing: mend it or remove it".to_owned()));
    });
    each(&code, &["allow(dead_code"], |line, _| {
        found.push((Rule::DeadCode, line, "remove what is not used, or `expect` it with a reason".to_owned()));
    });
    let of_tests = if in_tests(path) { code } else { only_tests(&code) };
    each(&of_tests, &WAITING, |line, word| {
        found.push((
            Rule::WallClock,
            line,
            format!("`{word}` in a test: wait for the event itself, pass the time as data"),
        ));
    });
}

fn machine(text: &str, found: &mut Vec<Breach>) {
    for path in MACHINE_PATHS {
        for (at, _) in text.match_indices(path) {
            // Only absolute: `src/work/` is a folder of ours.
            if !text[..at].ends_with(|c: char| c.is_alphanumeric() || "._-*)}>".contains(c)) {
                found.push((Rule::Machine, line_of(text, at), format!("`{path}` is a path of one machine")));
            }
        }
    }
    each(text, &REGISTRIES, |line, host| found.push((Rule::Machine, line, format!("`{host}` is a registry's host"))));
}

fn blanks(text: &str, found: &mut Vec<Breach>) {
    for (index, line) in text.split('\n').enumerate() {
        if line.contains('\t') {
            found.push((Rule::Blanks, index + 1, "a tab".to_owned()));
        }
        if line.ends_with([' ', '\r']) {
            found.push((Rule::Blanks, index + 1, "a blank at the end of the line".to_owned()));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push((Rule::Blanks, text.lines().count(), "no line end at the end of the file".to_owned()));
    }
}

/// Calls `find` with line and word for each whole word of `words` in `text`.
fn each(text: &str, words: &[&str], mut find: impl FnMut(usize, &str)) {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    for word in words {
        for (at, _) in text.match_indices(word) {
            let before = word.starts_with(inner) && text[..at].ends_with(inner);
            let after = word.ends_with(inner) && text[at + word.len()..].starts_with(inner);
            if !before && !after {
                find(line_of(text, at), word);
            }
        }
    }
}

/// Whether `path` ends as `pattern` says, where `*` stands for one folder or file.
fn fits(path: &str, pattern: &str) -> bool {
    let mut path = path.rsplit('/');
    pattern.rsplit('/').all(|wanted| path.next().is_some_and(|name| wanted == "*" || wanted == name))
}

/// Integration tests, and modules that only tests bring in.
fn in_tests(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(Rule, usize)]) {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        let found: Vec<(Rule, usize)> = breaches(&file).into_iter().map(|(rule, line, _)| (rule, line)).collect();
        assert_eq!(found, expected, "{path}: {text}");
    }

    #[test]
    fn a_long_file_is_found() {
        check("a/src/b.rs", &"\n".repeat(600), &[]);
        check("a/src/b.rs", &"\n".repeat(601), &[(Rule::Length, 601)]);
        check("a/README.md", &"\n".repeat(41), &[(Rule::Length, 41)]);
        check("README.md", &"\n".repeat(200), &[]);
        check("a/FORMAT.md", &"\n".repeat(200), &[]);
    }

    #[test]
    fn unfinished_code_is_found_and_talk_of_it_is_not() {
        check("a.rs", "fn f() {\n    todo!()\n}\n", &[(Rule::Unfinished, 2)]);
        check("a.rs", "// todo!() and \"#[ignore]\"\nlet a = \"todo!()\";\n", &[]);
        check("a.rs", "#[ignore = \"slow\"]\n", &[(Rule::Ignored, 1)]);
        check("a.rs", "#![allow(dead_code)]\n", &[(Rule::DeadCode, 1)]);
        check("a.md", &format!("a\n{}: b\n{}Y\n", MARKERS[0], MARKERS[1]), &[(Rule::Unfinished, 2)]);
    }

    #[test]
    fn machines_and_registries_are_found_in_any_text() {
        check("a.json", &format!("\"{}x\"", MACHINE_PATHS[0]), &[(Rule::Machine, 1)]);
        check("a.json", &format!("src{}x", MACHINE_PATHS[0]), &[]);
        check("a.sh", &format!("\n\npip -i {}/simple", REGISTRIES[1]), &[(Rule::Machine, 3)]);
        check("Cargo.lock", REGISTRIES[0], &[]);
    }

    #[test]
    fn blanks_are_found() {
        check(
            "a.yaml",
            "a:\tb \nc\r\nd",
            &[(Rule::Blanks, 1), (Rule::Blanks, 1), (Rule::Blanks, 2), (Rule::Blanks, 3)],
        );
        check("a.json", "a \t", &[]);
    }

    #[test]
    fn waiting_is_found_in_tests_only() {
        let body = "use std::thread;\nfn f() { thread::sleep(A); }\n";
        check("a/src/b.rs", body, &[]);
        check("a/tests/b.rs", body, &[(Rule::WallClock, 2)]);
        check("a/src/b.rs", &format!("#[cfg(test)]\nmod tests {{\n{body}}}\n"), &[(Rule::WallClock, 4)]);
        check("tests/src/c.rs", "fn f() { SystemTime::now(); }\n", &[(Rule::WallClock, 1)]);
    }

    #[test]
    fn an_exception_must_be_needed() {
        let exceptions = [Exception { files: "*/a.rs", rule: Rule::Blanks, reason: "r" }];
        let file = |text: &str| [TextFile { path: "x/y/a.rs".to_owned(), text: text.to_owned() }];
        assert!(texts(&file("a \n"), &exceptions).is_empty());
        assert_eq!(texts(&file("a\n"), &exceptions).len(), 1);
    }

    #[test]
    fn the_top_level_is_fixed_and_rooms_explain_themselves() {
        let paths = ["README.md", ".ci/run", "a/README.md", "notes.txt"].map(str::to_owned);
        let found: Vec<String> =
            names(&paths, &["README.md", "a"], &["a", "b"]).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("notes.txt: ") && found[1].starts_with("b/README.md: "), "{found:?}");
    }
}
