//! The command line of the benches.

use lexopt::prelude::*;
use std::ffi::OsString;

/// What `--help` prints.
pub const USAGE: &str = "\
Usage: cargo bench -p taskel-benches --bench BENCH -- [OPTIONS]
  --load TEXT   only loads whose name contains TEXT
  --peer TEXT   only peers whose name contains TEXT (and the serial loop)
  --reps N      samples of each peer on each load [default: 31]
  --markdown    print Markdown, with the machine and the date
  --help        print this";

/// What to measure, and how to print it.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Part of the loads' names.
    pub load: String,
    /// Part of the peers' names.
    pub peer: String,
    /// Samples of each peer on each load.
    pub reps: usize,
    /// Print Markdown.
    pub markdown: bool,
    /// Print [`USAGE`] and do nothing else.
    pub help: bool,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// ```
    /// use taskel_benches::options::Options;
    /// let options = Options::parse(["--load", "Pareto", "--reps=5", "--bench"])?;
    /// assert_eq!((options.load.as_str(), options.reps), ("Pareto", 5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Names the argument that is unknown, lacks its value or cannot be read.
    pub fn parse<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Result<Self, lexopt::Error> {
        let mut options =
            Self { load: String::new(), peer: String::new(), reps: 31, markdown: false, help: false };
        let mut parser = lexopt::Parser::from_args(args.into_iter().map(Into::into));
        while let Some(arg) = parser.next()? {
            match arg {
                Long("load") => options.load = parser.value()?.string()?,
                Long("peer") => options.peer = parser.value()?.string()?,
                Long("reps") => options.reps = parser.value()?.parse_with(positive)?,
                Long("markdown") => options.markdown = true,
                Long("help") => options.help = true,
                Long("bench") => {} // `cargo bench` adds it for the standard harness
                _ => return Err(arg.unexpected()),
            }
        }
        Ok(options)
    }
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
        Options::parse(args).unwrap_err().to_string()
    }

    #[test]
    fn nothing_given_means_everything_31_times() {
        let options = Options::parse([] as [&str; 0]).unwrap();
        assert_eq!((options.load.as_str(), options.peer.as_str(), options.reps), ("", "", 31));
        assert!(!options.markdown && !options.help);
    }

    #[test]
    fn errors_name_the_argument() {
        assert!(error(&["--reps", "0"]).contains("at least 1"));
        assert!(error(&["--reps", "many"]).contains("many"));
        assert!(error(&["--reps"]).contains("--reps"));
        assert!(error(&["--chunk"]).contains("--chunk"));
        assert!(error(&["Pareto"]).contains("Pareto"));
    }
}
