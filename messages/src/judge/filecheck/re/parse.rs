//! Parses patterns, with Python's errors (3.11 `re/_parser.py`).

use super::chars::{Item, One, Set, is_digit};
use super::escape::{ClassEscape, class_escape, escape};
use super::reader::{Flags, Parser, PatternError, Token, malformed};
use super::tree::{At, Manner, Node};

/// The maximum number of characters in a pattern, including the values of variables.
const MOST_CHARS: usize = 1 << 18;

/// The maximum nesting depth of groups. Python's own limit is a few hundred.
const MOST_NESTED: usize = 200;

/// Python's MAXREPEAT: repeat counts must be lower.
const MAX_REPEAT: u64 = u32::MAX as u64;

/// A pattern's tree, and how many groups it has.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: usize,
}

/// Reads a pattern as `re.compile(pattern, re.MULTILINE)` does.
pub(super) fn parse(pattern: &str) -> Result<Parsed, PatternError> {
    let mut chars = pattern.chars();
    let mut tokens = Vec::new();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '\\' => match chars.next() {
                Some(escaped) => Token::Escape(escaped),
                None => return malformed("bad escape (end of pattern)"),
            },
            c => Token::Char(c),
        });
    }
    if tokens.len() > MOST_CHARS {
        return Err(PatternError::Unsupported("a pattern of more than 262,144 characters"));
    }
    let mut parser = Parser::new(tokens);
    let node = parser.alternatives(Flags::default(), 0)?;
    if parser.peek().is_some() {
        return malformed("unbalanced parenthesis");
    }
    let groups = parser.widths.len();
    match parser.tested.into_iter().find(|&group| group >= groups) {
        Some(group) => malformed(format!("invalid group reference {group}")),
        None => Ok(Parsed { node, groups: groups - 1 }),
    }
}

