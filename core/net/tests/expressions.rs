//! Guards and templates as the kernel uses them.

use std::collections::BTreeMap;

use actum_model::{Decimal, Time, Value};
use actum_net::{Code, Fault, Guard, Net, Scope, Template, VariableIx, Work, compile};

/// Values of `any` variables `a` to `d`; what is missing was never set.
struct Data(Vec<Value>);

impl Scope for Data {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.0.get(variable.index())
    }

    fn result(&self) -> Option<&Value> {
        None
    }
}

fn net(task: &str) -> Net {
    let data = "data: { a: { type: any }, b: { type: any }, c: { type: any }, d: { type: any } }";
    let source = format!("actum: 1\nnet: n\n{data}\nstart: t\ntasks:\n  t: {{ {task} }}\n  u: {{ flow: end }}\n");
    compile(&source).unwrap_or_else(|found| panic!("{source}{found:#?}")).net
}

fn guard(text: &str) -> Guard {
    let text = text.replace('\'', "''");
    let net = net(&format!("split: xor, flow: [{{ to: u, when: '{text}' }}, {{ to: end, default: true }}]"));
    net.tasks[0].outputs[0].guard.clone().expect("a guard")
}

fn template(params: &str) -> Template {
    let net = net(&format!("handler: h, params: {params}, split: and, flow: [u, end]"));
    match &net.tasks[0].work {
        Work::Automatic { params, .. } => params.clone(),
        other => panic!("{other:?}"),
    }
}

fn check(text: &str, data: &[Value], expected: &Result<bool, Fault>) {
    let data = Data(data.to_vec());
    assert_eq!(guard(text).eval(&data).map_err(|error| error.fault), *expected, "{text}");
}

fn decimal(mantissa: i64, scale: u8) -> Value {
    Value::Decimal(Decimal { mantissa, scale })
}

#[test]
fn a_guard_that_errs_is_an_error_and_never_false() {
    check("a", &[], &Err(Fault::NotBool { got: "null" }));
    check("a == null", &[], &Ok(true));
    check("a.x == 1", &[Value::Map(BTreeMap::new())], &Err(Fault::NoSuchKey("x".to_owned())));
    check("has(a.x) && a.x == 1", &[Value::Map(BTreeMap::new())], &Ok(false));
    check("1 / a > 0", &[Value::Int(0)], &Err(Fault::DivisionByZero));
    check("a + 1 > 0", &[Value::Int(i64::MAX)], &Err(Fault::Overflow("+")));
    check("a.all(k, k != '')", &[Value::Map(BTreeMap::new())], &Err(Fault::MapIteration("all")));
}

#[test]
fn decimals_are_exact() {
    check("a == b", &[decimal(150, 2), decimal(15, 1)], &Ok(true));
    check("a == 2 && a < 3 && a > 1", &[decimal(2000, 3)], &Ok(true));
    check("a + b == decimal('0.3')", &[decimal(1, 1), decimal(2, 1)], &Ok(true));
    check("a * 3 == decimal('4.50')", &[decimal(150, 2)], &Ok(true));
    check("double(a) == 1.5 && int(a) == 1 && string(a) == '1.50'", &[decimal(150, 2)], &Ok(true));
    check("string(a) == '-0.05'", &[decimal(-5, 2)], &Ok(true));
    check("[a, b].sum() == decimal('3.25')", &[decimal(125, 2), Value::Int(2)], &Ok(true));
    check("a < 1.5", &[decimal(1, 0)], &Err(Fault::Type { operation: "<", got: "decimal, double".to_owned() }));
    check("a == 1.5", &[decimal(1, 0)], &Err(Fault::Type { operation: "==", got: "decimal, double".to_owned() }));
    check("a * a > 0", &[decimal(i64::MAX, 0)], &Err(Fault::Overflow("*")));
    check("a * a > 0", &[decimal(1, 10)], &Err(Fault::Overflow("*")));
    check("a / 2 > 0", &[decimal(1, 0)], &Err(Fault::Type { operation: "/", got: "decimal, int".to_owned() }));
}

