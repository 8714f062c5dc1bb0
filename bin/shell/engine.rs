//! A realm and its event loop.

use std::ffi::OsString;
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::rc::Rc;

use rquickjs::{Context, Ctx, Function, Persistent, Promise, Runtime, Value};
use rustix::process::{Resource, getrlimit};

use super::args::{self, Options, ShellCommand, Source};
use super::globals;
use super::host::{self, Host, Phase, UNNAMED};
use super::modules::{self, Files};
use super::output::Output;
use super::test262;
use super::{report, trace};

/// The stack limit of scripts in bytes; using more is a RangeError. d8 allows one MiB, but QuickJS's frames are larger:
/// this allows about 8000 nested calls.
const STACK_LIMIT_BYTES: usize = 5 << 20;

/// The memory limit of scripts in bytes; using more is an exception. V8's limit is about the same.
const MEMORY_LIMIT_BYTES: usize = 2 << 30;

/// Why running ended early.
enum Stop {
    /// An exception was not caught; it has been reported.
    Threw,
    /// A file of the command line cannot be read, or a realm cannot be created; it has been reported.
    Unreadable,
}

/// Runs the shell with the words after `runner shell`. Returns the exit code. A script that calls `quit` ends the
/// process at once.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let options = match args::parse(words) {
        Ok(ShellCommand::Run(options)) => options,
        Ok(ShellCommand::Help) => {
            // An error is ignored: printing help to a closed stdout is not a failure.
            let _ = std::io::stdout().write_all(args::HELP.as_bytes());
            return 0;
        }
        Err(error) => {
            notice!("runner shell: cannot run: {error}");
            return 2;
        }
    };
    run_groups(options)
}

/// The stack that scripts may use, in bytes: at most five eighths of `ulimit -s`, because arguments and environment may
/// take up to a quarter, and the engine's own functions need room too. (A thread with a larger stack would cost half a
/// millisecond at each start.)
fn stack_limit() -> usize {
    let limit = getrlimit(Resource::Stack).current.and_then(|bytes| usize::try_from(bytes).ok());
    limit.map_or(STACK_LIMIT_BYTES, |bytes| STACK_LIMIT_BYTES.min(bytes / 8 * 5))
}

/// Runs each group in its own realm.
fn run_groups(options: Options) -> u8 {
    let options = Rc::new(options);
    let output = Rc::new(Output::new());
    let mut threw = false;
    for group in &options.groups {
        let stop = match Realm::new(Rc::clone(&options), Rc::clone(&output)) {
            Ok(realm) => realm.run(group),
            Err(error) => {
                notice!("runner shell: cannot start the engine: {error}");
                Err(Stop::Unreadable)
            }
        };
        match stop {
            Ok(()) => {}
            Err(Stop::Threw) => threw = true,
            Err(Stop::Unreadable) => {
                output.flush();
                return 1;
            }
        }
    }
    output.flush();
    u8::from(threw != options.throws)
}

/// A global object with the shell's functions, and the tasks that wait to run in it.
struct Realm {
    host: Rc<Host>,
    // Never dropped: the process ends soon anyway, and freeing a heap takes time.
    context: ManuallyDrop<Context>,
    runtime: ManuallyDrop<Runtime>,
}

