//! `--test262`: the object `$262` of test262's INTERPRETING.md, and uncaught errors told for its judge.

use std::rc::Rc;

use rquickjs::{ArrayBuffer, Coerced, Context, Ctx, Function, Object, Persistent, Result, Runtime, Value};

use super::host::{self, Host, Phase, hide};
use super::output::Output;

/// How many realms a test can make: they have to be there before it runs, since the engine's binding makes none while
/// scripts run. No test makes more than four.
const REALMS: usize = 8;

/// Puts realms by, if a source looks as if it would ask for any.
///
/// # Errors
/// The engine makes no more.
pub(super) fn prepare_realms(runtime: &Runtime, host: &Rc<Host>, source: &str) -> Result<()> {
    if !source.contains("createRealm") || !host.realms.borrow().is_empty() {
        return Ok(());
    }
    for _ in 0..REALMS {
        let context = Context::full(runtime)?;
        let own = context.with(|ctx| {
            host::define_print(&ctx, host)?;
            Ok::<_, rquickjs::Error>(Persistent::save(&ctx, install(&ctx, host)?))
        })?;
        host.realms.borrow_mut().push(own);
        // As the main one, it is never taken apart.
        std::mem::forget(context);
    }
    Ok(())
}

/// Defines `$262` in the realm's global object.
pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<Object<'js>> {
    let own = Object::new(ctx.clone())?;
    own.set("global", ctx.globals())?;
    host::define(&own, "gc", |ctx: Ctx<'_>| ctx.run_gc())?;
    host::define(&own, "detachArrayBuffer", |mut buffer: ArrayBuffer<'_>| buffer.detach())?;
    let realms = Rc::clone(host);
    host::define(&own, "createRealm", move |ctx: Ctx<'js>| create_realm(&ctx, &realms))?;
    // A native function runs in its caller's realm: one of this realm's own must call it.
    let scripts = Rc::clone(host);
    let run = Function::new(ctx.clone(), move |ctx: Ctx<'js>, code: Coerced<String>| {
        scripts.run_script(&ctx, "evalScript", code.0)
    })?;
    let caller: Function<'js> = ctx.eval("(run) => function evalScript(code) { return run(code); }")?;
    own.set("evalScript", caller.call::<_, Function<'js>>((run,))?)?;
    hide(ctx, "$262", own.clone().into_value())?;
    Ok(own)
}

fn create_realm<'js>(ctx: &Ctx<'js>, host: &Host) -> Result<Object<'js>> {
    let next = host.realms.borrow_mut().pop();
    match next {
        Some(realm) => realm.restore(ctx),
        None => Err(host::throw(ctx, &format!("this shell makes {REALMS} realms at most"))),
    }
}

/// Tells of an uncaught exception: its constructor's name, and its message.
pub(super) fn tell<'js>(ctx: &Ctx<'js>, output: &Output, phase: Phase, exception: &Value<'js>) {
    let phase = match phase {
        Phase::Script => "",
        Phase::Parse => "parse:",
        Phase::Resolution => "resolution:",
        Phase::Runtime => "runtime:",
    };
    let constructor = exception.as_object().and_then(|error| error.get::<_, Object<'js>>("constructor").ok());
    let kind = constructor.and_then(|constructor| constructor.get::<_, String>("name").ok());
    let message = exception.as_object().and_then(|error| error.get::<_, String>("message").ok());
    // What went wrong while looking is nobody's error.
    let _ = ctx.catch();
    let kind = kind.unwrap_or_else(|| exception.type_name().to_owned());
    let message = message.unwrap_or_else(|| host::display(ctx, exception).unwrap_or_default());
    output.write(&format!("Test262:Uncaught:{phase}{kind}: {message}\n"));
}
