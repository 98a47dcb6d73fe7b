//! Each kind of rule against its definition: quantifiers over the positions of a whole trace, as RULES.md states them.

use proptest::prelude::*;

use super::kit::{History, rule};

/// An event of a case: task 0 to 3 (`a` to `d`), when, by whom.
#[derive(Debug, Clone, Copy)]
struct Step {
    task: u8,
    second: u64,
    actor: u32,
}

/// A case from its start at second 0 to its end, or to the end of the log.
#[derive(Debug, Clone)]
struct Trace {
    steps: Vec<Step>,
    /// When it ended; or when the log did.
    end: u64,
    is_open: bool,
}

impl Trace {
    fn all(&self, task: u8) -> impl Iterator<Item = usize> + Clone + '_ {
        (0..self.steps.len()).filter(move |at| self.steps[*at].task == task)
    }

    fn has(&self, task: u8, within: std::ops::Range<usize>) -> bool {
        self.all(task).any(|at| within.contains(&at))
    }

    fn second(&self, at: usize) -> u64 {
        self.steps[at].second
    }

    fn took(&self, from: usize, to: usize) -> u64 {
        self.second(to) - self.second(from)
    }

    /// Something that may still come, or whose time is over, or that the case's end made impossible.
    fn lacking(&self, since: u64, within: Option<u64>) -> Verdict {
        let is_over = within.is_some_and(|within| self.end - since > within);
        if self.is_open && !is_over { Verdict::Pending } else { Verdict::Violated }
    }
}

/// The gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Vacuous,
    Satisfied,
    Pending,
    Violated,
}

use Verdict::{Pending, Satisfied, Vacuous, Violated};

const A: u8 = 0;
const B: u8 = 1;

fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.max().unwrap_or(Vacuous)
}

fn kept(holds: bool) -> Verdict {
    if holds { Satisfied } else { Violated }
}

fn response(t: &Trace, within: Option<u64>) -> Verdict {
    worst(t.all(A).map(|i| {
        let mut answers = t.all(B).filter(|j| *j > i);
        if answers.clone().any(|j| within.is_none_or(|within| t.took(i, j) <= within)) {
            return Satisfied;
        }
        if answers.next().is_some() { Violated } else { t.lacking(t.second(i), within) }
    }))
}

fn precedence(t: &Trace, within: Option<u64>) -> Verdict {
    let before = |j: usize| t.all(A).any(|i| i < j && within.is_none_or(|within| t.took(i, j) <= within));
    worst(t.all(B).map(|j| kept(before(j))))
}

fn absence(t: &Trace, at_most: usize, within: Option<u64>) -> Verdict {
    let many = |j: usize| t.all(A).filter(|i| *i <= j && within.is_none_or(|within| t.took(*i, j) <= within)).count();
    kept(t.all(A).all(|j| many(j) <= at_most))
}

fn existence(t: &Trace, at_least: usize, at_most: usize, within: Option<u64>) -> Verdict {
    let in_time = t.all(A).filter(|i| within.is_none_or(|within| t.second(*i) <= within)).count();
    if t.all(A).count() > at_most {
        return Violated;
    }
    if in_time >= at_least { Satisfied } else { t.lacking(0, within) }
}

fn four_eyes(t: &Trace) -> Verdict {
    let pairs = t.all(A).flat_map(|i| t.all(B).map(move |j| (i, j)));
    worst(pairs.map(|(i, j)| kept(t.steps[i].actor != t.steps[j].actor)))
}

fn all_different(t: &Trace) -> Verdict {
    let pairs = t.all(A).flat_map(|i| t.all(A).filter(move |j| *j > i).map(move |j| (i, j)));
    worst(pairs.map(|(i, j)| kept(t.steps[i].actor != t.steps[j].actor)))
}

/// From each first `a` since the last measurement to the next `b`.
fn within(t: &Trace, most: u64, least: u64) -> Verdict {
    let is_first = |i: &usize| {
        let measured = t.all(B).filter(|j| j < i).last();
        !t.has(A, measured.map_or(0, |j| j + 1)..*i)
    };
    worst(t.all(A).filter(is_first).map(|i| match t.all(B).find(|j| *j > i) {
        Some(j) => kept((least..=most).contains(&t.took(i, j))),
        None if t.end - t.second(i) > most => Violated,
        None if t.is_open => Pending,
        None => Satisfied,
    }))
}

fn never_after(t: &Trace, within: Option<u64>) -> Verdict {
    let pairs = t.all(A).flat_map(|i| t.all(B).filter(move |j| *j > i).map(move |j| (i, j)));
    let broken = pairs.map(|(i, j)| t.took(i, j)).any(|took| within.is_none_or(|within| took <= within));
    worst(t.all(A).map(|_| kept(!broken)))
}

fn exclusion(t: &Trace) -> Verdict {
    let (a, b) = (t.has(A, 0..t.steps.len()), t.has(B, 0..t.steps.len()));
    if a || b { kept(!(a && b)) } else { Vacuous }
}

fn responded_existence(t: &Trace) -> Verdict {
    worst(t.all(A).map(|_| if t.has(B, 0..t.steps.len()) { Satisfied } else { t.lacking(0, None) }))
}

