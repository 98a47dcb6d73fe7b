//! Every specification of the corpus is imported, or refused for the right reason.

mod support;

use actum_import::{Severity, import, line_and_column};

enum Expected {
    /// And the net compiles.
    Imports,
    /// The net is refused by its compiler, with these codes, at these lines of the specification.
    Compiled(&'static [(u32, &'static str)]),
    /// The lines and codes of all errors.
    Refused(&'static [(u32, &'static str)]),
}

use Expected::{Compiled, Imports, Refused};

const EXPECTED: [(&str, Expected); 28] = [
    // Queries that are no queries, a path to what is not there, and two places that say what becomes of the data.
    ("elements-BadMI.xml", Refused(&[(52, "yawl/not-supported"), (62, "yawl/unknown-variable"), (67, "yawl/query")])),
    // A condition that leads back to its own task only, and a flow into an input condition.
    (
        "elements-BadNetSpecification.xml",
        Refused(&[(2, "yawl/dead-end"), (2, "yawl/dead-end"), (2, "yawl/dead-end"), (2, "yawl/bad-flow")]),
    ),
    ("elements-GoodNetSpecification.xml", Imports),
    // `random()` is no function of XPath.
    ("elements-YAWLOrJoinTestSpecificationLongLoops.xml", Refused(&[(38, "yawl/query")])),
    // An `xor` split without predicates and default.
    ("elements-YAWLOrJoinTestSpecificationWithLoop.xml", Refused(&[(27, "yawl/bad-split")])),
    // A net that always runs itself, and the one that runs it.
    ("elements-infiniteDecomps.xml", Refused(&[(2, "yawl/endless-recursion"), (2, "yawl/endless-recursion")])),
    // A parameter and variables that are commented out, or were never there.
    (
        "engine-CaseCancellation.xml",
        Refused(&[
            (61, "yawl/unknown-variable"),
            (91, "yawl/unknown-variable"),
            (96, "yawl/unknown-variable"),
            (100, "yawl/unknown-variable"),
        ]),
    ),
    // An `and` join that waits for what comes after it: that is what the file is for.
    ("engine-DeadlockingSpecification.xml", Compiled(&[(17, "net/unreachable"), (28, "net/unreachable")])),
    ("engine-ImproperCompletion.xml", Imports),
    ("engine-MarlonsEagerExperiment.xml", Imports),
    ("engine-Test55.xml", Imports),
    ("engine-TestOrJoin.xml", Imports),
    ("engine-YAWL_Specification3.xml", Imports),
    ("engine-YAWL_Specification4.xml", Imports),
    // `isbn-fallback` is not declared.
    ("example-BarnesAndNoble.xml", Refused(&[(44, "yawl/unknown-variable")])),
    // A result that is computed from what the work was given, which its result does not have.
    ("example-MakeMusic.xml", Refused(&[(198, "yawl/not-supported")])),
    // People are found by SQL.
    ("example-ResourceExample.xml", Refused(&[(24, "yawl/not-supported"), (28, "yawl/not-supported")])),
    ("example-StockQuote.xml", Imports),
    ("example-Timer.xml", Imports),
    // `xs:DateTime` is no type, and a sum over a type that the file does not define.
    ("example-makeTrip2.xml", Refused(&[(107, "yawl/query-type"), (130, "yawl/bad-type"), (133, "yawl/bad-type")])),
    ("example-maketrip1.xml", Imports),
    // Its name is older than the parser that can.
    ("unmarshal-CantParseThis.xml", Imports),
    // `crewmembers` for `crewMembers`, and a predicate in English.
    (
        "unmarshal-MakeRecordings.xml",
        Refused(&[(370, "yawl/unknown-variable"), (423, "yawl/query"), (570, "yawl/bad-type")]),
    ),
    ("unmarshal-RemoveTokens.xml", Imports),
    ("worklet-Casualty_Treatment.yawl", Imports),
    ("worklet-OrganiseConcert.yawl", Imports),
    ("worklet-Sales.yawl", Imports),
    ("worklet-wListMaker.yawl", Imports),
];

#[test]
fn every_file_is_imported_or_refused_for_the_right_reason() {
    let corpus = support::corpus();
    let names: Vec<&str> = corpus.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, EXPECTED.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for ((name, source), (_, expected)) in corpus.iter().zip(&EXPECTED) {
        let imported = import(source);
        let errors: Vec<(u32, String)> = match (&imported, expected) {
            (Err(found), _) => {
                let errors = found.iter().filter(|found| found.severity == Severity::Error);
                errors.map(|found| (found.line, found.code.to_string())).collect()
            }
            (Ok(imported), _) => match actum_net::compile(&imported.yaml) {
                Ok(_) => Vec::new(),
                Err(found) => {
                    let errors = found.iter().filter(|found| found.severity == actum_net::Severity::Error);
                    let line = |line| line_and_column(source, imported.origin(line).0).0;
                    let mut errors: Vec<_> = errors.map(|found| (line(found.line), found.code.to_string())).collect();
                    errors.sort();
                    errors
                }
            },
        };
        let errors: Vec<(u32, &str)> = errors.iter().map(|(line, code)| (*line, code.as_str())).collect();
        match expected {
            Imports => assert_eq!((imported.is_ok(), errors), (true, Vec::new()), "{name}"),
            Compiled(expected) => assert_eq!((imported.is_ok(), errors), (true, expected.to_vec()), "{name}"),
            Refused(expected) => assert_eq!((imported.is_ok(), errors), (false, expected.to_vec()), "{name}"),
        }
    }
}
