//! What is recurrent in layers of LSTMs that run along many sequences at once, as the rows of a page.
//!
//! After Hochreiter & Schmidhuber, "Long short-term memory" (1997), with forget gates (Gers et al., 2000) and
//! without peepholes. The products of inputs and weights are left to the caller's tensor library, which makes
//! those of all steps at once. What is left depends on the step before: several sequences are computed side by
//! side, gates stay in registers from the product with the state to the new one.
//!
//! Arrays are sequences×steps×directions×values; the second direction runs from the last step to the first.
//! Gates are in the order input, forget, cell, output.

use pulp::{Arch, Simd, WithSimd};

use super::{LANES, check_len};
use crate::{Error, Result};

const GATES: usize = 4;
/// Sequences side by side: with 4 gates they fill the registers of processors with 32 or 16 of them.
const MANY: usize = 6;
const FEW: usize = 2;

/// Sides of the arrays of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Number of sequences.
    pub count: usize,
    /// Steps of each sequence.
    pub steps: usize,
    /// 1, or 2 for bidirectional layers.
    pub directions: usize,
    /// Units in each direction, a multiple of [`LANES`].
    pub units: usize,
}

impl Shape {
    fn check(&self, gates: usize, weights: usize, cells: usize, states: usize) -> Result<()> {
        if self.units == 0 || !self.units.is_multiple_of(LANES) {
            return Err(Error::shape("cells", format!("{} units are no multiple of {LANES}", self.units)));
        }
        if !(1..=2).contains(&self.directions) {
            return Err(Error::range("cells", format!("{} directions are neither 1 nor 2", self.directions)));
        }
        let Shape { count, steps, directions, units } = *self;
        check_len("gates", gates, &[count, steps, directions, GATES, units])?;
        check_len("weights", weights, &[directions, GATES, units, units])?;
        check_len("cells", cells, &[count, steps, directions, units])?;
        check_len("states", states, &[count, steps, directions, units])
    }

    /// The step that is the `i`-th to be computed in a direction.
    fn step(&self, direction: usize, i: usize) -> usize {
        if direction == 0 { i } else { self.steps - 1 - i }
    }
}

/// States of all steps.
///
/// `gates` are the products of inputs and weights, plus biases; they are replaced by the gates. `weights` are
/// those of the state, directions×(4·units)×units.
///
/// # Errors
/// The arrays don't fit the shape, or the number of units is no multiple of [`LANES`].
pub fn forward(
    gates: &mut [f32],
    weights: &[f32],
    shape: Shape,
    cells: &mut [f32],
    states: &mut [f32],
) -> Result<()> {
    shape.check(gates.len(), weights.len(), cells.len(), states.len())?;
    if !gates.is_empty() {
        Arch::new().dispatch(Forward { gates, weights, shape, cells, states });
    }
    Ok(())
}

/// Gradients of the sums that go into the gates, which replace `gates`.
///
/// `gates` and `cells` are as [`forward`] has left them, `gradients` those of the states.
///
/// # Errors
/// The arrays don't fit the shape, or the number of units is no multiple of [`LANES`].
pub fn backward(
    gates: &mut [f32],
    weights: &[f32],
    shape: Shape,
    cells: &[f32],
    gradients: &[f32],
) -> Result<()> {
    shape.check(gates.len(), weights.len(), cells.len(), gradients.len())?;
    if !gates.is_empty() {
        Arch::new().dispatch(Backward { gates, weights, shape, cells, gradients });
    }
    Ok(())
}

/// eˣ, to about two units in the last place; 0 and ∞ are kept away from. No number stays no number.
#[inline(always)]
fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |value: f32| simd.splat_f32s(value);
    // the operand on the right is the result if it is no number
    let x = simd.max_f32s(splat(-87.0), simd.min_f32s(splat(87.0), x));
    // x = n·ln 2 + rest; adding 1.5·2²³ leaves n in the lowest bits
    let shift = splat(12_582_912.0);
    let shifted = simd.mul_add_f32s(x, splat(std::f32::consts::LOG2_E), shift);
    let n = simd.sub_f32s(shifted, shift);
    let rest = simd.mul_add_f32s(n, splat(-0.693_359_4), x);
    let rest = simd.mul_add_f32s(n, splat(2.121_944_4e-4), rest);
    let mut sum = splat(1.987_569_1e-4);
    for factor in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = simd.mul_add_f32s(sum, rest, splat(factor));
    }
    let sum = simd.mul_add_f32s(sum, simd.mul_f32s(rest, rest), simd.add_f32s(rest, splat(1.0)));
    // n is added to the exponent
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(sum), exponent))
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.neg_f32s(x))))
}

/// 2 / (1 + e⁻²ˣ) − 1.
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (one, two) = (simd.splat_f32s(1.0), simd.splat_f32s(2.0));
    let below = simd.add_f32s(one, exp(simd, simd.mul_f32s(simd.splat_f32s(-2.0), x)));
    simd.sub_f32s(simd.div_f32s(two, below), one)
}

