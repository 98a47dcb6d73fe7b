//! What might have been.

mod past;

use std::sync::Arc;

use actum_model::{CaseStatus, Value};
use actum_net::{Net, TaskIx};
use actum_replay::timeline::{Premise, Stopped, Story, WhatIf, World, what_if};
use actum_replay::{Kind, LoggedEvent};
use past::{NET, story_of, two};

/// People who say yes after a minute.
struct Yes;

impl World for Yes {
    fn person(&self, net: &Net, task: TaskIx, _: u32) -> Option<(u32, Value)> {
        let field = if net.tasks[task.index()].name == "review" { "again" } else { "ok" };
        Some((1, Value::Map([(field.to_owned(), Value::Bool(field == "ok"))].into())))
    }

    fn signal(&self, _: &Net, _: &str, _: u32) -> Option<u32> {
        None
    }

    fn handler(&self, _: &str, _: &Value) -> Option<Value> {
        None
    }
}

/// People who never come to an end, and take no time.
struct Again;
impl World for Again {
    fn person(&self, net: &Net, task: TaskIx, _: u32) -> Option<(u32, Value)> {
        let field = if net.tasks[task.index()].name == "review" { "again" } else { "ok" };
        Some((0, Value::Map([(field.to_owned(), Value::Bool(true))].into())))
    }

    fn signal(&self, _: &Net, _: &str, _: u32) -> Option<u32> {
        None
    }

    fn handler(&self, _: &str, _: &Value) -> Option<Value> {
        None
    }
}

fn ask(story: &Story, count: usize, premise: &Premise) -> WhatIf {
    let found = what_if(story, count, premise, &Yes).unwrap();
    assert_eq!(found.view.case.version, (found.fork + found.events.len()) as u64);
    found
}

fn set(name: &str, value: Value) -> Premise {
    Premise { set: vec![(name.to_owned(), value)], ..Premise::default() }
}

#[test]
fn without_a_premise_everything_goes_as_it_did() {
    let source = two();
    for case in ["1", "2"] {
        let story = story_of(&*source, case).unwrap();
        for count in 1..=story.len() {
            let found = ask(&story, count, &Premise::default());
            assert!(found.difference.is_empty(), "from {count}: {}", found.difference);
            assert_eq!((found.same, found.stopped), (story.len() - found.fork, Stopped::Ended), "from {count}");
            assert_eq!(found.left_out, Vec::<String>::new());
            assert!(found.fork >= count && found.moved == (found.fork != count));
            let same_data = &story.state(story.len()).variables;
            assert_eq!(&found.view.case.variables, same_data);
        }
    }
}

#[test]
fn other_data_takes_another_way() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    // Small, so nobody reviews it.
    let found = ask(&story, 3, &set("amount", Value::Int(10)));
    assert_eq!((found.status(), found.same), (CaseStatus::Completed, 2));
    assert_eq!(found.left_out, ["work on assess, time 2", "work on review", "work on review, time 2"]);
    insta::assert_snapshot!(
        found.to_text(&story, &|logged: &LoggedEvent, json| { format!("  {} {}", logged.kind(), json["task"]) })
    );
    insta::assert_snapshot!(format!("{:#}", found.to_json(&story)["fork"]));
    // Large, so that a person must say what nobody ever said.
    let small = story_of(&*source, "2").unwrap();
    let stuck = ask(&small, 3, &set("amount", Value::Int(1_000)));
    assert_eq!(stuck.stopped, Stopped::Waits(vec!["review: nothing is recorded of who did it that time".to_owned()]));
    let played = ask(&small, 3, &Premise { simulated: true, ..set("amount", Value::Int(1_000)) });
    assert_eq!((played.status(), played.stopped), (CaseStatus::Completed, Stopped::Ended));
    assert_eq!(played.view.done.iter().filter(|done| done.actor == past::BEN).count(), 1);
}

#[test]
fn another_net_takes_over_by_name() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    let net = |text: &str| Some(Arc::new(actum_net::compile(text).unwrap().net));
    // Reviews are for more than a thousand, and there is a task more, which moves the ordinals of all others.
    let milder = NET.replace("<= 100", "<= 1000").replace("tasks:\n", "tasks:\n  archive: { flow: end }\n").replace(
        "output: { total: '{{ amount * 2 }}' }, flow: end }",
        "output: { total: '{{ amount * 3 }}' }, flow: archive }",
    );
    let found = ask(&story, 1, &Premise { net: net(&milder), ..Premise::default() });
    assert_eq!((found.status(), found.stopped), (CaseStatus::Completed, Stopped::Ended));
    let total = found.view.net.as_ref().unwrap().variable("total").unwrap();
    assert_eq!(found.view.case.variable(total), Some(&Value::Int(1_500)));
    assert!(found.difference.to_string().contains("total"), "{}", found.difference);
    // Where the review has begun, the other net must have one.
    let without = NET.replace("      - { to: review, when: 'approved' }\n", "").replace(
        "split: xor\n    flow:\n      - { to: assess, when: 'again' }\n      - { to: pay, default: true }\n",
        "flow: pay\n",
    );
    let without = without
        .replace("  review:\n", "  other:\n")
        .replace("- { to: reject, default", "- { to: other, when: 'amount > 9' }\n      - { to: reject, default");
    let refused = what_if(&story, 9, &Premise { net: net(&without), ..Premise::default() }, &Yes).unwrap_err();
    assert_eq!(refused.kind(), Kind::Usage);
    assert!(refused.to_string().contains("the work on review"), "{refused}");
}

#[test]
fn what_cannot_be_is_refused() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    let refuse = |premise: &Premise| what_if(&story, 3, premise, &Yes).unwrap_err();
    assert_eq!(refuse(&set("nothing", Value::Null)).kind(), Kind::NotFound);
    let kind = refuse(&set("amount", Value::String("much".into())));
    assert_eq!(kind.kind(), Kind::Usage);
    assert!(kind.to_string().contains("amount cannot be set"), "{kind}");
}

#[test]
fn a_net_that_goes_in_circles_is_given_up() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    let premise = Premise { simulated: true, ..Premise::default() };
    let found = what_if(&story, 1, &premise, &Again).unwrap();
    assert!(matches!(found.stopped, Stopped::Circles | Stopped::Waits(_)), "{:?}", found.stopped);
    assert_eq!(found.status(), CaseStatus::Open);
}
