//! What a user says in words: the note at the PBX and the status message in Teams, as either side has it.
//!
//! The text itself stays in memory. What must be known of it later is kept as a [`Digest`].

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::identity::PbxGuid;

/// The longest status message, in UTF-16 code units: Teams' own clients take no longer one. Graph's reference names no
/// bound (graph.md 5.2).
pub const LONGEST: usize = 280;

/// What ends a text that was cut.
const CUT: char = '\u{2026}';

/// Entities of marked up text; the one that begins all others comes last.
const ENTITIES: [(&str, &str); 6] = [
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&amp;", "&"),
];

/// A user's note as Teams can show it: plain text on one line, neither empty nor longer than [`LONGEST`].
#[derive(Clone, PartialEq, Eq)]
pub struct StatusMessage(String);

impl StatusMessage {
    /// Reads the note of an entry at the PBX (pbx.md 3.2): words that begin with `#` are the Calendar app's own, a word
    /// that begins with `##` means a literal `#`. `None` where no text is left.
    pub fn of_note(note: &str) -> Option<Self> {
        let meant = |word: &str| match word.strip_prefix('#') {
            Some(literal) if literal.starts_with('#') => Some(literal.to_owned()),
            Some(_hashtag) => None,
            None => Some(word.to_owned()),
        };
        let note = note.replace(|letter: char| letter.is_control(), " ");
        let words: Vec<String> = note.split_whitespace().filter_map(meant).collect();
        let text = cut(words.join(" "));
        (!text.is_empty()).then_some(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is known by later.
    pub fn digest(&self, user: &PbxGuid) -> Digest {
        Digest::of(&self.0, user)
    }
}

/// Keeps the text out of logs.
impl fmt::Debug for StatusMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StatusMessage({} bytes)", self.0.len())
    }
}

/// What one user's text is known by, in whatever form it is told: marked up, escaped or trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// The digest of a text; equal texts of two users differ.
    pub fn of(text: &str, user: &PbxGuid) -> Self {
        let mut text = text.to_owned();
        loop {
            let plainer = plain(&text);
            if plainer == text {
                break;
            }
            text = plainer;
        }
        let hash = Sha256::new()
            .chain_update(user.as_str())
            .chain_update([0])
            .chain_update(&text)
            .finalize();
        Self(hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Takes one that was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Marked up text without tags and entities, on one line, as short as Teams allows.
pub fn plain(content: &str) -> String {
    let mut text = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        text.push_str(before);
        let opens = tag
            .get(1..2)
            .is_some_and(|next| next == "/" || next.chars().all(char::is_alphabetic));
        match tag.find('>').filter(|_| opens) {
            Some(end) => {
                text.push(' ');
                rest = tag.get(end + 1..).unwrap_or_default();
            }
            None => {
                text.push('<');
                rest = tag.get(1..).unwrap_or_default();
            }
        }
    }
    text.push_str(rest);
    for (entity, meant) in ENTITIES {
        text = text.replace(entity, meant);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// A status message as the note of an entry: a word of it is no hashtag of the Calendar app.
pub fn as_note(message: &str) -> String {
    let literal = |word: &str| match word.strip_prefix('#') {
        Some(_) => format!("#{word}"),
        None => word.to_owned(),
    };
    let words: Vec<String> = message.split(' ').map(literal).collect();
    words.join(" ")
}

/// Cuts a text that is too long, and shows that it was cut.
fn cut(text: String) -> String {
    if text.encode_utf16().count() <= LONGEST {
        return text;
    }
    let mut length = CUT.len_utf16();
    let fits = |letter: &char| {
        length += letter.len_utf16();
        length <= LONGEST
    };
    let mut text: String = text.chars().take_while(fits).collect();
    text.truncate(text.trim_end().len());
    text.push(CUT);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(note: &str) -> Option<String> {
        StatusMessage::of_note(note).map(|message| message.as_str().to_owned())
    }

    #[test]
    fn a_note_is_read_without_the_calendars_hashtags_and_on_one_line() {
        for (note, text) in [
            ("  back at\n3\u{0} ", Some("back at 3")),
            ("In Berlin #busy #until:1700000000000 #len:9", Some("In Berlin")),
            ("#free #next:a:b:c:d", None),
            ("##1 of all", Some("#1 of all")),
            ("###1 #", Some("##1")),
            ("C# is fine", Some("C# is fine")),
            (" \t", None),
        ] {
            assert_eq!(read(note).as_deref(), text, "{note:?}");
        }
    }

    #[test]
    fn a_long_note_is_cut_to_what_teams_takes() {
        for letter in ["ö", "\u{1f600}"] {
            let text = read(&letter.repeat(1_000)).unwrap();
            assert!(text.ends_with(CUT));
            let length = text.encode_utf16().count();
            assert!((LONGEST - 1..=LONGEST).contains(&length), "{length}");
        }
        assert_eq!(read(&"o".repeat(LONGEST)).unwrap().len(), LONGEST);
    }

    #[test]
    fn a_message_is_known_in_every_form_that_teams_tells_it_in() {
        let user = PbxGuid::new("a1");
        for (written, told) in [
            ("a < b & c", "<p>a &lt; b &amp; c</p><pinnednote></pinnednote>"),
            ("5 <b>or</b> 6", "5 &lt;b&gt;or&lt;/b&gt; 6"),
            ("5 <b>or</b> 6", "5 <b>or</b> 6"),
            ("&lt; is less", "&amp;lt; is less"),
        ] {
            let message = StatusMessage::of_note(written).unwrap();
            assert_eq!(message.digest(&user), Digest::of(&plain(told), &user), "{told}");
        }
        let digest = Digest::of("lunch", &user);
        assert_ne!(digest, Digest::of("lunch at 3", &user));
        assert_ne!(digest, Digest::of("lunch", &PbxGuid::new("a2")));
        assert!(!format!("{:?}", StatusMessage::of_note("lunch")).contains("lunch"));
    }

    #[test]
    fn a_message_with_hashtags_is_read_back_as_it_was_written() {
        for message in ["#1 of all", "##x and #", "C# & co", "plain"] {
            assert_eq!(read(&as_note(message)).as_deref(), Some(message));
        }
    }
}
