//! Engines on a store that fails: calls that were not made, calls whose answer is
//! lost, leases given twice, futures dropped at any await. Whoever tries again with
//! the same command id gets the one effect.
//!
//! Source: spec/storage.md, "Reliability suite", 3.

use crate::finish::{LEASES_END, RETRIES_END, engine, finish};
use crate::laws::{self, state};
use crate::model::{Fresh, Memory, Sqlite};
use crate::office::{Acked, Hand, TENANT, open, start};
use crate::part::Setting;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::Actor;
use helpdesk::core::fault::Code;
use helpdesk::core::id::CommandId;
use helpdesk::notify::{DeliveryError, Recorder};
use helpdesk::{Call, Error, Helpdesk, block_on};
use helpdesk_storage::Store;
use helpdesk_storage::chaos::{Chaos, Dice, Odds, cut};
use std::collections::BTreeSet;
use std::sync::Arc;

const N_ENGINES: usize = 2;
const N_STEPS: u64 = 60;
/// Times that a command is tried until its end is known.
const TRIES_MAX: u32 = 200;
/// Awaits after which a future is dropped, at most.
const CUT_AFTER_MAX: u64 = 40;
const ODDS: Odds =
    Odds { before_percent: 3, after_percent: 4, wait_percent: 60, twice_percent: 10 };

/// What the commands came to.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) acked: Vec<Acked>,
    pub(crate) refused: Vec<CommandId>,
}

impl Ends {
    /// Takes the end of a command in; `false` where it is not known.
    pub(crate) fn take(
        &mut self,
        id: CommandId,
        result: helpdesk::Result<helpdesk::Outcome>,
    ) -> bool {
        match result {
            Ok(outcome) => self.acked.extend(Acked::of(id, &outcome)),
            Err(error) if is_unknown(&error) => return false,
            Err(Error::Rejected(_)) => self.refused.push(id),
            Err(error) => panic!("{id}: {error}: {:?}", error.body()),
        }
        true
    }
}

/// Whether the same call may end otherwise.
pub(crate) fn is_unknown(error: &Error) -> bool {
    matches!(error.code(), Code::Unavailable | Code::OutcomeUnknown)
        || matches!(error, Error::LostRaces { .. })
}

/// Runs engines on memory and on SQLite; how many commands were acked.
pub(crate) fn run(seed: u64, _: &Setting) -> u64 {
    let place = Sqlite::fresh();
    check(&Memory::fresh().open().unwrap(), seed) + check(&place.open().unwrap(), seed)
}

fn check(store: &Arc<dyn Store>, seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    block_on(open(&engine(store.clone()).0)).unwrap();
    let engines: Vec<(Helpdesk, Recorder)> = (0..N_ENGINES)
        .map(|_| engine(Arc::new(Chaos::new(store.clone(), ODDS, dice.roll()).shared())))
        .collect();
    let mut hand = Hand::new(seed);
    let mut ends = Ends::default();
    let mut now = start();
    for _ in 0..N_STEPS {
        now += TimeDelta::seconds(dice.below(60) as i64);
        let (desk, recorder) = dice.pick(&engines).unwrap();
        match dice.below(6) {
            0 => quiet(cut_now(&mut dice, || desk.tick(now, 50))),
            1 => {
                fail_some(&mut dice, recorder);
                quiet(cut_now(&mut dice, || desk.deliver(now, 50)));
            }
            _ => {
                let (actor, call) = hand.next(&state::cases(&**store, TENANT), now);
                give(&mut dice, store, &engines, &actor, &call, now, &mut ends);
            }
        }
    }
    let (end, mut delivered) = finish(store, now, &[LEASES_END, RETRIES_END, LEASES_END]);
    for (_, recorder) in &engines {
        delivered.extend(recorder.delivered().iter().filter_map(laws::reply_of));
    }
    check_end(&**store, &ends, end, &delivered);
    ends.acked.len() as u64
}

/// Everything that must hold once nothing disturbs the desk any more.
pub(crate) fn check_end(
    store: &dyn Store,
    ends: &Ends,
    end: DateTime<Utc>,
    delivered: &BTreeSet<(helpdesk::core::id::TicketId, u32)>,
) {
    laws::check(store);
    laws::check_acked(store, &ends.acked);
    laws::check_refused(store, &ends.refused);
    laws::check_nothing_due(store, end);
    laws::check_nobody_waits(store, end);
    laws::check_delivered(store, delivered);
}

/// Gives a command until its end is known, each time to any engine. Until a try may have done
/// it, an error that says that nothing changed is taken at its word.
#[allow(clippy::too_many_arguments, reason = "the parts of one run")]
fn give(
    dice: &mut Dice,
    store: &Arc<dyn Store>,
    engines: &[(Helpdesk, Recorder)],
    actor: &Actor,
    call: &Call,
    now: DateTime<Utc>,
    ends: &mut Ends,
) {
    let mut may_be_done = false;
    for _ in 0..TRIES_MAX {
        let (desk, _) = dice.pick(engines).unwrap();
        let result = cut_now(dice, || desk.execute(actor, call.clone(), now));
        may_be_done |= result.as_ref().is_none_or(|result| {
            result.as_ref().is_err_and(|error| error.code() == Code::OutcomeUnknown)
        });
        if !may_be_done && matches!(result, Some(Err(_))) {
            laws::check_refused(&**store, &[call.command_id]);
        }
        if result.is_some_and(|result| ends.take(call.command_id, result)) {
            return;
        }
    }
    panic!("the end of {} was never known", call.command_id)
}

/// Runs a call, half of the time only until one of its awaits.
fn cut_now<T, F: Future<Output = T>>(dice: &mut Dice, call: impl FnOnce() -> F) -> Option<T> {
    if dice.percent(50) {
        return Some(block_on(call()));
    }
    let n_waits = dice.below(CUT_AFTER_MAX) as u32;
    block_on(cut(call(), n_waits))
}

/// A tick or a delivery that did not come to its end is no matter: the next one goes on.
fn quiet<T>(result: Option<helpdesk::Result<T>>) {
    if let Some(Err(error)) = result {
        assert!(is_unknown(&error), "{error}: {:?}", error.body());
    }
}

fn fail_some(dice: &mut Dice, recorder: &Recorder) {
    if dice.percent(40) {
        let reason = "the line is down".to_owned();
        let error = match dice.percent(50) {
            true => DeliveryError::Transient { reason, retry_after: None },
            false => DeliveryError::Permanent { reason },
        };
        recorder.fail_next(2, &error);
    }
}
