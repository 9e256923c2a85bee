use super::*;
use crate::geom::polygon;
use proptest::prelude::*;

const SIZE: [usize; 2] = [500, 400];

fn page() -> Vec<f32> {
    // Stripes of "text" of 20 px every 50 px.
    let row = |y: usize| if (30..50).contains(&(y % 50)) { 0.4 } else { 0.0 };
    (0..SIZE[0] * SIZE[1]).map(|i| row(i / SIZE[0]) * ((i % 7) as f32 / 6.0)).collect()
}

fn run(lines: &[Vec<Point>], topline: Topline) -> Vec<Outcome> {
    let data = page();
    let energy = Energy { data: &data, width: SIZE[0], height: SIZE[1] };
    polygonise(energy, lines, Obstacles::default(), topline, 2).unwrap_or_default()
}

fn assert_sound(outcome: &Outcome) {
    let ring = outcome.ring.clone().unwrap_or_default();
    assert!(polygon::is_simple(&ring), "{ring:?}");
    let inside = |p: &Point| p[0] >= 0.0 && p[0] <= 499.0 && p[1] >= 0.0 && p[1] <= 399.0;
    assert!(ring.iter().all(inside), "{ring:?}");
}

#[test]
fn seams_run_around_the_text() {
    let lines: Vec<Vec<Point>> =
        (1..7).map(|i| vec![[40.0, 50.0 * f64::from(i) - 3.0], [450.0, 50.0 * f64::from(i) - 3.0]]).collect();
    for outcome in run(&lines, Topline::Baseline) {
        assert_sound(&outcome);
        assert_eq!(outcome.problem, None);
        let b = outcome.ring.and_then(|r| polygon::bounds(&r)).unwrap_or_default();
        assert!(b[3] - b[1] > 22.0 && b[3] - b[1] < 45.0, "{b:?}");
    }
}

#[test]
fn hopeless_lines_are_none_with_a_reason() {
    let lines = [
        vec![],
        vec![[5.0, 5.0]],
        vec![[5.0, 5.0], [5.0, 5.0]],
        vec![[f64::NAN, 5.0], [5.0, 5.0]],
        vec![[-50.0, -5.0], [600.0, -5.0]],
    ];
    for outcome in run(&lines, Topline::Baseline) {
        assert!(outcome.ring.is_none() && outcome.problem.is_some());
    }
}

#[test]
fn lines_next_to_nothing_have_polygons() {
    for length in [0.2, 1e-3, 1e-7, 1e-300, f64::MIN_POSITIVE / 8.0] {
        let line = vec![[0.0, 7.0], [length, 7.0]];
        let found = run(&[line, vec![[40.0, 47.0], [90.0, 47.0]]], Topline::Baseline);
        found.iter().for_each(assert_sound);
    }
}

#[test]
fn bad_arguments_are_errors() {
    let data = page();
    let energy = Energy { data: &data, width: SIZE[0], height: SIZE[1] };
    let lines = [vec![[40.0, 50.0], [450.0, 50.0]]];
    let wrong = Energy { width: 7, ..energy };
    assert!(polygonise(wrong, &lines, Obstacles::default(), Topline::Baseline, 1).is_err());
    let per_line = [vec![0]];
    let missing = Obstacles { per_line: &per_line, ..Obstacles::default() };
    assert!(polygonise(energy, &lines, missing, Topline::Baseline, 1).is_err());
    let nan = vec![f32::NAN; 6];
    let energy = Energy { data: &nan, width: 3, height: 2 };
    assert!(polygonise(energy, &lines, Obstacles::default(), Topline::Baseline, 1).is_err());
}

