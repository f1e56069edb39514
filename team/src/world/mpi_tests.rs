//! Tests the words of MPI's world with four ranks: `cargo test -p taskel-team --features mpi`.
//!
//! The test starts its own binary under `mpirun`, or the command in `TASKEL_MPIRUN`.

use std::io::Write;
use std::process::Command;
use std::time::Instant;

use super::mpi::MpiWorld;
use super::{HEAD, World};
use crate::environment::mpi_run;

const CLAIMS: i64 = 1_000_000;

/// What each rank does.
#[test]
fn program_of_a_rank() {
    let Some(run) = mpi_run() else { return };
    let started = MpiWorld::start(run).unwrap();
    let world: &dyn World = &*started.world;
    let mut own = vec![0_u8; CLAIMS as usize / 8];
    let mut claims = 0;
    world.exchange([0; HEAD], &[]);
    let began = Instant::now();
    loop {
        let claim = world.add(0, 1);
        if claim >= CLAIMS {
            break;
        }
        let (byte, bit) = (claim as usize / 8, 1 << (claim % 8));
        assert_eq!(own[byte] & bit, 0, "{claim} came twice to this rank");
        own[byte] |= bit;
        claims += 1;
    }
    let took = began.elapsed();
    let all = world.exchange([claims; HEAD], &own);
    let total: u64 = all.heads.iter().map(|head| head[0]).sum();
    let together = (0..own.len()).map(|i| all.bytes.iter().fold(0, |bits, of_rank| bits | of_rank[i]));
    assert_eq!(total, CLAIMS as u64);
    assert!(together.into_iter().all(|bits| bits == u8::MAX));
    // Each rank has learned once that there are no more.
    assert_eq!(world.add(0, 0), CLAIMS + world.size() as i64);
    let each = took.as_nanos() as f64 / claims as f64;
    let told =
        format!("@exact: rank {} of {} had {claims} claims, {each:.0} ns each\n", world.rank(), world.size());
    // In a single write.
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

#[test]
fn every_claim_of_a_million_comes_to_one_rank() {
    if mpi_run().is_some() {
        return;
    }
    let mpirun = std::env::var("TASKEL_MPIRUN").unwrap_or("mpirun".to_owned());
    let about = Command::new(&mpirun).arg("--version").output().expect("mpirun, or TASKEL_MPIRUN");
    let mut command = Command::new(mpirun);
    let about = String::from_utf8_lossy(&about.stdout);
    // Open MPI prints one or the other, depending on the name of the command.
    if about.contains("Open MPI") || about.contains("OpenRTE") {
        command.args(["--oversubscribe", "--allow-run-as-root"]);
    }
    command.args(["-n", "4"]).arg(std::env::current_exe().unwrap());
    let ran =
        command.args(["--exact", "world::mpi_tests::program_of_a_rank", "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    print!("{told}");
    assert!(ran.status.success(), "{ran:#?}");
    assert_eq!(told.matches("@exact").count(), 4, "{ran:#?}");
}
