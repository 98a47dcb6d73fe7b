//! PNML (ISO/IEC 15909-2) of place/transition nets, as ProM and pm4py write and read them: with weights, reset arcs, silent
//! transitions and final markings.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::finding::{Code, Finding, Findings, Span};
use crate::xml::{Element, parse};

/// A Petri net of another system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignPetri {
    /// Its name.
    pub name: String,
    /// Name and initial tokens of each place.
    pub places: Vec<(String, u32)>,
    /// Transitions.
    pub transitions: Vec<ForeignTransition>,
    /// Places with their tokens at the end, ascending; `None`: the file does not say.
    pub last: Option<Vec<(u32, u32)>>,
}

/// A transition of a Petri net.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignTransition {
    /// Its name.
    pub name: String,
    /// It stands for no activity.
    pub silent: bool,
    /// Places and how many tokens it takes from each.
    pub consumes: Vec<(u32, u32)>,
    /// Places that it empties.
    pub resets: Vec<u32>,
    /// Places and how many tokens it gives to each.
    pub produces: Vec<(u32, u32)>,
}

/// Reads a Petri net. Files in ISO-8859-1 that say so are read, too.
///
/// # Errors
/// All findings, in the order of the source.
pub fn pnml(bytes: &[u8]) -> Result<ForeignPetri, Vec<Finding>> {
    let source = text_of(bytes);
    let mut findings = Findings::new(&source);
    let net = parse(&source, &mut findings).and_then(|root| Reader::new(&mut findings).net(&root));
    match net {
        Some(net) if !findings.has_errors() => Ok(net),
        _ => Err(findings.finish()),
    }
}

/// Whether a file looks like PNML: its first element is `pnml`.
pub fn is_pnml(bytes: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let first =
        beginning.match_indices('<').map(|(at, _)| &beginning[at + 1..]).find(|rest| !rest.starts_with(['?', '!']));
    first.is_some_and(|rest| rest.starts_with("pnml"))
}

fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    let Ok(text) = std::str::from_utf8(bytes) else { return latin(bytes, &String::from_utf8_lossy(bytes)) };
    latin(bytes, text)
}

/// The text without a declaration that says ISO-8859-1, in the encoding that it says.
fn latin<'b>(bytes: &'b [u8], text: &str) -> Cow<'b, str> {
    let declaration = text.trim_start_matches('\u{feff}').strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    if let Some((declaration, _)) = declaration
        && declaration.to_ascii_lowercase().contains("iso-8859-1")
    {
        let end = "<?xml".len() + declaration.len() + "?>".len();
        // Blanks instead, so that positions stay.
        let rest = bytes.get(end..).unwrap_or_default().iter().map(|byte| char::from(*byte));
        return Cow::Owned(std::iter::repeat_n(' ', end).chain(rest).collect());
    }
    String::from_utf8_lossy(bytes)
}

struct Reader<'f, 'l> {
    findings: &'f mut Findings<'l>,
    made: ForeignPetri,
    nodes: HashMap<String, Node>,
}

#[derive(Clone, Copy)]
enum Node {
    Place(u32),
    Transition(u32),
}

impl<'f, 'l> Reader<'f, 'l> {
    fn new(findings: &'f mut Findings<'l>) -> Self {
        Reader { findings, made: ForeignPetri::default(), nodes: HashMap::new() }
    }

    fn wrong(&mut self, span: Span, message: impl Into<String>) {
        self.findings.error(Code::Syntax, span, message, None);
    }

    fn net(mut self, root: &Element) -> Option<ForeignPetri> {
        let Some(net) = (root.name == "pnml").then(|| child(root, "net")).flatten() else {
            self.wrong(root.span, "the file has no net of PNML");
            return None;
        };
        text(net, "name").or_else(|| net.attribute("id")).unwrap_or_default().clone_into(&mut self.made.name);
        let mut arcs = Vec::new();
        self.nodes_in(net, &mut arcs);
        for arc in arcs {
            self.arc(arc);
        }
        self.last(net);
        Some(self.made)
    }

