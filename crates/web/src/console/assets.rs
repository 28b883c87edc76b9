//! Styles, script and icon, in the binary: named by what is in them, so that browsers keep each for ever.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

/// One file.
pub(super) struct Asset {
    /// What it is called in pages.
    pub(super) name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, kind: &'static str, text: &'static str) -> Asset {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Asset { name: format!("{stem}-{:016x}.{extension}", hasher.finish()), kind, text }
    }
}

macro_rules! asset {
    ($name:ident, $stem:literal, $extension:literal, $kind:literal) => {
        #[doc = concat!("`assets/", $stem, ".", $extension, "`")]
        pub(super) static $name: LazyLock<Asset> = LazyLock::new(|| {
            Asset::new($stem, $extension, $kind, include_str!(concat!("../../assets/", $stem, ".", $extension)))
        });
    };
}

asset!(STYLES, "console", "css", "text/css; charset=utf-8");
asset!(SCRIPT, "console", "js", "text/javascript; charset=utf-8");
asset!(ICON, "icon", "svg", "image/svg+xml");

/// Answers with a file.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let all = [&*STYLES, &*SCRIPT, &*ICON];
    match all.into_iter().find(|asset| asset.name == name) {
        Some(asset) => {
            let kept = "public, max-age=31536000, immutable";
            ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, kept)], asset.text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
