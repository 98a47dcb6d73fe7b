//! A subnet as a reset net: places, and steps that take, empty and give.
//!
//! | place | holds a token when |
//! |---|---|
//! | condition | it has one |
//! | busy | the task runs |
//! | of a partial join, each input: missing, arrived | the input has not, or has, arrived since the join was as new |
//! | of a partial join: count, fresh, fired | how many arrived; it has not fired; it has |
//!
//! A task that runs over time is two steps, start and end, if anything in the subnet cancels; otherwise one, which reaches
//! the same markings in fewer steps. A partial join swallows tokens as they come, also before it fires: nothing else can
//! tell the difference but a cancellation of its inputs, which is then assumed to come too late.

use actum_model::{ConditionIx, Control, FrameId, SubnetIx, TaskIx};
use actum_net::{Join, Net, Rest, Split, Task};
use smallvec::{SmallVec, smallvec};

use crate::join::{memo::busy, weight};

/// A place, by number within the subnet.
pub(super) type Place = u32;

/// Places with tokens, sorted by place, without zeros.
pub(super) type Bag = SmallVec<[(Place, u32); 4]>;

/// A step: it needs and takes `takes`, empties `empties`, gives `gives`.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) takes: Bag,
    pub(super) empties: SmallVec<[Place; 4]>,
    pub(super) gives: Bag,
}

/// How a task may start: what it takes, empties, and gives beside its gifts.
type Way = (Bag, SmallVec<[Place; 4]>, Bag);

/// A subnet's steps, and how many tokens its places have now.
pub(super) struct ResetNet {
    pub(super) steps: Vec<Step>,
    pub(super) tokens: Vec<u32>,
    first_condition: u32,
}

struct Builder<'a> {
    net: &'a Net,
    control: &'a Control,
    frame: FrameId,
    subnet: SubnetIx,
    cancels: bool,
    built: ResetNet,
}

impl ResetNet {
    /// All steps of a frame's net but those of `join`. Other OR-joins count as XOR-joins.
    pub(super) fn of(net: &Net, control: &Control, frame: FrameId, join: TaskIx) -> Self {
        let subnet = net.tasks[join.index()].subnet;
        let part = &net.subnets[subnet.index()];
        let tasks = &net.tasks[part.tasks.start as usize..part.tasks.end as usize];
        let places = part.conditions.len() + tasks.len();
        let mut tokens = vec![0; places];
        for (condition, count) in control.marking.of(frame) {
            if let Some(place) = tokens.get_mut((condition.0 - part.conditions.start) as usize) {
                *place = count;
            }
        }
        let built =
            ResetNet { steps: Vec::with_capacity(tasks.len() * 2), tokens, first_condition: part.conditions.start };
        let cancels = tasks.iter().any(|task| !task.cancels.is_empty());
        let mut builder = Builder { net, control, frame, subnet, cancels, built };
        builder.mark_busy();
        for index in part.tasks.clone() {
            if TaskIx(index) != join {
                builder.add(TaskIx(index));
            }
        }
        builder.built
    }

    pub(super) fn condition(&self, condition: ConditionIx) -> Place {
        condition.0 - self.first_condition
    }
}

