//! Discrete Fourier transform of 64 real numbers, many channels at a time.
//!
//! The sums are split twice by symmetry (about the middle of the tile, then about its quarters), which
//! leaves a fourth of the products of the plain definition; on vectors of channels that is as fast as
//! a fast transform and keeps the code short.

use std::sync::LazyLock;

use pulp::Simd;

/// Length of a tile.
pub const TILE: usize = 64;
const HALF: usize = TILE / 2;
const QUARTER: usize = TILE / 4;

type Matrix<const Q: usize> = [[f32; QUARTER]; Q];

/// Cosines and sines; row `q` holds the factors of the `q`-th term of all sums.
struct Tables {
    cos_even: Matrix<17>,
    cos_odd: Matrix<16>,
    cos_odd_back: Matrix<16>,
    sin_even: Matrix<15>,
    sin_odd: Matrix<16>,
    sin_odd_back: Matrix<16>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    cos_even: matrix(|n, k| angle(n, 2 * k).cos()),
    cos_odd: matrix(|n, k| angle(n, 2 * k + 1).cos()),
    cos_odd_back: matrix(|k, n| angle(n, 2 * k + 1).cos()),
    sin_even: matrix(|n, k| angle(n + 1, 2 * k).sin()),
    sin_odd: matrix(|n, k| angle(n + 1, 2 * k + 1).sin()),
    sin_odd_back: matrix(|k, n| angle(n, 2 * k + 1).sin()),
});

fn angle(n: usize, k: usize) -> f64 {
    std::f64::consts::TAU * ((n * k) % TILE) as f64 / TILE as f64
}

fn matrix<const Q: usize>(value: impl Fn(usize, usize) -> f64) -> Matrix<Q> {
    std::array::from_fn(|q| std::array::from_fn(|p| value(q, p) as f32))
}

/// Transform of one vector of channels with the machine's instructions.
#[derive(Clone, Copy)]
pub(super) struct Dft<S: Simd> {
    simd: S,
    tables: &'static Tables,
}

impl<S: Simd> Dft<S> {
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        Self { simd, tables: &TABLES }
    }

    /// Spectrum of a tile: at 2k the sum of x·cos, at 2k+1 that of -x·sin; at 1 the cosine of k = 32.
    #[inline(always)]
    pub(super) fn analyse(self, x: &[S::f32s; TILE]) -> [S::f32s; TILE] {
        let (simd, t) = (self.simd, self.tables);
        let zero = simd.splat_f32s(0.0);
        let even = |n: usize| if n.is_multiple_of(HALF) { x[n] } else { simd.add_f32s(x[n], x[TILE - n]) };
        let odd = |n: usize| simd.sub_f32s(x[n], x[TILE - n]);
        let mut even_sum = [zero; 17];
        let mut even_difference = [zero; 16];
        let mut odd_difference = [zero; 15];
        let mut odd_sum = [zero; 16];
        for n in 0..QUARTER {
            let (near, far) = (even(n), even(HALF - n));
            even_sum[n] = simd.add_f32s(near, far);
            even_difference[n] = simd.sub_f32s(near, far);
        }
        even_sum[QUARTER] = even(QUARTER);
        for n in 1..QUARTER {
            let (near, far) = (odd(n), odd(HALF - n));
            odd_difference[n - 1] = simd.sub_f32s(near, far);
            odd_sum[n - 1] = simd.add_f32s(near, far);
        }
        odd_sum[QUARTER - 1] = odd(QUARTER);
        let mut out = [zero; TILE];
        let (a, b) = (self.product(&t.cos_even, &even_sum), self.product(&t.cos_odd, &even_difference));
        let (c, d) = (self.product(&t.sin_even, &odd_difference), self.product(&t.sin_odd, &odd_sum));
        for k in 0..QUARTER {
            out[4 * k] = a[k];
            out[4 * k + 2] = b[k];
            out[4 * k + 1] = simd.sub_f32s(zero, c[k]);
            out[4 * k + 3] = simd.sub_f32s(zero, d[k]);
        }
        out[1] = self.alternating(&even_sum);
        out
    }

    /// Tile of a spectrum: the sum of a·cos - b·sin, which is the transpose of [`Self::analyse`].
    #[inline(always)]
    pub(super) fn synthesise(self, f: &[S::f32s; TILE]) -> [S::f32s; TILE] {
        let (simd, t) = (self.simd, self.tables);
        let zero = simd.splat_f32s(0.0);
        let cosine_even: [S::f32s; 17] = std::array::from_fn(|k| if k == QUARTER { f[1] } else { f[4 * k] });
        let cosine_odd: [S::f32s; 16] = std::array::from_fn(|k| f[4 * k + 2]);
        let sine_even: [S::f32s; 15] = std::array::from_fn(|k| f[4 * (k + 1) + 1]);
        let sine_odd: [S::f32s; 16] = std::array::from_fn(|k| f[4 * k + 3]);
        let (a, b) = (self.product(&t.cos_even, &cosine_even), self.product(&t.cos_odd_back, &cosine_odd));
        let (c, d) = (self.product(&t.sin_even, &sine_even), self.product(&t.sin_odd_back, &sine_odd));
        let mut y = [zero; TILE];
        let (a_last, d_last) = (self.alternating(&cosine_even), self.alternating(&sine_odd));
        y[QUARTER] = simd.sub_f32s(a_last, d_last);
        y[TILE - QUARTER] = simd.add_f32s(a_last, d_last);
        y[0] = simd.add_f32s(a[0], b[0]);
        y[HALF] = simd.sub_f32s(a[0], b[0]);
        for n in 1..QUARTER {
            let (p, q) = (simd.add_f32s(a[n], b[n]), simd.add_f32s(d[n], c[n]));
            y[n] = simd.sub_f32s(p, q);
            y[TILE - n] = simd.add_f32s(p, q);
            let (p, q) = (simd.sub_f32s(a[n], b[n]), simd.sub_f32s(d[n], c[n]));
            y[HALF - n] = simd.sub_f32s(p, q);
            y[HALF + n] = simd.add_f32s(p, q);
        }
        y
    }

    /// Sums over `q` of m[q][p]·u[q], eight at a time as that many fit in registers.
    #[inline(always)]
    fn product<const Q: usize>(self, m: &Matrix<Q>, u: &[S::f32s; Q]) -> [S::f32s; QUARTER] {
        let simd = self.simd;
        let mut out = [simd.splat_f32s(0.0); QUARTER];
        for block in 0..2 {
            let mut sums = [simd.splat_f32s(0.0); 8];
            for q in 0..Q {
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.mul_add_f32s(simd.splat_f32s(m[q][8 * block + p]), u[q], *sum);
                }
            }
            out[8 * block..8 * block + 8].copy_from_slice(&sums);
        }
        out
    }

    /// u[0] - u[1] + u[2] - …
    #[inline(always)]
    fn alternating(self, u: &[S::f32s]) -> S::f32s {
        let simd = self.simd;
        let (mut plus, mut minus) = (simd.splat_f32s(0.0), simd.splat_f32s(0.0));
        for pair in u.chunks(2) {
            plus = simd.add_f32s(plus, pair[0]);
            if let Some(&second) = pair.get(1) {
                minus = simd.add_f32s(minus, second);
            }
        }
        simd.sub_f32s(plus, minus)
    }
}
