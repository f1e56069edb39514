//! A bar on the terminal, if standard error is one.

use indicatif::{ProgressBar, ProgressStyle};

/// Counts files; disappears when dropped.
///
/// A step is one atomic addition and a look at the clock; every now and then the thread that makes
/// it draws the bar.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// How many there will be is not known yet.
    pub(crate) fn of_unknown_length() -> Self {
        Self::styled(ProgressBar::no_length(), "{human_pos} files found")
    }

    pub(crate) fn of(files: usize) -> Self {
        Self::styled(
            ProgressBar::new(files as u64),
            "{wide_bar} {human_pos} of {human_len} files, {eta} left",
        )
    }

    pub(crate) fn advance(&self) {
        self.0.inc(1);
    }

    fn styled(bar: ProgressBar, template: &str) -> Self {
        Self(bar.with_style(ProgressStyle::with_template(template).expect("a well-formed template")))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
