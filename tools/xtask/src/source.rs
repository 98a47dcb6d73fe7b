//! Rust text as rules want to see it: code without comments, literals and tests, and the paths that code names.
//!
//! A lexer, not a parser: it knows where comments, literals and items end, which is all that a rule about words needs.

/// A path that code names, with `use` trees spelled out: `use std::{fs, time::Instant};` names `std::fs` and
/// `std::time::Instant`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) line: usize,
    pub(crate) path: String,
}

/// `text` with comments and the insides of literals blanked; every byte stays on its line.
pub(crate) fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => find(bytes, at, b"\n"),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'\'' => char_end(text, at),
            _ => at + 1,
        };
        if end > at + 1 {
            out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at = end;
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// `code` (from [`code_of`]) without the items that only tests compile.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    for range in test_items(code) {
        let blank: String = code[range.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        // Code outside literals may hold wider characters in names; blanks then are fewer, lines stay.
        if blank.len() == range.len() {
            out.replace_range(range, &blank);
        }
    }
    out
}

/// `code` with everything blanked that is not compiled for tests only.
pub(crate) fn only_tests(code: &str) -> String {
    let ranges = test_items(code);
    let keep = |at: usize| ranges.iter().any(|range| range.contains(&at));
    code.char_indices().map(|(at, c)| if c == '\n' || keep(at) { c } else { ' ' }).collect()
}

/// The paths and single words that `code` names.
pub(crate) fn mentions(code: &str) -> Vec<Mention> {
    let tokens = tokens(code);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let (line, Token::Word(word)) = tokens[at] else {
            at += 1;
            continue;
        };
        if word == "use" {
            at = use_tree(&tokens, at + 1, "", &mut found);
            continue;
        }
        let mut path = word.to_owned();
        at += 1;
        while let [(_, Token::Colons), (_, Token::Word(next)), ..] = tokens[at..] {
            path = join(&path, next);
            at += 2;
        }
        found.push(Mention { line, path });
    }
    found
}

/// The line, from 1, of a byte.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Word(&'a str),
    Colons,
    Open,
    Close,
    Comma,
    Semicolon,
    Star,
    Other,
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let (length, token) = match c {
            '{' => (1, Token::Open),
            '}' => (1, Token::Close),
            ',' => (1, Token::Comma),
            ';' => (1, Token::Semicolon),
            '*' => (1, Token::Star),
            ':' if rest.starts_with("::") => (2, Token::Colons),
            c if word(c) => {
                let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
                (length, Token::Word(&rest[..length]))
            }
            c => (c.len_utf8(), Token::Other),
        };
        if c == '\n' {
            line += 1;
        }
        if !c.is_whitespace() {
            tokens.push((line, token));
        }
        at += length;
    }
    tokens
}

/// Notes the paths of one branch of a `use` and returns where it ends.
fn use_tree(tokens: &[(usize, Token<'_>)], mut at: usize, before: &str, found: &mut Vec<Mention>) -> usize {
    let (mut path, mut named) = (before.to_owned(), false);
    while let Some((line, token)) = tokens.get(at) {
        match token {
            Token::Word("as") => at += 1,
            Token::Colons => {}
            Token::Word(word) => {
                named = true;
                if *word != "self" {
                    path = join(&path, word);
                }
            }
            Token::Star => (named, path) = (true, join(&path, "*")),
            Token::Open => loop {
                at = use_tree(tokens, at + 1, &path, found);
                match tokens.get(at) {
                    Some((_, Token::Comma)) => {}
                    Some((_, Token::Close)) => return at + 1,
                    _ => return at,
                }
            },
            Token::Close | Token::Comma | Token::Semicolon | Token::Other => {
                if named {
                    found.push(Mention { line: *line, path });
                }
                return at;
            }
        }
        at += 1;
    }
    at
}

fn join(path: &str, word: &str) -> String {
    if path.is_empty() { word.to_owned() } else { format!("{path}::{word}") }
}

/// From `#[cfg(test)]` to the end of the item below it.
fn test_items(code: &str) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for mark in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (start, _) in code.match_indices(mark) {
            ranges.push(start..item_end(code.as_bytes(), start + mark.len()));
        }
    }
    ranges
}

/// An item ends with its outermost braces, or with a semicolon before any.
fn item_end(code: &[u8], from: usize) -> usize {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.saturating_sub(1),
            b'{' => braces += 1,
            b'}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return at + 1;
                }
            }
            b';' if braces == 0 && others == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Where `what` begins, from `from` on, or the end.
fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    bytes[from..].windows(what.len()).position(|window| window == what).map_or(bytes.len(), |at| from + at)
}

fn block_comment_end(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (at, depth) = (at + 2, depth + 1),
            Some(b"*/") => {
                (at, depth) = (at + 2, depth - 1);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `quote` is at a `"`; what stands before it tells whether the string is raw.
fn string_end(bytes: &[u8], quote: usize) -> usize {
    let hashes = bytes[..quote].iter().rev().take_while(|byte| **byte == b'#').count();
    let before = &bytes[..quote - hashes];
    let letters = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if matches!(&before[before.len() - letters..], b"r" | b"br" | b"cr") {
        let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
        return (find(bytes, quote + 1, &close) + close.len()).min(bytes.len());
    }
    let mut at = quote + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// A character, or only the tick of a lifetime.
fn char_end(text: &str, tick: usize) -> usize {
    let mut chars = text[tick + 1..].char_indices();
    match chars.next() {
        // The escaped character may itself be a tick.
        Some((_, '\\')) => (find(text.as_bytes(), tick + 3, b"'") + 1).min(text.len()),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(tick + 1, |(at, _)| tick + 1 + at + 1),
        None => tick + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_code(text: &str, code: &str) {
        assert_eq!(code_of(text).split_whitespace().collect::<Vec<_>>().join(" "), code, "{text}");
        assert_eq!(code_of(text).lines().count(), text.lines().count(), "{text}");
    }

    fn check_mentions(code: &str, paths: &[&str]) {
        assert_eq!(mentions(code).into_iter().map(|mention| mention.path).collect::<Vec<_>>(), paths, "{code}");
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        check_code("a // b\nc /* d /* e */ f */ g", "a c g");
        check_code(r#"a("x \" y", 'b', '\'', b"z", 'ä')"#, "a( , , , b , )");
        check_code("r#\"a \" b\"# c r\"\\\" d", "r# c r d");
        check_code("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check_code("a \"unclosed", "a");
    }

    #[test]
    fn a_use_names_each_of_its_leaves() {
        check_mentions(
            "use std::{fs, io::{self, Read as _}, time::*};",
            &["std::fs", "std::io", "std::io::Read", "std::time::*"],
        );
        check_mentions("pub use a::b; let c = d::e(f);", &["pub", "a::b", "let", "c", "d::e", "f"]);
        check_mentions("fn f() -> impl A + use<'a> {} use b;", &["fn", "f", "impl", "A", "a", "b"]);
    }

    #[test]
    fn tests_are_told_from_code() {
        let code =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { c(); }\n}\nfn d() {}\n#[cfg(test)]\nmod e;\nfn f() {}";
        check_mentions(&without_tests(code), &["fn", "a", "fn", "d", "fn", "f"]);
        check_mentions(&only_tests(code), &["cfg", "test", "mod", "tests", "fn", "b", "c", "cfg", "test", "mod", "e"]);
        assert_eq!(line_of(code, code.find("c()").unwrap_or_default()), 4);
    }
}
