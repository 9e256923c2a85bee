//! Components of pixels, and means of them.

/// Weights of interpolation are multiples of 1 / `ONE`.
pub const ONE: u32 = 1 << 15;
/// Pixels that are mixed at once.
pub const RUN: usize = 16;

/// Weights of the right or lower neighbours along a run, in parts of [`ONE`].
#[derive(Debug, Clone, Copy)]
pub struct Ramp {
    /// Of the first pixel.
    pub start: i16,
    /// From a pixel to the next.
    pub step: i16,
}

/// A pixel component that images can be resampled in.
pub trait Sample: Copy + Default + PartialEq + Send + Sync {
    /// The value as a float.
    fn to_f32(self) -> f32;
    /// The nearest value towards zero that the type can hold.
    fn from_f32(value: f32) -> Self;
    /// Bilinear mean of upper left, upper right, lower left, lower right;
    /// `tx` and `ty` (0 ≤ t < [`ONE`]) are the weights of right and lower.
    fn mix(values: [Self; 4], tx: i16, ty: i16) -> Self;
    /// The same for a run of pixels side by side: their four neighbours, and their weights along and across.
    /// Where a ramp leaves 0…[`ONE`] the result means nothing.
    #[inline]
    fn mix_run<const C: usize>(
        [a, b, c, d]: [&[[Self; C]; RUN]; 4],
        ramps: [Ramp; 2],
        out: &mut [[Self; C]; RUN],
    ) {
        let corners =
            a.as_flattened().iter().zip(b.as_flattened()).zip(c.as_flattened().iter().zip(d.as_flattened()));
        let steps = const { &steps::<C>() }.as_flattened();
        for ((o, ((&a, &b), (&c, &d))), &k) in out.as_flattened_mut().iter_mut().zip(corners).zip(steps) {
            let [tx, ty] = ramps.map(|ramp| ramp.start.wrapping_add(k.wrapping_mul(ramp.step)));
            *o = Self::mix([a, b, c, d], tx, ty);
        }
    }
}

/// The number of its pixel for each component of a run.
const fn steps<const C: usize>() -> [[i16; C]; RUN] {
    let mut steps = [[0; C]; RUN];
    let mut k = 0;
    while k < RUN {
        steps[k] = [k as i16; C];
        k += 1;
    }
    steps
}

/// Between `a` and `b`, values of up to 14 bits; less than a unit below the exact value.
#[inline]
fn between(a: i16, b: i16, t: i16) -> i16 {
    // The upper half of a product of 16 bits each: processors make eight of them at once.
    let twice = b.wrapping_sub(a).wrapping_mul(2);
    a.wrapping_add((i32::from(twice).wrapping_mul(i32::from(t)) >> 16) as i16)
}

impl Sample for u8 {
    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }

    #[inline]
    fn from_f32(value: f32) -> Self {
        value as Self // saturates and truncates
    }

    #[inline]
    fn mix(values: [Self; 4], tx: i16, ty: i16) -> Self {
        let [a, b, c, d] = values.map(|v| i16::from(v) << 6);
        let mixed = between(between(a, b, tx), between(c, d, tx), ty);
        // Makes up for what the steps may lose, so that nothing falls below the least of the four.
        (mixed.wrapping_add(2) >> 6) as Self
    }
}

impl Sample for f32 {
    #[inline]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline]
    fn from_f32(value: f32) -> Self {
        value
    }

    #[inline]
    fn mix(values: [Self; 4], tx: i16, ty: i16) -> Self {
        mix(values, weight(tx), weight(ty))
    }
}

/// A weight as a fraction of 1.
#[inline]
pub fn weight(t: i16) -> f32 {
    f32::from(t) / ONE as f32
}

/// Bilinear mean; exact where all four values are equal.
#[inline]
pub(super) fn mix([a, b, c, d]: [f32; 4], tx: f32, ty: f32) -> f32 {
    let upper = a + tx * (b - a);
    let lower = c + tx * (d - c);
    upper + ty * (lower - upper)
}
