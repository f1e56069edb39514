//! The command line.

use lexopt::prelude::*;
use std::{ffi::OsString, path::PathBuf};

/// What `--help` prints.
pub const USAGE: &str = "\
Usage: cargo run --release -p taskel-benches -- COMMAND

  report [OPTIONS]           measure everything, print tables in Markdown, and write report.json, report.md and
                             a chart of each group into benches/results/
    --only SUITE             only this suite; may be given several times
    --row TEXT               only rows whose name contains TEXT
    --peer TEXT              only peers whose name contains TEXT (and the serial one)
    --reps N                 samples of each peer in each row [default: 21]
    --quick                  the same as --reps 5
    --out DIR                write into DIR; with one of the options above, nothing is written without this one
  merge OLD.json NEW.json --out DIR
                             write a report with the groups of NEW, and those of OLD that NEW lacks
  compare OLD.json NEW.json  say what changed between two reports, beyond noise
  help                       print this, and the suites";

/// The samples of each peer in each row, if nothing else is said.
const REPS: usize = 21;
const QUICK_REPS: usize = 5;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Measure all chosen suites, each in a process of its own.
    Report {
        /// Names of suites; empty means all.
        only: Vec<String>,
        /// What to measure of them.
        choice: Choice,
        /// Where to write the results, if anywhere.
        out: Option<PathBuf>,
    },
    /// Measure one suite and print its groups as JSON: what `report` starts.
    Suite {
        /// Its name.
        name: String,
        /// What to measure of it.
        choice: Choice,
    },
    /// Run every hot path a few thousand times: what the suite `instructions` starts under
    /// valgrind.
    HotPaths,
    /// Make the calls of one row with one peer and print their times as JSON: what the suites
    /// `workers` and `teams` start.
    Calls {
        /// The name of the row.
        row: String,
        /// The peer's name.
        peer: String,
        /// The iterations of a tiny item, or of each.
        tiny_steps: u32,
    },
    /// Put two reports together, if a part was measured again.
    Merge {
        /// The file of the older one.
        old: PathBuf,
        /// The file of the newer one, whose groups count.
        new: PathBuf,
        /// Where to write the result.
        out: PathBuf,
    },
    /// Compare two reports.
    Compare {
        /// The file of the older one.
        old: PathBuf,
        /// The file of the newer one.
        new: PathBuf,
    },
    /// Print [`USAGE`].
    Help,
}

/// What to measure of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Part of the rows' names.
    pub row: String,
    /// Part of the peers' names.
    pub peer: String,
    /// Samples of each peer in each row.
    pub reps: usize,
}

impl Choice {
    /// The arguments that [`parse`] reads as this.
    #[must_use]
    pub fn to_args(&self) -> [String; 6] {
        let Self { row, peer, reps } = self.clone();
        ["--row".to_owned(), row, "--peer".to_owned(), peer, "--reps".to_owned(), reps.to_string()]
    }

    fn is_everything(&self) -> bool {
        *self == Choice::default()
    }
}

impl Default for Choice {
    fn default() -> Self {
        Choice { row: String::new(), peer: String::new(), reps: REPS }
    }
}

/// Reads the arguments that follow the program's name.
///
/// ```
/// use taskel_benches::options::{Command, parse};
/// let Command::Report { only, choice, out } = parse(["report", "--only", "loops", "--reps=5"])? else { panic!() };
/// assert_eq!((only, choice.reps, out), (vec!["loops".to_owned()], 5, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Names the argument that is unknown, missing, lacks its value or cannot be read.
pub fn parse<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(args.into_iter().map(Into::into));
    let command = match parser.next()? {
        None | Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(Value(command)) => command.string()?,
        Some(arg) => return Err(arg.unexpected()),
    };
    match command.as_str() {
        "help" => Ok(Command::Help),
        "report" => report(&mut parser),
        "suite" => {
            let name = value(&mut parser, "the name of a suite")?.string()?;
            Ok(Command::Suite { name, choice: choice(&mut parser, |_, _| Ok(false))? })
        }
        "hot-paths" => end(&mut parser, Command::HotPaths),
        "calls" => {
            let [row, peer, steps] = ["a row", "a peer", "iterations"].map(|what| value(&mut parser, what));
            let command =
                Command::Calls { row: row?.string()?, peer: peer?.string()?, tiny_steps: steps?.parse()? };
            end(&mut parser, command)
        }
        "merge" => {
            let [old, new] = ["the older report", "the newer report"].map(|what| value(&mut parser, what));
            let (old, new) = (old?.into(), new?.into());
            match parser.next()? {
                Some(Long("out")) => {
                    let out = parser.value()?.into();
                    end(&mut parser, Command::Merge { old, new, out })
                }
                Some(arg) => Err(arg.unexpected()),
                None => Err("expected --out DIR".into()),
            }
        }
        "compare" => {
            let [old, new] = ["the older report", "the newer report"].map(|what| value(&mut parser, what));
            end(&mut parser, Command::Compare { old: old?.into(), new: new?.into() })
        }
        other => Err(format!("there is no command {other:?}").into()),
    }
}

