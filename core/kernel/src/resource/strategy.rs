//! Strategies: who of several gets the work.

use std::fmt;

use actum_model::{ActorId, ActorSet, Directory, Figures, TaskIx, Time};
use actum_net::{Net, Strategy};

use super::seed::below;
use super::{Held, Practice};

/// Thousandths of experience that one completed item brings.
const EXPERIENCE_OF_AN_ITEM_MILLI: u64 = 1_000;

/// Most candidates whose scores are all recorded; of more, only the chosen one's is.
const SCORES_MAX: usize = 16;

/// What a strategy chooses from, and what it knows.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The net that the work belongs to.
    pub net: &'a Net,
    /// Its task.
    pub task: TaskIx,
    /// Who may be chosen; nobody else.
    pub candidates: &'a ActorSet,
    /// The same, ascending, if that is at hand: it is a little faster.
    pub list: Option<&'a [ActorId]>,
    /// The organisation.
    pub directory: &'a Directory,
    /// What people have.
    pub held: Held<'a>,
    /// What people did of this task.
    pub practice: Practice<'a>,
    /// The time.
    pub now: Time,
    /// For random choices; it is recorded.
    pub seed: u64,
}

/// Who was chosen, and what the strategy compared: lower was better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Who.
    pub actor: ActorId,
    /// Scores of all candidates if they are few, else of the chosen one; empty if nothing was compared.
    pub scores: Vec<(ActorId, i64)>,
}

