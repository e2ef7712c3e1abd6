//! What the knowledge base answers: for the tickets of the day, and for a question that
//! became none.

use crate::office::Office;
use crate::table::{cut, heading, labelled, print};
use crate::{Result, trouble};
use chrono::TimeDelta;
use helpdesk::core::actor::Actor;
use helpdesk::core::command::Command;
use helpdesk::core::query::{Answer, ArticlesFound, FoundArticle, OneArticle, Query};
use serde_json::{Value, from_value, json};

/// Entries of the journal that the index reads at once.
const ENTRIES_MAX: usize = 10_000;
/// Words that a page and a ticket have in common; fewer say little.
const WORDS_MIN: usize = 5;
/// What a customer was about to write.
const QUESTION: &str = "I sent a jacket back, and my refund is not on my card yet";
/// What somebody else looks for, who is not signed in.
const SEARCHED: &str = "gift voucher";
/// Their search sessions.
const SESSIONS: [&str; 2] =
    ["00000000-0000-4000-8000-000000000010", "00000000-0000-4000-8000-000000000011"];
/// The ticket whose requester asks it.
const ASKER: u64 = 1;

struct Page {
    key: &'static str,
    language: &'static str,
    visibility: &'static str,
    title: &'static str,
    body: &'static str,
}

const PAGES: [Page; 5] = [
    Page {
        key: "refunds",
        language: "en",
        visibility: "public",
        title: "When your refund arrives",
        body: "We send the money within five working days after your parcel has reached us. Banks \
               need up to three more days to put it on a card. When two weeks have passed, send us \
               the number of the parcel.",
    },
    Page {
        key: "refunds",
        language: "ru",
        visibility: "public",
        title: "Деньги списали дважды",
        body: "Если за один заказ деньги списаны два раза, пришлите выписку из банка: лишнюю сумму \
               мы вернём за три рабочих дня.",
    },
    Page {
        key: "charging",
        language: "en",
        visibility: "public",
        title: "The battery does not charge",
        body: "While the lamp on the charger stays green, no current flows. Take the battery out, \
               wait for a minute, and press it in until it clicks.",
    },
    Page {
        key: "papers",
        language: "en",
        visibility: "public",
        title: "Frame number and proof of ownership",
        body: "The frame number stands below the pedals. For an insurer, the invoice is the proof \
               that the bike is yours.",
    },
    Page {
        key: "smoke",
        language: "en",
        visibility: "internal",
        title: "Smoke: what we say at once",
        body: "The charger stays out of the plug, and the bike goes out of the hall. Then call \
               the workshop; never promise a new battery.",
    },
];

/// Writes some pages, and asks for them.
pub(crate) fn answers(office: &mut Office) -> Result<()> {
    heading(10, "What a knowledge base of five pages answers");
    for page in &PAGES {
        let save = json!({
            "type": "save_article", "key": page.key, "language": page.language,
            "visibility": page.visibility, "title": page.title, "body": page.body,
        });
        let made = office.execute(&office.system(), from_value(save)?)?.made;
        let Some(article) = made.article else { return trouble("no article") };
        let publish = json!({"type": "publish_article", "article": article});
        office.execute(&office.system(), from_value(publish)?)?;
    }
    office.desk.index(ENTRIES_MAX)?;
    suggested(office)?;
    deflected(office)?;
    lacking(office)
}

/// The page that comes first for each ticket for which there is one.
fn suggested(office: &Office) -> Result<()> {
    say!("  Suggested to the agent who opens a ticket:");
    let mut rows = Vec::new();
    for (n, opened) in &office.opened {
        let ticket = json!({"ticket": {"id": opened.view.ticket.id}});
        let found = suggest(office, &office.system(), &ticket)?;
        if let Some(first) = found.rows.first().filter(|row| row.why.len() >= WORDS_MIN) {
            let words: Vec<&str> = first.why.iter().map(|it| it.word.as_str()).collect();
            let subject = cut(&opened.view.ticket.subject, 32);
            rows.push(vec![format!("LB-{n}"), subject, title(first), cut(&words.join(" "), 40)]);
        }
    }
    print(&["ticket", "subject", "page", "words of the ticket found in it"], &rows, &[]);
    Ok(())
}