/// Without any option, the results are written where the crate is.
fn report(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut only, mut out) = (Vec::new(), None);
    let choice = choice(parser, |name, parser| {
        match name {
            "only" => only.push(parser.value()?.string()?),
            "out" => out = Some(PathBuf::from(parser.value()?)),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if out.is_none() && only.is_empty() && choice.is_everything() {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| "benches".into());
        out = Some(PathBuf::from(package).join("results"));
    }
    Ok(Command::Report { only, choice, out })
}

/// Reads options until the end; those that no [`Choice`] has are `other`'s, which says whether it
/// knows them.
fn choice(
    parser: &mut lexopt::Parser,
    mut other: impl FnMut(&str, &mut lexopt::Parser) -> Result<bool, lexopt::Error>,
) -> Result<Choice, lexopt::Error> {
    let mut choice = Choice::default();
    while let Some(arg) = parser.next()? {
        let Long(name) = arg else { return Err(arg.unexpected()) };
        let name = name.to_owned();
        match name.as_str() {
            "row" => choice.row = parser.value()?.string()?,
            "peer" => choice.peer = parser.value()?.string()?,
            "reps" => choice.reps = parser.value()?.parse_with(positive)?,
            "quick" => choice.reps = QUICK_REPS,
            _ => {
                if !other(&name, parser)? {
                    return Err(Long(&name).unexpected());
                }
            }
        }
    }
    Ok(choice)
}

/// The next argument, which is no option.
fn value(parser: &mut lexopt::Parser, what: &str) -> Result<OsString, lexopt::Error> {
    match parser.next()? {
        Some(Value(value)) => Ok(value),
        Some(arg) => Err(arg.unexpected()),
        None => Err(format!("expected {what}").into()),
    }
}

fn end(parser: &mut lexopt::Parser, command: Command) -> Result<Command, lexopt::Error> {
    parser.next()?.map_or(Ok(command), |arg| Err(arg.unexpected()))
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(args: &[&str]) -> String {
        parse(args).unwrap_err().to_string()
    }

    #[test]
    fn a_report_of_everything_is_written_and_a_part_is_not() {
        let Command::Report { only, choice, out } = parse(["report"]).unwrap() else { panic!() };
        assert_eq!((only.len(), choice), (0, Choice { row: String::new(), peer: String::new(), reps: 21 }));
        assert!(out.unwrap().ends_with("results"));
        for part in [["--only", "loops"], ["--row", "x"], ["--peer", "x"], ["--reps", "3"]] {
            let Command::Report { out, .. } = parse(["report", part[0], part[1]]).unwrap() else { panic!() };
            assert_eq!(out, None, "{part:?}");
            let command = parse(["report", part[0], part[1], "--out", "here"]).unwrap();
            assert!(matches!(command, Command::Report { out: Some(out), .. } if out == *"here"));
        }
    }

    #[test]
    fn what_a_report_hands_on_is_what_a_suite_reads() {
        let choice = Choice { row: "--row".to_owned(), peer: "µ".to_owned(), reps: 7 };
        let args = ["suite".to_owned(), "loops".to_owned()].into_iter().chain(choice.to_args());
        assert_eq!(parse(args).unwrap(), Command::Suite { name: "loops".to_owned(), choice });
    }

    #[test]
    fn errors_name_the_argument() {
        assert!(error(&["report", "--reps", "0"]).contains("at least 1"));
        assert!(error(&["report", "--reps", "many"]).contains("many"));
        assert!(error(&["report", "--reps"]).contains("--reps"));
        assert!(error(&["report", "--chunk"]).contains("--chunk"));
        assert!(error(&["report", "Pareto"]).contains("Pareto"));
        assert!(error(&["suite", "loops", "--only", "x"]).contains("--only"));
        assert!(error(&["compare", "a"]).contains("newer"));
        assert!(error(&["merge", "a", "b"]).contains("--out"));
        assert!(error(&["compare", "a", "b", "c"]).contains('c'));
        assert!(error(&["repot"]).contains("repot"));
    }
}
