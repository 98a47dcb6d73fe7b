//! Event logs and Petri nets of other systems: what is read, and that nothing that comes can do harm.

use actum_import::{CsvLog, EventLogError, ForeignTrace, TOKEN_BYTES_MAX, XesLog, is_pnml, pnml};
use peak_alloc::PeakAlloc;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const XES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016">
  <extension name="Concept" prefix="concept" uri="x"/>
  <global scope="event"><string key="concept:name" value="not an event"/></global>
  <trace>
    <string key="concept:name" value="1"/>
    <list key="l"><values><string key="concept:name" value="no"/></values></list>
    <event>
      <string key="concept:name" value="a &amp; b"><string key="concept:name" value="nested"/></string>
      <string key="lifecycle:transition" value="COMPLETE"/>
    </event>
    <event><string value="b" key="concept:name"/><string key="lifecycle:transition" value="start"/></event>
  </trace>
  <trace/>
</log>"#;
const CSV: &str = "case,Activity,time\r\n1,\"a, \"\"b\"\"\",x\r\n2,c,y\r\n\r\n1,'=d,z";
const PNML: &str = r#"<pnml><net id="n" type="t"><name><text>net</text></name><page id="p"><place id="a">
<initialMarking><text>1</text></initialMarking></place><place id="b"/><transition id="t"><name><text>go</text></name></transition>
<transition id="s"><toolspecific tool="ProM" version="6.4" activity="$invisible$"/></transition>
<arc id="1" source="a" target="t"><inscription><text>2</text></inscription></arc><arc id="2" source="t" target="b"/>
<arc id="3" source="a" target="s"><arctype><text>reset</text></arctype></arc></page>
<finalmarkings><marking><place idref="b"><text>1</text></place></marking></finalmarkings></net></pnml>"#;

fn xes(text: &[u8]) -> Result<Vec<ForeignTrace>, EventLogError> {
    XesLog::new(text).collect()
}

fn activities(trace: &ForeignTrace) -> Vec<(&str, bool)> {
    trace.events.iter().map(|event| (event.activity.as_str(), event.is_done())).collect()
}

#[test]
fn xes_gives_names_and_steps_and_nothing_else() {
    let traces = xes(XES.as_bytes()).unwrap();
    assert_eq!(traces.len(), 2);
    assert_eq!(traces[0].name.as_deref(), Some("1"));
    assert_eq!(activities(&traces[0]), [("a & b", true), ("b", false)]);
    assert_eq!(traces[1], ForeignTrace::default());
}

#[test]
fn csv_gives_cases_in_the_order_of_their_beginnings() {
    let traces = CsvLog::read(CSV.as_bytes()).unwrap();
    assert_eq!(activities(&traces[0]), [("a, \"b\"", true), ("=d", true)]);
    assert_eq!((traces[1].name.as_deref(), activities(&traces[1])), (Some("2"), vec![("c", true)]));
}

#[test]
fn pnml_gives_weights_resets_and_markings() {
    let net = pnml(PNML.as_bytes()).unwrap();
    assert_eq!(net.places, [("a".to_owned(), 1), ("b".to_owned(), 0)]);
    assert_eq!(
        (net.transitions[0].consumes.as_slice(), net.transitions[0].produces.as_slice()),
        (&[(0, 2)][..], &[(1, 1)][..])
    );
    assert!(net.transitions[1].silent && net.transitions[1].resets == [0]);
    assert_eq!(net.last, Some(vec![(1, 1)]));
    let latin: Vec<u8> =
        [b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", PNML.replace("go", "g\u{1}").as_bytes()].concat();
    let latin: Vec<u8> = latin.into_iter().map(|byte| if byte == 1 { 0xf6 } else { byte }).collect();
    assert!(is_pnml(&latin));
    assert_eq!(pnml(&latin).unwrap().transitions[0].name, "g\u{f6}");
}

#[test]
fn every_cut_is_noticed_with_its_line() {
    for end in 0..XES.len() {
        let error = xes(&XES.as_bytes()[..end]).expect_err("a part is no log");
        let line = XES[..end].matches('\n').count() as u64 + 1;
        let EventLogError::Malformed { line: said, message } = error else { panic!("the bytes came") };
        assert!(said <= line && line - said <= 1, "{end}: line {said}, not {line}: {message}");
    }
}

#[test]
fn a_tag_without_end_takes_little_memory() {
    let endless = std::iter::once("<log a=\"").chain(std::iter::repeat_n("aaaaaaaaaaaaaaaa", 8 << 20));
    let text: String = endless.collect();
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.peak_usage();
    assert!(xes(text.as_bytes()).is_err());
    assert!(ALLOCATOR.peak_usage() - before < 4 * TOKEN_BYTES_MAX);
}

#[test]
fn changed_input_never_panics() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let samples = [XES, CSV, PNML];
    for round in 0..3_000 {
        let mut bytes = samples[round % 3].as_bytes().to_vec();
        for _ in 0..=random.next_u32() % 4 {
            let at = random.next_u32() as usize % bytes.len();
            match random.next_u32() % 4 {
                0 => bytes[at] = random.next_u32() as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"<>\"'&;,\n/"[random.next_u32() as usize % 9]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        // Any answer is right that is one.
        let answers = [xes(&bytes).is_ok(), CsvLog::read(bytes.as_slice()).is_ok(), pnml(&bytes).is_ok()];
        assert!(answers.iter().filter(|ok| **ok).count() <= 2);
    }
}
