//! Code points as the tokens of ARPA files, which white space separates.

/// A member of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// `<unk>`: any code point that the model doesn't know.
    Unknown,
    /// `<s>`: the beginning of a line.
    Begin,
    /// `</s>`: the end of a line.
    End,
    /// A code point.
    Char(char),
}

impl Token {
    /// The token that a word of a file stands for, none if that isn't one.
    ///
    /// The blank is `<space>`, others that can't stand in a file `<U+0009>` and
    /// so on. `blank` is the sign that stands for the blank beside `<space>`.
    pub fn parse(word: &str, blank: Option<char>) -> Option<Self> {
        let mut chars = word.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Some(Self::Char(if blank == Some(c) { ' ' } else { c }));
        }
        match word {
            "<unk>" | "<UNK>" => Some(Self::Unknown),
            "<s>" => Some(Self::Begin),
            "</s>" => Some(Self::End),
            "<space>" => Some(Self::Char(' ')),
            _ => {
                let digits = word.strip_prefix("<U+")?.strip_suffix('>')?;
                char::from_u32(u32::from_str_radix(digits, 16).ok()?).map(Self::Char)
            }
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("<unk>"),
            Self::Begin => f.write_str("<s>"),
            Self::End => f.write_str("</s>"),
            Self::Char(' ') => f.write_str("<space>"),
            // Other programs may take these for separators of words or lines.
            Self::Char(c) if c.is_whitespace() || c.is_control() => write!(f, "<U+{:04X}>", u32::from(*c)),
            Self::Char(c) => write!(f, "{c}"),
        }
    }
}