/// x · (1 − x), what the slope of a sigmoid is.
#[inline(always)]
fn slope<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.negate_mul_add_f32s(x, x, x)
}

/// The vectors of a part of an array.
#[inline(always)]
fn vectors<S: Simd>(values: &[f32], start: usize, len: usize) -> &[S::f32s] {
    S::as_simd_f32s(&values[start..start + len]).0
}

#[inline(always)]
fn vectors_mut<S: Simd>(values: &mut [f32], start: usize, len: usize) -> &mut [S::f32s] {
    S::as_mut_simd_f32s(&mut values[start..start + len]).0
}

/// Steps through sequences, `MANY` or `FEW` side by side, then those that are left one by one.
trait Block {
    fn run<S: Simd, const R: usize>(&mut self, simd: S, first: usize, direction: usize);

    #[inline(always)]
    fn run_all<S: Simd>(&mut self, simd: S, shape: Shape) {
        for direction in 0..shape.directions {
            let mut first = 0;
            if S::F32_LANES >= LANES {
                while first + MANY <= shape.count {
                    self.run::<S, MANY>(simd, first, direction);
                    first += MANY;
                }
            }
            while first + FEW <= shape.count {
                self.run::<S, FEW>(simd, first, direction);
                first += FEW;
            }
            while first < shape.count {
                self.run::<S, 1>(simd, first, direction);
                first += 1;
            }
        }
    }
}

struct Forward<'a> {
    gates: &'a mut [f32],
    weights: &'a [f32],
    shape: Shape,
    cells: &'a mut [f32],
    states: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let weights = &packed::<S>(self.weights, self.shape);
        Forward { weights, ..self }.run_all(simd, self.shape);
    }
}

/// Weights in the order of their use: direction, vector of units, unit of the state, gate.
fn packed<S: Simd>(weights: &[f32], shape: Shape) -> Vec<f32> {
    let units = shape.units;
    let mut found = Vec::with_capacity(weights.len());
    for weights in weights.chunks_exact(GATES * units * units) {
        for first in (0..units).step_by(S::F32_LANES) {
            for from in 0..units {
                for gate in 0..GATES {
                    let rows = gate * units + first..gate * units + first + S::F32_LANES;
                    found.extend(rows.map(|row| weights[row * units + from]));
                }
            }
        }
    }
    found
}

/// Weights in the order of their use on the way back: direction, vector of units of the state, gate and unit.
fn packed_back<S: Simd>(weights: &[f32], shape: Shape) -> Vec<f32> {
    let units = shape.units;
    let mut found = Vec::with_capacity(weights.len());
    for weights in weights.chunks_exact(GATES * units * units) {
        for first in (0..units).step_by(S::F32_LANES) {
            let rows = weights.chunks_exact(units);
            found.extend(rows.flat_map(|row| &row[first..first + S::F32_LANES]));
        }
    }
    found
}

/// The `k`-th [`LANES`] values of each of some rows.
#[inline(always)]
fn side_by_side<const R: usize>(rows: &[f32], len: usize, k: usize) -> [&[f32; LANES]; R] {
    let mut found = [&[0.0; LANES]; R];
    for (found, row) in found.iter_mut().zip(rows.chunks_exact(len)) {
        *found = &row.as_chunks().0[k];
    }
    found
}

// Arrays are filled in loops below: closures of `array::from_fn` don't become part of the function that
// enables the vector instructions.

impl Block for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize>(&mut self, simd: S, first: usize, direction: usize) {
        let Shape { steps, directions, units, .. } = self.shape;
        let (each, count) = (GATES * units * units, units / S::F32_LANES);
        let weights = vectors::<S>(self.weights, direction * each, each);
        let mut before = vec![0.0; R * units];
        let mut state = vec![0.0; R * units];
        let mut cell = vec![simd.splat_f32s(0.0); R * count];
        for i in 0..steps {
            let step = self.shape.step(direction, i);
            for (v, weights) in weights.chunks_exact(GATES * units).enumerate() {
                let mut sums = [[simd.splat_f32s(0.0); GATES]; R];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let at = ((first + r) * steps + step) * directions + direction;
                    let gates = vectors::<S>(self.gates, at * GATES * units, GATES * units);
                    for (gate, sum) in sums.iter_mut().enumerate() {
                        *sum = gates[gate * count + v];
                    }
                }
                if i > 0 {
                    let weights = weights.as_chunks::<GATES>().0.as_chunks::<LANES>().0;
                    let mut local = sums; // in registers, as nothing else refers to it
                    for (k, weights) in weights.iter().enumerate() {
                        let before = side_by_side::<R>(&before, units, k);
                        for from in 0..LANES {
                            for (sums, before) in local.iter_mut().zip(&before) {
                                let value = simd.splat_f32s(before[from]);
                                for (sum, &weight) in sums.iter_mut().zip(&weights[from]) {
                                    *sum = simd.mul_add_f32s(value, weight, *sum);
                                }
                            }
                        }
                    }
                    sums = local;
                }
                for (r, &[input, forget, new, output]) in sums.iter().enumerate() {
                    let at = ((first + r) * steps + step) * directions + direction;
                    let gates = vectors_mut::<S>(self.gates, at * GATES * units, GATES * units);
                    let cell = &mut cell[r * count + v];
                    let (input, forget) = (sigmoid(simd, input), sigmoid(simd, forget));
                    let (new, output) = (tanh(simd, new), sigmoid(simd, output));
                    *cell = simd.mul_add_f32s(forget, *cell, simd.mul_f32s(input, new));
                    let found = simd.mul_f32s(output, tanh(simd, *cell));
                    gates[v] = input;
                    gates[count + v] = forget;
                    gates[2 * count + v] = new;
                    gates[3 * count + v] = output;
                    vectors_mut::<S>(self.cells, at * units, units)[v] = *cell;
                    vectors_mut::<S>(self.states, at * units, units)[v] = found;
                    vectors_mut::<S>(&mut state, r * units, units)[v] = found;
                }
            }
            std::mem::swap(&mut before, &mut state);
        }
    }
}

