//! What the operator looks after on pages: backups, the relay's own mail, domains, suppressed addresses, reports on TLS.

#![allow(clippy::unwrap_used)]

mod support;

use relay::power::Role;
use support::browser::{Browser, Shown, member, world};
use support::{House, Login, Port};

/// A browser of somebody of the operator who reads French.
fn french(house: &House, server: &support::Server) -> Browser {
    let mut browser = member(house, server, None, "op@example.com", Role::Administrator);
    assert_eq!(browser.post("/profile", &[("name", "Olga"), ("language", "fr")]).status, 303);
    browser
}

fn has(shown: &Shown, words: &[&str]) {
    for words in words {
        assert!(shown.body.contains(words), "{words}: {}", shown.body);
    }
}

#[test]
fn a_backup_is_made_checked_and_found_damaged_on_a_page() {
    let (house, server) = world();
    let mut browser = french(&house, &server);
    has(&browser.get("/operator/backups"), &["Aucune sauvegarde pour l’instant", "envoi restore --hold"]);
    let refused = browser.post("/operator/backups", &[("target", "backups/one")]);
    assert_eq!(refused.status, 422);
    has(&refused, &["barre oblique", "value=\"backups/one\""]);
    let taken = house.path().to_str().unwrap().to_owned();
    let refused = browser.post("/operator/backups", &[("target", &taken)]);
    assert_eq!(refused.status, 422);
    has(&refused, &["rien n’y a été écrit"]);
    has(&browser.get("/operator/backups"), &["n’a pas été faite", "Indiquez un dossier vide"]);

    let target = house.path().join("backups/one");
    let folder = target.to_str().unwrap();
    let made = browser.post("/operator/backups", &[("target", folder), ("with_master_key", "1")]);
    assert_eq!(made.location, "/operator/backups", "{}", made.body);
    assert!(target.join("manifest.json").exists() && target.join("master.key").exists());
    let listed = browser.get("/operator/backups");
    has(&listed, &[folder, "Intacte", "relu sur le disque", "Incluse", "par op@example.com"]);
    assert!(!listed.body.contains("n’a pas été faite"), "the failure of before is over");
    // the next one is suggested beside it
    has(&listed, &[&format!("value=\"{}/20", house.path().join("backups").display())]);
    assert_eq!(browser.post("/operator/backups/1/check", &[]).status, 303);
    has(&browser.get("/operator/backups"), &["Tous les fichiers ont été comparés"]);
    let told = house.json(&["backup", "--list"]);
    assert_eq!((&told["backups"][0]["there"], &told["busy_since"]), (&true.into(), &serde_json::Value::Null));

    let ledger = target.join("ledger.db");
    let mut octets = std::fs::read(&ledger).unwrap();
    octets[20] ^= 1;
    std::fs::write(&ledger, octets).unwrap();
    let refused = browser.post("/operator/backups/1/check", &[]);
    assert_eq!(refused.status, 422);
    has(&refused, &["ne pourrait pas être restaurée telle quelle"]);
    has(&browser.get("/operator/backups"), &["Endommagée"]);
    assert_eq!(house.error(&["backup", "--check", "1"])["kind"], "invalid");
    std::fs::remove_dir_all(&target).unwrap();
    has(&browser.get("/operator/backups"), &["Déplacée ou supprimée"]);
    has(&browser.post("/operator/backups/7/check", &[]), &["ne figure pas dans la liste"]);
}

#[test]
fn the_relays_own_domain_is_added_and_looked_after_on_pages() {
    let house = House::new(1);
    let text = std::fs::read_to_string(house.config()).unwrap();
    let own = "[mail]\nfrom = \"Relay <envoi@mail.example>\"\n";
    std::fs::write(house.config(), text + own).unwrap();
    let server = house.serve();
    let mut browser = french(&house, &server);
    has(
        &browser.get("/operator/mail"),
        &["mail.example, d’où le relais doit écrire, ne figure pas", "Ajouter mail.example"],
    );
    assert_eq!(browser.post("/operator/mail", &[("name", "no domain")]).status, 422);
    let added = browser.post("/operator/mail", &[("name", "mail.example")]);
    assert_eq!(added.location, "/operator/domains/1", "{}", added.body);
    let shown = browser.get("/operator/domains/1");
    has(&shown, &["mail.example", "Signature n°", "Vérifier maintenant", "href=\"/operator/mail\""]);
    has(&browser.get("/operator/mail"), &["ne peut pas encore envoyer", "Le relais écrit depuis ce domaine"]);
    assert_eq!(browser.post("/operator/domains/1/verify", &[]).location, "/operator/domains/1");
    assert_eq!(browser.post("/operator/domains/1/vouch", &[("vouched", "false")]).status, 422, "nobody vouches for it");
    assert_eq!(browser.post("/operator/domains/1/vouch", &[("vouched", "true")]).status, 303);
    has(&browser.get("/operator/mail"), &["Le relais écrit en tant que envoi@mail.example"]);
    has(&browser.get("/operator/domains/1/rotate"), &["action=\"/operator/domains/1/rotate\""]);
    has(&browser.get("/operator/domains/1/delete"), &["action=\"/operator/domains/1/delete\""]);
    let deleted = browser.post("/operator/domains/1/delete", &[("typed", "mail.example")]);
    assert_eq!(deleted.location, "/operator/mail");
    // those of accounts, too
    house.json(&["account", "add", "--name", "acme"]);
    house.json(&["domain", "add", "--account", "1", "acme.example"]);
    let account = browser.get("/operator/accounts/1");
    has(&account, &["href=\"/operator/domains/2\""]);
    has(&browser.get("/operator/domains/2"), &["href=\"/operator/accounts/1\""]);
}