impl Realm {
    fn new(options: Rc<Options>, output: Rc<Output>) -> rquickjs::Result<Self> {
        let host = Host::new(options, output);
        let runtime = ManuallyDrop::new(Runtime::new()?);
        runtime.set_max_stack_size(stack_limit());
        runtime.set_memory_limit(MEMORY_LIMIT_BYTES);
        let files = Files(Rc::clone(&host));
        runtime.set_loader(files.clone(), files);
        let tracker = Rc::clone(&host);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, handled| {
            tracker.track_rejection(&ctx, promise, reason, handled);
        })));
        let output = Rc::clone(&host.output);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            output.flush_if_late();
            false
        })));
        let context = ManuallyDrop::new(Context::full(&runtime)?);
        context.with(|ctx| {
            trace::install(&ctx, Rc::clone(&host.last_thrown))?;
            globals::install(&ctx, &host)
        })?;
        Ok(Self { host, context, runtime })
    }

    /// Runs the sources in order, then the tasks that they queued.
    fn run(&self, sources: &[Source]) -> Result<(), Stop> {
        for source in sources {
            match source {
                Source::Code(code) => {
                    *self.host.code.borrow_mut() = code.clone();
                    self.run_script(UNNAMED, code.clone())?;
                }
                Source::Script(path) => {
                    let source = self.read(path)?;
                    self.prepare(&source)?;
                    self.run_script(&path.to_string_lossy(), source)?;
                }
                Source::Module(path) => {
                    let source = self.read(path)?;
                    self.prepare(&source)?;
                    self.run_module(&modules::name(path), source)?;
                }
            }
        }
        while self.run_task()? {}
        self.report_rejections()
    }

    /// Creates realms before a source runs, if it needs them.
    fn prepare(&self, source: &str) -> Result<(), Stop> {
        if !self.host.options.test262 {
            return Ok(());
        }
        test262::prepare_realms(&self.runtime, &self.host, source).map_err(|error| {
            notice!("runner shell: cannot make a realm: {error}");
            Stop::Unreadable
        })
    }

    fn read(&self, path: &Path) -> Result<String, Stop> {
        host::read_source(path).map_err(|error| {
            self.host.output.flush();
            notice!("Error reading '{}': {error}", path.display());
            Stop::Unreadable
        })
    }

    fn run_script(&self, name: &str, source: String) -> Result<(), Stop> {
        self.attempt(name, |ctx| self.host.run_script(ctx, name, source).map(drop))?;
        self.run_jobs(name)
    }

    /// Runs a module, and jobs and tasks until its top-level await is settled.
    fn run_module(&self, name: &str, source: String) -> Result<(), Stop> {
        let evaluation = self.attempt(name, |ctx| {
            self.host.phase.set(Phase::Parse);
            let module = modules::declare(ctx, name, source)?;
            self.host.phase.set(Phase::Resolution);
            let (_, promise) = module.eval()?;
            self.host.phase.set(Phase::Runtime);
            Ok(Persistent::save(ctx, promise))
        })?;
        loop {
            self.run_jobs(name)?;
            let finished = self.attempt(name, |ctx| {
                let promise: Promise<'_> = evaluation.clone().restore(ctx)?;
                promise.result::<Value<'_>>().transpose().map(|value| value.is_some())
            })?;
            if finished || !self.run_task()? {
                return Ok(());
            }
        }
    }

    /// Runs the oldest task of `setTimeout`, ignoring its delay. Returns false if there is none.
    fn run_task(&self) -> Result<bool, Stop> {
        let Some(task) = self.host.tasks.borrow_mut().pop_front() else {
            return Ok(false);
        };
        self.attempt("(timer)", |ctx| {
            let task: Function<'_> = task.restore(ctx)?;
            task.call::<_, Value<'_>>(()).map(drop)
        })?;
        self.run_jobs("(timer)")?;
        Ok(true)
    }

    /// Runs promise jobs until none is left.
    fn run_jobs(&self, running: &str) -> Result<(), Stop> {
        loop {
            match self.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(exception) => {
                    exception.0.with(|ctx| report::uncaught(&ctx, &self.host, &ctx.catch(), running));
                    return Err(Stop::Threw);
                }
            }
        }
    }

    fn report_rejections(&self) -> Result<(), Stop> {
        let rejections = self.host.rejections.take();
        if rejections.is_empty() || self.host.options.ignore_unhandled_promises {
            return Ok(());
        }
        self.context.with(|ctx| {
            for (_, reason) in rejections {
                if let Ok(reason) = reason.restore(&ctx) {
                    report::uncaught(&ctx, &self.host, &reason, "(promise)");
                }
            }
        });
        Err(Stop::Threw)
    }

    /// Runs a function in the realm, and reports an exception if there is one.
    fn attempt<T>(
        &self,
        running: &str,
        run: impl FnOnce(&Ctx<'_>) -> rquickjs::Result<T>,
    ) -> Result<T, Stop> {
        self.context.with(|ctx| {
            run(&ctx).map_err(|error| {
                let exception = match error {
                    rquickjs::Error::Exception => ctx.catch(),
                    // An error of the Rust binding becomes an ordinary exception.
                    other => {
                        host::throw(&ctx, &other.to_string());
                        ctx.catch()
                    }
                };
                report::uncaught(&ctx, &self.host, &exception, running);
                Stop::Threw
            })
        })
    }
}
