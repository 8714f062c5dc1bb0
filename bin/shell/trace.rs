//! Stack traces in V8's form, and the place where a value that is not an Error was thrown.
//!
//! QuickJS passes every new Error and every thrown value, with the current frames, to `Error.prepareStackTrace`. The
//! shell's function there gives `stack` the same first line as V8 (`TypeError: text`). It also records the frames of
//! other values, which cannot be found in any other way. If a script sets its own function there, this information is
//! missing.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::function::This;
use rquickjs::{Coerced, Ctx, Function, Object, Persistent, Result, Value};

/// The last thrown value that is not an Error, and the frames that it was thrown through.
#[derive(Default)]
pub(super) struct LastThrown(RefCell<Option<(Persistent<Value<'static>>, String)>>);

impl LastThrown {
    /// The frames that `value` was thrown through, if it is the last thrown value.
    pub(super) fn frames_of<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Option<String> {
        let (thrown, frames) = self.0.borrow().clone()?;
        (thrown.restore(ctx).ok()? == *value).then_some(frames)
    }

    fn note<'js>(&self, ctx: &Ctx<'js>, value: Value<'js>, frames: &str) {
        *self.0.borrow_mut() = Some((Persistent::save(ctx, value), frames.to_owned()));
    }
}

/// Installs the shell's `Error.prepareStackTrace`.
pub(super) fn install<'js>(ctx: &Ctx<'js>, last: Rc<LastThrown>) -> Result<()> {
    let prepare = move |ctx: Ctx<'js>, error: Value<'js>, frames: Vec<Object<'js>>| {
        let frames = listed(&frames);
        let Some(object) = error.as_object().filter(|_| error.is_error()) else {
            last.note(&ctx, error, &frames);
            return format!("Error{frames}");
        };
        format!("{}{frames}", headline(&ctx, object))
    };
    let prepare = Function::new(ctx.clone(), prepare)?;
    ctx.globals().get::<_, Object<'_>>("Error")?.set("prepareStackTrace", prepare)
}

/// `name: message`, as `Error.prototype.toString` returns it.
fn headline<'js>(ctx: &Ctx<'js>, error: &Object<'js>) -> String {
    let part = |key, default: &str| match error.get::<_, Option<Coerced<String>>>(key) {
        Ok(Some(part)) => part.0,
        Ok(None) => default.to_owned(),
        Err(_) => {
            ctx.catch();
            default.to_owned()
        }
    };
    let (name, message) = (part("name", "Error"), part("message", ""));
    match (name.as_str(), message.as_str()) {
        ("", _) => message,
        (_, "") => name,
        _ => format!("{name}: {message}"),
    }
}

/// One line for each frame. If the stack is exhausted, the frames' methods cannot be called, and the frames are left
/// out.
fn listed(frames: &[Object<'_>]) -> String {
    let mut lines = String::new();
    if let Some(getters) = frames.first().and_then(|frame| Getters::of(frame).ok()) {
        for line in frames.iter().map_while(|frame| getters.line(frame).ok()) {
            lines.push_str("\n    at ");
            lines.push_str(&line);
        }
    }
    lines
}

/// The methods of a frame object. They are looked up once for each trace, because scripts may throw often.
struct Getters<'js> {
    function: Function<'js>,
    file: Function<'js>,
    line: Function<'js>,
    column: Function<'js>,
}

impl<'js> Getters<'js> {
    fn of(frame: &Object<'js>) -> Result<Self> {
        Ok(Self {
            function: frame.get("getFunctionName")?,
            file: frame.get("getFileName")?,
            line: frame.get("getLineNumber")?,
            column: frame.get("getColumnNumber")?,
        })
    }

    fn line(&self, frame: &Object<'js>) -> Result<String> {
        let this = || (This(frame.clone()),);
        let function: Option<String> = self.function.call(this())?;
        let function = function.filter(|name| !name.is_empty() && name != "<eval>");
        let Some(file) = self.file.call::<_, Option<String>>(this())? else {
            return Ok(format!("{} (native)", function.as_deref().unwrap_or("<anonymous>")));
        };
        let line: i32 = self.line.call(this())?;
        let column: i32 = self.column.call(this())?;
        Ok(match function {
            Some(function) => format!("{function} ({file}:{line}:{column})"),
            None => format!("{file}:{line}:{column}"),
        })
    }
}
