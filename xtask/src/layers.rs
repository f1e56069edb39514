//! Checks that imports go down: the parts of each crate, their order, and which of them import
//! which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ra_ap_rustc_lexer::TokenKind;

use crate::source::Source;

/// A crate's layers from top to bottom. A part may import from its own layer and from lower ones.
pub(crate) struct Layers {
    pub(crate) package: &'static str,
    pub(crate) from_top: &'static [Layer],
    /// The file in which the longest import chain starts.
    pub(crate) chain_from: &'static str,
}

/// Files or folders in `src` that do not import from each other.
pub(crate) enum Layer {
    Parts(&'static [&'static str]),
    /// Files or folders that import from each other.
    Knot(&'static [&'static str]),
}

use Layer::{Knot, Parts};

pub(crate) const LAYERS: [Layers; 3] = [
    Layers {
        package: "runtime",
        from_top: &[
            Parts(&["lib"]),
            Parts(&["stream"]),
            Parts(&["iter"]),
            Parts(&["engine"]),
            Parts(&["feed"]),
            Parts(&["sched"]),
            Parts(&["memory", "profile"]),
            Parts(&["protocol"]),
            Parts(&["containers"]),
            Parts(&["policy"]),
            Parts(&["os"]),
            Parts(&["sync"]),
        ],
        chain_from: "iter/consumer/sum",
    },
    Layers {
        package: "shm-lock",
        from_top: &[
            Parts(&["lib"]),
            Parts(&["model"]),
            Knot(&[
                "untyped",
                "condvar",
                "rwlock",
                "semaphore",
                "barrier",
                "once",
                "once_lock",
                "mutex",
                "guard",
                "lock_error",
                "slots",
                "region",
                "layout",
                "place",
            ]),
            Parts(&["header", "name", "pod", "thread"]),
            Parts(&["robust_list", "ticker"]),
            Parts(&["liveness", "pid_namespace"]),
            Knot(&["protocol", "sync", "sys"]),
            Parts(&["error"]),
        ],
        chain_from: "mutex",
    },
    Layers {
        package: "team",
        from_top: &[
            Parts(&["lib"]),
            Parts(&["bin", "nowhere"]),
            Parts(&["team"]),
            Parts(&["launch"]),
            Parts(&["results", "mutex"]),
            Parts(&["world"]),
            Parts(&["environment", "segments"]),
            Parts(&["work"]),
            Knot(&["seats", "calls"]),
            Parts(&["program"]),
            Parts(&["control"]),
            Parts(&["memory"]),
            Parts(&["protocol", "ledger"]),
            Parts(&["error"]),
            Parts(&["sync"]),
        ],
        chain_from: "team",
    },
];

impl Layer {
    pub(crate) fn parts(&self) -> &'static [&'static str] {
        match self {
            Parts(parts) | Knot(parts) => parts,
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Another checkout to count, such as an older one
    #[arg(long)]
    root: Option<PathBuf>,
}

/// Prints the counts of each crate.
pub(crate) fn layers(arguments: &Arguments) -> Result<()> {
    let here = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = arguments.root.clone().unwrap_or_else(here);
    for layers in &LAYERS {
        let imports = Imports::of_crate(&root.join(layers.package))?;
        println!("{}", Report { layers, imports: &imports });
    }
    Ok(())
}

/// A module's path in the crate. The root is empty.
type Module = Vec<String>;

/// For each module, the modules that its file imports from.
pub(crate) struct Imports {
    files: BTreeSet<Module>,
    arrows: BTreeMap<Module, BTreeSet<Module>>,
}

impl Imports {
    /// Reads all files of a crate except tests and models.
    pub(crate) fn of_crate(folder: &Path) -> Result<Self> {
        let mut texts = BTreeMap::new();
        read(&folder.join("src"), &[], &mut texts)?;
        Ok(Self::of(&texts))
    }

    pub(crate) fn of(texts: &BTreeMap<Module, String>) -> Self {
        let files: BTreeSet<Module> = texts.keys().cloned().collect();
        let file_of = |path: &[String]| {
            (0..=path.len()).rev().map(|len| path[..len].to_vec()).find(|path| files.contains(path))
        };
        let arrows = texts.iter().map(|(module, text)| {
            let named = paths(text, module);
            let to = named.iter().filter_map(|path| file_of(path)).filter(|to| to != module).collect();
            (module.clone(), to)
        });
        Imports { arrows: arrows.collect(), files }
    }

    /// Returns the imports that go up, or sideways, in `layers`.
    pub(crate) fn against(&self, layers: &Layers) -> Vec<String> {
        let floor = |module: &Module| {
            let part = module.first().map_or("lib", String::as_str);
            layers.from_top.iter().position(|layer| layer.parts().contains(&part))
        };
        let is_knot = |floor: usize| matches!(layers.from_top[floor], Knot(_));
        let mut found = Vec::new();
        for (from, to) in self.arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to))) {
            let inside = from.first() == to.first() && !from.is_empty();
            match (floor(from), floor(to)) {
                _ if inside => (),
                (Some(from_floor), Some(to_floor)) if from_floor < to_floor => (),
                (Some(from_floor), Some(to_floor)) if from_floor == to_floor && is_knot(to_floor) => (),
                (Some(_), Some(_)) => found.push(format!("{} imports {}", name(from), name(to))),
                _ => found.push(format!("{} or {} is in no layer", name(from), name(to))),
            }
        }
        found
    }

    /// Returns all direct and indirect imports of a file.
    fn reached<'a>(&'a self, from: &'a Module) -> BTreeSet<&'a Module> {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            next.extend(self.arrows[at].iter().filter(|to| seen.insert(*to)));
        }
        seen
    }

    /// Returns the cycle of each file: all files that it imports indirectly and that import it. A
    /// file without a cycle is alone.
    fn circles(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let reached: BTreeMap<_, _> = self.files.iter().map(|file| (file, self.reached(file))).collect();
        let mut circles = BTreeMap::new();
        for file in &self.files {
            let around = reached[file].iter().copied().filter(|to| reached[*to].contains(file));
            circles.insert(file, around.chain([file]).collect());
        }
        circles
    }

    /// Returns the number of files in the largest cycle.
    fn largest_circle(&self) -> usize {
        self.circles().values().map(BTreeSet::len).max().unwrap_or(0)
    }

    /// Returns the longest import chain from a file. A cycle counts once.
    pub(crate) fn longest_chain(&self, from: &str) -> usize {
        let circles = self.circles();
        let mut known = BTreeMap::new();
        let from: Module = from.split('/').map(str::to_owned).collect();
        self.files.get(&from).map_or(0, |from| self.chain(from, &circles, &mut known))
    }

    fn chain<'a>(
        &'a self,
        from: &'a Module,
        circles: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
        known: &mut BTreeMap<&'a Module, usize>,
    ) -> usize {
        let circle = &circles[from];
        let head = *circle.first().expect("a cycle contains its file");
        if let Some(&len) = known.get(head) {
            return len;
        }
        let below = circle.iter().flat_map(|file| &self.arrows[*file]).filter(|to| !circle.contains(to));
        let len = 1 + below.map(|to| self.chain(to, circles, known)).max().unwrap_or(0);
        known.insert(head, len);
        len
    }
}

