//! Messages of errors say what was expected, what was found and what to do.

use std::error::Error;
use std::io;

use shm_lock::{OpenError, Unsupported};

#[test]
fn io_errors_keep_their_source_and_suggest_a_remedy() {
    let of_kind = |kind: io::ErrorKind| OpenError::Io {
        region: "/dev/shm/a".into(),
        operation: "open",
        source: io::Error::from(kind),
    };
    let missing = of_kind(io::ErrorKind::NotFound);
    assert_eq!(
        missing.to_string(),
        "cannot open /dev/shm/a: entity not found; create it first, or open it with open_or_create"
    );
    let source = missing.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::NotFound));
    assert!(
        of_kind(io::ErrorKind::AlreadyExists)
            .to_string()
            .ends_with("; open it instead, or choose another name"),
        "another process may be using it, so it is not to be removed"
    );
    let of_proc = OpenError::Io {
        region: "/proc/self/ns/pid".into(),
        operation: "examine",
        source: io::ErrorKind::NotFound.into(),
    };
    assert!(of_proc.to_string().contains("; mount /proc"), "{of_proc}");
    #[cfg(unix)]
    {
        let source = io::Error::from_raw_os_error(24);
        let of_files = OpenError::Io { region: "/dev/shm/a".into(), operation: "open", source };
        assert!(of_files.to_string().ends_with("; close some files, or raise the limit of open files"));
    }
    assert!(
        of_kind(io::ErrorKind::PermissionDenied).to_string().ends_with("; run as the user who created it")
    );
}

#[test]
fn a_damaged_region_says_which_part() {
    let error = OpenError::Damaged {
        region: "/dev/shm/a".into(),
        part: "size",
        expected: "4096 bytes".to_owned(),
        found: "12 bytes".to_owned(),
    };
    assert_eq!(
        error.to_string(),
        "/dev/shm/a holds no intact lock: expected size 4096 bytes, found 12 bytes; \
         if no process uses it, open it with open_or_replace_stale"
    );
    assert!(error.source().is_none());
}

#[test]
fn a_mismatch_names_both_sides() {
    let error = OpenError::Mismatch {
        region: "/memfd:a".into(),
        part: "type",
        expected: "u64".to_owned(),
        found: "[u8; 8]".to_owned(),
    };
    assert_eq!(
        error.to_string(),
        "/memfd:a was made by a different program: expected type u64, found [u8; 8]; \
         use the same type in all processes, or, if that program is gone, open it with open_or_replace_stale"
    );
}

#[test]
fn stale_and_foreign_regions_say_what_to_do() {
    assert_eq!(
        OpenError::Stale { region: "a".into() }.to_string(),
        "a was left by an earlier boot: expected a lock made since this system started; \
         open it with open_or_replace_stale"
    );
    let untrusted = OpenError::Untrusted {
        region: "a".into(),
        expected: "mode 600".to_owned(),
        found: "mode 666".to_owned(),
    };
    assert_eq!(
        untrusted.to_string(),
        "a could be tampered with: expected mode 600, found mode 666; \
         give a path in a directory that only you can write to, such as $XDG_RUNTIME_DIR"
    );
    let namespace = OpenError::OtherPidNamespace { region: "a".into(), expected: 1, found: 2 };
    assert_eq!(
        namespace.to_string(),
        "a belongs to another PID namespace: expected 1, found 2; run all its users in the same container"
    );
}

#[test]
fn unsupported_says_why_through_an_open_error_too() {
    let system = Unsupported::OperatingSystem { found: "windows" };
    assert_eq!(
        system.to_string(),
        "expected to run on Linux, found windows; use a lock within one process here"
    );
    let error = OpenError::from(system.clone());
    assert_eq!(error.to_string(), system.to_string());
    assert!(error.source().is_none(), "the reason would be told twice");

    let namespace = Unsupported::OtherPidNamespace { expected: 1, found: 2 }.to_string();
    assert!(
        namespace.contains("namespace 1,") && namespace.contains("found 2; enter the namespace"),
        "{namespace}"
    );
    assert!(
        Unsupported::WipeOnFork
            .to_string()
            .ends_with("run on Linux 4.14 or later, with a page of memory to spare")
    );

    let list =
        |found| Unsupported::RobustList { part: "offset of the lock word", expected: -32, found }.to_string();
    assert!(
        list(Some(-28)).contains("with offset of the lock word -32, found -28; build for a 64-bit linux-gnu")
    );
    assert!(list(None).contains("found no list; build for"));
}

#[test]
fn errors_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<OpenError>();
    crosses::<Unsupported>();
}
