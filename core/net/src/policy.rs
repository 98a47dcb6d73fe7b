//! Policies: what is done when automatic work fails, takes long, or is too much at once.
//!
//! They are declared per task in an order that means something, the outermost first, as layers around the handler's call: what stands before
//! `retry` holds for all attempts together, what stands after it for each one. Limits and the breaker are asked in their
//! order, and a later one is not asked when an earlier one lets the call wait or refuses it.

use crate::expression::Template;
use crate::net::{ConditionIx, VariableIx};

/// Most attempts that a policy may ask for.
pub const ATTEMPTS_MAX: u32 = 1_000;

/// Calls of one task that may wait for a limit, unless its policies say otherwise; more are shed.
pub const WAITING_DEFAULT: u32 = 10_000;

/// Highest priority; 0 is the lowest, and what tasks have that do not say.
pub const PRIORITY_MAX: u8 = 9;

/// The policies of a task whose work is automatic.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policies {
    /// Whether and when a failed attempt is followed by another.
    pub retry: Option<Retry>,
    /// So many nanoseconds after the first attempt began, the item fails, whatever attempts are left.
    pub deadline_ns: Option<u64>,
    /// How long one attempt may take.
    pub timeout: Option<Timeout>,
    /// A handler that gives no sign of life for so many nanoseconds is taken for dead, and its item is given out again.
    pub lease_ns: Option<u64>,
    /// What is asked before the handler is called, in this order.
    pub gates: Vec<Gate>,
    /// Which of the calls that wait goes first: 0 to [`PRIORITY_MAX`].
    pub priority: u8,
    /// How many calls may wait.
    pub waiting_max: u32,
    /// What becomes of an item that failed for good.
    pub on_error: OnError,
}

/// Whether and when a failed attempt is followed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// How the delay grows.
    pub backoff: Backoff,
    /// The first delay, in nanoseconds.
    pub delay_ns: u64,
    /// The longest delay, in nanoseconds, before jitter.
    pub delay_most_ns: u64,
    /// By how much an exponential delay grows each time: 2 to 10.
    pub factor: u32,
    /// Whether each delay is changed by up to a quarter, by chance, so that items that failed together do not come back
    /// together. The seed is recorded.
    pub jitter: bool,
    /// How often work is tried at most, the first time included: 1 to [`ATTEMPTS_MAX`].
    pub attempts: u32,
    /// How many retries all items of the task in one case may use together.
    pub budget: Option<u32>,
    /// Codes that are tried again. If there are none: all but those of `work/`, which say that the net's own data is at fault.
    pub on: Vec<CodePattern>,
    /// Codes that are not.
    pub except: Vec<CodePattern>,
}

impl Retry {
    /// Whether a failure of this code is tried again at all.
    #[must_use]
    pub fn takes(&self, code: &str) -> bool {
        let on = if self.on.is_empty() {
            !code.starts_with("work/")
        } else {
            self.on.iter().any(|pattern| pattern.matches(code))
        };
        on && !self.except.iter().any(|pattern| pattern.matches(code))
    }

    /// Nanoseconds before the given retry (from 1), before jitter.
    #[must_use]
    pub fn delay_before(&self, retry: u32) -> u64 {
        let retry = retry.max(1);
        let delay = match self.backoff {
            Backoff::Fixed => self.delay_ns,
            Backoff::Linear => self.delay_ns.saturating_mul(u64::from(retry)),
            Backoff::Exponential => {
                let growth = u64::from(self.factor).checked_pow(retry - 1).unwrap_or(u64::MAX);
                self.delay_ns.saturating_mul(growth)
            }
        };
        delay.min(self.delay_most_ns)
    }
}

/// How the delay before a retry grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backoff {
    /// Not at all.
    Fixed,
    /// By the first delay each time.
    Linear,
    /// By a factor each time.
    #[default]
    Exponential,
}

/// A failure's code, in which `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodePattern(String);

impl CodePattern {
    pub(crate) fn new(text: &str) -> Self {
        CodePattern(text.to_owned())
    }

