// Compiled twice, behind one `use` line each: see `programs/mod.rs`.

/// The picture, row by row.
pub(crate) fn render(scene: &Scene, width: usize, height: usize) -> Vec<Colour> {
    let mut picture = vec![Colour::default(); width * height];
    picture.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
        for (x, pixel) in row.iter_mut().enumerate() {
            *pixel = scene.colour_at(x, y, width, height);
        }
    });
    picture
}