/// Top and bottom of the polygon of a level line at y = 147 with `outline` around it.
fn extent(topline: Topline, outline: &[Point], only_its_region: bool) -> [f64; 2] {
    let (data, outline) = (page(), [outline.to_vec()]);
    let energy = Energy { data: &data, width: SIZE[0], height: SIZE[1] };
    let per_line = [vec![0]];
    let obstacles = if only_its_region {
        Obstacles { special: &outline, per_line: &per_line, ..Obstacles::default() }
    } else {
        Obstacles { common: &outline, ..Obstacles::default() }
    };
    let found = polygonise(energy, &[vec![[40.0, 147.0], [450.0, 147.0]]], obstacles, topline, 1);
    let ring = found.unwrap_or_default().pop().and_then(|o| o.ring).unwrap_or_default();
    let b = polygon::bounds(&ring).unwrap_or_default();
    [b[1], b[3]]
}

#[test]
fn outlines_of_regions_bound_the_side_of_the_text() {
    let outline = [[20.0, 142.0], [480.0, 142.0], [480.0, 149.0], [20.0, 149.0], [20.0, 142.0]];
    let open = |topline| extent(topline, &[], true);
    for topline in [Topline::Baseline, Topline::Topline, Topline::Centreline] {
        let [top, bottom] = open(topline);
        assert!(top < 141.0 && bottom > 149.0, "{topline:?} {top} {bottom}");
        let fenced = extent(topline, &outline, false);
        assert!(fenced[0] >= 142.0 && fenced[1] <= 149.0, "{topline:?} {fenced:?}");
    }
    let [top, bottom] = extent(Topline::Baseline, &outline, true);
    assert!(top >= 142.0 && bottom == open(Topline::Baseline)[1], "{top} {bottom}");
    let [top, bottom] = extent(Topline::Topline, &outline, true);
    assert!(top == open(Topline::Topline)[0] && bottom <= 149.0, "{top} {bottom}");
    let [top, bottom] = extent(Topline::Centreline, &outline, true);
    assert!(top >= 142.0 && bottom <= 149.0, "{top} {bottom}");
}

/// Level, tilted, and bent lines, some beyond the border.
fn any_line() -> impl Strategy<Value = Vec<Point>> {
    let tilted = ([-20.0..500.0, -20.0..400.0], 1.0..300.0, -4.0..4.0).prop_map(
        |([x, y], length, angle): (Point, f64, f64)| {
            let whole = |v: f64| v.round();
            vec![[whole(x), whole(y)], [whole(x + length * angle.cos()), whole(y + length * angle.sin())]]
        },
    );
    let level = (0..8, 0..20, 1..12).prop_map(|(x, y, length)| {
        let [x, y, length] = [x, y, length].map(|v: i32| 20.0 * f64::from(v));
        vec![[3.0 * x, y], [3.0 * x + length, y]]
    });
    let bent = prop::collection::vec([-20.0..520.0, -20.0..420.0], 2..6).prop_map(|line: Vec<[f64; 2]>| line);
    prop_oneof![3 => level, 2 => tilted, 1 => bent]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn neighbours_limit_as_all_obstacles_do(
        lines in prop::collection::vec(any_line(), 1..40),
        common in prop::collection::vec(any_line(), 0..4),
        special in prop::collection::vec(any_line(), 0..3),
    ) {
        let size = SIZE.map(|s| s as f64);
        let per_line = vec![(0..special.len()).collect::<Vec<usize>>(); lines.len()];
        let obstacles = Obstacles { common: &common, special: &special, per_line: &per_line };
        let (owners, segments) = owned_segments(&lines, &common);
        let grid = Grid::new(segments.iter(), size);
        let data = page();
        let energy = Energy { data: &data, width: SIZE[0], height: SIZE[1] };
        let page = Page { energy, size, topline: Topline::Baseline, owners, segments, grid, obstacles };
        let all: Vec<usize> = (0..page.segments.len()).collect();
        for (i, line) in lines.iter().enumerate() {
            let Ok(line) = prepare(line, size) else { continue };
            let Some(frame) = Frame::new(&line) else { continue };
            let found = page.limits(i, &line, &frame);
            let expected = Limits::new(&frame, size, page.others(i, &all).chain(page.special_of(i)));
            prop_assert_eq!(&found.hard, &expected.hard);
            prop_assert_eq!(&found.region, &expected.region);
            prop_assert_eq!(found.enclosed, expected.enclosed);
        }
    }
}
