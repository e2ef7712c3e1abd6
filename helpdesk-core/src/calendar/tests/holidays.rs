//! Which dates the rules of holidays give.

use super::*;
use crate::calendar::{HolidayDate, HolidayDef, Observed};
use chrono::NaiveDate;

/// The dates on which a holiday is kept in some years.
fn kept(rule: &str, years: &[i32]) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Source {
        holiday: HolidayDef,
    }
    let source: Source = toml::from_str(&format!("holiday = {rule}")).expect("reads");
    let date = |year: &i32| source.holiday.on.in_year(*year);
    let dates = years.iter().filter_map(date).map(|date| source.holiday.observed.of(date));
    dates.map(|date| date.to_string()).collect()
}

#[test]
fn easter_hangs_feasts_before_and_after_it() {
    let western = ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25"];
    assert_eq!(kept("{ on = { easter = 0 } }", &[2024, 2025, 2026, 2027, 2038]), western);
    assert_eq!(kept("{ on = { easter = -2 } }", &[2026]), ["2026-04-03"]);
    assert_eq!(kept("{ on = { easter = 50 } }", &[2026]), ["2026-05-25"]);
    let orthodox = ["2024-05-05", "2025-04-20", "2026-04-12", "2027-05-02", "2099-04-12"];
    let rule = "{ on = { orthodox_easter = 0 } }";
    assert_eq!(kept(rule, &[2024, 2025, 2026, 2027, 2099]), orthodox);
}

#[test]
fn the_nth_day_of_a_week_counts_from_either_end_of_the_month() {
    let thanksgiving = "{ on = { nth = 4, weekday = \"thu\", month = 11 } }";
    assert_eq!(kept(thanksgiving, &[2025, 2026]), ["2025-11-27", "2026-11-26"]);
    let memorial_day = "{ on = { nth = -1, weekday = \"mon\", month = 5 } }";
    assert_eq!(kept(memorial_day, &[2025, 2026]), ["2025-05-26", "2026-05-25"]);
    let fifth_friday = "{ on = { nth = 5, weekday = \"fri\", month = 2 } }";
    assert_eq!(kept(fifth_friday, &[2025, 2026, 2036]), ["2036-02-29"]);
    let fifth_from_end = "{ on = { nth = -5, weekday = \"fri\", month = 1 } }";
    assert_eq!(kept(fifth_from_end, &[2026, 2027]), ["2026-01-02", "2027-01-01"]);
}

#[test]
fn the_29th_of_february_is_in_leap_years_only() {
    assert_eq!(kept("{ on = \"02-29\" }", &[2026, 2027, 2028]), ["2028-02-29"]);
}

#[test]
fn a_holiday_on_a_weekend_moves_as_its_rule_says() {
    // 2026-12-26 is a Saturday, 2027-12-26 a Sunday, 2028-12-26 a Tuesday.
    let years = [2026, 2027, 2028];
    let on =
        |observed: &str| kept(&format!("{{ on = \"12-26\", observed = \"{observed}\" }}"), &years);
    assert_eq!(on("same_day"), ["2026-12-26", "2027-12-26", "2028-12-26"]);
    assert_eq!(on("monday_after_weekend"), ["2026-12-28", "2027-12-27", "2028-12-26"]);
    assert_eq!(on("tuesday_after_weekend"), ["2026-12-29", "2027-12-28", "2028-12-26"]);
    assert_eq!(on("nearest_weekday"), ["2026-12-25", "2027-12-27", "2028-12-26"]);
    assert_eq!(on("monday_after_sunday"), ["2026-12-26", "2027-12-27", "2028-12-26"]);
    let date = NaiveDate::from_ymd_opt(2027, 1, 1).expect("a date");
    assert_eq!(Observed::NearestWeekday.of(date), date);
}

#[test]
fn a_holiday_observed_in_the_year_before_its_own_is_kept() {
    // 2034-01-01 is a Sunday and 2028-01-01 a Saturday; 2034 starts a piece.
    let rule = "holidays = [{ on = \"01-01\", observed = \"nearest_weekday\" }]";
    let toml = format!("{rule}\n{OFFICE}");
    opens(&toml, "2027-12-31", "2028-01-03", &[]);
    opens(&toml, "2034-01-01", "2034-01-03", &[]);
}

#[test]
fn a_holiday_may_be_a_part_of_a_day() {
    let toml = r#"
        holidays = [
            { on = "12-24", hours = [["12:00", "24:00"]] },
            { on = { easter = 0 }, hours = [["00:00", "10:00"]], name = "no effect on a Thursday" },
            { on = "2026-12-24", hours = [["09:00", "09:30"]] },
        ]
        weekly = { thu = [["09:00", "17:00"], ["22:00", "06:00"]] }
    "#;
    let expected =
        &["2026-12-24T09:30:00Z 2026-12-24T12:00:00Z", "2026-12-25T00:00:00Z 2026-12-25T06:00:00Z"];
    opens(toml, "2026-12-24", "2026-12-26", expected);
}

#[test]
fn the_text_form_of_a_date_goes_both_ways() {
    for text in ["\"2026-12-25\"", "\"12-25\"", "{\"easter\":-2}", "{\"orthodox_easter\":1}"] {
        let date: HolidayDate = serde_json::from_str(text).expect("reads");
        assert_eq!(serde_json::to_string(&date).expect("writes"), text);
    }
    for text in ["\"12-32\"", "\"2026-02-30\"", "\"1-1\"", "{\"easter\":1,\"x\":2}", "{}"] {
        assert!(serde_json::from_str::<HolidayDate>(text).is_err(), "{text}");
    }
}
