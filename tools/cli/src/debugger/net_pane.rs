//! The net as a list, in the order in which a case can reach its nodes: conditions with their tokens, tasks with their work.

use std::collections::VecDeque;

use actum_model::{ConditionIx, FrameId, Phase, SubnetIx, TaskIx};
use actum_net::{Net, Split};
use ratatui::text::{Line, Span};

use super::model::Model;
use super::theme::Theme;

/// Frames that are shown.
const FRAMES_MAX: usize = 32;

/// The lines of the net at the cursor, and the first that is marked or running.
pub(super) fn lines(model: &Model<'_>, theme: Theme) -> (Vec<Line<'static>>, usize) {
    let Some(net) = model.story.net() else {
        return (vec![Line::from("the log does not have this case's net")], 0);
    };
    let mut list = List { model, net, theme, lines: Vec::new(), first: None };
    list.frame(FrameId::ROOT, SubnetIx::ROOT, "");
    for frame in model.view.case.control.frames().iter().take(FRAMES_MAX) {
        let name = net.subnets.get(frame.subnet.index()).map_or_else(String::new, |subnet| subnet.name.clone());
        list.lines.push(Line::styled(format!("frame {}: {name}, for item {}", frame.id, frame.item), theme.quiet()));
        list.frame(frame.id, frame.subnet, "  ");
    }
    let first = list.first.unwrap_or(0);
    (list.lines, first)
}

struct List<'a, 's> {
    model: &'a Model<'s>,
    net: &'a Net,
    theme: Theme,
    lines: Vec<Line<'static>>,
    first: Option<usize>,
}

impl List<'_, '_> {
    fn frame(&mut self, frame: FrameId, subnet: SubnetIx, indent: &str) {
        for node in order(self.net, subnet) {
            match node {
                Node::Condition(condition) => self.condition(frame, condition, indent),
                Node::Task(task) => self.task(frame, task, indent),
            }
        }
    }

    /// A flow drawn from task to task is seen on its task; its condition is shown while it holds a token.
    fn condition(&mut self, frame: FrameId, index: ConditionIx, indent: &str) {
        let Some(condition) = self.net.conditions.get(index.index()) else { return };
        let tokens = self.model.view.case.control.marking.count(frame, index);
        if condition.implicit && tokens == 0 {
            return;
        }
        let is_changed = self.model.change.tokens.iter().any(|change| change.condition == self.name(frame, index));
        let style = match tokens {
            _ if is_changed => self.theme.changed(),
            0 => self.theme.quiet(),
            _ => self.theme.marked(),
        };
        let (sign, count) = match tokens {
            0 => ("○", String::new()),
            1 => ("●", String::new()),
            many => ("●", format!(" ×{many}")),
        };
        let changed = if is_changed { " *" } else { "" };
        self.push(tokens > 0, Line::styled(format!("{indent}{sign} {}{count}{changed}", condition.name), style));
    }

    /// As a difference names a condition.
    fn name(&self, frame: FrameId, index: ConditionIx) -> String {
        let Some(condition) = self.net.conditions.get(index.index()) else { return String::new() };
        let subnet = self.net.subnets.get(condition.subnet.index()).filter(|_| condition.subnet != SubnetIx::ROOT);
        let name =
            subnet.map_or_else(|| condition.name.clone(), |subnet| format!("{}/{}", subnet.name, condition.name));
        if frame == FrameId::ROOT { name } else { format!("{frame}:{name}") }
    }

