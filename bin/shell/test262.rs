//! `--test262`: the object `$262` of test262's INTERPRETING.md, and reports of uncaught errors for test262's judge.

use std::rc::Rc;

use rquickjs::{ArrayBuffer, Coerced, Context, Ctx, Function, Object, Persistent, Result, Runtime, Value};

use super::host::{self, Host, Phase, hide};
use super::output::Output;

/// How many realms a test can create. They are created before it runs, because the engine's binding cannot create any
/// while scripts run. No test creates more than four.
const MAX_REALMS: usize = 8;

/// Creates realms in advance if a source mentions `createRealm`.
///
/// # Errors
/// The engine cannot create a realm.
pub(super) fn prepare_realms(runtime: &Runtime, host: &Rc<Host>, source: &str) -> Result<()> {
    if !source.contains("createRealm") || !host.realms.borrow().is_empty() {
        return Ok(());
    }
    for _ in 0..MAX_REALMS {
        let context = Context::full(runtime)?;
        let own = context.with(|ctx| {
            host::define_print(&ctx, host)?;
            Ok::<_, rquickjs::Error>(Persistent::save(&ctx, install(&ctx, host)?))
        })?;
        host.realms.borrow_mut().push(own);
        // Like the main realm, it is never freed.
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
    // A native function runs in its caller's realm, so a function of this realm has to call it.
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
        None => Err(host::throw(ctx, &format!("this shell makes {MAX_REALMS} realms at most"))),
    }
}

/// Prints an uncaught exception for test262's judge: its phase, the name of its constructor, and its message.
pub(super) fn print_uncaught<'js>(ctx: &Ctx<'js>, output: &Output, phase: Phase, exception: &Value<'js>) {
    let phase = match phase {
        Phase::Script => "",
        Phase::Parse => "parse:",
        Phase::Resolution => "resolution:",
        Phase::Runtime => "runtime:",
    };
    let constructor = exception.as_object().and_then(|error| error.get::<_, Object<'js>>("constructor").ok());
    let kind = constructor.and_then(|constructor| constructor.get::<_, String>("name").ok());
    let message = exception.as_object().and_then(|error| error.get::<_, String>("message").ok());
    // Ignore exceptions that the getters above may have thrown.
    let _ = ctx.catch();
    let kind = kind.unwrap_or_else(|| exception.type_name().to_owned());
    let message = message.unwrap_or_else(|| host::display(ctx, exception).unwrap_or_default());
    output.write(&format!("Test262:Uncaught:{phase}{kind}: {message}\n"));
}
