//! Members in the order of their ranks, 64 to a block, each with marks.
//!
//! Blocks are in order, and what is in a block may lie in any order: so a member
//! moves by writing a few bits, and "the first who has all this" is an
//! intersection of words, block after block. The bits of one who left are not
//! cleared one by one: their place in the block is not used again until no other is
//! free, and all marks are cleared at once of all who left.
//!
//! Of each rank a block keeps the first part, which seldom ties. For the rest the
//! members are asked, by the [`Ranks`] that most functions take: they know what holds now.

use super::marks::{Mark, Marks, State};
use super::members::Ranks;
use super::rank::Rank;
use crate::bits::ones;
use std::cmp::Ordering;

/// Members of a block at most.
const BLOCK: usize = 64;
/// A block that has no place left and no fewer members than this is split.
const MANY: u32 = 48;
/// A block with no more members than this is joined to a neighbor …
const FEW: u32 = 16;
/// … when they are no more than this together.
const TOGETHER_MAX: u32 = 48;
/// No block: where a member is who is not in the ranking.
const NOWHERE: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub(super) struct Ranking {
    /// The blocks in order.
    order: Vec<u32>,
    /// At the same places: no rank in the block is lower, but for the first block.
    lows: Vec<Rank>,
    /// By block, apart from who is there: what each change looks at lies close together.
    blocks: Vec<Block>,
    seats: Vec<Seats>,
    free: Vec<u32>,
    /// By member: block and bit.
    places: Vec<(u32, u8)>,
    marks: Marks,
}

#[derive(Debug, Clone)]
struct Block {
    /// No rank in the block is lower, but in the first block; and each is lower than
    /// the end, but in the last.
    low: Rank,
    end: Rank,
    used: u64,
    /// Places of those who left, with their marks still.
    left: u64,
    /// Whether no lower bit has a higher first part.
    is_sorted: bool,
}

/// Who is in a block, by bit.
#[derive(Debug, Clone)]
struct Seats {
    /// The first part of each rank.
    firsts: [u128; BLOCK],
    members: [u32; BLOCK],
}

impl Ranking {
    /// Of nobody, for so many marks.
    pub(super) fn new(n_marks: usize) -> Self {
        Self {
            order: Vec::new(),
            lows: Vec::new(),
            blocks: Vec::new(),
            seats: Vec::new(),
            free: Vec::new(),
            places: Vec::new(),
            marks: Marks::new(n_marks),
        }
    }

    /// Makes room for this many marks at least.
    pub(super) fn widen(&mut self, n_marks: usize) {
        self.marks.widen(n_marks);
    }

    /// Puts a member in who is not there.
    pub(super) fn insert(&mut self, member: u32, ranks: Ranks<'_>, state: State, marks: &[Mark]) {
        let rank = ranks.rank(member);
        let (block, bit) = self.room_for(rank, ranks);
        self.blocks[block as usize].used |= 1 << bit;
        let seats = &mut self.seats[block as usize];
        seats.firsts[usize::from(bit)] = rank.first;
        seats.members[usize::from(bit)] = member;
        let member = member as usize;
        if self.places.len() <= member {
            self.places.resize(member + 1, (NOWHERE, 0));
        }
        self.places[member] = (block, bit);
        self.marks.set(block, bit, state, marks);
    }

    /// Takes a member out, who has this state.
    pub(super) fn remove(&mut self, member: u32, state: State) {
        let Some((block, bit)) = self.place(member) else { return };
        self.marks.turn_state(block, bit, state);
        self.places[member as usize] = (NOWHERE, 0);
        let it = &mut self.blocks[block as usize];
        it.used &= !(1 << bit);
        it.left |= 1 << bit;
        if it.used.count_ones() <= FEW {
            let at = self.at(self.blocks[block as usize].low);
            self.thin_out(at);
        }
    }

    /// Gives a member another state: that which they had, and that which they have.
    pub(super) fn set_state(&mut self, member: u32, (was, is): (State, State)) {
        if was == is {
            return;
        }
        let Some((block, bit)) = self.place(member) else { return };
        self.marks.turn_state(block, bit, was ^ is);
    }

    /// Puts a member where their rank is now, with another state.
    pub(super) fn put_anew(
        &mut self,
        member: u32,
        ranks: Ranks<'_>,
        (was, is): (State, State),
        marks: &[Mark],
    ) {
        if self.stays(member, ranks) {
            self.set_state(member, (was, is));
        } else {
            self.remove(member, was);
            self.insert(member, ranks, is, marks);
        }
    }

