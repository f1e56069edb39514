use std::fs;
use std::path::Path;

use super::governor::{Governor, Sight};
use super::guard::MemoryGuard;
use super::system::{System, Use};
use super::{MemoryBudget, MemoryUnknown};
use crate::protocol::permits::Counts;

const MIB: u64 = 1 << 20;
const MEMINFO: &str =
    "MemTotal:       24576000 kB\nMemFree:         1000000 kB\nMemAvailable:   20480000 kB\n";

/// A fake tree of files.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Tree(tempfile::tempdir().unwrap());
        files.iter().for_each(|(path, text)| tree.write(path, text));
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn system(&self) -> System {
        System::at(self.0.path())
    }

    fn budget(&self) -> Result<MemoryBudget, MemoryUnknown> {
        MemoryBudget::of(&self.system(), &self.system().sources())
    }

    fn nearest(&self) -> Option<Use> {
        self.system().nearest(&self.system().sources())
    }

    fn stalled_us(&self) -> Option<u64> {
        self.system().stalled_us(&self.system().sources())
    }
}

fn mib(used: u64, limit: u64) -> Option<Use> {
    Some(Use { used: used * MIB, limit: limit * MIB })
}

const MOUNT_V2: &str =
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
const MOUNTS_V1: &str = "25 20 0:22 / /sys/fs/cgroup/cpu rw shared:1 - cgroup cgroup rw,cpu,cpuacct\n\
                         26 20 0:23 / /sys/fs/cgroup/memory rw shared:2 - cgroup cgroup rw,memory\n";

#[test]
fn without_groups_the_machine_counts() {
    let tree = Tree::new(&[("/proc/meminfo", MEMINFO)]);
    let budget = tree.budget().unwrap();
    assert_eq!((budget.available(), budget.limit()), (20_000 * MIB, None));
    assert_eq!(budget.share(0.5) as u64, 10_000 * MIB);
    assert_eq!(tree.nearest(), mib(4000, 24_000));
}

#[test]
fn an_unknown_budget_is_an_error_that_says_so() {
    for files in [
        &[][..],
        &[
            ("/proc/meminfo", "nonsense"),
            ("/proc/self/cgroup", "also\n:\n0:"),
            ("/proc/self/mountinfo", " - \nx - cgroup"),
        ],
    ] {
        let unknown = Tree::new(files).budget().unwrap_err().to_string();
        assert!(unknown.contains("/proc/meminfo") && unknown.contains("Linux"), "{unknown}");
    }
}

#[test]
fn the_smallest_limit_of_all_enclosing_groups_counts_in_version_2() {
    let tree = Tree::new(&[
        ("/proc/meminfo", MEMINFO),
        ("/proc/self/mountinfo", MOUNT_V2),
        ("/proc/self/cgroup", "0::/a.slice/b.scope\n"),
        ("/sys/fs/cgroup/memory.current", "1"),
        ("/sys/fs/cgroup/a.slice/memory.max", "1073741824\n"),
        ("/sys/fs/cgroup/a.slice/memory.high", "max\n"),
        ("/sys/fs/cgroup/a.slice/memory.current", "838860800\n"),
        ("/sys/fs/cgroup/a.slice/memory.stat", "anon 1\nactive_file 104857600\ninactive_file 104857600\n"),
        ("/sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n"),
        ("/sys/fs/cgroup/a.slice/b.scope/memory.high", "2147483648\n"),
        ("/sys/fs/cgroup/a.slice/b.scope/memory.current", "104857600\n"),
    ]);
    let budget = tree.budget().unwrap();
    assert_eq!(
        (budget.available(), budget.limit()),
        (424 * MIB, Some(1024 * MIB)),
        "caches can be reclaimed"
    );
    assert_eq!(tree.nearest(), mib(600, 1024));
    tree.write("/sys/fs/cgroup/a.slice/b.scope/memory.max", "209715200");
    assert_eq!(tree.budget().unwrap().limit(), Some(200 * MIB), "limits are read again");
    assert_eq!(tree.budget().unwrap().available(), 100 * MIB);
    fs::remove_dir_all(tree.0.path().join("sys/fs/cgroup/a.slice/b.scope")).unwrap();
    assert_eq!(tree.nearest(), mib(4000, 24_000), "a group that is gone sets no limit");
}

#[test]
fn a_limit_above_what_the_machine_has_is_none() {
    let tree = Tree::new(&[
        ("/proc/meminfo", MEMINFO),
        ("/proc/self/mountinfo", MOUNT_V2),
        ("/proc/self/cgroup", "0::/\n"),
        ("/sys/fs/cgroup/memory.max", "1099511627776\n"),
        ("/sys/fs/cgroup/memory.current", "1\n"),
    ]);
    assert_eq!(tree.budget().unwrap().limit(), None);
    assert_eq!(tree.nearest(), mib(4000, 24_000));
}

