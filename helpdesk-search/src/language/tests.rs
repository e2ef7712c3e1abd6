use super::*;

fn words(language: &str, text: &str) -> Vec<String> {
    Analyzer::of(language).words(text)
}

#[test]
fn forms_of_a_bulgarian_word_have_one_stem() {
    assert_eq!(words("bg", "заявките заявка заявки"), ["заявк", "заявк", "заявк"]);
    // The first vowel and the letter behind it always stay; a word without a vowel stays whole.
    assert_eq!(words("bg", "на от в ск"), ["на", "от", "в", "ск"]);
}

#[test]
fn a_language_without_a_stemmer_compares_five_chars() {
    assert_eq!(words("uk", "рахунками"), ["рахун"]);
    assert_eq!(words("xx", "seven"), ["seven"]);
}

#[test]
fn scripts_without_spaces_are_cut_into_chars_and_pairs_whatever_the_language() {
    assert_eq!(words("en", "VPN密码 reset"), ["vpn", "密", "密码", "码", "reset"]);
    assert_eq!(words("ko", "환불"), ["환", "환불", "불"]);
    assert_eq!(words("th", "ก"), ["ก"]);
}

#[test]
fn compatible_forms_and_cases_are_one() {
    assert_eq!(words("en", "ＶＰＮ Vpn"), ["vpn", "vpn"]);
    assert_eq!(words("ru", "Ещё ЕЩЕ"), words("ru", "еще ещё"));
    assert_eq!(words("xx", "e\u{301}t"), words("xx", "ét"));
}

#[test]
fn regions_and_norwegian_share_an_analyzer() {
    assert_eq!(Analyzer::of("pt-BR").stamp(), Analyzer::of("pt").stamp());
    assert_eq!(Analyzer::of("nb").stamp(), Analyzer::of("no").stamp());
    assert_eq!(Analyzer::of("").stamp(), "und:cut-5/1.1");
    assert_eq!(Analyzer::of("bg").stamp(), "bg:bulstem-2/1.1");
}

#[test]
fn stop_words_are_known_where_there_is_a_list() {
    let is_stop = |language, word| Analyzer::of(language).is_stop_word(word);
    for (language, word) in [("en", "the"), ("ru", "и"), ("de", "der"), ("bg", "на"), ("pl", "się")]
    {
        assert!(is_stop(language, word), "{language} {word}");
    }
    assert!(!is_stop("en", "refund"));
    assert!(!is_stop("xx", "the"));
}

#[test]
fn a_cache_gives_what_the_stemmer_gives() {
    let mut cache = StemCache::default();
    for language in ["en", "ru", "en"] {
        let analyzer = Analyzer::of(language);
        for word in ["passwords", "пароли", "passwords", &"long".repeat(20)] {
            let mut stem = String::new();
            analyzer.stem_into(word, &mut stem);
            assert_eq!(cache.stem(&analyzer, word), stem);
        }
    }
}
