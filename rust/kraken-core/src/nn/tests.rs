use super::dft::TILE;
use super::{DEAD, accelerated, first, lstm, products, tiles, winograd};
use crate::Result;

fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        })
        .collect()
}

const SHAPE: tiles::Shape = tiles::Shape { count: 2, height: 3, width: 131, channels: 16, kernel: 13 };

#[test]
fn spectra_are_sums_of_cosines_and_sines() -> Result<()> {
    let x = noise(2 * 3 * 131 * 16, 1);
    let mut spectra = vec![0.0; 2 * 3 * 3 * TILE * 16];
    tiles::analyse_images(&x, SHAPE, 2, &mut spectra)?;
    for (row, tile, k, channel) in [(0, 0, 1, 0), (5, 1, 7, 3), (2, 2, 31, 15), (3, 1, 0, 4)] {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for n in 0..TILE {
            let Some(column) = (tile * 52 + n).checked_sub(6).filter(|&column| column < 131) else {
                continue;
            };
            let angle = std::f64::consts::TAU * (n * k) as f64 / TILE as f64;
            let value = f64::from(x[(row * 131 + column) * 16 + channel]);
            real += value * angle.cos();
            imaginary -= value * angle.sin();
        }
        let found = |part: usize| f64::from(spectra[((row * 3 + tile) * TILE + 2 * k + part) * 16 + channel]);
        assert!((found(0) - real).abs() < 1e-5);
        assert!(k == 0 || (found(1) - imaginary).abs() < 1e-5);
    }
    Ok(())
}

#[test]
fn the_way_back_is_the_transpose() -> Result<()> {
    let (x, mut spectra) = (noise(2 * 3 * 131 * 16, 2), vec![0.0; 2 * 3 * 3 * TILE * 16]);
    tiles::analyse_images(&x, SHAPE, 1, &mut spectra)?;
    let (other, mut back) = (noise(spectra.len(), 3), vec![0.0; x.len()]);
    tiles::synthesise_gradients(&other, SHAPE, 3, &mut back)?;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    assert!((dot(&spectra, &other) - dot(&x, &back)).abs() < 1e-2);
    Ok(())
}

#[test]
fn products_are_those_of_the_definition() -> Result<()> {
    let shape = products::Shape { count: 2, height: 5, tiles: 3, inputs: 16, outputs: 16, rows: 3 };
    let size = 2 * 5 * 3 * TILE * 16;
    let (x, gradient) = (noise(size, 4), noise(size, 5));
    let mut out = vec![0.0; 32 * 3 * 32 * 32];
    products::sum_products(&x, &gradient, shape, 2, &mut out)?;
    for (pair, row, output, input) in [(0, 0, 0, 0), (3, 1, 31, 7), (31, 2, 12, 30)] {
        let mut sum = 0.0;
        for image in 0..2 {
            for y in 0..5_usize {
                let Some(source) = (y + row).checked_sub(1).filter(|&source| source < 5) else { continue };
                for tile in 0..3 {
                    let at =
                        |y: usize, channel: usize| (((image * 5 + y) * 3 + tile) * 32 + pair) * 32 + channel;
                    sum += f64::from(gradient[at(y, output)]) * f64::from(x[at(source, input)]);
                }
            }
        }
        let found = f64::from(out[((pair * 3 + row) * 32 + output) * 32 + input]);
        assert!((found - sum).abs() < 1e-4);
    }
    Ok(())
}

