//! Members in the order of their ranks, 64 to a block, each with marks.
//!
//! Blocks are in order, and what is in a block may lie in any order: so a member
//! moves by writing a few bits, and "the first who has all this" is an
//! intersection of words, block after block. The bits of one who left are not
//! cleared one by one: their place in the block is not used again until the block
//! is laid anew, all columns at once.

use super::marks::{Columns, Mark, Moves, State};
use super::rank::Rank;
use crate::bits::ones;

/// Members of a block at most.
const BLOCK: usize = 64;
/// A block that has no place left and no fewer members than this is split.
const MANY: u32 = 48;
/// A block with no more members than this is joined to a neighbor …
const FEW: u32 = 12;
/// … when they are no more than this together.
const TOGETHER_MAX: u32 = 40;
/// No block: where a member is who is not in the ranking.
const NOWHERE: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub(super) struct Ranking {
    /// The blocks in order.
    order: Vec<u32>,
    /// At the same places: no rank in the block is lower, but for the first block.
    lows: Vec<Rank>,
    blocks: Vec<Block>,
    free: Vec<u32>,
    /// By member: block and bit.
    places: Vec<(u32, u8)>,
    columns: Columns,
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
    /// Whether lower bits have lower ranks.
    is_sorted: bool,
    ranks: [Rank; BLOCK],
    members: [u32; BLOCK],
}

impl Ranking {
    /// Of nobody, for so many marks.
    pub(super) fn new(n_marks: usize) -> Self {
        Self {
            order: Vec::new(),
            lows: Vec::new(),
            blocks: Vec::new(),
            free: Vec::new(),
            places: Vec::new(),
            columns: Columns::new(n_marks),
        }
    }

    /// Makes room for this many marks at least.
    pub(super) fn widen(&mut self, n_marks: usize) {
        self.columns.widen(n_marks);
    }

    /// Puts a member in who is not there.
    pub(super) fn insert(&mut self, member: u32, rank: Rank, state: State, marks: &[Mark]) {
        let (block, bit) = self.room_for(rank);
        let it = &mut self.blocks[block as usize];
        it.used |= 1 << bit;
        it.ranks[usize::from(bit)] = rank;
        it.members[usize::from(bit)] = member;
        let member = member as usize;
        if self.places.len() <= member {
            self.places.resize(member + 1, (NOWHERE, 0));
        }
        self.places[member] = (block, bit);
        self.columns.set(block, bit, state, marks);
    }

    /// Takes a member out, who has this state.
    pub(super) fn remove(&mut self, member: u32, state: State) {
        let Some((block, bit)) = self.place(member) else { return };
        self.columns.turn_state(block, bit, state);
        self.places[member as usize] = (NOWHERE, 0);
        let it = &mut self.blocks[block as usize];
        it.used &= !(1 << bit);
        it.left |= 1 << bit;
        if it.used.count_ones() <= FEW {
            let rank = it.ranks[usize::from(bit)];
            self.join(rank);
        }
    }

    /// Gives a member another state.
    pub(super) fn set_state(&mut self, member: u32, was: State, is: State) {
        let Some((block, bit)) = self.place(member) else { return };
        self.columns.turn_state(block, bit, was ^ is);
    }

    /// Gives a member another rank, where that leaves it in its block; else says no.
    pub(super) fn rerank(&mut self, member: u32, rank: Rank) -> bool {
        let Some((block, bit)) = self.place(member) else { return false };
        let it = &mut self.blocks[block as usize];
        if it.ranks[usize::from(bit)] == rank {
            return true;
        }
        let fits = it.low <= rank && rank < it.end;
        if fits {
            it.ranks[usize::from(bit)] = rank;
            it.is_sorted &= it.is_in_order_at(bit);
        }
        fits
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
        self.columns.with(block, mark)
    }

    pub(super) fn member(&self, block: u32, bit: u32) -> (u32, Rank) {
        let it = &self.blocks[block as usize];
        (it.members[bit as usize], it.ranks[bit as usize])
    }

    /// The bit of the lowest rank among `bits`, of which there is at least one.
    pub(super) fn lowest(&self, block: u32, bits: u64) -> u32 {
        let it = &self.blocks[block as usize];
        let first = bits.trailing_zeros();
        if it.is_sorted {
            return first;
        }
        let others = ones(bits & (bits - 1));
        others.fold(first, |best, bit| {
            if it.ranks[bit as usize] < it.ranks[best as usize] { bit } else { best }
        })
    }

    fn place(&self, member: u32) -> Option<(u32, u8)> {
        self.places.get(member as usize).copied().filter(|(block, _)| *block != NOWHERE)
    }

    /// Where in the order the block of a rank is; there is at least one.
    fn at(&self, rank: Rank) -> usize {
        self.lows.partition_point(|low| *low <= rank).saturating_sub(1)
    }

    /// A free bit for a rank.
    fn room_for(&mut self, rank: Rank) -> (u32, u8) {
        if self.order.is_empty() {
            return (self.open(0, rank), 0);
        }
        let mut at = self.at(rank);
        let block = self.order[at];
        let it = &self.blocks[block as usize];
        if at + 1 == self.order.len() && it.is_sorted && it.is_filled_below(rank) {
            return (self.open(at + 1, rank), 0);
        }
        if it.taken() == u64::MAX {
            self.make_room(at);
            at = self.at(rank);
        }
        let block = self.order[at];
        (block, self.blocks[block as usize].free_bit(rank))
    }

