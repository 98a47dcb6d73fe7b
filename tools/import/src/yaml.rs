//! Writes YAML that people like to read: short maps and lists on one line, quotes only where needed; the same tree always
//! gives the same text.

use std::fmt::Write as _;

use crate::finding::Span;

/// Longest line of a map or list that is written on one line.
const LINE_MAX: usize = 110;

/// A value to write, and the bytes of the source that it was made of.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    data: Data,
    span: Span,
    /// Never on one line, however short.
    tall: bool,
}

#[derive(Debug, Clone)]
enum Data {
    Text(String),
    /// A number, a truth value, null.
    Bare(String),
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
}

impl Node {
    fn new(data: Data) -> Self {
        Self { data, span: Span::default(), tall: false }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::new(Data::Text(text.into()))
    }

    pub(crate) fn bare(text: impl std::fmt::Display) -> Self {
        Self::new(Data::Bare(format!("{text}")))
    }

    pub(crate) fn map(entries: Vec<(String, Node)>) -> Self {
        Self::new(Data::Map(entries))
    }

    pub(crate) fn list(items: Vec<Node>) -> Self {
        Self::new(Data::List(items))
    }

    pub(crate) fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::list(items.into_iter().map(Self::text).collect())
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    pub(crate) fn tall(mut self) -> Self {
        self.tall = true;
        self
    }
}

/// A map under construction.
#[derive(Debug, Default)]
pub(crate) struct Map(Vec<(String, Node)>);

impl Map {
    pub(crate) fn put(&mut self, key: &str, node: Node) {
        self.0.push((key.to_owned(), node));
    }

