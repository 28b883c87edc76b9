//! Moments as the command line shows and reads them.

use relay::clock::Timestamp;

pub use relay::moment::text;

/// `2026-11-23 21:31:08`, for tables.
pub fn short(at: &str) -> String {
    let cut = at.get(..19).unwrap_or(at);
    cut.replace('T', " ")
}

/// `21:31:08.123`, for lines as they happen.
pub fn of_day(at: &str) -> &str {
    at.get(11..23).unwrap_or(at)
}

/// Reads a moment: RFC 3339, a day (`2026-11-23`, its beginning in UTC), or how long ago (`90m`, `7d`).
///
/// # Errors
/// It is none of these; the text says what is.
pub fn parse(given: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Some(seconds) = crate::config::parse_span(given) {
        return Ok(Timestamp(now.0.saturating_sub(seconds.saturating_mul(1000))));
    }
    relay::moment::parse(given)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_cut_for_tables_and_lines() {
        let at = Timestamp(1_795_469_468_123);
        assert_eq!(short(&text(at)), "2026-11-23 21:31:08");
        assert_eq!(of_day(&text(at)), "21:31:08.123");
    }

    #[test]
    fn periods_are_counted_back() {
        assert_eq!(parse("2m", Timestamp(200_000)).unwrap(), Timestamp(80_000));
        assert_eq!(parse("7d", Timestamp(5)).unwrap(), Timestamp(0));
        assert!(parse("yesterday", Timestamp(5)).is_err());
    }
}
