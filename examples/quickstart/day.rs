//! The built-in day: who works, what comes in, and who does what when.

/// The day, a Monday.
pub(crate) const DAY: &str = "2026-03-02";

/// Somebody who answers tickets.
#[derive(Debug)]
pub(crate) struct Colleague {
    pub(crate) name: &'static str,
    pub(crate) groups: &'static [&'static str],
    pub(crate) skills: &'static [(&'static str, u8)],
    pub(crate) capacity: u32,
}

/// Everybody who works at Lumen Bikes.
pub(crate) const COLLEAGUES: &[Colleague] = &[
    Colleague {
        name: "Mira",
        groups: &["care"],
        skills: &[("bulgarian", 9), ("electronics", 2)],
        capacity: 4,
    },
    Colleague { name: "Hannah", groups: &["billing"], skills: &[("billing", 9)], capacity: 3 },
    Colleague {
        name: "Petar",
        groups: &["billing"],
        skills: &[("billing", 6), ("bulgarian", 10)],
        capacity: 3,
    },
    Colleague {
        name: "Oleg",
        groups: &["billing", "care"],
        skills: &[("russian", 10), ("billing", 4)],
        capacity: 2,
    },
    Colleague { name: "Jonas", groups: &["workshop"], skills: &[("electronics", 9)], capacity: 3 },
    Colleague {
        name: "Daria",
        groups: &["workshop"],
        skills: &[("electronics", 6), ("russian", 9)],
        capacity: 3,
    },
    Colleague { name: "Vera", groups: &["second-line"], skills: &[], capacity: 3 },
];

/// Something that comes in from outside.
#[derive(Debug)]
pub(crate) struct Mail {
    /// `email`, `chat` or `form`.
    pub(crate) channel: &'static str,
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    /// Empty for a chat: the desk takes the first words.
    pub(crate) subject: &'static str,
    pub(crate) text: &'static str,
}

