//! The `kraken._rust` extension module: argument checks, release of the GIL
//! and error mapping around the functions of `kraken-core`. No algorithms.
#![allow(missing_docs, reason = "documented in the Python stubs")]
#![allow(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod boundary;
mod distance;
mod error;
mod geom;
mod image;
mod nn;
mod seg;
mod text;

use pyo3::prelude::*;

/// Adds `module` to `parent` and to `sys.modules`, so that both attribute
/// access and `import kraken._rust.<name>` work.
fn add_submodule(parent: &Bound<'_, PyModule>, module: &Bound<'_, PyModule>, name: &str) -> PyResult<()> {
    parent.add(name, module)?;
    let modules = parent.py().import("sys")?.getattr("modules")?;
    modules.set_item(format!("kraken._rust.{name}"), module)
}

#[pymodule]
fn _rust(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = m.py();
    for (name, register) in [
        ("geom", geom::register as fn(&Bound<'_, PyModule>) -> PyResult<()>),
        ("image", image::register),
        ("nn", nn::register),
        ("seg", seg::register),
        ("text", text::register),
    ] {
        let sub = PyModule::new(py, &format!("kraken._rust.{name}"))?;
        register(&sub)?;
        add_submodule(m, &sub, name)?;
    }
    Ok(())
}
