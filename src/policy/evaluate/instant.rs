//! Instants as policies and requests write them.

/// Nanoseconds since 1970 of a date in ISO 8601 (`2026-01-02`, `2026-01-02T03:04:05Z`, with a fraction or an offset) or of
/// seconds since 1970. Source: IAM user guide, "Date condition operators".
pub(crate) fn read(text: &str) -> Option<i128> {
    if let Ok(seconds) = text.parse::<i64>() {
        // four digits alone are a year
        return if text.len() == 4 { civil(text, "1", "1").map(|days| days * DAY) } else { Some(i128::from(seconds) * SECOND) };
    }
    let (date, time) = text.split_once(['T', 't']).map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let (year, month) = (parts.next()?, parts.next()?);
    let day = parts.next().unwrap_or("1");
    let midnight = if parts.next().is_none() { civil(year, month, day)? * DAY } else { return None };
    let Some(time) = time else { return Some(midnight) };
    let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, "Z"),
    };
    let mut parts = clock.split(':');
    let hour = below(parts.next()?, 24)?;
    let minute = below(parts.next()?, 60)?;
    let (seconds, fraction) = parts.next().map_or(("0", ""), |rest| rest.split_once('.').unwrap_or((rest, "")));
    let mut nanos = 0;
    for at in 0..9 {
        nanos = nanos * 10 + fraction.chars().nth(at).map_or(Some(0), |digit| digit.to_digit(10).map(i128::from))?;
    }
    let own = (hour * 3600 + minute * 60 + below(seconds, 61)?) * SECOND + nanos;
    let ahead = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, rest) => {
            let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
            let ahead = below(hours, 24)? * 3600 + below(if minutes.is_empty() { "0" } else { minutes }, 60)? * 60;
            if sign == "-" { -ahead } else { ahead }
        }
    };
    Some(midnight + own - ahead * SECOND)
}

/// `2026-01-02T03:04:05Z`, for seconds since 1970.
pub(crate) fn show(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // days since the first of March of the year 0, in eras of 400 years (Howard Hinnant's algorithm)
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * from_march + 2) / 5 + 1, (from_march + 2) % 12 + 1);
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

pub(crate) const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

fn below(text: &str, limit: i128) -> Option<i128> {
    let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number < limit)
}

/// Days since 1970 of a date.
fn civil(year: &str, month: &str, day: &str) -> Option<i128> {
    let digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let year: i128 = year.parse().ok().filter(|_| digits)?;
    let (month, day) = (below(month, 13).filter(|month| *month > 0)?, below(day, 32).filter(|day| *day > 0)?);
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_instants_however_they_are_written() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00:01Z", Some(1)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T23:00:00-0100", Some(0)),
            ("2000-02-29T12:00:00.000Z", Some(951_825_600)),
            ("2026", Some(1_767_225_600)),
            ("1767225600", Some(1_767_225_600)),
            ("2026-13-01", None),
            ("soon", None),
            ("", None),
            ("2026-01-01T", None),
            ("2026-01-01T00:00:00+", None),
            ("é-1", None),
        ] {
            assert_eq!(read(text), seconds.map(|seconds| seconds * SECOND), "{text}");
        }
        for seconds in [-1_i64, 0, 951_825_600, 1_767_225_600, 253_402_300_799] {
            assert_eq!(read(&show(seconds)), Some(i128::from(seconds) * SECOND), "{seconds}");
        }
    }
}
