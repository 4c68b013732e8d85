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

/// Masks the password of an address like `postgres://user:password@host/db?password=password`.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let rest = match rest.rsplit_once('@') {
        Some((_, host)) => format!("{MASK}@{host}"),
        None => rest.to_owned(),
    };
    let Some((place, parameters)) = rest.split_once('?') else {
        return format!("{scheme}://{rest}");
    };
    let parameters: Vec<_> = parameters.split('&').map(masked).collect();
    format!("{scheme}://{place}?{}", parameters.join("&"))
}

/// Masks a parameter that is called like a password.
fn masked(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if name.to_lowercase().contains("pass") => format!("{name}={MASK}"),
        _ => parameter.to_owned(),
    }
}
