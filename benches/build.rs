//! Hands the compiler's version to the report, for a figure without it cannot be compared, and
//! builds the peers that are written in C and C++ where their headers and libraries are installed.
//! Where not, the report says so; it is no failure.

use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

/// A peer behind files of C or C++.
struct Native {
    /// Set as a `cfg` where it can be built.
    cfg: &'static str,
    sources: &'static [&'static str],
    is_cpp: bool,
    flags: &'static [&'static str],
    library: &'static str,
}

const NATIVES: [Native; 2] = [
    Native {
        cfg: "openmp",
        sources: &["src/native/openmp.c"],
        is_cpp: false,
        flags: &["-std=c11", "-fopenmp"],
        library: "gomp",
    },
    Native {
        cfg: "onetbb",
        sources: &["src/native/onetbb.cpp", "src/native/onetbb_trees.cpp"],
        is_cpp: true,
        flags: &["-std=c++17", "-fopenmp-simd"],
        library: "tbb",
    },
];

fn main() {
    let rustc = env::var_os("RUSTC").expect("cargo tells build scripts which rustc it runs");
    let output = Command::new(rustc).arg("--version").output().expect("rustc prints its version");
    let version = String::from_utf8_lossy(&output.stdout);
    println!("cargo::rustc-env=BENCH_RUSTC_VERSION={}", version.trim());
    println!("cargo::rerun-if-changed=build.rs");
    for native in &NATIVES {
        println!("cargo::rustc-check-cfg=cfg({})", native.cfg);
        native.sources.iter().for_each(|source| println!("cargo::rerun-if-changed={source}"));
        if native.can_be_built() && native.build().try_compile(native.cfg).is_ok() {
            println!("cargo::rustc-link-lib={}", native.library);
            println!("cargo::rustc-cfg={}", native.cfg);
        }
    }
}

impl Native {
    fn build(&self) -> cc::Build {
        let mut build = cc::Build::new();
        // As the peers in Rust are, also in builds for tests.
        build.files(self.sources).cpp(self.is_cpp).opt_level(3).cargo_warnings(false);
        self.flags.iter().for_each(|flag| {
            build.flag(flag);
        });
        build
    }

    /// Whether a shared library of it compiles and links: a header alone says nothing about the
    /// library.
    fn can_be_built(&self) -> bool {
        let Ok(compiler) = self.build().try_get_compiler() else { return false };
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo tells build scripts where to write"));
        let mut library = OsString::from("-l");
        library.push(self.library);
        let mut command = compiler.to_command();
        command
            .args(["-shared", "-fPIC"])
            .args(self.sources)
            .arg("-o")
            .arg(out.join("probe.so"))
            .arg(library);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}