/// What somebody does. Tickets go by the number that they get: 1 is `LB-1`.
#[derive(Debug)]
pub(crate) enum Step {
    /// A message of somebody new comes in.
    Comes(Mail),
    /// The requester answers in the same conversation.
    Answers(u64, &'static str),
    /// A colleague begins to work.
    Arrives(&'static str),
    /// A colleague goes home.
    Leaves(&'static str),
    /// The assignee replies; the ticket then has this status.
    Replies(u64, &'static str, &'static str),
    /// The one it is offered to takes it.
    Accepts(u64),
    /// The one it is offered to does not, and says why.
    Rejects(u64, &'static str),
    /// The assignee solves it without a word.
    Solves(u64),
    /// The assignee runs a macro.
    Runs(u64, &'static str),
    /// The assignee says how many are hit and how fast it must be.
    Rates(u64, &'static str, &'static str),
    /// The mail server fails in this way at the next message.
    MailFails(Failure),
}

/// How the mail server fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure {
    /// For a moment.
    Busy,
    /// For good: nobody has that address.
    NoSuchAddress,
}

/// The day, in order of time.
pub(crate) const SCRIPT: &[(&str, Step)] = &[
    ("08:30", Step::Arrives("Mira")),
    ("08:30", Step::Arrives("Oleg")),
    ("08:30", Step::Arrives("Hannah")),
    ("08:30", Step::Arrives("Petar")),
    ("08:30", Step::Arrives("Jonas")),
    ("08:30", Step::Arrives("Vera")),
    (
        "08:41",
        Step::Comes(Mail {
            channel: "email",
            name: "Clara Weiss",
            address: "clara@weiss.example",
            subject: "Refund for a returned helmet",
            text: "Hello, I sent the helmet back two weeks ago and your page says that it \
                   arrived. The money has not come back to my card yet. Could you please look \
                   into the refund?",
        }),
    ),
    (
        "08:47",
        Step::Comes(Mail {
            channel: "chat",
            name: "Иван Соколов",
            address: "ivan.sokolov",
            subject: "",
            text: "Здравствуйте! Вчера я оплатил новый шлем, а деньги списали дважды. Выписка \
                   из банка у меня есть. Когда вы сможете вернуть мне лишнюю сумму?",
        }),
    ),
    (
        "08:55",
        Step::Comes(Mail {
            channel: "email",
            name: "Георги Петров",
            address: "georgi@vitosha.example",
            subject: "Грешна фактура",
            text: "Здравейте, получих фактура с грешен номер на фирмата. Моля да я издадете \
                   отново, защото счетоводителят не може да я приеме.",
        }),
    ),
    (
        "09:02",
        Step::Comes(Mail {
            channel: "form",
            name: "Aiko Tanaka",
            address: "aiko@rapid.example",
            subject: "Twelve bikes for our riders",
            text: "We would like a quote for twelve bikes with locks and a service plan. Is \
                   there a discount for companies, and how soon could we have them?",
        }),
    ),
    (
        "09:05",
        Step::Replies(
            1,
            "Hello Clara, I am sorry for the wait. Which number is on the return slip?",
            "pending",
        ),
    ),
    (
        "09:08",
        Step::Comes(Mail {
            channel: "email",
            name: "Tom Hale",
            address: "tom@hale.example",
            subject: "Battery does not charge",
            text: "My battery stopped charging on Sunday. The lamp on the charger stays green, \
                   but after a whole night there were still nine percent.",
        }),
    ),
    ("09:14", Step::Accepts(5)),
    (
        "09:15",
        Step::Comes(Mail {
            channel: "chat",
            name: "Мария Орлова",
            address: "maria.orlova",
            subject: "",
            text: "Добрый день! Курьер вчера так и не приехал, хотя мы ждали его весь вечер. \
                   Подскажите, пожалуйста, когда вы сможете привезти велосипед?",
        }),
    ),
    (
        "09:20",
        Step::Comes(Mail {
            channel: "email",
            name: "Светлана Ильина",
            address: "svetlana@ilyina.example",
            subject: "Оплата в рассрочку",
            text: "Здравствуйте! Я хотела бы оплатить заказ в три платежа, но на сайте такой \
                   возможности нет. Вышлите, пожалуйста, счёт на первый платёж.",
        }),
    ),
    (
        "09:31",
        Step::Comes(Mail {
            channel: "chat",
            name: "Елена Димитрова",
            address: "elena.d",
            subject: "",
            text: "Добър ден, куриерът остави пратката при съседите, но те заминаха на почивка. \
                   Можете ли да ми помогнете да получа колелото си тази седмица?",
        }),
    ),
    (
        "09:38",
        Step::Replies(
            2,
            "Иван, второй платёж мы вернули сегодня, деньги придут в течение трёх дней.",
            "solved",
        ),
    ),
    (
        "09:40",
        Step::Comes(Mail {
            channel: "email",
            name: "Priya Nair",
            address: "priya@nair.example",
            subject: "Smoke from the charger",
            text: "This morning there was smoke from the charger and the plug turned black. I \
                   pulled everything out. Is it safe to keep the bike in the hall?",
        }),
    ),
    ("09:41", Step::Accepts(9)),
    ("09:43", Step::MailFails(Failure::Busy)),
    (
        "09:44",
        Step::Replies(
            9,
            "Please keep the battery outdoors and do not charge it. We collect both today.",
            "pending",
        ),
    ),
    (
        "09:50",
        Step::Answers(1, "It is R-7718. I dropped the parcel at your shop myself on the 14th."),
    ),
    (
        "09:55",
        Step::Replies(3, "Здравейте, новата фактура е приложена. Извинете за грешката!", "solved"),
    ),
    ("10:00", Step::Arrives("Daria")),
    (
        "10:05",
        Step::Comes(Mail {
            channel: "form",
            name: "Lucas Meyer",
            address: "lucas@meyer.example",
            subject: "New address for my parcel",
            text: "I moved last week, and the parcel should go to my new flat. Can you still \
                   change the delivery before the courier leaves?",
        }),
    ),
    ("10:10", Step::Runs(6, "courier-late")),
    (
        "10:12",
        Step::Comes(Mail {
            channel: "email",
            name: "Nora Lind",
            address: "nora@lind.example",
            subject: "Invoice 2214",
            text: "Your invoice 2214 lists two locks, but there was only one in the box. Please \
                   send the other one, or correct the amount.",
        }),
    ),
    (
        "10:20",
        Step::Replies(
            1,
            "Thank you, found it. The refund of 89 euros left today, it takes two days.",
            "solved",
        ),
    ),
    (
        "10:30",
        Step::Comes(Mail {
            channel: "chat",
            name: "Калин Стоянов",
            address: "kalin.s",
            subject: "",
            text: "Здравейте, спирачката скърца силно и задното колело трудно се върти. Кога \
                   мога да донеса колелото за ремонт в сервиза?",
        }),
    ),
    ("10:31", Step::Accepts(12)),
    ("10:41", Step::Answers(1, "Thank you! One more thing: I paid 99 euros, not 89.")),
    ("10:48", Step::Replies(12, "Здравейте, заповядайте утре в девет часа.", "pending")),
    (
        "10:55",
        Step::Replies(1, "You are right, the other ten euros are on their way too.", "solved"),
    ),
    ("11:03", Step::MailFails(Failure::NoSuchAddress)),
    (
        "11:03",
        Step::Replies(
            11,
            "Sorry, Nora! The second lock goes out today, the invoice stands.",
            "solved",
        ),
    ),
    (
        "11:10",
        Step::Comes(Mail {
            channel: "email",
            name: "Andrew Cole",
            address: "andrew@cole.example",
            subject: "Does the bike fit my insurance?",
            text: "My insurer asks for the frame number and a proof of ownership. Where do I \
                   find them, and can you confirm that the bike is mine?",
        }),
    ),
    (
        "11:20",
        Step::Comes(Mail {
            channel: "form",
            name: "Ольга Белова",
            address: "olga@belova.example",
            subject: "Не включается мотор",
            text: "После обновления мотор больше не включается, а на экране появляется ошибка. \
                   Что мне делать, если гарантия ещё действует?",
        }),
    ),
    ("11:21", Step::Rejects(14, "on a test ride")),
    ("11:22", Step::Accepts(14)),
    (
        "11:30",
        Step::Replies(4, "Dear Aiko, sorry for the wait! Here is a quote for twelve.", "pending"),
    ),
    ("11:40", Step::Replies(8, "Елена, говорихме с куриера. Утре ще опита отново.", "pending")),
    ("12:15", Step::Answers(6, "Да, это нам удобно, спасибо! Мы будем дома с десяти часов.")),
    ("12:30", Step::Solves(6)),
    ("13:05", Step::Replies(7, "Светлана, счёт на первый платёж во вложении.", "pending")),
    (
        "13:40",
        Step::Comes(Mail {
            channel: "chat",
            name: "Sam Ortiz",
            address: "sam.ortiz",
            subject: "",
            text: "The code for signing in never arrives. My colleagues who ride your bikes \
                   have the same trouble since this morning, none of us can unlock them.",
        }),
    ),
    ("13:44", Step::Rates(15, "high", "medium")),
    ("13:50", Step::Replies(15, "The codes are sent again since 13:45, please try.", "solved")),
    (
        "14:10",
        Step::Comes(Mail {
            channel: "email",
            name: "Clara Weiss",
            address: "clara@weiss.example",
            subject: "Invoice for the new helmet",
            text: "Hello again, I ordered another helmet and chose my company as the buyer. \
                   Could you put our tax number on the invoice before you send it?",
        }),
    ),
    (
        "14:30",
        Step::Replies(5, "Tom, we have a spare charger for you. Come by any day.", "pending"),
    ),
    ("15:10", Step::Replies(10, "Lucas, the courier has your new address.", "solved")),
    ("16:00", Step::Replies(14, "Ольга, привезите велосипед, ремонт по гарантии.", "pending")),
    ("16:20", Step::Replies(13, "Andrew, both stand on the invoice, here it is again.", "solved")),
    ("16:40", Step::Replies(16, "Clara, the tax number is on the invoice now.", "solved")),
    ("17:00", Step::Leaves("Jonas")),
];
