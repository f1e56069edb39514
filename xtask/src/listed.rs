//! Looks up which test a table names for each mutant.

/// The rows of a table that were not taken yet.
pub(crate) struct Listed(Vec<String>);

impl Listed {
    /// The rows of `table`, a document made by [`report`](crate::report).
    pub(crate) fn of(table: &str) -> Listed {
        Listed(table.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect())
    }

    /// Takes the first row that begins with `site`. Returns the test that it names.
    pub(crate) fn take(&mut self, site: &str) -> Option<String> {
        let row = self.0.remove(self.0.iter().position(|row| row.starts_with(site))?);
        row[site.len()..].split('`').nth(1).map(str::to_owned)
    }
}
