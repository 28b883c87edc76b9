//! Chromium, driven by its own driver.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use thirtyfour::{By, Capabilities, WebDriver, WebElement};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with one window.
pub(crate) struct Driver {
    browser: WebDriver,
    _process: Child,
}

impl Driver {
    /// Starts one on a port that is free.
    pub(crate) async fn start() -> Result<Driver> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver cannot be started")?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let port = loop {
            let line = lines.next_line().await?.context("chromedriver ended before it said its port")?;
            if let Some((_, rest)) = line.split_once("started successfully on port ") {
                break rest.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"];
        let Value::Object(wanted) = json!({
            "goog:chromeOptions": { "args": arguments, "prefs": { "intl.accept_languages": "en-CA,en" } },
        }) else {
            bail!("not an object");
        };
        let browser = WebDriver::new(format!("http://127.0.0.1:{port}"), Capabilities::from(wanted)).await?;
        Ok(Driver { browser, _process: process })
    }

    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.browser.quit().await?)
    }

    /// Opens a page.
    pub(crate) async fn open(&self, url: &str) -> Result<()> {
        self.browser.goto(url).await.with_context(|| url.to_owned())
    }

    /// Where it is.
    pub(crate) async fn here(&self) -> Result<String> {
        Ok(self.browser.current_url().await?.to_string())
    }

    /// Forgets who is signed in.
    pub(crate) async fn forget(&self) -> Result<()> {
        Ok(self.browser.delete_all_cookies().await?)
    }

    /// A window of this size.
    pub(crate) async fn resize(&self, (width, height): (u32, u32)) -> Result<()> {
        Ok(self.browser.set_window_rect(0, 0, width, height).await?)
    }

    /// The first element of a selector, once it is there.
    pub(crate) async fn find(&self, selector: &str) -> Result<WebElement> {
        let begun = Instant::now();
        loop {
            match self.browser.find(By::Css(selector)).await {
                Ok(found) => return Ok(found),
                Err(why) if begun.elapsed() > PATIENCE => {
                    return Err(why).with_context(|| format!("{selector} is not on the page"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Whether there is one now.
    pub(crate) async fn has(&self, selector: &str) -> Result<bool> {
        Ok(!self.browser.find_all(By::Css(selector)).await?.is_empty())
    }

    /// The text of an element.
    pub(crate) async fn text(&self, selector: &str) -> Result<String> {
        Ok(self.find(selector).await?.text().await?)
    }

    /// Fills a field, whatever was in it.
    pub(crate) async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.find(selector).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Chooses an option of a list.
    pub(crate) async fn choose(&self, selector: &str, value: &str) -> Result<()> {
        let script = "const [list, value] = arguments;\
             list.value = value;\
             list.dispatchEvent(new Event('input', { bubbles: true }));\
             list.dispatchEvent(new Event('change', { bubbles: true }));\
             return list.value === value";
        let list = self.find(selector).await?.to_json()?;
        let is_chosen = self.script(script, vec![list, json!(value)]).await?;
        anyhow::ensure!(is_chosen == true, "{selector} has no {value}");
        Ok(())
    }

    /// Sends a form by its own button, and waits for the page that comes.
    pub(crate) async fn send(&self, form: &str) -> Result<()> {
        let button = self.press(&format!("{form} button:not([type=button])")).await?;
        self.gone(&button).await
    }

    /// Presses something, which may lie below the edge or in a menu that is folded.
    pub(crate) async fn press(&self, selector: &str) -> Result<WebElement> {
        let element = self.find(selector).await?;
        self.script("arguments[0].click()", vec![element.to_json()?]).await?;
        Ok(element)
    }

    /// Waits until the page of an element is another.
    async fn gone(&self, element: &WebElement) -> Result<()> {
        let begun = Instant::now();
        while element.tag_name().await.is_ok() {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "the page stayed after a form was sent");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Reloads until something is there.
    pub(crate) async fn wait_for(&self, url: &str, selector: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.open(url).await?;
            if self.has(selector).await? {
                return Ok(());
            }
            anyhow::ensure!(begun.elapsed() < PATIENCE, "{selector} did not appear on {url}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// What a script answers.
    pub(crate) async fn script(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.browser.execute(script, arguments).await?.json().clone())
    }

    /// What a script answers by its last argument.
    pub(crate) async fn script_later(&self, script: &str) -> Result<Value> {
        Ok(self.browser.execute_async(script, Vec::new()).await?.json().clone())
    }

    /// The window as a picture.
    pub(crate) async fn picture(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, self.browser.screenshot_as_png().await?)?)
    }
}
