//! `Profile::to_html` in a browser: what its script makes of the page, and what one sees. Without
//! Chromium, it says so and passes.
#![cfg(target_os = "linux")] // where there is a name to look for

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use taskel::prelude::*;
use taskel::{Chunk, Profile, ThreadPool};

/// The line that calls the loop.
static LINE: OnceLock<u32> = OnceLock::new();

/// A page with eight chunks of a few milliseconds, at one place in the program.
fn profile() -> Profile {
    let pool = ThreadPool::builder().num_threads(1).build().expect("a pool");
    let ((), profile) = pool.profile(|| {
        let items = (0..16).into_par_iter().chunk(Chunk::Exact(2));
        _ = LINE.set(line!() + 1);
        items.for_each(|_| sleep(Duration::from_millis(2)));
    });
    profile
}

/// What a person would do, and what comes of it, as attributes of the page's body.
const PERSON: &str = include_str!("person.js");

/// The page in a directory of its own, with one more script at its end.
fn page(script: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let html = profile().to_html();
    let at = html.rfind("</body>").expect("its end");
    let path = dir.path().join("page.html");
    fs::write(&path, format!("{}<script>{script}</script>{}", &html[..at], &html[at..])).expect("a file");
    (dir, path)
}

fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
    let found = { found }.find(|program| program.is_file());
    if found.is_none() {
        // Past the test harness, which keeps to itself what a test that passes prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: pages in a browser: no chromium here");
    }
    found
}

/// Opens an address and returns what the browser prints.
fn open(chromium: &Path, dir: &TempDir, address: &str, how: &[&str]) -> String {
    let out = dir.path().join("out");
    let mut browser = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1300,1000"])
        .arg(format!("--user-data-dir={}", dir.path().join("user").display()))
        .args(how)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("a browser");
    let began = Instant::now();
    loop {
        if let Some(status) = browser.try_wait().expect("its status") {
            assert!(status.success(), "{status}");
            return fs::read_to_string(&out).expect("what it printed");
        }
        if began.elapsed() > Duration::from_secs(120) {
            let _ = browser.kill();
            panic!("the browser does not end");
        }
        sleep(Duration::from_millis(20));
    }
}

/// What the page's body says was seen, and nothing on failure of the page's script.
fn seen(dom: &str) -> HashMap<&str, &str> {
    let body = dom.split_once("<body").and_then(|(_, rest)| rest.split_once('>')).expect("a body").0;
    let attributes = body.split("data-seen-").skip(1);
    attributes.filter_map(|attribute| attribute.trim_end().strip_suffix('"')?.split_once("=\"")).collect()
}

#[test]
fn a_page_zooms_and_tells_figures() {
    let Some(chromium) = chromium() else { return };
    let (dir, path) = page(PERSON);
    let dom = open(&chromium, &dir, &format!("file://{}", path.display()), &["--dump-dom"]);
    let seen = seen(&dom);
    let is = |name: &str| *seen.get(name).unwrap_or_else(|| panic!("{name} in {seen:?}"));
    assert_eq!(is("bars"), "8");
    assert!(is("ticks").starts_with("0 ms, "), "{seen:?}");
    assert!(is("tip").starts_with("at ") && is("tip").contains(": 2 taskels in "), "{seen:?}");
    assert_eq!((is("tip-hidden"), is("tip-hidden-later")), ("false", "true"));

    assert_eq!((is("chosen-while-dragging"), is("chosen-later")), ("true", "false"));
    assert_eq!(is("bars-dragged"), "1");
    assert!(is("times-as-wide").parse::<f64>().expect("a number") > 1.5, "{seen:?}");
    let (from, to) =
        is("place").strip_prefix("#ns=").and_then(|place| place.split_once('-')).expect("a place");
    let [from, to] = [from, to].map(|ns| ns.parse::<u64>().expect("a time"));
    assert!(from >= 8_000_000 && to > from, "{seen:?}");
    assert!(is("ticks-dragged").matches("ms").count() >= 4 && is("ticks-dragged") != is("ticks"), "{seen:?}");
    assert_eq!((is("bars-all"), is("place-all")), ("8", ""));
    assert!((1..=7).contains(&is("bars-plus").parse::<u32>().expect("a number")), "{seen:?}");
    assert_eq!(is("bars-double-click"), "8");
}

#[test]
fn an_address_says_what_is_shown_and_the_tables_have_what_the_profile_has() {
    let Some(chromium) = chromium() else { return };
    let (dir, path) = page("");
    let address = format!("file://{}#ns=0-4000000", path.display());
    let dom = open(&chromium, &dir, &address, &["--dump-dom"]);
    let (before, after) = dom.split_once("<g class=\"bars\">").expect("bars");
    let (bars, _) = after.split_once("</g>").expect("their end");
    let all = dom.matches("data-tip=\"at ").count();
    let hidden = dom.matches("display: none").count();
    assert_eq!((all, all - hidden), (8, 1), "{before} {bars}");

    let place = format!(">{}:{}</td>", file!(), LINE.get().expect("it was called"));
    let (_, loops) = dom.split_once("<table id=\"loops\">").expect("a table");
    let (loops, _) = loops.split_once("</table>").expect("its end");
    assert!(loops.contains("<td>1</td><td>16</td>") && loops.contains(&place), "{loops}");
    assert!(loops.contains("2–3 items: 8 chunks"), "{loops}");
    assert_eq!(dom.matches("times as fast as one; at least").count(), 9);
    assert!(dom.contains("<li>Nothing.</li>"), "{dom}");
}

/// How many pixels of a part of a picture have a colour that is not grey.
fn coloured(picture: &image::RgbImage, (top, bottom): (u32, u32)) -> usize {
    let rows = picture.rows().enumerate().filter(|(y, _)| (top..bottom).contains(&(*y as u32)));
    let pixels = rows.flat_map(|(_, row)| row);
    pixels
        .filter(|pixel| pixel.0.iter().max().unwrap_or(&0) - pixel.0.iter().min().unwrap_or(&0) > 40)
        .count()
}

#[test]
fn one_sees_bars_in_a_picture_of_the_page() {
    let Some(chromium) = chromium() else { return };
    let (dir, path) = page("");
    let file = dir.path().join("page.png");
    let address = format!("file://{}", path.display());
    open(&chromium, &dir, &address, &[&format!("--screenshot={}", file.display())]);
    let picture = image::open(&file).expect("a picture").to_rgb8();
    assert_eq!(picture.width(), 1300);
    // Bars fill almost all of a lane of 980 by 32 pixels, below the headings.
    let lanes = coloured(&picture, (100, 350));
    assert!(lanes > 20_000, "{lanes} pixels");
    let chart = coloured(&picture, (350, 1000));
    assert!(chart > 500, "{chart} pixels");
}
