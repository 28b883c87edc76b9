//! `envoi brake`: what is typed, and what it shows.

use clap::Subcommand;
use relay::service::operation::Operation;
use relay::service::view::BrakeView;

use super::operate::Wanted;
use super::table::table;
use crate::moment::short;

/// `brake`
#[derive(Debug, Subcommand)]
pub enum BrakeCommand {
    /// List the automatic brakes that are on, with why
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
    },
    /// Release one: new mail is taken again, and what was held goes out
    Release {
        /// Its reference, such as `U17`
        brake: String,
    },
}

pub(super) fn operation(command: &BrakeCommand) -> Wanted {
    match command {
        BrakeCommand::List { account } => Operation::BrakeList { account: *account }.into(),
        BrakeCommand::Release { brake } => Operation::BrakeRelease { brake: brake.clone() }.into(),
    }
}

/// The list.
pub(super) fn list(brakes: &[BrakeView]) -> String {
    let row = |brake: &BrakeView| {
        vec![
            brake.brake.clone(),
            brake.account.to_string(),
            brake.user_name.clone().unwrap_or_default(),
            brake.cause.clone(),
            format!("{} of {}", brake.counted, brake.of),
            short(&brake.since),
        ]
    };
    table(&["brake", "account", "smtp user", "cause", "counted", "since"], brakes.iter().map(row), "No brake is on.")
}