fn alternate_response(t: &Trace) -> Verdict {
    worst(t.all(A).map(|i| {
        let next = t.all(A).find(|k| *k > i);
        let answered = t.all(B).any(|j| j > i && next.is_none_or(|next| j < next));
        match (answered, next) {
            (true, _) => Satisfied,
            (false, Some(_)) => Violated,
            (false, None) => t.lacking(0, None),
        }
    }))
}

fn alternate_precedence(t: &Trace) -> Verdict {
    worst(t.all(B).map(|j| kept(t.all(A).any(|i| i < j && !t.has(B, i + 1..j)))))
}

/// All steps are work that is done, so that all of them lie between.
fn chain_response(t: &Trace) -> Verdict {
    worst(t.all(A).map(|i| match t.steps.get(i + 1) {
        Some(next) => kept(next.task == B),
        None => t.lacking(0, None),
    }))
}

fn chain_precedence(t: &Trace) -> Verdict {
    worst(t.all(B).map(|j| kept(j > 0 && t.steps[j - 1].task == A)))
}

type Definition = fn(&Trace) -> Verdict;

const RULES: [(&str, Definition); 20] = [
    ("response: { after: a, then: b }", |t| response(t, None)),
    ("response: { after: a, then: b, within: PT3S }", |t| response(t, Some(3))),
    ("precedence: { only: b, after: a }", |t| precedence(t, None)),
    ("precedence: { only: b, after: a, within: PT3S }", |t| precedence(t, Some(3))),
    ("absence: { never: a }", |t| absence(t, 0, None)),
    ("absence: { never: a, at-most: 2 }", |t| absence(t, 2, None)),
    ("absence: { never: a, at-most: 1, within: PT3S }", |t| absence(t, 1, Some(3))),
    ("existence: { of: a }", |t| existence(t, 1, usize::MAX, None)),
    ("existence: { of: a, at-least: 2, at-most: 3, within: PT5S }", |t| existence(t, 2, 3, Some(5))),
    ("four-eyes: { of: [a, b] }", four_eyes),
    ("four-eyes: { of: a }", all_different),
    ("within: { from: a, to: b, at-most: PT4S, at-least: PT1S }", |t| within(t, 4, 1)),
    ("never-after: { never: b, after: a }", |t| never_after(t, None)),
    ("never-after: { never: b, after: a, within: PT3S }", |t| never_after(t, Some(3))),
    ("exclusion: { of: [a, b] }", exclusion),
    ("responded-existence: { if: a, then: b }", responded_existence),
    ("alternate-response: { after: a, then: b }", alternate_response),
    ("alternate-precedence: { only: b, after: a }", alternate_precedence),
    ("chain-response: { after: a, next: b }", chain_response),
    ("chain-precedence: { only: b, after: a }", chain_precedence),
];

fn trace() -> impl Strategy<Value = Trace> {
    let step = (0..4_u8, 0..4_u64, 1..4_u32);
    (prop::collection::vec(step, 0..9), 0..4_u64, any::<bool>()).prop_map(|(steps, pause, is_open)| {
        let mut second = 0;
        let steps: Vec<Step> = steps
            .into_iter()
            .map(|(task, pause, actor)| {
                second += pause;
                Step { task, second, actor }
            })
            .collect();
        Trace { steps, end: second + pause, is_open }
    })
}

fn history(traces: &[Trace]) -> History {
    let mut log = History::new();
    for (case, _) in (1..).zip(traces) {
        log.start(case, None);
    }
    // All cases go on side by side, so that what a rule remembers of one cannot be another's.
    let mut all: Vec<(u64, u64, Step)> = Vec::new();
    for (case, trace) in (1..).zip(traces) {
        all.extend(trace.steps.iter().map(|step| (step.second, case, *step)));
    }
    all.sort_by_key(|(second, case, _)| (*second, *case));
    let newest = traces.iter().map(|trace| trace.end).max().unwrap_or(0);
    let mut ended: Vec<(u64, u64)> = Vec::new();
    ended.extend((1..).zip(traces).filter(|(_, trace)| !trace.is_open).map(|(case, trace)| (trace.end, case)));
    ended.sort_unstable();
    let mut ended = ended.into_iter().peekable();
    for (second, case, step) in all {
        while let Some((end, ending)) = ended.next_if(|(end, _)| *end < second) {
            log.at(end).complete(ending);
        }
        let task = ["a", "b", "c", "d"][usize::from(step.task)];
        log.at(second).by(step.actor).done(case, task);
    }
    for (end, case) in ended {
        log.at(end).complete(case);
    }
    // The log goes on to there: time passes for open cases.
    log.at(newest).start(9_999, None).complete(9_999);
    log
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_kind_says_what_its_definition_says(traces in prop::collection::vec(trace(), 1..5)) {
        let newest = traces.iter().map(|trace| trace.end).max().unwrap_or(0);
        let log = history(&traces);
        for (text, definition) in RULES {
            let mut expected = [0_u64; 4];
            for trace in &traces {
                // What is open is open until the log ends.
                let end = if trace.is_open { newest } else { trace.end };
                expected[definition(&Trace { end, ..trace.clone() }) as usize] += 1;
            }
            // The last case is empty, and ended at once.
            let empty = Trace { steps: Vec::new(), end: 0, is_open: false };
            expected[definition(&empty) as usize] += 1;
            let report = log.judged(&rule(text));
            let rule = &report.rules[0];
            let got = [rule.vacuous, rule.satisfied, rule.pending, rule.violated];
            prop_assert_eq!(got, expected, "{}", text);
        }
    }
}