/// A customer reads the answer before the question is sent.
fn deflected(office: &mut Office) -> Result<()> {
    let Some(opened) = office.opened.get(&ASKER) else { return trouble("nobody asks") };
    let (name, contact) = (opened.mail.name, opened.view.ticket.requester);
    let asker = Actor::requester(office.tenant, contact);
    let found = suggest(office, &asker, &json!({"text": QUESTION}))?;
    let Some(first) = found.rows.first() else { return trouble("nothing is suggested") };
    say!("");
    labelled("  ", &format!("{name} is about to write: `{QUESTION}`. Suggested at once:"));
    labelled("    ", &format!("{}: {}", title(first), marked(first)));
    let OneArticle::Published(article) = &first.article else {
        return trouble("a reader sees what is out");
    };
    let n_found = found.rows.len();
    let steps = [
        json!({"type": "record_search", "session": SESSIONS[0], "text": QUESTION, "n_found": n_found}),
        json!({"type": "record_search_click", "session": SESSIONS[0], "article": article.id}),
        json!({"type": "vote_article", "session": SESSIONS[0], "article": article.id, "helpful": true}),
    ];
    for step in steps {
        let step: Command = from_value(step)?;
        office.execute(&asker, step)?;
    }
    let page = json!({"type": "get_article", "article": {"id": article.id}});
    let Answer::Article(OneArticle::Full(view)) = office.ask(from_value(page)?)? else {
        return trouble("no article");
    };
    let (n, of) = (view.article.n_helpful, view.article.n_helpful + view.article.n_unhelpful);
    say!(
        "    That was it: {name} sends nothing, and says that it helped ({n} of {of} readers do)."
    );
    Ok(())
}

/// What search sessions came to, and what no page answers.
fn lacking(office: &mut Office) -> Result<()> {
    let visitor = Actor::visitor(office.tenant);
    let search = from_value(json!({"type": "search_articles", "text": SEARCHED}))?;
    let Answer::ArticlesFound(found) = office.desk.query(&visitor, search, office.now)? else {
        return trouble("articles were expected");
    };
    let n_found = found.total.unwrap_or_default();
    let record = json!({
        "type": "record_search", "session": SESSIONS[1], "text": SEARCHED, "n_found": n_found,
    });
    office.execute(&visitor, from_value(record)?)?;
    let (from, to) = (office.now - TimeDelta::days(1), office.now + TimeDelta::seconds(1));
    let query = json!({"type": "knowledge_report", "from": from, "to": to, "limit": 3});
    let Answer::KnowledgeReport(report) = office.ask(from_value(query)?)? else {
        return trouble("no report");
    };
    let funnel = report.funnel;
    say!("");
    say!(
        "  Search sessions: {}, with something found: {}, opened: {}, deflected: {}.",
        funnel.sessions,
        funnel.with_result,
        funnel.with_click,
        funnel.deflected
    );
    for gap in &report.without_result {
        say!("    Searched and not found: `{}` ({} times)", gap.text, gap.searches);
    }
    Ok(())
}

fn suggest(office: &Office, asker: &Actor, about: &Value) -> Result<ArticlesFound> {
    let query: Query = from_value(json!({"type": "suggest_articles", "for": about, "limit": 1}))?;
    match office.desk.query(asker, query, office.now)? {
        Answer::ArticlesFound(found) => Ok(found),
        other => trouble(format!("articles were expected, not {other:?}")),
    }
}

fn title(found: &FoundArticle) -> String {
    match &found.article {
        OneArticle::Published(article) => article.title.clone(),
        OneArticle::Full(article) => article.title.clone(),
    }
}

/// The part of the page to show, with what was found in brackets.
fn marked(found: &FoundArticle) -> String {
    let Some(snippet) = &found.snippet else { return String::new() };
    let (mut text, mut at) = (String::new(), 0);
    for mark in &snippet.marks {
        text.push_str(snippet.text.get(at..mark.start).unwrap_or_default());
        text.push_str(&format!("[{}]", snippet.text.get(mark.clone()).unwrap_or_default()));
        at = mark.end;
    }
    text.push_str(snippet.text.get(at..).unwrap_or_default());
    text
}