#[test]
fn times_compare_and_convert() {
    let time = Value::Time(Time(1_784_073_600_000_000_000));
    check("a == timestamp('2026-07-15T00:00:00Z')", std::slice::from_ref(&time), &Ok(true));
    check("a < timestamp('2026-07-15T02:00:00.5+02:00')", std::slice::from_ref(&time), &Ok(true));
    check("string(a) == '2026-07-15T00:00:00Z' && int(a) == 1784073600", std::slice::from_ref(&time), &Ok(true));
    check(
        "timestamp(a) > timestamp('2026-01-01T00:00:00Z')",
        &[Value::String("tomorrow".to_owned())],
        &Err(Fault::Unreadable { function: "timestamp", text: "tomorrow".to_owned() }),
    );
}

#[test]
fn sums_add_numbers_only() {
    check("[].sum() == 0 && [1, 2].sum() == 3 && [0.5, 0.5].sum() == 1.0", &[], &Ok(true));
    check(
        "['x', 'y'].sum() == 'xy'",
        &[],
        &Err(Fault::Type { operation: "sum", got: "a list with string".to_owned() }),
    );
}

#[test]
fn costs_are_bounded_and_cannot_be_hidden() {
    let list = Value::List((0..3_000).map(Value::Int).collect());
    check("a.all(x, a.exists(y, y == x))", std::slice::from_ref(&list), &Err(Fault::TooCostly));
    check("a.all(x, a.exists(y, y == x)) || true", std::slice::from_ref(&list), &Err(Fault::TooCostly));
    check("a.exists(x, x == 2999)", std::slice::from_ref(&list), &Ok(true));
    let text = Value::String("x".repeat(100_000));
    check("a.map(x, b + b).size() > 0", &[list, text], &Err(Fault::TooCostly));
}

#[test]
fn a_whole_template_keeps_the_type() {
    let data = Data(vec![Value::Int(5), Value::String("x".to_owned()), decimal(1250, 2)]);
    let rendered = template("{ n: '{{ a + 1 }}', text: 'n={{ a }}, {{b}}, {{ c }}, {{ d }}, {{ [b, {\"k\": a}] }}', fixed: 7, list: ['{{ b }}', 1], brace: '{{ \"}}\" }}' }").render(&data).unwrap();
    let Value::Map(map) = rendered else { panic!("not a map") };
    assert_eq!(map["n"], Value::Int(6));
    assert_eq!(map["text"], Value::String("n=5, x, 12.50, null, [\"x\", {\"k\": 5}]".to_owned()));
    assert_eq!(map["fixed"], Value::Int(7));
    assert_eq!(map["list"], Value::List(vec![Value::String("x".to_owned()), Value::Int(1)]));
    assert_eq!(map["brace"], Value::String("}}".to_owned()));
    assert_eq!(template("{ n: 1 }").literal(), Some(&Value::Map(BTreeMap::from([("n".to_owned(), Value::Int(1))]))));
}

#[test]
fn what_cannot_be_stored_is_an_error() {
    let data = Data(vec![Value::Double(1e300)]);
    assert_eq!(template("{ n: '{{ a * a }}' }").render(&data).unwrap_err().code(), "eval/not-finite");
    let mut deep = Value::Int(1);
    for _ in 0..Value::DEPTH_MAX {
        deep = Value::List(vec![deep]);
    }
    assert_eq!(template("{ n: '{{ [a] }}' }").render(&Data(vec![deep])).unwrap_err().code(), "eval/too-deep");
}

#[test]
fn an_expression_that_fits_the_depth_limit_fits_a_small_stack() {
    let text = format!("{}1{} != []", "[".repeat(50), "]".repeat(50));
    let guard = guard(&text);
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let holds = thread.spawn(move || guard.eval(&Data(Vec::new()))).unwrap().join().unwrap();
    assert_eq!(holds, Ok(true));
}

#[test]
fn two_loops_may_nest_but_not_three() {
    check("[[1, 2], [3]].exists(row, row.exists(x, x == 3))", &[], &Ok(true));
    let source = "actum: 1\nnet: n\nstart: t\ntasks:\n  t: { output: { x: \"{{ [1].map(a, [1].map(b, [1].map(c, c))) }}\" }, flow: end }\ndata: { x: { type: list } }\n";
    assert_eq!(compile(source).unwrap_err()[0].code, Code::CelTooLarge);
}
