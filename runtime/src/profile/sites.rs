//! Names of places in a program: the line where a parallel call is made, and where that is one of
//! this crate's own, the function around the user's closure, from the types there.

use std::any::type_name;
use std::collections::HashMap;
use std::panic::Location;

use super::sorted::sort_by_key;

/// Where a function is called that is `#[track_caller]`.
pub(crate) type Caller = &'static Location<'static>;

/// Where in a program a parallel call is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite {
    caller: Caller,
    /// What is run there.
    types: &'static str,
}

impl CallSite {
    /// Of what has no name.
    pub(crate) const NONE: CallSite = CallSite { caller: Location::caller(), types: "" };

    /// Where something of type `T` is run.
    pub(crate) fn of<T>(caller: Caller) -> Self {
        CallSite { caller, types: type_name::<T>() }
    }

    #[cfg(test)]
    pub(super) const fn of_types(types: &'static str) -> Self {
        CallSite { caller: Location::caller(), types }
    }

    /// `src/main.rs:42`. A call that this crate makes itself, for a user's one that does not say
    /// where it is (a loop inside of `flat_map`), has the name of a function; and so have those of
    /// rayon's, where this crate is in the place of its core.
    pub(super) fn name(self) -> String {
        let (file, line) = (self.caller.file(), self.caller.line());
        if is_library(file) { shortened(self.types) } else { format!("{file}:{line}") }
    }
}

/// Whether a line there says nothing to a user.
fn is_library(file: &str) -> bool {
    // The folder of this crate's sources.
    let ours = &file!()[..file!().len() - "profile/sites.rs".len()];
    // Of a registry, with a version; or a copy.
    let is_rayon = |folder: &str| {
        ["rayon", "rayon-core"].contains(&folder)
            || folder.starts_with("rayon-1.")
            || folder.starts_with("rayon-core-1.")
    };
    file.starts_with(ours) || file.split(['/', '\\']).any(is_rayon)
}

/// Names that are numbered as they come.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<String, usize>,
}

impl Names {
    pub(super) fn new() -> Self {
        Names::default()
    }

    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.numbers.len();
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The names in the order of their numbers.
    pub(super) fn into_list(self) -> Vec<String> {
        let mut list: Vec<(String, usize)> = self.numbers.into_iter().collect();
        sort_by_key(&mut list, |&(_, number)| number as u64);
        list.into_iter().map(|(name, _)| name).collect()
    }
}

const CLOSURE: &str = "::{{closure}}";

/// What is not the user's.
const LIBRARIES: [&str; 6] = ["taskel::", "core::", "alloc::", "std::", "rayon::", "rayon_core::"];

/// Where the user's closures in a type's name are: the function around the last of them. Without
/// any, the last function or type that is the user's; else as much of the name as tells what it is.
fn shortened(type_name: &str) -> String {
    let paths = type_name.split(|c: char| !(c.is_alphanumeric() || "_:{}#".contains(c)));
    let is_users = |path: &&str| path.contains("::") && !LIBRARIES.iter().any(|of| path.starts_with(of));
    let mut users: Vec<&str> = paths.filter(is_users).collect();
    match users.iter().rposition(|path| path.contains(CLOSURE)) {
        Some(last) => users.swap_remove(last).replace(CLOSURE, ""),
        None => users.pop().map_or_else(|| type_name.chars().take(60).collect(), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_the_function_around_the_last_closure_or_the_last_of_the_users_names() {
        let name = "(taskel::iter::Map<core::ops::Range<u64>, app::sums::{{closure}}>, \
                    taskel::iter::ForEach<app::run::{{closure}}::{{closure}}>, taskel::iter::x::{{closure}})";
        assert_eq!(shortened(name), "app::run");
        assert_eq!(shortened("(taskel::iter::Map<core::ops::Range<u64>, app::clean>, X)"), "app::clean");
        assert_eq!(shortened("(core::ops::Range<u64>, Sum)"), "(core::ops::Range<u64>, Sum)");
        assert_eq!(shortened(&"é".repeat(100)).chars().count(), 60);
    }

    #[test]
    fn a_line_is_a_users_unless_it_is_of_this_crate_or_of_rayon() {
        assert!(is_library(file!()));
        assert!(is_library("/home/a/.cargo/registry/src/index/rayon-1.12.0/src/iter/plumbing/mod.rs"));
        assert!(is_library(r"C:\taskel\compat\rayon-core\src\join.rs"));
        for users in ["src/main.rs", "runtime/tests/a.rs", "runtime/examples/b.rs", "rayonize/src/lib.rs"] {
            assert!(!is_library(users), "{users}");
        }
        assert_eq!(CallSite::of_types("(A, app::run::{{closure}})").name(), "app::run");
        let here = CallSite { caller: Location::caller(), types: "" };
        assert_eq!(here.name(), "");
    }

    #[test]
    fn names_are_numbered_as_they_come() {
        let mut names = Names::new();
        assert_eq!(["b", "a", "b"].map(|name| names.number(name)), [0, 1, 0]);
        assert_eq!(names.into_list(), ["b", "a"]);
    }
}
