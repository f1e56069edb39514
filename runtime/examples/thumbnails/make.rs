//! Pictures to begin with.

use std::path::Path;

use image::{ImageFormat, ImageResult, Rgb, RgbImage};

/// Writes a square picture of rings around a place that depends on its number.
pub(crate) fn picture(path: &Path, pixels: u32, number: u32) -> ImageResult<()> {
    let centre = (pixels / 2, pixels * (number % 7) / 7);
    let picture = RgbImage::from_fn(pixels, pixels, |x, y| {
        let squares = u64::from(x.abs_diff(centre.0)).pow(2) + u64::from(y.abs_diff(centre.1)).pow(2);
        let ring = (squares.isqrt() / 64) as u8;
        Rgb([ring.wrapping_mul(17), ring.wrapping_mul(5), number as u8])
    });
    picture.save_with_format(path, ImageFormat::Png)
}
