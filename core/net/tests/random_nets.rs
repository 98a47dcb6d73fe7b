//! Random nets of all constructs: they compile, survive the canonical form, and the schema knows them.

use std::fmt::Write as _;

use actum_net::{JSON_SCHEMA, Net, compile};
use proptest::prelude::*;

/// Decisions, one after the other; zeros when they run out, so that every sequence makes a net.
struct Dice<'d>(std::slice::Iter<'d, u8>);

impl Dice<'_> {
    fn roll(&mut self, sides: u8) -> u8 {
        self.0.next().map_or(0, |roll| roll % sides)
    }

    fn pick<'p>(&mut self, choices: &[&'p str]) -> &'p str {
        choices[usize::from(self.roll(u8::try_from(choices.len()).unwrap()))]
    }

    fn maybe(&mut self, text: &str) -> String {
        if self.roll(3) == 1 { format!("{text}, ") } else { String::new() }
    }
}

const SUBNETS: u8 = 3;

/// The body of a net: a chain of steps, each a small structure of tasks. `own` is 0 for the root.
struct Writer<'d, 'r> {
    dice: &'r mut Dice<'d>,
    own: u8,
    implicit: bool,
    tasks: String,
    conditions: String,
    compensated: bool,
}

impl Writer<'_, '_> {
    fn task(&mut self, name: &str, keys: &str, flow: &str) {
        let title = self.dice.maybe("title: \"A \\\"title\\\"\"");
        writeln!(self.tasks, "{name}: {{ {title}{keys}{flow} }},").unwrap();
    }

    /// Whatever a task may do, besides where it leads.
    fn work(&mut self, name: &str) -> String {
        let instances = if self.dice.roll(3) == 1 {
            let count = self.dice.pick(&["count: 3", "count: \"{{ n }}\"", "each: \"{{ list }}\"", "each: [1, 2]"]);
            let min = self.dice.pick(&["", ", min: 0", ", min: 1", ", min: 2"]);
            let max = self.dice.pick(&["", ", max: 10", ", max: 10000"]);
            let more = self.dice.pick(&["", ", add: true", ", add: false", ", add: true, threshold: 0"]);
            let until = self.dice.pick(&["", ", until: \"completed > 1 || results.size() > active\""]);
            let rest = self.dice.pick(&["", ", rest: run", ", rest: cancel"]);
            format!("instances: {{ {count}{min}{max}{more}{until}{rest} }}, ")
        } else {
            String::new()
        };
        let index = if instances.is_empty() { "n" } else { "index" };
        let work = match self.dice.roll(6) {
            0 => String::new(),
            1 => {
                let policies = self.dice.pick(&[
                    "",
                    "policies: [{ timeout: PT1M }, { retry: { attempts: 5, on: ['b*', a], jitter: false } }, { timeout: PT1S }], ",
                    "policies: { retry: { backoff: linear, delay: PT1S, max: PT5S }, rate: { calls: 3, per: PT1S }, pool: p, on_error: ignore }, ",
                    "policies: [{ priority: 0 }, { retry: none }], ",
                    "policies: [{ breaker: { probes: 2, fallback: { result: [1] } } }, { concurrency: 4 }, { queue: 9 }, { lease: PT9S }], ",
                    "policies: { on_error: { result: { a: \"{{ any }}\" } }, pool: { name: p, units: 2 }, priority: 9 }, ",
                ]);
                format!("handler: h, {policies}params: {{ x: \"{{{{ {index} }}}}\" }}, ")
            }
            2 => format!("role: Clerk.1, input: {{ x: [\"{{{{ {index} }}}}\"] }}, form: {{ v: {{ type: int }} }}, "),
            3 => format!(
                "wait: {{ {} }}, ",
                self.dice.pick(&["for: PT1H", "for: \"{{ length }}\"", "until: \"{{ due }}\""])
            ),
            // Only into nets that come later: recursion has a step of its own.
            4 if self.own < SUBNETS => {
                let net = self.own + 1 + self.dice.roll(SUBNETS - self.own);
                format!(
                    "net: N{net}, params: {{ n: \"{{{{ {index} }}}}\" }}, output: {{ any: \"{{{{ result }}}}\" }}, "
                )
            }
            _ => "handler: g, output: { any: \"{{ result }}\" }, ".to_owned(),
        };
        let mutex = self.dice.maybe("mutex: m");
        let trigger = self.dice.pick(&["", "trigger: { signal: Go }, ", "trigger: { signal: s, persistent: true }, "]);
        let cancels = if self.dice.roll(4) == 1 { format!("cancels: [{name}, start], ") } else { String::new() };
        let reads = if self.dice.roll(5) == 1 { "reads: [m], " } else { "" };
        let answer =
            self.dice.pick(&["continue", "suspend", "fail", "{ do: remove, scope: case }", "{ compensate: undo }"]);
        let exceptions = match self.dice.roll(6) {
            1 => format!("exceptions: {{ abort: {answer}, violation: {{ when: \"n > 1\", do: restart }} }}, "),
            2 => format!("exceptions: {{ external: {{ a: {answer}, B.c: complete }} }}, "),
            _ => String::new(),
        };
        self.compensated |= exceptions.contains("undo");
        format!("{work}{instances}{mutex}{trigger}{cancels}{reads}{exceptions}")
    }

