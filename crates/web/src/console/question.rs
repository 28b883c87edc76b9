//! The page that asks once more before something is done that cannot be undone. The script shows its form as a dialog.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::page::{Page, shown_as};
use super::refusal::Refusal;

/// What is to be typed before the button does anything.
pub(super) struct Typed {
    pub(super) label: String,
    /// The very word, as a pattern of HTML.
    pub(super) pattern: String,
}

impl Typed {
    /// The name of a domain.
    pub(super) fn domain(label: String, name: &str) -> Typed {
        Typed { label, pattern: name.replace('.', "\\.") }
    }

    /// Any text.
    pub(super) fn text(label: String, text: &str) -> Typed {
        let mut pattern = String::with_capacity(text.len());
        for letter in text.chars() {
            if r"^$\.*+?()[]{}|/".contains(letter) {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        Typed { label, pattern }
    }
}

/// One of several ways to do it.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

#[derive(Template)]
#[template(path = "question.html")]
pub(super) struct Confirm {
    pub(super) page: Page,
    pub(super) title: String,
    /// What follows from it.
    pub(super) lines: Vec<String>,
    /// Where the form goes.
    pub(super) action: String,
    /// Where whoever thinks better of it goes.
    pub(super) back: String,
    pub(super) button: String,
    pub(super) typed: Option<Typed>,
    /// What is to be ticked.
    pub(super) sure: Option<String>,
    /// Between what is to be chosen; empty where nothing is.
    pub(super) which: String,
    pub(super) choices: Vec<Choice>,
    /// Nothing brings back what was before.
    pub(super) is_final: bool,
    pub(super) refused: Option<Refusal>,
}

impl Confirm {
    /// It as an answer.
    pub(super) fn asked(&self) -> Response {
        let status = if self.refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        shown_as(status, self)
    }
}

/// A question that a tick answers.
pub(super) struct Question {
    /// What is about to happen, as a question.
    pub(super) title: String,
    /// What follows from it.
    pub(super) consequences: Vec<String>,
    /// What has to be ticked.
    pub(super) sure: String,
    /// Where the answer goes.
    pub(super) action: String,
    /// What the button says.
    pub(super) act: String,
    /// Where whoever thinks better of it goes.
    pub(super) back: String,
}

/// Asks.
pub(super) fn asked(page: Page, question: Question) -> Response {
    let Question { title, consequences: lines, sure, action, act: button, back } = question;
    let (typed, sure, which, choices) = (None, Some(sure), String::new(), Vec::new());
    let (is_final, refused) = (true, None);
    Confirm { page, title, lines, action, back, button, typed, sure, which, choices, is_final, refused }.asked()
}

/// The answer: a form without the tick is none.
#[derive(Deserialize)]
pub(super) struct Sure {
    #[serde(rename = "sure")]
    _sure: String,
}

/// A form that is nothing but a button.
#[derive(Deserialize)]
pub(super) struct Pressed {}
