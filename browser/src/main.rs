//! Uses the console as people do: from the first link to a delivered mail, then every page, as every kind of member, in both
//! languages, on a desk and on a phone. `suites/browser` runs it with what it needs.

#![expect(clippy::print_stdout, reason = "it tells what it sees")]

mod driver;
mod house;
mod story;
mod tour;

use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// What was looked at, and what was wrong.
#[derive(Default)]
pub(crate) struct Report {
    passed: u32,
    /// What was wrong, and where: told again at the end, where it is not lost among hundreds of pages that are well.
    failed: Vec<String>,
}

impl Report {
    /// One thing that was looked at; what is wrong with it, where something is.
    pub(crate) fn note(&mut self, what: &str, wrong: &[String]) {
        if wrong.is_empty() {
            self.passed += 1;
            println!("ok: {what}");
        } else {
            let lines = wrong.iter().map(|line| format!("\n    {line}"));
            let told = format!("FAILED: {what}{}", lines.collect::<String>());
            println!("{told}");
            self.failed.push(told);
        }
    }

    /// Everything that was wrong, and the count as the last line.
    fn sum_up(&self) {
        if !self.failed.is_empty() {
            println!("\nWhat is wrong:");
        }
        self.failed.iter().for_each(|told| println!("{told}"));
        println!("{} passed, {} failed", self.passed, self.failed.len());
    }
}

/// `browser BINARY AXE PICTURES`: the relay, axe-core's script, and the folder that pictures are put into.
#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let mut next = |what: &str| arguments.next().with_context(|| format!("{what} is missing"));
    let (binary, axe, pictures) = (next("the binary")?, next("axe-core's script")?, next("a folder for pictures")?);
    std::fs::create_dir_all(&pictures)?;
    let axe = std::fs::read_to_string(axe)?;
    let mut report = Report::default();
    let house = house::House::start(&binary)?;
    let driver = driver::Driver::start().await?;
    let looked = async {
        let people = story::tell(&house, &driver, &mut report).await?;
        tour::all(&house, &driver, &people, (&axe, &pictures), &mut report).await
    };
    let looked = looked.await;
    if looked.is_err() {
        // what was on the page when it broke off
        driver.picture(&pictures.join("broke-off.png")).await?;
    }
    driver.close().await?;
    report.sum_up();
    looked?;
    anyhow::ensure!(report.failed.is_empty(), "something is wrong with the console");
    Ok(())
}
