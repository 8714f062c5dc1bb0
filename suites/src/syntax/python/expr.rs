//! From tokens to expressions.

use super::diagnostic::Problem;
use super::token::{Spanned, Token, tokenize};

/// How deep brackets, `not` and subscripts may nest. V8's own files need 7.
pub const MAX_DEPTH: usize = 64;

/// An expression and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// Byte offset of its first token.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of expressions that test trees use. Chains (`a or b or c`) are flat, so that depth is bounded by
/// [`MAX_DEPTH`] and neither evaluating nor dropping an expression can exhaust the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string; adjacent literals are one.
    Str(String),
    /// A whole number.
    Int(i64),
    /// A name, `True`, `False` and `None` among them.
    Name(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `{a, b}`
    Set(Vec<Expr>),
    /// `{a: b}`
    Dict(Vec<(Expr, Expr)>),
    /// `a + b`
    Sum(Vec<Expr>),
    /// `a[b]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, b)`
    Call(Box<Expr>, Vec<Expr>),
    /// `name=a`, among a call's arguments only.
    Named(String, Box<Expr>),
    /// `a.name`
    Attribute(Box<Expr>, String),
    /// `not a`
    Not(Box<Expr>),
    /// `a and b`
    And(Vec<Expr>),
    /// `a or b`
    Or(Vec<Expr>),
    /// `a == b`; Python allows chains.
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
}

/// The comparisons that conditions use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The one expression that `text` is.
///
/// # Errors
/// The first thing that is no such expression.
pub fn parse(text: &str) -> Result<Expr, Problem> {
    parse_tokens(&tokenize(text)?)
}

/// The one expression that these tokens are; the last token is a [`Token::End`] or [`Token::Newline`].
///
/// # Errors
/// As [`parse`].
pub fn parse_tokens(tokens: &[Spanned<'_>]) -> Result<Expr, Problem> {
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    let expr = parser.expr()?;
    parser.accept(|token| *token == Token::Newline);
    match parser.peek() {
        None | Some(Spanned { token: Token::End, .. }) => Ok(expr),
        Some(found) => Err(Problem::new(found.at, format!("expected the end, found {}", show(&found.token)))),
    }
}

struct Parser<'t, 'a> {
    tokens: &'t [Spanned<'a>],
    next: usize,
    depth: usize,
}

impl<'t, 'a> Parser<'t, 'a> {
    fn peek(&self) -> Option<&'t Spanned<'a>> {
        self.tokens.get(self.next)
    }

