//! How the policies scale: the makespan of eight loads on 2 to 4096 simulated workers, drawn and as
//! tables.
//!
//! ```sh
//! cargo run --release -p taskel-adaptive --example scale -- benches/results/simulation
//! ```
//!
//! The same files come out each time.

mod chart;
mod loads;
mod study;
mod tables;
mod teams;
#[cfg(test)]
mod tests;
mod wakes;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use study::Study;

/// Worker counts of the charts.
const WORKERS: [usize; 12] = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from).ok_or("usage: scale FOLDER")?;
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("wakes.md"), wakes::document())?;
    println!("{}", folder.join("wakes.md").display());
    teams::write(&folder)?;
    if env::args_os().nth(2).is_some_and(|only| only == "teams") {
        return Ok(());
    }
    let mut studies = Vec::new();
    for load in &loads::all() {
        let study = Study::of(load, &WORKERS);
        fs::write(folder.join(study.chart_file()), chart::draw(&study, &WORKERS)?)?;
        println!("{}", folder.join(study.chart_file()).display());
        studies.push(study);
    }
    fs::write(folder.join("README.md"), tables::document(&studies, &WORKERS))?;
    println!("{}", folder.join("README.md").display());
    Ok(())
}