#[test]
fn the_first_layer_finds_maxima_and_their_gradients() -> Result<()> {
    let shape = first::Shape { count: 1, height: 5, width: 9, channels: 16, kernel: (3, 5) };
    let (x, weight, bias) = (noise(45, 6), noise(3 * 5 * 16, 7), noise(16, 8));
    let mut scale = vec![2.0; 16];
    scale[3] = 0.0;
    let (mut out, mut state) = (vec![0.0; 2 * 4 * 16], vec![9; 2 * 4 * 16]);
    first::forward(&x, &weight, &bias, &scale, shape, 2, &mut out, &mut state)?;
    let gradient = noise(out.len(), 9);
    let (weights, biases) = first::backward(&x, &gradient, &state, &scale, shape, 2)?;
    let pixel = |y: usize, x_: usize| -> f32 {
        match (y.checked_sub(1).filter(|&y| y < 5), x_.checked_sub(2).filter(|&x| x < 9)) {
            (Some(y), Some(column)) => x[y * 9 + column],
            _ => 0.0,
        }
    };
    let (mut tap, mut total) = (0.0, 0.0);
    for (place, (&value, &at)) in out.iter().zip(&state).enumerate() {
        let (channel, column, row) = (place % 16, place / 16 % 4, place / 64);
        let sums: Vec<f32> = (0..4)
            .map(|at| {
                let (y, x) = (2 * row + at / 2, 2 * column + at % 2);
                let taps = (0..15).map(|k| pixel(y + k / 5, x + k % 5) * weight[k * 16 + channel]);
                bias[channel] + taps.sum::<f32>()
            })
            .collect();
        let best = sums.iter().copied().fold(f32::MIN, f32::max);
        assert!((value - best.max(0.0) * scale[channel]).abs() < 1e-5);
        assert_eq!(at == DEAD, best <= 0.0);
        if channel == 7 && at < DEAD {
            let (y, x) = (2 * row + usize::from(at) / 2, 2 * column + usize::from(at) % 2);
            assert!((sums[usize::from(at)] - best).abs() < 1e-5);
            tap += gradient[place] * 2.0 * pixel(y + 2, x + 1);
            total += gradient[place] * 2.0;
        }
    }
    assert!((weights[(7 * 3 + 2) * 5 + 1] - tap).abs() < 1e-5);
    assert!((biases[7] - total).abs() < 1e-5);
    assert_eq!(biases[3], 0.0);
    Ok(())
}

const BAND: winograd::Band = winograd::Band { height: 7, width: 5, channels: 19, first: 0, rows: 2 };

#[test]
fn one_weight_in_the_middle_gives_the_image_back() -> Result<()> {
    // the transform of a kernel that is 1 in the middle is the product of this with itself
    const KERNEL: [f32; 6] = [0.0, -1.0 / 6.0, 1.0 / 6.0, 1.0 / 12.0, -1.0 / 12.0, 0.0];
    let (image, mut tiles) = (noise(7 * 5 * 19, 10), vec![0.0; 36 * 2 * 2 * 19]);
    winograd::analyse_inputs(&image, BAND, 1, &mut tiles)?;
    for (place, values) in tiles.chunks_exact_mut(2 * 2 * 19).enumerate() {
        for value in values {
            *value *= KERNEL[place / 6] * KERNEL[place % 6];
        }
    }
    let (bias, mut found) = ([0.25; 19], vec![9.0; image.len()]);
    winograd::synthesise(&tiles, &bias, BAND, 2, &mut found)?;
    assert!(found.iter().zip(&image).all(|(a, b)| (a - b - 0.25).abs() < 1e-5));
    // a band leaves the other rows alone
    let lower = winograd::Band { first: 1, rows: 1, ..BAND };
    let mut tiles = vec![0.0; 36 * 2 * 19];
    winograd::analyse_inputs(&image, lower, 2, &mut tiles)?;
    winograd::synthesise(&tiles, &[], lower, 1, &mut found)?;
    assert!((found[4 * 5 * 19 - 1] - image[4 * 5 * 19 - 1] - 0.25).abs() < 1e-5);
    Ok(())
}

#[test]
fn tiles_of_gradients_are_the_transpose_of_outputs() -> Result<()> {
    let (image, mut tiles) = (noise(7 * 5 * 19, 11), vec![0.0; 36 * 2 * 2 * 19]);
    winograd::analyse_gradients(&image, BAND, 3, &mut tiles)?;
    let (other, mut back) = (noise(tiles.len(), 12), vec![0.0; image.len()]);
    winograd::synthesise(&other, &[], BAND, 1, &mut back)?;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    assert!((dot(&tiles, &other) - dot(&image, &back)).abs() < 1e-2);
    Ok(())
}

