//! Which test a table of mutants names for each.

/// The rows of a table that no mutant has taken yet.
pub(crate) struct Listed(Vec<String>);

impl Listed {
    /// The rows of `table`, a document that [`report`](crate::report) makes.
    pub(crate) fn of(table: &str) -> Listed {
        Listed(table.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect())
    }

    /// Takes the row that begins with `site`, the first of several, and returns which test it names.
    pub(crate) fn take(&mut self, site: &str) -> Option<String> {
        let row = self.0.remove(self.0.iter().position(|row| row.starts_with(site))?);
        row[site.len()..].split('`').nth(1).map(str::to_owned)
    }
}