impl Parser {
    /// A name or number up to this character, which is consumed too.
    fn until(&mut self, end: char) -> Result<String, PatternError> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some(Token::Char(c)) if c == end && !name.is_empty() => return Ok(name),
                Some(Token::Char(c)) if c != end => name.push(c),
                Some(Token::Escape(c)) => name.extend(['\\', c]),
                _ => return malformed("missing group name, or unterminated name"),
            }
        }
    }

    fn close(&mut self) -> Result<(), PatternError> {
        if self.eat(')') { Ok(()) } else { malformed("missing ), unterminated subpattern") }
    }

    fn alternatives(&mut self, mut flags: Flags, nested: usize) -> Result<Node, PatternError> {
        if nested > MOST_NESTED {
            return Err(PatternError::Unsupported("a pattern with groups nested deeper than 200"));
        }
        let mut items = Vec::new();
        loop {
            items.push(self.sequence(flags, nested, nested == 0 && items.is_empty())?);
            if !self.eat('|') {
                break;
            }
            if nested == 0 {
                flags = self.global;
            }
        }
        Ok(match items.pop() {
            Some(node) if items.is_empty() => node,
            last => Node::Any(items.into_iter().chain(last).collect()),
        })
    }

    /// `first`: whether flags of the whole pattern are allowed here.
    fn sequence(&mut self, mut flags: Flags, nested: usize, first: bool) -> Result<Node, PatternError> {
        let mut nodes: Vec<Node> = Vec::new();
        while let Some(token) = self.peek() {
            if matches!(token, Token::Char('|' | ')')) {
                break;
            }
            self.at += 1;
            let c = match token {
                Token::Escape(c) => {
                    nodes.push(escape(self, c, flags)?);
                    continue;
                }
                Token::Char(c) => c,
            };
            match c {
                ' ' | '\t'..='\r' if flags.verbose => {}
                '#' if flags.verbose => while self.next().is_some_and(|token| token != Token::Char('\n')) {},
                '[' => nodes.push(self.set(flags)?),
                '*' => self.repeat(&mut nodes, 0, None)?,
                '+' => self.repeat(&mut nodes, 1, None)?,
                '?' => self.repeat(&mut nodes, 0, Some(1))?,
                '{' => match self.counts()? {
                    Some((min, max)) => self.repeat(&mut nodes, min, max)?,
                    None => nodes.push(flags.literal('{'.into())),
                },
                '.' => nodes.push(Node::One(if flags.dot_all { One::Any } else { One::AnyButNewline })),
                '^' => nodes.push(Node::At(if flags.single_line { At::Start } else { At::LineStart })),
                '$' => nodes.push(Node::At(if flags.single_line { At::LastEnd } else { At::LineEnd })),
                '(' => match self.group(flags, nested)? {
                    Group::Node(node) => nodes.push(node),
                    Group::Comment => {}
                    Group::Flags if first && nodes.is_empty() => flags = self.global,
                    Group::Flags => return malformed("global flags not at the start of the expression"),
                },
                c => nodes.push(flags.literal(c.into())),
            }
        }
        Ok(Node::All(nodes))
    }

    /// After `{`: the counts, or `None` if it is a literal brace.
    fn counts(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let start = self.at;
        if self.peek() == Some(Token::Char('}')) {
            return Ok(None);
        }
        let low = self.take_while(usize::MAX, |c| c.is_ascii_digit());
        let high =
            if self.eat(',') { self.take_while(usize::MAX, |c| c.is_ascii_digit()) } else { low.clone() };
        if !self.eat('}') {
            self.at = start;
            return Ok(None);
        }
        let count = |digits: &str| match digits.parse::<u64>() {
            _ if digits.is_empty() => Ok(None),
            Ok(count) if count < MAX_REPEAT => Ok(u32::try_from(count).ok()),
            _ => malformed("the repetition number is too large"),
        };
        let (min, max) = (count(&low)?.unwrap_or(0), count(&high)?);
        if max.is_some_and(|max| max < min) {
            return malformed("min repeat greater than max repeat");
        }
        Ok(Some((min, max)))
    }

    fn repeat(&mut self, nodes: &mut Vec<Node>, min: u32, max: Option<u32>) -> Result<(), PatternError> {
        let node = match nodes.pop() {
            None | Some(Node::At(_)) => return malformed("nothing to repeat"),
            Some(Node::Repeat { .. }) => return malformed("multiple repeat"),
            Some(node) => Box::new(node),
        };
        let manner = if self.eat('?') {
            Manner::Lazy
        } else if self.eat('+') {
            Manner::Possessive
        } else {
            Manner::Greedy
        };
        nodes.push(Node::Repeat { min, max, manner, node });
        Ok(())
    }

    /// A set, after `[`.
    fn set(&mut self, flags: Flags) -> Result<Node, PatternError> {
        let unterminated = || PatternError::Malformed("unterminated character set".into());
        let negated = self.eat('^');
        let mut items = Vec::new();
        loop {
            let token = self.next().ok_or_else(unterminated)?;
            if token == Token::Char(']') && !items.is_empty() {
                break;
            }
            let low = self.member(token, flags)?;
            if !self.eat('-') {
                items.push(low.item());
                continue;
            }
            let token = self.next().ok_or_else(unterminated)?;
            if token == Token::Char(']') {
                items.extend([low.item(), Item::Range('-'.into(), '-'.into())]);
                break;
            }
            match (low, self.member(token, flags)?) {
                (ClassEscape::Char(low), ClassEscape::Char(high)) if low <= high => {
                    items.push(Item::Range(low, high));
                }
                _ => return malformed("bad character range"),
            }
        }
        Ok(Node::One(match items[..] {
            [Item::Range(low, high)] if low == high && !negated && !flags.ignore_case => One::Char(low),
            _ => One::Set(Box::new(Set::new(items, negated, flags.fold()))),
        }))
    }

    fn member(&mut self, token: Token, flags: Flags) -> Result<ClassEscape, PatternError> {
        match token {
            Token::Char(c) => Ok(ClassEscape::Char(c.into())),
            Token::Escape(c) => class_escape(self, c, flags),
        }
    }
}

/// What an opening parenthesis begins.
enum Group {
    Node(Node),
    Comment,
    /// Flags of the whole pattern; they are now in `global`.
    Flags,
}

impl Parser {
    /// A group, after `(`.
    fn group(&mut self, flags: Flags, nested: usize) -> Result<Group, PatternError> {
        if !self.eat('?') {
            return self.capture(None, flags, nested);
        }
        let Some(Token::Char(c)) = self.next() else {
            return malformed("unknown extension, or end of pattern");
        };
        let node = match c {
            'P' if self.eat('<') => {
                let name = self.until('>')?;
                return self.capture(Some(name), flags, nested);
            }
            'P' if self.eat('=') => {
                let name = self.until(')')?;
                let group = self.named(&name)?;
                Node::Back { group, fold: flags.fold(), width: self.closed(group)? }
            }
            ':' => self.inner(flags, nested)?,
            '>' => Node::Atomic(Box::new(self.inner(flags, nested)?)),
            '#' => loop {
                match self.next() {
                    Some(Token::Char(')')) => return Ok(Group::Comment),
                    Some(_) => {}
                    None => return malformed("missing ), unterminated comment"),
                }
            },
            '=' | '!' => {
                let node = Box::new(self.inner(flags, nested)?);
                Node::Look { behind: None, negative: c == '!', node }
            }
            '<' => self.look_behind(flags, nested)?,
            '(' => self.condition(flags, nested)?,
            c => match self.switch(c, flags)? {
                None => return Ok(Group::Flags),
                Some(flags) => self.inner(flags, nested)?,
            },
        };
        Ok(Group::Node(node))
    }