    /// One step, from the task `s{at}` to `next` (or to nowhere).
    fn step(&mut self, at: usize, next: &str) {
        let s = format!("s{at}");
        let on = if next.is_empty() { String::new() } else { format!("flow: {next}") };
        match self.dice.roll(6) {
            0 => {
                let work = self.work(&s);
                self.task(&s, &work, &on);
            }
            1 => {
                let join =
                    self.dice.pick(&["and", "or", "{ of: 2 }", "{ of: 1, rest: block }", "{ of: 2, rest: cancel }"]);
                self.task(&s, "", &format!("split: and, flow: [{s}a, {{ to: {s}b }}, {s}c]"));
                for branch in ["a", "b", "c"] {
                    let name = format!("{s}{branch}");
                    let work = self.work(&name);
                    self.task(&name, &work, &format!("flow: {s}j"));
                }
                self.task(&format!("{s}j"), &format!("join: {join}, cancels: [\"{s}a->{s}j\", {s}b], "), &on);
            }
            2 => {
                let split = self.dice.pick(&["xor", "or"]);
                self.task(
                    &s,
                    "",
                    &format!("split: {split}, flow: [{{ to: {s}a, when: \"n > 1\" }}, {{ to: {s}j, default: true }}]"),
                );
                let work = self.work(&format!("{s}a"));
                self.task(&format!("{s}a"), &work, &format!("flow: {s}j"));
                self.task(&format!("{s}j"), "join: xor, ", &on);
            }
            3 => {
                writeln!(self.conditions, "{s}p: {{ flow: {s}t }},").unwrap();
                self.task(&s, "", &format!("flow: [{{ to: {s}p, tokens: 3 }}]"));
                self.task(&format!("{s}t"), &format!("takes: {{ {s}p: 3 }}, "), &on);
            }
            4 => {
                writeln!(self.conditions, "{s}p: {{ flow: [{s}x, {s}y] }},").unwrap();
                self.task(&s, "enter: [k], ", &format!("flow: {s}p"));
                for branch in ["x", "y"] {
                    let name = format!("{s}{branch}");
                    let work = self.work(&name);
                    self.task(&name, &work, &format!("flow: {s}j"));
                }
                self.task(&format!("{s}j"), "join: xor, leave: k, ", &on);
            }
            _ => {
                // Recursion, or in the root a loop, that a choice leads past.
                let again = if self.own == 0 {
                    String::new()
                } else {
                    format!("net: N{}, params: {{ n: \"{{{{ n - 1 }}}}\" }}, ", self.own)
                };
                self.task(
                    &s,
                    "join: xor, ",
                    &format!("split: xor, flow: [{{ to: {s}r, when: \"n > 0\" }}, {{ to: {s}o, default: true }}]"),
                );
                self.task(&format!("{s}r"), &again, &format!("flow: {s}"));
                self.task(&format!("{s}o"), "", &on);
            }
        }
    }

