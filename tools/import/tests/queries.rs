//! What predicates mean: guards that are made of them, evaluated.

use std::collections::BTreeMap;

use actum_import::import;
use actum_model::{Decimal, Value};
use actum_net::{Scope, VariableIx};

const SPEC: &str = r#"<specificationSet xmlns="http://www.yawlfoundation.org/yawlschema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<specification uri="q"><metaData/>
<schema xmlns="http://www.w3.org/2001/XMLSchema">
  <complexType name="Item"><sequence><element name="name" type="string"/><element name="price" type="decimal"/></sequence></complexType>
  <complexType name="Items"><sequence><element name="item" type="Item" maxOccurs="unbounded"/></sequence></complexType>
</schema>
<decomposition id="N" isRootNet="true" xsi:type="NetFactsType">
  <localVariable><name>n</name><type>int</type></localVariable>
  <localVariable><name>d</name><type>double</type></localVariable>
  <localVariable><name>m</name><type>decimal</type></localVariable>
  <localVariable><name>b</name><type>boolean</type></localVariable>
  <localVariable><name>s</name><type>string</type></localVariable>
  <localVariable><name>items</name><type>Items</type></localVariable>
  <localVariable><name>item</name><type>Item</type></localVariable>
  <processControlElements>
    <inputCondition id="i"><flowsInto><nextElementRef id="t"/></flowsInto></inputCondition>
    <task id="t">
      <flowsInto><nextElementRef id="u"/><predicate ordering="1">PREDICATE</predicate></flowsInto>
      <flowsInto><nextElementRef id="o"/><isDefaultFlow/></flowsInto>
      <join code="xor"/><split code="xor"/>
    </task>
    <task id="u"><flowsInto><nextElementRef id="o"/></flowsInto><join code="xor"/><split code="and"/></task>
    <outputCondition id="o"/>
  </processControlElements>
</decomposition></specification></specificationSet>"#;

struct Data(Vec<Value>);

impl Scope for Data {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.0.get(variable.index()).filter(|value| **value != Value::Null)
    }

    fn result(&self) -> Option<&Value> {
        None
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn item(name: &str, cents: i64) -> Value {
    let price = Value::Decimal(Decimal { mantissa: cents, scale: 2 });
    Value::Map(BTreeMap::from([("name".to_owned(), text(name)), ("price".to_owned(), price)]))
}

/// Whether the predicate holds; an error's code if it fails.
fn holds(predicate: &str, data: &[(&str, Value)]) -> Result<bool, String> {
    let predicate = predicate.replace('&', "&amp;").replace('<', "&lt;");
    let imported = import(&SPEC.replace("PREDICATE", &predicate)).map_err(|found| found[0].to_string())?;
    let net = actum_net::compile(&imported.yaml).map_err(|found| format!("{}\n{}", found[0], imported.yaml))?.net;
    let task = net.task("t").expect("the task");
    let values = net.variables.iter().map(|variable| {
        let given = data.iter().find(|(name, _)| *name == variable.name);
        given.map_or(Value::Null, |(_, value)| value.clone())
    });
    let scope = Data(values.collect());
    let guard = net.tasks[task.index()].outputs[0].guard.as_ref().expect("a guard");
    guard.eval(&scope).map_err(|error| error.code().to_owned())
}

#[test]
fn predicates_mean_what_they_mean_in_xquery() {
    let data = [
        ("n", Value::Int(5)),
        ("d", Value::Double(2.5)),
        ("m", Value::Decimal(Decimal { mantissa: 1250, scale: 2 })),
        ("b", Value::Bool(false)),
        ("s", text("12")),
        ("items", Value::List(vec![item("pen", 150), item("ink", 999)])),
        ("item", item("pen", 150)),
    ];
    for (predicate, expected) in [
        ("/N/n = 5", true),
        ("/N/n = '5'", true),
        ("/N/n != 5", false),
        ("/N/n/text() > 4 and /N/n < 6", true),
        ("number(/N/s) > 11.5", true),
        ("/N/s = '12'", true),
        ("/N/s = 12", true),
        ("/N/s > /N/n", true),
        ("/N/b = 'true'", false),
        ("/N/b = 'false'", true),
        ("not(/N/b = true())", true),
        ("/N/b/text()", true),
        ("/N/d * 2 = /N/n", true),
        ("/N/n div 2 = /N/d", true),
        ("/N/n mod 2 = 1", true),
        ("/N/n - 2 - 1 = 2", true),
        ("/N/n - (2 - 1) = 4", true),
        ("-/N/n < 0", true),
        ("/N/m = 12.5", true),
        ("/N/m > /N/n", true),
        ("/N/m > /N/d", true),
        ("/N/m + 1 > 13", true),
        ("count(/N/items/*) = 2", true),
        ("count(/N/items/item) > 2", false),
        ("/N/items/item/name = 'ink'", true),
        ("/N/items/item/name = 'nib'", false),
        ("/N/items/item/price > 9", true),
        ("sum(/N/items/item/price) = 11.49", true),
        ("/N/item/name = 'pen'", true),
        ("/N/item/price/text() < 2", true),
        ("contains(/N/s, '2') and starts-with(/N/s, '1') and ends-with(/N/s, '2')", true),
        ("concat('a', /N/n, /N/s) = 'a512'", true),
        ("string-length(/N/s) = 2", true),
        ("string(/N/b) = 'false'", true),
        ("if (/N/n > 3) then /N/s = '12' else false()", true),
        ("exists(/N/items/item) and not(empty(/N/s/text()))", true),
        ("true() or false()", true),
        ("/N/s = 'it''s {{ }} \\'", false),
    ] {
        assert_eq!(holds(predicate, &data), Ok(expected), "{predicate}");
    }
}

/// What was never set is an empty element.
#[test]
fn comparisons_with_nothing_do_not_hold() {
    for (predicate, expected) in [
        ("/N/n = 5", false),
        ("/N/n != 5", false),
        ("/N/n > 5", false),
        ("/N/n <= 5", false),
        ("not(/N/n > 5)", true),
        ("/N/s = ''", false),
        ("/N/n = /N/d", false),
        ("/N/s/text()", false),
        ("/N/n/text()", false),
        ("count(/N/items/*) = 0", true),
        ("/N/items/item/name = 'ink'", false),
        ("sum(/N/items/item/price) = 0", true),
        ("/N/item/name = 'pen'", false),
        ("/N/item/name != 'pen'", false),
        ("string(/N/n) = ''", true),
        ("contains(/N/s, 'x')", false),
        ("concat(/N/s, 'x') = 'x'", true),
    ] {
        assert_eq!(holds(predicate, &[]), Ok(expected), "{predicate}");
    }
    assert_eq!(holds("/N/n + 1 > 0", &[]), Err("eval/type".to_owned()));
    assert_eq!(holds("/N/s > 3", &[("s", text("many"))]), Err("eval/unreadable".to_owned()));
}
