//! Names of the net language made of ids that may hold anything.

use std::collections::BTreeSet;

/// Longest name that the net language has, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Words that expressions and the net language keep for themselves.
const RESERVED: [&str; 29] = [
    "active",
    "as",
    "break",
    "completed",
    "const",
    "continue",
    "each",
    "else",
    "false",
    "for",
    "function",
    "has",
    "if",
    "import",
    "in",
    "index",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "result",
    "results",
    "return",
    "true",
    "var",
    "void",
    "while",
    "who",
];

/// Names that are taken in one place.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    pub(super) fn taken(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// A name for a net, task, condition or role: letters, digits and `_.-`.
    pub(super) fn node(&mut self, id: &str) -> String {
        let mut name = String::new();
        for c in id.chars().take(NAME_BYTES_MAX * 2) {
            let good = c.is_ascii_alphanumeric() || (matches!(c, '_' | '.' | '-') && !name.is_empty());
            if good {
                name.push(c);
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
        }
        let name = name.trim_end_matches('-');
        self.free(if name.is_empty() { "unnamed" } else { name }, '-')
    }

    /// A name for a variable: letters, digits and `_`, and none of CEL's own words.
    pub(super) fn variable(&mut self, id: &str) -> String {
        let good = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut name: String = id.chars().take(NAME_BYTES_MAX).map(good).collect();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        if RESERVED.contains(&name.as_str()) {
            name.push('_');
        }
        self.free(&name, '_')
    }

    fn free(&mut self, name: &str, separator: char) -> String {
        let cut = |name: &str, room: usize| name[..name.len().min(room)].to_owned();
        let mut candidate = cut(name, NAME_BYTES_MAX);
        let mut number = 2_u64;
        while !self.0.insert(candidate.clone()) {
            let ending = format!("{separator}{number}");
            candidate = cut(name, NAME_BYTES_MAX - ending.len()) + &ending;
            number += 1;
        }
        candidate
    }
}

/// The last part of a path or address, without the ending of a file.
pub(super) fn short(uri: &str) -> &str {
    let last = uri.trim_end_matches('/').rsplit('/').next().unwrap_or(uri);
    let ending = [".xml", ".yawl", ".ywl"].iter().find_map(|ending| last.strip_suffix(ending));
    ending.unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names() {
        let mut names = Names::taken(&["start", "end"]);
        for (id, name) in [
            ("Fill_Order", "Fill_Order"),
            ("New Net #1", "New-Net-1"),
            ("0", "0"),
            ("start", "start-2"),
            ("Fill_Order", "Fill_Order-2"),
            ("éé", "unnamed"),
            ("_x", "x"),
        ] {
            assert_eq!(names.node(id), name);
        }
        assert_eq!(names.node(&"a".repeat(200)).len(), 64);
        assert_eq!(names.node(&"a".repeat(200)).len(), 64);
    }

    #[test]
    fn variables_are_identifiers() {
        let mut names = Names::default();
        for (id, name) in [
            ("time-fallback", "time_fallback"),
            ("return", "return_"),
            ("1st", "_1st"),
            ("time.fallback", "time_fallback_2"),
        ] {
            assert_eq!(names.variable(id), name);
        }
    }

    #[test]
    fn addresses_are_shortened() {
        assert_eq!(short("http://example.org/engine/EagerSemantics"), "EagerSemantics");
        assert_eq!(short("Timer.xml"), "Timer");
    }
}