    fn inner(&mut self, flags: Flags, nested: usize) -> Result<Node, PatternError> {
        let node = self.alternatives(flags, nested + 1)?;
        self.close()?;
        Ok(node)
    }

    fn capture(&mut self, name: Option<String>, flags: Flags, nested: usize) -> Result<Group, PatternError> {
        let group = self.widths.len();
        self.widths.push(None);
        if let Some(name) = name {
            identifier(&name)?;
            if self.names.insert(name, group).is_some() {
                return malformed("redefinition of group name");
            }
        }
        let node = self.inner(flags, nested)?;
        self.widths[group] = Some(node.width());
        Ok(Group::Node(Node::Capture(group, Box::new(node))))
    }

    fn named(&self, name: &str) -> Result<usize, PatternError> {
        identifier(name)?;
        match self.names.get(name) {
            Some(group) => Ok(*group),
            None => malformed(format!("unknown group name {name:?}")),
        }
    }

    fn look_behind(&mut self, flags: Flags, nested: usize) -> Result<Node, PatternError> {
        let negative = match self.next() {
            Some(Token::Char('=')) => false,
            Some(Token::Char('!')) => true,
            _ => return malformed("unknown extension after (?<"),
        };
        let outer = self.behind;
        self.behind = outer.or(Some(self.widths.len()));
        let node = Box::new(self.alternatives(flags, nested + 1)?);
        self.behind = outer;
        self.close()?;
        let (low, high) = node.width();
        if low != high || low > MAX_REPEAT {
            return malformed("look-behind requires fixed-width pattern");
        }
        Ok(Node::Look { behind: Some(usize::try_from(low).unwrap_or(usize::MAX)), negative, node })
    }

    fn condition(&mut self, flags: Flags, nested: usize) -> Result<Node, PatternError> {
        if nested >= MOST_NESTED {
            return Err(PatternError::Unsupported("a pattern with groups nested deeper than 200"));
        }
        let name = self.until(')')?;
        let group = if name.starts_with(is_digit) {
            match name.parse() {
                Ok(0) | Err(_) => return malformed("bad group number"),
                Ok(group) => {
                    self.tested.push(group);
                    group
                }
            }
        } else {
            self.named(&name)?
        };
        if self.behind.is_some() {
            self.closed(group)?;
        }
        let yes = Box::new(self.sequence(flags, nested + 1, false)?);
        let no = if self.eat('|') { Some(Box::new(self.sequence(flags, nested + 1, false)?)) } else { None };
        if self.peek() == Some(Token::Char('|')) {
            return malformed("conditional backref with more than two branches");
        }
        self.close()?;
        Ok(Node::If { group, yes, no })
    }

    /// Flags after `(?`: those of the group that follows, or `None` if they apply to the whole pattern.
    fn switch(&mut self, first: char, flags: Flags) -> Result<Option<Flags>, PatternError> {
        let mut end = first;
        let mut on = String::new();
        if first != '-' {
            (on, end) = self.letters(Some(first), ")-:")?;
        }
        let mut off = String::new();
        if end == '-' {
            let letter = self.next_if(|_| true);
            (off, end) = self.letters(letter, ":")?;
        }
        if on.contains('a') && on.contains('u')
            || off.contains(['a', 'u'])
            || off.contains(|c| on.contains(c))
        {
            return malformed("bad inline flags");
        }
        if end == ')' {
            self.unicode |= on.contains('u');
            if self.unicode && (self.global.ascii || on.contains('a')) {
                return malformed("ASCII and UNICODE flags are incompatible");
            }
            self.global = self.global.switched(&on, &off);
            return Ok(None);
        }
        Ok(Some(flags.switched(&on, &off)))
    }

    /// Letters of flags up to one of the characters `ends`, which is returned too.
    fn letters(&mut self, first: Option<char>, ends: &str) -> Result<(String, char), PatternError> {
        let mut letters = String::new();
        let mut letter = first;
        loop {
            match letter {
                Some(c) if "aimsux".contains(c) => letters.push(c),
                Some(c) if ends.contains(c) && !letters.is_empty() => return Ok((letters, c)),
                _ => return malformed("unknown extension or flag, or missing -, : or )"),
            }
            letter = self.next_if(|_| true);
        }
    }
}

fn identifier(name: &str) -> Result<(), PatternError> {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if starts && chars.all(|c| c.is_alphanumeric() || c == '_') {
        Ok(())
    } else {
        malformed(format!("bad character in group name {name:?}"))
    }
}
