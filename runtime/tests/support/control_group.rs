//! A control group, in which a test runs this program again: with a limit on memory, a quota of
//! processor time, or some of the cores.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, io, thread};

/// Files of the group, and what to write there.
type Settings<'a> = &'a [(&'a str, &'a str)];

/// Removed when dropped.
pub(crate) struct Group(PathBuf);

impl Group {
    /// A group of that controller, with settings as version 2 of control groups has them, or
    /// version 1. Where none can be made, says why on the standard error, where a test that is left
    /// out is to be seen.
    pub(crate) fn new(name: &str, controller: &str, settings: [Settings<'_>; 2]) -> Option<Group> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mut reasons = String::new();
        for mount in mounts.lines() {
            let mut fields = mount.split(' ').skip(1);
            let (point, kind, options) = (fields.next(), fields.next(), fields.next().unwrap_or_default());
            let settings = match kind {
                Some("cgroup2") => settings[0],
                Some("cgroup") if options.split(',').any(|option| option == controller) => settings[1],
                _ => continue,
            };
            let folder =
                Path::new(point.unwrap_or_default()).join(format!("taskel-{name}-{}", std::process::id()));
            match Self::at(&folder, settings) {
                Ok(group) => return Some(group),
                Err(error) => reasons += &format!("{}: {error}; ", folder.display()),
            }
        }
        eprintln!("left out, since no control group of the controller {controller} can be made: {reasons}");
        None
    }

    fn at(folder: &Path, settings: Settings<'_>) -> io::Result<Group> {
        fs::create_dir(folder)?;
        let group = Group(folder.to_owned());
        settings.iter().try_for_each(|(file, value)| group.set(file, value))?;
        Ok(group)
    }

    /// Writes to a file of the group, which is not there where its controller is not.
    pub(crate) fn set(&self, file: &str, value: &str) -> io::Result<()> {
        use io::Write;
        let mut file = OpenOptions::new().write(true).open(self.0.join(file))?;
        file.write_all(value.as_bytes())
    }

    /// One test of this program, to be run in the group.
    pub(crate) fn program(&self, test: &str) -> Command {
        let mut program = Command::new("/bin/sh");
        program
            .arg("-c")
            .arg(r#"echo $$ > "$1/cgroup.procs" || exit 77; exec "$2" --exact "$3" --nocapture --test-threads 1"#)
            .arg("sh")
            .arg(&self.0)
            .arg(env::current_exe().expect("the path of this test"))
            .arg(test);
        program
    }

    /// Runs one test of this program in the group, prepared by `prepare`.
    pub(crate) fn run(&self, test: &str, prepare: impl FnOnce(&mut Command)) -> Output {
        let mut program = self.program(test);
        prepare(&mut program);
        let output = program.output().expect("a shell");
        assert_ne!(output.status.code(), Some(77), "cannot move a process there: {output:?}");
        output
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The group is busy until the kernel has done with who was killed.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        eprintln!("could not remove {}", self.0.display());
    }
}
