//! What the shell gives to scripts: d8's functions.

use std::io::{self, BufRead as _};
use std::path::Path;
use std::rc::Rc;

use rquickjs::function::{Opt, Rest};
use rquickjs::{ArrayBuffer, Coerced, Ctx, Error, Function, IntoJs, Object, Persistent, Result, Value};

use super::host::{Host, define, define_print, printer, read_source, throw};
use super::output::Output;
use super::test262;

/// The result of `version()`.
const VERSION: &str = "quickjs-ng (rquickjs 0.14)";

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
