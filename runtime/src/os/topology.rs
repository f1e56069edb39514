//! Which workers are near each other. A thief tries its neighbours first.
//!
//! Workers are near if their cores share a level-3 cache: stolen data is then a few nanoseconds
//! away, not on another socket. Linux lists the caches in
//! `/sys/devices/system/cpu/cpu*/cache/index*/{level,shared_cpu_list}`. Missing or unexpected
//! entries count as unknown, and all unknown cores form one group. The order then has no
//! preference, which is slower on large machines but never wrong.
//! preference, which is slower than a good one on large machines and wrong nowhere.

use std::fs;
use std::iter;
use std::ops::RangeInclusive;
use std::path::Path;
use std::slice;

const SYS_CPU: &str = "/sys/devices/system/cpu";

/// The cores that share one cache, in the kernel's format: `0-7,64-71`.
type CpuList = Vec<RangeInclusive<usize>>;

/// The known level-3 caches of the machine.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    l3: Vec<CpuList>,
}

impl Topology {
    /// Asks the running system about `cores`. Reads about two files per level-3 cache.
    pub(crate) fn of_this_machine(cores: &[Option<usize>]) -> Self {
        Self::read(Path::new(SYS_CPU), cores)
    }

    /// Reads what the tree at `root` says about `cores`. It has the layout of
    /// `/sys/devices/system/cpu`.
    fn read(root: &Path, cores: &[Option<usize>]) -> Self {
        let mut topology = Self::default();
        for &core in cores.iter().flatten() {
            if topology.l3_of(core).is_none() {
                topology.l3.extend(read_l3(root, core));
            }
        }
        topology
    }

    /// Returns a number that is the same for all cores of one level-3 cache, or `None` if it is
    /// unknown.
    fn l3_of(&self, core: usize) -> Option<usize> {
        self.l3.iter().position(|list| contains(list, core))
    }
}

/// Returns one of `cores` for each physical core, in ascending order: the first. If a physical core
/// runs several threads at once, the system counts each as a core.
///
/// A core without information counts as a physical core.
pub(crate) fn one_of_each_physical_core(cores: &[usize]) -> Vec<usize> {
    first_siblings(Path::new(SYS_CPU), cores)
}

fn first_siblings(root: &Path, cores: &[usize]) -> Vec<usize> {
    let is_first = |&&core: &&usize| {
        let siblings = read_siblings(root, core);
        let mut before = cores.iter().take_while(|&&other| other < core);
        siblings.is_none_or(|siblings| !before.any(|&other| contains(&siblings, other)))
    };
    cores.iter().filter(is_first).copied().collect()
}

/// Returns the cores that belong to the same physical core as `core`.
fn read_siblings(root: &Path, core: usize) -> Option<CpuList> {
    let topology = root.join(format!("cpu{core}")).join("topology");
    // Linux before 5.4 uses the second name.
    let text = ["core_cpus_list", "thread_siblings_list"]
        .into_iter()
        .find_map(|file| fs::read_to_string(topology.join(file)).ok())?;
    parse_cpu_list(&text).filter(|list| contains(list, core))
}

/// The other workers, in the order in which one worker tries to steal from them.
#[derive(Debug)]
pub(crate) struct StealOrder {
    victims: Box<[u32]>,
    near: usize,
}

impl StealOrder {
    /// Returns every other worker once: first the near ones, then the rest. `random` selects where
    /// each group begins, so thieves that start together do not all try the same victim.
    pub(crate) fn starting_at(&self, random: usize) -> Victims<'_> {
        let (near, far) = self.victims.split_at(self.near);
        let [(near_before, near_after), (far_before, far_after)] =
            [near, far].map(|group| group.split_at(random % group.len().max(1)));
        Victims([near_after, near_before, far_after, far_before].map(<[u32]>::iter))
    }
}

/// Workers in steal order. An iterator of the standard library would be compiled again for each
/// loop that searches.
#[derive(Clone, Debug)]
pub(crate) struct Victims<'a>([slice::Iter<'a, u32>; 4]);

impl Iterator for Victims<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.0.iter_mut().find_map(Iterator::next).map(|&worker| worker as usize)
    }
}

/// Returns the steal order of each worker, and as the last one that of all other lanes. Worker `i`
/// belongs to `cores[i]`, or to no core.
///
/// Time and memory grow with the square of the number of workers: 256 workers take 256 KiB.
/// them.
pub(crate) fn steal_orders(cores: &[Option<usize>], topology: &Topology) -> Vec<StealOrder> {
    let l3: Vec<Option<usize>> =
        cores.iter().map(|core| core.and_then(|core| topology.l3_of(core))).collect();
    (0..=cores.len())
        .map(|thief| {
            let l3_of_thief = l3.get(thief).copied().flatten();
            let others = || (0..cores.len()).filter(|&worker| worker != thief);
            let near = others().filter(|&worker| l3[worker] == l3_of_thief);
            let far = others().filter(|&worker| l3[worker] != l3_of_thief);
            StealOrder { near: near.clone().count(), victims: near.chain(far).map(|w| w as u32).collect() }
        })
        .collect()
}

