//! What somebody does who has never seen the product: from the first link to a delivered mail, and what goes wrong on the way,
//! through pages alone.

use anyhow::{Context as _, Result, ensure};

use crate::Report;
use crate::driver::Driver;
use crate::house::{House, Settings};

const PASSWORD: &str = "quatre vélos sous la neige";

/// Somebody who signs in.
pub(crate) struct Person {
    /// What pictures are called by.
    pub(crate) name: String,
    /// What they are spoken to in.
    pub(crate) language: &'static str,
    email: String,
}

impl Person {
    fn new(name: &str, language: &'static str) -> Person {
        Person { name: name.to_owned(), language, email: format!("{name}@example.com") }
    }

    /// Comes in by address and password.
    pub(crate) async fn sign_in(&self, house: &House, driver: &Driver) -> Result<()> {
        driver.open(&format!("{}/sign-in", house.console())).await?;
        driver.fill("#email", &self.email).await?;
        driver.fill("#password", PASSWORD).await?;
        driver.send("form[action='/sign-in']").await
    }
}

/// Everything from the first link on; who can sign in afterwards.
pub(crate) async fn tell(house: &House, driver: &Driver, report: &mut Report) -> Result<Vec<Person>> {
    let operator = Person::new("operator", "en");
    first_start(house, driver, &operator).await.context("the first start")?;
    report.note("the first link makes an operator", &[]);
    let settings = from_account_to_user(house, driver).await.context("from account to SMTP user")?;
    report.note("an account, a domain and an SMTP user are made", &[]);
    delivered(house, driver, &settings).await.context("the first mail")?;
    report.note("what Python sent with the page's settings is delivered in Activity", &[]);
    tried(house, driver).await.context("the sandbox")?;
    report.note("what a sandbox user sent is in the test inbox", &[]);
    explained(house, driver, &settings).await.context("a wrong password")?;
    report.note("a wrong password is explained under Connections", &[]);
    let invited = invited(house, driver).await.context("invitations")?;
    report.note("members come in by their links", &[]);
    used_up(house, driver, &operator, &settings).await.context("a quota")?;
    report.note("a quota that is used up refuses, and its bar is full", &[]);
    Ok(std::iter::once(operator).chain(invited).collect())
}

async fn first_start(house: &House, driver: &Driver, operator: &Person) -> Result<()> {
    driver.resize((1280, 900)).await?;
    driver.open(&house.first_link).await?;
    driver.fill("#name", "Olive Opérateur").await?;
    driver.fill("#email", &operator.email).await?;
    driver.fill("#password", PASSWORD).await?;
    driver.send("form[action='/first-start']").await?;
    let here = driver.here().await?;
    ensure!(here.ends_with("/operator") || here.contains("/operator/"), "whoever came first is at {here}");
    driver.open(&house.first_link).await?;
    ensure!(!driver.has("form[action='/first-start']").await?, "the first link works twice");
    Ok(())
}

/// Makes an account, its domain, which the operator vouches for, and an SMTP user; what the page shows of it.
async fn from_account_to_user(house: &House, driver: &Driver) -> Result<Settings> {
    let page = |path: &str| format!("{}{path}", house.console());
    driver.open(&page("/operator/accounts")).await?;
    driver.fill("form[method=post][action='/operator/accounts'] input[name=name]", "Boréal Coop").await?;
    driver.send("form[method=post][action='/operator/accounts']").await?;
    let account = driver.here().await?;
    driver.send("main form[action$='/enter']").await?;
    driver.open(&page("/domains")).await?;
    driver.fill("form[action='/domains'] input[name=name]", "boreal.example").await?;
    driver.send("form[action='/domains']").await?;
    driver.send("form[action='/operator/leave']").await?;
    driver.open(&account).await?;
    driver.send("form[action$='/vouch']").await?;
    driver.send("main form[action$='/enter']").await?;
    let settings = user_made(house, driver, "WordPress", false).await?;
    driver.open(&page("/domains/boreal.example")).await?;
    let text = driver.text("main").await?;
    ensure!(text.contains("WordPress") && !text.contains(&settings.password), "the list shows no user, or a password");
    Ok(settings)
}

/// Makes an SMTP user; what the page shows of it.
async fn user_made(house: &House, driver: &Driver, name: &str, sandbox: bool) -> Result<Settings> {
    driver.open(&format!("{}/domains/boreal.example/users/new", house.console())).await?;
    driver.fill("form[action$='/users/new'] input[name=name]", name).await?;
    if sandbox {
        driver.script("document.querySelector('[name=sandbox]').checked = true", Vec::new()).await?;
    }
    driver.send("form[action$='/users/new']").await?;
    let shown = driver
        .script("return [...document.querySelectorAll('.kv .value')].map(value => value.textContent)", Vec::new());
    let shown = shown.await?;
    let value =
        |place: usize| shown[place].as_str().map(str::to_owned).with_context(|| format!("value {place} of {shown}"));
    Ok(Settings {
        // the certificate of the demonstration is for this name too
        server: value(0)?,
        port: value(1)?,
        username: value(3)?,
        password: value(4)?,
        sender: "shop@boreal.example".to_owned(),
    })
}

