//! What people and other programs ask of the engine, at random moments, of what is there and of what is not.

use std::collections::BTreeMap;
use std::time::Duration;

use actum::{ActorId, CaseId, CommandError, Engine, ExceptionKind, Extent, ItemId, Message, NetHash, Value, WorkRow};
use actum_model::{Absence, OrganisationEvent, Time};
use actum_tests::Random;

use crate::clock::MINUTE;
use crate::nets::{EXCEPTIONS, SIGNALS_SENT};
use crate::observer::Observer;
use crate::promises::Promise;
use crate::work::Hands;

pub(crate) type Answer = Result<Promise, CommandError>;
pub(crate) type Asked = std::pin::Pin<Box<dyn Future<Output = Answer>>>;

/// Business keys are few, so that they come again; and so are ids of messages.
const KEYS: usize = 200;
const IDS: usize = 150;

fn from(n: i64) -> BTreeMap<String, Value> {
    BTreeMap::from([("n".to_owned(), Value::Int(n))])
}

/// A case is started, perhaps under a key that was used before.
pub(crate) fn start_case(random: &mut Random, engine: Engine, nets: &[NetHash]) -> Asked {
    let net = *random.pick(nets);
    let key = format!("{net}-{}", random.below(KEYS));
    let input = from(random.below(9) as i64);
    Box::pin(async move {
        let started = engine.start_case(net, Some(&key), input).await?;
        Ok(Promise::Started(key, started.case))
    })
}

/// A message is sent, perhaps for the second time.
pub(crate) fn send(random: &mut Random, engine: Engine) -> Asked {
    let id = random.below(IDS);
    // An id says all about its message, as senders do it.
    let mut of_id = Random::new(id as u64);
    let n = of_id.below(9) as i64;
    let mut message = match of_id.below(4) {
        0 => Message::new("news", "all", Value::Map(from(n))).to_all(),
        1 => {
            let data = BTreeMap::from([("id".to_owned(), Value::String(format!("order-{}", id % 40)))]);
            Message::new("order", n.to_string(), Value::Map(data.into_iter().chain(from(n)).collect()))
        }
        _ => Message::new("payment", n.to_string(), Value::Map(from(n))),
    };
    if of_id.chance(50) {
        message = message.keep_for(Duration::from_mins(of_id.below(600) as u64));
    }
    let id = format!("m{id}");
    let message = message.id(id.clone());
    Box::pin(async move {
        let sent = engine.message(message, ActorId::ENGINE).await?;
        Ok(Promise::Sent(id, sent.message))
    })
}

/// Somebody does something with work that they see, or that they should not.
pub(crate) fn work(random: &mut Random, engine: Engine, people: &[ActorId]) -> Option<Asked> {
    let actor = *random.pick(people);
    let mut rows = engine.offered_to(actor);
    rows.extend(engine.held_by(actor));
    let row = (!rows.is_empty()).then(|| random.pick(&rows).clone())?;
    // Now and then it is another who acts, or on another item.
    let actor = if random.chance(5) { *random.pick(people) } else { actor };
    let item = if random.chance(2) { ItemId(row.item.0 + 1) } else { row.item };
    let WorkRow { case, holder, .. } = row;
    let (what, other) = (random.below(30), *random.pick(people));
    Some(Box::pin(async move {
        use actum::Holder::{Allocated, Offered, Started};
        match (holder, what) {
            (_, 0) => engine.delegate(case, item, actor, other).await?,
            (_, 1) => engine.reallocate(case, item, actor, other, what.is_multiple_of(2)).await?,
            (_, 2) => engine.skip(case, item, actor).await?,
            (_, 3) => engine.pile(case, item, actor, other.0.is_multiple_of(2)).await?,
            (_, 4) => engine.escalate(case, item, actor, "too much").await?,
            (_, 5) => engine.suspend_work(case, item, actor).await?,
            (_, 6 | 7) => engine.resume_work(case, item, actor).await?,
            (Offered(..), _) => engine.take(case, item, actor).await?,
            (Allocated(_) | Started(_), 8) => engine.put_back(case, item, actor).await?,
            (Allocated(_), _) => engine.start(case, item, actor).await?,
            (Started(_), 9) => engine.fail(case, item, actor, "sim/no", "no").await?,
            (Started(_), 10) => engine.complete(case, item, actor, Value::Int(7)).await?,
            (Started(_), _) => {
                engine.complete(case, item, actor, approval(what.is_multiple_of(2))).await?;
                return Ok(Promise::Completed(case, item));
            }
        }
        Ok(Promise::Nothing)
    }))
}

