//! What cases of imported nets can do: the traces that the specification allows, worked out by hand.

mod support;

use std::collections::BTreeSet;

use actum_import::import;
use actum_kernel::explore::{Exploration, STATES_MAX, View, explore};
use actum_net::Scenario;

fn check(name: &str, source: &str, expected: &[&str]) {
    let imported = import(source).unwrap_or_else(|found| panic!("{name}: {}", found[0]));
    let net = actum_net::compile(&imported.yaml).unwrap_or_else(|found| panic!("{name}: {}", found[0])).net;
    let scenario = Scenario::default();
    let view = View { lifecycle: false, cancel: false };
    let exploration = Exploration { net: &net, scenario: &scenario, view, states_max: STATES_MAX };
    let traces = explore(&exploration).expect("it can be explored").traces(1_000);
    assert!(traces.complete, "{name}");
    let shown: BTreeSet<String> =
        traces.list.iter().map(|trace| format!("{}: {}", trace.outcome, trace.words.join(" "))).collect();
    assert_eq!(shown, expected.iter().map(|trace| (*trace).to_owned()).collect(), "{name}");
}

fn of_corpus(name: &str) -> String {
    let found = support::corpus().into_iter().find(|(file, _)| file == name);
    found.unwrap_or_else(|| panic!("the corpus has no {name}")).1
}

/// Three ways at once; the first token at the end ends the case, and the OR join waits for both of its ways.
#[test]
fn an_or_join_waits_for_what_can_still_come() {
    let source = of_corpus("unmarshal-CantParseThis.xml");
    let expected = [
        "done: q-top c-top",
        "done: q-top a-top c-top",
        "done: q-top b-top c-top",
        "done: q-top a-top b-top c-top",
        "done: q-top b-top a-top c-top",
        "done: q-top a-top b-top d-top",
        "done: q-top b-top a-top d-top",
    ];
    check("CantParseThis", &source, &expected);
}

#[test]
fn a_cancellation_of_what_is_not_there_changes_nothing() {
    check("RemoveTokens", &of_corpus("unmarshal-RemoveTokens.xml"), &["done: t1 t2"]);
}

/// The default flow of an `or` split: taken if its own predicate holds, and if none holds.
#[test]
fn the_default_of_an_or_split_has_a_predicate_too() {
    let source = r#"<specificationSet xmlns="http://www.citi.qut.edu.au/yawl" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<specification uri="or"><metaData/><rootNet id="N">
  <inputParam name="x"><type>xs:int</type></inputParam>
  <processControlElements>
    <inputCondition id="i"><flowsInto><nextElementRef id="s"/></flowsInto></inputCondition>
    <task id="s">
      <flowsInto><nextElementRef id="a"/><predicate>/data/x > 1</predicate><isDefaultFlow/></flowsInto>
      <flowsInto><nextElementRef id="b"/><predicate>/data/x > 2</predicate></flowsInto>
      <join code="xor"/><split code="or"/>
    </task>
    <task id="a"><flowsInto><nextElementRef id="j"/></flowsInto><join code="xor"/><split code="and"/><decomposesTo id="W"/></task>
    <task id="b"><flowsInto><nextElementRef id="j"/></flowsInto><join code="xor"/><split code="and"/><decomposesTo id="W"/></task>
    <task id="j"><flowsInto><nextElementRef id="o"/></flowsInto><join code="or"/><split code="and"/><decomposesTo id="W"/></task>
    <outputCondition id="o"/>
  </processControlElements>
</rootNet><decomposition id="W" xsi:type="WebServiceGatewayFactsType"/></specification></specificationSet>"#;
    check("or", source, &["done: a j", "done: b j", "done: a b j", "done: b a j"]);
}
