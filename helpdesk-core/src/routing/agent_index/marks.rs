//! Bits of 64 members at a time: who has something.
//!
//! A block of members has a word for each mark, all side by side: who joins a block, and
//! a block that is laid anew, write few lines of the cache; a question reads one for
//! each mark of each block that it comes to.

use crate::bits::ones;

/// The highest level that marks tell from lower ones.
pub(super) const LEVEL_MAX: u8 = 15;
/// The first marks are those of an agent's [`State`], a bit each.
pub(super) const STATE_MARKS: usize = FRESH + 1;

/// A bit for each channel where the agent is online with room, and [`FRESH`] above these.
pub(super) type State = u8;

/// The bit of those who hold nothing and never were given work on any channel.
pub(super) const FRESH: usize = 6;

/// The bits of channels.
pub(super) const READY: State = (1 << FRESH) - 1;

/// What a member may bear: a group, a level of a skill or more, a shift, a bit of the
/// state. The place of its word.
pub(super) type Mark = u32;

/// The words of all blocks.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    lines: Vec<Line>,
    /// Lines of a block, in use and for marks to come.
    width: usize,
}

/// Words of a line of the cache.
const LINE: usize = 8;

#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line([u64; LINE]);

impl Marks {
    /// Of no block, for so many marks.
    pub(super) fn new(n_marks: usize) -> Self {
        Self { lines: Vec::new(), width: n_marks.div_ceil(LINE) }
    }

    /// Makes room for this many marks at least.
    pub(super) fn widen(&mut self, n_marks: usize) {
        if n_marks <= self.width * LINE {
            return;
        }
        let width = n_marks.div_ceil(LINE) * 5 / 4 + 1;
        let mut lines = vec![Line::default(); self.lines.len() / self.width * width];
        for (new, old) in lines.chunks_exact_mut(width).zip(self.lines.chunks_exact(self.width)) {
            new[..self.width].copy_from_slice(old);
        }
        (self.lines, self.width) = (lines, width);
    }

    /// One more block, of nobody.
    pub(super) fn push(&mut self) {
        self.lines.resize(self.lines.len() + self.width, Line::default());
    }

    fn of(&mut self, block: u32) -> &mut [Line] {
        &mut self.lines[block as usize * self.width..][..self.width]
    }

    /// Writes a member's marks where there was none.
    pub(super) fn set(&mut self, block: u32, bit: u8, state: State, marks: &[Mark]) {
        self.turn_state(block, bit, state);
        let lines = self.of(block);
        for mark in marks {
            lines[*mark as usize / LINE].0[*mark as usize % LINE] |= 1 << bit;
        }
    }

    /// Turns bits of the state of a member.
    pub(super) fn turn_state(&mut self, block: u32, bit: u8, turned: State) {
        const { assert!(STATE_MARKS <= LINE, "a state is in the first line") };
        let line = &mut self.lines[block as usize * self.width].0;
        for mark in ones(turned.into()) {
            line[mark as usize] ^= 1 << bit;
        }
    }

    /// The members of a block who bear a mark.
    #[inline]
    pub(super) fn with(&self, block: u32, mark: Mark) -> u64 {
        let mark = mark as usize;
        self.lines[block as usize * self.width + mark / LINE].0[mark % LINE]
    }

    /// Clears all but these bits of a block.
    pub(super) fn keep(&mut self, block: u32, bits: u64) {
        self.of(block).iter_mut().flat_map(|line| &mut line.0).for_each(|word| *word &= bits);
    }

    /// Moves these bits of a block to another where they are not set.
    pub(super) fn split(&mut self, from: u32, to: u32, bits: u64) {
        for at in 0..self.width {
            let source = &mut self.lines[from as usize * self.width + at].0;
            let moved = source.map(|word| word & bits);
            source.iter_mut().for_each(|word| *word &= !bits);
            let target = &mut self.lines[to as usize * self.width + at].0;
            target.iter_mut().zip(moved).for_each(|(word, moved)| *word |= moved);
        }
    }

    /// Moves these bits of a block to another, each to a bit there that is not set,
    /// and clears all others.
    pub(super) fn join(&mut self, from: u32, into: u32, bits: u64, to: &[u8; 64]) {
        for at in 0..self.width {
            let source = std::mem::take(&mut self.lines[from as usize * self.width + at].0);
            let target = &mut self.lines[into as usize * self.width + at].0;
            for (source, target) in source.into_iter().zip(target) {
                *target |= ones(source & bits).fold(0, |moved, bit| moved | 1 << to[bit as usize]);
            }
        }
    }
}
