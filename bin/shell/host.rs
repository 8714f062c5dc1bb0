//! The functions that scripts can call: those of d8.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::rc::Rc;

use rquickjs::function::{IntoJsFunc, Opt, Rest, This};
use rquickjs::{
    ArrayBuffer, Coerced, Constructor, Ctx, Error, Exception, Function, IntoJs, Object, Persistent, Result,
    Value,
};

use super::args::Options;
use super::output::Output;
use super::test262::{self, Phase};
use super::trace::LastThrown;

/// The result of `version()`.
const VERSION: &str = "quickjs-ng (rquickjs 0.14)";

/// The file name of code given with `-e`, as in d8.
pub(super) const UNNAMED: &str = "unnamed";

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

/// Defines the functions in the realm's global object.
pub(super) fn install(ctx: &Ctx<'_>, host: &Rc<Host>) -> Result<()> {
    let globals = ctx.globals();
    let console = Object::new(ctx.clone())?;
    for name in ["log", "info", "debug"] {
        define(&console, name, printer(host, true, false))?;
    }
    for name in ["warn", "error"] {
        define(&console, name, printer(host, true, true))?;
    }
    globals.set("console", console)?;
    if !host.options.test262 {
        define(&globals, "print", printer(host, true, false))?;
    }
    define(&globals, "write", printer(host, false, false))?;
    define(&globals, "printErr", printer(host, true, true))?;
    define(&globals, "load", loader(host))?;
    define(&globals, "read", read)?;
    define(&globals, "readbuffer", read_buffer)?;
    let output = Rc::clone(&host.output);
    define(&globals, "readline", move || read_line(&output))?;
    define(&globals, "version", || VERSION)?;
    let output = Rc::clone(&host.output);
    define(&globals, "quit", move |code: Opt<Coerced<i32>>| -> () {
        output.flush();
        std::process::exit(code.0.map_or(0, |code| code.0))
    })?;
    let timers = Rc::clone(host);
    define(&globals, "setTimeout", move |task: Persistent<Function<'static>>| {
        timers.tasks.borrow_mut().push_back(task);
        0
    })?;
    if host.options.test262 {
        test262::install(ctx, host)?;
        define_print(ctx, host)?;
    }
    if let Some(name) = &host.options.gc {
        define(&globals, name, |ctx: Ctx<'_>| ctx.run_gc())?;
    }
    if !host.options.no_arguments {
        globals.set("arguments", host.options.arguments.as_slice().into_js(ctx)?)?;
    }
    Ok(())
}

/// Defines `print` as test262 requires: not enumerable.
pub(super) fn define_print<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    let print = Function::new(ctx.clone(), printer(host, true, false))?.with_name("print")?;
    test262::hide(ctx, "print", print.into_value())
}

pub(super) fn define<'js, P, F: IntoJsFunc<'js, P> + 'js>(
    object: &Object<'js>,
    name: &str,
    function: F,
) -> Result<()> {
    object.set(name, Function::new(object.ctx().clone(), function)?.with_name(name)?)
}

/// `print` and similar functions: writes the arguments, separated by blanks.
fn printer<'js>(
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

/// `load(file...)`: runs scripts; paths are relative to the working directory.
fn loader<'js>(host: &Rc<Host>) -> impl Fn(Ctx<'js>, Rest<String>) -> Result<()> + use<'js> {
    let host = Rc::clone(host);
    move |ctx, paths| {
        for path in paths.0 {
            let source = read_source(Path::new(&path)).map_err(|error| cannot_load(&ctx, &path, &error))?;
            host.run_script(&ctx, &path, source)?;
        }
        Ok(())
    }
}

/// `read(file[, "binary"])`: the text of a file, or its bytes in an ArrayBuffer.
fn read<'js>(ctx: Ctx<'js>, path: String, format: Opt<String>) -> Result<Value<'js>> {
    if format.0.as_deref() == Some("binary") {
        return Ok(read_buffer(ctx, path)?.into_value());
    }
    let text = read_source(Path::new(&path)).map_err(|error| cannot_load(&ctx, &path, &error))?;
    text.into_js(&ctx)
}

fn read_buffer<'js>(ctx: Ctx<'js>, path: String) -> Result<ArrayBuffer<'js>> {
    let bytes = std::fs::read(&path).map_err(|error| cannot_load(&ctx, &path, &error))?;
    ArrayBuffer::new(ctx, bytes)
}

fn cannot_load(ctx: &Ctx<'_>, path: &str, error: &io::Error) -> Error {
    throw(ctx, &format!("Error loading file: {path}: {error}"))
}

/// Throws an Error. (With the binding's own function, `stack` would lack the message, which is set after it.)
pub(super) fn throw(ctx: &Ctx<'_>, message: &str) -> Error {
    let constructor = ctx.globals().get::<_, Constructor<'_>>("Error");
    match constructor.and_then(|constructor| constructor.construct((message,))) {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// `readline()`: the next line of stdin without its newline; `None` at the end of the input.
fn read_line(output: &Output) -> Option<String> {
    output.flush();
    let mut line = Vec::new();
    match io::stdin().lock().read_until(b'\n', &mut line) {
        Ok(1..) => {
            let line = String::from_utf8_lossy(&line);
            Some(line.strip_suffix('\n').unwrap_or(&line).to_owned())
        }
        _ => None,
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
