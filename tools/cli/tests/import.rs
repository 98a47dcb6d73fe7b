//! `import`, and files of other systems where a net is wanted.

mod support;

use support::Place;

const SPEC: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<specificationSet xmlns="http://www.yawlfoundation.org/yawlschema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="4.0">
  <specification uri="Small">
    <metaData/>
    <decomposition id="Small" isRootNet="true" xsi:type="NetFactsType">
      <localVariable><index>0</index><name>colour</name><type>Colour</type></localVariable>
      <processControlElements>
        <inputCondition id="in"><flowsInto><nextElementRef id="one"/></flowsInto></inputCondition>
        <task id="one">
          <flowsInto><nextElementRef id="two"/></flowsInto>
          <join code="xor"/><split code="and"/>
        </task>
        <task id="two">
          <flowsInto><nextElementRef id="out"/></flowsInto>
          <join code="JOIN"/><split code="and"/>
        </task>
        <outputCondition id="out"/>
      </processControlElements>
    </decomposition>
  </specification>
</specificationSet>
"#;

fn spec() -> String {
    SPEC.replace("JOIN", "and").replace("<type>Colour</type>", "<type>string</type>")
}

#[test]
fn a_specification_becomes_a_net() {
    let place = Place::new();
    place.write("small.yawl", spec());
    let ran = place.run("import small.yawl -O small.yaml");
    assert_eq!((ran.code, ran.text().as_str(), ran.err.as_str()), (0, "", "small.yaml: net Small\n"));
    let net = String::from_utf8(place.read("small.yaml")).unwrap();
    assert!(net.starts_with("# Made of a YAWL specification by `actum import`.\nactum: 1\nnet: Small\n"), "{net}");
    assert_eq!(place.good("import small.yawl"), net);
    assert_eq!(place.good("import small.yawl -O -"), net);
    assert!(place.good("check small.yaml --no-explore").contains("net Small"));

    assert!(place.bad("import small.yawl -O small.yaml", 1).contains("small.yaml exists already"));
    place.good("import small.yawl -O small.yaml --force");
    let json = place.json("import small.yawl -O small.yaml --force -o json");
    assert_eq!((json["net"].as_str(), json["findings"].as_array().unwrap().len()), (Some("Small"), 0));
    place.bad("import small.yawl -o json", 2);
    assert!(place.bad("import small.yaml", 1).contains("no file of another system"));
}

#[test]
fn what_is_refused_has_a_place_a_code_and_a_hint() {
    let place = Place::new();
    place.write("bad.yawl", SPEC);
    let ran = place.run("import bad.yawl -O bad.yaml");
    assert_eq!((ran.code, ran.text().as_str()), (1, ""));
    for line in [
        "bad.yawl:6:7: yawl/bad-type: `Colour` is neither a type of XML Schema nor defined in this file\n",
        "bad.yawl:15:11: yawl/bad-value: there is no join `JOIN`\n    hint: it is `and`, `or` or `xor`\n",
        "bad.yawl: 2 errors; it is not imported\n",
    ] {
        assert!(ran.err.contains(line), "{}", ran.err);
    }
    assert!(!place.path("bad.yaml").exists());
    let ran = place.run("import bad.yawl -O bad.yaml -o json");
    let json: serde_json::Value = serde_json::from_str(&ran.text()).unwrap();
    assert_eq!(
        (ran.code, &json["net"], &json["findings"][0]["line"]),
        (1, &serde_json::Value::Null, &serde_json::json!(6))
    );
}

#[test]
fn a_specification_is_run_and_checked_as_it_is() {
    let place = Place::new();
    place.write("small.yawl", spec());
    assert!(place.good("check small.yawl --no-explore").contains("net Small"));
    assert!(place.good("run small.yawl --data d1").contains("1 case completed"));
    place.write("bad.yawl", SPEC);
    for command in ["check bad.yawl", "run bad.yawl --data d2"] {
        let ran = place.run(command);
        assert!(ran.code == 1 && ran.err.contains("bad.yawl:6:7: yawl/bad-type: "), "{command}: {}", ran.err);
    }
    // What the compiler says of the net is said of the element that it comes from.
    let stuck = spec().replace(
        "<flowsInto><nextElementRef id=\"out\"/></flowsInto>",
        "<flowsInto><nextElementRef id=\"out\"/></flowsInto><flowsInto><nextElementRef id=\"one\"/></flowsInto>",
    );
    place.write("stuck.yawl", stuck.replacen("<join code=\"xor\"/>", "<join code=\"and\"/>", 1));
    let ran = place.run("check stuck.yawl");
    assert!(
        ran.code == 1 && ran.text().contains("stuck.yawl:9:9: net/unreachable: no case can reach the task `one`"),
        "{}",
        ran.text()
    );
}
