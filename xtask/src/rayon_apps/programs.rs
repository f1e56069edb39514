//! Programs on real input: whether the results are equal, and how long they take.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::apps::{Input, Program};
use super::package::{Core, Package};

/// The input of the programs.
pub(super) struct Inputs {
    pub(super) folder: PathBuf,
    pub(super) pictures: Vec<PathBuf>,
    pub(super) film: PathBuf,
    pub(super) libraries: Vec<PathBuf>,
}

/// The times of one run.
#[derive(Clone, Copy)]
struct Times {
    wall: Duration,
    /// User and system time of all threads.
    processor: Duration,
}

/// Runs the program of `package` with rayon and with `other`, and prints a row. Differences are
/// added to `faults`.
pub(super) fn compare(
    package: &Package,
    program: &Program,
    inputs: &Inputs,
    other: Core,
    runs: usize,
    faults: &mut Vec<String>,
) {
    let name = package.app.name;
    let with_rayon = match package.release(Core::Rayon, program.binary) {
        Ok(binary) => binary,
        Err(error) => {
            println!("| {name} | does not build with rayon | | | | | | |");
            eprintln!("{name}: {error:#}");
            return;
        }
    };
    let binaries = package.release(other, program.binary).map(|binary| [with_rayon, binary]);
    let compared = binaries.and_then(|binaries| {
        let same = has_same_result(package, program, inputs, &binaries)?;
        Ok((same, figures(package, program, inputs, &binaries, runs)?))
    });
    match compared {
        Ok((same, figures)) => {
            println!("| {name} | {} | {figures} |", if same { "the same" } else { "differs" });
            faults.extend((!same).then(|| format!("{name}: its result differs with {}", other.name())));
        }
        Err(error) => {
            println!("| {name} | fails with {} | | | | | | |", other.name());
            faults.push(format!("{name}: {error:#}"));
        }
    }
}

/// The runs also read files on the disk. Different results are kept.
fn has_same_result(
    package: &Package,
    program: &Program,
    inputs: &Inputs,
    binaries: &[PathBuf; 2],
) -> Result<bool> {
    let [(_, expected), (_, found)] =
        [run(&binaries[0], program, inputs, package)?, run(&binaries[1], program, inputs, package)?];
    if expected != found {
        fs::write(package.beside("result-expected"), &expected)?;
        fs::write(package.beside("result-found"), &found)?;
    }
    Ok(expected == found)
}

/// Returns the last columns of the row.
fn figures(
    package: &Package,
    program: &Program,
    inputs: &Inputs,
    binaries: &[PathBuf; 2],
    runs: usize,
) -> Result<String> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (binary, times) in binaries.iter().zip(&mut times) {
            times.push(run(binary, program, inputs, package)?.0);
        }
    }
    let columns = [shown(&times, |times| times.wall), shown(&times, |times| times.processor)].concat();
    Ok(columns.join(" | "))
}

/// Returns the times, and all output.
fn run(binary: &Path, program: &Program, inputs: &Inputs, package: &Package) -> Result<(Times, Vec<u8>)> {
    let out = package.beside("out");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    let operands: Vec<OsString> = match program.input {
        Input::Folder => vec![inputs.folder.clone().into()],
        Input::Pictures => [&out].into_iter().chain(&inputs.pictures).map(|path| path.into()).collect(),
        Input::Film => vec![out.join("film").into(), inputs.film.clone().into()],
        Input::Libraries => {
            [&out.join("linked")].into_iter().chain(&inputs.libraries).map(|path| path.into()).collect()
        }
    };
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let start = Instant::now();
    let output = Command::new(binary)
        .args(program.arguments)
        .args(operands)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {}", binary.display()))?;
    let wall = start.elapsed();
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    ensure!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let spent = after.user_time() + after.system_time() - before.user_time() - before.system_time();
    let processor = Duration::from_micros(spent.num_microseconds().try_into()?);
    let mut result = output.stdout;
    let mut files = fs::read_dir(&out)?.collect::<std::io::Result<Vec<_>>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        result.extend(fs::read(file.path())?);
    }
    Ok((Times { wall, processor }, result))
}

/// Returns both medians and their quotient.
fn shown(times: &[Vec<Times>; 2], of: fn(&Times) -> Duration) -> Vec<String> {
    let figures = times.each_ref().map(|times| {
        let mut sorted: Vec<f64> = times.iter().map(|times| of(times).as_secs_f64() * 1e3).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    });
    let median = |sorted: &[f64]| sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    let shown = |sorted: &[f64]| match sorted {
        [] => "–".to_owned(),
        [least, .., most] => format!("{:.1} ({least:.1}–{most:.1})", median(sorted)),
        [only] => format!("{only:.1}"),
    };
    let quotient = median(&figures[1]) / median(&figures[0]);
    vec![shown(&figures[0]), shown(&figures[1]), format!("{quotient:.2}")]
}