impl Builder<'_> {
    /// Work that runs gives tokens at its end; a firing whose case went on already gives none.
    fn mark_busy(&mut self) {
        for task in busy(self.control, self.frame) {
            let place = self.busy(task) as usize;
            if let Some(tokens) = self.built.tokens.get_mut(place) {
                *tokens = 1;
            }
        }
    }

    fn busy(&self, task: TaskIx) -> Place {
        let part = &self.net.subnets[self.subnet.index()];
        part.conditions.len() as u32 + (task.0 - part.tasks.start)
    }

    fn place(&mut self, tokens: u32) -> Place {
        self.built.tokens.push(tokens);
        self.built.tokens.len() as Place - 1
    }

    fn add(&mut self, task: TaskIx) {
        let net = self.net;
        let definition = &net.tasks[task.index()];
        let busy = self.busy(task);
        let is_busy = self.built.tokens[busy as usize] > 0;
        let region = self.region(definition);
        let at_start = matches!(definition.join, Join::Partial { rest: Rest::Cancel, .. });
        let at_end: &[Place] = if at_start { &[] } else { &region };
        let gifts = self.gifts(definition);
        if self.cancels || is_busy {
            for gives in &gifts {
                let step = Step { takes: smallvec![(busy, 1)], empties: at_end.into(), gives: gives.clone() };
                self.built.steps.push(step);
            }
        }
        if definition.inputs.is_empty() {
            return;
        }
        let ways = self.ways(task, definition, at_start.then_some(&region[..]));
        for (takes, empties, more) in ways {
            if self.cancels {
                let mut gives = more;
                put(&mut gives, busy, 1);
                self.built.steps.push(Step { takes, empties, gives });
                continue;
            }
            for gift in &gifts {
                let mut gives = more.clone();
                gift.iter().for_each(|(place, count)| put(&mut gives, *place, *count));
                self.built.steps.push(Step { takes: takes.clone(), empties: empties.clone(), gives });
            }
        }
    }

    fn region(&self, task: &Task) -> SmallVec<[Place; 4]> {
        let conditions = task.cancels.conditions.iter().map(|condition| self.built.condition(*condition));
        conditions.chain(task.cancels.tasks.iter().map(|task| self.busy(*task))).collect()
    }

    /// What a task may give. More tokens never cover less: an OR-split is at its best when it takes every flow.
    fn gifts(&self, task: &Task) -> SmallVec<[Bag; 2]> {
        let flow = |gives: &mut Bag, flow: &actum_net::Flow| put(gives, self.built.condition(flow.to), flow.tokens);
        let mut released = Bag::new();
        task.releases.iter().for_each(|mutex| put(&mut released, self.built.condition(*mutex), 1));
        if task.split == Split::Xor && task.outputs.len() > 1 {
            let one = |output| {
                let mut gives = released.clone();
                flow(&mut gives, output);
                gives
            };
            task.outputs.iter().map(one).collect()
        } else {
            let mut gives = released;
            task.outputs.iter().for_each(|output| flow(&mut gives, output));
            smallvec![gives]
        }
    }

    fn ways(&mut self, task: TaskIx, definition: &Task, region: Option<&[Place]>) -> SmallVec<[Way; 2]> {
        let mut always = (Bag::new(), SmallVec::new(), Bag::new());
        for read in &definition.reads {
            put(&mut always.0, self.built.condition(*read), 1);
            put(&mut always.2, self.built.condition(*read), 1);
        }
        for mutex in &definition.holds {
            put(&mut always.0, self.built.condition(*mutex), 1);
        }
        let input = |built: &ResetNet, bag: &mut Bag, input: ConditionIx| {
            put(bag, built.condition(input), weight(definition, input));
        };
        match definition.join {
            Join::And => {
                definition.inputs.iter().for_each(|from| input(&self.built, &mut always.0, *from));
                smallvec![always]
            }
            Join::Partial { of, .. } => smallvec![self.partial(task, definition, of, region, always)],
            _ => {
                let one = |from: &ConditionIx| {
                    let mut way = always.clone();
                    input(&self.built, &mut way.0, *from);
                    way
                };
                definition.inputs.iter().map(one).collect()
            }
        }
    }

    fn partial(&mut self, task: TaskIx, definition: &Task, of: u32, region: Option<&[Place]>, always: Way) -> Way {
        let (mut takes, mut empties, mut gives) = always;
        let arrived = self.control.arrived(self.frame, task);
        let is_fresh = arrived.is_empty();
        let (count, fresh, fired) = (self.place(0), self.place(u32::from(is_fresh)), self.place(u32::from(!is_fresh)));
        let mut all_arrived: Bag = smallvec![(fired, 1)];
        let mut as_new: Bag = smallvec![(fresh, 1)];
        let mut memory: SmallVec<[Place; 4]> = smallvec![count];
        for input in &definition.inputs {
            let has = arrived.contains(input);
            let (missing, got) = (self.place(u32::from(!has)), self.place(u32::from(has)));
            put(&mut all_arrived, got, 1);
            put(&mut as_new, missing, 1);
            memory.extend([missing, got]);
            let mut arrives = Step::default();
            put(&mut arrives.takes, self.built.condition(*input), weight(definition, *input));
            put(&mut arrives.takes, missing, 1);
            put(&mut arrives.gives, got, 1);
            put(&mut arrives.gives, count, 1);
            self.built.steps.push(arrives);
        }
        put(&mut takes, count, of);
        put(&mut takes, fresh, 1);
        if let Some(region) = region {
            // It cancels the rest and is as new at once.
            empties.extend(region.iter().copied().chain(memory));
            as_new.iter().for_each(|(place, count)| put(&mut gives, *place, *count));
        } else {
            put(&mut gives, fired, 1);
            self.built.steps.push(Step { takes: all_arrived, empties: smallvec![count], gives: as_new });
        }
        (takes, empties, gives)
    }
}

/// Adds tokens.
pub(super) fn put(bag: &mut Bag, place: Place, count: u32) {
    match bag.binary_search_by_key(&place, |(known, _)| *known) {
        Ok(index) => bag[index].1 = bag[index].1.saturating_add(count),
        Err(index) => bag.insert(index, (place, count)),
    }
}

/// Tokens of a place.
pub(super) fn tokens(bag: &Bag, place: Place) -> u32 {
    bag.binary_search_by_key(&place, |(known, _)| *known).map_or(0, |index| bag[index].1)
}