struct Backward<'a> {
    gates: &'a mut [f32],
    weights: &'a [f32],
    shape: Shape,
    cells: &'a [f32],
    gradients: &'a [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let weights = &packed_back::<S>(self.weights, self.shape);
        Backward { weights, ..self }.run_all(simd, self.shape);
    }
}

impl Block for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize>(&mut self, simd: S, first: usize, direction: usize) {
        let Shape { steps, directions, units, .. } = self.shape;
        let (wide, count) = (GATES * units, units / S::F32_LANES);
        let weights = vectors::<S>(self.weights, direction * wide * units, wide * units);
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        // of the state and the cell, as far as later steps depend on them
        let mut state = vec![zero; R * count];
        let mut cell = vec![zero; R * count];
        let mut errors = vec![0.0; R * wide];
        for i in (0..steps).rev() {
            for r in 0..R {
                let place =
                    |i| ((first + r) * steps + self.shape.step(direction, i)) * directions + direction;
                let at = place(i);
                let cells = vectors::<S>(self.cells, at * units, units);
                let earlier = if i > 0 { vectors::<S>(self.cells, place(i - 1) * units, units) } else { &[] };
                let gradients = vectors::<S>(self.gradients, at * units, units);
                let gates = vectors_mut::<S>(self.gates, at * wide, wide);
                let errors = vectors_mut::<S>(&mut errors, r * wide, wide);
                for v in 0..count {
                    let (input, forget) = (gates[v], gates[count + v]);
                    let (new, output) = (gates[2 * count + v], gates[3 * count + v]);
                    let before = earlier.get(v).copied().unwrap_or(zero);
                    let cell = &mut cell[r * count + v];
                    let gradient = simd.add_f32s(gradients[v], state[r * count + v]);
                    let bent = tanh(simd, cells[v]);
                    let open = simd.mul_f32s(gradient, output);
                    let whole = simd.mul_add_f32s(open, simd.negate_mul_add_f32s(bent, bent, one), *cell);
                    *cell = simd.mul_f32s(whole, forget);
                    errors[v] = simd.mul_f32s(simd.mul_f32s(whole, new), slope(simd, input));
                    errors[count + v] = simd.mul_f32s(simd.mul_f32s(whole, before), slope(simd, forget));
                    errors[2 * count + v] =
                        simd.mul_f32s(simd.mul_f32s(whole, input), simd.negate_mul_add_f32s(new, new, one));
                    errors[3 * count + v] = simd.mul_f32s(simd.mul_f32s(gradient, bent), slope(simd, output));
                }
                gates.copy_from_slice(errors);
            }
            if i == 0 {
                break;
            }
            for (v, weights) in weights.chunks_exact(wide).enumerate() {
                // two sums for each, as one product would wait for the one before
                let (mut sums, mut others) = ([zero; R], [zero; R]);
                for (k, weights) in weights.as_chunks::<LANES>().0.iter().enumerate() {
                    let errors = side_by_side::<R>(&errors, wide, k);
                    for pair in 0..LANES / 2 {
                        let from = 2 * pair;
                        for (r, errors) in errors.iter().enumerate() {
                            let (one, two) =
                                (simd.splat_f32s(errors[from]), simd.splat_f32s(errors[from + 1]));
                            sums[r] = simd.mul_add_f32s(one, weights[from], sums[r]);
                            others[r] = simd.mul_add_f32s(two, weights[from + 1], others[r]);
                        }
                    }
                }
                for (r, state) in state.chunks_exact_mut(count).enumerate() {
                    state[v] = simd.add_f32s(sums[r], others[r]);
                }
            }
        }
    }
}
