//! Where recipients unsubscribe with one click (RFC 8058): apart from the routes of the console, because it is for people and mailbox
//! providers who come from anywhere, with no cookie. To look shows a button; to send what the field says is all it takes.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};
use message::admission::ONE_CLICK;
use relay::language::Language;
use relay::limits::Limits;
use relay::rate::Pace;
use relay::site::Site;
use relay::unsubscribe::{PATH, Unsubscriber, Wish};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::page::{Page, shown_as};
use super::{assets, guard, visit};

/// Octets of what is sent: a field and its value, in either form of a form.
const BODY_OCTETS_MAX: usize = 4 * 1024;
/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the page stands on.
#[derive(Clone)]
struct Desk {
    unsubscriber: Arc<dyn Unsubscriber>,
    pace: Arc<Mutex<Pace<Site>>>,
}

/// Its route, to be served beside others. `is_secure`: browsers come by `https`.
pub fn router(unsubscriber: Arc<dyn Unsubscriber>, limits: &Limits, is_secure: bool) -> Router {
    let per_minute = limits.unsubscribe_requests_per_minute;
    let pace = Arc::new(Mutex::new(Pace::new(per_minute, per_minute)));
    Router::new()
        .route(&format!("{PATH}{{token}}"), get(show).post(take))
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .layer(middleware::from_fn_with_state(is_secure, guard::marked))
        .with_state(Desk { unsubscriber, pace })
}

/// The same where nothing else is served: with what the page looks by.
pub fn alone(unsubscriber: Arc<dyn Unsubscriber>, limits: &Limits, is_secure: bool) -> Router {
    router(unsubscriber, limits, is_secure).route("/assets/{name}", get(assets::asset))
}

/// Whoever comes.
struct Comer {
    from: IpAddr,
    language: Language,
}

impl<S: Sync> FromRequestParts<S> for Comer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Comer, Infallible> {
        Ok(Comer { from: visit::origin(parts), language: visit::preferred(parts) })
    }
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage {
    page: Page,
    title: String,
    what: String,
    is_asked: bool,
    is_done: bool,
}

impl UnsubscribePage {
    /// A page that says something, and asks nothing.
    fn says(language: Language, title: &str, what: &str) -> UnsubscribePage {
        let page = Page::outside(language, "");
        let (title, what) = (page.t(title), page.t(what));
        UnsubscribePage { page, title, what, is_asked: false, is_done: false }
    }
}

/// The page with the button.
fn asked(desk: &Desk, status: StatusCode, language: Language, wish: &Wish) -> Response {
    let page = Page::outside(language, "");
    let what = match desk.unsubscriber.sender(wish) {
        Some(sender) => {
            let values = [("address", wish.recipient.as_str()), ("sender", sender.as_str())];
            page.words.filled("unsubscribe-ask-of", &values)
        }
        None => page.with("unsubscribe-ask", "address", &wish.recipient),
    };
    let title = page.t("unsubscribe-title");
    shown_as(status, &UnsubscribePage { page, title, what, is_asked: true, is_done: false })
}

