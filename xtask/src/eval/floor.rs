//! The floor: the index library set up by itself, as its documentation has it.
//!
//! Title and body in one field, the title in another, both stemmed and without stop words;
//! the sum of both scores, and pairs of neighboring words within two others at 0.3.

use super::data::Doc;
use super::measures::DEPTH;
use frostem::{Algorithm, Stemmer};
use tantivy::collector::TopDocs;
use tantivy::query::{
    BooleanQuery, BoostQuery, FuzzyTermQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{
    Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::tokenizer::{
    Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, StopWordFilter, TextAnalyzer, Token,
    TokenFilter, TokenStream, Tokenizer,
};
use tantivy::{Index, Searcher, TantivyDocument, Term};

/// What an index of the library answers.
pub(super) struct Floor {
    searcher: Searcher,
    analyzer: TextAnalyzer,
    title: Field,
    both: Field,
    place: Field,
    forgives: bool,
}

impl Floor {
    /// All documents, in the language of the first. `forgives` looks words that no document
    /// has up as what is written almost like them.
    pub(super) fn new(docs: &[Doc], language: &str, forgives: bool) -> Result<Self, String> {
        let analyzer = analyzer(language);
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("floor")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let options = TextOptions::default().set_indexing_options(indexing);
        let title = schema.add_text_field("title", options.clone());
        let both = schema.add_text_field("both", options);
        let place = schema.add_u64_field("place", STORED);
        let index = Index::create_in_ram(schema.build());
        index.tokenizers().register("floor", analyzer.clone());
        let searcher = (|| {
            let mut writer = index.writer_with_num_threads(1, 50_000_000)?;
            for (doc, at) in docs.iter().zip(0u64..) {
                let mut document = TantivyDocument::new();
                document.add_text(title, &doc.title);
                document.add_text(both, format!("{}\n{}", doc.title, doc.body));
                document.add_u64(place, at);
                writer.add_document(document)?;
            }
            writer.commit()?;
            tantivy::Result::Ok(index.reader()?.searcher())
        })();
        let searcher = searcher.map_err(|error| format!("the floor: {error}"))?;
        Ok(Self { searcher, analyzer, title, both, place, forgives })
    }

    /// Places of the documents that fit best.
    pub(super) fn search(&mut self, text: &str, n: usize) -> Result<Vec<usize>, String> {
        let mut words = Vec::new();
        let mut stream = self.analyzer.token_stream(text);
        stream.process(&mut |token| words.push(token.text.clone()));
        drop(stream);
        self.best(&words, n).map_err(|error| format!("the floor: {error}"))
    }

    fn best(&self, words: &[String], n: usize) -> tantivy::Result<Vec<usize>> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for word in words {
            let term = Term::from_field_text(self.both, word);
            let is_known = self.searcher.doc_freq(&term)? > 0;
            if self.forgives && !is_known && word.chars().count() > 3 {
                let distance = if word.chars().count() > 7 { 2 } else { 1 };
                clauses.push((Occur::Should, Box::new(FuzzyTermQuery::new(term, distance, true))));
                continue;
            }
            for field in [self.both, self.title] {
                let term = Term::from_field_text(field, word);
                let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                clauses.push((Occur::Should, Box::new(query)));
            }
        }
        for pair in words.windows(2).filter(|pair| pair[0] != pair[1]) {
            let terms = pair.iter().map(|word| Term::from_field_text(self.both, word)).collect();
            let mut phrase = PhraseQuery::new(terms);
            phrase.set_slop(2);
            clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(phrase), 0.3))));
        }
        let top = TopDocs::with_limit(n.max(DEPTH)).order_by_score();
        let found = self.searcher.search(&BooleanQuery::new(clauses), &top)?;
        let mut places = Vec::new();
        for (_, address) in found {
            let document: TantivyDocument = self.searcher.doc(address)?;
            let place = document.get_first(self.place).and_then(|value| value.as_u64());
            places.push(place.unwrap_or_default() as usize);
        }
        Ok(places)
    }
}

fn analyzer(language: &str) -> TextAnalyzer {
    let plain = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(40))
        .filter(LowerCaser)
        .dynamic();
    let stop = match language {
        "en" => StopWordFilter::new(Language::English),
        "de" => StopWordFilter::new(Language::German),
        "ru" => StopWordFilter::new(Language::Russian),
        _ => None,
    };
    let stopped = match stop {
        Some(filter) => plain.filter_dynamic(filter),
        None => plain,
    };
    match Algorithm::from_name(language) {
        Ok(algorithm) => stopped.filter_dynamic(Stem(Stemmer::new(algorithm))).build(),
        Err(_) => stopped.build(),
    }
}

/// The library's stemmer for any algorithm of Snowball.
#[derive(Clone)]
struct Stem(Stemmer);

impl TokenFilter for Stem {
    type Tokenizer<T: Tokenizer> = Stems<T>;

    fn transform<T: Tokenizer>(self, inner: T) -> Stems<T> {
        Stems { stemmer: self.0, inner }
    }
}

#[derive(Clone)]
struct Stems<T> {
    stemmer: Stemmer,
    inner: T,
}

impl<T: Tokenizer> Tokenizer for Stems<T> {
    type TokenStream<'a> = StemStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        StemStream { stemmer: self.stemmer, inner: self.inner.token_stream(text) }
    }
}

struct StemStream<T> {
    stemmer: Stemmer,
    inner: T,
}

impl<T: TokenStream> TokenStream for StemStream<T> {
    fn advance(&mut self) -> bool {
        if !self.inner.advance() {
            return false;
        }
        let token = self.inner.token_mut();
        let stem = self.stemmer.stem(&token.text).into_owned();
        token.text = stem;
        true
    }

    fn token(&self) -> &Token {
        self.inner.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.inner.token_mut()
    }
}
