//! Thousands of broken specifications: no panic, and no net that its compiler cannot read.

mod support;

use actum_import::{Severity, import};
use actum_net::Code;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Pieces that mean something.
const PIECES: [&str; 28] = [
    "true()",
    "/data/",
    "text()",
    "'",
    "\"",
    "<",
    ">",
    "&lt;",
    "&amp;",
    "{",
    "}",
    "{{",
    "}}",
    "id=\"",
    "and",
    "or",
    "xor",
    "0",
    "-1",
    "99999999999999999999",
    "<isDefaultFlow/>",
    "<predicate>",
    "/*",
    " = ",
    "\u{0}",
    "é",
    "result",
    "<task id=\"end\">",
];

/// What a compiler must never say of a net that was made by an import: these would be mistakes of the import.
const OURS: [Code; 18] = [
    Code::Syntax,
    Code::AnchorOrTag,
    Code::DuplicateKey,
    Code::WrongType,
    Code::UnknownKey,
    Code::MissingKey,
    Code::BadName,
    Code::ReservedName,
    Code::DuplicateName,
    Code::UnknownNode,
    Code::UnknownRole,
    Code::UnknownVariable,
    Code::DuplicateFlow,
    Code::MissingSplit,
    Code::MissingJoin,
    Code::UnclosedTemplate,
    Code::CelSyntax,
    Code::CelUnknownFunction,
];

fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    random.next_u64() as usize % limit.max(1)
}

/// A place between two characters.
fn place(random: &mut ChaCha8Rng, text: &str) -> usize {
    let mut at = below(random, text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn mutate(random: &mut ChaCha8Rng, source: &str, others: &[String]) -> String {
    let mut text = source.to_owned();
    for _ in 0..=below(random, 3) {
        let (from, to) = (place(random, &text), place(random, &text));
        let (from, to) = (from.min(to), from.max(to));
        let mut short = from + below(random, 40).min(to - from);
        while !text.is_char_boundary(short) {
            short += 1;
        }
        match below(random, 7) {
            0 => text.replace_range(from..short, ""),
            1 => text.insert_str(from, PIECES[below(random, PIECES.len())]),
            2 => text.replace_range(from..short, PIECES[below(random, PIECES.len())]),
            // Elements of this file, elsewhere.
            3 => {
                let piece = element(random, &text).to_owned();
                let at = text[from..].find('<').map_or(from, |found| from + found);
                text.insert_str(at, &piece);
            }
            4 => {
                let piece = element(random, &text).to_owned();
                text = text.replacen(&piece, "", 1);
            }
            // Elements of another file.
            5 => {
                let other = &others[below(random, others.len())];
                let piece = element(random, other).to_owned();
                let at = text[from..].find('<').map_or(from, |found| from + found);
                text.insert_str(at, &piece);
            }
            // An attribute's value or a text, instead of another.
            _ => {
                let piece = value(random, &text).to_owned();
                let old = value(random, &text).to_owned();
                if !old.is_empty() {
                    text = text.replacen(&old, &piece, 1);
                }
            }
        }
    }
    text
}

/// An element with all that is in it, roughly.
fn element<'t>(random: &mut ChaCha8Rng, text: &'t str) -> &'t str {
    let at = place(random, text);
    let Some(start) = text[at..].find('<').map(|found| at + found) else { return "" };
    let name = text[start + 1..].split([' ', '>', '/', '\n']).next().unwrap_or_default();
    let close = format!("</{name}>");
    match text[start..].find(&close) {
        Some(end) if !name.is_empty() && end < 4_000 => &text[start..start + end + close.len()],
        _ => "",
    }
}

fn value<'t>(random: &mut ChaCha8Rng, text: &'t str) -> &'t str {
    let at = place(random, text);
    let Some(start) = text[at..].find(['"', '>']).map(|found| at + found + 1) else { return "" };
    let end = text[start..].find(['"', '<']).map_or(start, |found| start + found);
    &text[start..end]
}

#[test]
fn no_mutation_breaks_the_import() {
    const SEED: u64 = 20_260_131;
    const ROUNDS: usize = 6_000;
    let mut sources: Vec<String> = support::corpus().into_iter().map(|(_, text)| text).collect();
    sources.extend(["control", "people", "data"].map(|name| {
        let path = format!("{}/tests/fixtures/{name}.yawl", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("a fixture")
    }));
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut imported, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let source = mutate(&mut random, &sources[round % sources.len()], &sources);
        match import(&source) {
            Ok(net) => {
                imported += 1;
                let found = match actum_net::compile(&net.yaml) {
                    Ok(checked) => checked.warnings,
                    Err(found) => found,
                };
                if let Some(found) = found.iter().find(|found| OURS.contains(&found.code)) {
                    let line = net.yaml.lines().nth(found.line as usize - 1).unwrap_or_default();
                    panic!("seed {SEED}, round {round}: {found}\n{line}\n{source}");
                }
            }
            Err(found) => {
                refused += 1;
                assert!(found.iter().any(|found| found.severity == Severity::Error), "round {round}");
                for found in found {
                    assert!(
                        found.span.0 <= source.len() && found.line >= 1 && found.column >= 1,
                        "round {round}: {found}"
                    );
                }
            }
        }
    }
    assert!(imported > ROUNDS / 50 && refused > ROUNDS / 5, "{imported} imported, {refused} refused");
}
