//! A filter over an image, in place, row by row.

use super::{Peer, Row, anew, random};

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;

/// Replaces each pixel by the mean of five in its row.
fn blur(row: &mut [f32]) {
    let mut window = [row[0]; 4];
    for x in 0..row.len().saturating_sub(2) {
        let sum = window.iter().sum::<f32>() + row[x + 2];
        window = [window[1], window[2], window[3], row[x + 2]];
        row[x] = sum / 5.0;
    }
}

pub(super) fn rows() -> Vec<Row> {
    let image = || random(WIDTH * HEIGHT).into_iter().map(|n| (n % 256) as f32).collect::<Vec<_>>();
    let picked = |image: &mut Vec<f32>| f64::from(image[WIDTH * 77 + 33]);
    let blurs = vec![
        (
            Peer::Std,
            anew(image, move |image| {
                image.chunks_mut(WIDTH).for_each(blur);
                picked(image)
            }),
        ),
        (Peer::Rayon, {
            use rayon::prelude::*;
            anew(image, move |image| {
                image.par_chunks_mut(WIDTH).for_each(blur);
                picked(image)
            })
        }),
        (Peer::Orx, {
            use orx_parallel::*;
            anew(image, move |image| {
                image.chunks_mut(WIDTH).iter_into_par().for_each(blur);
                picked(image)
            })
        }),
        (Peer::Taskel, {
            use taskel::prelude::*;
            anew(image, move |image| {
                image.par_chunks_mut(WIDTH).for_each(blur);
                picked(image)
            })
        }),
    ];
    vec![Row::new("blur 1080 rows of 1920 pixels", blurs)]
}