/// A strategy of one's own, registered under a name that nets give as `allocate: { own: NAME }`.
///
/// It must be a function of its argument: the same choice gives the same answer. What it answers is recorded, so a log does
/// not need it; only deciding does.
pub trait AllocationStrategy: fmt::Debug + Send + Sync {
    /// Chooses one of the candidates. `None`, or somebody who is none of them, means nobody.
    fn choose(&self, choice: &Choice<'_>) -> Option<Chosen>;
}

/// Chooses by a strategy of the language: nobody only if there are no candidates. See [`Strategy`] for ties.
///
/// Takes time linear in the number of candidates, and no memory but for the scores of few.
#[must_use]
pub fn choose(strategy: Strategy, choice: &Choice<'_>) -> Option<Chosen> {
    match choice.list {
        Some(list) => choose_of(strategy, choice, list.iter().copied()),
        None => choose_of(strategy, choice, choice.candidates.iter()),
    }
}

/// As [`choose`], without the record: only who.
#[must_use]
pub fn pick(strategy: Strategy, choice: &Choice<'_>) -> Option<ActorId> {
    match choice.list {
        Some(list) => pick_of(strategy, choice, list.iter().copied()),
        None => pick_of(strategy, choice, choice.candidates.iter()),
    }
    .map(|(actor, _)| actor)
}

fn choose_of(
    strategy: Strategy,
    choice: &Choice<'_>,
    candidates: impl Iterator<Item = ActorId> + Clone,
) -> Option<Chosen> {
    let (actor, score) = pick_of(strategy, choice, candidates.clone())?;
    if strategy == Strategy::Random {
        return Some(Chosen { actor, scores: Vec::new() });
    }
    let few = candidates.clone().nth(SCORES_MAX).is_none();
    let scores = match strategy {
        _ if !few => vec![(actor, score)],
        Strategy::Calendar => {
            let duty = Duty::of(choice);
            candidates.map(|candidate| (candidate, duty.score(candidate))).collect()
        }
        _ => candidates.map(|candidate| (candidate, score_of(strategy, choice, candidate))).collect(),
    };
    Some(Chosen { actor, scores })
}

/// The best candidate, and its score.
fn pick_of(
    strategy: Strategy,
    choice: &Choice<'_>,
    mut candidates: impl Iterator<Item = ActorId> + Clone,
) -> Option<(ActorId, i64)> {
    // One loop for each column, so that none decides in it what to compare.
    let (held, practice, figures) = (choice.held, choice.practice, choice.directory.figures());
    let last = practice.last;
    // Written out, so that no call is left in the loop.
    macro_rules! figure {
        ($name:ident) => {
            |index: usize| i64_of(figures.get(index).map_or(0, |figures| figures.$name))
        };
    }
    match strategy {
        Strategy::RoundRobinTime => least(candidates, last, |index| i64_of(entry(last, index))),
        Strategy::RoundRobinFrequency => least(candidates, last, |index| i64::from(entry(practice.given, index))),
        Strategy::RoundRobinExperience => least(candidates, last, |index| experience(figures, practice.done, index)),
        Strategy::ShortestQueue => least(candidates, last, |index| i64::from(entry(held.queued, index))),
        Strategy::LeastLoaded => least(candidates, last, |index| i64::from(entry(held.all, index))),
        Strategy::Cheapest => least(candidates, last, figure!(cost_milli)),
        Strategy::LeastRisk => least(candidates, last, figure!(risk_milli)),
        Strategy::Fastest => {
            let speed = figure!(speed_milli);
            least(candidates, last, |index| -speed(index))
        }
        Strategy::Calendar => {
            let duty = Duty::of(choice);
            least(candidates, last, |index| duty.score(ActorId(index as u32 + 1)))
        }
        Strategy::Random => {
            let count = choice.list.map_or_else(|| choice.candidates.len(), <[_]>::len);
            candidates.nth(below(choice.seed, count.max(1))).map(|actor| (actor, 0))
        }
        // A strategy that this version does not know chooses nobody; `compile` does not let such a net through.
        _ => None,
    }
}

fn score_of(strategy: Strategy, choice: &Choice<'_>, candidate: ActorId) -> i64 {
    pick_of(strategy, choice, std::iter::once(candidate)).map_or(0, |(_, score)| score)
}

/// The candidate of the lowest score; of several, to whom the task was given the longest ago; of several, the first.
#[inline]
fn least(
    candidates: impl Iterator<Item = ActorId>,
    last: &[u64],
    score: impl Fn(usize) -> i64,
) -> Option<(ActorId, i64)> {
    let mut best: Option<(ActorId, i64, u64)> = None;
    for actor in candidates {
        let index = (actor.0 as usize).wrapping_sub(1);
        let score = score(index);
        best = match best {
            Some(best) if best.1 < score => Some(best),
            Some(best) if best.1 == score && best.2 <= entry(last, index) => Some(best),
            _ => Some((actor, score, entry(last, index))),
        };
    }
    best.map(|(actor, score, _)| (actor, score))
}

#[inline]
fn entry<T: Copy + Default>(column: &[T], index: usize) -> T {
    column.get(index).copied().unwrap_or_default()
}

fn experience(figures: &[Figures], done: &[u32], index: usize) -> i64 {
    let brought = figures.get(index).map_or(0, |figures| figures.experience_milli);
    i64_of(brought.saturating_add(u64::from(entry(done, index)) * EXPERIENCE_OF_AN_ITEM_MILLI))
}

fn i64_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Who is on duty how long: on duty, minus the nanosecond until which; off duty, the nanosecond at which they come.
struct Duty<'a> {
    choice: &'a Choice<'a>,
    /// The score of each calendar that somebody keeps, with who keeps it.
    calendars: Vec<(i64, &'a ActorSet)>,
}

impl<'a> Duty<'a> {
    /// Always on duty, or never.
    const ALWAYS: i64 = i64::MIN + 1;
    const NEVER: i64 = i64::MAX;

    fn of(choice: &'a Choice<'a>) -> Self {
        let now = choice.now;
        let score = |calendar: Option<&actum_model::Calendar>| match calendar {
            Some(calendar) if calendar.is_on(now) => {
                calendar.on_until(now).map_or(Self::ALWAYS, |until| -i64_of(until.0))
            }
            Some(calendar) => calendar.on_next(now).map_or(Self::NEVER, |next| i64_of(next.0)),
            None => Self::NEVER,
        };
        let calendars = choice.directory.kept_calendars().map(|(calendar, who)| (score(calendar), who)).collect();
        Duty { choice, calendars }
    }

    fn score(&self, actor: ActorId) -> i64 {
        let kept = self.calendars.iter().find(|(_, who)| who.contains(actor));
        let score = kept.map_or(Self::ALWAYS, |(score, _)| *score);
        let now = self.choice.now;
        let absences = self.choice.directory.actor(actor).map_or(&[][..], |actor| &actor.absences);
        let near = absences.iter().filter(|absence| absence.until > now).min_by_key(|absence| absence.from);
        match near {
            Some(absence) if absence.from <= now => i64_of(absence.until.0).max(score),
            Some(absence) if score < 0 => score.max(-i64_of(absence.from.0)),
            _ => score,
        }
    }
}
