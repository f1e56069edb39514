// Compiled twice, behind one `use` line each: see `programs/mod.rs`.

/// How often each word occurs.
pub(crate) fn count(text: &str) -> Counts<'_> {
    text.par_lines()
        .fold(Counts::default, |mut counts, line| {
            for word in line.split_ascii_whitespace() {
                *counts.entry(word).or_default() += 1;
            }
            counts
        })
        .reduce(Counts::default, merged)
}
