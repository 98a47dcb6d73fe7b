//! What is not understood is refused, by element and line: one change to a good specification, and what is said of it.

use actum_import::{Code, Severity, import};

const GOOD: &str = include_str!("fixtures/people.yawl");
const CONTROL: &str = include_str!("fixtures/control.yawl");
const DATA: &str = include_str!("fixtures/data.yawl");

/// Replaces `from` (its first occurrence) and expects exactly this error, near the line where `from` stood.
fn check(source: &str, from: &str, to: &str, code: Code, says: &str) {
    let at = source.find(from).unwrap_or_else(|| panic!("there is no `{from}`"));
    let changed = source.replacen(from, to, 1);
    let found = import(&changed).expect_err(to);
    let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
    let first = errors.iter().find(|found| found.code == code && found.message.contains(says));
    let Some(first) = first else {
        panic!(
            "{to}: expected {code} with `{says}`, got {}",
            found.iter().map(|found| format!("\n{found}")).collect::<String>()
        );
    };
    let line = source[..at].matches('\n').count() as u32 + 1;
    // What is missing is said of the element around it, what is there twice of the second.
    assert!(first.line.abs_diff(line) <= 30, "{to}: line {} for {line}", first.line);
}

#[test]
fn elements_and_attributes() {
    check(GOOD, "<metaData/>", "<metaData/><extra/>", Code::UnknownElement, "`specification` has an element `extra`");
    check(GOOD, "<metaData/>", "<metaData><colour>red</colour></metaData>", Code::UnknownElement, "`colour`");
    check(
        GOOD,
        "<task id=\"rest\">",
        "<task id=\"rest\" speed=\"1\">",
        Code::UnknownAttribute,
        "`task` has an attribute `speed`",
    );
    check(
        GOOD,
        "<task id=\"rest\">",
        "<task id=\"rest\">hello",
        Code::UnexpectedText,
        "`task` has text in it: `hello`",
    );
    check(GOOD, "<task id=\"rest\">", "<task>", Code::Missing, "`task` has no attribute `id`");
    check(
        GOOD,
        "<codelet>ShipIt</codelet>",
        "<codelet>a</codelet><codelet>b</codelet>",
        Code::Repeated,
        "more than one `codelet`",
    );
    check(
        GOOD,
        "textarea=\"true\"",
        "secret=\"true\"",
        Code::UnknownAttribute,
        "`outputParam` has an attribute `secret`",
    );
    check(
        GOOD,
        "xsi:type=\"NetFactsType\"",
        "xsi:type=\"Other\"",
        Code::BadValue,
        "`Other` is not a kind of decomposition",
    );
    check(GOOD, "<metaData/>", "<metaData/><importedNet>x</importedNet>", Code::NotSupported, "importedNet");
    check(
        GOOD,
        "http://www.yawlfoundation.org/yawlschema",
        "http://example.org/",
        Code::UnknownFormat,
        "specificationSet",
    );
    check(GOOD, "<join code=\"xor\"/>", "<join code=\"nand\"/>", Code::BadValue, "there is no join `nand`");
    check(GOOD, "<join code=\"xor\"/>", "", Code::Missing, "`task` has no `join`");
    check(CONTROL, "<join code=\"xor\"/>", "<join code=\"xor\"/><configuration/>", Code::NotSupported, "configurable");
}

#[test]
fn graphs() {
    check(
        CONTROL,
        "<nextElementRef id=\"big\"/>",
        "<nextElementRef id=\"nobody\"/>",
        Code::UnknownReference,
        "no element `nobody`",
    );
    check(CONTROL, "<task id=\"big\">", "<task id=\"small\">", Code::DuplicateId, "the id `small`");
    check(
        CONTROL,
        "<nextElementRef id=\"big\"/>",
        "<nextElementRef id=\"small\"/>",
        Code::BadFlow,
        "two flows lead from `choose` to `small`",
    );
    check(
        CONTROL,
        "<flowSource id=\"right\"/>",
        "<flowSource id=\"small\"/>",
        Code::UnknownReference,
        "no flow from the task `small`",
    );
    check(
        CONTROL,
        "<removesTokens id=\"left\"/>",
        "<removesTokens id=\"out\"/>",
        Code::NotSupported,
        "output condition",
    );
    check(
        CONTROL,
        "<isDefaultFlow/>",
        "<predicate ordering=\"3\">true()</predicate>",
        Code::BadSplit,
        "no default flow",
    );
    check(CONTROL, "ordering=\"2\"", "ordering=\"1\"", Code::BadSplit, "in no clear order");
    check(CONTROL, "ordering=\"2\"", "ordering=\"two\"", Code::BadValue, "`two` is not a number");
    check(
        CONTROL,
        "<decomposesTo id=\"Sub\"/>",
        "<decomposesTo id=\"Other\"/>",
        Code::UnknownReference,
        "no decomposition `Other`",
    );
    check(CONTROL, "<flowsInto><nextElementRef id=\"enough\"/></flowsInto>", "", Code::EndlessRecursion, "`Sub`");
    check(
        CONTROL,
        "<task id=\"gather\">",
        "<task id=\"lost\"><flowsInto><nextElementRef id=\"out\"/></flowsInto><join code=\"and\"/><split code=\"and\"/></task><task id=\"gather\">",
        Code::Unreachable,
        "`lost`",
    );
    check(CONTROL, "isRootNet=\"true\"", "isRootNet=\"false\"", Code::Missing, "no root net");
    check(
        CONTROL,
        "</specification>",
        "</specification><specification uri=\"b\"><metaData/></specification>",
        Code::Repeated,
        "2 specifications",
    );
}