    /// Whether a rank leaves its member in its block; it is noted then.
    fn stays(&mut self, member: u32, ranks: Ranks<'_>) -> bool {
        let Some((block, bit)) = self.place(member) else { return false };
        let it = &mut self.blocks[block as usize];
        let first = ranks.first(member);
        let is_inside = it.low.first < first && first < it.end.first;
        if !is_inside {
            let rank = ranks.rank(member);
            if rank < it.low || it.end <= rank {
                return false;
            }
        }
        let seats = &mut self.seats[block as usize];
        if seats.firsts[usize::from(bit)] != first {
            seats.firsts[usize::from(bit)] = first;
            it.is_sorted &= seats.is_in_order_at(it.used, bit);
        }
        true
    }

    /// The blocks in order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = u32> + '_ {
        self.order.iter().copied()
    }

    /// The members of a block.
    pub(super) fn all(&self, block: u32) -> u64 {
        self.blocks[block as usize].used
    }

    /// Those of a block who bear a mark; some may have left, who are in no state.
    #[inline]
    pub(super) fn with(&self, block: u32, mark: Mark) -> u64 {
        self.marks.with(block, mark)
    }

    pub(super) fn member(&self, block: u32, bit: u32) -> u32 {
        self.seats[block as usize].members[bit as usize]
    }

    /// The bit of the lowest rank among `bits`, of which there is at least one.
    pub(super) fn lowest(&self, block: u32, bits: u64, ranks: Ranks<'_>) -> u32 {
        let is_sorted = self.blocks[block as usize].is_sorted;
        let seats = &self.seats[block as usize];
        let mut best = bits.trailing_zeros();
        for bit in ones(bits & (bits - 1)) {
            if is_sorted && seats.firsts[bit as usize] > seats.firsts[best as usize] {
                break;
            }
            if seats.compare(bit, best, ranks).is_lt() {
                best = bit;
            }
        }
        best
    }

    fn place(&self, member: u32) -> Option<(u32, u8)> {
        self.places.get(member as usize).copied().filter(|(block, _)| *block != NOWHERE)
    }

    /// Where in the order the block of a rank is; there is at least one.
    fn at(&self, rank: Rank) -> usize {
        // Most come behind all others.
        if self.lows.last().is_some_and(|low| *low <= rank) {
            return self.lows.len() - 1;
        }
        self.lows.partition_point(|low| *low <= rank).saturating_sub(1)
    }

    /// A free bit for a rank.
    fn room_for(&mut self, rank: Rank, ranks: Ranks<'_>) -> (u32, u8) {
        if self.order.is_empty() {
            return (self.open(0, rank), 0);
        }
        let mut at = self.at(rank);
        let block = self.order[at];
        let is_full = self.blocks[block as usize].taken() == u64::MAX;
        if is_full && at + 1 == self.order.len() && self.is_behind(block, rank) {
            return (self.open(at + 1, rank), 0);
        }
        if is_full {
            self.make_room(at, ranks);
            at = self.at(rank);
        }
        let block = self.order[at];
        (block, self.free_bit(block, rank))
    }

    /// Whether a rank comes behind all of a block, by its first part alone.
    fn is_behind(&self, block: u32, rank: Rank) -> bool {
        let it = &self.blocks[block as usize];
        let seats = &self.seats[block as usize];
        let is_lower = |bit: u32| seats.firsts[bit as usize] < rank.first;
        match it.is_sorted {
            true => it.used.checked_ilog2().is_none_or(is_lower),
            false => ones(it.used).all(is_lower),
        }
    }

    /// A free bit, the one above all others if the block stays sorted so.
    fn free_bit(&mut self, block: u32, rank: Rank) -> u8 {
        let is_sorted = self.blocks[block as usize].is_sorted && self.is_behind(block, rank);
        let it = &mut self.blocks[block as usize];
        let above = BLOCK as u32 - it.taken().leading_zeros();
        it.is_sorted = it.used == 0 || (is_sorted && (above as usize) < BLOCK);
        match it.is_sorted && (above as usize) < BLOCK {
            true => above as u8,
            false => it.taken().trailing_ones() as u8,
        }
    }

    /// A new block, at a place in the order.
    fn open(&mut self, at: usize, low: Rank) -> u32 {
        let block = self.free.pop().unwrap_or_else(|| {
            self.blocks.push(Block::EMPTY);
            self.seats.push(Seats { firsts: [0; BLOCK], members: [0; BLOCK] });
            self.marks.push();
            self.blocks.len() as u32 - 1
        });
        self.order.insert(at, block);
        self.lows.insert(at, low);
        self.blocks[block as usize].is_sorted = true;
        self.bound(at);
        block
    }

    /// Notes at the block at a place, and at the one before it, where they begin and end.
    fn bound(&mut self, at: usize) {
        for at in [at.checked_sub(1), Some(at)].into_iter().flatten() {
            let Some(block) = self.order.get(at) else { continue };
            let it = &mut self.blocks[*block as usize];
            it.low = if at == 0 { Rank::MIN } else { self.lows[at] };
            it.end = self.lows.get(at + 1).copied().unwrap_or(Rank::MAX);
        }
    }

    /// Makes places free in a block: those of who left, or else half of its members go
    /// to a block of their own, behind it.
    fn make_room(&mut self, at: usize, ranks: Ranks<'_>) {
        let block = self.order[at];
        self.forget_left(block);
        let used = self.all(block);
        if used.count_ones() < MANY {
            return;
        }
        let seats = &self.seats[block as usize];
        let mut bits: Vec<u32> = ones(used).collect();
        bits.sort_unstable_by(|a, b| seats.compare(*a, *b, ranks));
        let upper = &bits[bits.len().div_ceil(2)..];
        let middle = ranks.rank(seats.members[upper[0] as usize]);
        let upper = upper.iter().fold(0, |bits, bit| bits | 1 << bit);
        let behind = self.open(at + 1, middle);
        // They keep their bits.
        self.seats[behind as usize] = self.seats[block as usize].clone();
        self.blocks[block as usize].used &= !upper;
        let is_sorted = self.blocks[block as usize].is_sorted;
        let it = &mut self.blocks[behind as usize];
        (it.used, it.is_sorted) = (upper, is_sorted);
        for bit in ones(upper) {
            let member = self.member(behind, bit);
            self.places[member as usize].0 = behind;
        }
        self.marks.split(block, behind, upper);
    }

    /// Frees the places of who left a block.
    fn forget_left(&mut self, block: u32) {
        let it = &mut self.blocks[block as usize];
        it.left = 0;
        self.marks.keep(block, it.used);
    }

    /// A block that has few members left goes, or is joined to a neighbor that has room
    /// for all of them.
    fn thin_out(&mut self, at: usize) {
        let n = |at: usize| self.all(self.order[at]).count_ones();
        let goes_with = |other: usize| n(at) + n(other) <= TOGETHER_MAX;
        if n(at) == 0 {
            self.forget_left(self.order[at]);
        } else if at + 1 < self.order.len() && goes_with(at + 1) {
            // Where the next block began, begins this one now.
            self.join(self.order[at], self.order[at + 1]);
            self.lows[at + 1] = self.lows[at];
        } else if at > 0 && goes_with(at - 1) {
            self.join(self.order[at], self.order[at - 1]);
        } else {
            return;
        }
        self.free.push(self.order.remove(at));
        self.lows.remove(at);
        self.bound(at);
    }

    /// Moves all members of a block to another.
    fn join(&mut self, from: u32, into: u32) {
        self.forget_left(into);
        let members = self.all(from);
        let mut to = [0; BLOCK];
        let it = &mut self.blocks[into as usize];
        for bit in ones(members) {
            let free = it.used.trailing_ones() as u8;
            it.used |= 1 << free;
            to[bit as usize] = free;
            let [from, target] = [from, into].map(|block| block as usize);
            let (member, first) =
                (self.seats[from].members[bit as usize], self.seats[from].firsts[bit as usize]);
            let seats = &mut self.seats[target];
            (seats.members[usize::from(free)], seats.firsts[usize::from(free)]) = (member, first);
            self.places[member as usize] = (into, free);
        }
        it.is_sorted = false;
        let it = &mut self.blocks[from as usize];
        (it.used, it.left) = (0, 0);
        self.marks.join(from, into, members, &to);
    }
}

impl Block {
    const EMPTY: Self = Self { low: Rank::MIN, end: Rank::MAX, used: 0, left: 0, is_sorted: true };

    /// Places that no newcomer can have.
    fn taken(&self) -> u64 {
        self.used | self.left
    }
}

impl Seats {
    /// How the ranks at two bits compare.
    fn compare(&self, a: u32, b: u32, ranks: Ranks<'_>) -> Ordering {
        let [a, b] = [a, b].map(|bit| bit as usize);
        let rest = || ranks.rank(self.members[a]).cmp(&ranks.rank(self.members[b]));
        self.firsts[a].cmp(&self.firsts[b]).then_with(rest)
    }

    /// Whether the first part at a bit fits between those of the bits beside it.
    fn is_in_order_at(&self, used: u64, bit: u8) -> bool {
        let first = self.firsts[usize::from(bit)];
        let below = used & ((1 << bit) - 1);
        let above = used & !((1 << bit) | ((1 << bit) - 1));
        below.checked_ilog2().is_none_or(|below| self.firsts[below as usize] <= first)
            && (above == 0 || first <= self.firsts[above.trailing_zeros() as usize])
    }
}
