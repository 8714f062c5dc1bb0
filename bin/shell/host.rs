//! The state that the functions of a realm share, and how a function is defined.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::Path;
use std::rc::Rc;

use rquickjs::function::{IntoJsFunc, Rest, This};
use rquickjs::{Coerced, Constructor, Ctx, Error, Exception, Function, Object, Persistent, Result, Value};

use super::args::Options;
use super::output::Output;
use super::trace::LastThrown;

/// The file name of code given with `-e`, as in d8.
pub(super) const UNNAMED: &str = "unnamed";

/// The phase in which an error happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// While a script was parsed or run: the engine does both at once.
    #[default]
    Script,
    /// While a module was parsed.
    Parse,
    /// While modules were found and linked.
    Resolution,
    /// While a module ran.
    Runtime,
}

/// The state that the functions of a realm share.
pub(super) struct Host {
    /// The options of the command line.
    pub(super) options: Rc<Options>,
    /// Standard output.
    pub(super) output: Rc<Output>,
    /// The tasks of `setTimeout`, oldest first.
    pub(super) tasks: RefCell<VecDeque<Persistent<Function<'static>>>>,
    /// Rejected promises without a handler, with their reasons.
    pub(super) rejections: RefCell<Vec<(Persistent<Value<'static>>, Persistent<Value<'static>>)>>,
    /// The frames of the last thrown value that is not an Error.
    pub(super) last_thrown: Rc<LastThrown>,
    /// The `$262` objects of realms that were created in advance for `createRealm`.
    pub(super) realms: RefCell<Vec<Persistent<Object<'static>>>>,
    /// The engine's current phase, as far as it is known.
    pub(super) phase: Cell<Phase>,
    /// The code of the last `-e` that ran.
    pub(super) code: RefCell<String>,
}

impl Host {
    pub(super) fn new(options: Rc<Options>, output: Rc<Output>) -> Rc<Self> {
        Rc::new(Self {
            options,
            output,
            tasks: RefCell::default(),
            rejections: RefCell::default(),
            last_thrown: Rc::default(),
            realms: RefCell::default(),
            phase: Cell::default(),
            code: RefCell::default(),
        })
    }

    /// Adds a rejection without a handler, or removes it once it has one.
    pub(super) fn track_rejection<'js>(
        &self,
        ctx: &Ctx<'js>,
        promise: Value<'js>,
        reason: Value<'js>,
        handled: bool,
    ) {
        let promise = Persistent::save(ctx, promise);
        let mut rejections = self.rejections.borrow_mut();
        if handled {
            rejections.retain(|(rejected, _)| *rejected != promise);
        } else {
            rejections.push((promise, Persistent::save(ctx, reason)));
        }
    }

    /// Runs a classic script in the realm.
    pub(super) fn run_script<'js>(&self, ctx: &Ctx<'js>, name: &str, source: String) -> Result<Value<'js>> {
        refuse_nul(ctx, &source)?;
        let mut options = rquickjs::context::EvalOptions::default();
        options.strict = self.options.use_strict;
        options.filename = Some(name.to_owned());
        ctx.eval_with_options(source, options)
    }
}

/// Defines `print` as test262 requires: not enumerable.
pub(super) fn define_print<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    let print = Function::new(ctx.clone(), printer(host, true, false))?.with_name("print")?;
    hide(ctx, "print", print.into_value())
}

/// Defines a global property that is not enumerable, as test262 requires of host-defined ones.
pub(super) fn hide<'js>(ctx: &Ctx<'js>, name: &str, value: Value<'js>) -> Result<()> {
    let object: Object<'js> = ctx.globals().get("Object")?;
    let define: Function<'js> = object.get("defineProperty")?;
    let descriptor = Object::new(ctx.clone())?;
    descriptor.set("value", value)?;
    descriptor.set("writable", true)?;
    descriptor.set("configurable", true)?;
    define.call((ctx.globals(), name, descriptor))
}

pub(super) fn define<'js, P, F: IntoJsFunc<'js, P> + 'js>(
    object: &Object<'js>,
    name: &str,
    function: F,
) -> Result<()> {
    object.set(name, Function::new(object.ctx().clone(), function)?.with_name(name)?)
}

/// `print` and similar functions: writes the arguments, separated by blanks.
pub(super) fn printer<'js>(
    host: &Rc<Host>,
    newline: bool,
    stderr: bool,
) -> impl Fn(Ctx<'js>, Rest<Value<'js>>) -> Result<()> + use<'js> {
    let output = Rc::clone(&host.output);
    move |ctx, values| {
        let mut line = String::new();
        for (index, value) in values.0.iter().enumerate() {
            if index > 0 {
                line.push(' ');
            }
            line.push_str(&display(&ctx, value)?);
        }
        if newline {
            line.push('\n');
        }
        if stderr {
            // An error is ignored: stderr may be closed.
            let _ = io::stderr().write_all(line.as_bytes());
        } else {
            output.write(&line);
        }
        Ok(())
    }
}

/// Throws an Error. (With the binding's own function, `stack` would lack the message, which is set after it.)
pub(super) fn throw(ctx: &Ctx<'_>, message: &str) -> Error {
    let constructor = ctx.globals().get::<_, Constructor<'_>>("Error");
    match constructor.and_then(|constructor| constructor.construct((message,))) {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// The text that d8 prints for a value: `String(value)`, but for symbols their description.
pub(super) fn display<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<String> {
    let value = match value.as_symbol() {
        Some(symbol) => symbol.description()?,
        None => value.clone(),
    };
    let text: rquickjs::String<'js> = value.get::<Coerced<_>>()?.0;
    match text.to_string() {
        Err(Error::Utf8(_)) => well_formed(ctx, text),
        text => text,
    }
}

/// Replaces lone surrogates, which UTF-8 cannot represent, by replacement characters.
fn well_formed<'js>(ctx: &Ctx<'js>, text: rquickjs::String<'js>) -> Result<String> {
    let prototype: Object<'js> = ctx.globals().get::<_, Object<'js>>("String")?.get("prototype")?;
    prototype.get::<_, Function<'js>>("toWellFormed")?.call((This(text),))
}

/// Reads a source. As in d8, bytes that are not UTF-8 become replacement characters.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read_source(path: &Path) -> io::Result<String> {
    let bytes = std::fs::read(path)?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Throws a SyntaxError if the source contains NUL: the engine takes C strings and would report it less clearly.
pub(super) fn refuse_nul(ctx: &Ctx<'_>, source: &str) -> Result<()> {
    match source.contains('\0') {
        true => Err(Exception::throw_syntax(ctx, "the source contains a NUL character")),
        false => Ok(()),
    }
}
