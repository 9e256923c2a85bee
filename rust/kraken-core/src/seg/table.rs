//! Tables among the columns of a page.

use super::text_frame::Item;

/// Groups items, which are sorted by v, into rows: each holds the items whose
/// middles are less than half a line apart from that of its first item. Each
/// row is sorted along the text.
pub(super) fn rows(items: &[Item], pitch: f64) -> Vec<Vec<Item>> {
    let mut rows: Vec<Vec<Item>> = Vec::new();
    for item in items {
        match rows.last_mut().filter(|row| item.centre() - row[0].centre() < pitch / 2.0) {
            Some(row) => row.push(*item),
            None => rows.push(vec![*item]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.u[0].total_cmp(&b.u[0]));
    }
    rows
}

/// Median length of a column's items; 0 if it has none.
pub(super) fn median_length(column: &[Item]) -> f64 {
    let mut lengths: Vec<f64> = column.iter().map(Item::length).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).copied().unwrap_or(0.0)
}

/// The rows of neighbouring columns if they are those of a table.
///
/// In a table at least 70 % of the rows have a cell in two or more columns, no
/// row has two cells in one column, and there is more white space than between
/// columns of running text: where there are cells, those of columns of unequal width (2 : 1) cover
/// less than 80 % of the area, cells of three or more columns less than 65 %.
pub(super) fn detect(columns: &[Vec<Item>], pitch: f64) -> Option<Vec<Vec<Item>>> {
    let mut items: Vec<Item> = columns.iter().flatten().copied().collect();
    if columns.len() < 2 || items.iter().any(|i| i.v[1] - i.v[0] > 2.0 * pitch) {
        return None;
    }
    items.sort_by(|a, b| a.centre().total_cmp(&b.centre()));
    let rows = rows(&items, pitch);
    let shared = rows.iter().filter(|row| row.len() > 1).count();
    let overlaps = |row: &Vec<Item>| row.windows(2).any(|w| w[1].u[0] < w[0].u[1]);
    if rows.len() < 2 || (shared as f64) < 0.7 * rows.len() as f64 || rows.iter().any(overlaps) {
        return None;
    }
    if columns.iter().any(|column| self::rows(column, pitch).iter().any(|row| row.len() > 1)) {
        return None;
    }
    let starts: Vec<f64> =
        columns.iter().map(|c| c.iter().map(|i| i.u[0]).fold(f64::INFINITY, f64::min)).collect();
    let (first, last) = (starts[0], starts[starts.len() - 1]);
    let spacing = (last - first) / (starts.len() - 1) as f64;
    let widest_of_last = columns[columns.len() - 1].iter().map(Item::length).fold(0.0, f64::max);
    let slot =
        |k: usize| starts.get(k + 1).map_or(spacing.min(widest_of_last * 1.2), |next| next - starts[k]);
    let area: f64 = columns.iter().enumerate().map(|(k, c)| slot(k) * c.len() as f64).sum();
    let covered = items.iter().map(Item::length).sum::<f64>() / area;
    let widths: Vec<f64> = columns.iter().map(|c| median_length(c)).collect();
    let widest = widths.iter().copied().fold(0.0, f64::max);
    let narrowest = widths.iter().copied().fold(f64::INFINITY, f64::min);
    let is_table = (widest >= 2.0 * narrowest && covered < 0.8) || (columns.len() > 2 && covered < 0.65);
    is_table.then_some(rows)
}
