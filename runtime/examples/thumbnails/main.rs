//! Makes small pictures of large ones, as many at a time as fit into memory.
//!
//! ```sh
//! cargo run --release --example thumbnails -- --make 32 PICTURES   # makes 32 pictures first
//! cargo run --release --example thumbnails -- PICTURES
//! ```
//!
//! A picture of 6000 × 6000 pixels takes 108 MB once it is decoded, so eight at a time are too much
//! for a container of half a GiB. The pool has a memory guard, which lets as many workers decode as
//! fit. With `--weighed`, the number of bytes that each picture takes is known before, from its
//! header, and a stream takes up no more of them than half of what there is. (glibc keeps up to 32
//! MiB for each thread of what was freed, which nothing accounts for: smaller pictures need
//! `MALLOC_MMAP_THRESHOLD_=1000000`.)
//!
//! To see either in a control group (version 2; as root):
//!
//! ```sh
//! systemd-run --scope -p MemoryMax=512M -p MemorySwapMax=0 target/release/examples/thumbnails --workers 8 PICTURES
//! ```

mod make;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use image::{ImageError, ImageFormat, ImageReader};
use taskel::prelude::*;
use taskel::{MemoryBudget, MemoryGuard, ThreadPool};

/// From any thread.
type Failure = Box<dyn Error + Send + Sync>;

/// Makes small pictures of large ones.
#[derive(Parser)]
struct Options {
    /// Where the PNG pictures are. The small ones go to a folder `thumbnails` there.
    folder: PathBuf,
    /// Makes so many pictures first.
    #[arg(long, default_value_t = 0)]
    make: u32,
    /// The width and height of these.
    #[arg(long, default_value_t = 6000)]
    pixels: u32,
    /// The most pixels in a row or column of a small picture.
    #[arg(long, default_value_t = 160)]
    size: u32,
    /// How many workers; 0 for one per core.
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Limits what is in memory by what pictures are known to take.
    #[arg(long)]
    weighed: bool,
    /// Limits nothing.
    #[arg(long, conflicts_with = "weighed")]
    unlimited: bool,
}

fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let small = options.folder.join("thumbnails");
    fs::create_dir_all(&small)?;
    for number in 0..options.make {
        make::picture(&options.folder.join(format!("{number}.png")), options.pixels, number)?;
    }
    let mut pictures = Vec::new();
    for entry in fs::read_dir(&options.folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "png") {
            pictures.push(path);
        }
    }

    let mut builder = ThreadPool::builder().num_threads(options.workers);
    if !options.weighed && !options.unlimited {
        builder = builder.memory_guard(MemoryGuard::new());
    }
    let pool = builder.build()?;
    let (done, profile) = pool.profile(|| match options.weighed {
        true => weighed(pictures, &small, options.size),
        false => pictures.par_iter().map(|picture| thumbnail(picture, &small, options.size)).collect(),
    });
    let done: Vec<PathBuf> = done?;
    println!("{} pictures in {}\n{profile}", done.len(), small.display());
    Ok(())
}

/// Goes on to the next pictures only if all that are being worked on take less than half of the
/// memory.
fn weighed(pictures: Vec<PathBuf>, small: &Path, size: u32) -> Result<Vec<PathBuf>, Failure> {
    let half = MemoryBudget::detect()?.share(0.5);
    pictures
        .into_iter()
        .par_stream()
        .max_in_flight_bytes(half, |picture| decoded_bytes(picture).unwrap_or(0))
        .map(|picture| thumbnail(&picture, small, size))
        .collect()
}

/// What a picture takes in memory: a byte for each of the three colours of each pixel.
fn decoded_bytes(picture: &Path) -> Result<usize, ImageError> {
    let (width, height) = ImageReader::open(picture)?.into_dimensions()?;
    Ok(3 * width as usize * height as usize)
}

/// Writes a small picture, and says where.
fn thumbnail(picture: &Path, small: &Path, size: u32) -> Result<PathBuf, Failure> {
    let mut reader = ImageReader::open(picture)?;
    // The usual limit for one picture is half a GiB.
    reader.no_limits();
    let decoded = reader.decode().map_err(|error| format!("{}: {error}", picture.display()))?;
    let to = small.join(picture.file_name().unwrap_or_default());
    decoded.thumbnail(size, size).save_with_format(&to, ImageFormat::Png)?;
    Ok(to)
}
