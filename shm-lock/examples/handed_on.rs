//! A lock that has no name: a parent makes it in memory, and hands it on to its children as their
//! standard input.
//!
//! ```sh
//! cargo run --release -p shm-lock --example handed_on
//! ```
//!
//! Nobody else can open it, nothing of it is left when all have ended, and nobody can cut it off.

#[cfg(unix)]
mod family {
    use std::env;
    use std::error::Error;
    use std::io;
    use std::os::fd::AsFd;
    use std::process::{Command, ExitCode, Stdio};

    use shm_lock::ShmMutex;

    const CHILDREN: usize = 4;
    const EACH: u64 = 10_000;

    pub(super) fn main() -> Result<ExitCode, Box<dyn Error>> {
        if env::args().nth(1).as_deref() == Some("child") { child() } else { parent() }
    }

    fn parent() -> Result<ExitCode, Box<dyn Error>> {
        let count = ShmMutex::memfd("handed-on", 0_u64)?;
        let start = |_| -> io::Result<_> {
            let lock = Stdio::from(count.as_fd().try_clone_to_owned()?);
            Command::new(env::current_exe()?).arg("child").stdin(lock).spawn()
        };
        let children = (0..CHILDREN).map(start).collect::<io::Result<Vec<_>>>()?;
        for mut child in children {
            if !child.wait()?.success() {
                return Err("a child has failed".into());
            }
        }
        let found = count.with(|count| *count)?;
        println!("{CHILDREN} children have counted to {found}");
        let expected = CHILDREN as u64 * EACH;
        Ok(if found == expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn child() -> Result<ExitCode, Box<dyn Error>> {
        let count = ShmMutex::<u64>::from_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
        for _ in 0..EACH {
            // A count is right or one behind, and both will do.
            *count.lock_or_recover(|_| ())? += 1;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(unix)]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    family::main()
}

#[cfg(not(unix))]
fn main() {
    println!("this system hands on no descriptors");
}
