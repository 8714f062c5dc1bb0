//! From tokens to statements: the few that test templates use.

use std::rc::Rc;

use super::diagnostic::Problem;
use super::expr::{Expr, MAX_DEPTH, parse_tokens};
use super::token::{Spanned, Token, tokenize_python2};

/// A statement.
#[derive(Debug)]
pub(super) enum Statement {
    /// An expression for what it does.
    Expr(Expr),
    /// `name = value`
    Assign(String, Expr),
    /// `def name(a, b=c):`
    Define(Rc<Function>),
    /// `return value`; without one, None.
    Return(Option<Expr>),
    /// `for name in values:`
    For(String, Expr, Vec<Statement>),
    /// `if`, each `elif`, and what stands under `else`.
    If(Vec<(Expr, Vec<Statement>)>, Vec<Statement>),
    /// `pass`
    Pass,
}

/// A function's text.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// Names, with the values they have where none is given.
    pub(super) parameters: Vec<(String, Option<Expr>)>,
    pub(super) body: Vec<Statement>,
}

/// A logical line.
struct Line<'t, 'a> {
    /// Columns before its first token.
    indent: usize,
    tokens: &'t [Spanned<'a>],
}

impl<'t, 'a> Line<'t, 'a> {
    fn at(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.at)
    }

    /// The line's first word, where it is one that begins a statement, and what follows it.
    fn keyword(&self) -> (&'a str, &'t [Spanned<'a>]) {
        match self.tokens {
            [Spanned { token: Token::Name(word), .. }, rest @ ..] => (word, rest),
            _ => ("", self.tokens),
        }
    }
}

/// The statements of a text.
///
/// # Errors
/// The first statement of another kind, or text that is no statement.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, Problem> {
    let tokens = tokenize_python2(text)?;
    let mut lines = Vec::new();
    for line in tokens.split(|token| matches!(token.token, Token::Newline | Token::End)) {
        // Some lines end in `;`, as they would in JavaScript.
        let line = match line {
            [rest @ .., Spanned { token: Token::Op(";"), .. }] => rest,
            line => line,
        };
        let Some(first) = line.first() else { continue };
        let start = text[..first.at].rfind('\n').map_or(0, |newline| newline + 1);
        lines.push(Line { indent: first.at - start, tokens: line });
    }
    let mut parser = StatementParser { lines: &lines, next: 0 };
    let statements = parser.block(0)?;
    match parser.lines.get(parser.next) {
        Some(line) => Err(Problem::new(line.at(), "this line is indented like none before it")),
        None => Ok(statements),
    }
}

struct StatementParser<'l, 't, 'a> {
    lines: &'l [Line<'t, 'a>],
    next: usize,
}

impl<'l, 't, 'a> StatementParser<'l, 't, 'a> {
    /// The statements that are indented like the next one.
    fn block(&mut self, depth: usize) -> Result<Vec<Statement>, Problem> {
        let mut statements = Vec::new();
        let Some(first) = self.lines.get(self.next) else { return Ok(statements) };
        if depth > MAX_DEPTH {
            return Err(Problem::new(first.at(), format!("nested more than {MAX_DEPTH} deep")));
        }
        let indent = first.indent;
        while let Some(line) = self.lines.get(self.next).filter(|line| line.indent == indent) {
            self.next += 1;
            statements.push(self.statement(line, depth)?);
        }
        Ok(statements)
    }