/// Signals, rests, cancellation, retries, undoing, on a case that is open or is not.
pub(crate) fn control(
    random: &mut Random,
    (engine, hands): (Engine, Hands),
    seen: &Observer,
    people: &[ActorId],
) -> Option<Asked> {
    let cases: Vec<CaseId> = seen.open().map(|case| case.id).collect();
    let case = (!cases.is_empty()).then(|| *random.pick(&cases))?;
    let items: Vec<ItemId> = seen.cases[&case].control.items.iter().map(|item| item.id).collect();
    let item = if items.is_empty() { ItemId(0) } else { *random.pick(&items) };
    let letters = engine.dead_letters(None, 100);
    let letter = (!letters.is_empty()).then(|| random.pick(&letters).clone());
    let actor = *random.pick(people);
    let (what, signal, name) = (random.below(34), *random.pick(&SIGNALS_SENT), *random.pick(&EXCEPTIONS));
    let about = random.chance(60).then_some(item);
    Some(Box::pin(async move {
        match what {
            0 => {
                engine.cancel_case(case, actor, "no longer wanted").await?;
                return Ok(Promise::Cancelled(case));
            }
            1 => engine.cancel_work(case, item, actor).await?,
            2 | 3 => engine.suspend_case(case, actor).await?,
            4..=7 => engine.resume_case(case, actor).await?,
            8..=10 => engine.retry(case, item, actor).await?,
            11 => engine.add_instance(case, item, actor, None).await?,
            12 => engine.complete_instances(case, item, actor).await?,
            13 | 14 => engine.raise(case, about, actor, ExceptionKind::External, name, "it was said").await?,
            15 => engine.compensate(case, actor, Extent::All, "all of it").await?,
            16 => engine.compensate(case, actor, Extent::Branch(item), "this branch").await?,
            17 | 18 => engine.compensate(case, actor, Extent::Savepoint("chosen".to_owned()), "choose again").await?,
            19..=22 => {
                if let Some(letter) = letter {
                    // By the time that it is heard, another attempt may be planned already.
                    hands.ask_again(letter.case, letter.item);
                    engine.requeue(letter.case, letter.item).await?;
                }
            }
            23 => {
                if let Some(letter) = letter {
                    engine.drop_work(letter.case, letter.item).await?;
                }
            }
            24 => engine.offer(case, item, &[]).await?,
            _ => engine.signal(case, actor, signal, Value::Null).await?,
        }
        Ok(Promise::Nothing)
    }))
}

/// Somebody will be away for some hours.
pub(crate) fn absence(random: &mut Random, engine: Engine, now: Time, people: &[ActorId]) -> Asked {
    let actor = *random.pick(people);
    let until = Time(now.0 + MINUTE * random.below(600) as u64 + 1);
    let absence = Absence { from: now, until, reason: "leave".to_owned() };
    Box::pin(async move {
        engine.change_organisation(OrganisationEvent::AbsenceAdded { actor, absence }).await?;
        Ok(Promise::Nothing)
    })
}

pub(crate) fn approval(ok: bool) -> Value {
    Value::Map(BTreeMap::from([("ok".to_owned(), Value::Bool(ok))]))
}
