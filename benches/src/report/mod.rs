//! What a report looks like: [`tables`] in Markdown, the rows in which a peer is ahead ([`behind`]),
//! [`charts`] in SVG, and the files that they are in.

pub mod behind;
mod causes;
pub mod charts;
pub mod tables;

use crate::result::Report;
use std::{fs, io, path::Path};

/// A chart of more rows than this is no picture.
const MOST_ROWS: usize = 100;

/// Writes `report.json`, `report.md` and a chart of each group that is not too long for one,
/// `GROUP.svg`, into the directory `out`, which is made if it is not there.
///
/// # Errors
/// Says which file could not be written.
pub fn write(report: &Report, out: &Path) -> io::Result<()> {
    let named =
        |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    fs::create_dir_all(out).map_err(|error| named(out, error))?;
    let mut files = vec![
        ("report.json".to_owned(), serde_json::to_string(report)?),
        ("report.md".to_owned(), tables::report(report)),
    ];
    for group in report.groups.iter().filter(|group| group.rows.len() <= MOST_ROWS) {
        files.push((format!("{}.svg", group.name), charts::svg(group)));
    }
    for (name, text) in files {
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| named(&path, error))?;
    }
    Ok(())
}
