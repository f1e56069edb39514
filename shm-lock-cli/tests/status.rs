//! `shm-lock status` and `repair`, and locks that programs have made.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::fs;
use std::mem;
use std::os::unix::fs::PermissionsExt;

use shm_lock::{LockError, RegionMutex, ShmCondvar, ShmMutex, ShmPod, ShmRegion};
use support::{Scene, called, shm_lock};

/// What the README says a program declares to open what the command has made.
#[derive(Clone, Copy, ShmPod)]
#[repr(C)]
struct ShmLockRun {
    command: u32,
    started: u32,
}

#[test]
fn a_status_tells_who_has_the_lock() {
    let scene = Scene::new();
    scene.run("true");
    let free = scene.status();
    assert_eq!(free.code, Some(0));
    assert_eq!(
        free.out,
        "type:     RegionMutex<ShmLockRun{command@0: u32, started@4: u32}>@40\nstate:    free\nwaiters:  no"
    );
    let holder = scene.holder("cat");
    let held = scene.status();
    assert_eq!(held.code, Some(1));
    for part in [
        "state:    held".to_owned(),
        format!("holder:   {} (", holder.child.id()),
        format!("command:  {} (sh -c ", holder.command),
        "waiters:  no".to_owned(),
    ] {
        assert!(held.out.contains(&part), "{part}: {held:?}");
    }
    let mut waiter = scene.command("run", ["--", "true"]).spawn().unwrap();
    support::await_that("somebody waits", || scene.status().out.contains("waiters:  yes"));
    assert_eq!(holder.end(), Some(0));
    assert!(waiter.wait().unwrap().success());
    assert_eq!(scene.status().code, Some(0));
}

#[test]
fn a_lock_of_a_program_is_shared_with_it() {
    let scene = Scene::new();
    let count = ShmMutex::create_new(&scene.lock, 7_u64).unwrap();
    let guard = count.lock().unwrap();
    assert_eq!(scene.call("run", ["-n", "--", "true"]).code, Some(1));
    scene.assert_state(1, "RegionMutex<u64>@40");
    drop(guard);
    let holder = scene.holder("cat");
    assert!(matches!(count.try_lock(), Err(LockError::WouldBlock)));
    assert_eq!(holder.end(), Some(0));
    assert_eq!(*count.lock().unwrap(), 7);
}

#[test]
fn a_value_that_the_command_does_not_know_stays_marked_until_it_is_repaired() {
    let scene = Scene::new();
    let count = ShmMutex::create_new(&scene.lock, 7_u64).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| mem::forget(count.lock().unwrap()));
    });
    scene.assert_state(2, "abandoned");
    let told = scene.run("echo $SHM_LOCK_ABANDONED");
    assert_eq!((told.code, told.out.as_str()), (Some(0), "owner-died"));
    assert!(told.err.contains("stays marked"), "{told:?}");
    scene.assert_state(2, "abandoned");
    assert!(matches!(count.lock(), Err(LockError::Poisoned(guard)) if *guard == 7));
    assert_eq!(scene.call("repair", []).out, "repaired: what it protects was left torn");
    assert_eq!(*count.lock().unwrap(), 7);
}

#[test]
fn a_program_opens_what_the_command_has_made() {
    let scene = Scene::new();
    let holder = scene.holder("cat");
    let lock = ShmMutex::<ShmLockRun>::open(&scene.lock).unwrap();
    assert!(matches!(lock.try_lock(), Err(LockError::WouldBlock)));
    assert_eq!(holder.end(), Some(0));
    let guard = lock.lock().unwrap();
    assert_eq!((guard.command, guard.started), (0, 0));
    assert_eq!(scene.call("run", ["-n", "--", "true"]).code, Some(1));
}

