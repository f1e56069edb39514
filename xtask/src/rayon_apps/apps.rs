//! Which programs and libraries are tested.

/// A package of crates.io that uses rayon.
pub(super) struct App {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) default_features: bool,
    /// The features that make it use rayon.
    pub(super) features: &'static [&'static str],
    pub(super) tests: Tests,
    /// Files that its tests include and the package lacks. They are created empty.
    pub(super) lacks: &'static [&'static str],
    /// Tests that also fail with rayon, and why.
    pub(super) fail_anyway: &'static [(&'static str, &'static str)],
    /// Tests that rely on behaviour of rayon which taskel does not have, and what this is.
    pub(super) fail_renamed: &'static [(&'static str, &'static str)],
    pub(super) program: Option<Program>,
    pub(super) renamed: Renamed,
}

/// Which of its own tests are run.
pub(super) enum Tests {
    /// All tests in the package.
    All,
    /// Tests selected by these arguments for cargo, and why.
    These(&'static [&'static str], &'static str),
    /// None, and why.
    Not(&'static str),
}

/// What is run on real input.
pub(super) struct Program {
    pub(super) binary: &'static str,
    pub(super) arguments: &'static [&'static str],
    pub(super) input: Input,
}

/// The last arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// A folder with very many source files.
    Folder,
    /// An empty folder for the results, and pictures.
    Pictures,
    /// A file for the result, and a film.
    Film,
    /// A file for the result, and the object files of the standard library.
    Libraries,
}

