//! The 43 control-flow patterns (and corners of them) as nets, explored: exactly the published traces, no other, none missing.
//!
//! `patterns/patterns.json` is the table, `patterns/<case>/` has a net and a scenario for each of its cases; `patterns/README.md`
//! says where the table is from and how it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actum::{Clock, Engine, Signer, Time, Value, VirtualClock};
use actum_kernel::explore::{Exploration, View, explore};
use actum_log::{FileSigner, Genesis, MemoryStore};
use actum_net::Work;
use actum_replay::lawful::Lawful;
use serde_json::Value as Json;

/// More than any case has, so that nothing superfluous stays unseen.
const TRACES_MAX: usize = 10_000;

type Traces = BTreeSet<(String, String)>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("patterns")
}

fn table() -> Vec<Json> {
    let text = std::fs::read_to_string(folder().join("patterns.json")).expect("the table is there");
    serde_json::from_str(&text).expect("the table is JSON")
}

fn published(case: &Json) -> Traces {
    let traces = case["traces"].as_array().expect("traces");
    let one = |trace: &Json| {
        let words: Vec<&str> =
            trace["trace"].as_array().expect("words").iter().map(|word| word.as_str().expect("a word")).collect();
        (words.join(" "), trace["outcome"].as_str().expect("an outcome").to_owned())
    };
    traces.iter().map(one).collect()
}

fn view(case: &Json) -> View {
    let name = case["view"].as_str().expect("a view");
    View { lifecycle: name.contains("lifecycle"), cancel: name.contains("cancel") }
}

#[track_caller]
fn check(number: &str, name: &str) {
    let table = table();
    let case = table.iter().find(|case| case["num"] == number).expect("the table has the case");
    let read = |file: &str| std::fs::read_to_string(folder().join(name).join(file)).expect("the case has its files");
    let net = actum_net::compile(&read("net.yaml")).expect("the net may run").net;
    let scenario = actum_net::scenario(&read("scenario.yaml"), &net).expect("the scenario fits the net");
    let implicit = case["termination"] == "implicit";
    assert_eq!(net.subnets[0].implicit_termination, implicit, "the net's termination is not the table's");
    let exploration = Exploration { net: &net, scenario: &scenario, view: view(case), states_max: 100_000 };
    let space = explore(&exploration).expect("a case begins");
    assert_eq!(space.problems(), [], "nothing may be in the way");
    let traces = space.traces(TRACES_MAX);
    assert!(traces.complete, "the exploration met a bound");
    let found: Traces = traces.list.iter().map(|trace| (trace.words.join(" "), trace.outcome.to_string())).collect();
    assert_eq!(found.len(), traces.list.len(), "a trace is listed twice");
    let published = published(case);
    let show = |traces: Vec<&(String, String)>| -> String {
        traces.iter().map(|(words, outcome)| format!("\n  {words} [{outcome}]")).collect()
    };
    let superfluous = show(found.difference(&published).collect());
    let missing = show(published.difference(&found).collect());
    assert!(superfluous.is_empty() && missing.is_empty(), "{name}\nmissing:{missing}\nsuperfluous:{superfluous}");
}

macro_rules! cases {
    ($($test:ident = $number:literal, $folder:literal;)*) => {
        $(
            #[test]
            fn $test() {
                check($number, $folder);
            }
        )*

        const CASES: &[(&str, &str)] = &[$(($number, $folder)),*];
    };
}

cases! {
    wcp_01_sequence = "1", "wcp-01-sequence";
    wcp_02_parallel_split = "2", "wcp-02-parallel-split";
    wcp_03_synchronization = "3", "wcp-03-synchronization";
    wcp_04_exclusive_choice = "4", "wcp-04-exclusive-choice";
    wcp_05_simple_merge = "5", "wcp-05-simple-merge";
    wcp_06_multi_choice = "6", "wcp-06-multi-choice";
    wcp_07_structured_synchronizing_merge = "7", "wcp-07-structured-synchronizing-merge";
    wcp_08_multi_merge = "8", "wcp-08-multi-merge";
    wcp_09_structured_discriminator = "9", "wcp-09-structured-discriminator";
    wcp_09l_structured_discriminator_in_a_loop = "9L", "wcp-09L-structured-discriminator-in-a-loop";
    wcp_10_arbitrary_cycles = "10", "wcp-10-arbitrary-cycles";
    wcp_11_implicit_termination = "11", "wcp-11-implicit-termination";
    wcp_12_mi_without_synchronization = "12", "wcp-12-mi-without-synchronization";
    wcp_13_mi_a_priori_design_time = "13", "wcp-13-mi-a-priori-design-time";
    wcp_14_mi_a_priori_run_time = "14", "wcp-14-mi-a-priori-run-time";
    wcp_15_mi_without_a_priori = "15", "wcp-15-mi-without-a-priori";
    wcp_16_deferred_choice = "16", "wcp-16-deferred-choice";
    wcp_17_interleaved_parallel_routing = "17", "wcp-17-interleaved-parallel-routing";
    wcp_18_milestone = "18", "wcp-18-milestone";
    wcp_19_cancel_task = "19", "wcp-19-cancel-task";
    wcp_20_cancel_case = "20", "wcp-20-cancel-case";
    wcp_21a_structured_loop_while = "21a", "wcp-21a-structured-loop-while";
    wcp_21b_structured_loop_repeat = "21b", "wcp-21b-structured-loop-repeat";
    wcp_22_recursion = "22", "wcp-22-recursion";
    wcp_23_transient_trigger = "23", "wcp-23-transient-trigger";
    wcp_24_persistent_trigger = "24", "wcp-24-persistent-trigger";
    wcp_25_cancel_region = "25", "wcp-25-cancel-region";
    wcp_26_cancel_mi_task = "26", "wcp-26-cancel-mi-task";
    wcp_27_complete_mi_task = "27", "wcp-27-complete-mi-task";
    wcp_28_blocking_discriminator = "28", "wcp-28-blocking-discriminator";
    wcp_29_cancelling_discriminator = "29", "wcp-29-cancelling-discriminator";
    wcp_30_structured_partial_join = "30", "wcp-30-structured-partial-join";
    wcp_31_blocking_partial_join = "31", "wcp-31-blocking-partial-join";
    wcp_32_cancelling_partial_join = "32", "wcp-32-cancelling-partial-join";
    wcp_33_generalized_and_join = "33", "wcp-33-generalized-and-join";
    wcp_34_static_partial_join_for_mi = "34", "wcp-34-static-partial-join-for-mi";
    wcp_35_cancelling_partial_join_for_mi = "35", "wcp-35-cancelling-partial-join-for-mi";
    wcp_36_dynamic_partial_join_for_mi = "36", "wcp-36-dynamic-partial-join-for-mi";
    wcp_37_local_synchronizing_merge = "37", "wcp-37-local-synchronizing-merge";
    wcp_38_general_synchronizing_merge = "38", "wcp-38-general-synchronizing-merge";
    wcp_39_critical_section = "39", "wcp-39-critical-section";
    wcp_40_interleaved_routing = "40", "wcp-40-interleaved-routing";
    wcp_41_thread_merge = "41", "wcp-41-thread-merge";
    wcp_42_thread_split = "42", "wcp-42-thread-split";
    wcp_43_explicit_termination = "43", "wcp-43-explicit-termination";
    x1_or_join_vicious_circle = "X1", "x1-or-join-vicious-circle";
    x2_and_join_deadlock = "X2", "x2-and-join-deadlock";
}