#[test]
fn a_lock_that_was_given_up_says_so() {
    let scene = Scene::new();
    let lock = ShmMutex::create_new(&scene.lock, 0_u64).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| mem::forget(lock.lock().unwrap()));
    });
    let Err(LockError::OwnerDied(guard)) = lock.lock() else { panic!("nobody died") };
    guard.abandon();
    scene.assert_state(2, "given up for good");
    for what in ["run", "repair"] {
        let rest: &[&str] = if what == "run" { &["--", "true"] } else { &[] };
        let failed = scene.call(what, rest.iter().copied());
        assert!(failed.code == Some(65) && failed.err.contains("gave this lock up"), "{failed:?}");
    }
}

#[test]
fn what_is_no_lock_is_refused_and_left_alone() {
    shm_lock::region! {
        struct Jobs {
            waiting: RegionMutex<u64>,
            changed: ShmCondvar,
        }
    }
    let scene = Scene::new();
    let path = |name: &str| scene.path(name).to_str().unwrap().to_owned();
    fs::write(path("text"), "my thesis").unwrap();
    fs::write(path("empty"), "").unwrap();
    for name in ["text", "empty"] {
        fs::set_permissions(path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    fs::write(path("open"), [0; 400]).unwrap();
    fs::set_permissions(path("open"), PermissionsExt::from_mode(0o644)).unwrap();
    let jobs = Jobs { waiting: RegionMutex::new(0), changed: ShmCondvar::new() };
    drop(ShmRegion::create_new(path("jobs"), jobs).unwrap());
    let cases = [
        ("text", 65, "text is no lock: expected size"),
        ("empty", 65, "empty is no lock: expected size"),
        ("open", 77, "expected mode 600, found mode 644"),
        ("jobs", 65, "holds something else than one lock: Jobs{waiting@0: RegionMutex<u64>@40"),
        ("", 77, "expected a regular file, found a directory"),
        ("no/lock", 66, "No such file or directory"),
    ];
    for (name, code, told) in cases {
        for arguments in
            [&["run", &path(name), "true"][..], &["status", &path(name)], &["repair", &path(name)]]
        {
            let failed = called(&mut shm_lock(arguments.iter().copied()));
            assert!(failed.code == Some(code) && failed.err.contains(told), "{arguments:?}: {failed:?}");
        }
    }
    assert_eq!(fs::read_to_string(path("text")).unwrap(), "my thesis");
    assert_eq!(fs::read(path("empty")).unwrap(), b"");
    for what in ["status", "repair"] {
        let failed = scene.call(what, []);
        assert!(failed.code == Some(66) && failed.err.contains("cannot open"), "{failed:?}");
    }
}

#[test]
fn a_name_without_a_slash_is_this_user_s_and_is_listed() {
    let name = format!("test-cli-{}", std::process::id());
    let ran = called(&mut shm_lock(["run", &name, "true"]));
    let listed = called(&mut shm_lock(["status"]));
    let status = called(&mut shm_lock(["status", &name]));
    ShmMutex::<ShmLockRun>::unlink(&name).unwrap();
    assert_eq!((ran.code, status.code, listed.code), (Some(0), Some(0), Some(0)));
    assert!(listed.out.lines().any(|line| line == format!("{name}\tstate: free, waiters: no")), "{listed:?}");
}

#[test]
fn the_manual_names_every_option() {
    let manual = include_str!("../README.md");
    let mut seen = 0;
    for command in ["run", "status", "repair"] {
        let help = called(&mut shm_lock([command, "--help"]));
        assert_eq!(help.code, Some(0));
        for word in help.out.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
            let option = word.trim_end_matches([',', ']', '.']);
            seen += 1;
            assert!(manual.contains(option), "{command} {option}");
        }
    }
    assert!(seen >= 10, "{seen}");
    let version = called(&mut shm_lock(["--version"]));
    assert_eq!(
        (version.code, version.out.as_str()),
        (Some(0), concat!("shm-lock ", env!("CARGO_PKG_VERSION")))
    );
}