    /// Nodes may lie on pages, and on pages within pages.
    fn nodes_in<'e>(&mut self, of: &'e Element, arcs: &mut Vec<&'e Element>) {
        for element in &of.children {
            match element.name.as_str() {
                "page" => self.nodes_in(element, arcs),
                "arc" => arcs.push(element),
                "place" => self.place(element),
                "transition" => self.transition(element),
                _ => {}
            }
        }
    }

    fn id(&mut self, element: &Element, node: Node) -> String {
        let Some(id) = element.attribute("id") else {
            self.wrong(element.span, format!("the {} has no id", element.name));
            return String::new();
        };
        if self.nodes.insert(id.to_owned(), node).is_some() {
            self.wrong(element.span, format!("the id `{id}` is there twice"));
        }
        id.to_owned()
    }

    fn place(&mut self, element: &Element) {
        let id = self.id(element, Node::Place(self.made.places.len() as u32));
        let initial = text(element, "initialMarking").map_or(Some(0), |text| text.trim().parse().ok());
        let Some(initial) = initial else {
            self.wrong(element.span, format!("the initial marking of place `{id}` is no number"));
            return;
        };
        self.made.places.push((text(element, "name").unwrap_or(&id).to_owned(), initial));
    }

    fn transition(&mut self, element: &Element) {
        let id = self.id(element, Node::Transition(self.made.transitions.len() as u32));
        let name = text(element, "name").map(str::trim).filter(|name| !name.is_empty());
        let invisible = element
            .children
            .iter()
            .filter(|child| child.name == "toolspecific")
            .any(|tool| tool.attribute("activity").is_some_and(|activity| activity.contains("invisible")));
        self.made.transitions.push(ForeignTransition {
            name: name.unwrap_or(&id).to_owned(),
            silent: invisible,
            ..ForeignTransition::default()
        });
    }

    fn arc(&mut self, element: &Element) {
        let end = |name| element.attribute(name).and_then(|id| self.nodes.get(id)).copied();
        let (source, target) = (end("source"), end("target"));
        let weight = text(element, "inscription").map_or(Some(1), |text| text.trim().parse().ok());
        let Some(weight) = weight else {
            self.wrong(element.span, "the inscription of an arc is no number");
            return;
        };
        let kind = text(element, "arctype").unwrap_or("normal").trim();
        match (source, target, kind) {
            (Some(Node::Place(place)), Some(Node::Transition(at)), "normal") => {
                self.made.transitions[at as usize].consumes.push((place, weight));
            }
            (Some(Node::Place(place)), Some(Node::Transition(at)), "reset") => {
                self.made.transitions[at as usize].resets.push(place);
            }
            (Some(Node::Transition(at)), Some(Node::Place(place)), "normal") => {
                self.made.transitions[at as usize].produces.push((place, weight));
            }
            (Some(_), Some(_), "normal" | "reset") => {
                self.wrong(element.span, "an arc goes between two nodes that it cannot connect");
            }
            (Some(_), Some(_), other) => {
                let message = format!("an arc is of type `{other}`; only normal and reset arcs are read");
                self.wrong(element.span, message);
            }
            _ => self.wrong(element.span, "an arc goes from or to what is not there"),
        }
    }

    fn last(&mut self, net: &Element) {
        let Some(marking) = child(net, "finalmarkings").and_then(|markings| child(markings, "marking")) else { return };
        let mut last = Vec::new();
        for place in marking.children.iter().filter(|child| child.name == "place") {
            let node = place.attribute("idref").and_then(|id| self.nodes.get(id)).copied();
            let count = text_in(place).and_then(|text| text.trim().parse::<u32>().ok());
            match (node, count) {
                (Some(Node::Place(_)), Some(0)) => {}
                (Some(Node::Place(place)), Some(count)) => last.push((place, count)),
                _ => self.wrong(place.span, "the final marking names what is no place, or gives it no number"),
            }
        }
        last.sort_unstable();
        self.made.last = Some(last);
    }
}

fn child<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    element.children.iter().find(|child| child.name == name)
}

/// The text in the `text` of a child.
fn text<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    text_in(child(element, name)?)
}

fn text_in(element: &Element) -> Option<&str> {
    child(element, "text").map(|text| text.text.as_str())
}
