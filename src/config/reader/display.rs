//! Values as they are shown to an administrator: in the file's own notation, secrets masked.

use m365_presence::secret::MASK;

use crate::config::catalogue::Shape;
use crate::config::layer::{Entry, Value};

/// A wrong value with its origin, as a problem tells it; of a secret only the length.
pub(super) fn found(shape: Shape, entry: &Entry) -> String {
    let value = match &entry.value {
        Value::Text(text) if shape == Shape::Secret => match text.chars().count() {
            1 => "a secret of 1 character".to_owned(),
            length => format!("a secret of {length} characters"),
        },
        value => shown(shape, value),
    };
    format!("{value} ({})", entry.origin)
}

/// A value as it is shown, in the file's own notation.
pub(super) fn shown(shape: Shape, value: &Value) -> String {
    match value {
        _ if shape == Shape::Secret => MASK.to_owned(),
        Value::Text(text) => format!("{:?}", without_password(text)),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => format!("{items:?}"),
        Value::Other(text) => without_password(text),
        Value::Unread => String::new(),
    }
}

/// Masks the password of an address like `postgres://user:password@host/db`.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{MASK}@{host}"),
        None => text.to_owned(),
    }
}