    fn statement(&mut self, line: &Line<'t, 'a>, depth: usize) -> Result<Statement, Problem> {
        let (word, rest) = line.keyword();
        match (word, rest) {
            ("def", _) => self.define(line, depth),
            (
                "for",
                [
                    Spanned { token: Token::Name(name), .. },
                    Spanned { token: Token::Name("in"), .. },
                    values @ ..,
                ],
            ) => {
                let (values, body) = self.compound(line, values, depth)?;
                Ok(Statement::For((*name).into(), values, body))
            }
            ("if", condition) => {
                let mut branches = vec![self.compound(line, condition, depth)?];
                while let Some(next) = self.follows(line, "elif") {
                    branches.push(self.compound(next, next.keyword().1, depth)?);
                }
                let otherwise = match self.follows(line, "else") {
                    Some(next) => {
                        let [Spanned { token: Token::Op(":"), .. }] = next.keyword().1 else {
                            return Err(Problem::new(next.at(), "expected 'else:' alone on its line"));
                        };
                        self.body(next, depth)?
                    }
                    None => Vec::new(),
                };
                Ok(Statement::If(branches, otherwise))
            }
            ("return", []) => Ok(Statement::Return(None)),
            ("return", value) => Ok(Statement::Return(Some(parse_tokens(value)?))),
            ("pass", []) => Ok(Statement::Pass),
            (
                "import" | "from" | "class" | "while" | "try" | "with" | "print" | "exec" | "global" | "del"
                | "raise" | "assert" | "lambda" | "for",
                _,
            ) => Err(Problem::new(line.at(), format!("statements with '{word}' are not read here"))),
            (name, [Spanned { token: Token::Op("="), .. }, value @ ..]) if !name.is_empty() => {
                Ok(Statement::Assign(name.into(), parse_tokens(value)?))
            }
            _ => Ok(Statement::Expr(parse_tokens(line.tokens)?)),
        }
    }

    /// The next line, if it goes on with the statement that began with `line`.
    fn follows(&mut self, line: &Line<'t, 'a>, word: &str) -> Option<&'l Line<'t, 'a>> {
        let next = self
            .lines
            .get(self.next)
            .filter(|next| next.indent == line.indent && next.keyword().0 == word)?;
        self.next += 1;
        Some(next)
    }

    /// `expression:` and the block below it.
    fn compound(
        &mut self,
        line: &Line<'t, 'a>,
        tokens: &[Spanned<'a>],
        depth: usize,
    ) -> Result<(Expr, Vec<Statement>), Problem> {
        let [expr @ .., Spanned { token: Token::Op(":"), .. }] = tokens else {
            return Err(Problem::new(line.at(), "expected a line that ends with ':'"));
        };
        Ok((parse_tokens(expr)?, self.body(line, depth)?))
    }

    /// The block below a line.
    fn body(&mut self, line: &Line<'t, 'a>, depth: usize) -> Result<Vec<Statement>, Problem> {
        match self.lines.get(self.next) {
            Some(next) if next.indent > line.indent => self.block(depth + 1),
            _ => Err(Problem::new(line.at(), "expected an indented block below this line")),
        }
    }

    fn define(&mut self, line: &Line<'t, 'a>, depth: usize) -> Result<Statement, Problem> {
        let expected = || Problem::new(line.at(), "expected 'def name(parameters):'");
        let [
            Spanned { token: Token::Name(name), .. },
            Spanned { token: Token::Op("("), .. },
            inner @ ..,
            Spanned { token: Token::Op(")"), .. },
            Spanned { token: Token::Op(":"), .. },
        ] = line.keyword().1
        else {
            return Err(expected());
        };
        let mut parameters = Vec::new();
        for parameter in arguments(inner) {
            match parameter {
                [Spanned { token: Token::Name(name), .. }] => parameters.push(((*name).into(), None)),
                [
                    Spanned { token: Token::Name(name), .. },
                    Spanned { token: Token::Op("="), .. },
                    value @ ..,
                ] => {
                    parameters.push(((*name).into(), Some(parse_tokens(value)?)));
                }
                _ => return Err(expected()),
            }
        }
        let body = self.body(line, depth)?;
        Ok(Statement::Define(Rc::new(Function { name: (*name).into(), parameters, body })))
    }
}

/// Pieces between the commas that stand within no brackets.
fn arguments<'t, 'a>(tokens: &'t [Spanned<'a>]) -> Vec<&'t [Spanned<'a>]> {
    let (mut pieces, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (i, token) in tokens.iter().enumerate() {
        match token.token {
            Token::Op("(" | "[" | "{") => depth += 1,
            Token::Op(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Token::Op(",") if depth == 0 => {
                pieces.push(&tokens[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    if start < tokens.len() {
        pieces.push(&tokens[start..]);
    }
    pieces
}
