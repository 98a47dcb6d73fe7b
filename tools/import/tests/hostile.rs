//! Files made to break readers: a diagnostic each, within limits of memory.

use std::fmt::Write as _;

use actum_import::{Code, FINDINGS_MAX, SOURCE_BYTES_MAX, import};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const HEAD: &str = "<specificationSet xmlns=\"http://www.citi.qut.edu.au/yawl\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><specification uri=\"x\"><metaData/>";
const TAIL: &str = "</specification></specificationSet>";

/// All in one test: what is measured is the memory of the whole process.
#[test]
fn hostile_files_are_refused_within_limits() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><x>&b;</x>";
    let attributes: String = (0..100_000).fold(String::new(), |mut text, at| {
        write!(text, " a{at}='1'").expect("text");
        text
    });
    for (what, source, code) in [
        ("nothing", String::new(), Code::Syntax),
        ("no element", "<!-- -->".to_owned(), Code::Syntax),
        ("a billion laughs", laughs.to_owned(), Code::DocumentType),
        ("an entity of nobody", "<x>&nbsp;</x>".to_owned(), Code::Entity),
        ("an entity in an attribute", "<x a='&nbsp;'/>".to_owned(), Code::Entity),
        ("a character that XML does not have", "<x>&#0;</x>".to_owned(), Code::Entity),
        ("deep", "<x>".repeat(10_000), Code::TooDeep),
        ("deep and closed", "<x>".repeat(10_000) + &"</x>".repeat(10_000), Code::TooDeep),
        ("50 MB", format!("<x>{}</x>", " ".repeat(50 << 20)), Code::TooLarge),
        ("many elements", format!("<x>{}</x>", "<a/>".repeat(4 << 20 >> 2)), Code::TooLarge),
        ("many attributes", format!("<x{attributes}/>"), Code::TooLarge),
        ("an attribute twice", "<x a='1' a='2'/>".to_owned(), Code::DuplicateAttribute),
        (
            "an attribute twice, by two prefixes",
            "<x xmlns:p='u' xmlns:q='u' p:a='1' q:a='2'/>".to_owned(),
            Code::DuplicateAttribute,
        ),
        ("a prefix of nobody", "<p:x/>".to_owned(), Code::UnknownPrefix),
        ("another encoding", "<?xml version='1.0' encoding='UTF-16'?><x/>".to_owned(), Code::Encoding),
        ("not closed", "<x><y></x>".to_owned(), Code::Syntax),
        ("never closed", "<x><y>".to_owned(), Code::Syntax),
        ("two roots", "<x/><y/>".to_owned(), Code::Syntax),
        ("text after the end", "<x/>y".to_owned(), Code::Syntax),
        ("another format", "<definitions/>".to_owned(), Code::UnknownFormat),
        ("a long text", format!("{HEAD}{}{TAIL}", "x".repeat(8 << 20)), Code::UnexpectedText),
        ("unknown elements", format!("{HEAD}{}{TAIL}", "<y/>".repeat(100_000)), Code::UnknownElement),
        ("nets in nets", nets(250, false), Code::EndlessRecursion),
        ("many nets", nets(2_000, true), Code::TooLarge),
        ("types of types", types(5_000), Code::BadType),
        ("a long task", long_task(20_000), Code::BadFlow),
    ] {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let found = import(&source).expect_err(what);
        let used = MEMORY.peak_usage().saturating_sub(before);
        assert!(found.iter().any(|found| found.code == code), "{what}: {}", found[0]);
        assert!(found.len() <= FINDINGS_MAX + 2, "{what}: {} findings", found.len());
        assert!(used <= 160 << 20, "{what} took {used} bytes");
    }
    const { assert!(SOURCE_BYTES_MAX < 50 << 20) };
    let chain = import(&nets(250, true)).expect("a chain that ends");
    assert!(chain.yaml.contains("N249:"));
}

fn net(id: &str, root: bool, runs: Option<&str>) -> String {
    let root = if root { " isRootNet='true'" } else { "" };
    let runs = runs.map(|id| format!("<decomposesTo id='{id}'/>")).unwrap_or_default();
    format!(
        "<decomposition id='{id}'{root} xsi:type='NetFactsType'><processControlElements><inputCondition id='i'><flowsInto>\
         <nextElementRef id='t'/></flowsInto></inputCondition><task id='t'><flowsInto><nextElementRef id='o'/></flowsInto>\
         <join code='xor'/><split code='and'/>{runs}</task><outputCondition id='o'/></processControlElements></decomposition>"
    )
}

/// Nets of which each runs the next; the last runs the first, unless the chain ends.
fn nets(count: usize, ends: bool) -> String {
    let mut text = HEAD.to_owned();
    for at in 0..count {
        let next = format!("N{}", (at + 1) % count);
        text += &net(&format!("N{at}"), at == 0, (!ends || at + 1 < count).then_some(next.as_str()));
    }
    text + TAIL
}

/// Types of which each has an element of the next.
fn types(count: usize) -> String {
    let mut text = HEAD.to_owned() + "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>";
    for at in 0..count {
        let next = at + 1;
        write!(
            text,
            "<xs:complexType name='T{at}'><xs:sequence><xs:element name='a' type='T{next}'/><xs:element name='b' type='T{next}'/>\
             </xs:sequence></xs:complexType>"
        )
        .expect("text");
    }
    text += "</xs:schema><rootNet id='r'><localVariable name='v'><type>T0</type></localVariable><processControlElements>\
             <inputCondition id='i'/><outputCondition id='o'/></processControlElements></rootNet>";
    text + TAIL
}

/// A task with many flows to one place.
fn long_task(flows: usize) -> String {
    let flow = "<flowsInto><nextElementRef id='o'/></flowsInto>";
    net("N", true, None).replacen(flow, &flow.repeat(flows), 1).replacen("", HEAD, 1) + TAIL
}
