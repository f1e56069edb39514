//! What Linux says about memory, in `/proc` and in the files of control groups of version 1,
//! version 2, or both at the same time.
//!
//! A process is in one group of each hierarchy. The limits of that group, and of all enclosing
//! groups, apply to the process. `/proc/self/mountinfo` lists where each hierarchy is mounted, and
//! which part of it: in a container, the mount often begins at the container's own group.
//!
//! Files and limits may appear, change and disappear, so each reading opens the files again. A file
//! that cannot be read or parsed sets no limit.

use std::fs;
use std::path::{Path, PathBuf};

/// The system's files, below a root folder.
#[derive(Debug)]
pub(super) struct System {
    root: PathBuf,
}

/// A control group that contains the process.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    folder: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// A limit and how much of it is in use, in bytes. File caches, which the system can reclaim at
/// once, do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) used: u64,
    pub(super) limit: u64,
}

impl Use {
    pub(super) fn left(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    fn share(self) -> f64 {
        self.used as f64 / self.limit.max(1) as f64
    }
}

/// The files that concern this process.
#[derive(Debug)]
pub(super) struct Sources {
    /// From the process's own group outwards.
    groups: Vec<Group>,
    /// That of the process's group of version 2.
    group_pressure: Option<PathBuf>,
}

/// Version 1 reports the greatest number of whole pages if there is no limit.
const NO_LIMIT: u64 = 1 << 60;

impl System {
    /// The files of this machine.
    pub(super) fn here() -> Self {
        System { root: PathBuf::from("/") }
    }

    /// A copy of the files, below `root`.
    #[cfg(test)]
    pub(super) fn at(root: &Path) -> Self {
        System { root: root.to_owned() }
    }

    fn read(&self, path: &Path) -> Option<String> {
        fs::read_to_string(self.root.join(path.strip_prefix("/").unwrap_or(path))).ok()
    }

    /// Finds the groups of this process.
    pub(super) fn sources(&self) -> Sources {
        let mounts = self.read(Path::new("/proc/self/mountinfo")).unwrap_or_default();
        let mounts: Vec<Mount<'_>> = mounts.lines().filter_map(Mount::parse).collect();
        let memberships = self.read(Path::new("/proc/self/cgroup")).unwrap_or_default();
        let (mut groups, mut group_pressure) = (Vec::new(), None);
        for (version, path) in memberships.lines().filter_map(membership) {
            // If a hierarchy is mounted several times, a mount may begin at another container's
            // group.
            let folder = mounts.iter().filter(|mount| mount.version == version).find_map(|mount| {
                let folder = mount.folder(path)?;
                self.root.join(folder.strip_prefix("/").ok()?).is_dir().then_some((mount, folder))
            });
            let Some((mount, folder)) = folder else { continue };
            if version == Version::V2 {
                group_pressure = Some(folder.join("memory.pressure"));
            }
            let around = folder.ancestors().take_while(|folder| folder.starts_with(&mount.point));
            for folder in around {
                let not_counted = || self.number(&folder.join("memory.use_hierarchy")) == Some(0);
                if version == Version::V1 && groups.last().is_some_and(is_of_v1) && not_counted() {
                    break;
                }
                groups.push(Group { folder: folder.to_owned(), version });
            }
        }
        Sources { groups, group_pressure }
    }

    /// Returns each limit on this process and its use, and the machine's: its memory is a limit,
    /// too.
    pub(super) fn uses(&self, sources: &Sources) -> (Vec<Use>, Option<Use>) {
        let machine = self.machine();
        let is_less = |of: &Use| machine.is_none_or(|machine| of.limit < machine.limit);
        let groups = sources.groups.iter().filter_map(|group| self.group(group)).filter(is_less);
        (groups.collect(), machine)
    }

    /// Returns the closest limit of a group or, if no group has one, the machine's.
    pub(super) fn nearest(&self, sources: &Sources) -> Option<Use> {
        let (groups, machine) = self.uses(sources);
        groups.into_iter().max_by(|a, b| a.share().total_cmp(&b.share())).or(machine)
    }

