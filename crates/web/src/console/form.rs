//! Forms as browsers send them: read whole, in time, and only from one of our own pages.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use std::time::Duration;

use super::Console;
use super::page::Failure;
use super::visit::Visit;

/// How long a form may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A form of somebody who is signed in. Its field `csrf` has to be what our page put there.
pub(super) struct Signed<T> {
    /// Who sent it.
    pub(super) visit: Visit,
    /// What is in it.
    pub(super) form: T,
}

/// A form of somebody who is not.
pub(super) struct Open<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Console> for Open<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        Ok(Open(parsed(&text(request, console).await?)?))
    }
}

impl<T: DeserializeOwned> FromRequest<Console> for Signed<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let mut asking = parts.clone();
        // the form first: whoever holds it back is asked who they are when it has come, and not before
        let text = text(Request::from_parts(parts, body), console).await?;
        let visit = Visit::of(&mut asking, console).await?;
        let mut given = serde_html_form::from_str::<Vec<(String, String)>>(&text).unwrap_or_default();
        let csrf = given.iter().position(|(name, _)| name == "csrf").map(|at| given.swap_remove(at).1);
        if !csrf.is_some_and(|csrf| visit.is_own_form(&csrf)) {
            return Err(visit.page().failure_stale());
        }
        let form = parsed(&text).map_err(|failure| failure.for_visit(&visit))?;
        Ok(Signed { visit, form })
    }
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_html_form::from_str(text).map_err(|error| Failure::unreadable(&error.to_string()))
}

async fn text(request: Request, console: &Console) -> Result<String, Failure> {
    match tokio::time::timeout(PATIENCE, String::from_request(request, console)).await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(rejection)) => Err(Failure::unreadable_as(rejection.status(), &rejection.body_text())),
        Err(_) => Err(Failure::unreadable("The form did not come in time.")),
    }
}