/// Whether it compiles with `rayon = { package = "taskel" }`.
pub(super) enum Renamed {
    Compiles,
    /// What it uses of rayon that taskel does not have.
    Not(&'static str),
}

/// All packages, small programs first.
pub(super) const APPS: &[App] = &[
    App { program: program("diskus", &[], Input::Folder), ..app("diskus", "0.9.0") },
    App {
        program: program("tokei", &[], Input::Folder),
        fail_anyway: &[
            ("lib language::language_type::tests::jupyter_notebook_has_correct_totals", LACKS_FILES),
            ("lib language::language_type::tests::lf_embedded_language_is_counted", LACKS_FILES),
        ],
        ..app("tokei", "15.0.0")
    },
    App {
        program: program("dust", &["-b", "-c", "-P", "-n", "200", "-w", "200"], Input::Folder),
        fail_anyway: &[
            ("test_exact_output test_permission_normal", READS_ALL),
            ("test_exact_output test_permission_flag", READS_ALL),
        ],
        ..app("du-dust", "1.2.7")
    },
    App {
        program: program("pdu", &["--total-width=200"], Input::Folder),
        ..app("parallel-disk-usage", "0.24.0")
    },
    App {
        program: program("oxipng", &["--quiet", "--opt", "2", "--dir"], Input::Pictures),
        renamed: Renamed::Not("it goes over sets of indexmap, which implements rayon's traits for them"),
        ..app("oxipng", "10.2.1")
    },
    App {
        fail_renamed: &[(
            "detect_deadlock works",
            "expects that a pool of one thread has none left for a walk inside of a loop, and here the caller runs the loop",
        )],
        ..app("jwalk", "0.9.0")
    },
    // Its assembly code needs an assembler.
    App {
        default_features: false,
        features: &["binaries", "threading"],
        tests: Tests::These(&["--lib"], "the others compare it with other encoders"),
        program: program("rav1e", &["--speed", "9", "--tiles", "4", "--quiet", "-y", "-o"], Input::Film),
        ..app("rav1e", "0.8.1")
    },
    // Its code is in libwild, which has the tests.
    App {
        tests: Tests::Not("they compare it with other linkers"),
        program: program(
            "wild",
            &[
                "--no-fork",
                "-shared",
                "--gdb-index",
                "--compress-debug-sections=zlib",
                "--whole-archive",
                "-o",
            ],
            Input::Libraries,
        ),
        renamed: Renamed::Not("libwild has rayon, not the program itself"),
        ..app("wild-linker", "0.10.0")
    },
    App {
        tests: Tests::These(&["--lib"], "the rest has none"),
        fail_anyway: &[
            ("lib tidy_tests::check_sources_format", LACKS_FILES),
            ("lib tidy_tests::check_toml_format", "it wants taplo"),
        ],
        ..app("libwild", "0.10.0")
    },
    // The AVIF encoder takes longer to build than everything else.
    App {
        default_features: false,
        features: &[
            "rayon", "bmp", "exr", "gif", "hdr", "ico", "jpeg", "png", "pnm", "qoi", "tga", "tiff", "webp",
        ],
        lacks: &["tests/images/jpg/portrait_2.jpg"],
        fail_anyway: IMAGE_READS,
        renamed: Renamed::Not(PLUMBING),
        ..app("image", "0.25.10")
    },
    App { features: &["rayon"], renamed: Renamed::Not(PLUMBING), ..app("indexmap", "2.14.2") },
    App { features: &["rayon"], renamed: Renamed::Not(PLUMBING), ..app("hashbrown", "0.17.2") },
    App { features: &["rayon"], renamed: Renamed::Not(PLUMBING), ..app("ndarray", "0.17.2") },
    App { features: &["rayon"], renamed: Renamed::Not(PLUMBING), ..app("petgraph", "0.8.3") },
    App { features: &["rayon"], renamed: Renamed::Not(PLUMBING), ..app("dashmap", "6.2.1") },
    App {
        features: &["allow_multithreading"],
        tests: Tests::These(
            &[
                "--lib",
                "--test=overlay_tests",
                "--test=float_overlay_tests",
                "--test=dynamic_tests",
                "--test=ocg_tests",
            ],
            "it has 66 binaries of tests, each of which is linked by itself",
        ),
        ..app("i_overlay", "9.1.0")
    },
];

const READS_ALL: &str = "it wants a folder that it may not read, and root may read all";
/// Reads pictures.
const IMAGE_READS: &[(&str, &str)] = &[
    ("lib codecs::bmp::decoder::test::read_rect", LACKS_FILES),
    ("lib codecs::bmp::decoder::test::test_no_header", LACKS_FILES),
    ("lib codecs::jpeg::decoder::tests::test_exif_orientation", LACKS_FILES),
    ("lib codecs::openexr::test::compare_cropped", LACKS_FILES),
    ("lib codecs::openexr::test::compare_exr_hdr", LACKS_FILES),
    ("lib codecs::openexr::test::compare_rgba_rgb", LACKS_FILES),
    ("lib codecs::png::tests::ensure_no_decoder_off_by_one", LACKS_FILES),
    ("lib codecs::png::tests::underlying_error", LACKS_FILES),
    ("lib codecs::qoi::tests::decode_test_image", LACKS_FILES),
    ("lib codecs::tga::encoder::tests::compressed::round_trip_bw", LACKS_FILES),
    ("lib hooks::tests::decoding_hook", LACKS_FILES),
    ("lib imageops::sample::tests::resize_transparent_image", LACKS_FILES),
    ("lib imageops::sample::tests::test_resize_same_size", LACKS_FILES),
    ("lib imageops::sample::tests::test_sample_bilinear", LACKS_FILES),
    ("lib imageops::sample::tests::test_sample_nearest", LACKS_FILES),
    ("lib imageops::tests::fast_blur_approximates_gaussian_blur_well", LACKS_FILES),
    ("lib images::dynimage::test::color_space_independent_imageops", LACKS_FILES),
    ("lib images::dynimage::test::image_dimensions", LACKS_FILES),
    ("lib images::dynimage::test::open_16bpc_png", LACKS_FILES),
    ("lib metadata::tests::test_extraction_and_clearing", LACKS_FILES),
];

const LACKS_FILES: &str = "the package lacks the files that it reads";
const PLUMBING: &str = "it implements rayon's `plumbing`";

/// A library whose tests all pass, and which compiles when rayon is renamed.
const fn app(name: &'static str, version: &'static str) -> App {
    App {
        name,
        version,
        default_features: true,
        features: &[],
        tests: Tests::All,
        lacks: &[],
        fail_anyway: &[],
        fail_renamed: &[],
        program: None,
        renamed: Renamed::Compiles,
    }
}

const fn program(binary: &'static str, arguments: &'static [&'static str], input: Input) -> Option<Program> {
    Some(Program { binary, arguments, input })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::APPS;

    #[test]
    fn at_least_ten_packages_are_tried_each_once() {
        let names: BTreeSet<&str> = APPS.iter().map(|app| app.name).collect();
        assert_eq!(names.len(), APPS.len());
        assert!(names.len() >= 10, "{names:?}");
    }
}