    /// Takes the next token if it is one that is wanted.
    fn accept(&mut self, wanted: impl Fn(&Token<'_>) -> bool) -> bool {
        let taken = self.peek().is_some_and(|found| wanted(&found.token));
        self.next += usize::from(taken);
        taken
    }

    fn accept_op(&mut self, op: &str) -> bool {
        self.accept(|token| matches!(token, Token::Op(found) if *found == op))
    }

    fn accept_word(&mut self, word: &str) -> bool {
        self.accept(|token| matches!(token, Token::Name(found) if *found == word))
    }

    /// The problem that the next token is not what was expected.
    fn unexpected(&self, expected: &str) -> Problem {
        match self.peek() {
            Some(found) => {
                Problem::new(found.at, format!("expected {expected}, found {}", show(&found.token)))
            }
            None => Problem::new(
                self.tokens.last().map_or(0, |token| token.at),
                format!("expected {expected}, found the end"),
            ),
        }
    }

    fn position(&self) -> usize {
        self.peek().or(self.tokens.last()).map_or(0, |token| token.at)
    }

    /// One level deeper, or a problem.
    fn descend(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Problem::new(self.position(), format!("nested more than {MAX_DEPTH} deep")));
        }
        Ok(())
    }

    fn expr(&mut self) -> Result<Expr, Problem> {
        self.descend()?;
        let expr = self.chain("or", Kind::Or, |parser| parser.chain("and", Kind::And, Self::not));
        self.depth -= 1;
        expr
    }

    /// `operand (word operand)*`
    fn chain(
        &mut self,
        word: &str,
        kind: fn(Vec<Expr>) -> Kind,
        operand: impl Fn(&mut Self) -> Result<Expr, Problem>,
    ) -> Result<Expr, Problem> {
        let first = operand(self)?;
        if !self.accept_word(word) {
            return Ok(first);
        }
        let at = first.at;
        let mut operands = vec![first, operand(self)?];
        while self.accept_word(word) {
            operands.push(operand(self)?);
        }
        Ok(Expr { at, kind: kind(operands) })
    }

    fn not(&mut self) -> Result<Expr, Problem> {
        let at = self.position();
        if !self.accept_word("not") {
            return self.comparison();
        }
        self.descend()?;
        let operand = self.not()?;
        self.depth -= 1;
        Ok(Expr { at, kind: Kind::Not(Box::new(operand)) })
    }

    fn comparison(&mut self) -> Result<Expr, Problem> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let comparison = if self.accept_op("==") {
                Comparison::Equal
            } else if self.accept_op("!=") {
                Comparison::NotEqual
            } else if self.accept_op("<") {
                Comparison::Less
            } else if self.accept_op("<=") {
                Comparison::LessOrEqual
            } else if self.accept_op(">") {
                Comparison::Greater
            } else if self.accept_op(">=") {
                Comparison::GreaterOrEqual
            } else if self.accept_word("is") {
                if self.accept_word("not") { Comparison::IsNot } else { Comparison::Is }
            } else if self.accept_word("in") {
                Comparison::In
            } else if self.accept_word("not") {
                if !self.accept_word("in") {
                    return Err(self.unexpected("'in' after 'not'"));
                }
                Comparison::NotIn
            } else {
                break;
            };
            rest.push((comparison, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr { at: first.at, kind: Kind::Compare(Box::new(first), rest) })
    }

    fn sum(&mut self) -> Result<Expr, Problem> {
        let first = self.postfix()?;
        if !self.accept_op("+") {
            return Ok(first);
        }
        let at = first.at;
        let mut terms = vec![first, self.postfix()?];
        while self.accept_op("+") {
            terms.push(self.postfix()?);
        }
        Ok(Expr { at, kind: Kind::Sum(terms) })
    }

    /// An atom, and if that is a name, subscripts and calls behind it. Each makes the result one deeper, so each
    /// counts; behind brackets they would multiply with the depth within, so they are refused there.
    fn postfix(&mut self) -> Result<Expr, Problem> {
        let depth = self.depth;
        let named = matches!(self.peek(), Some(Spanned { token: Token::Name(_), .. }));
        let mut expr = self.atom()?;
        if !named {
            return Ok(expr);
        }
        loop {
            let at = expr.at;
            let kind = if self.accept_op("[") {
                self.descend()?;
                let index = self.expr()?;
                if !self.accept_op("]") {
                    return Err(self.unexpected("']'"));
                }
                Kind::Index(Box::new(expr), Box::new(index))
            } else if self.accept_op("(") {
                self.descend()?;
                let (arguments, _) = self.items_of(")", Self::argument)?;
                Kind::Call(Box::new(expr), arguments)
            } else if self.accept_op(".") {
                self.descend()?;
                let Some(Spanned { token: Token::Name(name), .. }) = self.peek() else {
                    return Err(self.unexpected("a name"));
                };
                self.next += 1;
                Kind::Attribute(Box::new(expr), (*name).into())
            } else {
                break;
            };
            expr = Expr { at, kind };
        }
        self.depth = depth;
        Ok(expr)
    }

    fn atom(&mut self) -> Result<Expr, Problem> {
        const EXPECTED: &str = "a value";
        let Some(Spanned { token, at }) = self.peek() else {
            return Err(self.unexpected(EXPECTED));
        };
        let at = *at;
        let kind = match token {
            Token::Str(first) => {
                self.next += 1;
                let mut text = first.clone();
                while let Some(Spanned { token: Token::Str(more), .. }) = self.peek() {
                    self.next += 1;
                    text.push_str(more);
                }
                Kind::Str(text)
            }
            Token::Number(digits) => {
                self.next += 1;
                Kind::Int(digits.parse().map_err(|_| {
                    Problem::new(at, format!("'{digits}' is not a whole number that can be read here"))
                })?)
            }
            Token::Name(name)
                if matches!(*name, "or" | "and" | "in" | "not" | "lambda" | "if" | "else" | "for") =>
            {
                return Err(self.unexpected(EXPECTED));
            }
            Token::Name(name) => {
                self.next += 1;
                Kind::Name((*name).into())
            }
            Token::Op("[") => {
                self.next += 1;
                Kind::List(self.items("]")?.0)
            }
            Token::Op("(") => {
                self.next += 1;
                let (mut items, comma) = self.items(")")?;
                match (items.len(), comma) {
                    // Parentheses alone make no tuple: the expression keeps its own kind.
                    (1, false) => return items.pop().ok_or_else(|| self.unexpected(EXPECTED)),
                    _ => Kind::Tuple(items),
                }
            }
            Token::Op("{") => {
                self.next += 1;
                self.braces()?
            }
            _ => return Err(self.unexpected(EXPECTED)),
        };
        Ok(Expr { at, kind })
    }

    /// An argument of a call: `a` or `name=a`.
    fn argument(&mut self) -> Result<Expr, Problem> {
        let [Spanned { token: Token::Name(name), at }, Spanned { token: Token::Op("="), .. }, ..] =
            &self.tokens[self.next..]
        else {
            return self.expr();
        };
        self.next += 2;
        self.descend()?;
        let value = self.expr()?;
        self.depth -= 1;
        Ok(Expr { at: *at, kind: Kind::Named((*name).into(), Box::new(value)) })
    }

    fn items(&mut self, close: &str) -> Result<(Vec<Expr>, bool), Problem> {
        self.items_of(close, Self::expr)
    }

    /// Items up to and with the closing bracket, and whether a comma stood among them.
    fn items_of(
        &mut self,
        close: &str,
        item: fn(&mut Self) -> Result<Expr, Problem>,
    ) -> Result<(Vec<Expr>, bool), Problem> {
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            if self.accept_op(close) {
                return Ok((items, comma));
            }
            if !items.is_empty() {
                if !self.accept_op(",") {
                    return Err(self.unexpected(&format!("',' or '{close}'")));
                }
                comma = true;
                if self.accept_op(close) {
                    return Ok((items, comma));
                }
            }
            items.push(item(self)?);
        }
    }

    /// A set or a dictionary, after its opening brace.
    fn braces(&mut self) -> Result<Kind, Problem> {
        let mut pairs = Vec::new();
        let mut items = Vec::new();
        while !self.accept_op("}") {
            let key = self.expr()?;
            if items.is_empty() && self.accept_op(":") {
                pairs.push((key, self.expr()?));
            } else if pairs.is_empty() {
                items.push(key);
            } else {
                return Err(self.unexpected("':'"));
            }
            if self.accept_op("}") {
                break;
            }
            if !self.accept_op(",") {
                return Err(self.unexpected("',' or '}'"));
            }
        }
        Ok(if items.is_empty() { Kind::Dict(pairs) } else { Kind::Set(items) })
    }
}

