//! What networks spend their time on when they are trained on processors: convolutions with wide
//! kernels, followed by activation, dropout of channels and pooling.
//!
//! The products of a convolution are left to the caller's tensor library. Here is what surrounds
//! them: rows are cut into overlapping tiles, each tile becomes a spectrum ([`dft`]), and what comes
//! back is turned into pixels, activated and pooled while it is still in the cache ([`tiles`]).
//! Images of one channel, for which a spectrum doesn't pay, are convolved directly ([`first`]).
//! Convolutions with 3×3 kernels work on tiles of another kind ([`winograd`]). Of layers of LSTMs, what
//! depends on the step before is here ([`lstm`]).
//!
//! Arrays are images with the channels last: N×H×W×C. The number of channels is a multiple of
//! [`LANES`], but for [`winograd`].

#![allow(
    clippy::inline_always,
    reason = "vector instructions are only used in what becomes part of the function that enables them"
)]

pub mod dft;
pub mod first;
pub mod lstm;
pub mod products;
pub mod tiles;
pub mod winograd;

#[cfg(test)]
mod tests;

use crate::{Error, Result};

/// Channels come in multiples of this number.
pub const LANES: usize = 16;

/// State of an output pixel through which no gradient flows; other values are the position
/// (2·row + column) of the maximum in its pooling window.
pub const DEAD: u8 = 4;

/// Whether the machine has the vector instructions without which these kernels aren't worth using.
pub fn accelerated() -> bool {
    !matches!(pulp::Arch::new(), pulp::Arch::Scalar)
}

/// Size of a pooled side.
const fn pooled(size: usize, pool: usize) -> usize {
    size / pool
}

fn check_channels(arg: &'static str, channels: usize) -> Result<()> {
    if channels == 0 || !channels.is_multiple_of(LANES) {
        return Err(Error::shape(arg, format!("{channels} channels are no multiple of {LANES}")));
    }
    Ok(())
}

fn check_len(arg: &'static str, found: usize, sides: &[usize]) -> Result<()> {
    let needed = sides.iter().try_fold(1usize, |size, &side| size.checked_mul(side));
    if needed != Some(found) {
        return Err(Error::shape(arg, format!("{found} values, needed are {sides:?}")));
    }
    Ok(())
}

fn check_pool(pool: usize) -> Result<()> {
    if pool == 1 || pool == 2 {
        return Ok(());
    }
    Err(Error::range("pool", format!("{pool} is neither 1 nor 2")))
}

/// Activates (`ReLU`), pools and scales pixels of one output position.
///
/// `candidates` are the positions of the pooling window in order, each with all channels; returns by
/// `out` and `state`.
#[inline(always)]
fn finish(candidates: &[&[f32]], bias: &[f32], scale: &[f32], out: &mut [f32], state: &mut [u8]) {
    let channels = bias.len();
    let (out, state, scale) = (&mut out[..channels], &mut state[..channels], &scale[..channels]);
    let first = &candidates[0][..channels];
    match candidates {
        [_, b, c, d] => {
            let (b, c, d) = (&b[..channels], &c[..channels], &d[..channels]);
            for i in 0..channels {
                let (upper, upper_at) = if b[i] > first[i] { (b[i], 1) } else { (first[i], 0) };
                let (lower, lower_at) = if d[i] > c[i] { (d[i], 3) } else { (c[i], 2) };
                let (best, at) = if lower > upper { (lower, lower_at) } else { (upper, upper_at) };
                write(best + bias[i], at, scale[i], &mut out[i], &mut state[i]);
            }
        }
        _ => {
            for i in 0..channels {
                write(first[i] + bias[i], 0, scale[i], &mut out[i], &mut state[i]);
            }
        }
    }
}

/// Negative values are cut off; what is no number stays so.
#[inline(always)]
fn write(value: f32, at: u8, scale: f32, out: &mut f32, state: &mut u8) {
    let dead = value <= 0.0;
    *out = if dead { 0.0 } else { value * scale };
    *state = if dead { DEAD } else { at };
}