    /// Returns for how many microseconds a task of the process's group has been stalled for lack of
    /// memory, counted from an arbitrary start. Falls back to the whole machine.
    pub(super) fn stalled_us(&self, sources: &Sources) -> Option<u64> {
        let of_group = sources.group_pressure.as_deref().and_then(|path| self.read(path));
        let of_machine = || self.read(Path::new("/proc/pressure/memory"));
        of_group.as_deref().and_then(stalled).or_else(|| stalled(&of_machine()?))
    }

    fn machine(&self) -> Option<Use> {
        let meminfo = self.read(Path::new("/proc/meminfo"))?;
        let kib = |name| field(&meminfo, name);
        let (limit, left) = (kib("MemTotal:")? * 1024, kib("MemAvailable:")? * 1024);
        Some(Use { used: limit.saturating_sub(left), limit })
    }

    fn group(&self, group: &Group) -> Option<Use> {
        let number = |file| self.number(&group.folder.join(file));
        let (limit, used, caches) = match group.version {
            // Above `memory.high`, the system stalls tasks to reclaim memory.
            Version::V2 => {
                let limit = [number("memory.max"), number("memory.high")].into_iter().flatten().min()?;
                (limit, number("memory.current")?, ["inactive_file", "active_file"])
            }
            Version::V1 => {
                let limit = number("memory.limit_in_bytes")?;
                (limit, number("memory.usage_in_bytes")?, ["total_inactive_file", "total_active_file"])
            }
        };
        if limit >= NO_LIMIT {
            return None;
        }
        let stat = self.read(&group.folder.join("memory.stat")).unwrap_or_default();
        let cached: u64 = caches.into_iter().filter_map(|name| field(&stat, name)).sum();
        Some(Use { used: used.saturating_sub(cached), limit })
    }

    /// Returns the number in a file. `max` means no limit and is not a number.
    fn number(&self, path: &Path) -> Option<u64> {
        self.read(path)?.trim().parse().ok()
    }
}

fn is_of_v1(group: &Group) -> bool {
    group.version == Version::V1
}

/// A mounted hierarchy.
struct Mount<'a> {
    version: Version,
    /// The mounted group.
    root: &'a str,
    point: PathBuf,
}

impl<'a> Mount<'a> {
    /// A line of `mountinfo`: `36 35 98:0 ROOT POINT OPTIONS … - TYPE SOURCE SUPER_OPTIONS`
    /// (proc(5)).
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut system = system.split(' ');
        let version = match system.next()? {
            "cgroup2" => Version::V2,
            "cgroup" if system.nth(1)?.split(',').any(|option| option == "memory") => Version::V1,
            _ => return None,
        };
        Some(Mount { version, root, point: PathBuf::from(unescaped(point)) })
    }

    /// Returns the folder of the group `path`. For a group outside the mounted part, returns the
    /// mount point: the container's group, as far as it is visible.
    fn folder(&self, path: &str) -> Option<PathBuf> {
        let inside = Path::new(path).strip_prefix(self.root).ok();
        let inside = inside.filter(|inside| !inside.starts_with("..")).unwrap_or(Path::new(""));
        Some(if inside.as_os_str().is_empty() { self.point.clone() } else { self.point.join(inside) })
    }
}

/// Replaces escapes: a blank is written as `\040`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|code| u8::from_str_radix(code, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(&part[3..]);
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

/// Parses a line of `/proc/self/cgroup`: `4:cpu,memory:/path`, or `0::/path` (cgroups(7)). Returns
/// `None` for hierarchies that do not account for memory.
fn membership(line: &str) -> Option<(Version, &str)> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    match controllers {
        "" => Some((Version::V2, path)),
        _ if controllers.split(',').any(|name| name == "memory") => Some((Version::V1, path)),
        _ => None,
    }
}

/// Returns the number after `name`, at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the total of the line `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`
/// (Documentation/accounting/psi.rst).
fn stalled(pressure: &str) -> Option<u64> {
    let line = pressure.lines().find(|line| line.starts_with("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}
