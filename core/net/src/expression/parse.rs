//! From text to the `cel` crate's syntax tree, with limits. Runs on a large stack: see [`crate::check`].

use cel::parser::{Expression as Tree, PrattParser};

use super::compile::Finding;
use super::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX};
use crate::diagnostic::Code;

/// Most nodes the parser may make, macro expansion included.
const NODES_MAX: usize = 4 * EXPRESSION_BYTES_MAX;

pub(super) fn parse(text: &str) -> Result<Tree, Finding> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(Finding::new(
            Code::CelTooLarge,
            0,
            format!("the expression has {} bytes; at most {EXPRESSION_BYTES_MAX} are allowed", text.len()),
            Some("compute parts of it in earlier tasks, into case variables".to_owned()),
        ));
    }
    if text.trim().is_empty() {
        return Err(Finding::new(Code::CelSyntax, 0, "the expression is empty".to_owned(), None));
    }
    let parser = PrattParser::new()
        .max_recursion_depth(EXPRESSION_DEPTH_MAX as u16)
        .max_expression_node_count(NODES_MAX)
        .error_recovery_limit(1);
    parser.parse(text).map_err(|errors| first_finding(text, &errors.errors))
}

/// Only the first error: what follows it is the parser's guesswork.
fn first_finding(text: &str, errors: &[cel::ParseError]) -> Finding {
    let worst =
        errors.iter().find(|error| error.msg.contains("limit")).or_else(|| errors.iter().find(|error| error.pos.0 > 0));
    let Some(error) = worst.or(errors.first()) else {
        return Finding::new(Code::CelSyntax, 0, "the expression cannot be read".to_owned(), None);
    };
    if error.msg.contains("recursion limit") || error.msg.contains("count exceeds limit") {
        let message = format!("the expression is nested deeper than {EXPRESSION_DEPTH_MAX}");
        return Finding::new(Code::CelTooLarge, 0, message, None);
    }
    let message = error.msg.trim_start_matches("Syntax error: ").trim();
    Finding::new(Code::CelSyntax, offset(text, error.pos), format!("not a CEL expression: {message}"), hint(text))
}

/// What people write who come from other languages.
fn hint(text: &str) -> Option<String> {
    let spaced = format!(" {text} ");
    if spaced.contains(" and ") || spaced.contains(" or ") || spaced.contains(" not ") {
        return Some("CEL writes `&&`, `||` and `!`".to_owned());
    }
    (text.contains('=') && !text.contains("==") && !text.contains("!=") && !text.contains("<=") && !text.contains(">="))
        .then(|| "CEL compares with `==`".to_owned())
}

/// The byte at a line and column, both from 1.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    text.floor_char_boundary((start + column).min(text.len()))
}

/// Where a word stands in an expression: the parser does not tell. Quoted text is skipped.
pub(super) fn find_word(text: &str, word: &str) -> usize {
    let bytes = text.as_bytes();
    let part_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (mut quote, mut at) = (None, 0);
    while at < bytes.len() {
        match (bytes[at], quote) {
            (b'\\', Some(_)) => at += 1,
            (byte, Some(open)) => quote = (byte != open).then_some(open),
            (byte @ (b'"' | b'\''), None) => quote = Some(byte),
            _ => {
                let starts = at == 0 || !part_of_word(&bytes[at - 1]);
                let ends = !bytes.get(at + word.len()).is_some_and(part_of_word);
                if starts && ends && bytes[at..].starts_with(word.as_bytes()) {
                    return at;
                }
            }
        }
        at += 1;
    }
    0
}
