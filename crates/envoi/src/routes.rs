//! The operator's routes with the passwords of their logins, which are read from their files at the start.

use relay::route::Routes;
use relay::service::Fault;
use smtp::secret::Secret;
use std::path::Path;

use crate::config::{Config, RouteTable};
use crate::rule_file;

/// The routes in force.
///
/// # Errors
/// A route is none, or the file of a password cannot be read or has none.
pub(crate) fn routes(config: &Config) -> Result<Routes, Fault> {
    let whole = |RouteTable { route, password_file }: &RouteTable| {
        let mut route = route.clone();
        if let (Some(login), Some(file)) = (&mut route.login, password_file) {
            login.password = password(file).map_err(|what| {
                let what = format!("The password of the route to {} cannot be used: {what}.", route.host);
                Fault::invalid(what, "`password_file` names a file whose first line is the password.")
            })?;
        }
        Ok(route)
    };
    let routes = config.delivery.routes.iter().map(whole).collect::<Result<Vec<_>, Fault>>()?;
    Routes::new(routes).map_err(|error| Fault::invalid(format!("{error}."), "Put the route right."))
}

/// The password that a file holds; what is wrong with the file, its name first.
pub(crate) fn password(file: &Path) -> Result<Secret, String> {
    rule_file::read(file, |text| match text.lines().next().unwrap_or_default() {
        "" => Err("its first line is empty"),
        line if line.contains('\0') => Err("the password has a NUL, which no login can carry"),
        line => Ok(Secret::new(line.as_bytes().to_vec())),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password_and_no_fault_shows_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        assert!(password(&file).unwrap_err().contains("password: "));
        std::fs::write(&file, "").unwrap();
        assert!(password(&file).unwrap_err().ends_with("its first line is empty"));
        std::fs::write(&file, "wo\0rd").unwrap();
        let told = password(&file).unwrap_err();
        assert!(told.contains("NUL") && !told.contains("rd,"), "{told}");
        std::fs::write(&file, " pass word \r\nand more\n").unwrap();
        assert_eq!(password(&file).unwrap().expose(), b" pass word ");
    }
}