#[test]
fn suppressed_addresses_of_all_accounts_are_found_and_lifted() {
    let (house, server) = world();
    for (account, name) in [("1", "acme"), ("2", "other")] {
        house.json(&["account", "add", "--name", name]);
        for number in 0..30 {
            house.json(&["suppression", "add", "--account", account, &format!("gone{number:02}@{name}.test")]);
        }
    }
    let mut browser = french(&house, &server);
    let first = browser.get("/operator/suppressions");
    has(&first, &["gone00@acme.test", "gone19@other.test", "rel=\"next\"", "href=\"/operator/accounts/2\""]);
    assert!(!first.body.contains("gone20@other.test") && first.body.len() < 100_000, "{} octets", first.body.len());
    let next = first.body.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    has(&browser.get(&next), &["gone20@other.test", "gone29@other.test", "rel=\"prev\""]);
    let narrow = browser.get("/operator/suppressions?account=2&search=gone07");
    has(&narrow, &["gone07@other.test"]);
    assert!(!narrow.body.contains("gone07@acme.test"));
    let lift = [("account", "2"), ("address", "gone07@other.test"), ("here", "/operator/suppressions?account=2")];
    assert_eq!(browser.post("/operator/suppressions/lift", &lift).location, "/operator/suppressions?account=2");
    let away = [("account", "2"), ("address", "gone08@other.test"), ("here", "//elsewhere.example")];
    assert_eq!(browser.post("/operator/suppressions/lift", &away).location, "/operator/suppressions");
    assert_eq!(house.json(&["suppression", "list", "--account", "2"]).as_array().unwrap().len(), 28);
    assert_eq!(browser.get("/operator/suppressions?account=x").status, 404);
}

#[test]
fn the_operator_sees_connections_of_every_account_and_of_nobody() {
    let (house, server) = world();
    let login = house.furnish();
    let stranger = Login { username: "nobody-of-ours".into(), password: login.password.clone() };
    let thief = Login { username: login.username.clone(), password: "guessed".into() };
    for wrong in [&stranger, &thief] {
        let client = house.client(Port::Tls(server.tls), wrong);
        assert!(support::send(&client, "a@example.com", &["b@example.net"], b"Subject: x\r\n\r\nx\r\n").is_err());
    }
    let mut browser = french(&house, &server);
    let rows = support::eventually("both rows", || {
        let rows = house.json(&["connections", "list"]);
        let names: std::collections::BTreeSet<_> =
            rows.as_array().unwrap().iter().map(|row| row["account"].to_string()).collect();
        (names.len() == 2).then_some(rows)
    });
    assert!(rows.to_string().contains("nobody-of-ours"), "{rows}");
    let shown = browser.get("/operator/connections");
    has(
        &shown,
        &["d’aucun compte", "href=\"/operator/accounts/1\"", "Nom d’utilisateur inconnu", "Mauvais mot de passe"],
    );
    let narrow = browser.get("/operator/connections?account=1");
    assert!(narrow.body.contains(&login.username) && !narrow.body.contains("nobody-of-ours"), "{}", narrow.body);
    let csv = browser.get("/operator/connections/export.csv");
    has(&csv, &["nobody-of-ours", ",session,account"]);
    assert_eq!(browser.get("/operator/connections?account=x").status, 404);
}

#[test]
fn reports_on_tls_have_a_page() {
    let (house, server) = world();
    let mut browser = french(&house, &server);
    has(&browser.get("/operator/queue"), &["href=\"/operator/tls-reports\""]);
    has(&browser.get("/operator/tls-reports"), &["Aucun rapport n’a encore été envoyé", "Rien n’est compté"]);
    assert_eq!(browser.get("/operator/tls-reports?after=nothing").status, 422);
}
