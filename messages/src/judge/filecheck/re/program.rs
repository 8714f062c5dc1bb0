//! From tree to steps.

use super::chars::{Fold, One};
use super::tree::{At, Manner, Node};

/// A step of a program. Steps are numbered by their index in the program; unless stated otherwise, the next step
/// follows.
#[derive(Debug)]
pub(super) enum Step {
    One(One),
    Literal(Box<str>),
    At(At),
    /// Stores the position in a slot.
    Save(usize),
    /// Tries the next step first, and this one if that fails.
    Or(usize),
    Jump(usize),
    /// One place of the pattern, repeated.
    Many {
        one: One,
        min: u32,
        max: Option<u32>,
        manner: Manner,
    },
    /// Resets a loop's counter and jumps to the loop's end.
    Enter {
        counter: usize,
        end: usize,
    },
    /// The end of a loop's body: repeats it, or continues after it.
    Loop {
        counter: usize,
        min: u32,
        max: Option<u32>,
        lazy: bool,
        body: usize,
    },
    Back {
        group: usize,
        fold: Fold,
    },
    /// Runs the steps up to an `Accept` without ever backtracking into them.
    Atomic {
        next: usize,
    },
    Look {
        behind: Option<usize>,
        negative: bool,
        next: usize,
    },
    /// Continues if the group has matched, otherwise jumps to this step.
    If {
        group: usize,
        no: usize,
    },
    Accept,
}

/// The steps of a program, and what running them requires.
#[derive(Debug)]
pub(super) struct Automaton {
    pub(super) steps: Vec<Step>,
    pub(super) counters: usize,
    pub(super) groups: usize,
}

/// Compiles a tree. Group N has the slots 2N and 2N + 1; group 0 is the whole match.
pub(super) fn program(node: &Node, groups: usize) -> Automaton {
    let mut made = Automaton { steps: Vec::new(), counters: 0, groups };
    made.emit(node);
    made.steps.push(Step::Accept);
    made
}

impl Automaton {
    fn emit(&mut self, node: &Node) {
        match node {
            Node::One(one) => self.steps.push(Step::One(one.clone())),
            Node::At(at) => self.steps.push(Step::At(*at)),
            Node::All(nodes) => self.emit_all(nodes),
            Node::Any(nodes) => self.emit_any(nodes),
            Node::Capture(group, node) => {
                self.steps.push(Step::Save(2 * group));
                self.emit(node);
                self.steps.push(Step::Save(2 * group + 1));
            }
            Node::Repeat { min, max, manner, node } => self.emit_repeat(*min, *max, *manner, node),
            Node::Atomic(node) => self.emit_atomic(node),
            Node::Look { behind, negative, node } => {
                let at = self.hole();
                self.emit(node);
                self.steps.push(Step::Accept);
                self.steps[at] = Step::Look { behind: *behind, negative: *negative, next: self.steps.len() };
            }
            Node::Back { group, fold, .. } => self.steps.push(Step::Back { group: *group, fold: *fold }),
            Node::If { group, yes, no } => {
                let at = self.hole();
                self.emit(yes);
                let end = self.hole();
                self.steps[at] = Step::If { group: *group, no: self.steps.len() };
                if let Some(no) = no {
                    self.emit(no);
                }
                self.steps[end] = Step::Jump(self.steps.len());
            }
        }
    }

    /// Reserves a step to be filled in later.
    fn hole(&mut self) -> usize {
        self.steps.push(Step::Accept);
        self.steps.len() - 1
    }

    fn emit_atomic(&mut self, node: &Node) {
        let at = self.hole();
        self.emit(node);
        self.steps.push(Step::Accept);
        self.steps[at] = Step::Atomic { next: self.steps.len() };
    }

    fn emit_all(&mut self, nodes: &[Node]) {
        let mut literal = String::new();
        for node in nodes {
            if let Node::One(One::Char(code)) = node
                && let Some(c) = char::from_u32(*code)
            {
                literal.push(c);
                continue;
            }
            self.emit_literal(&mut literal);
            self.emit(node);
        }
        self.emit_literal(&mut literal);
    }

    fn emit_literal(&mut self, literal: &mut String) {
        if !literal.is_empty() {
            self.steps.push(Step::Literal(std::mem::take(literal).into_boxed_str()));
        }
    }

    fn emit_any(&mut self, nodes: &[Node]) {
        let Some((last, others)) = nodes.split_last() else { return };
        let mut ends = Vec::new();
        for node in others {
            let at = self.hole();
            self.emit(node);
            ends.push(self.hole());
            self.steps[at] = Step::Or(self.steps.len());
        }
        self.emit(last);
        for end in ends {
            self.steps[end] = Step::Jump(self.steps.len());
        }
    }

    fn emit_repeat(&mut self, min: u32, max: Option<u32>, manner: Manner, node: &Node) {
        if let Some(one) = node.as_one() {
            self.steps.push(Step::Many { one: one.clone(), min, max, manner });
            return;
        }
        // Python's possessive repeats never backtrack into a round.
        let atomic = (manner == Manner::Possessive).then(|| self.hole());
        let counter = self.counters;
        self.counters += 1;
        let enter = self.hole();
        match atomic {
            Some(_) => self.emit_atomic(node),
            None => self.emit(node),
        }
        self.steps[enter] = Step::Enter { counter, end: self.steps.len() };
        self.steps.push(Step::Loop { counter, min, max, lazy: manner == Manner::Lazy, body: enter + 1 });
        if let Some(at) = atomic {
            self.steps.push(Step::Accept);
            self.steps[at] = Step::Atomic { next: self.steps.len() };
        }
    }

    /// The place of which every match begins with any number of repetitions, if the pattern is that simple.
    pub(super) fn run_of(&self) -> Option<&One> {
        // A group that is referred to later can hold more or less of the run.
        if self.steps.iter().any(|step| matches!(step, Step::Back { .. })) {
            return None;
        }
        match self.behind_saves(0) {
            Some(Step::Many { one, max: None, .. }) => Some(one),
            _ => None,
        }
    }

    /// Text that must follow at this step.
    pub(super) fn literal(&self, step: usize) -> Option<&str> {
        match self.behind_saves(step) {
            Some(Step::Literal(literal)) => Some(literal),
            _ => None,
        }
    }

    fn behind_saves(&self, step: usize) -> Option<&Step> {
        self.steps.get(step..)?.iter().find(|step| !matches!(step, Step::Save(_)))
    }
}
