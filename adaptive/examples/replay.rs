//! Reads what `Recording::to_json` wrote, and says what the program would take on other numbers of
//! workers.
//!
//! ```sh
//! cargo run --release -p taskel-adaptive --example replay -- FILE --workers 64
//! ```
//!
//! `--workers` may be given several times; without it, powers of two up to 256 are taken.

use std::error::Error;
use std::{env, fs};

use taskel_adaptive::recording::Recording;

const USAGE: &str = "usage: replay FILE [--workers N]...";

fn main() -> Result<(), Box<dyn Error>> {
    let mut file = None;
    let mut workers = Vec::new();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--workers" => workers.push(arguments.next().ok_or(USAGE)?.parse()?),
            _ if file.is_none() && !argument.starts_with("--") => file = Some(argument),
            _ => return Err(USAGE.into()),
        }
    }
    if workers.is_empty() {
        workers = (0..=8).map(|power| 1 << power).collect();
    }
    let file = file.ok_or(USAGE)?;
    let json = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let recording = Recording::from_json(&json).map_err(|error| format!("{file}: {error}"))?;
    println!("{}", recording.scaling(workers));
    Ok(())
}
