//! Which rules an event can concern, by its kind and task: worked out once per net, so that most events cost a look-up.

use actum_model::TaskIx;
use actum_net::{Net, Query};
use rustc_hash::FxHashMap;

use super::rule::{Grouping, Pattern, Rule};
use super::vocabulary::{KINDS, Name, is_of_task};

/// A rule that an event of a kind and task may concern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    pub(super) rule: u16,
    /// Patterns that fit by kind and task; their conditions are still to be asked.
    pub(super) patterns: Vec<u8>,
}

/// The routes of a net's events, or of the system's.
#[derive(Debug)]
pub(super) struct Plan {
    /// Place of the net among those of the log.
    pub(super) net: u32,
    /// The different lists of routes; few, however many tasks there are. The first is empty.
    lists: Vec<Vec<Route>>,
    /// By kind, then by task (the first is for events without one): the place of the list.
    places: Vec<Vec<u32>>,
    /// Rules that are about the net.
    pub(super) rules: Vec<u16>,
    pub(super) reads_vars: bool,
    pub(super) reads_frame: bool,
}

/// Places of kinds in [`KINDS`].
#[derive(Debug)]
pub(super) struct Kinds(FxHashMap<&'static str, u16>);

impl Kinds {
    pub(super) fn new() -> Self {
        Self(KINDS.iter().copied().zip(0..).collect())
    }

    pub(super) fn place(&self, kind: &str) -> Option<usize> {
        self.0.get(kind).map(|place| usize::from(*place))
    }
}

impl Plan {
    pub(super) fn of_net(rules: &[Rule], net: &Net, place: u32) -> Self {
        let labels: Vec<String> = (0..net.tasks.len()).map(|task| net.task_label(TaskIx::of(task))).collect();
        Self::new(rules, place, &labels, |rule| rule.is_about(&net.name))
    }

    /// For events of no case: only rules across cases can be about them.
    pub(super) fn of_system(rules: &[Rule]) -> Self {
        Self::new(rules, u32::MAX, &[], |rule| matches!(rule.grouping, Grouping::Across(_)) && rule.nets.is_empty())
    }

    fn new(rules: &[Rule], net: u32, tasks: &[String], is_about: impl Fn(&Rule) -> bool) -> Self {
        let about: Vec<(u16, &Rule)> = (0..).zip(rules).filter(|(_, rule)| is_about(rule)).collect();
        let mut lists = Lists { lists: vec![Vec::new()], places: FxHashMap::from_iter([(Vec::new(), 0)]) };
        let mut route = |kind: &str, task: Option<&String>| {
            let of_rule = |(place, rule): &(u16, &Rule)| {
                let fits = (0..).zip(&rule.patterns).filter(|(_, pattern)| fits(pattern, kind, task));
                let patterns: Vec<u8> = fits.map(|(at, _)| at).collect();
                (!patterns.is_empty()).then_some(Route { rule: *place, patterns })
            };
            lists.place(about.iter().filter_map(of_rule).collect())
        };
        let mut of_kind = |kind: &&'static str| -> Vec<u32> {
            let tasks = if is_of_task(kind) { tasks } else { &[] };
            std::iter::once(None).chain(tasks.iter().map(Some)).map(|task| route(kind, task)).collect()
        };
        let places = KINDS.iter().map(&mut of_kind).collect();
        let reads = |name: Name| about.iter().any(|(_, rule)| rule.queries().any(|query| query_reads(query, name)));
        Self {
            net,
            lists: lists.lists,
            places,
            rules: about.iter().map(|(place, _)| *place).collect(),
            reads_vars: reads(Name::Vars),
            reads_frame: reads(Name::Frame),
        }
    }

    pub(super) fn routes(&self, kind: usize, task: Option<TaskIx>) -> &[Route] {
        let places = &self.places[kind];
        // A task that the net does not have is none that a rule names.
        let place = places.get(task.map_or(0, |task| task.index() + 1)).or(places.first()).copied().unwrap_or(0);
        &self.lists[place as usize]
    }
}

/// Lists of routes, each kept once.
struct Lists {
    lists: Vec<Vec<Route>>,
    places: FxHashMap<Vec<Route>, u32>,
}

impl Lists {
    fn place(&mut self, list: Vec<Route>) -> u32 {
        if let Some(place) = self.places.get(&list) {
            return *place;
        }
        let place = self.lists.len() as u32;
        self.lists.push(list.clone());
        self.places.insert(list, place);
        place
    }
}

fn query_reads(query: &Query, name: Name) -> bool {
    query.reads(name as usize)
}

fn fits(pattern: &Pattern, kind: &str, task: Option<&String>) -> bool {
    let kind_fits = pattern.kinds.is_empty() || pattern.kinds.contains(&kind);
    kind_fits && (pattern.tasks.is_empty() || task.is_some_and(|task| pattern.tasks.contains(task)))
}
