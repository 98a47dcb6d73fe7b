//! Simulated people and signals.

use actum_model::Value;

use super::object::Object;
use super::string;
use crate::read::{PlayDraft, literal};

pub(super) fn write(play: &PlayDraft) -> Option<Value> {
    let participants = play
        .participants
        .iter()
        .map(|(name, people)| (name.text.clone(), Value::List(people.iter().map(|person| string(person)).collect())));
    let tasks = play.tasks.iter().map(|task| {
        let results = task.results.iter().map(|(weight, node)| {
            Object::default()
                .with("weight", Some(Value::Int(i64::from(*weight))))
                .with("result", Some(literal(node)))
                .done()
        });
        let entry = Object::default()
            .with("minutes", Some(range(task.minutes)))
            .with("results", Some(Value::List(results.collect())));
        (task.name.text.clone(), entry.done())
    });
    let signals = play
        .signals
        .iter()
        .map(|(name, minutes)| (name.text.clone(), Object::default().with("minutes", Some(range(*minutes))).done()));
    Object::default().map("participants", participants).map("tasks", tasks).map("signals", signals).unless_empty()
}

fn range((low, high): (u32, u32)) -> Value {
    Value::List(vec![Value::Int(low.into()), Value::Int(high.into())])
}
