//! Bits of 64 members at a time: who has something.
//!
//! A mark has a word for each block of members, all side by side: a question goes over
//! a few such columns from one end to the other.

/// The highest level that marks tell from lower ones.
pub(super) const LEVEL_MAX: u8 = 15;
/// The first marks are those of an agent's [`State`], a bit each.
pub(super) const STATE_MARKS: usize = 13;

/// A bit for each channel where the agent is online with room; above these one for
/// each where they are online and never were given work; and [`FRESH`].
pub(super) type State = u16;

/// The bit of those who hold nothing and never were given work on any channel.
pub(super) const FRESH: usize = STATE_MARKS - 1;

/// What a member may bear: a group, a level of a skill or more, a shift, a bit of the
/// state. The number of its column.
pub(super) type Mark = u32;

/// The columns of all marks.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    words: Vec<u64>,
    n_marks: usize,
    n_blocks: usize,
    /// Words of a column, in use and for blocks to come.
    height: usize,
}

/// Where a bit goes, by the source's place among the sources and its own.
pub(super) type Moves = [[(u32, u8); 64]; 2];

impl Columns {
    /// Of no block, for so many marks.
    pub(super) fn new(n_marks: usize) -> Self {
        Self { words: Vec::new(), n_marks, n_blocks: 0, height: 0 }
    }

    /// Makes columns for this many marks at least.
    pub(super) fn widen(&mut self, n_marks: usize) {
        self.n_marks = self.n_marks.max(n_marks);
        self.words.resize(self.n_marks * self.height, 0);
    }

    /// One more block, of nobody.
    pub(super) fn push(&mut self) {
        self.n_blocks += 1;
        if self.n_blocks <= self.height {
            return;
        }
        // Never a power of two: columns would contend for the same lines of the cache.
        let height = (self.height * 3 / 2).next_multiple_of(16) + 8;
        let mut words = vec![0; height * self.n_marks];
        if self.height > 0 {
            let old = self.words.chunks_exact(self.height);
            for (new, old) in words.chunks_exact_mut(height).zip(old) {
                new[..self.height].copy_from_slice(old);
            }
        }
        (self.words, self.height) = (words, height);
    }

    /// Writes a member's marks where there was none.
    pub(super) fn set(&mut self, block: u32, bit: u8, state: State, marks: &[Mark]) {
        self.turn_state(block, bit, state);
        for mark in marks {
            self.words[*mark as usize * self.height + block as usize] |= 1 << bit;
        }
    }

    /// Turns these bits of a member's state around.
    pub(super) fn turn_state(&mut self, block: u32, bit: u8, mut turned: State) {
        while turned != 0 {
            let mark = turned.trailing_zeros() as usize;
            self.words[mark * self.height + block as usize] ^= 1 << bit;
            turned &= turned - 1;
        }
    }

    /// The members of a block who bear a mark.
    #[inline]
    pub(super) fn with(&self, block: u32, mark: Mark) -> u64 {
        self.words[mark as usize * self.height + block as usize]
    }

    /// Moves the bits of these members of one or two blocks, and clears all others there.
    pub(super) fn relocate(&mut self, sources: &[u32], members: [u64; 2], moves: &Moves) {
        for column in self.words.chunks_exact_mut(self.height.max(1)) {
            relocate(column, sources, members, moves);
        }
    }
}

/// Moves the bits of each source.
fn relocate(column: &mut [u64], sources: &[u32], members: [u64; 2], moves: &Moves) {
    let mut taken = members;
    for (taken, source) in taken.iter_mut().zip(sources) {
        *taken &= std::mem::take(&mut column[*source as usize]);
    }
    for (mut bits, targets) in taken.into_iter().zip(moves) {
        while bits != 0 {
            let (block, bit) = targets[bits.trailing_zeros() as usize];
            column[block as usize] |= 1 << bit;
            bits &= bits - 1;
        }
    }
}
