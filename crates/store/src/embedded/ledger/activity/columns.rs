//! The numbers that stand for statuses in `activity.db`.

use relay::activity::Status;
use rusqlite::Error;

/// The number that stands for a status.
pub(super) fn status_number(status: Status) -> u8 {
    match status {
        Status::Rejected => 0,
        Status::Accepted => 1,
        Status::Pending => 2,
        Status::Delivered => 3,
        Status::Deferred => 4,
        Status::SoftBounce => 5,
        Status::HardBounce => 6,
        Status::Complaint => 7,
    }
}

/// The status that a number stands for.
pub(super) fn status(number: u8) -> rusqlite::Result<Status> {
    Ok(match number {
        0 => Status::Rejected,
        1 => Status::Accepted,
        2 => Status::Pending,
        3 => Status::Delivered,
        4 => Status::Deferred,
        5 => Status::SoftBounce,
        6 => Status::HardBounce,
        7 => Status::Complaint,
        _ => return Err(Error::IntegralValueOutOfRange(0, i64::from(number))),
    })
}
