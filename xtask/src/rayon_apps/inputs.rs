//! The input of the programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::package::registry_sources;
use super::programs::Inputs;

/// The width and height of each picture, in pixels.
const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;

/// Returns the colour of a pixel.
type Painter = fn(u32, u32) -> [u8; 3];

/// Returns the inputs: `folder` or all sources that cargo has, pictures and a film that are written
/// to `scratch`, and the compiler's libraries.
pub(super) fn inputs(folder: Option<&Path>, scratch: &Path) -> Result<Inputs> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => registry_sources()?,
    };
    ensure!(folder.is_dir(), "{} is not a folder: name one with --input", folder.display());
    let pictures = scratch.join("pictures");
    fs::create_dir_all(&pictures).with_context(|| format!("creating {}", pictures.display()))?;
    let painters: [(&str, Painter); 4] =
        [("plain", plain), ("slope", slope), ("rings", rings), ("noise", noise)];
    let mut paths = Vec::new();
    for (name, painter) in painters {
        let path = pictures.join(name).with_extension("png");
        fs::write(&path, png(painter))?;
        paths.push(path);
    }
    let film = scratch.join("film.y4m");
    fs::write(&film, y4m(noise))?;
    Ok(Inputs { folder, pictures: paths, film, libraries: libraries()? })
}

/// Returns the parts of the standard library that can be linked together. There are two panic
/// runtimes, and only one is used.
fn libraries() -> Result<Vec<PathBuf>> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir"]).output().context("running rustc")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = PathBuf::from(String::from_utf8(output.stdout)?.trim_end());
    let mut libraries = Vec::new();
    for file in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = file?.path();
        let aborts = path.file_name().is_some_and(|name| name.to_string_lossy().contains("panic_abort"));
        if path.extension().is_some_and(|extension| extension == "rlib") && !aborts {
            libraries.push(path);
        }
    }
    libraries.sort_unstable();
    Ok(libraries)
}

/// A few colours, in tiles.
fn plain(x: u32, y: u32) -> [u8; 3] {
    let tile = (x / 40 + y / 40 * 3) % 7;
    [tile * 30, 255 - tile * 20, 90].map(low)
}

fn slope(x: u32, y: u32) -> [u8; 3] {
    [x * 255 / WIDTH, y * 255 / HEIGHT, (x + y) / 5].map(low)
}

fn rings(x: u32, y: u32) -> [u8; 3] {
    let distance = (x.abs_diff(WIDTH / 2).pow(2) + y.abs_diff(HEIGHT / 2).pow(2)) / 64;
    [distance, distance / 2 + x / 8, 255 - distance % 256].map(low)
}

/// Like a photograph: neighbouring pixels are similar.
fn noise(x: u32, y: u32) -> [u8; 3] {
    let grain = (x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0xc2b2_ae35) >> 28;
    [x / 4 + grain, y / 3 + grain, (x + y) / 6 + grain].map(low)
}

fn low(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

/// Encodes a picture without compression.
fn png(painter: Painter) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        rows.push(0); // no filter
        rows.extend((0..WIDTH).flat_map(|x| painter(x, y)));
    }
    // Zlib's stored blocks.
    let mut data = vec![0x78, 0x01];
    let blocks = rows.chunks(0xffff).collect::<Vec<_>>();
    for (index, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        data.push(u8::from(index + 1 == blocks.len()));
        data.extend(length.to_le_bytes());
        data.extend((!length).to_le_bytes());
        data.extend(*block);
    }
    data.extend(adler32(&rows).to_be_bytes());
    let header = [&WIDTH.to_be_bytes()[..], &HEIGHT.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", &header), (b"IDAT", &data), (b"IEND", &Vec::new())] {
        let named = [&kind[..], content].concat();
        file.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
        file.extend(&named);
        file.extend(crc32(&named).to_be_bytes());
    }
    file
}

/// Writes a film that moves over a picture: its luminance, and grey for the colours (YUV4MPEG2).
fn y4m(painter: Painter) -> Vec<u8> {
    const FRAMES: u32 = 24;
    let (width, height) = (WIDTH / 2, HEIGHT / 2);
    let mut file = format!("YUV4MPEG2 W{width} H{height} F24:1 Ip A1:1 C420jpeg\n").into_bytes();
    let grey = vec![128; (width * height / 2) as usize];
    for frame in 0..FRAMES {
        file.extend(b"FRAME\n");
        let points = (0..height).flat_map(|y| (0..width).map(move |x| (x + 3 * frame, y + frame)));
        file.extend(points.map(|(x, y)| painter(x, y)[0]));
        file.extend(&grey);
    }
    file
}

fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    high << 16 | low
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::{adler32, crc32};

    #[test]
    fn sums_are_those_of_their_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