    /// A new block, at a place in the order.
    fn open(&mut self, at: usize, low: Rank) -> u32 {
        let block = self.free.pop().unwrap_or_else(|| {
            self.blocks.push(Block::default());
            self.columns.push();
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

    /// Makes places free in a block: half of many members go to a block of their own,
    /// behind it.
    fn make_room(&mut self, at: usize) {
        let block = self.order[at];
        let bits = self.sorted(&[block]);
        if bits.len() < MANY as usize {
            self.relocate(&[block], &bits, &[block], BLOCK);
            return;
        }
        let n_each = bits.len().div_ceil(2);
        let middle = self.member(block, bits[n_each].1).1;
        let behind = self.open(at + 1, middle);
        self.relocate(&[block], &bits, &[block, behind], n_each);
    }

    /// The members of blocks in order: place among the blocks, bit.
    fn sorted(&self, blocks: &[u32]) -> Vec<(usize, u32)> {
        let mut bits: Vec<(usize, u32)> = Vec::with_capacity(BLOCK);
        for (source, block) in blocks.iter().enumerate() {
            let start = bits.len();
            bits.extend(ones(self.all(*block)).map(|bit| (source, bit)));
            bits[start..].sort_unstable_by_key(|(_, bit)| self.member(*block, *bit).1);
        }
        bits
    }

    /// A block that has few members left, where this rank belongs, goes, or is
    /// joined to a neighbor that has room for all of them.
    fn join(&mut self, rank: Rank) {
        let at = self.at(rank);
        let n = |at: usize| self.all(self.order[at]).count_ones();
        let (lower, upper) = match at {
            _ if n(at) == 0 => {
                self.relocate(&[self.order[at]], &[], &[], BLOCK);
                self.close(at);
                return;
            }
            _ if at + 1 < self.order.len() && n(at) + n(at + 1) <= TOGETHER_MAX => (at, at + 1),
            _ if at > 0 && n(at) + n(at - 1) <= TOGETHER_MAX => (at - 1, at),
            _ => return,
        };
        let sources = [self.order[lower], self.order[upper]];
        let bits = self.sorted(&sources);
        self.relocate(&sources, &bits, &[sources[0]], BLOCK);
        self.close(upper);
    }

    /// Takes a block out of the order where nobody is and nobody left.
    fn close(&mut self, at: usize) {
        let block = self.order.remove(at);
        self.lows.remove(at);
        self.free.push(block);
        self.bound(at);
    }

    /// Lays the members at `bits` (place among the sources, bit) in this order
    /// into the targets, `n_each` into each.
    fn relocate(&mut self, sources: &[u32], bits: &[(usize, u32)], targets: &[u32], n_each: usize) {
        let mut moves: Moves = [[(0, 0); BLOCK]; 2];
        let laid: Vec<(u32, Rank)> =
            bits.iter().map(|(source, bit)| self.member(sources[*source], *bit)).collect();
        let mut members = [0; 2];
        for (members, block) in members.iter_mut().zip(sources) {
            *members = self.all(*block);
        }
        for block in sources.iter().chain(targets) {
            let it = &mut self.blocks[*block as usize];
            (it.used, it.left, it.is_sorted) = (0, 0, true);
        }
        for (target, (bits, laid)) in
            targets.iter().zip(bits.chunks(n_each).zip(laid.chunks(n_each)))
        {
            for (bit, ((source, old_bit), (member, rank))) in bits.iter().zip(laid).enumerate() {
                let it = &mut self.blocks[*target as usize];
                it.used |= 1 << bit;
                it.ranks[bit] = *rank;
                it.members[bit] = *member;
                self.places[*member as usize] = (*target, bit as u8);
                moves[*source][*old_bit as usize] = (*target, bit as u8);
            }
        }
        self.columns.relocate(sources, members, &moves);
    }
}

impl Default for Block {
    fn default() -> Self {
        Self {
            low: Rank::MIN,
            end: Rank::MAX,
            used: 0,
            left: 0,
            is_sorted: true,
            ranks: [Rank::MIN; BLOCK],
            members: [0; BLOCK],
        }
    }
}

impl Block {
    /// Places that no newcomer can have.
    fn taken(&self) -> u64 {
        self.used | self.left
    }

    /// Whether a rank comes behind all of a block whose bits are in order.
    fn is_behind(&self, rank: Rank) -> bool {
        self.used == 0 || self.ranks[self.used.ilog2() as usize] < rank
    }

    /// Whether the rank would come behind all others, and no bit is free there.
    fn is_filled_below(&self, rank: Rank) -> bool {
        self.taken() >> (BLOCK - 1) == 1 && self.is_behind(rank)
    }

    /// A free bit, the one behind all others if the rank comes there.
    fn free_bit(&mut self, rank: Rank) -> u8 {
        let above = BLOCK as u32 - self.taken().leading_zeros();
        self.is_sorted |= self.used == 0;
        if self.is_sorted && (above as usize) < BLOCK && self.is_behind(rank) {
            return above as u8;
        }
        self.is_sorted = self.used == 0;
        self.taken().trailing_ones() as u8
    }

    /// Whether the rank at a bit fits between those of the bits beside it.
    fn is_in_order_at(&self, bit: u8) -> bool {
        let rank = self.ranks[usize::from(bit)];
        let below = self.used & ((1 << bit) - 1);
        let above = self.used & !((1 << bit) | ((1 << bit) - 1));
        (below == 0 || self.ranks[below.ilog2() as usize] < rank)
            && (above == 0 || rank < self.ranks[above.trailing_zeros() as usize])
    }
}