    fn task(&mut self, frame: FrameId, index: TaskIx, indent: &str) {
        let Some(task) = self.net.tasks.get(index.index()) else { return };
        let view = &self.model.view;
        let of_task = |item: &&actum_model::WorkItemState| item.task == index && item.frame == frame;
        let items: Vec<_> = view.case.control.items.iter().filter(of_task).collect();
        let done = view.done.iter().filter(|done| done.task == index).count();
        let style = match items.iter().map(|item| item.phase).max_by_key(|phase| weight(*phase)) {
            Some(Phase::Failed) => self.theme.failed(),
            Some(Phase::Started | Phase::Allocated) => self.theme.running(),
            Some(_) => self.theme.marked(),
            None => self.theme.quiet(),
        };
        let sign = match (items.is_empty(), done) {
            (false, _) => "■",
            (true, 0) => "□",
            (true, _) => "✓",
        };
        let mut spans = vec![Span::styled(format!("{indent}{sign} {}", task.name), style)];
        for item in items.iter().take(3) {
            let who = match item.resource {
                Some(actor) => format!(" {}", view.names.actor(actor)),
                None => String::new(),
            };
            spans.push(Span::styled(format!(" [{}{who}]", item.phase.name()), style));
        }
        if items.len() > 3 {
            spans.push(Span::styled(format!(" and {} more", items.len() - 3), style));
        }
        if done > 0 {
            spans.push(Span::styled(format!(" done {done}×"), self.theme.quiet()));
        }
        let flows = flows(self.net, index);
        if !flows.is_empty() {
            spans.push(Span::styled(format!(" → {flows}"), self.theme.quiet()));
        }
        self.push(!items.is_empty(), Line::from(spans));
    }

    fn push(&mut self, is_live: bool, line: Line<'static>) {
        if is_live {
            self.first.get_or_insert(self.lines.len());
        }
        self.lines.push(line);
    }
}

fn weight(phase: Phase) -> u8 {
    match phase {
        Phase::Failed => 3,
        Phase::Started => 2,
        Phase::Allocated => 1,
        _ => 0,
    }
}

/// Where a task's flows lead: `a & b` to all of them, `a | b` to one, `a / b` to some.
fn flows(net: &Net, task: TaskIx) -> String {
    let Some(task) = net.tasks.get(task.index()) else { return String::new() };
    let name = |condition: ConditionIx| match net.conditions.get(condition.index()) {
        Some(condition) if condition.implicit => {
            let next = condition.consumers.first().and_then(|task| net.tasks.get(task.index()));
            next.map_or_else(|| condition.name.clone(), |task| task.name.clone())
        }
        Some(condition) => condition.name.clone(),
        None => format!("#{condition}"),
    };
    let between = match task.split {
        Split::Xor => " | ",
        Split::Or => " / ",
        _ => " & ",
    };
    task.outputs.iter().map(|flow| name(flow.to)).collect::<Vec<_>>().join(between)
}

#[derive(Debug, Clone, Copy)]
enum Node {
    Condition(ConditionIx),
    Task(TaskIx),
}

/// The nodes of a subnet, nearest to its start first; then those that no flow reaches.
fn order(net: &Net, subnet: SubnetIx) -> Vec<Node> {
    let Some(subnet) = net.subnets.get(subnet.index()) else { return Vec::new() };
    let (mut conditions, mut tasks) = (vec![false; net.conditions.len()], vec![false; net.tasks.len()]);
    let mut nodes = Vec::new();
    let mut next = VecDeque::from([subnet.start]);
    let rest = subnet.conditions.clone().map(ConditionIx);
    let mut starts = rest.filter(|condition| *condition != subnet.end);
    while let Some(condition) = next.pop_front().or_else(|| starts.next()) {
        let Some(seen) = conditions.get_mut(condition.index()).filter(|seen| !**seen) else { continue };
        *seen = true;
        if condition == subnet.end {
            continue;
        }
        nodes.push(Node::Condition(condition));
        let consumers = net.conditions.get(condition.index()).map_or(&[][..], |condition| &condition.consumers);
        for task in consumers {
            let Some(seen) = tasks.get_mut(task.index()).filter(|seen| !**seen) else { continue };
            *seen = true;
            nodes.push(Node::Task(*task));
            next.extend(net.tasks[task.index()].outputs.iter().map(|flow| flow.to));
        }
    }
    let unreached = subnet.tasks.clone().map(TaskIx).filter(|task| tasks.get(task.index()) == Some(&false));
    nodes.extend(unreached.map(Node::Task));
    nodes.push(Node::Condition(subnet.end));
    nodes
}
