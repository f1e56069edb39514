//! What the figures were measured on.

use std::{fmt, fs};

/// The machine, its software and the date: without them a figure cannot be compared.
#[derive(Clone, Debug)]
pub struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    rustc: &'static str,
    date: String,
}

impl Machine {
    /// Describes this machine, now; what the operating system does not tell is "unknown".
    #[must_use]
    pub fn here(cores: usize) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel =
            fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| "unknown".to_owned());
        Self {
            cpu: cpu_model(&cpuinfo).unwrap_or("unknown").to_owned(),
            cores,
            // What follows the version is the builder's own name for it.
            kernel: kernel.trim().split('-').next().unwrap_or_default().to_owned(),
            rustc: env!("BENCH_RUSTC_VERSION"),
            date: jiff::Timestamp::now().strftime("%F").to_string(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, rustc, date } = self;
        write!(f, "{cpu}, {cores} cores; {} {kernel}; {rustc}; {date}", std::env::consts::OS)
    }
}

fn cpu_model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_first_core_s() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A: 9 GHz\n\nprocessor\t: 1\nmodel name\t: B\n";
        assert_eq!(cpu_model(cpuinfo), Some("A: 9 GHz"));
        assert_eq!(cpu_model("processor\t: 0\n"), None);
    }

    #[test]
    fn the_description_is_one_line() {
        let line = Machine::here(3).to_string();
        assert!(line.contains("3 cores") && line.contains("rustc 1.") && !line.contains('\n'), "{line}");
    }
}
