//! Guesses the language of a message or an article that names none.

pub use helpdesk_core::decide::GuessedLanguage;

/// By what a language is known that is the desk's only one.
const BY_DESK: &str = "the desk's only language";

/// Bytes of a text that are looked at.
#[cfg(feature = "language")]
const LOOKED_AT_BYTES: usize = 600;

/// How sure a guess among the desk's own languages must be.
#[cfg(feature = "language")]
const CONFIDENCE_MIN: f64 = 0.3;

/// The language of a text, among `spoken` where the desk names its languages;
/// `None` when the guess would be a bad one. A desk that names one language
/// needs no guess. Without the feature `language` nothing else is guessed.
#[must_use]
pub fn guess_language(text: &str, spoken: &[String]) -> Option<GuessedLanguage> {
    match spoken {
        [only] => Some(GuessedLanguage { code: only.clone(), by: BY_DESK.to_owned() }),
        _ => detect(text, spoken),
    }
}

#[cfg(feature = "language")]
fn detect(text: &str, spoken: &[String]) -> Option<GuessedLanguage> {
    let mut end = text.len().min(LOOKED_AT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let allowed: Vec<whatlang::Lang> = whatlang::Lang::all()
        .iter()
        .copied()
        .filter(|l| spoken.iter().any(|s| s == short_code(*l)))
        .collect();
    let (info, is_sure) = if allowed.is_empty() {
        let info = whatlang::detect(&text[..end])?;
        let is_sure = info.is_reliable();
        (info, is_sure)
    } else {
        let info = whatlang::Detector::with_allowlist(allowed).detect(&text[..end])?;
        let is_sure = info.confidence() >= CONFIDENCE_MIN;
        (info, is_sure)
    };
    let lang = corrected(info.lang(), &text[..end]);
    if !is_sure && lang == info.lang() {
        return None;
    }
    let percent = (info.confidence() * 100.0).round();
    Some(GuessedLanguage {
        code: short_code(lang).to_owned(),
        by: format!("whatlang, {percent} %"),
    })
}

/// Bulgarian has no `ы`, `э` and `ё`: a text with one of them that was taken for
/// Bulgarian is Russian.
#[cfg(feature = "language")]
fn corrected(lang: whatlang::Lang, text: &str) -> whatlang::Lang {
    let has_russian_letter = || text.contains(['ы', 'э', 'ё', 'Ы', 'Э', 'Ё']);
    match lang {
        whatlang::Lang::Bul if has_russian_letter() => whatlang::Lang::Rus,
        lang => lang,
    }
}

/// Without the feature nothing is guessed.
#[cfg(not(feature = "language"))]
fn detect(_: &str, _: &[String]) -> Option<GuessedLanguage> {
    None
}

/// ISO 639-3 codes with their 639-1 codes.
#[cfg(feature = "language")]
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
    ("cym", "cy"),
];

/// ISO 639-1 where the language has such a code, else 639-3.
#[cfg(feature = "language")]
fn short_code(lang: whatlang::Lang) -> &'static str {
    let code = lang.code();
    CODES.iter().find(|(long, _)| *long == code).map_or(code, |(_, short)| short)
}

#[cfg(all(test, feature = "language"))]
mod tests {
    use super::*;

    #[test]
    fn languages_of_plain_messages_are_told_apart() {
        let spoken = ["en", "ru", "bg"].map(str::to_owned);
        let code = |text| guess_language(text, &spoken).map(|guess| guess.code);
        assert_eq!(
            code("Hello, my invoice from last week is wrong and I want my money back.").as_deref(),
            Some("en")
        );
        assert_eq!(
            code("Здравствуйте! Мы не можем войти в систему: пишет, что пароль неверный. Это срочно, у нас сегодня отчёты.")
                .as_deref(),
            Some("ru")
        );
        assert_eq!(
            code("Здравейте, не мога да вляза в профила си, защото забравих паролата.").as_deref(),
            Some("bg")
        );
        assert_eq!(
            code(
                "Здравствуйте! С карты дважды списали деньги за один заказ. Проверьте, пожалуйста."
            )
            .as_deref(),
            Some("ru")
        );
        assert_eq!(code("???"), None);
        assert_eq!(
            guess_language("???", &["en".to_owned()]).map(|guess| guess.code).as_deref(),
            Some("en")
        );
        // Too short to tell Russian from Bulgarian: no guess is better than a wrong one.
        assert_eq!(code("Где мой заказ?"), None);
    }
}