/// Returns the cores that share the level-3 cache of `core`, if the tree at `root` says so and is
/// consistent.
fn read_l3(root: &Path, core: usize) -> Option<CpuList> {
    let cache = root.join(format!("cpu{core}")).join("cache");
    // The indices have no gaps. Level 3 is index 3 wherever level 1 is split in two.
    let l3 = iter::successors(Some(0), |index| Some(index + 1))
        .map(|index| cache.join(format!("index{index}")))
        .map_while(|index| Some((fs::read_to_string(index.join("level")).ok()?, index)))
        .find(|(level, _)| level.trim() == "3")
        .map(|(_, index)| index)?;
    let list = parse_cpu_list(&fs::read_to_string(l3.join("shared_cpu_list")).ok()?)?;
    contains(&list, core).then_some(list)
}

/// Parses a list like `0-7,64-71`. Returns `None` for anything else.
fn parse_cpu_list(text: &str) -> Option<CpuList> {
    text.trim()
        .split(',')
        .map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .collect()
}

fn contains(list: &CpuList, core: usize) -> bool {
    list.iter().any(|cores| cores.contains(&core))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A fake `/sys/devices/system/cpu`, deleted on drop.
    struct Tree(TempDir);

    impl Tree {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a temporary directory"))
        }

        fn write(&self, core: usize, index: usize, file: &str, content: impl AsRef<[u8]>) {
            let dir = self.0.path().join(format!("cpu{core}/cache/index{index}"));
            fs::create_dir_all(&dir).expect("a directory below the temporary one");
            fs::write(dir.join(file), content).expect("a file in it");
        }

        fn siblings(&self, core: usize, file: &str, list: &str) {
            let dir = self.0.path().join(format!("cpu{core}/topology"));
            fs::create_dir_all(&dir).expect("a directory below the temporary one");
            fs::write(dir.join(file), format!("{list}\n")).expect("a file in it");
        }

        fn physical(&self, cores: impl IntoIterator<Item = usize>) -> Vec<usize> {
            first_siblings(self.0.path(), &cores.into_iter().collect::<Vec<_>>())
        }

        fn core(&self, core: usize, l3_siblings: &str) {
            for (index, level) in ["1", "1", "2"].into_iter().enumerate() {
                self.write(core, index, "level", format!("{level}\n"));
                self.write(core, index, "shared_cpu_list", format!("{core}\n"));
            }
            self.write(core, 3, "level", "3\n");
            self.write(core, 3, "shared_cpu_list", format!("{l3_siblings}\n"));
        }

        fn orders(&self, cores: &[Option<usize>]) -> Vec<StealOrder> {
            steal_orders(cores, &Topology::read(self.0.path(), cores))
        }
    }

    fn pinned(cores: impl IntoIterator<Item = usize>) -> Vec<Option<usize>> {
        cores.into_iter().map(Some).collect()
    }

    fn near_and_far(order: &StealOrder) -> (&[u32], &[u32]) {
        order.victims.split_at(order.near)
    }

    #[test]
    fn two_sockets_with_interleaved_core_numbers_prefer_their_own() {
        let tree = Tree::new();
        for core in 0..8 {
            tree.core(core, if core % 4 < 2 { "0-1,4-5" } else { "2-3,6-7" });
        }
        let orders = tree.orders(&pinned(0..8));
        assert_eq!(near_and_far(&orders[0]), (&[1, 4, 5][..], &[2, 3, 6, 7][..]));
        assert_eq!(near_and_far(&orders[6]), (&[2, 3, 7][..], &[0, 1, 4, 5][..]));
    }

    #[test]
    fn workers_are_told_apart_from_cores() {
        let tree = Tree::new();
        for core in 0..4 {
            tree.core(core, if core < 2 { "0-1" } else { "2-3" });
        }
        let orders = tree.orders(&pinned([3, 0, 2, 0]));
        assert_eq!(near_and_far(&orders[0]), (&[2][..], &[1, 3][..]));
        assert_eq!(near_and_far(&orders[1]), (&[3][..], &[0, 2][..]));
    }

    #[test]
    fn each_start_visits_every_other_worker_once_and_the_near_ones_first() {
        let tree = Tree::new();
        for core in 0..6 {
            tree.core(core, if core < 3 { "0-2" } else { "3-5" });
        }
        let orders = tree.orders(&pinned(0..6));
        let from = |random| orders[1].starting_at(random).collect::<Vec<_>>();
        assert_eq!(from(0), [0, 2, 3, 4, 5]);
        assert_eq!(from(1), [2, 0, 4, 5, 3]);
        assert_eq!(from(2), [0, 2, 5, 3, 4]);
        let mut last = from(usize::MAX);
        last.sort_unstable();
        assert_eq!(last, [0, 2, 3, 4, 5]);
    }

    #[test]
    fn the_first_usable_thread_of_a_physical_core_represents_it() {
        for file in ["core_cpus_list", "thread_siblings_list"] {
            // As on servers: the second threads come after all first ones.
            let tree = Tree::new();
            (0..8).for_each(|core| tree.siblings(core, file, &format!("{},{}", core % 4, core % 4 + 4)));
            assert_eq!(tree.physical(0..8), [0, 1, 2, 3]);
            assert_eq!(tree.physical([1, 3, 4, 5, 6]), [1, 3, 4, 6], "the first of a core may not be usable");
            assert_eq!(tree.physical([6]), [6]);
            // As on notebooks: the threads of a core side by side, then small cores with one
            // thread.
            let tree = Tree::new();
            (0..4).for_each(|core| tree.siblings(core, file, if core < 2 { "0-1" } else { "2-3" }));
            (4..8).for_each(|core| tree.siblings(core, file, &core.to_string()));
            assert_eq!(tree.physical(0..8), [0, 2, 4, 5, 6, 7]);
        }
    }

    #[test]
    fn a_core_with_missing_or_invalid_data_counts_as_physical() {
        let tree = Tree::new();
        assert_eq!(tree.physical(0..3), [0, 1, 2]);
        for nonsense in ["", "0-", "x", "0,,1", "7"] {
            (0..3).for_each(|core| tree.siblings(core, "core_cpus_list", nonsense));
            assert_eq!(tree.physical(0..3), [0, 1, 2], "{nonsense:?}");
        }
        assert!(tree.physical([]).is_empty());
    }

    #[test]
    fn each_core_of_this_machine_has_a_physical_one() {
        let cores = crate::os::affinity::usable_cores();
        let physical = one_of_each_physical_core(&cores);
        assert!(physical.is_sorted_by(|a, b| a < b) && physical.first() == cores.first(), "{physical:?}");
        assert!(physical.iter().all(|core| cores.contains(core)), "{physical:?} of {cores:?}");
    }

    #[test]
    fn without_a_tree_all_are_one_group() {
        let tree = Tree::new();
        let orders = tree.orders(&pinned(0..3));
        assert_eq!(near_and_far(&orders[1]), (&[0, 2][..], &[][..]));
    }

    #[test]
    fn unpinned_workers_are_one_group_of_their_own() {
        let tree = Tree::new();
        tree.core(0, "0-1");
        let orders = tree.orders(&[Some(0), None, Some(1), None]);
        assert_eq!(near_and_far(&orders[0]), (&[2][..], &[1, 3][..]));
        assert_eq!(near_and_far(&orders[3]), (&[1][..], &[0, 2][..]));
    }

    #[test]
    fn a_single_worker_has_no_victim_and_other_lanes_have_that_worker() {
        let tree = Tree::new();
        let orders = tree.orders(&[None]);
        assert_eq!(orders.len(), 2);
        assert_eq!(orders[0].starting_at(7).count(), 0);
        assert!(orders[1].starting_at(7).eq([0]));
        assert_eq!(tree.orders(&[])[0].starting_at(7).count(), 0);
    }

    #[test]
    fn files_that_make_no_sense_count_as_unknown() {
        let oddities: [&[u8]; 12] = [
            b"",
            b"\n",
            b"x",
            b"0-",
            b"-1",
            b"0,,1",
            b"0-1-2",
            b"1-0",
            b"5",
            b"\xff\xfe",
            b"99999999999999999999999",
            b"0 1",
        ];
        for oddity in oddities {
            let tree = Tree::new();
            tree.core(0, "");
            tree.write(0, 3, "shared_cpu_list", oddity);
            tree.core(1, "1");
            let topology = Topology::read(tree.0.path(), &pinned(0..2));
            assert_eq!(topology.l3_of(0), None, "{oddity:?}");
            assert!(topology.l3_of(1).is_some(), "{oddity:?}");
        }
    }

    #[test]
    fn a_range_as_wide_as_can_be_written_costs_nothing() {
        let tree = Tree::new();
        tree.core(0, &format!("0-{}", usize::MAX));
        let orders = tree.orders(&pinned(0..2));
        assert_eq!(near_and_far(&orders[0]), (&[1][..], &[][..]));
    }

    #[test]
    fn a_machine_without_a_third_level_is_one_group() {
        let tree = Tree::new();
        for core in 0..2 {
            tree.write(core, 0, "level", "1");
            tree.write(core, 0, "shared_cpu_list", core.to_string());
            tree.write(core, 1, "level", "2");
            tree.write(core, 1, "shared_cpu_list", core.to_string());
        }
        let orders = tree.orders(&pinned(0..2));
        assert_eq!(near_and_far(&orders[0]), (&[1][..], &[][..]));
    }

    #[test]
    fn this_machine_can_be_read() {
        let cores = pinned(crate::os::affinity::usable_cores());
        let orders = steal_orders(&cores, &Topology::of_this_machine(&cores));
        for (thief, order) in orders.iter().enumerate() {
            let this = (thief < cores.len()).then_some(thief);
            let mut seen: Vec<usize> = order.starting_at(thief).chain(this).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..cores.len()).collect::<Vec<_>>());
        }
    }
}
