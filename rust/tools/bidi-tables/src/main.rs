//! Prints the bidirectional property tables of the engine.
//!
//! Run from this folder:
//! `cargo run --release > ../../kraken-core/src/text/bidi/tables.rs`
//!
//! The values are those of Unicode's `DerivedBidiClass.txt` (with its defaults
//! for unassigned code points), `BidiMirroring.txt` and `BidiBrackets.txt`, as
//! compiled into ICU's property data.

use icu_properties::CodePointMapData;
use icu_properties::PropertyNamesShort;
use icu_properties::props::{BidiClass, BidiMirroringGlyph};

/// Prints `cells` in lines of at most 108 columns.
fn wrapped(cells: &[String]) {
    let mut line = String::from("   ");
    for cell in cells {
        if line.len() + cell.len() + 2 > 108 {
            println!("{line}");
            line = String::from("   ");
        }
        line.push(' ');
        line.push_str(cell);
        line.push(',');
    }
    println!("{line}");
}

fn short_name(class: BidiClass) -> &'static str {
    PropertyNamesShort::<BidiClass>::new().get(class).unwrap_or("L")
}

fn main() {
    let classes = CodePointMapData::<BidiClass>::new();
    let mut runs: Vec<String> = Vec::new();
    let mut last = "";
    for cp in 0..0x11_0000_u32 {
        let name = short_name(classes.get32(cp));
        if name != last {
            runs.push(format!("({cp:#X}, {name})"));
            last = name;
        }
    }
    let glyphs = CodePointMapData::<BidiMirroringGlyph>::new();
    let mut mirrors = Vec::new();
    let mut brackets = Vec::new();
    for cp in 0..0x11_0000_u32 {
        let value = glyphs.get32(cp);
        let Some(glyph) = value.mirroring_glyph else { continue };
        mirrors.push(format!("({cp:#X}, {:#X})", u32::from(glyph)));
        if format!("{:?}", value.paired_bracket_type) == "Open" {
            brackets.push(format!("({cp:#X}, {:#X})", u32::from(glyph)));
        }
    }
    println!("//! Written by `rust/tools/bidi-tables`; don't edit. Data of Unicode 17.0.0.");
    println!();
    println!(
        "#![allow(clippy::enum_glob_use, clippy::unreadable_literal, reason = \"thousands of entries\")]"
    );
    println!();
    println!("use super::Class::{{self, *}};");
    println!();
    println!("/// Where a run of code points with one `Bidi_Class` begins, and that class.");
    println!("#[rustfmt::skip]");
    println!("pub(super) const CLASS_RUNS: [(u32, Class); {}] = [", runs.len());
    wrapped(&runs);
    println!("];");
    println!();
    println!("/// Code points that have a mirror glyph, sorted.");
    println!("#[rustfmt::skip]");
    println!("pub(super) const MIRRORS: [(u32, u32); {}] = [", mirrors.len());
    wrapped(&mirrors);
    println!("];");
    println!();
    println!("/// Opening brackets, sorted, and their closing ones.");
    println!("#[rustfmt::skip]");
    println!("pub(super) const BRACKETS: [(u32, u32); {}] = [", brackets.len());
    wrapped(&brackets);
    println!("];");
}
