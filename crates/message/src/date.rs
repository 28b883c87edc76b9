//! Date and time as letters write it (RFC 5322 §3.3), and as people read it in French.

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

/// `23 novembre 2026, 21 h 30 (UTC)`, for seconds since 1970, with blanks that do not break within.
pub(crate) fn french(seconds: u64) -> String {
    const MONTHS: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    let seconds = seconds.min(SECONDS_MAX).cast_signed();
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let day = if moment.day() == 1 { "1er".to_owned() } else { moment.day().to_string() };
    let month = MONTHS[usize::from(u8::from(moment.month())) - 1];
    format!("{day} {month} {}, {} h {:02} (UTC)", moment.year(), moment.hour(), moment.minute()).replace(' ', "\u{a0}")
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
    fn french_reads_its_own_dates() {
        assert_eq!(french(1_795_469_441).replace('\u{a0}', " "), "23 novembre 2026, 21 h 30 (UTC)");
        assert_eq!(french(0).replace('\u{a0}', " "), "1er janvier 1970, 0 h 00 (UTC)");
    }

    #[test]
    fn the_end_of_time_has_a_date() {
        assert_eq!(rfc5322(u64::MAX), "Fri, 31 Dec 9999 23:59:59 +0000");
    }
}
