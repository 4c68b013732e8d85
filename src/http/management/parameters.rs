//! Parameters that are read more generously than their types tell, with their schemas.
//!
//! An empty parameter, as an empty field of a form sends it, means nothing.

use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Ref, Schema, Type};

use crate::http::problem::Problem;

/// A number of items; what is more than is served is clipped, however large.
pub(super) fn limit() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .default(Some(100.into()))
        .build()
}

/// A word of a set that is described elsewhere, or nothing.
pub(super) fn word_or_empty<Set: ToSchema>() -> Schema {
    let set = Ref::from_schema_name(Set::name());
    OneOfBuilder::new().item(set).item(words(&[""])).into()
}

/// Yes or no, or nothing.
pub(super) fn flag_or_empty() -> Schema {
    let flag = ObjectBuilder::new().schema_type(Type::Boolean);
    OneOfBuilder::new().item(flag).item(words(&["", "0", "1"])).into()
}

/// Reads yes or no, or nothing.
pub(super) fn read_flag(name: &str, text: Option<&str>) -> Result<Option<bool>, Problem> {
    match text.unwrap_or_default().trim() {
        "" => Ok(None),
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        other => Err(Problem::bad_request(format!(
            "{name} is true or false, not '{other}'"
        ))),
    }
}

fn words(words: &[&str]) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()))
        .build()
}