    /// As the author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern fits all of the code. Takes time in the product of both lengths at most.
    #[must_use]
    pub fn matches(&self, code: &str) -> bool {
        let (pattern, code) = (self.0.as_bytes(), code.as_bytes());
        // Greedy with one way back: to the last star, which then takes one more byte.
        let (mut at, mut read, mut star) = (0, 0, None);
        while read < code.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, read));
                    at += 1;
                }
                Some(letter) if *letter == code[read] => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((last, from)) = star else { return false };
                    star = Some((last, from + 1));
                    (at, read) = (last + 1, from + 1);
                }
            }
        }
        pattern[at..].iter().all(|letter| *letter == b'*')
    }
}

/// How long one attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// In nanoseconds.
    pub after_ns: u64,
    /// Whether the time counts from when the attempt begins to wait for the limits behind it, and not only from the
    /// handler's call.
    pub counts_waiting: bool,
}

/// What is asked before a handler is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// What it is.
    pub kind: GateKind,
    /// Whether it is asked for each attempt, and not only for the first one.
    pub each: bool,
}

/// See [`Gate`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum GateKind {
    /// A token bucket: so many calls in a time.
    Rate {
        /// How many.
        calls: u32,
        /// In how many nanoseconds.
        per_ns: u64,
        /// How many may come at once.
        burst: u32,
    },
    /// So many calls of the task at once, over all cases of the net.
    Concurrency(u32),
    /// Some units of a pool that several tasks share.
    Pool {
        /// Which, by its place among the net's pools.
        pool: usize,
        /// How many units one call takes.
        units: u32,
    },
    /// Keeps calls from a handler that keeps failing.
    Breaker(Breaker),
}

/// A circuit breaker of a handler. All tasks that use the handler under a breaker share its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Breaker {
    /// So many failures in a row open it.
    pub threshold: u32,
    /// How many nanoseconds it stays open.
    pub open_ns: u64,
    /// How many calls may try it at once after that, while all others are still refused.
    pub probes: u32,
    /// Codes that count as failures; all of them if there are none.
    pub on: Vec<CodePattern>,
    /// What a call that is refused gives instead; nothing: the attempt fails.
    pub fallback: Option<OnError>,
}

/// What becomes of an item that failed for good.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum OnError {
    /// It waits, as a dead letter, until somebody tries it again or drops it.
    #[default]
    Halt,
    /// The case goes on as if it had been done; its output changes nothing.
    Ignore,
    /// The case goes on through one of the task's flows.
    Flow {
        /// Where the flow leads.
        to: ConditionIx,
        /// The variable that becomes a map of the failure's `code`, `message` and `attempts`.
        error: Option<VariableIx>,
    },
    /// It is done, with this result.
    Result(Template),
}

/// Policies of a net as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetPolicies {
    /// How many handlers' calls of the net's cases run at once.
    pub concurrency: Option<u32>,
    /// Pools that its tasks may use, by name.
    pub pools: Vec<Pool>,
}

/// A pool of units that calls take while they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The author's name.
    pub name: String,
    /// How many units it has for all cases of this net; nothing: the engine's pool of that name, which all nets share.
    pub units: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_codes() {
        for (pattern, code, wanted) in [
            ("http/503", "http/503", true),
            ("http/503", "http/5030", false),
            ("http/5*", "http/503", true),
            ("http/5*", "http/404", false),
            ("*", "", true),
            ("*", "anything", true),
            ("", "", true),
            ("", "x", false),
            ("*/timeout", "handler/timeout", true),
            ("*/timeout", "handler/timeouts", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbX", false),
            ("**a", "ba", true),
        ] {
            assert_eq!(CodePattern::new(pattern).matches(code), wanted, "{pattern} {code}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = CodePattern::new(&"*a".repeat(100));
        assert!(!pattern.matches(&"a".repeat(5_000).replace('a', "b")));
        assert!(pattern.matches(&"a".repeat(5_000)));
    }

    #[test]
    fn delays_grow_as_declared_and_never_overflow() {
        let retry = |backoff| Retry {
            backoff,
            delay_ns: 100,
            delay_most_ns: 1_000,
            factor: 2,
            jitter: false,
            attempts: 9,
            budget: None,
            on: vec![],
            except: vec![],
        };
        let delays = |backoff| [1, 2, 3, 4, 5, u32::MAX].map(|at| retry(backoff).delay_before(at));
        assert_eq!(delays(Backoff::Fixed), [100; 6]);
        assert_eq!(delays(Backoff::Linear), [100, 200, 300, 400, 500, 1_000]);
        assert_eq!(delays(Backoff::Exponential), [100, 200, 400, 800, 1_000, 1_000]);
    }
}
