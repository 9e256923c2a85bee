use super::*;

const PAGE: [usize; 2] = [60, 40];

fn page() -> Raster<u8> {
    let mut im = Raster::zeros(PAGE[0], PAGE[1], 1);
    for (i, v) in im.data.iter_mut().enumerate() {
        *v = (i * 7 % 200 + 20) as u8;
    }
    im
}

fn run(baseline: &[Point], boundary: &[Point], options: Options) -> Result<Raster<u8>> {
    let im = page();
    let line = Line::new(baseline, boundary, PAGE)?;
    line.extract(im.view().crop(line.bbox()), options)
}

const BOX: [Point; 4] = [[5.0, 5.0], [50.0, 5.0], [50.0, 30.0], [5.0, 30.0]];

#[test]
fn horizontal_lines_are_plain_crops() -> Result<()> {
    let im = page();
    let expected: Vec<u8> = (5..31).flat_map(|y| im.data[y * PAGE[0]..][5..51].to_vec()).collect();
    let legacy = Options { legacy: true, ..Options::default() };
    for (baseline, options) in [
        (&[[5.0, 25.0], [50.0, 25.0]][..], Options::default()),
        (&[[5.0, 25.0], [50.0, 25.0]], legacy),
        (&[[5.0, 25.0], [5.0, 25.0], [50.0, 25.0], [50.0, 25.0]], Options::default()),
    ] {
        let out = run(baseline, &BOX, options)?;
        assert_eq!((out.width, out.height), (46, 26));
        assert_eq!(out.data, expected);
    }
    Ok(())
}

#[test]
fn bad_lines_are_refused() {
    let good = [[5.0, 25.0], [50.0, 25.0]];
    let far = [[5.0, 5.0], [60.0, 5.0], [5.0, 30.0]];
    let nan = [[5.0, 5.0], [f64::NAN, 5.0], [5.0, 30.0]];
    for (baseline, boundary, message) in [
        (&good[..], &[][..], "fewer than 2 points"),
        (&[], &BOX, "below minimum 5px"),
        (&[[5.0, 5.0]; 3], &BOX, "below minimum 5px"),
        (&good, &far, "polygon outside"),
        (&good, &nan, "polygon outside"),
        (&[[-1.0, 5.0], [50.0, 5.0]], &BOX, "Baseline outside"),
        (&[[f64::NAN, 5.0], [50.0, 5.0]], &BOX, "Baseline outside"),
    ] {
        let error = run(baseline, boundary, Options::default()).map_err(|e| e.to_string());
        assert!(error.as_ref().is_err_and(|e| e.contains(message)), "{error:?}");
    }
}

#[test]
fn odd_lines_give_images() -> Result<()> {
    let thin = [[10.0, 20.0], [40.0, 20.0]];
    let lines: [&[Point]; 4] = [
        &[[5.0, 10.0], [40.0, 10.0], [40.0, 13.0], [6.0, 13.0]],
        &[[5.0, 20.0], [40.0, 20.0], [5.0, 20.0]],
        &[[5.0, 20.0], [15.0, 29.0], [25.0, 5.0], [35.0, 29.0], [45.0, 5.0]],
        &[[5.0, 20.0], [40.0, 20.0], [40.0, 10.0], [20.0, 10.0], [20.0, 29.0]],
    ];
    for baseline in lines {
        for legacy in [false, true] {
            for nearest in [false, true] {
                for boundary in [&BOX[..], &thin] {
                    let out = run(baseline, boundary, Options { legacy, nearest, alpha: false })?;
                    assert!(out.width > 0 && out.height > 0);
                }
            }
        }
    }
    Ok(())
}
