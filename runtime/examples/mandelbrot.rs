//! Draws the Mandelbrot set, whose rows take between nothing and long, and beside it what each
//! worker did when.
//!
//! ```sh
//! cargo run --release --example mandelbrot -- mandelbrot.png
//! ```
//!
//! writes `mandelbrot.png` and `mandelbrot.svg`; `--html FILE` writes a page about what each worker
//! did, and `--trace FILE` the same for <https://ui.perfetto.dev>.

use std::error::Error;
use std::fs::{self, File};
use std::path::PathBuf;

use clap::Parser;
use image::{GrayImage, ImageFormat};
use indicatif::ProgressBar;
use taskel::ThreadPool;
use taskel::prelude::*;

/// Draws the Mandelbrot set.
#[derive(Parser)]
struct Options {
    /// The picture, a PNG; the profile goes beside it.
    #[arg(default_value = "mandelbrot.png")]
    picture: PathBuf,
    /// Pixels in a row.
    #[arg(long, default_value_t = 1200)]
    width: u32,
    /// Rows.
    #[arg(long, default_value_t = 800)]
    height: u32,
    /// Iterations before a point counts as inside.
    #[arg(long, default_value_t = 1000)]
    iterations: u32,
    /// A page about what each worker did, for a browser.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What each worker did, for <https://ui.perfetto.dev>.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { picture, width, height, iterations, html, trace } = Options::parse();
    if width == 0 || height == 0 || iterations == 0 {
        return Err("a picture has at least one pixel, and takes at least one iteration".into());
    }
    let mut image = GrayImage::new(width, height);
    let pool = ThreadPool::new()?;
    let bar = ProgressBar::new(height.into());
    let ((), profile) = pool.profile(|| {
        let rows = image.par_chunks_exact_mut(width as usize).enumerate();
        let rows = rows.progress_with(|done, _| bar.set_position(done as u64));
        rows.for_each(|(y, row)| draw_row(row, y as f64 / f64::from(height), iterations));
    });
    bar.finish_and_clear();
    image.save_with_format(&picture, ImageFormat::Png)?;
    let beside = picture.with_extension("svg");
    fs::write(&beside, profile.to_svg())?;
    if let Some(html) = html {
        fs::write(html, profile.to_html())?;
    }
    if let Some(trace) = trace {
        profile.write_trace(File::create(trace)?)?;
    }
    println!("{} and {}\n{profile}", picture.display(), beside.display());
    Ok(())
}

/// Draws the row at height `y`, from 0 to 1.
fn draw_row(row: &mut [u8], y: f64, iterations: u32) {
    let width = row.len() as f64;
    for (x, pixel) in row.iter_mut().enumerate() {
        let steps = escape((3.0 * x as f64 / width - 2.25, 2.0 * y - 1.0), iterations);
        let light = 1.0 - f64::from(steps).ln_1p() / f64::from(iterations).ln_1p();
        *pixel = (light * 255.0) as u8;
    }
}

/// After how many steps of z → z² + c the point is far away; `most` if it is not by then.
fn escape((re, im): (f64, f64), most: u32) -> u32 {
    let (mut x, mut y) = (0.0_f64, 0.0_f64);
    for step in 0..most {
        let (xx, yy) = (x * x, y * y);
        if xx + yy > 4.0 {
            return step;
        }
        (x, y) = (xx - yy + re, 2.0 * x * y + im);
    }
    most
}