    pub(crate) fn put_text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.put(key, Node::text(text));
        }
    }

    /// Leaves an empty map or list out.
    pub(crate) fn put_filled(&mut self, key: &str, node: Node) {
        let empty = match &node.data {
            Data::Map(entries) => entries.is_empty(),
            Data::List(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            self.put(key, node);
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn done(self) -> Node {
        Node::map(self.0)
    }
}

/// The text, and for each of its lines the part of the source that it was made of.
pub(crate) fn write(root: &Node) -> (String, Vec<Span>) {
    let mut writer = Writer { text: String::new(), origins: Vec::new() };
    if let Data::Map(entries) = &root.data {
        let mut after_tall = false;
        for (key, node) in entries {
            if (tall(node) || after_tall) && !writer.text.is_empty() {
                writer.line("", root.span);
            }
            after_tall = tall(node);
            writer.entry(key, node, 0, root.span, matches!(key.as_str(), "tasks" | "nets"));
        }
    }
    (writer.text, writer.origins)
}

struct Writer {
    text: String,
    origins: Vec<Span>,
}

/// Whether it takes several lines.
fn tall(node: &Node) -> bool {
    matches!(node.data, Data::Map(_) | Data::List(_)) && one_line(node).is_none()
}

impl Writer {
    fn line(&mut self, line: &str, span: Span) {
        self.text.push_str(line);
        self.text.push('\n');
        self.origins.push(span);
    }

    /// `apart`: with empty lines between the entries of the value.
    fn entry(&mut self, key: &str, node: &Node, indent: usize, outer: Span, apart: bool) {
        let span = if node.span == Span::default() { outer } else { node.span };
        let head = format!("{:indent$}{}:", "", scalar(key));
        match (one_line(node), &node.data) {
            (Some(value), _) => self.line(&format!("{head} {value}"), span),
            (None, Data::Map(entries)) => {
                self.line(&head, span);
                for (at, (inner, node)) in entries.iter().enumerate() {
                    if apart && at > 0 {
                        self.line("", span);
                    }
                    self.entry(inner, node, indent + 2, span, key == "nets" || (apart && inner == "tasks"));
                }
            }
            (None, Data::List(items)) => {
                self.line(&head, span);
                for item in items {
                    self.item(item, indent + 2, span);
                }
            }
            (None, Data::Text(_) | Data::Bare(_)) => {}
        }
    }

    fn item(&mut self, node: &Node, indent: usize, outer: Span) {
        let span = if node.span == Span::default() { outer } else { node.span };
        let dash = format!("{:indent$}-", "");
        match (one_line(node), &node.data) {
            (Some(value), _) => self.line(&format!("{dash} {value}"), span),
            (None, Data::Map(entries)) => {
                let start = self.text.len() + indent;
                for (key, node) in entries {
                    self.entry(key, node, indent + 2, span, false);
                }
                // The first entry stands beside the dash.
                self.text.replace_range(start..=start, "-");
            }
            (None, Data::List(items)) => {
                self.line(&dash, span);
                for item in items {
                    self.item(item, indent + 2, span);
                }
            }
            (None, Data::Text(_) | Data::Bare(_)) => {}
        }
    }
}

/// On one line, if it is short enough. Scalars always are on one line.
fn one_line(node: &Node) -> Option<String> {
    match &node.data {
        Data::Text(text) => Some(scalar(text)),
        Data::Bare(text) => Some(text.clone()),
        Data::Map(entries) if entries.is_empty() => Some("{}".to_owned()),
        Data::List(items) if items.is_empty() => Some("[]".to_owned()),
        _ => {
            let mut line = String::new();
            flow(node, &mut line).then_some(line)
        }
    }
}

/// Adds a map or list in flow style; gives up when it gets too long.
fn flow(node: &Node, line: &mut String) -> bool {
    if node.tall || line.len() > LINE_MAX {
        return false;
    }
    match &node.data {
        Data::Text(text) => line.push_str(&scalar(text)),
        Data::Bare(text) => line.push_str(text),
        Data::Map(entries) => {
            for (at, (key, node)) in entries.iter().enumerate() {
                line.push_str(if at == 0 { "{ " } else { ", " });
                line.push_str(&scalar(key));
                line.push_str(": ");
                if !flow(node, line) {
                    return false;
                }
            }
            line.push_str(if entries.is_empty() { "{}" } else { " }" });
        }
        Data::List(items) => {
            line.push('[');
            for (at, node) in items.iter().enumerate() {
                if at > 0 {
                    line.push_str(", ");
                }
                if !flow(node, line) {
                    return false;
                }
            }
            line.push(']');
        }
    }
    line.len() <= LINE_MAX
}

/// Text as YAML reads it back: plain if that is safe everywhere, else in double quotes.
fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            // What YAML takes for a line break or does not print.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                write!(quoted, "\\u{:04x}", c as u32).ok();
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Words that YAML 1.1 or 1.2 readers take for something else than text.
const WORDS: [&str; 14] =
    ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity", "nil", "none"];

fn is_plain(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !text.ends_with(' ')
        && text.chars().all(inside)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(node: Node, expected: &str) {
        let (text, origins) = write(&Node::map(vec![("key".to_owned(), node)]));
        assert_eq!(text, expected);
        assert_eq!(text.lines().count(), origins.len());
    }

    #[test]
    fn text_is_quoted_where_yaml_would_read_something_else() {
        for plain in ["a", "Book flight", "a-b.c/d_e"] {
            check(Node::text(plain), &format!("key: {plain}\n"));
        }
        for quoted in
            ["", "4", "1.5", "true", "No", "a: b", "a #b", " a", "a ", "- a", "[", "{{ x }}", "ä", "~", "2026-01-01"]
        {
            check(Node::text(quoted), &format!("key: \"{quoted}\"\n"));
        }
        check(Node::text("a\"b\\\n\u{7f}"), "key: \"a\\\"b\\\\\\n\\u007f\"\n");
    }

    #[test]
    fn short_maps_and_lists_are_on_one_line() {
        let map = Node::map(vec![("a".to_owned(), Node::bare(1)), ("b".to_owned(), Node::texts(["x", "z"]))]);
        check(map.clone(), "key: { a: 1, b: [x, z] }\n");
        check(map.tall(), "key:\n  a: 1\n  b: [x, z]\n");
        check(
            Node::list(vec![Node::text("x".repeat(80)), Node::text("y".repeat(80))]),
            &format!("key:\n  - {}\n  - {}\n", "x".repeat(80), "y".repeat(80)),
        );
        check(Node::map(Vec::new()), "key: {}\n");
    }

    #[test]
    fn each_line_says_where_it_came_from() {
        let inner = Node::map(vec![("a".to_owned(), Node::bare(1).at(Span(5, 6))), ("b".to_owned(), Node::bare(2))]);
        let (text, origins) = write(&Node::map(vec![("key".to_owned(), inner.tall().at(Span(1, 9)))]));
        assert_eq!(text, "key:\n  a: 1\n  b: 2\n");
        assert_eq!(origins, [Span(1, 9), Span(5, 6), Span(1, 9)]);
    }
}
