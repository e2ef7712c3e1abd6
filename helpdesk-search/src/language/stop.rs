//! Words that say nothing by themselves. They are indexed, and a question leaves
//! them out when it has others.

use std::collections::HashSet;
use std::sync::LazyLock;
use tantivy::tokenizer::{Language, SimpleTokenizer, StopWordFilter, TextAnalyzer};

/// Languages with a list in the index library.
const LISTED: &[(&str, Language)] = &[
    ("da", Language::Danish),
    ("de", Language::German),
    ("en", Language::English),
    ("es", Language::Spanish),
    ("fi", Language::Finnish),
    ("fr", Language::French),
    ("hu", Language::Hungarian),
    ("it", Language::Italian),
    ("nl", Language::Dutch),
    ("no", Language::Norwegian),
    ("pt", Language::Portuguese),
    ("ru", Language::Russian),
    ("sv", Language::Swedish),
];

/// Short lists for languages that the library has none for.
const OWN: &[(&str, &str)] = &[
    (
        "bg",
        "а аз ако ал бе без би бил била били било в във вече ви вие все всеки всички да дали до \
         докато за и из или им има как като към ли ме ми много може на над не него нея ни ние но \
         о от по под пред при с са сам се си след след со съм със така там те то това този той тя \
         у че ще я",
    ),
    (
        "pl",
        "a aby ale bardzo bez bo by być co czy dla do gdy gdzie i ich ile im ja jak jako je jego \
         jej jest jeszcze jeśli już każdy kiedy która które który którzy lub ma mi może na nad \
         nie niż o od on ona one oni oraz po pod przed przez przy są się ta tak także tam te tego \
         tej ten to tu ty tych tylko tym u w we więc wszystkie z za ze że",
    ),
    (
        "uk",
        "а або але без би був була були було в ви від він вона вони воно все всі де для до є за з \
         зі і із й його її ж же коли ми на над не ні о об по при про та так також такий те ти то \
         того тут у це цей ця чи що щоб я як який яка які",
    ),
    (
        "cs",
        "a aby ale ani bez by být co či do i jak jako je jeho jejich její jen ještě k kde kdo kdy \
         když která které který ke má mezi na nad nebo není o od po pod podle pro před při s se si \
         svůj ta tak také te ten to tu u už v ve však z za ze že",
    ),
];

type Words = HashSet<&'static str, foldhash::fast::FixedState>;

static OWN_WORDS: LazyLock<Vec<(&str, Words)>> = LazyLock::new(|| {
    let set = |&(code, list): &(&'static str, &'static str)| (code, list.split(' ').collect());
    OWN.iter().map(set).collect()
});

static FILTERS: LazyLock<Vec<(&str, TextAnalyzer)>> = LazyLock::new(|| {
    let filter = |&(code, language): &(&'static str, Language)| {
        let filter = StopWordFilter::new(language)?;
        let analyzer = TextAnalyzer::builder(SimpleTokenizer::default()).filter(filter);
        Some((code, analyzer.build()))
    };
    LISTED.iter().filter_map(filter).collect()
});

/// Whether the folded word is on the list of its language.
pub(super) fn is_stop_word(language: &str, folded: &str) -> bool {
    if let Some((_, words)) = OWN_WORDS.iter().find(|(code, _)| *code == language) {
        return words.contains(folded);
    }
    let Some((_, analyzer)) = FILTERS.iter().find(|(code, _)| *code == language) else {
        return false;
    };
    !analyzer.clone().token_stream(folded).advance()
}
