//! From the syntax tree to the compiled form: names become ordinals, and types are checked as far as they are known.

use actum_model::Value;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::comprehension::macro_of;
use super::function::{CallStyle, Function};
use super::node::{Arithmetic, Comparison, Loop, LoopKind, Node};
use super::parse::{find_word, parse};
use super::static_type::{self, StaticType};
use super::{EXPRESSION_DEPTH_MAX, Expression, Given, LOOP_DEPTH_MAX};
use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::VariableIx;
use crate::suggest::suggestion;

/// What an expression may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// The subnet's variables, in the order of their ordinals, which is that of their names.
    pub(crate) variables: &'a [(&'a str, ValueKind)],
    /// The ordinal of the first of them.
    pub(crate) first: VariableIx,
    /// What else is seen here.
    pub(crate) given: &'a [Given],
    /// What is known of the task's result.
    pub(crate) result: ResultShape<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum ResultShape<'a> {
    /// It may not be read here; the hint says what to do instead.
    Absent(&'static str),
    /// It is a map of anything.
    Open,
    /// It is a list: what the instances gave back.
    List,
    /// It has exactly these fields.
    Fields(&'a [(&'a str, StaticType)]),
}

const NOT_DECLARED: &str = "declare it under `data:`, or put quotes around it if it is text";

/// Something wrong in an expression.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    /// The first byte concerned, in the expression's text.
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Finding {
    pub(super) fn new(code: Code, at: usize, message: String, hint: Option<String>) -> Self {
        Self { code, at, message, hint }
    }
}

/// Compiles an expression, and tells its type.
pub(crate) fn compile(text: &str, names: Names<'_>) -> Result<(Expression, StaticType), Vec<Finding>> {
    let tree = parse(text).map_err(|finding| vec![finding])?;
    let mut compiler = Compiler { text, names, locals: Vec::new(), depth: 0, findings: Vec::new() };
    let (root, kind) = compiler.node(&tree);
    // Two mistakes on one spot are mostly one mistake.
    compiler.findings.dedup_by(|second, first| second.at == first.at && second.code == first.code);
    if compiler.findings.is_empty() { Ok((Expression::new(text.trim(), root), kind)) } else { Err(compiler.findings) }
}

struct Compiler<'a> {
    text: &'a str,
    names: Names<'a>,
    /// Variables of enclosing loops, the innermost last.
    locals: Vec<String>,
    depth: usize,
    findings: Vec<Finding>,
}

/// A list of literals is a literal: made once, not at every evaluation.
fn literal_list(items: &[Node]) -> Option<Node> {
    let literal = |node: &Node| match node {
        Node::Literal(value) => Some(value.clone()),
        _ => None,
    };
    items.iter().map(literal).collect::<Option<Vec<_>>>().map(|items| Node::Literal(Value::List(items)))
}

type Typed = (Node, StaticType);

const NOTHING: Typed = (Node::Literal(Value::Null), StaticType::Dynamic);
const BOOL: StaticType = StaticType::Known(ValueKind::Bool);

