//! The console: pages for people, on the same operations as the API and the command line.
//!
//! Every page stands in [`pages`] with what it needs of whoever looks, and a test tries each as every role. A page asks
//! the relay for operations and nothing else; what people change of themselves goes through the [`Door`].

mod assets;
mod entrance;
mod form;
mod guard;
mod page;
mod profile;
mod visit;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use relay::limits::Limits;
use relay::power::Need;
use relay::service::door::Door;
use std::sync::Arc;

/// Octets of a form.
const FORM_OCTETS_MAX: usize = 256 * 1024;

/// What pages say of the relay.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server that applications are told to connect to.
    pub hostname: String,
    /// The limits in force.
    pub limits: Limits,
    /// Whether browsers come by `https`: cookies are then marked so that they go no other way.
    pub is_secure: bool,
}

/// What the pages stand on.
#[derive(Clone)]
struct Console {
    door: Arc<dyn Door>,
    settings: Arc<Settings>,
}

/// Who may look at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Everybody, signed in or not.
    Everybody,
    /// Whoever is signed in.
    Visitors,
    /// Whoever is signed in and looks at an account, with what this needs there.
    Account(Need),
    /// The operator's people.
    Operator,
}

/// Every page: where it is, for whom, and what answers.
fn pages() -> Vec<(&'static str, For, MethodRouter<Console>)> {
    vec![
        ("/sign-in", For::Everybody, get(entrance::sign_in_page).post(entrance::sign_in)),
        ("/sign-in/code", For::Everybody, get(entrance::code_page).post(entrance::code)),
        ("/sign-out", For::Visitors, post(entrance::sign_out)),
        ("/choose-password", For::Everybody, get(entrance::choose_page).post(entrance::choose)),
        ("/first-start", For::Everybody, get(entrance::first_page).post(entrance::first)),
        ("/", For::Visitors, get(profile::home)),
        ("/profile", For::Visitors, get(profile::page).post(profile::change)),
        ("/profile/password", For::Visitors, post(profile::password)),
        ("/profile/codes", For::Visitors, get(profile::codes_page).post(profile::codes_on)),
        ("/profile/codes/off", For::Visitors, post(profile::codes_off)),
        ("/profile/sign-ins/end", For::Visitors, post(profile::end)),
    ]
}

/// The console.
pub fn router(door: Arc<dyn Door>, settings: Settings) -> Router {
    let console = Console { door, settings: Arc::new(settings) };
    let mut router = Router::new().route("/assets/{name}", get(assets::asset));
    for (path, _, method) in pages() {
        router = router.route(path, method);
    }
    router
        .fallback(visit::nowhere)
        .method_not_allowed_fallback(visit::nowhere)
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .layer(middleware::from_fn(guard::guarded))
        .with_state(console)
}