/// A token as messages name it.
fn show(token: &Token<'_>) -> String {
    match token {
        Token::Name(text) | Token::Number(text) | Token::Op(text) => format!("'{text}'"),
        Token::Str(_) => "a string".into(),
        Token::Newline => "the end of the line".into(),
        Token::End => "the end".into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The expression in a form with all parentheses.
    fn shape(expr: &Expr) -> String {
        let all = |items: &[Expr], sep: &str| items.iter().map(shape).collect::<Vec<_>>().join(sep);
        match &expr.kind {
            Kind::Str(text) => format!("{text:?}"),
            Kind::Int(n) => n.to_string(),
            Kind::Name(name) => name.clone(),
            Kind::List(items) => format!("[{}]", all(items, ",")),
            Kind::Tuple(items) => format!("T({})", all(items, ",")),
            Kind::Set(items) => format!("S{{{}}}", all(items, ",")),
            Kind::Dict(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(k, v)| format!("{}:{}", shape(k), shape(v))).collect();
                format!("{{{}}}", pairs.join(","))
            }
            Kind::Sum(terms) => format!("({})", all(terms, "+")),
            Kind::Index(of, at) => format!("{}[{}]", shape(of), shape(at)),
            Kind::Call(of, with) => format!("{}({})", shape(of), all(with, ",")),
            Kind::Named(name, of) => format!("{name}={}", shape(of)),
            Kind::Attribute(of, name) => format!("{}.{name}", shape(of)),
            Kind::Not(of) => format!("!{}", shape(of)),
            Kind::And(of) => format!("({})", all(of, "&")),
            Kind::Or(of) => format!("({})", all(of, "|")),
            Kind::Compare(first, rest) => {
                let rest: Vec<_> = rest.iter().map(|(op, e)| format!("{op:?} {}", shape(e))).collect();
                format!("({} {})", shape(first), rest.join(" "))
            }
        }
    }

    fn read(text: &str) -> String {
        shape(&parse(text).unwrap())
    }

    #[test]
    fn literals_are_read_as_python_reads_them() {
        assert_eq!(read("[1, 'a' \"b\", # c\n 'd',]"), r#"[1,"ab","d"]"#);
        assert_eq!(read("{'a': [], 'b': {'c'},}"), r#"{"a":[],"b":S{"c"}}"#);
        assert_eq!(read("()"), "T()");
        assert_eq!(read("(a)"), "a");
        assert_eq!(read("(a,)"), "T(a)");
        assert_eq!(read("{}\n"), "{}");
        assert_eq!(read("a.keys()[0](b, c=d)"), "a.keys()[0](b,c=d)");
        assert_eq!(read("['x'] + NAME[\"k\"] + set(['y'])"), r#"(["x"]+NAME["k"]+set(["y"]))"#);
    }

    #[test]
    fn operators_bind_as_in_python() {
        assert_eq!(read("not a == b and c or d"), "((!(a Equal b)&c)|d)");
        assert_eq!(read("a in (x, y) and b not in [z]"), "((a In T(x,y))&(b NotIn [z]))");
        assert_eq!(read("not (a or b) and not not c"), "(!(a|b)&!!c)");
        assert_eq!(read("a != b == c"), "(a NotEqual b Equal c)");
    }

    #[test]
    fn problems_say_what_was_expected_and_where() {
        for (text, at, message) in [
            ("[a b]", 3, "expected ',' or ']', found 'b'"),
            ("[a,,b]", 3, "expected a value, found ','"),
            ("{'a' 1}", 5, "expected ',' or '}', found '1'"),
            ("{'a': 1, 'b'}", 12, "expected ':', found '}'"),
            ("[", 1, "expected a value, found the end"),
            ("a b", 2, "expected the end, found 'b'"),
            ("a not b", 6, "expected 'in' after 'not', found 'b'"),
            ("", 0, "expected a value, found the end"),
            ("a ==", 4, "expected a value, found the end"),
            ("f'x'", 1, "expected the end, found a string"),
        ] {
            assert_eq!(parse(text).unwrap_err(), Problem::new(at, message), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_limit_whatever_nests() {
        for (open, middle, close) in [
            ("[", "", "]"),
            ("(", "a", ")"),
            ("{'a':", "1", "}"),
            ("not ", "a", ""),
            ("a[", "b", "]"),
            ("", "a", "[b]"),
            ("", "a", ".b"),
            ("f(a=", "1", ")"),
        ] {
            let nested = |n: usize| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
            assert!(parse(&nested(20)).is_ok(), "{open}{close}");
            let problem = parse(&nested(100_000)).unwrap_err();
            assert!(problem.message.starts_with("nested more than"), "{open}{close}: {problem:?}");
        }
        let long = vec!["a"; 100_000];
        for chain in [" or ", " and ", " + ", " == "] {
            assert!(parse(&long.join(chain)).is_ok(), "a chain is not nesting");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_an_expression_or_a_problem(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn any_tokens_give_an_expression_or_a_problem(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "[", "]", "(", ")", "{", "}", ",", ":", "'a'", "b", "not", "in", "and", "or", "==", "!=", "+", ".",
                    "1", "\n", "=", "\\",
                ]),
                0..40,
            )
        ) {
            let text = words.join(" ");
            match parse(&text) {
                Ok(expr) => prop_assert!(expr.at <= text.len()),
                Err(problem) => prop_assert!(problem.at <= text.len()),
            }
        }
    }
}