/// That nothing came of it, and that it may be tried again after so many seconds.
fn failed(status: StatusCode, language: Language, seconds: u64) -> Response {
    let says = UnsubscribePage::says(language, "unsubscribe-failed", "unsubscribe-failed-what");
    let mut answer = shown_as(status, &says);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

impl Desk {
    /// What a link names, for whoever does not come too often.
    ///
    /// # Errors
    /// The page that says why not.
    fn wish(&self, comer: &Comer, token: &str) -> Result<Wish, Box<Response>> {
        // from this machine a proxy may speak for all
        if !comer.from.is_loopback() {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            let paced = pace.on(Site::of(comer.from), self.unsubscriber.now());
            paced.map_err(|seconds| Box::new(failed(StatusCode::TOO_MANY_REQUESTS, comer.language, seconds)))?;
        }
        self.unsubscriber.wish(token).ok_or_else(|| {
            let says = UnsubscribePage::says(comer.language, "unsubscribe-void", "unsubscribe-void-what");
            Box::new(shown_as(StatusCode::NOT_FOUND, &says))
        })
    }
}

/// Shows what it is about, and does nothing: programs that look at every link in a mail unsubscribe nobody (RFC 8058 §3.1).
async fn show(State(desk): State<Desk>, Path(token): Path<String>, comer: Comer) -> Response {
    match desk.wish(&comer, &token) {
        Ok(wish) => asked(&desk, StatusCode::OK, comer.language, &wish),
        Err(answer) => *answer,
    }
}

/// Unsubscribes, where what is sent says so (RFC 8058 §3.2).
async fn take(State(desk): State<Desk>, Path(token): Path<String>, comer: Comer, request: Request) -> Response {
    let wish = match desk.wish(&comer, &token) {
        Ok(wish) => wish,
        Err(answer) => return *answer,
    };
    let body = tokio::time::timeout(PATIENCE, Bytes::from_request(request, &())).await;
    if !body.is_ok_and(|body| body.is_ok_and(|body| says_so(&String::from_utf8_lossy(&body)))) {
        return asked(&desk, StatusCode::BAD_REQUEST, comer.language, &wish);
    }
    let recipient = wish.recipient.clone();
    match desk.unsubscriber.unsubscribe(wish).await {
        Ok(()) => {
            let page = Page::outside(comer.language, "");
            let (title, what) = (page.t("unsubscribe-done"), page.with("unsubscribe-done-what", "address", &recipient));
            shown_as(StatusCode::OK, &UnsubscribePage { page, title, what, is_asked: false, is_done: true })
        }
        Err(fault) => {
            tracing::error!(why = fault.what, "a wish to unsubscribe was not kept");
            failed(StatusCode::SERVICE_UNAVAILABLE, comer.language, 60)
        }
    }
}

/// Whether a form says `List-Unsubscribe=One-Click`, in either encoding (RFC 8058 §3.2, RFC 7578).
fn says_so(body: &str) -> bool {
    let Some((name, value)) = ONE_CLICK.split_once('=') else { return false };
    let pairs = serde_html_form::from_str::<Vec<(String, String)>>(body.trim()).unwrap_or_default();
    if pairs.iter().any(|(given, said)| given == name && said == value) {
        return true;
    }
    let field = format!("name=\"{name}\"");
    let part =
        body.lines().map(str::trim).skip_while(|line| !line.contains(&field)).skip_while(|line| !line.is_empty());
    part.skip(1).map_while(|line| (!line.starts_with("--")).then_some(line)).any(|line| line == value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::Body;
    use relay::clock::{Day, Timestamp};
    use relay::id::Id;
    use relay::service::Fault;
    use relay::service::door::Boxed;
    use tower::ServiceExt;

    use crate::listen::Peer;

    /// Knows one link.
    #[derive(Default)]
    struct Known(Mutex<Vec<String>>);

    impl Unsubscriber for Known {
        fn wish(&self, token: &str) -> Option<Wish> {
            let recipient = "anna@example.org".to_owned();
            let wish = Wish { account: Id::new(1), user: Id::new(7), recipient, sent: Day(20_000) };
            (token == "known").then_some(wish)
        }

        fn sender(&self, _wish: &Wish) -> Option<String> {
            Some("shop.example".to_owned())
        }

        fn unsubscribe(&self, wish: Wish) -> Boxed<'_, Result<(), Fault>> {
            self.0.lock().unwrap().push(wish.recipient);
            Box::pin(std::future::ready(Ok(())))
        }

        fn now(&self) -> Timestamp {
            Timestamp(0)
        }
    }

    async fn ask(router: &Router, request: axum::http::request::Builder, body: &str) -> (StatusCode, Response, String) {
        let peer = Peer("192.0.2.1:1".parse().unwrap());
        let request = request.extension(peer).body(Body::from(body.to_owned())).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let text = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        (parts.status, Response::from_parts(parts, Body::empty()), text)
    }

    #[tokio::test]
    async fn looking_does_nothing_and_one_click_does_it() {
        let known = Arc::new(Known::default());
        let router = router(Arc::clone(&known) as _, &Limits::default(), true);
        let done = || known.0.lock().unwrap().len();
        let get = Request::get("/unsubscribe/known").header("Accept-Language", "fr");
        let (status, answer, page) = ask(&router, get, "").await;
        assert_eq!((status, done()), (StatusCode::OK, 0));
        assert!(page.contains("anna@example.org") && page.contains("Se désabonner"), "{page}");
        assert!(
            answer.headers().contains_key("content-security-policy") && !answer.headers().contains_key("set-cookie")
        );
        let (status, ..) = ask(&router, Request::post("/unsubscribe/known"), "").await;
        assert_eq!((status, done()), (StatusCode::BAD_REQUEST, 0));
        // as a mailbox provider has it: from elsewhere, with no origin and no cookie, in either encoding
        let (status, answer, page) =
            ask(&router, Request::post("/unsubscribe/known"), "List-Unsubscribe=One-Click").await;
        assert_eq!((status, done()), (StatusCode::OK, 1), "{page}");
        assert!(!answer.headers().contains_key("location") && page.contains("unsubscribed"), "{page}");
        let form = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
        let post = || Request::post("/unsubscribe/known").header("Content-Type", "multipart/form-data; boundary=x");
        assert_eq!((ask(&router, post(), form).await.0, done()), (StatusCode::OK, 2));
        let much = format!("{form}{}", "x".repeat(BODY_OCTETS_MAX));
        assert_eq!((ask(&router, post(), &much).await.0, done()), (StatusCode::BAD_REQUEST, 2));
        for request in [Request::get("/unsubscribe/other"), Request::post("/unsubscribe/other")] {
            assert_eq!((ask(&router, request, ONE_CLICK).await.0, done()), (StatusCode::NOT_FOUND, 2));
        }
    }

    #[tokio::test]
    async fn who_comes_too_often_is_told_when_to_come_again() {
        let known = Arc::new(Known::default());
        let limits = Limits { unsubscribe_requests_per_minute: 10, ..Limits::default() };
        let router = router(known as _, &limits, true);
        for _ in 0..10 {
            assert_eq!(ask(&router, Request::get("/unsubscribe/other"), "").await.0, StatusCode::NOT_FOUND);
        }
        let (status, answer, _) = ask(&router, Request::get("/unsubscribe/other"), "").await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn a_form_says_it_or_it_does_not() {
        let quoted = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nNo\r\n--x--\r\n";
        for (body, said) in [
            ("List-Unsubscribe=One-Click", true),
            ("List-Unsubscribe=One-Click\r\n", true),
            ("a=b&List-Unsubscribe=One-Click", true),
            ("List-Unsubscribe=one", false),
            ("", false),
            (quoted, false),
        ] {
            assert_eq!(says_so(body), said, "{body}");
        }
    }
}
