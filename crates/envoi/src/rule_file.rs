//! A file of rules that the operator wrote: read whole, of bounded size.

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file of rules is no larger.
pub(crate) const OCTETS_MAX: u64 = 1024 * 1024;

/// The rules of a file as `parse` makes them; what is wrong with it, its name first.
pub(crate) fn read<T, E: Display>(file: &Path, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, String> {
    let named = |what: &dyn Display| format!("{}: {what}", file.display());
    let mut text = String::new();
    let opened = File::open(file).map_err(|error| named(&error))?;
    opened.take(OCTETS_MAX + 1).read_to_string(&mut text).map_err(|error| named(&error))?;
    if text.len() as u64 > OCTETS_MAX {
        return Err(named(&format!("has more than {OCTETS_MAX} octets")));
    }
    parse(&text).map_err(|error| named(&error.to_string().trim_end()))
}