#[test]
fn a_container_sees_its_own_group_at_the_root() {
    // Version 2, with a namespace; the process was moved out of it.
    let files = [
        ("/proc/meminfo", MEMINFO),
        ("/proc/self/mountinfo", MOUNT_V2),
        ("/sys/fs/cgroup/memory.max", "536870912\n"),
        ("/sys/fs/cgroup/memory.current", "0\n"),
        ("/sys/fs/cgroup/memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull total=5\n"),
        ("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"),
    ];
    for path in ["/", "/../other"] {
        let tree = Tree::new(&files);
        tree.write("/proc/self/cgroup", &format!("0::{path}\n"));
        assert_eq!(tree.budget().unwrap().limit(), Some(512 * MIB), "{path}");
        assert_eq!(tree.stalled_us(), Some(7), "{path}");
    }
    // Version 1, without a namespace: the mount begins at the group.
    let tree = Tree::new(&[
        ("/proc/meminfo", MEMINFO),
        (
            "/proc/self/mountinfo",
            "9 8 0:2 /docker/x /sys/fs/cgroup/my\\040memory ro - cgroup cgroup rw,memory\n",
        ),
        ("/proc/self/cgroup", "4:memory:/docker/x\n0::/docker/x\n"),
        ("/sys/fs/cgroup/my memory/memory.limit_in_bytes", "268435456\n"),
        ("/sys/fs/cgroup/my memory/memory.usage_in_bytes", "134217728\n"),
    ]);
    assert_eq!(tree.nearest(), mib(128, 256));
    assert_eq!(tree.stalled_us(), None, "version 1 reports no stalls");
}