#[test]
fn arrays_that_dont_fit_are_refused() {
    let (image, mut tiles) = (vec![0.0; 7 * 5 * 19], vec![0.0; 36 * 2 * 2 * 19]);
    let below = winograd::Band { first: 1, ..BAND };
    let huge = winograd::Band { first: usize::MAX, height: usize::MAX, ..BAND };
    for band in [below, huge] {
        assert!(winograd::analyse_inputs(&image, band, 1, &mut tiles).is_err());
    }
    assert!(winograd::analyse_gradients(&image[1..], BAND, 1, &mut tiles).is_err());
    assert!(winograd::synthesise(&tiles, &[0.0; 3], BAND, 1, &mut image.clone()).is_err());
    let none = winograd::Band { width: 0, ..BAND };
    assert!(winograd::analyse_inputs(&[], none, 1, &mut []).is_ok());
    assert!(winograd::synthesise(&[], &[], none, 1, &mut []).is_ok());
    let mut out = vec![0.0; 10];
    assert!(tiles::analyse_images(&[0.0; 16], SHAPE, 1, &mut out).is_err());
    assert!(tiles::step(2).is_err() && tiles::step(63).is_err() && tiles::step(0).is_err());
    let huge = tiles::Shape { count: usize::MAX, width: usize::MAX, ..SHAPE };
    assert!(tiles::analyse_images(&[0.0; 16], huge, 1, &mut out).is_err());
    let none = tiles::Shape { count: 0, ..SHAPE };
    assert!(tiles::analyse_images(&[], none, 1, &mut []).is_ok());
    let shape = first::Shape { count: 1, height: 4, width: 4, channels: 16, kernel: (2, 5) };
    assert!(first::backward(&[0.0; 16], &[], &[], &[0.0; 16], shape, 1).is_err());
    // whichever instructions there are, the functions work
    let _ = accelerated();
}

#[test]
fn gradients_of_an_lstm_are_differences() -> Result<()> {
    const SHAPE: lstm::Shape = lstm::Shape { count: 7, steps: 3, directions: 2, units: 16 };
    let (sums, weights) = (noise(7 * 3 * 2 * 64, 20), noise(2 * 64 * 16, 21));
    let gradients = noise(7 * 3 * 2 * 16, 22);
    let run = |sums: &[f32]| -> Result<(Vec<f32>, Vec<f32>, f64)> {
        let (mut gates, mut cells) = (sums.to_vec(), vec![0.0; gradients.len()]);
        let mut states = cells.clone();
        lstm::forward(&mut gates, &weights, SHAPE, &mut cells, &mut states)?;
        let loss = states.iter().zip(&gradients).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        Ok((gates, cells, loss))
    };
    let (mut gates, cells, _) = run(&sums)?;
    lstm::backward(&mut gates, &weights, SHAPE, &cells, &gradients)?;
    for at in [0, 17, 63, 64, 300, 1000, 2687] {
        let mut moved = sums.clone();
        moved[at] += 0.02;
        let above = run(&moved)?.2;
        moved[at] -= 0.04;
        let slope = (above - run(&moved)?.2) / 0.04;
        assert!((slope - f64::from(gates[at])).abs() < 1e-3, "{at}: {slope} {}", gates[at]);
    }
    Ok(())
}

#[test]
fn lstms_that_dont_fit_are_refused() {
    let shape = lstm::Shape { count: 1, steps: 2, directions: 1, units: 16 };
    let (mut gates, weights, mut cells, mut states) = ([0.0; 128], [0.0; 1024], [0.0; 32], [0.0; 32]);
    let mut run = |shape| lstm::forward(&mut gates, &weights, shape, &mut cells, &mut states);
    assert!(run(shape).is_ok());
    for wrong in [
        lstm::Shape { steps: 3, ..shape },
        lstm::Shape { units: 8, count: 2, ..shape },
        lstm::Shape { units: 0, ..shape },
        lstm::Shape { directions: 0, ..shape },
        lstm::Shape { count: usize::MAX, ..shape },
    ] {
        assert!(run(wrong).is_err(), "{wrong:?}");
    }
    assert!(lstm::backward(&mut gates, &weights, shape, &cells, &states[1..]).is_err());
    let none = lstm::Shape { count: 0, ..shape };
    assert!(lstm::forward(&mut [], &weights, none, &mut [], &mut []).is_ok());
}
