//! Date and time as letters write it (RFC 5322 §3.3).

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The last second of the year 9999, beyond which the format has no year.
const SECONDS_MAX: u64 = 253_402_300_799;

/// `Mon, 23 Nov 2026 21:30:41 +0000`, for seconds since 1970 in UTC.
///
/// A moment past the year 9999 is written as the last one of that year.
pub fn rfc5322(seconds: u64) -> String {
    let seconds = seconds.min(SECONDS_MAX).cast_signed();
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc2822).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_day_month_and_zone() {
        assert_eq!(rfc5322(0), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(rfc5322(1_795_469_441), "Mon, 23 Nov 2026 21:30:41 +0000");
        assert_eq!(rfc5322(951_782_400), "Tue, 29 Feb 2000 00:00:00 +0000");
    }

    #[test]
    fn the_end_of_time_has_a_date() {
        assert_eq!(rfc5322(u64::MAX), "Fri, 31 Dec 9999 23:59:59 +0000");
    }
}