#[test]
fn queries() {
    for (query, code, says) in [
        ("average rating", Code::Query, "`average` is not understood"),
        ("random() = 1", Code::Query, "the function `random`"),
        ("true(1)", Code::Query, "takes another number of values"),
        ("/data/nobody = 1", Code::UnknownVariable, "there is no `nobody` in `/data`"),
        ("/Other/amount = 1", Code::UnknownVariable, "there is no `/Other` here"),
        ("/data/amount", Code::QueryType, "an element as a condition"),
        ("/data/amount/text()", Code::Query, ""),
        ("/data/amount/deeper = 1", Code::QueryType, "there is no `deeper` in a int"),
        ("/data/amount = 'many'", Code::QueryType, "never equal"),
        ("/data/amount + true() = 1", Code::QueryType, "`+` of a bool"),
        ("//amount = 1", Code::Query, "`//` is not understood"),
        ("/data/amount[1] = 1", Code::Query, "a predicate in a path"),
        ("/data/amount = ", Code::Query, "it ends too early"),
        ("$x = 1", Code::UnknownVariable, "no variable `$x`"),
        ("timer(big) = 'expired'", Code::Query, "is not understood"),
    ] {
        if says.is_empty() {
            // Text that is there: XPath's own meaning.
            assert!(import(&CONTROL.replacen("/Main_net/amount/text() &gt; 10", query, 1)).is_ok(), "{query}");
        } else {
            check(CONTROL, "/Main_net/amount/text() &gt; 10", query, code, says);
        }
    }
    let long = format!("/data/amount = 1{}", " or /data/amount = 12345".repeat(120));
    check(CONTROL, "/Main_net/amount/text() &gt; 10", &long, Code::Query, "is too long");
    let huge = format!("/data/amount = 1{}", " or true()".repeat(10_000));
    check(CONTROL, "/Main_net/amount/text() &gt; 10", &huge, Code::Query, "bytes");
}

#[test]
fn data() {
    check(DATA, "<type>dateTime</type>", "<type>DateTime</type>", Code::BadType, "`DateTime` is neither");
    check(DATA, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00", Code::BadValue, "a time needs an offset");
    check(DATA, "<name>total</name>", "<name>count</name>", Code::DuplicateId, "`count` is declared twice");
    check(DATA, "<mapsTo>count</mapsTo>", "<mapsTo>nothing</mapsTo>", Code::UnknownVariable, "no variable `nothing`");
    check(DATA, "<mapsTo>label</mapsTo>", "<mapsTo>nothing</mapsTo>", Code::UnknownVariable, "no input `nothing`");
    check(DATA, "{/Look/number/text() + 1}", "{/Look/all}", Code::NotSupported, "`all` is an input");
    check(
        DATA,
        "&lt;total&gt;{/Look/worth/text()}",
        "&lt;total&gt;{true()}",
        Code::QueryType,
        "a bool for a variable of type decimal",
    );
    check(DATA, "price&gt;1.50", "price&gt;cheap", Code::BadValue, "does not fit its type");
    check(DATA, "&lt;/line&gt;</initialValue>", "</initialValue>", Code::BadValue, "is not XML");
    check(DATA, "<maximum>100</maximum>", "<maximum>/Data/count</maximum>", Code::NotSupported, "is not a number");
    check(DATA, "<maximum>100</maximum>", "<maximum>0</maximum>", Code::BadValue, "at most 0");
    check(
        DATA,
        "<xs:sequence><xs:element name=\"line\"",
        "<xs:attribute name=\"x\"/><xs:sequence><xs:element name=\"line\"",
        Code::BadType,
        "`attribute` in a type",
    );
    check(DATA, "for $l in /lines/line return $l", "/lines", Code::Query, "gives elements");
    check(DATA, "<isUntyped/>", "", Code::Missing, "`articles` has no type");
}

#[test]
fn people_and_timers() {
    check(
        GOOD,
        "<initialSet/>",
        "<initialSet><role>R</role></initialSet>",
        Code::NotSupported,
        "in a set and in a position",
    );
    check(
        GOOD,
        "<initialSet/>",
        "<initialSet><param><name>x</name><refers>role</refers></param></initialSet>",
        Code::NotSupported,
        "named in a variable",
    );
    check(GOOD, "SeparationOfDuties", "PiledExecution", Code::NotSupported, "the constraint `PiledExecution`");
    check(GOOD, "ShortestQueue", "GenericAllocator", Code::NotSupported, "`GenericAllocator` has no counterpart");
    check(GOOD, "<value>typing</value>", "<value>typing &amp; reading</value>", Code::NotSupported, "only one name");
    check(GOOD, "canSkip", "canFly", Code::BadValue, "no privilege `canFly`");
    check(GOOD, "<allowall>true</allowall>", "<set><role>R</role></set>", Code::NotSupported, "a privilege of some");
    check(
        GOOD,
        "familiarParticipant taskID=\"enter\"",
        "familiarParticipant taskID=\"nobody\"",
        Code::UnknownReference,
        "no element `nobody`",
    );
    check(GOOD, "P1DT2H", "P1M", Code::BadValue, "no fixed length");
    check(
        GOOD,
        "<interval>MIN</interval>",
        "<interval>MONTH</interval>",
        Code::NotSupported,
        "`MONTH` has no fixed length",
    );
    check(GOOD, "<trigger>OnEnabled</trigger>", "<netparam>t</netparam>", Code::NotSupported, "in a variable");
    check(
        GOOD,
        "<trigger>OnEnabled</trigger>",
        "<workdays>true</workdays><trigger>OnEnabled</trigger>",
        Code::NotSupported,
        "weekends",
    );
}

/// Every kind of finding of the format has its place in the page that lists them.
#[test]
fn the_page_explains_every_code() {
    let page = include_str!("../YAWL.md");
    for code in Code::ALL {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}
