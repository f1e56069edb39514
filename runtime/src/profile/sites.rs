//! Names of places in a program, from the types of the closures there.

use std::collections::HashMap;

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
        list.sort_by_key(|&(_, number)| number);
        list.into_iter().map(|(name, _)| name).collect()
    }
}

const CLOSURE: &str = "::{{closure}}";

/// What is not the user's.
const LIBRARIES: [&str; 4] = ["taskel::", "core::", "alloc::", "std::"];

/// Where the user's closures in a type's name are: the function around the last of them. Without
/// any, the last function or type that is the user's; else as much of the name as tells what it is.
pub(super) fn shortened(type_name: &str) -> String {
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
    fn names_are_numbered_as_they_come() {
        let mut names = Names::new();
        assert_eq!(["b", "a", "b"].map(|name| names.number(name)), [0, 1, 0]);
        assert_eq!(names.into_list(), ["b", "a"]);
    }
}
