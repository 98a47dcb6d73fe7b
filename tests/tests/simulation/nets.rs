//! Nets that together have what the engine has to schedule: handlers, people, timers, signals, instances, subnets, cancellation.

/// Each has handlers called `sim` only, and roles that everybody has.
pub(crate) const NETS: [&str; 6] = [CHAIN, PEOPLE, REGION, SEVERAL, SIGNALS, INNER];

/// Signals that some net waits for.
pub(crate) const SIGNALS_SENT: [&str; 2] = ["now", "kept"];

const CHAIN: &str = r#"
actum: 1
net: chain
data: { n: { type: int, input: true, default: 0 } }
start: one
tasks:
  one: { handler: sim, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: two }
  two:
    handler: sim
    params: { n: "{{ n }}" }
    output: { n: "{{ result.n }}" }
    split: xor
    flow: [{ to: again, when: "n % 4 == 1" }, { to: end, default: true }]
  again: { handler: sim, params: { n: "{{ n }}" }, output: { n: "{{ n + 1 }}" }, flow: end }
"#;

const PEOPLE: &str = r#"
actum: 1
net: people
data: { n: { type: int, input: true, default: 0 }, ok: { type: bool } }
roles: { clerk: {} }
start: propose
tasks:
  propose: { role: clerk, flow: approve }
  approve:
    role: clerk
    separate_from: propose
    form: { ok: { type: bool, required: true } }
    output: { ok: "{{ result.ok }}" }
    split: xor
    flow: [{ to: book, when: ok }, { to: end, default: true }]
  book: { handler: sim, params: { n: "{{ n }}" }, flow: end }
"#;

const REGION: &str = r#"
actum: 1
net: region
data: { n: { type: int, input: true, default: 0 } }
roles: { clerk: {} }
start: begin
tasks:
  begin: { split: and, flow: [work, pause, stop] }
  work: { handler: sim, params: { n: "{{ n }}" }, flow: meet }
  pause: { wait: { for: PT1H }, flow: meet }
  stop: { role: clerk, cancels: [work, pause], flow: meet }
  meet: { join: or, flow: end }
"#;

const SEVERAL: &str = r#"
actum: 1
net: several
data: { n: { type: int, input: true, default: 0 }, all: { type: list } }
start: most
tasks:
  most:
    handler: sim
    params: { n: "{{ index }}" }
    instances: { count: 4, max: 6, add: true, threshold: 2, rest: cancel }
    output: { all: "{{ results }}" }
    flow: each
  each: { handler: sim, params: { n: "{{ index }}" }, instances: { count: "{{ n % 3 }}", min: 0, max: 3 }, flow: end }
"#;

const SIGNALS: &str = r"
actum: 1
net: signals
data: { n: { type: int, input: true, default: 0 } }
roles: { clerk: {} }
conditions: { open: { flow: [come, lapse] } }
start: begin
tasks:
  begin: { flow: open }
  come: { trigger: { signal: now }, flow: look }
  lapse: { wait: { for: PT2H }, flow: look }
  look: { role: clerk, trigger: { signal: kept, persistent: true }, join: xor, flow: end }
";

const INNER: &str = r#"
actum: 1
net: inner
data: { n: { type: int, input: true, default: 0 } }
mutexes: [desk]
start: begin
tasks:
  begin: { split: and, flow: [left, right] }
  left: { net: part, params: { n: "{{ n }}" }, mutex: [desk], flow: meet }
  right: { handler: sim, params: { n: "{{ n }}" }, mutex: [desk], exceptions: { timeout: { after: PT3H, do: complete } }, flow: meet }
  meet: { join: and, flow: end }
nets:
  part:
    data: { n: { type: int, input: true } }
    start: do
    tasks:
      do: { handler: sim, params: { n: "{{ n }}" }, flow: rest }
      rest: { wait: { for: PT10M }, flow: end }
"#;
