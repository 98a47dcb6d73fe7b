//! What comes of simulated work: a pure function of the seed, the case's key, the task and how often it was done.

use std::collections::BTreeMap;

use actum::{ActorId, Decimal, Net, Time, Value};
use actum_model::TaskIx;
use actum_net::{Field, TaskPlay, ValueKind, Work};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Minutes that work takes when the net does not say.
const MINUTES: (u32, u32) = (5, 60);

/// What a simulated person does with an item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// How long it takes.
    pub(crate) minutes: u32,
    /// What is given back.
    pub(crate) result: Value,
    /// Who of several chooses, and which of several items is begun first.
    pub(super) rank: u64,
}

/// The outcome of the `visit`-th time (from 1) that `task` is done in the case with a key.
pub(crate) fn outcome(seed: u64, key: &str, net: &Net, task: TaskIx, visit: u32) -> Outcome {
    let mut hasher = blake3::Hasher::new_derive_key("actum 2026 play 1");
    hasher.update(&seed.to_le_bytes()).update(&(key.len() as u64).to_le_bytes()).update(key.as_bytes());
    // Tasks of different subnets may have the same name.
    let task_name = if task.index() < net.tasks.len() { net.task_label(task) } else { String::new() };
    hasher.update(task_name.as_bytes()).update(&visit.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(hasher.finalize().into());
    let rank = random.next_u64();
    let play = net.play.tasks.iter().find(|play| play.task == task);
    let (least, most) = play.map_or(MINUTES, |play| play.minutes);
    let minutes = least + below(&mut random, u64::from(most.saturating_sub(least)) + 1) as u32;
    let result = match play {
        Some(play) => pick(play, &mut random),
        None => made_up(net, task, &mut random),
    };
    Outcome { minutes, result, rank }
}

/// Minutes until the signal comes for which a task waits for the `visit`-th time (from 1) in the case with a key; `None` if the
/// net does not say that it ever does.
pub(crate) fn signal_minutes(seed: u64, key: &str, net: &Net, signal: &str, visit: u32) -> Option<u32> {
    let (least, most) = net.play.signals.iter().find(|play| play.signal == signal)?.minutes;
    let mut hasher = blake3::Hasher::new_derive_key("actum 2026 play signal 1");
    hasher.update(&seed.to_le_bytes()).update(&(key.len() as u64).to_le_bytes()).update(key.as_bytes());
    hasher.update(signal.as_bytes()).update(&visit.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(hasher.finalize().into());
    Some(least + below(&mut random, u64::from(most.saturating_sub(least)) + 1) as u32)
}

impl Outcome {
    /// Puts people into the order in which they are asked.
    pub(super) fn shuffle(&self, people: &mut [ActorId]) {
        let mut random = ChaCha8Rng::seed_from_u64(self.rank);
        for last in (1..people.len()).rev() {
            people.swap(last, below(&mut random, last as u64 + 1) as usize);
        }
    }
}

/// A number below `bound`. The bias is below 2^-32 for all bounds used here.
fn below(random: &mut ChaCha8Rng, bound: u64) -> u64 {
    random.next_u64() % bound.max(1)
}

fn pick(play: &TaskPlay, random: &mut ChaCha8Rng) -> Value {
    let total = play.results.iter().map(|result| u64::from(result.weight)).sum();
    let mut left = below(random, total);
    for result in &play.results {
        match left.checked_sub(u64::from(result.weight)) {
            Some(rest) => left = rest,
            None => return result.result.clone(),
        }
    }
    Value::Map(BTreeMap::new())
}

/// The required fields of a form, filled in with something that fits.
fn made_up(net: &Net, task: TaskIx, random: &mut ChaCha8Rng) -> Value {
    let form: &[Field] = match net.tasks.get(task.index()).map(|task| &task.work) {
        Some(Work::Manual { form, .. }) => form,
        _ => &[],
    };
    let required = form.iter().filter(|field| field.required);
    Value::Map(required.map(|field| (field.name.clone(), something(field.kind, random))).collect())
}

fn something(kind: ValueKind, random: &mut ChaCha8Rng) -> Value {
    let number = below(random, 100) as i64;
    match kind {
        ValueKind::Bool => Value::Bool(number >= 50),
        ValueKind::Int => Value::Int(number),
        ValueKind::Double => Value::Double(number as f64),
        ValueKind::Decimal => Value::Decimal(Decimal { mantissa: number, scale: 0 }),
        ValueKind::Bytes => Value::Bytes(Vec::new()),
        ValueKind::Time => Value::Time(Time(0)),
        ValueKind::List => Value::List(Vec::new()),
        ValueKind::Map => Value::Map(BTreeMap::new()),
        _ => Value::String("played".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NET: &str = "
actum: 1
net: tiny
data: { ok: { type: bool } }
roles: { clerk: {} }
start: look
tasks:
  look:
    role: clerk
    form: { ok: { type: bool, required: true } }
    output: { ok: '{{ result.ok }}' }
    flow: sign
  sign: { role: clerk, form: { name: { type: string, required: true }, sum: { type: decimal } }, flow: end }
play:
  tasks:
    look:
      minutes: [3, 5]
      results:
        - { weight: 3, result: { ok: true } }
        - { weight: 1, result: { ok: false } }
";

    fn ok(outcome: &Outcome) -> bool {
        matches!(&outcome.result, Value::Map(fields) if fields["ok"] == Value::Bool(true))
    }

    #[test]
    fn outcomes_depend_on_seed_key_task_and_visit_alone() {
        let net = actum_net::compile(NET).unwrap().net;
        let look = net.task("look").unwrap();
        let of = |seed, key: &str, visit| outcome(seed, key, &net, look, visit);
        assert_eq!(of(7, "a", 1), of(7, "a", 1));
        for other in [of(8, "a", 1), of(7, "b", 1), of(7, "a", 2)] {
            assert_ne!(of(7, "a", 1).rank, other.rank);
        }
    }

    #[test]
    fn weights_and_minutes_are_kept() {
        let net = actum_net::compile(NET).unwrap().net;
        let all: Vec<Outcome> =
            (0..2_000).map(|key| outcome(7, &key.to_string(), &net, net.task("look").unwrap(), 1)).collect();
        let good = all.iter().filter(|outcome| ok(outcome)).count();
        assert!((1_400..1_600).contains(&good), "{good} of 2000");
        assert!(all.iter().all(|outcome| (3..=5).contains(&outcome.minutes)));
        assert!((3..=5).all(|minutes| all.iter().any(|outcome| outcome.minutes == minutes)));
    }

    #[test]
    fn a_form_without_play_is_filled_in() {
        let net = actum_net::compile(NET).unwrap().net;
        let Value::Map(fields) = outcome(7, "a", &net, net.task("sign").unwrap(), 1).result else { panic!("a map") };
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["name"], "only what is required");
    }

    #[test]
    fn signals_come_within_their_minutes_and_only_if_the_net_says_so() {
        let net = "actum: 1\nnet: s\nstart: a\ntasks:\n  a: { trigger: { signal: go }, flow: end }\nplay: { signals: { go: { minutes: [10, 12] } } }\n";
        let net = actum_net::compile(net).unwrap().net;
        let minutes: std::collections::BTreeSet<u32> =
            (0..100).filter_map(|visit| signal_minutes(7, "a", &net, "go", visit)).collect();
        assert!(minutes.iter().copied().eq(10..=12), "{minutes:?}");
        assert_eq!(signal_minutes(7, "a", &net, "stop", 1), None);
    }

    #[test]
    fn everybody_is_asked_first_at_times() {
        let net = actum_net::compile(NET).unwrap().net;
        let first = |key: u64| {
            let mut people = [1, 2, 3].map(ActorId);
            outcome(7, &key.to_string(), &net, net.task("look").unwrap(), 1).shuffle(&mut people);
            people[0]
        };
        let firsts: std::collections::BTreeSet<ActorId> = (0..50).map(first).collect();
        assert_eq!(firsts.len(), 3);
    }
}
