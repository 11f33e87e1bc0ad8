//! Character classes: `%a` and the like, and sets of bytes.

/// The classes of one byte, a bit each, in the order of [`NAMES`].
static CLASSES: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        let member = [
            c.is_ascii_alphabetic(),
            c.is_ascii_control(),
            c.is_ascii_digit(),
            c.is_ascii_graphic(),
            c.is_ascii_lowercase(),
            c.is_ascii_punctuation(),
            // Lua's spaces include the vertical tab, Rust's do not.
            c == b' ' || (c >= 9 && c <= 13),
            c.is_ascii_uppercase(),
            c.is_ascii_alphanumeric(),
            c.is_ascii_hexdigit(),
            c == 0,
        ];
        let mut class = 0;
        while class < member.len() {
            if member[class] {
                table[byte] |= 1 << class;
            }
            class += 1;
        }
        byte += 1;
    }
    table
};

/// The letters of the classes; `z` is an old name for the zero byte.
const NAMES: [u8; 11] = *b"acdglpsuwxz";

/// The bit of the class named by a letter of either case; 0 for any other byte.
static MASKS: [u16; 256] = {
    let mut table = [0; 256];
    let mut class = 0;
    while class < NAMES.len() {
        table[NAMES[class] as usize] = 1 << class;
        table[NAMES[class].to_ascii_uppercase() as usize] = 1 << class;
        class += 1;
    }
    table
};

/// Whether `byte` belongs to the class `%name`. A byte that does not name a class stands for itself.
#[inline]
pub(super) fn matches(byte: u8, name: u8) -> bool {
    match MASKS[usize::from(name)] {
        0 => byte == name,
        mask => (CLASSES[usize::from(byte)] & mask != 0) == name.is_ascii_lowercase(),
    }
}

/// A set of bytes.
#[derive(Default)]
pub(super) struct Set([u64; 4]);

impl Set {
    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    pub(super) fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn add_range(&mut self, first: u8, last: u8) {
        (first..=last).for_each(|byte| self.add(byte));
    }

    pub(super) fn add_class(&mut self, name: u8) {
        if MASKS[usize::from(name)] == 0 {
            return self.add(name);
        }
        let members = &SETS[usize::from(name)];
        self.0.iter_mut().zip(members.0).for_each(|(word, members)| *word |= members);
    }

    pub(super) fn invert(&mut self) {
        self.0.iter_mut().for_each(|word| *word = !*word);
    }
}

/// The members of each class, by its letter.
static SETS: [Set; 128] = {
    let mut sets = [const { Set([0; 4]) }; 128];
    let mut name = 0;
    while name < 128 {
        let mask = MASKS[name];
        let mut byte = 0;
        while byte < 256 {
            if mask != 0 && (CLASSES[byte] & mask != 0) == (name as u8).is_ascii_lowercase() {
                sets[name].0[byte >> 6] |= 1 << (byte & 63);
            }
            byte += 1;
        }
        name += 1;
    }
    sets
};