/// What an SMTP user in sandbox mode sends is shown in the test inbox, its HTML in a frame.
async fn tried(house: &House, driver: &Driver) -> Result<()> {
    let settings = user_made(house, driver, "Trial", true).await?;
    let refused = house.send_as("text/html", &settings, "A trial")?;
    ensure!(refused.is_none(), "{refused:?}");
    driver.wait_for(&format!("{}/inbox", house.console()), "tbody a").await?;
    let text = driver.text("tbody").await?;
    ensure!(text.contains("A trial") && text.contains("somebody@example.net"), "{text}");
    driver.find("tbody a").await?.click().await?;
    driver.find("iframe.letter").await?;
    let text = driver.text("main").await?;
    ensure!(text.contains("rsa-sha256") || text.contains("not signed"), "{text}");
    Ok(())
}

async fn delivered(house: &House, driver: &Driver, settings: &Settings) -> Result<()> {
    let refused = house.send(settings, "First mail")?;
    ensure!(refused.is_none(), "{refused:?}");
    driver.wait_for(&format!("{}/activity", house.console()), "tbody .s-delivered").await?;
    let text = driver.text("tbody").await?;
    ensure!(text.contains("First mail") && text.contains("somebody@example.net"), "{text}");
    driver.find("tbody a").await?.click().await?;
    driver.find(".timeline").await?;
    Ok(())
}

async fn explained(house: &House, driver: &Driver, settings: &Settings) -> Result<()> {
    let wrong = Settings { password: "wrong".to_owned(), ..settings.clone() };
    let refused = house.send(&wrong, "Never")?;
    ensure!(refused.as_deref().is_some_and(|said| said.contains("535")), "{refused:?}");
    driver.wait_for(&format!("{}/connections", house.console()), "main table tbody tr").await?;
    let text = driver.text("main").await?;
    ensure!(text.contains("535") && text.contains("WordPress"), "{text}");
    Ok(())
}

/// Invites an administrator of each language and a member who sees little; each chooses a password by their link.
async fn invited(house: &House, driver: &Driver) -> Result<Vec<Person>> {
    let people = [
        ("administrator", "administrator", "en"),
        ("administratrice", "administrator", "fr"),
        ("lectrice", "custom", "fr"),
    ];
    let mut links = Vec::new();
    for (name, role, language) in people {
        let person = Person::new(name, language);
        driver.open(&format!("{}/members", house.console())).await?;
        driver.fill("form[action='/members'] [name=email]", &person.email).await?;
        driver.fill("form[action='/members'] [name=name]", name).await?;
        driver.press(&format!("form[action='/members'] [name=role][value={role}]")).await?;
        driver.choose("form[action='/members'] [name=language]", language).await?;
        driver.send("form[action='/members']").await?;
        links.push((person, driver.text(".kv .secret .value").await?));
    }
    let mut invited = Vec::new();
    for (person, link) in links {
        driver.forget().await?;
        driver.open(&link).await?;
        driver.fill("#password", PASSWORD).await?;
        driver.send("form[action='/choose-password']").await?;
        ensure!(driver.has("nav.nav").await?, "{} is not in", person.name);
        driver.open(&link).await?;
        ensure!(!driver.has("form[action='/choose-password']").await?, "a link works twice");
        invited.push(person);
    }
    Ok(invited)
}

async fn used_up(house: &House, driver: &Driver, operator: &Person, settings: &Settings) -> Result<()> {
    driver.forget().await?;
    operator.sign_in(house, driver).await?;
    // where the account was entered before, the operator is still in it
    if driver.has("form[action='/operator/leave']").await? {
        driver.send("form[action='/operator/leave']").await?;
    }
    driver.open(&format!("{}/operator/accounts?q=Bor%C3%A9al", house.console())).await?;
    driver.find("tbody a").await?.click().await?;
    driver.fill("form[action$='/quota'] [name=recipients]", "1").await?;
    driver.send("form[action$='/quota']").await?;
    let refused = house.send(settings, "One too many")?;
    ensure!(refused.as_deref().is_some_and(|said| said.contains("452") && said.contains("4.7.1")), "{refused:?}");
    driver.send("main form[action$='/enter']").await?;
    driver.open(&format!("{}/", house.console())).await?;
    driver.find("aside.quota.full").await?;
    driver.wait_for(&format!("{}/activity", house.console()), "tbody .s-rejected").await?;
    driver.send("form[action='/operator/leave']").await
}
