//! Reads a query.

use super::{
    Arithmetic, Comparison, Content, Element, For, OPERATORS_MAX, Path, QUERY_BYTES_MAX, QUERY_DEPTH_MAX, Query, Step,
};

/// Why a query is not understood.
type Why = String;

/// The query, or why it is not understood and at which character.
pub(in crate::yawl) fn parse(text: &str) -> Result<Query, Why> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(format!("it has {} bytes, more than {QUERY_BYTES_MAX}", text.len()));
    }
    let mut parser = Parser { text, at: 0, depth: 0, operators: 0 };
    let query = parser.query().and_then(|query| {
        parser.blanks()?;
        if parser.rest().is_empty() { Ok(query) } else { Err(parser.unexpected()) }
    });
    query.map_err(|why| {
        let before = text.get(..parser.at).unwrap_or(text);
        format!("{why}, at character {}", before.chars().count() + 1)
    })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    operators: usize,
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn unexpected(&self) -> Why {
        let found: String = self.rest().chars().take(20).collect();
        if found.is_empty() { "it ends too early".to_owned() } else { format!("`{found}` is not understood here") }
    }

    /// Blanks and comments.
    fn blanks(&mut self) -> Result<(), Why> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("(:") {
                return Ok(());
            }
            let end = trimmed.find(":)").ok_or_else(|| "a comment is not closed".to_owned())?;
            self.at += end + 2;
        }
    }

    fn take(&mut self, symbol: &str) -> Result<bool, Why> {
        self.blanks()?;
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        Ok(found)
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Why> {
        if self.take(symbol)? { Ok(()) } else { Err(format!("`{symbol}` is missing")) }
    }

    /// The name that comes next, without taking it.
    fn peek_name(&mut self) -> Result<&'t str, Why> {
        self.blanks()?;
        let rest = self.rest();
        if !rest.starts_with(is_name_start) {
            return Ok("");
        }
        Ok(&rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())])
    }

    fn word(&mut self, word: &str) -> Result<bool, Why> {
        let found = self.peek_name()? == word;
        if found {
            self.at += word.len();
        }
        Ok(found)
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Why> {
        if self.word(word)? { Ok(()) } else { Err(format!("`{word}` is missing")) }
    }

    fn name(&mut self) -> Result<String, Why> {
        let name = self.peek_name()?;
        if name.is_empty() {
            return Err(self.unexpected());
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Why>) -> Result<T, Why> {
        if self.depth >= QUERY_DEPTH_MAX {
            return Err(format!("it is nested deeper than {QUERY_DEPTH_MAX}"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn operator(&mut self) -> Result<(), Why> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            return Err(format!("it has more than {OPERATORS_MAX} operators"));
        }
        Ok(())
    }

    fn query(&mut self) -> Result<Query, Why> {
        self.deeper(|parser| {
            // `if` and `for` may also be names of elements, but no path begins with a name here.
            if parser.word("if")? {
                parser.expect("(")?;
                let condition = parser.query()?;
                parser.expect(")")?;
                parser.expect_word("then")?;
                let then = parser.query()?;
                parser.expect_word("else")?;
                return Ok(Query::If(Box::new((condition, then, parser.query()?))));
            }
            if parser.word("for")? {
                parser.expect("$")?;
                let variable = parser.name()?;
                parser.expect_word("in")?;
                let range = parser.query()?;
                parser.expect_word("return")?;
                return Ok(Query::For(Box::new(For { variable, range, body: parser.query()? })));
            }
            parser.or()
        })
    }

    fn or(&mut self) -> Result<Query, Why> {
        let mut left = self.and()?;
        while self.word("or")? {
            self.operator()?;
            left = Query::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Query, Why> {
        let mut left = self.comparison()?;
        while self.word("and")? {
            self.operator()?;
            left = Query::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Query, Why> {
        let left = self.sum()?;
        let symbols = [
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let words = [
            ("eq", Comparison::Equal),
            ("ne", Comparison::NotEqual),
            ("lt", Comparison::Less),
            ("le", Comparison::LessOrEqual),
            ("gt", Comparison::Greater),
            ("ge", Comparison::GreaterOrEqual),
        ];
        for (symbol, comparison) in symbols {
            if self.take(symbol)? {
                return Ok(Query::Compare(comparison, Box::new(left), Box::new(self.sum()?)));
            }
        }
        for (word, comparison) in words {
            if self.word(word)? {
                return Ok(Query::Compare(comparison, Box::new(left), Box::new(self.sum()?)));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Query, Why> {
        let mut left = self.product()?;
        loop {
            let operator = if self.take("+")? {
                Arithmetic::Add
            } else if self.take("-")? {
                Arithmetic::Subtract
            } else {
                return Ok(left);
            };
            self.operator()?;
            left = Query::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Query, Why> {
        let mut left = self.unary()?;
        loop {
            let operator = if self.take("*")? {
                Arithmetic::Multiply
            } else if self.word("div")? {
                Arithmetic::Divide
            } else if self.word("mod")? {
                Arithmetic::Remainder
            } else {
                return Ok(left);
            };
            self.operator()?;
            left = Query::Arithmetic(operator, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Query, Why> {
        if self.take("-")? {
            return self.deeper(|parser| Ok(Query::Negative(Box::new(parser.unary()?))));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Query, Why> {
        self.blanks()?;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Err(self.unexpected()) };
        match first {
            '\'' | '"' => self.text(first),
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '(' => {
                self.at += 1;
                if self.take(")")? {
                    return Ok(Query::Nothing);
                }
                let inner = self.query()?;
                self.expect(")")?;
                Ok(inner)
            }
            '{' => {
                // Some editors wrap a whole query in braces.
                self.at += 1;
                let inner = self.query()?;
                self.expect("}")?;
                Ok(inner)
            }
            '$' => {
                self.at += 1;
                let variable = Some(self.name()?);
                Ok(Query::Path(Path { variable, steps: self.steps()? }))
            }
            '/' => {
                if rest.starts_with("//") {
                    return Err("`//` is not understood: name every step of the path".to_owned());
                }
                let steps = self.steps()?;
                if steps.is_empty() {
                    return Err(self.unexpected());
                }
                Ok(Query::Path(Path { variable: None, steps }))
            }
            '<' => self.deeper(Self::element).map(Query::Element),
            c if is_name_start(c) => self.call(),
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self) -> Result<Query, Why> {
        let start = self.at;
        let mut name = self.name()?;
        if self.rest().starts_with(':') && self.rest()[1..].starts_with(is_name_start) {
            self.at += 1;
            name = format!("{name}:{}", self.name()?);
        }
        if !self.take("(")? {
            self.at = start;
            return Err(format!("`{name}` is not understood: a path begins with `/`, text is in quotes"));
        }
        let mut arguments = Vec::new();
        if !self.take(")")? {
            loop {
                arguments.push(self.query()?);
                if self.take(")")? {
                    break;
                }
                self.expect(",")?;
            }
        }
        Ok(Query::Call(name, arguments))
    }

    /// `/a/b/*`, `/a/text()`; perhaps none.
    fn steps(&mut self) -> Result<Vec<Step>, Why> {
        let mut steps = Vec::new();
        while self.rest().starts_with('/') {
            if self.rest().starts_with("//") {
                return Err("`//` is not understood: name every step of the path".to_owned());
            }
            self.at += 1;
            if self.take("*")? {
                steps.push(Step::Children);
                continue;
            }
            let name = self.name()?;
            let call = self.rest().starts_with('(');
            match name.as_str() {
                "text" if call => {
                    self.expect("(")?;
                    self.expect(")")?;
                    steps.push(Step::Text);
                }
                "node" if call => {
                    self.expect("(")?;
                    self.expect(")")?;
                    steps.push(Step::Children);
                }
                _ if call => return Err(format!("`{name}()` in a path is not understood")),
                _ => steps.push(Step::Child(name)),
            }
            if self.rest().starts_with('[') {
                return Err("a predicate in a path (`[…]`) is not understood".to_owned());
            }
        }
        Ok(steps)
    }

    fn text(&mut self, quote: char) -> Result<Query, Why> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let end = rest.find(quote).ok_or_else(|| "text is not closed".to_owned())?;
            text.push_str(&rest[..end]);
            self.at += end + 1;
            // A doubled quote stands for one.
            if !self.rest().starts_with(quote) {
                return Ok(Query::Text(resolve(&text)));
            }
            text.push(quote);
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Query, Why> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let digits = &rest[..end];
        if digits.matches('.').count() > 1 || rest[end..].starts_with(is_name_start) {
            return Err(self.unexpected());
        }
        self.at += end;
        Ok(Query::Number(digits.to_owned()))
    }

    fn element(&mut self) -> Result<Element, Why> {
        self.at += 1;
        if !self.rest().starts_with(is_name_start) {
            return Err(self.unexpected());
        }
        let name = self.name()?;
        if self.take("/>")? {
            return Ok(Element { name, content: Vec::new() });
        }
        if !self.take(">")? {
            return Err("attributes of a constructed element are not understood".to_owned());
        }
        let mut content = Vec::new();
        loop {
            let rest = self.rest();
            let end = rest.find(['<', '{', '}']).ok_or_else(|| format!("`</{name}>` is missing"))?;
            let (text, rest) = rest.split_at(end);
            self.at += end;
            if !text.trim().is_empty() {
                content.push(Content::Text(resolve(text)));
            }
            if rest.starts_with("{{") || rest.starts_with("}}") {
                self.at += 2;
                content.push(Content::Text(rest[..1].to_owned()));
            } else if rest.starts_with("</") {
                self.at += 2;
                let closed = self.name()?;
                self.expect(">")?;
                if closed != name {
                    return Err(format!("`<{name}>` is closed by `</{closed}>`"));
                }
                return Ok(Element { name, content });
            } else if rest.starts_with('<') {
                let inner = self.deeper(Self::element)?;
                content.push(Content::Query(Query::Element(inner)));
            } else if rest.starts_with('{') {
                self.at += 1;
                let inner = self.query()?;
                self.expect("}")?;
                content.push(Content::Query(inner));
            } else {
                return Err(self.unexpected());
            }
        }
    }
}

/// Text with XML's own entities in it.
fn resolve(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut resolved = text.to_owned();
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
        // `&amp;` is last: what it makes is not an entity again.
        resolved = resolved.replace(entity, character);
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match parse(text) {
            Ok(query) => format!("{query:?}"),
            Err(why) => format!("error: {why}"),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn paths() {
        check(
            "/data/time-fallback/text()",
            "Path(Path { variable: None, steps: [Child(\"data\"), Child(\"time-fallback\"), Text] })",
        );
        check(" $d/* ", "Path(Path { variable: Some(\"d\"), steps: [Children] })");
        check("//a", "error: `//` is not understood: name every step of the path, at character 1");
        check("/a/b[1]", "error: a predicate in a path (`[…]`) is not understood, at character 5");
        check("/a/b()", "error: `b()` in a path is not understood, at character 5");
        check(
            "whatever",
            "error: `whatever` is not understood: a path begins with `/`, text is in quotes, at character 1",
        );
    }

    #[test]
    fn operators_bind_as_in_xpath() {
        check(
            "1 + 2 * 3 = 7 or false()",
            "Or(Compare(Equal, Arithmetic(Add, Number(\"1\"), Arithmetic(Multiply, Number(\"2\"), Number(\"3\"))), Number(\"7\")), Call(\"false\", []))",
        );
        check(
            "/a/b - 1",
            "Arithmetic(Subtract, Path(Path { variable: None, steps: [Child(\"a\"), Child(\"b\")] }), Number(\"1\"))",
        );
        check(
            "/a/x lt 3 (: small :)",
            "Compare(Less, Path(Path { variable: None, steps: [Child(\"a\"), Child(\"x\")] }), Number(\"3\"))",
        );
        check("-1", "Negative(Number(\"1\"))");
        check(
            "average rating < 3",
            "error: `average` is not understood: a path begins with `/`, text is in quotes, at character 1",
        );
    }

    #[test]
    fn constructors() {
        check(
            "<a> {1}x{ () } </a>",
            "Element(Element { name: \"a\", content: [Query(Number(\"1\")), Text(\"x\"), Query(Nothing)] })",
        );
        check("<a/>", "Element(Element { name: \"a\", content: [] })");
        check(
            "<a><b>{{</b></a>",
            "Element(Element { name: \"a\", content: [Query(Element(Element { name: \"b\", content: [Text(\"{\")] }))] })",
        );
        check("<a>", "error: `</a>` is missing, at character 4");
        check("<a></b>", "error: `<a>` is closed by `</b>`, at character 8");
        check("<a b='c'/>", "error: attributes of a constructed element are not understood, at character 4");
    }

    #[test]
    fn loops_and_choices() {
        check(
            "for $d in /a/* return <x>{$d/text()}</x>",
            "For(For { variable: \"d\", range: Path(Path { variable: None, steps: [Child(\"a\"), Children] }), body: Element(Element { name: \"x\", content: [Query(Path(Path { variable: Some(\"d\"), steps: [Text] }))] }) })",
        );
        check("if(1)then 2 else()", "If((Number(\"1\"), Number(\"2\"), Nothing))");
    }

    #[test]
    fn depth_and_length_are_limited() {
        for deep in
            ["(".repeat(1_000), "-".repeat(1_000), "<a>".repeat(1_000), "not(".repeat(1_000), "<a>{".repeat(1_000)]
        {
            assert!(parse(&deep).is_err_and(|why| why.contains("nested deeper")), "{deep}");
        }
        assert!(parse(&"1 + ".repeat(5_000)).is_err_and(|why| why.contains("bytes")));
        assert!(parse(&"1+".repeat(2_000)).is_err_and(|why| why.contains("operators")));
    }

    #[test]
    fn text_may_hold_quotes_and_entities() {
        check("'it''s &lt;'", "Text(\"it's <\")");
        check("'open", "error: text is not closed, at character 2");
    }
}