/// The counts of a crate.
struct Report<'a> {
    layers: &'a Layers,
    imports: &'a Imports,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { layers, imports } = self;
        let flat = imports.files.iter().filter(|file| {
            file.len() == 1 && !imports.files.iter().any(|other| other.len() > 1 && other[0] == file[0])
        });
        let arrows: usize = imports.arrows.values().map(BTreeSet::len).sum();
        let up = imports.against(layers);
        writeln!(f, "{}, from top to bottom:", layers.package)?;
        for layer in layers.from_top {
            let knot = if matches!(layer, Knot(_)) { " (a knot)" } else { "" };
            writeln!(f, "  {}{knot}", layer.parts().join(", "))?;
        }
        writeln!(
            f,
            "files: {}, of which beside lib.rs, without a folder: {}",
            imports.files.len(),
            flat.count()
        )?;
        writeln!(f, "imports between files: {arrows}, of which not down: {}", up.len())?;
        writeln!(f, "files in the largest circle: {}", imports.largest_circle())?;
        let chain = imports.longest_chain(layers.chain_from);
        writeln!(f, "longest chain of imports from {}, a circle counting once: {chain}", layers.chain_from)?;
        up.iter().try_for_each(|import| writeln!(f, "  {import}"))
    }
}

fn name(module: &Module) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("/") }
}

fn read(folder: &Path, module: &[String], texts: &mut BTreeMap<Module, String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let inner = [module, std::slice::from_ref(&stem)].concat();
        if path.is_dir() {
            read(&path, &inner, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_test = stem == "tests" || stem.ends_with("_tests") || stem.ends_with("_models");
            let is_own = ["mod", "lib"].contains(&stem.as_str());
            if !is_test {
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                texts.insert(if is_own { module.to_vec() } else { inner }, text);
            }
        }
    }
    Ok(())
}

/// Returns the paths in `text` that begin with `crate`, `super` or `self`, relative to the crate's
/// root. Leaves out test modules, and paths of `$crate`, which belong to users of a macro.
fn paths(text: &str, module: &Module) -> Vec<Module> {
    let source = Source::new(text);
    let end = (1..source.len()).find(|&at| source.word(at - 1) == "mod" && source.word(at) == "tests");
    let mut found = Vec::new();
    let mut at = 0;
    while at < end.unwrap_or(source.len()) {
        let is_of_macro = at > 0 && source.kind(at - 1) == TokenKind::Dollar;
        let starts = ["crate", "super", "self"].contains(&source.word(at)) && !is_of_macro;
        if starts && is_path_separator(&source, at + 1) {
            at = tree(&source, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found.into_iter().map(|path| from_root(&path, module)).collect()
}

fn is_path_separator(source: &Source<'_>, at: usize) -> bool {
    at + 1 < source.len() && source.kind(at) == TokenKind::Colon && source.kind(at + 1) == TokenKind::Colon
}

/// Adds the paths of the import tree that begins at a token. Returns the token after it.
fn tree(source: &Source<'_>, mut at: usize, before: &[String], found: &mut Vec<Module>) -> usize {
    let mut path = before.to_vec();
    loop {
        if source.kind(at) == TokenKind::OpenBrace {
            at += 1;
            while source.kind(at) != TokenKind::CloseBrace {
                at = tree(source, at, &path, found);
                // An alias, or a comma.
                while ![TokenKind::Comma, TokenKind::CloseBrace].contains(&source.kind(at)) {
                    at += 1;
                }
                at += usize::from(source.kind(at) == TokenKind::Comma);
            }
            return at + 1;
        }
        path.push(source.word(at).to_owned());
        if !is_path_separator(source, at + 1) {
            found.push(path);
            return at + 1;
        }
        at += 3;
    }
}

fn from_root(path: &[String], module: &Module) -> Module {
    let mut root = module.clone();
    for (at, word) in path.iter().enumerate() {
        match word.as_str() {
            "crate" => root.clear(),
            "super" => drop(root.pop()),
            "self" => (),
            _ => return [&root, &path[at..]].concat(),
        }
    }
    root
}
