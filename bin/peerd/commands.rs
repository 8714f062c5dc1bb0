//! Runs the commands.

use flotilla_actors::trust::identity::Home;

use crate::peerd::cli::{Command, PeerdCli};
use crate::peerd::config;
use crate::peerd::control;
use crate::peerd::error::CommandError;
use crate::peerd::out::print;
use crate::peerd::serve;
use crate::peerd::tail;
use crate::peerd::trusting;

/// The `peerd.toml` of a new home: every setting is commented out.
const CONFIGURATION: &str = include_str!("../../conf/peerd.toml");

/// Runs the command line. Returns the exit code.
pub fn run(cli: PeerdCli) -> u8 {
    match Home::find(cli.home).ok_or(CommandError::Homeless).and_then(|home| command(&home, cli.command)) {
        Ok(()) => 0,
        // The reader has closed the pipe.
        Err(CommandError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            notice!("peerd: {error}");
            error.code()
        }
    }
}

fn command(home: &Home, command: Command) -> Result<(), CommandError> {
    match command {
        Command::Setup => setup(home),
        Command::Start(serve) => control::start(home, &serve),
        Command::Run(run) => serve::run(home, &run.serve, run.background),
        Command::Stop => control::stop(home),
        Command::Restart(serve) => control::restart(home, &serve),
        Command::Log(args) => log(home, args.lines, args.follow),
        Command::Fingerprint => print(&format!("{}\n", home.identity()?.fingerprint())),
        Command::Approve(args) => trusting::approve(home, &args.key),
        Command::Revoke(args) => trusting::revoke(home, &args.key),
        Command::Peers(args) => trusting::show_peers(home, args.json),
        Command::Status(args) => trusting::show_status(home, args.json, args.watch),
    }
}

fn setup(home: &Home) -> Result<(), CommandError> {
    let (identity, created) = home.setup()?;
    home.write_new(config::NAME, CONFIGURATION)?;
    let name = identity.fingerprint();
    let what = if created { "a new identity" } else { "an identity already" };
    print(&format!(
        "{} has {what}: {name}\nOther machines approve {}\n",
        home.path().display(),
        home.trusted_file(&name).display()
    ))
}

fn log(home: &Home, lines: usize, follow: bool) -> Result<(), CommandError> {
    home.identity()?;
    let settings = config::load(home, std::env::vars_os(), &[])?.settings;
    Ok(tail::tail(&home.path().join(settings.log.file), lines, follow)?)
}