impl Compiler<'_> {
    fn find(&mut self, code: Code, word: &str, message: String, hint: Option<String>) -> Typed {
        let at = find_word(self.text, word);
        self.findings.push(Finding::new(code, at, message, hint));
        NOTHING
    }

    fn node(&mut self, tree: &IdedExpr) -> Typed {
        if self.depth >= EXPRESSION_DEPTH_MAX {
            if !self.findings.iter().any(|finding| finding.code == Code::CelTooLarge) {
                let message = format!("the expression is nested deeper than {EXPRESSION_DEPTH_MAX}");
                self.findings.push(Finding::new(Code::CelTooLarge, 0, message, None));
            }
            return NOTHING;
        }
        self.depth += 1;
        let typed = match &tree.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => {
                let (operand, kind) = self.node(&select.operand);
                let field = self.field(&operand, kind, &select.field);
                if select.test {
                    (Node::Has(Box::new(operand), select.field.clone()), BOOL)
                } else {
                    (Node::Select(Box::new(operand), select.field.clone()), field)
                }
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) if list.optional_indices.is_empty() => {
                let items: Vec<Node> = list.elements.iter().map(|item| self.node(item).0).collect();
                (literal_list(&items).unwrap_or(Node::List(items)), StaticType::Known(ValueKind::List))
            }
            Expr::Map(map) => self.map(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Struct(message) => {
                let what = format!("nets have no message types, such as `{}`", message.type_name);
                self.find(Code::CelSyntax, &message.type_name, what, Some("write a map: `{\"key\": value}`".to_owned()))
            }
            Expr::List(_) | Expr::Unspecified => {
                self.find(Code::CelSyntax, "?", "nets do not have this part of CEL".to_owned(), None)
            }
        };
        self.depth -= 1;
        typed
    }

    fn literal(&mut self, literal: &LiteralValue) -> Typed {
        let value = match literal {
            LiteralValue::Boolean(truth) => Value::Bool(truth.into_inner()),
            LiteralValue::Bytes(bytes) => Value::Bytes(bytes.inner().to_vec()),
            LiteralValue::Double(number) if !number.is_finite() => {
                return self.find(Code::CelSyntax, "", "the number does not fit".to_owned(), None);
            }
            LiteralValue::Double(number) => Value::Double(number.into_inner()),
            LiteralValue::Int(number) => Value::Int(number.into_inner()),
            LiteralValue::Null => Value::Null,
            LiteralValue::String(text) => Value::String(text.inner().to_owned()),
            LiteralValue::UInt(number) => {
                let hint = Some(format!("write `{}`", number.inner()));
                let message = "nets have no unsigned integers".to_owned();
                return self.find(Code::CelSyntax, &format!("{}u", number.inner()), message, hint);
            }
        };
        let kind = StaticType::of_value(&value);
        (Node::Literal(value), kind)
    }

    fn name(&mut self, name: &str) -> Typed {
        let name = name.trim_start_matches('.');
        if let Some(levels) = self.locals.iter().rev().position(|local| local == name) {
            return (Node::Local(levels as u32), StaticType::Dynamic);
        }
        if name == "result" {
            if let ResultShape::Absent(hint) = self.names.result {
                let message = "`result` cannot be read here".to_owned();
                return self.find(Code::UnknownVariable, name, message, Some(hint.to_owned()));
            }
            // A handler may give back any value; a form always gives a map.
            let kind = match self.names.result {
                ResultShape::Fields(_) => StaticType::Known(ValueKind::Map),
                ResultShape::List => StaticType::Known(ValueKind::List),
                _ => StaticType::Dynamic,
            };
            return (Node::Result, kind);
        }
        if let Some(given) = self.names.given.iter().find(|given| given.name() == name) {
            return (Node::Given(*given), given.kind());
        }
        if let Ok(at) = self.names.variables.binary_search_by(|(variable, _)| (*variable).cmp(name)) {
            let kind = StaticType::of_kind(self.names.variables[at].1);
            return (Node::Variable(VariableIx::of(self.names.first.index() + at)), kind);
        }
        let known = self.names.variables.iter().map(|(variable, _)| *variable);
        let given = self.names.given.iter().map(|given| given.name());
        let hint = Self::place_of(name).map(str::to_owned);
        let hint = hint.or_else(|| suggestion(name, known.chain(given).chain(["result"])));
        let hint = hint.or_else(|| Some(NOT_DECLARED.to_owned()));
        self.find(Code::UnknownVariable, name, format!("there is no case variable `{name}`"), hint)
    }

    /// Where a name is seen that is not seen here.
    fn place_of(name: &str) -> Option<&'static str> {
        match name {
            "each" => Some("`each` is seen in `params` and `input` of a task with `instances: { each: … }`"),
            "index" => Some("`index` is seen in `params` and `input` of a task with `instances`"),
            "completed" | "active" => Some("this is seen in `until` of `instances`"),
            "results" => Some("`results` is seen in `until`, and in `output` of a task with `instances`"),
            "who" => Some("`who` is seen in `when` of `resources`"),
            _ => None,
        }
    }

    fn field(&mut self, operand: &Node, kind: StaticType, field: &str) -> StaticType {
        if !kind.may_be(&[ValueKind::Map]) {
            self.find(Code::CelType, field, format!("{} has no fields, such as `{field}`", kind.name()), None);
        }
        let (Node::Result, ResultShape::Fields(fields)) = (operand, self.names.result) else {
            return StaticType::Dynamic;
        };
        if let Some((_, kind)) = fields.iter().find(|(name, _)| *name == field) {
            return *kind;
        }
        let hint = suggestion(field, fields.iter().map(|(name, _)| *name));
        self.find(Code::UnknownField, field, format!("the task's result has no field `{field}`"), hint).1
    }

    fn map<'t>(&mut self, entries: impl Iterator<Item = &'t EntryExpr>) -> Typed {
        let mut nodes = Vec::new();
        for entry in entries {
            let EntryExpr::MapEntry(entry) = entry else { continue };
            let (key, kind) = self.node(&entry.key);
            if !kind.may_be(&[ValueKind::String]) {
                self.find(Code::CelType, "{", format!("the key of a map must be a string, not {}", kind.name()), None);
            }
            nodes.push((key, self.node(&entry.value).0));
        }
        (Node::Map(nodes), StaticType::Known(ValueKind::Map))
    }

    fn call(&mut self, call: &CallExpr) -> Typed {
        let name = call.func_name.as_str();
        let arguments: Vec<Typed> =
            call.target.iter().map(AsRef::as_ref).chain(&call.args).map(|tree| self.node(tree)).collect();
        if call.target.is_none() {
            match <[Typed; 1]>::try_from(arguments) {
                Ok([operand]) if name == operators::LOGICAL_NOT => {
                    self.must_be_bool("!", &[operand.1]);
                    return (Node::Not(Box::new(operand.0)), BOOL);
                }
                Ok([operand]) if name == operators::NEGATE => return self.negation(operand),
                Ok(arguments) => return self.function(name, false, Vec::from(arguments)),
                Err(arguments) => match <[Typed; 2]>::try_from(arguments) {
                    Ok([left, right]) => return self.binary(name, left, right),
                    Err(arguments) => match <[Typed; 3]>::try_from(arguments) {
                        Ok([condition, then, otherwise]) if name == operators::CONDITIONAL => {
                            self.must_be_bool("?:", &[condition.1]);
                            let kind = then.1.either(otherwise.1);
                            return (Node::Conditional(Box::new((condition.0, then.0, otherwise.0))), kind);
                        }
                        Ok(arguments) => return self.function(name, false, Vec::from(arguments)),
                        Err(arguments) => return self.function(name, false, arguments),
                    },
                },
            }
        }
        self.function(name, true, arguments)
    }

    /// A negated literal is a literal.
    fn negation(&mut self, (operand, kind): Typed) -> Typed {
        if !kind.may_be(&[ValueKind::Int, ValueKind::Double, ValueKind::Decimal]) {
            return self.find(Code::CelType, "-", format!("`-` does not take {}", kind.name()), None);
        }
        let node = match operand {
            Node::Literal(Value::Int(number)) if number != i64::MIN => Node::Literal(Value::Int(-number)),
            Node::Literal(Value::Double(number)) => Node::Literal(Value::Double(-number)),
            operand => Node::Negate(Box::new(operand)),
        };
        (node, kind)
    }

    fn binary(&mut self, name: &str, left: Typed, right: Typed) -> Typed {
        let kinds = [left.1, right.1];
        let (l, r) = (Box::new(left.0), Box::new(right.0));
        let comparison = match name {
            operators::LESS => Some(Comparison::Less),
            operators::LESS_EQUALS => Some(Comparison::LessOrEqual),
            operators::GREATER => Some(Comparison::Greater),
            operators::GREATER_EQUALS => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            if !static_type::may_compare(comparison, kinds[0], kinds[1]) {
                return self.mismatch(comparison.symbol(), kinds, BOOL);
            }
            return (Node::Compare(comparison, l, r), BOOL);
        }
        let operator = match name {
            operators::ADD => Some(Arithmetic::Add),
            operators::SUBSTRACT => Some(Arithmetic::Subtract),
            operators::MULTIPLY => Some(Arithmetic::Multiply),
            operators::DIVIDE => Some(Arithmetic::Divide),
            operators::MODULO => Some(Arithmetic::Remainder),
            _ => None,
        };
        if let Some(operator) = operator {
            return match static_type::arithmetic(operator, kinds[0], kinds[1]) {
                Some(kind) => (Node::Arithmetic(operator, l, r), kind),
                None => self.mismatch(operator.symbol(), kinds, StaticType::Dynamic),
            };
        }
        match name {
            operators::LOGICAL_AND => {
                self.must_be_bool("&&", &kinds);
                (Node::And(l, r), BOOL)
            }
            operators::LOGICAL_OR => {
                self.must_be_bool("||", &kinds);
                (Node::Or(l, r), BOOL)
            }
            operators::EQUALS | operators::NOT_EQUALS if !static_type::may_equal(kinds[0], kinds[1]) => {
                self.mismatch(if name == operators::EQUALS { "==" } else { "!=" }, kinds, BOOL)
            }
            operators::EQUALS => (Node::Equal(l, r), BOOL),
            operators::NOT_EQUALS => (Node::NotEqual(l, r), BOOL),
            operators::IN if !kinds[1].may_be(&[ValueKind::List, ValueKind::Map]) => self.mismatch("in", kinds, BOOL),
            operators::IN => (Node::In(l, r), BOOL),
            operators::INDEX if !kinds[0].may_be(&[ValueKind::List, ValueKind::Map]) => {
                self.mismatch("[", kinds, StaticType::Dynamic)
            }
            operators::INDEX => (Node::Index(l, r), StaticType::Dynamic),
            _ => self.function(name, false, vec![(*l, kinds[0]), (*r, kinds[1])]),
        }
    }

    fn mismatch(&mut self, symbol: &str, kinds: [StaticType; 2], kind: StaticType) -> Typed {
        let numbers = [ValueKind::Decimal, ValueKind::Double, ValueKind::Int];
        let hint = (kinds[0] != kinds[1]
            && kinds.iter().all(|kind| matches!(kind, StaticType::Known(kind) if numbers.contains(kind))))
        .then(|| "convert one side: `double(x)`, `int(x)` or `decimal(\"1.50\")`".to_owned());
        let message = format!("`{symbol}` does not take {} and {}", kinds[0].name(), kinds[1].name());
        let at = self.text.find(symbol).unwrap_or(0);
        self.findings.push(Finding::new(Code::CelType, at, message, hint));
        (Node::Literal(Value::Null), kind)
    }

    fn must_be_bool(&mut self, symbol: &str, kinds: &[StaticType]) {
        if let Some(kind) = kinds.iter().find(|kind| !kind.may_be(&[ValueKind::Bool])) {
            let at = self.text.find(symbol.get(..1).unwrap_or(symbol)).unwrap_or(0);
            let message = format!("`{symbol}` takes bool, not {}", kind.name());
            self.findings.push(Finding::new(Code::CelType, at, message, None));
        }
    }

    fn function(&mut self, name: &str, method: bool, arguments: Vec<Typed>) -> Typed {
        let Some(function) = Function::from_name(name) else {
            let hint = match name {
                "length" | "lenght" | "len" | "count" => Some("use `size`".to_owned()),
                "matches" => {
                    Some("there are no regular expressions; use `contains`, `startsWith` or `endsWith`".to_owned())
                }
                _ => suggestion(name, Function::ALL.iter().map(|function| function.name()))
                    .or_else(|| Some("see the README of actum-net for the functions there are".to_owned())),
            };
            return self.find(Code::CelUnknownFunction, name, format!("there is no function `{name}`"), hint);
        };
        let (count, style) = function.call_style();
        if arguments.len() != count || style == if method { CallStyle::Global } else { CallStyle::Method } {
            let spelling = match (style, count) {
                (CallStyle::Method, 1) => format!("x.{name}()"),
                (CallStyle::Method, _) => format!("x.{name}(y)"),
                _ => format!("{name}(x)"),
            };
            return self.find(
                Code::CelType,
                name,
                format!("`{name}` is not called like this"),
                Some(format!("write `{spelling}`")),
            );
        }
        if let Some((_, kind)) = arguments.first()
            && !function.takes().is_empty()
            && !kind.may_be(function.takes())
        {
            return self.find(Code::CelType, name, format!("`{name}` does not take {}", kind.name()), None);
        }
        (Node::Call(function, arguments.into_iter().map(|argument| argument.0).collect()), function.gives())
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Typed {
        let Some((kind, predicate, transform)) = macro_of(comprehension) else {
            return self.find(Code::CelSyntax, "?", "nets do not have this macro of CEL".to_owned(), None);
        };
        let (range, range_kind) = self.node(&comprehension.iter_range);
        if range_kind == StaticType::Known(ValueKind::Map) {
            let hint =
                Some("the order of a map's keys means nothing; keep a list of what is to be iterated".to_owned());
            self.find(Code::CelMapIteration, kind.name(), format!("`{}` cannot iterate over a map", kind.name()), hint);
        } else if !range_kind.may_be(&[ValueKind::List]) {
            self.find(
                Code::CelType,
                kind.name(),
                format!("`{}` does not take {}", kind.name(), range_kind.name()),
                None,
            );
        }
        if self.locals.len() >= LOOP_DEPTH_MAX {
            let message = format!("loops are nested deeper than {LOOP_DEPTH_MAX}");
            return self.find(Code::CelTooLarge, kind.name(), message, None);
        }
        self.locals.push(comprehension.iter_var.clone());
        let predicate = predicate.map(|tree| {
            let (node, kind) = self.node(tree);
            self.must_be_bool("(", &[kind]);
            node
        });
        let transform = transform.map(|tree| self.node(tree).0);
        self.locals.pop();
        let gives = match kind {
            LoopKind::Filter | LoopKind::Map => StaticType::Known(ValueKind::List),
            _ => BOOL,
        };
        (Node::Loop(Box::new(Loop { kind, range, predicate, transform })), gives)
    }
}
