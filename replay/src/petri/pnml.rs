//! PNML (ISO/IEC 15909-2, grammar of 2009) of a Petri net.
//!
//! Weights are inscriptions. A read arc is a pair of arcs, there and back. Reset arcs, which the standard's place/transition
//! nets do not have, are arcs with `<arctype><text>reset</text></arctype>`, as ProM and pm4py read them; silent transitions
//! and final markings are said as these tools read them, too. Other tools should be given a net's states.

use std::fmt::Write as _;

use super::{Ending, PetriNet, Transition};
use crate::export::put_xml;

/// Writes a net down.
#[must_use]
pub fn write_pnml(net: &PetriNet) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pnml xmlns=\"http://www.pnml.org/version-2009/grammar/pnml\">\n\
         <net id=\"net\" type=\"http://www.pnml.org/version-2009/grammar/ptnet\">\n<name><text>",
    );
    put_xml(&net.name, &mut out);
    out.push_str("</text></name>\n<page id=\"page\">\n");
    for (index, place) in net.places.iter().enumerate() {
        write!(out, "<place id=\"p{index}\"><name><text>").unwrap_or_default();
        put_xml(&place.name, &mut out);
        out.push_str("</text></name>");
        if place.initial > 0 {
            write!(out, "<initialMarking><text>{}</text></initialMarking>", place.initial).unwrap_or_default();
        }
        out.push_str("</place>\n");
    }
    for (index, transition) in net.transitions.iter().enumerate() {
        write!(out, "<transition id=\"t{index}\"><name><text>").unwrap_or_default();
        put_xml(transition.label.as_ref().unwrap_or(&transition.name), &mut out);
        out.push_str("</text></name>");
        if transition.label.is_none() {
            out.push_str("<toolspecific tool=\"ProM\" version=\"6.4\" activity=\"$invisible$\"/>");
        }
        out.push_str("</transition>\n");
    }
    let mut arcs = 0;
    for (index, transition) in net.transitions.iter().enumerate() {
        put_arcs(index, transition, &mut arcs, &mut out);
    }
    out.push_str("</page>\n<finalmarkings><marking>");
    let tokens: Vec<(u32, u32)> = match &net.ending {
        Ending::Exactly(tokens) => tokens.clone(),
        Ending::Marked(places) => places.iter().map(|place| (*place, 1)).collect(),
    };
    for (place, count) in tokens {
        write!(out, "<place idref=\"p{place}\"><text>{count}</text></place>").unwrap_or_default();
    }
    out.push_str("</marking></finalmarkings>\n</net>\n</pnml>\n");
    out
}

fn put_arcs(index: usize, transition: &Transition, arcs: &mut usize, out: &mut String) {
    let mut arc = |from: String, to: String, weight: u32, reset: bool| {
        write!(out, "<arc id=\"a{arcs}\" source=\"{from}\" target=\"{to}\">").unwrap_or_default();
        *arcs += 1;
        write!(out, "<inscription><text>{weight}</text></inscription>").unwrap_or_default();
        if reset {
            out.push_str("<arctype><text>reset</text></arctype>");
        }
        out.push_str("</arc>\n");
    };
    for (place, weight) in &transition.consumes {
        arc(format!("p{place}"), format!("t{index}"), *weight, false);
    }
    for place in &transition.reads {
        arc(format!("p{place}"), format!("t{index}"), 1, false);
        arc(format!("t{index}"), format!("p{place}"), 1, false);
    }
    for place in &transition.resets {
        arc(format!("p{place}"), format!("t{index}"), 1, true);
    }
    for (place, weight) in &transition.produces {
        arc(format!("t{index}"), format!("p{place}"), *weight, false);
    }
}
