//! Bits of 64 members at a time: who has something, and at what level.
//!
//! A block of members has a row of words, all its lasting marks side by side: a member
//! who moves touches two rows, wherever the marks are. The marks of a state stand by
//! themselves: those are asked of block after block, the others seldom.

/// The highest level that marks tell from lower ones.
pub(super) const LEVEL_MAX: u8 = 15;
/// Words of a mark with levels: plane 0 has the lowest bits.
pub(super) const LEVEL_PLANES: u8 = 4;
/// Words that all marks of an agent's state take: see [`State`].
pub(super) const STATE_WORDS: usize = 12;

/// A bit for each channel where the agent is online with room, and above these one
/// for each where they are online and never were given work.
pub(super) type State = u16;

/// What a member bears for long: where in a row it stands, and the level, 1 where
/// there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) word: u32,
    pub(super) n_planes: u8,
    pub(super) level: u8,
}

/// The rows of all blocks.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// For each bit of a state, the word of each block.
    states: [Vec<u64>; STATE_WORDS],
    words: Vec<u64>,
    /// Words of a row, in use and for marks to come.
    width: usize,
}

/// Where a bit goes, by the source's place among the sources and its own.
pub(super) type Moves = [[(u32, u8); 64]; 2];

impl Rows {
    /// No row, each of which shall have this many words.
    pub(super) fn new(n_words: usize) -> Self {
        let states = std::array::from_fn(|_| Vec::new());
        Self { states, words: Vec::new(), width: n_words.next_multiple_of(8).max(8) }
    }

    /// Makes rows of this many words at least.
    pub(super) fn widen(&mut self, n_words: usize) {
        if n_words <= self.width {
            return;
        }
        let width = n_words.max(self.width * 5 / 4).next_multiple_of(8);
        let n_rows = self.words.len() / self.width;
        let mut words = vec![0; width * n_rows];
        for (new, old) in words.chunks_exact_mut(width).zip(self.words.chunks_exact(self.width)) {
            new[..self.width].copy_from_slice(old);
        }
        (self.words, self.width) = (words, width);
    }

    /// One more row, of nobody.
    pub(super) fn push(&mut self) {
        self.words.resize(self.words.len() + self.width, 0);
        self.states.iter_mut().for_each(|words| words.push(0));
    }

    fn row(&self, block: u32) -> &[u64] {
        let start = block as usize * self.width;
        &self.words[start..start + self.width]
    }

    fn row_mut(&mut self, block: u32) -> &mut [u64] {
        let start = block as usize * self.width;
        &mut self.words[start..start + self.width]
    }

    /// Writes a member's marks where there was none.
    pub(super) fn mark(&mut self, block: u32, bit: u8, state: State, marks: &[Mark]) {
        self.set_state(block, bit, 0, state);
        let row = self.row_mut(block);
        for mark in marks {
            let start = mark.word as usize;
            let planes = &mut row[start..start + usize::from(mark.n_planes)];
            for (plane, word) in planes.iter_mut().enumerate() {
                *word |= u64::from((mark.level >> plane) & 1) << bit;
            }
        }
    }

    /// Takes a member's marks away.
    pub(super) fn clear(&mut self, block: u32, bit: u8, state: State, marks: &[Mark]) {
        self.set_state(block, bit, state, 0);
        let row = self.row_mut(block);
        for mark in marks {
            let start = mark.word as usize;
            let planes = &mut row[start..start + usize::from(mark.n_planes)];
            planes.iter_mut().for_each(|word| *word &= !(1 << bit));
        }
    }

    /// Gives a member another state.
    pub(super) fn set_state(&mut self, block: u32, bit: u8, was: State, is: State) {
        let mut turned = was ^ is;
        while turned != 0 {
            self.states[turned.trailing_zeros() as usize][block as usize] ^= 1 << bit;
            turned &= turned - 1;
        }
    }

    /// The members of a block who have a bit of the state.
    #[inline]
    pub(super) fn with_state(&self, block: u32, state_bit: usize) -> u64 {
        self.states[state_bit][block as usize]
    }

    /// The members of a block who have a mark, at this level at least.
    #[inline]
    pub(super) fn at_least(&self, block: u32, mark: Mark) -> u64 {
        let start = mark.word as usize;
        let planes = &self.row(block)[start..start + usize::from(mark.n_planes)];
        if let [word] = planes {
            return *word;
        }
        let (mut more, mut equal) = (0, u64::MAX);
        for (plane, word) in planes.iter().enumerate().rev() {
            if (mark.level >> plane) & 1 == 1 {
                equal &= word;
            } else {
                more |= equal & word;
                equal &= !word;
            }
        }
        more | equal
    }

    /// Moves all bits of one or two blocks.
    pub(super) fn relocate(&mut self, sources: &[u32], moves: &Moves) {
        for state_bit in 0..STATE_WORDS {
            relocate(&mut self.states[state_bit], 1, sources, moves);
        }
        for word in 0..self.width {
            relocate(self.words.get_mut(word..).unwrap_or_default(), self.width, sources, moves);
        }
    }
}

/// Moves the bits of one word of each source, words of two blocks lying so far apart.
fn relocate(words: &mut [u64], width: usize, sources: &[u32], moves: &Moves) {
    let mut taken = [0; 2];
    for (taken, source) in taken.iter_mut().zip(sources) {
        *taken = std::mem::take(&mut words[*source as usize * width]);
    }
    for (mut bits, targets) in taken.into_iter().zip(moves) {
        while bits != 0 {
            let (block, bit) = targets[bits.trailing_zeros() as usize];
            words[block as usize * width] |= 1 << bit;
            bits &= bits - 1;
        }
    }
}
