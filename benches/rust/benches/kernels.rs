//! `cargo bench --manifest-path benches/rust/Cargo.toml [-- FILTER]`
#![allow(missing_docs)] // The macros of criterion have none.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kraken_benches::{Page, pages};
use kraken_core::geom::{Point, section::sections};
use kraken_core::image::raster::{Raster, View};
use kraken_core::image::sobel::edge_energy;
use kraken_core::seg::extract::{Input, Line, Options};
use kraken_core::seg::order::{Direction, order_boxes};
use kraken_core::seg::polygonise::{Energy, Obstacles, Topline, polygonise};
use kraken_core::seg::vectorise::lines::{Heatmaps, LineOptions, vectorise_lines};
use kraken_core::text::ctc::{Matrix, greedy};

/// Every kernel is measured alone and with as many threads as small machines have.
const THREADS: [usize; 2] = [1, 2];

fn id(page: &Page, threads: usize) -> BenchmarkId {
    BenchmarkId::new(page.name, threads)
}

fn section(c: &mut Criterion) {
    let mut group = c.benchmark_group("section");
    group.throughput(Throughput::Elements(80));
    for page in pages() {
        let Some((baseline, boundary)) = page.lines.iter().max_by_key(|l| l.1.len()) else { continue };
        let pairs: Vec<[f64; 2]> = (0..80).map(|k| [f64::from(k) * 10.0, f64::from(k + 1) * 10.0]).collect();
        group.bench_function(BenchmarkId::new(page.name, boundary.len()), |b| {
            b.iter(|| sections(baseline, boundary, &pairs));
        });
    }
    group.finish();
}

fn vectorise(c: &mut Criterion) {
    let mut group = c.benchmark_group("vectorise_lines");
    group.sample_size(20);
    for page in pages() {
        let [width, height] = page.heat_size;
        let [start, end, baseline] = [0, 1, 2].map(|k| &page.heat[k * width * height..][..width * height]);
        let maps = Heatmaps { start, end, baseline, width, height };
        for threads in THREADS {
            let options = LineOptions { threshold: 0.17, min_length: 5.0, vertical: false, threads };
            group.bench_function(id(&page, threads), |b| b.iter(|| vectorise_lines(&maps, &options)));
        }
    }
    group.finish();
}

fn polygons(c: &mut Criterion) {
    let mut group = c.benchmark_group("polygonise");
    group.sample_size(20);
    for page in pages() {
        let [width, height] = page.size;
        let Ok(data) = edge_energy(&page.grey, width, height, 0) else { continue };
        let energy = Energy { data: &data, width, height };
        let lines: Vec<Vec<Point>> = page.lines.iter().map(|l| l.0.clone()).collect();
        for threads in THREADS {
            group.bench_function(id(&page, threads), |b| {
                b.iter(|| polygonise(energy, &lines, Obstacles::default(), Topline::Baseline, threads));
            });
        }
    }
    group.finish();
}

fn extract(c: &mut Criterion) {
    let input = Input { height: 120, channels: 1, padding: [16, 0, 16, 0] };
    for (name, legacy) in [("extract", false), ("extract legacy", true)] {
        let mut group = c.benchmark_group(name);
        group.sample_size(20);
        for page in pages() {
            let Ok(view) = View::new(&page.grey, page.size[0], page.size[1], 1) else { continue };
            let cut = |i: usize| -> kraken_core::Result<Raster<u8>> {
                let line = Line::new(&page.lines[i].0, &page.lines[i].1, page.size)?;
                line.extract(view.crop(line.bbox()), Options { legacy, ..Options::default() })
            };
            for threads in THREADS {
                group.bench_function(id(&page, threads), |b| {
                    b.iter(|| kraken_core::par::map_indices(page.lines.len(), threads, cut));
                });
                group.bench_function(BenchmarkId::new(format!("{} as input", page.name), threads), |b| {
                    let prepared = |i| cut(i).and_then(|image| input.prepare(&image));
                    b.iter(|| kraken_core::par::map_indices(page.lines.len(), threads, prepared));
                });
            }
        }
        group.finish();
    }
}

fn order(c: &mut Criterion) {
    let mut group = c.benchmark_group("order");
    let columns: Vec<[f64; 4]> = (0..1000)
        .map(|k| {
            let (x, y) = (f64::from(k % 4) * 500.0, f64::from(k / 4) * 30.0);
            [x + f64::from(k % 7), y, x + 450.0, y + 25.0]
        })
        .collect();
    group.bench_function("1000 boxes in 4 columns", |b| {
        b.iter(|| order_boxes(&columns, Direction::LeftToRight, 1));
    });
    group.finish();
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("greedy");
    let (classes, columns) = (96, 400);
    let scores: Vec<f32> = (0..classes * columns).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
    let Ok(matrix) = Matrix::new(&scores, classes, columns) else { return };
    group.bench_function("96 classes, 400 columns", |b| b.iter(|| greedy(&matrix, columns)));
    group.finish();
}

criterion_group!(benches, section, vectorise, polygons, extract, order, decode);
criterion_main!(benches);
