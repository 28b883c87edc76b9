//! The demonstration's folder: given and kept, or made and removed.

use relay::dice::Dice;
use relay::service::Fault;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use net::clock::SystemDice;

/// A folder; removed when dropped, if it was made here.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    made: bool,
}

impl Folder {
    /// The given folder, made where it is missing, or a new one of its own below the system's for temporary files.
    pub(super) fn open(given: Option<&Path>) -> Result<Folder, Fault> {
        let path = match given {
            Some(given) => given.to_owned(),
            None => std::env::temp_dir().join(format!("envoi-demo-{:08x}", SystemDice.below(1 << 32))),
        };
        let made = given.is_none();
        let path = std::path::absolute(&path).unwrap_or(path);
        let done = std::fs::DirBuilder::new().recursive(!made).mode(0o700).create(&path);
        done.map_err(|error| {
            Fault::unavailable(
                format!("The folder {} cannot be made: {error}.", path.display()),
                "Name another with `--dir FOLDER`.",
            )
        })?;
        Ok(Folder { path, made })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes at the end.
    pub(super) fn is_temporary(&self) -> bool {
        self.made
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, folder = %self.path.display(), "the demonstration's folder stays");
        }
    }
}