    fn body(mut self) -> String {
        let steps = usize::from(1 + self.dice.roll(3));
        for at in 0..steps {
            let next = if at + 1 < steps {
                format!("s{}", at + 1)
            } else if self.implicit {
                String::new()
            } else {
                "end".to_owned()
            };
            self.step(at, &next);
        }
        if self.compensated {
            self.tasks.push_str("undo: { compensates: true, handler: undo },\n");
        }
        let termination = if self.implicit { "termination: implicit, " } else { "" };
        format!(
            "data: {{ n: {{ type: int, input: true, default: 1 }}, list: {{ type: list }}, length: {{ type: string }}, due: {{ type: time }}, any: {{ type: any }} }},
            {termination}mutexes: [m, k], start: s0,\nconditions: {{ {} }},\ntasks: {{ {} }}\n",
            self.conditions, self.tasks
        )
    }
}

fn source(rolls: &[u8]) -> String {
    let mut dice = Dice(rolls.iter());
    let mut body = |own| {
        let implicit = dice.roll(3) == 1;
        let (tasks, conditions) = (String::new(), String::new());
        Writer { dice: &mut dice, own, implicit, tasks, conditions, compensated: false }.body()
    };
    let (root, first, second, third) = (body(0), body(1), body(2), body(3));
    format!(
        "{{ actum: 1, net: Random, policies: {{ concurrency: 9, pools: {{ p: 3, q: engine }} }}, roles: {{ Clerk.1: {{ title: Clerk }} }}, {root}, nets: {{ N3: {{ {third} }}, N1: {{ {first} }}, N2: {{ {second} }} }} }}"
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_random_net_survives_the_canonical_form(rolls in prop::collection::vec(any::<u8>(), 0..300)) {
        let source = source(&rolls);
        let net = compile(&source).map_err(|found| TestCaseError::fail(format!("{found:#?}\n{source}")))?.net;
        prop_assert_eq!(&Net::from_canonical(&net.canonical).unwrap(), &net);
        let json: serde_json::Value = serde_json::from_slice(&net.canonical).unwrap();
        let schema = SCHEMA.with(Clone::clone);
        let errors: Vec<_> = schema.iter_errors(&json).map(|error| format!("{} {error}", error.instance_path())).collect();
        prop_assert!(errors.is_empty(), "{:?}\n{}", errors, source);
        // Written by hand or by the machine, it is the same net.
        prop_assert_eq!(&compile(&json.to_string()).unwrap().net.hash, &net.hash);
    }
}

thread_local! {
    static SCHEMA: std::rc::Rc<jsonschema::Validator> =
        std::rc::Rc::new(jsonschema::validator_for(&serde_json::from_str(JSON_SCHEMA).unwrap()).unwrap());
}

/// The property says something only if the nets hold what it is about.
#[test]
fn random_nets_hold_every_construct() {
    let mut missing = vec![
        "\"takes\":",
        "\"tokens\":3",
        "\"reads\":",
        "\"mutex\":",
        "\"enter\":",
        "\"leave\":",
        "\"cancels\":",
        "\"of\":2",
        "\"rest\":\"block\"",
        "\"rest\":\"cancel\"",
        "\"termination\":\"implicit\"",
        "\"trigger\":",
        "\"persistent\":true",
        "\"count\":3",
        "\"each\":\"{{ list }}\"",
        "\"min\":0",
        "\"max\":10}",
        "\"add\":true",
        "\"threshold\":0",
        "\"until\":\"completed",
        "\"wait\":{\"for\":",
        "\"wait\":{\"until\":",
        "\"net\":\"N1\"",
        "\"net\":\"N3\"",
        "\"compensate\":\"undo\"",
        "\"scope\":\"case\"",
        "\"violation\":",
        "\"external\":",
        "\"join\":\"or\"",
        "\"split\":\"or\"",
    ];
    let mut seed = 1_u64;
    for _ in 0..400 {
        let rolls: Vec<u8> = (0..300)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 56) as u8
            })
            .collect();
        let text = String::from_utf8(compile(&source(&rolls)).unwrap().net.canonical).unwrap();
        missing.retain(|construct| !text.contains(construct));
    }
    assert_eq!(missing, [""; 0]);
}
