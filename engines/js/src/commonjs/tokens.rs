//! JavaScript as tokens, just well enough to find assignments in it: what is a comment, a text or a regular expression is
//! told from code. Where telling would take a parser, there are no tokens.

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// A string.
    Text,
    /// The end of a template, or one without expressions.
    Template,
    /// A number.
    Number,
    /// A regular expression.
    Regex,
    /// Anything else: its character, or one of those below.
    Sign(u8),
}

/// `==`, `===`, `!=`, `+=` and all others that end in `=` and assign nothing plainly.
const OPERATOR: u8 = b'o';
/// `=>`
pub(super) const ARROW: u8 = b'a';
/// `...`
pub(super) const SPREAD: u8 = b's';
/// `?.`
pub(super) const OPTIONAL: u8 = b'q';
/// `++` or `--`
const STEP: u8 = b'i';
/// `${` in a template. Its `}` is no token.
const HOLE: u8 = b'h';

/// A token, with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a line ends between the token before and this one.
    pub(super) on_new_line: bool,
}

/// Returns the tokens of a source; `None` where a parser would have to tell what some of it is.
pub(super) fn of(source: &str) -> Option<Vec<Token>> {
    let skipped =
        if source.starts_with("#!") { source.find('\n').unwrap_or(source.len()) } else { 0 };
    let mut lexer = Lexer {
        source,
        bytes: source.as_bytes(),
        at: skipped,
        tokens: Vec::with_capacity(source.len() / 5),
        parentheses: Vec::new(),
        closed: false,
        braces: Vec::new(),
        on_new_line: true,
    };
    while lexer.step()? {}
    (lexer.parentheses.is_empty() && lexer.braces.is_empty()).then_some(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    tokens: Vec<Token>,
    /// For each open parenthesis, whether it is that of `if` and its like.
    parentheses: Vec<bool>,
    /// The same of the one that was closed last.
    closed: bool,
    /// For each open brace, whether it is a template's.
    braces: Vec<bool>,
    on_new_line: bool,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, start: usize) {
        let on_new_line = std::mem::replace(&mut self.on_new_line, false);
        self.tokens.push(Token { kind, start, end: self.at, on_new_line });
    }

    /// Takes the next token, or skips what is none. Returns whether there may be more.
    fn step(&mut self) -> Option<bool> {
        let Some(&byte) = self.bytes.get(self.at) else { return Some(false) };
        let start = self.at;
        match byte {
            b'\n' | b'\r' => {
                self.on_new_line = true;
                self.at += 1;
            }
            b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.skip_line(),
            b'/' if self.peek(1) == b'*' => {
                let length = self.source.get(start + 2..)?.find("*/")?;
                self.on_new_line |= self.bytes[start..start + 2 + length].contains(&b'\n');
                self.at = start + 2 + length + 2;
            }
            b'/' if self.begins_regex()? => {
                self.skip_regex()?;
                self.push(Kind::Regex, start);
            }
            b'"' | b'\'' => {
                self.skip_text(byte)?;
                self.push(Kind::Text, start);
            }
            b'`' => {
                self.at += 1;
                self.template(start)?;
            }
            b'0'..=b'9' => {
                while matches!(self.peek(0), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.')
                {
                    self.at += 1;
                }
                self.push(Kind::Number, start);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => {
                while is_part_of_word(self.peek(0)) {
                    self.at += 1;
                }
                self.push(Kind::Word, start);
            }
            // A name with an escape in it.
            b'\\' => return None,
            _ => self.sign(byte)?,
        }
        Some(true)
    }

    fn sign(&mut self, byte: u8) -> Option<()> {
        let start = self.at;
        let (sign, length) = match (byte, self.peek(1), self.peek(2)) {
            (b'=', b'>', _) => (ARROW, 2),
            (b'=', b'=', b'=') | (b'!', b'=', b'=') => (OPERATOR, 3),
            (b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%', b'=', _) => {
                (OPERATOR, 2)
            }
            (b'&' | b'|' | b'^', b'=', _) => (OPERATOR, 2),
            (b'&', b'&', b'=') | (b'|', b'|', b'=') | (b'?', b'?', b'=') => (OPERATOR, 3),
            (b'*', b'*', b'=') | (b'<', b'<', b'=') | (b'>', b'>', b'=') => (OPERATOR, 3),
            (b'>', b'>', b'>') if self.peek(3) == b'=' => (OPERATOR, 4),
            (b'+', b'+', _) | (b'-', b'-', _) => (STEP, 2),
            (b'.', b'.', b'.') => (SPREAD, 3),
            (b'?', b'.', next) if !next.is_ascii_digit() => (OPTIONAL, 2),
            _ => (byte, 1),
        };
        match byte {
            b'(' => {
                let keyword = self.tokens.last().is_some_and(|last| {
                    let word = self.word(last);
                    matches!(word, "if" | "while" | "for" | "with") && !self.is_member(1)
                });
                self.parentheses.push(keyword);
            }
            b')' => self.closed = self.parentheses.pop()?,
            b'{' => self.braces.push(false),
            b'}' if self.braces.pop()? => {
                self.at += 1;
                return self.template(start);
            }
            _ => {}
        }
        self.at += length;
        self.push(Kind::Sign(sign), start);
        Some(())
    }

    /// Takes the rest of a template, up to its end or its next expression.
    fn template(&mut self, start: usize) -> Option<()> {
        loop {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    self.push(Kind::Template, start);
                    return Some(());
                }
                b'$' if self.peek(1) == b'{' => {
                    self.at += 2;
                    self.braces.push(true);
                    self.push(Kind::Sign(HOLE), start);
                    return Some(());
                }
                _ if self.at >= self.bytes.len() => return None,
                _ => self.at += 1,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        self.at += length.unwrap_or(rest.len());
    }

    fn skip_text(&mut self, quote: u8) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'\n' => return None,
                byte if byte == quote => {
                    self.at += 1;
                    return Some(());
                }
                _ if self.at >= self.bytes.len() => return None,
                _ => self.at += 1,
            }
        }
    }

    fn skip_regex(&mut self) -> Option<()> {
        self.at += 1;
        let mut in_class = false;
        loop {
            match self.peek(0) {
                b'\\' => self.at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => break,
                b'\n' => return None,
                _ if self.at >= self.bytes.len() => return None,
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        while is_part_of_word(self.peek(0)) {
            self.at += 1;
        }
        Some(())
    }

    /// Whether a slash begins a regular expression, by what is before it; `None` where that does not tell.
    fn begins_regex(&self) -> Option<bool> {
        let Some(last) = self.tokens.last() else { return Some(true) };
        match last.kind {
            Kind::Word if self.is_member(1) => Some(false),
            Kind::Word => match self.word(last) {
                "return" | "typeof" | "instanceof" | "in" | "new" | "delete" | "void" | "throw"
                | "case" | "do" | "else" => Some(true),
                "of" | "yield" | "await" => None,
                _ => Some(false),
            },
            Kind::Text | Kind::Template | Kind::Number | Kind::Regex => Some(false),
            Kind::Sign(b']') => Some(false),
            Kind::Sign(b')') => Some(self.closed),
            Kind::Sign(b'}' | STEP) => None,
            Kind::Sign(_) => Some(true),
        }
    }

    fn word(&self, token: &Token) -> &str {
        if token.kind == Kind::Word { &self.source[token.start..token.end] } else { "" }
    }

    /// Whether the token this far from the end is a member of what is before it.
    fn is_member(&self, from_end: usize) -> bool {
        let before = self.tokens.len().checked_sub(from_end + 1);
        before.is_some_and(|place| {
            matches!(self.tokens[place].kind, Kind::Sign(b'.' | b'#' | OPTIONAL))
        })
    }
}

fn is_part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}
