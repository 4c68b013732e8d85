//! Closed sets of words, as an administrator writes them.

/// A setting that takes one of a few words.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every word with its meaning, in the order in which to offer them.
    const WORDS: &'static [(&'static str, Self)];

    /// Reads a word; `None` when it is not one of [`Choice::WORDS`].
    fn parse(word: &str) -> Option<Self> {
        let found = Self::WORDS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word.trim()));
        found.map(|(_, meaning)| *meaning)
    }

    /// The word, as configured.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, meaning)| *meaning == self);
        found.map_or("", |(word, _)| *word)
    }
}

/// Declares an enum together with its words.
macro_rules! choice {
    ($(#[$meta:meta])* $type:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$variant_meta])* $variant,)+ }

        impl $crate::config::choice::Choice for $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];
        }
    };
}

pub(crate) use choice;
