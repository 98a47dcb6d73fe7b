//! Dependencies between crates, as `cargo tree` lists them, against the table of rooms.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use crate::tidy::Finding;

/// A crate of the workspace.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) uses: Uses,
}

/// Which crates of the workspace it may name.
pub(crate) enum Uses {
    Only(&'static [&'static str]),
    /// Those at the edge of the system: tools, tests and benches.
    All,
}

/// A foreign crate, and the crates of the workspace that may name it.
pub(crate) struct Owner {
    pub(crate) of: &'static str,
    pub(crate) names: &'static [&'static str],
}

/// Who names whom. Versions of one crate count as one.
#[derive(Default)]
pub(crate) struct Graph {
    members: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// From lines of `depth name version …`, where a crate's dependencies follow it, the first time it is listed.
    pub(crate) fn from_cargo_tree(text: &str) -> Result<Self> {
        let mut graph = Self::default();
        let mut above: Vec<String> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let depth = words.next().and_then(|depth| depth.parse::<usize>().ok());
            let (depth, name) = depth.zip(words.next()).with_context(|| format!("`cargo tree` printed `{line}`"))?;
            above.truncate(depth);
            match above.last() {
                Some(parent) => drop(graph.edges.entry(parent.clone()).or_default().insert(name.to_owned())),
                None => drop(graph.members.insert(name.to_owned())),
            }
            above.push(name.to_owned());
        }
        Ok(graph)
    }

    fn named_by(&self, name: &str) -> impl Iterator<Item = &str> {
        self.edges.get(name).into_iter().flatten().map(String::as_str)
    }

    /// The shortest chain of crates from `from` to `to`, both included.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut ways = vec![vec![from.to_owned()]];
        let mut seen = BTreeSet::from([from.to_owned()]);
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for next in way.last().map(|last| self.named_by(last)).into_iter().flatten() {
                    if seen.insert(next.to_owned()) {
                        longer.push(way.iter().cloned().chain([next.to_owned()]).collect::<Vec<_>>());
                    }
                }
            }
            if let Some(found) = longer.iter().find(|way| way.last().is_some_and(|last| last == to)) {
                return Some(found.clone());
            }
            ways = longer;
        }
        None
    }
}

/// Every edge that the tables do not allow, and every line of the tables that fits no crate.
pub(crate) fn broken(graph: &Graph, rooms: &[Room], owners: &[Owner], pure: &[&str], impure: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |what: String| findings.push(Finding::about("Cargo.toml", what));
    for member in &graph.members {
        let Some(room) = rooms.iter().find(|room| room.name == member) else {
            find(format!("{member} is in no room: add it to the table in tools/xtask/src/rooms"));
            continue;
        };
        for used in graph.named_by(member) {
            if graph.members.contains(used) && !room.uses.allow(used) {
                find(format!("{member} depends on {used}, but may depend only on {}", room.uses));
            }
            if let Some(owner) = owners.iter().find(|owner| owner.of == used && !owner.names.contains(&member.as_str()))
            {
                find(format!("{member} depends on {used}, which is left to {}", owner.names.join(", ")));
            }
        }
    }
    for name in rooms.iter().map(|room| room.name).chain(pure.iter().copied()) {
        if !graph.members.contains(name) {
            find(format!("{name} is in the table in tools/xtask/src/rooms but not in the workspace"));
        }
    }
    for name in pure {
        for way in impure.iter().filter_map(|foreign| graph.way(name, foreign)) {
            find(format!("{name} is pure but reaches {}", way[1..].join(" -> ")));
        }
    }
    findings
}

impl Uses {
    fn allow(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.contains(&name),
            Self::All => true,
        }
    }
}

impl std::fmt::Display for Uses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Only([]) => f.write_str("none of ours"),
            Self::Only(names) => f.write_str(&names.join(", ")),
            Self::All => f.write_str("all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMS: [Room; 3] = [
        Room { name: "low", uses: Uses::Only(&[]) },
        Room { name: "high", uses: Uses::Only(&["low"]) },
        Room { name: "edge", uses: Uses::All },
    ];
    const OWNERS: [Owner; 1] = [Owner { of: "store", names: &["high"] }];

    fn check(tree: &str, expected: &[&str]) -> Result<()> {
        let found = broken(&Graph::from_cargo_tree(tree)?, &ROOMS, &OWNERS, &["low"], &["clock"]);
        assert_eq!(found.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>(), expected, "{tree}");
        Ok(())
    }

    #[test]
    fn edges_that_point_down_are_allowed() -> Result<()> {
        check("0 high v1\n1 low v1\n1 store v3\n\n0 low v1\n\n0 edge v1\n1 high v1 (*)\n1 low v1", &[])
    }

    #[test]
    fn an_edge_that_points_up_is_found() -> Result<()> {
        check(
            "0 low v1\n1 high v1\n\n0 high v1\n\n0 edge v1",
            &["low depends on high, but may depend only on none of ours"],
        )
    }

    #[test]
    fn a_foreign_crate_in_the_wrong_room_is_found() -> Result<()> {
        check("0 low v1\n\n0 high v1\n\n0 edge v1\n1 store v3", &["edge depends on store, which is left to high"])
    }

    #[test]
    fn a_clock_far_below_a_pure_room_is_found() -> Result<()> {
        // `a` is listed in full under `high` only, as cargo does.
        check(
            "0 high v1\n1 a v1\n2 b v1\n3 clock v1\n\n0 low v1\n1 a v1 (*)\n\n0 edge v1",
            &["low is pure but reaches a -> b -> clock"],
        )
    }

    #[test]
    fn a_crate_without_a_room_and_a_room_without_a_crate_are_found() -> Result<()> {
        check(
            "0 low v1\n\n0 high v1\n\n0 attic v1",
            &[
                "attic is in no room: add it to the table in tools/xtask/src/rooms",
                "edge is in the table in tools/xtask/src/rooms but not in the workspace",
            ],
        )
    }

    #[test]
    fn an_unknown_listing_is_an_error() {
        assert!(Graph::from_cargo_tree("├── low v1").is_err());
    }
}
