//! The command `shm-lock`: runs a command under a lock between processes. What it does is told in
//! its README.

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod arguments;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod failure;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod lock;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod process;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod repair;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod run;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod signals;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod status;

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn main() -> ExitCode {
    use arguments::Command;
    use clap::Parser;

    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => {
            // Where nobody reads that, nobody can be told.
            let _ = told.print();
            return if told.use_stderr() { failure::USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match &arguments.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Status(arguments) => status::status(arguments),
        Command::Repair(arguments) => repair::repair(arguments),
    };
    match outcome {
        Ok(code) => code.into(),
        Err(failure) => {
            failure::tell!("{failure}");
            failure.code.into()
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn main() -> ExitCode {
    const UNAVAILABLE: u8 = 69;
    eprintln!(
        "shm-lock: expected to run on 64-bit Linux, found {}; use another lock here",
        std::env::consts::OS
    );
    UNAVAILABLE.into()
}
