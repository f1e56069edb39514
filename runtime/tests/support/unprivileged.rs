//! Programs to which something is forbidden, whoever runs the tests.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// `program`, to be run in `dir`. Nothing is forbidden to root, so for root it runs as a user who
/// owns nothing.
pub(crate) fn unprivileged(program: &Path, dir: &Path) -> Command {
    const NOBODY: u32 = 65_534;
    let copy = dir.join(program.file_name().expect("the name of a program")); // where anybody may look
    // By another process: a file that this one had open for writing would be so in a child that
    // another test starts meanwhile, and could not be run.
    let copied = Command::new("cp").arg(program).arg(&copy).status().expect("cp can be run");
    assert!(copied.success(), "a copy of the program");
    let mut command = Command::new(copy);
    command.current_dir(dir);
    if fs::metadata(dir).expect("the temporary directory").uid() == 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o755)).expect("permission to permit");
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
