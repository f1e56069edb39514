//! What a dependency on taskel costs: packages in the lock file, build time, bytes. The same for
//! rayon, in the same run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How often to build each program from scratch; the median counts
    #[arg(long, default_value_t = 3)]
    builds: usize,
}

/// A program that does the same with each library.
struct Program {
    library: &'static str,
    dependency: String,
    dir: PathBuf,
}

/// The figures of one program.
#[derive(Default)]
struct Weight {
    /// The packages in the lock file, without the program itself.
    packages: usize,
    debug_builds: Vec<Duration>,
    release_builds: Vec<Duration>,
    bytes: u64,
}

const MAIN: &str = "use LIBRARY::prelude::*;\n\nfn main() {\n    \
    let sum: u64 = (0..1_000_000_u64).into_par_iter().filter(|n| n % 3 == 0).map(|n| n * n % 7).sum();\n    \
    println!(\"{sum}\");\n}\n";

pub(crate) fn weight(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.builds > 0, "nothing to measure: 0 builds were asked for");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let scratch = root.join("target/weight");
    let taskel = format!("{{ path = {:?} }}", root.join("runtime"));
    let programs = [("taskel", taskel), ("rayon", "\"1.12\"".to_owned())]
        .map(|(library, dependency)| Program { library, dependency, dir: scratch.join(library) });
    programs.iter().try_for_each(Program::write)?;
    let mut weights = [Weight::default(), Weight::default()];
    // Alternately, so that other load on the machine affects both.
    for _ in 0..arguments.builds {
        for (program, weight) in programs.iter().zip(&mut weights) {
            weight.debug_builds.push(program.build(&[])?);
            weight.release_builds.push(program.build(&["--release"])?);
        }
    }
    for (program, weight) in programs.iter().zip(&mut weights) {
        weight.packages = program.packages()?;
        weight.bytes = fs::metadata(program.dir.join("target/release/program"))?.len();
    }
    println!("| | packages | dev build | release build | release program, stripped |\n|---|---|---|---|---|");
    for (program, weight) in programs.iter().zip(&weights) {
        println!(
            "| {} | {} | {} | {} | {} KiB |",
            program.library,
            weight.packages,
            shown(&weight.debug_builds),
            shown(&weight.release_builds),
            weight.bytes / 1024
        );
    }
    Ok(())
}

impl Program {
    fn write(&self) -> Result<()> {
        fs::create_dir_all(self.dir.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{} = {}\n\n[profile.release]\nstrip = true\n",
            self.library, self.dependency
        );
        fs::write(self.dir.join("Cargo.toml"), manifest)?;
        fs::write(self.dir.join("src/main.rs"), MAIN.replace("LIBRARY", self.library))?;
        self.cargo(&["fetch"])
    }

    /// Builds from scratch, without downloads.
    fn build(&self, options: &[&str]) -> Result<Duration> {
        self.cargo(&["clean", "--quiet"])?;
        let start = Instant::now();
        self.cargo(&[&["build", "--offline", "--quiet"], options].concat())?;
        Ok(start.elapsed())
    }

    fn packages(&self) -> Result<usize> {
        let lock = fs::read_to_string(self.dir.join("Cargo.lock"))?;
        Ok(lock.matches("[[package]]").count() - 1)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<()> {
        let mut cargo = Command::new(env!("CARGO"));
        // Settings for the workspace's own builds do not apply to users. Cargo builds registry
        // packages, such as rayon here, without lints and never incrementally. So taskel is built
        // in the same way.
        let cargo = cargo
            .args(arguments)
            .current_dir(&self.dir)
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTFLAGS", "--cap-lints allow")
            .env_remove("CARGO_TARGET_DIR");
        ensure!(cargo.status()?.success(), "cargo {} failed in {}", arguments.join(" "), self.dir.display());
        Ok(())
    }
}

/// Returns the median, the smallest and the largest value, in seconds.
fn shown(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let [least, middle, greatest] =
        [0, sorted.len() / 2, sorted.len() - 1].map(|index| sorted[index].as_secs_f64());
    format!("{middle:.1} s ({least:.1}–{greatest:.1})")
}
