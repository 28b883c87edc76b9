//! Moments as people and programs write them: RFC 3339 in UTC.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::clock::Timestamp;

/// `2026-11-23T21:31:08.123Z`.
pub fn text(at: Timestamp) -> String {
    let Some(moment) = moment(at) else { return format!("{} ms", at.0) };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
        moment.millisecond()
    )
}

fn moment(at: Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000).ok()
}

/// Reads a moment that is no period: RFC 3339 or a day.
///
/// # Errors
/// It is neither; the text says what is.
pub fn parse(given: &str) -> Result<Timestamp, String> {
    let whole = if given.len() == 10 { format!("{given}T00:00:00Z") } else { given.replacen(' ', "T", 1) };
    let moment = OffsetDateTime::parse(&whole, &Rfc3339).map_err(|_| {
        format!("`{given}` is not a moment: write 2026-11-23T21:00:00Z, 2026-11-23, or how long ago: 90m, 7d")
    })?;
    let milliseconds = moment.to_offset(UtcOffset::UTC).unix_timestamp_nanos() / 1_000_000;
    u64::try_from(milliseconds).map(Timestamp).map_err(|_| format!("`{given}` lies before 1970"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn moments_go_both_ways() {
        let at = Timestamp(1_795_469_468_123);
        assert_eq!(text(at), "2026-11-23T21:31:08.123Z");
        assert_eq!(parse(&text(at)).unwrap(), at);
        assert_eq!(parse("2026-11-23T22:31:08.123+01:00").unwrap(), at);
        assert_eq!(text(parse("2026-11-23").unwrap()), "2026-11-23T00:00:00.000Z");
        assert!(parse("yesterday").is_err());
        assert!(parse("1969-12-31").is_err());
    }
}