#[test]
fn version_1_counts_enclosing_groups_if_they_are_hierarchical() {
    let tree = Tree::new(&[
        ("/proc/meminfo", MEMINFO),
        ("/proc/self/mountinfo", MOUNTS_V1),
        ("/proc/self/cgroup", "5:cpu,cpuacct:/elsewhere\n4:memory:/a/b\n"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "104857600\n"),
        ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "524288000\n"),
        ("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "419430400\n"),
        (
            "/sys/fs/cgroup/memory/a/memory.stat",
            "active_file 1\ntotal_active_file 104857600\ntotal_inactive_file 0\n",
        ),
        ("/sys/fs/cgroup/memory/a/memory.use_hierarchy", "1\n"),
        ("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "1048576000\n"),
        ("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "104857600\n"),
        ("/proc/pressure/memory", "some avg10=1.00 avg60=0.00 avg300=0.00 total=123456\nfull total=1\n"),
    ]);
    assert_eq!(tree.nearest(), mib(300, 500));
    assert_eq!(tree.budget().unwrap().limit(), Some(500 * MIB));
    assert_eq!(tree.stalled_us(), Some(123_456), "the machine's, if groups report none");
    tree.write("/sys/fs/cgroup/memory/a/memory.use_hierarchy", "0\n");
    assert_eq!(tree.nearest(), mib(100, 1000));
}

#[test]
fn with_both_versions_each_contributes_what_it_knows() {
    let tree = Tree::new(&[
        ("/proc/meminfo", MEMINFO),
        ("/proc/self/cgroup", "4:memory:/job\n1:name=systemd:/user\n0::/user\n"),
        ("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824\n"),
        ("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1048576\n"),
        // The memory controller is in the other hierarchy: no limits here.
        ("/sys/fs/cgroup/unified/user/memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=42\n"),
    ]);
    let unified = "31 24 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    tree.write("/proc/self/mountinfo", &format!("{MOUNTS_V1}{unified}"));
    assert_eq!(tree.nearest(), mib(1, 1024));
    assert_eq!(tree.stalled_us(), Some(42));
}

#[test]
#[should_panic(expected = "a share is above 0 and at most 1, not 1.5")]
fn a_share_above_one_is_refused() {
    let tree = Tree::new(&[("/proc/meminfo", MEMINFO)]);
    tree.budget().unwrap().share(1.5);
}

#[test]
fn a_share_is_at_least_a_byte() {
    let tree = Tree::new(&[("/proc/meminfo", "MemTotal: 1 kB\nMemAvailable: 0 kB\n")]);
    assert_eq!(tree.budget().unwrap().share(0.1), 1);
    assert_eq!(tree.nearest().unwrap().left(), 0);
}

#[test]
fn this_machine_tells_or_says_why_not() {
    match MemoryBudget::detect() {
        Ok(budget) => assert!(budget.share(1.0) >= 1 && budget.limit().is_none_or(|limit| limit > 0)),
        Err(unknown) => assert!(!Path::new("/proc/meminfo").exists(), "{unknown}"),
    }
}

/// A pool as the governor sees it: each lane takes this much memory after a while.
struct Pool {
    governor: Governor,
    workers: Counts,
    callers: u32,
}

impl Pool {
    fn new(most: u32) -> Self {
        let workers = Counts { inside: 0, allowed: 0 };
        Pool { governor: Governor::new(MemoryGuard::new(), most), workers, callers: 1 }
    }

    fn sight(&self, used: u64, limit: u64, stalled: f64) -> Sight {
        Sight { memory: mib(used, limit), stalled, workers: self.workers, callers: self.callers }
    }

    fn begin(&mut self, used: u64, limit: u64) {
        self.workers.allowed = self.governor.begin(self.sight(used, limit, 0.0));
    }

    /// Looks once; then workers come or leave as they are told. Returns how many run.
    fn look(&mut self, used: u64, limit: u64, stalled: f64) -> u32 {
        self.workers.allowed = self.governor.look(self.sight(used, limit, stalled));
        self.workers.inside = self.workers.allowed;
        self.workers.inside
    }

    fn lanes(&self) -> u64 {
        u64::from(self.workers.inside + self.callers)
    }
}

#[test]
fn lanes_that_take_nothing_double() {
    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    let workers: Vec<u32> = (0..5).map(|_| pool.look(10, 1024, 0.0)).collect();
    assert_eq!(workers, [1, 3, 7, 8, 8]);
}

#[test]
fn only_as_many_lanes_come_as_fit() {
    for (each, lanes) in [(200, 4), (50, 9), (400, 2), (800, 1), (2000, 1)] {
        let mut pool = Pool::new(8);
        pool.begin(10, 1024);
        for _ in 0..40 {
            let used = 10 + each * pool.lanes();
            assert!(used <= 1024 || pool.lanes() == 1, "{each}: killed with {} lanes", pool.lanes());
            // Half of their final use, then all.
            pool.look(10 + each * pool.lanes() / 2, 1024, 0.0);
            pool.look(used, 1024, 0.0);
        }
        assert_eq!(pool.lanes(), lanes, "{each} MiB each");
    }
}

#[test]
fn no_lane_comes_while_the_use_grows() {
    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    for used in (50..400).step_by(10) {
        assert_eq!(pool.look(used, 1024, 0.0), 0);
    }
    assert_eq!(pool.look(390, 1024, 0.0), 1, "as much as the first again fits");
}

#[test]
fn under_pressure_lanes_leave_and_come_back_one_by_one() {
    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    (0..5).for_each(|_| _ = pool.look(10, 1024, 0.0));
    let full: Vec<u32> = (0..10).map(|_| pool.look(1000, 1024, 0.0)).collect();
    assert_eq!(full, [7, 6, 5, 4, 3, 2, 1, 0, 0, 0]);

    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    (0..5).for_each(|_| _ = pool.look(10, 1024, 0.0));
    let stalled: Vec<u32> = (0..3).map(|_| pool.look(10, 1024, 0.5)).collect();
    assert_eq!(stalled, [7, 6, 5]);
    let calm: Vec<u32> = (0..5).map(|_| pool.look(10, 1024, 0.05)).collect();
    assert_eq!(calm, [6, 7, 8, 8, 8]);
}

#[test]
fn the_next_lane_leaves_only_after_the_last_one_has_left() {
    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    (0..5).for_each(|_| _ = pool.look(10, 1024, 0.0));
    pool.workers.allowed = pool.governor.look(pool.sight(1000, 1024, 0.0));
    assert_eq!(pool.workers, Counts { inside: 8, allowed: 7 });
    assert_eq!(pool.governor.look(pool.sight(1000, 1024, 0.0)), 7);
    assert_eq!(pool.governor.look(pool.sight(500, 1024, 0.0)), 7, "and no lane is called back");
    pool.workers.inside = 7;
    assert_eq!(pool.governor.look(pool.sight(1000, 1024, 0.0)), 6);
}

#[test]
fn no_lane_is_called_that_would_not_come() {
    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    pool.look(10, 1024, 0.0);
    pool.look(10, 1024, 0.0);
    // The loop has three items.
    pool.workers.inside = 2;
    assert_eq!(pool.governor.look(pool.sight(10, 1024, 0.0)), 3);
}

#[test]
fn a_loop_of_an_unknown_site_begins_on_one_lane_and_leaves_others_alone() {
    let mut pool = Pool::new(8);
    (0..5).for_each(|_| _ = pool.look(10, 1024, 0.0));
    pool.workers.inside = 2;
    pool.callers = 2;
    pool.begin(10, 1024);
    assert_eq!(pool.workers.allowed, 2);
}

#[test]
fn an_estimate_under_another_limit_does_not_count() {
    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    pool.look(410, 1024, 0.0);
    assert_eq!(pool.look(410, 1024, 0.0), 1);
    assert_eq!(pool.look(810, 1024, 0.0), 1);
    assert_eq!(pool.look(810, 1024, 0.0), 1, "no third fits");
    assert!(pool.look(810, 4096, 0.0) > 1, "under the new limit it does");
}

#[test]
fn all_lanes_come_if_nothing_can_be_read_any_more() {
    let mut pool = Pool::new(8);
    pool.begin(10, 1024);
    for _ in 0..6 {
        let nothing = Sight { memory: None, ..pool.sight(0, 0, 0.0) };
        pool.workers.allowed = pool.governor.look(nothing);
        pool.workers.inside = pool.workers.allowed;
    }
    assert_eq!(pool.workers.inside, 8);
}