/// What the kernel decides on the way through each pattern is what lawfulness allows: one course of it, by an engine whose work ends at
/// once, with every signal that the net waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_each_pattern_is_lawful() {
    for (number, name) in CASES {
        let source = std::fs::read_to_string(folder().join(name).join("net.yaml")).expect("the case has its net");
        let (store, runs) = run(&source).await;
        let mut events = actum_replay::events(&store).expect("the log is read");
        let mut lawful = Lawful::default();
        while let Some(event) = events.next() {
            lawful.take(event.expect("an event decodes"), events.names());
        }
        let report = lawful.finish();
        assert!(report.is_lawful(), "{number} {name}: {:#?}", report.findings);
        assert_eq!(report.cases, runs, "{number} {name}");
    }
}

/// Three cases of a net; people and handlers do their work at once, then the signals come.
async fn run(source: &str) -> (MemoryStore, u64) {
    const CASES_EACH: u64 = 3;
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&[6; 32]));
    let genesis = Genesis::new([2; 16], "example.com/patterns", 0, signer.public_key()).expect("a genesis");
    let store = MemoryStore::new(genesis.with_clock(actum_log::Clock::Simulated).to_string());
    let clock = VirtualClock::new(Time(1_000_000_000_000_000));
    let net = actum_net::compile(source).expect("the net may run").net;
    let mut builder = Engine::on_store(store.clone(), signer).clock(clock.clone()).seed(1);
    for task in &net.tasks {
        if let Work::Automatic { handler, .. } = &task.work {
            builder = builder.handler_fn(handler.clone(), |_| Ok(Value::Map(BTreeMap::new())));
        }
    }
    let engine = builder.open().await.expect("the log opens");
    let hash = engine.deploy(source).await.expect("the net is taken").0.hash;
    let roles: Vec<&str> = net.roles.iter().map(|role| role.name.as_str()).collect();
    let actor = engine.register("somebody", &roles).await.expect("a person");
    for _ in 0..CASES_EACH {
        let case = engine.start_case(hash, None, BTreeMap::new()).await.expect("a case begins").case;
        for _ in 0..12 {
            engine.settled().await;
            for row in engine.offered_to(actor) {
                engine.take(row.case, row.item, actor).await.ok();
                engine.start(row.case, row.item, actor).await.ok();
                engine.complete(row.case, row.item, actor, Value::Map(BTreeMap::new())).await.ok();
            }
            for trigger in net.tasks.iter().filter_map(|task| task.trigger.as_ref()) {
                engine.signal(case, actor, &trigger.signal, Value::Null).await.ok();
            }
            clock.advance_to(Time(clock.now().0 + 86_400_000_000_000));
        }
    }
    engine.close().await.expect("the engine closes");
    (store, CASES_EACH)
}

/// No case of the table and no folder is left out.
#[test]
fn every_case_of_the_table_has_its_test() {
    let numbers: BTreeSet<String> =
        table().iter().map(|case| case["num"].as_str().expect("a number").to_owned()).collect();
    assert_eq!(numbers, CASES.iter().map(|(number, _)| (*number).to_owned()).collect());
    let entries = std::fs::read_dir(folder()).expect("the folder is there").map(|entry| entry.expect("an entry"));
    let folders: BTreeSet<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_str().expect("a name").to_owned())
        .collect();
    assert_eq!(folders, CASES.iter().map(|(_, folder)| (*folder).to_owned()).collect());
    let traces: usize = table().iter().map(|case| published(case).len()).sum();
    assert_eq!((numbers.len(), traces), (47, 360));
}
