//! Runs the models on every mutant of the protocols.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::copy::{Binary, Copy, Verdict};
use crate::orderings;
use crate::report::{Fate, Row, report};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The package whose protocols are mutated, as a folder of the workspace
    #[arg(default_value = "runtime", value_parser = ["runtime", "shm-lock"])]
    package: String,
    /// Mutate this file alone, such as sleep.rs
    #[arg(long, value_name = "FILE")]
    only: Option<String>,
    /// Seconds after which a model counts as hanging
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// Weakens each ordering in turn; fails when no model notices.
pub(crate) fn orderings(arguments: &Arguments) -> Result<ExitCode> {
    let (root, target) = workspace()?;
    let package = &arguments.package;
    let files = protocols(&root.join(package), arguments.only.as_deref())?;
    let copy = Copy::new(&root, &target, package)?;
    let limit = Duration::from_secs(arguments.timeout);
    let original = copy.build()?;
    let models = original.models()?;
    for model in &models {
        if let Verdict::Failed(fault) = original.run(model, limit)? {
            bail!("{model} fails without any mutation: {fault}");
        }
    }
    let mut rows = Vec::new();
    for file in &files {
        let path = format!("src/protocol/{file}");
        let text = fs::read_to_string(root.join(package).join(&path)).with_context(|| path.clone())?;
        for mutant in orderings::mutants(&text).with_context(|| path.clone())? {
            copy.write(&path, &mutant.text)?;
            let fate = fate(&copy.build()?, &models_for(file, &models), limit)?;
            copy.write(&path, &text)?;
            let row = Row { site: format!("{file}:{}", mutant.line), mutant, fate };
            eprintln!("{row}");
            rows.push(row);
        }
    }
    print!("{}", report(package, &rows, models.len()));
    let survived = rows.iter().any(|row| matches!(row.fate, Fate::Survived));
    Ok(ExitCode::from(u8::from(survived)))
}

/// The first model that fails, if one does.
fn fate(mutant: &Binary, models: &[&String], limit: Duration) -> Result<Fate> {
    for &model in models {
        if let Verdict::Failed(fault) = mutant.run(model, limit)? {
            return Ok(Fate::Killed { model: model.replace("protocol::", ""), fault });
        }
    }
    Ok(Fate::Survived)
}

/// All models, those of `file` first.
fn models_for<'a>(file: &str, models: &'a [String]) -> Vec<&'a String> {
    let own = format!("::{}_models::", file.trim_end_matches(".rs"));
    let (mut sorted, others): (Vec<_>, Vec<_>) = models.iter().partition(|model| model.contains(&own));
    sorted.extend(others);
    sorted
}

/// The folders of the workspace and of what is built.
fn workspace() -> Result<(PathBuf, PathBuf)> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--format-version=1"])
        .output()
        .context("running cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let folder = |key: &str| metadata[key].as_str().map(PathBuf::from).with_context(|| format!("no {key}"));
    Ok((folder("workspace_root")?, folder("target_directory")?))
}

/// The names of the package's protocol files in order, or of `only` that one.
fn protocols(package: &Path, only: Option<&str>) -> Result<Vec<String>> {
    let folder = package.join("src/protocol");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let names: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    let has_models = |name: &&String| {
        name.strip_suffix(".rs").is_some_and(|stem| names.contains(&format!("{stem}_models.rs")))
    };
    let mut files: Vec<_> = names.iter().filter(has_models).cloned().collect();
    files.sort_unstable();
    if let Some(only) = only {
        let known = files.join(", ");
        files.retain(|file| file == only);
        ensure!(!files.is_empty(), "no protocol {only}; there are {known}");
    }
    Ok(files)
}
